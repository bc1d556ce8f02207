"""Sessions over the real database and broker: API and pages, the calendar's two ways out, reminders, reflections."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from chassis.settings import Settings
from chassis.state.timers import Timer
from contracts.matching import Outcome, PlanChange, Side
from contracts.topics import MENTORSHIP, MENTORSHIP_DETAIL, MENTORSHIP_STATE
from english_words import english_left, shown
from ical.calendar_stream import IcsCalendarStream
from matching.app import expire, make_app
from matching.domain.members import Member
from matching.domain.mentorship import Mentorship
from matching.domain.times import LocalTime, rfc3339
from matching.store import Store
from matching_people import an_entry
from matching_sessions import a_mentorship
from matching_world import a_store, api_settings
from topic_records import all_records
from web_edge import PUBLIC_URL, Profiles, a_key, a_token, served

from chassis import clock

pytestmark = pytest.mark.connected
API = "/api/matching/v1"
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
LINK = "https://meet.example/canary"


@dataclass
class Site:
    """The application over its store, in which ana of New York mentors dora of Berlin."""

    store: Store
    tenant: str
    kafka: str
    app: Any
    key: Any

    @asynccontextmanager
    async def as_(self, member: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client in which this member is signed in."""
        token = a_token(self.key, sub=member, tid=self.tenant, roles=[])
        async with self._client(token) as client:
            yield client

    @asynccontextmanager
    async def as_service(self, purpose: str) -> AsyncIterator[httpx.AsyncClient]:
        """Notifications, with a token for one purpose."""
        token = a_token(self.key, sub="notifications", tid=None, roles=None, purpose=purpose)
        async with self._client(token) as client:
            yield client

    def _client(self, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}", "Origin": PUBLIC_URL}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=PUBLIC_URL, headers=headers)

    async def running(self, mentor: str = "ana", mentee: str = "dora") -> Mentorship:
        """A stored mentorship that is running."""
        pair = a_mentorship(uuid.uuid4().hex, mentor, mentee, self.tenant)
        await self.store.mentorships.insert(pair)
        return pair

    async def arranged(self, pair: Mentorship, wall: str) -> dict[str, Any]:
        """Dora proposes this time with a link, and ana picks it; the session as the API tells it."""
        here = f"{API}/mentorships/{pair.id}/plan"
        async with self.as_("dora") as dora, self.as_("ana") as ana:
            proposed = await dora.post(f"{here}/times", json={"times": [wall], "link": LINK}, headers=key())
            at = proposed.json()["proposed"]["times"][0]["at"]
            picked = await ana.post(f"{here}/pick", json={"at": at}, headers=key())
            assert picked.status_code == 200, picked.text
            session: dict[str, Any] = picked.json()["session"]
            return session

    async def entry(self, pair: Mentorship, session: str, member: str, purpose: str = "calendar") -> httpx.Response:
        """What notifications is told about a session."""
        asked = {"tenant": self.tenant, "mentorship": pair.id, "session": session, "member": member}
        async with self.as_service(purpose) as service:
            return await service.post(f"{API}/calendar-entries", json=asked)

    async def said(self, pair: Mentorship) -> list[str]:
        """Everything that any topic holds about a pair, once it is all published."""
        async with asyncio.timeout(20):
            while await self._owed(pair):
                await asyncio.sleep(0.05)
        topics = (MENTORSHIP, MENTORSHIP_DETAIL, MENTORSHIP_STATE)
        records = [record for topic in topics for record in await all_records(Settings(kafka=self.kafka), topic)]
        return [(record.value or b"").decode() for record in records if record.key == pair.id.encode()]

    async def _owed(self, pair: Mentorship) -> bool:
        raw = await self.store.mentorships.collection.find_one(pair.tenant, {"_id": pair.id})
        return raw is None or bool(raw["events"] or raw["unsent"])


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    signing = a_key("k1")
    async with served(Profiles([signing], {"ana": "Ana Diaz", "dora": "Dora <b>Klein</b>"}).app()) as address:
        settings = api_settings(kafka, database).model_copy(update={"profiles_url": address, "public_url": PUBLIC_URL})
        async with a_store(settings) as store:
            tenant = f"tenant-{uuid.uuid4().hex[:8]}"
            for member, zone in (("ana", NEW_YORK.key), ("dora", BERLIN.key)):
                entry = an_entry(member, time_zone=zone)
                await store.members.insert(Member(id=member, tenant=tenant, directory=entry))
            yield Site(store, tenant, kafka, make_app(settings, store), signing)


def key() -> dict[str, str]:
    """A fresh idempotency key."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def in_days(days: int, hour: int = 10) -> datetime:
    """A full hour in Berlin some days from now, as its clocks show it."""
    return (clock.now().astimezone(BERLIN) + timedelta(days=days)).replace(
        hour=hour, minute=0, second=0, microsecond=0, tzinfo=None
    )


def iso(wall: datetime) -> str:
    return wall.isoformat(timespec="minutes")


async def test_times_are_by_the_proposers_clock_and_shown_by_both(site: Site) -> None:
    """Ten for dora is four or five in the morning for ana; whoever proposed can't pick, and one pick counts once."""
    pair, wall = await site.running(), in_days(3)
    here = f"{API}/mentorships/{pair.id}/plan"
    async with site.as_("dora") as dora, site.as_("ana") as ana:
        proposed = (await dora.post(f"{here}/times", json={"times": [iso(wall)]}, headers=key())).json()["proposed"]
        (time,) = proposed["times"]
        assert (proposed["by"], time["local"], time["zone"]) == ("mentee", iso(wall), "Europe/Berlin")
        assert clock.parse(time["at"]) == wall.replace(tzinfo=BERLIN)

        page = (await ana.get(f"/mentorships/{pair.id}")).text
        mine = wall.replace(tzinfo=BERLIN).astimezone(NEW_YORK)
        assert f"{mine:%H:%M} (America/New York)" in page
        assert "10:00 (Europe/Berlin)" in page
        assert "Your turn: pick a time" in (await ana.get("/")).text

        refused = await dora.post(f"{here}/pick", json={"at": time["at"]}, headers=key())
        assert (refused.status_code, "the other side picks" in refused.json()["detail"]) == (409, True)
        once = key()
        for _ in range(2):
            picked = await ana.post(f"{here}/pick", json={"at": time["at"]}, headers=once)
            assert picked.json()["session"]["time"] == time
        assert "Next session: " in (await dora.get("/")).text


async def test_what_is_refused_comes_back_as_it_was_typed(site: Site) -> None:
    """A time that has passed and a link that is none: a sentence, and the form still holds both."""
    pair = await site.running()
    typed = {"time_1": "2020-01-01T10:00", "time_2": iso(in_days(2)), "link": LINK}
    async with site.as_("dora") as dora:
        for changes, why in (
            ({}, "1 January 2020, 10:00 has passed"),
            ({"time_1": "next Tuesday"}, "Write each time as year-month-day and hour"),
            ({"time_1": "", "link": "http://meet.example"}, "begins with https://"),
        ):
            form = typed | changes | {"idempotency_key": uuid.uuid4().hex}
            page = await dora.post(f"/mentorships/{pair.id}/times", data=form)
            assert (page.status_code, why in page.text) == (422, True)
            assert all(f'value="{value}"' in page.text for value in (typed | changes).values() if value)
    assert (await site.store.mentorships.load(site.tenant, pair.id)).times is None


async def test_a_mentorship_in_german_is_german_throughout(site: Site) -> None:
    """The page of a pair, and why a time cannot be: the domain's sentence, with the time as German writes it."""
    pair = await site.running()
    here = f"/mentorships/{pair.id}"
    async with site.as_("dora") as dora:
        dora.headers["Accept-Language"] = "de"
        page = await dora.get(here)
        form = {"time_1": "2020-01-01T10:00", "idempotency_key": uuid.uuid4().hex}
        refused = await dora.post(f"{here}/times", data=form)
    assert "1. Januar 2020, 10:00 ist vorbei. Wählen Sie eine Zeit, die noch kommt." in refused.text
    assert english_left([*shown(page.text), *shown(refused.text)]) == set()


async def test_a_member_is_not_in_two_mentorships_at_once(site: Site) -> None:
    """Ana meets dora then, so emil can't have that hour: she is told so, whether she proposes or picks."""
    pair, other, wall = await site.running(), await site.running("ana", "emil"), in_days(4)
    await site.arranged(pair, iso(wall))
    here = f"{API}/mentorships/{other.id}/plan"
    at = rfc3339(wall.replace(tzinfo=BERLIN))
    by_ana = wall.replace(tzinfo=BERLIN).astimezone(NEW_YORK).replace(tzinfo=None)
    by_emil = clock.parse(at).replace(tzinfo=None)
    async with site.as_("emil") as emil, site.as_("ana") as ana:
        refused = await ana.post(f"{here}/times", json={"times": [iso(by_ana)]}, headers=key())
        assert (refused.status_code, "There is another session" in refused.json()["detail"]) == (422, True)
        await emil.post(f"{here}/times", json={"times": [iso(by_emil)]}, headers=key())
        taken = await ana.post(f"{here}/pick", json={"at": at}, headers=key())
        assert (taken.status_code, "One of you has another session" in taken.json()["detail"]) == (409, True)


async def test_strangers_learn_nothing_of_a_plan(site: Site) -> None:
    """Every route answers a colleague as if there were no such pair, and the file needs somebody signed in."""
    pair = await site.running()
    session = await site.arranged(pair, iso(in_days(3)))
    here = f"{API}/mentorships/{pair.id}"
    async with site.as_("mallory") as mallory:
        for path in (f"{here}/plan", f"{here}/session.ics", f"{here}/sessions/{session['id']}/reflection"):
            assert (await mallory.get(path)).status_code == 404
        for path, body in (("times", {"times": [iso(in_days(2))]}), ("pick", {"at": session["time"]["at"]})):
            assert (await mallory.post(f"{here}/plan/{path}", json=body, headers=key())).status_code == 404
        assert (await mallory.post(f"{here}/plan/call-off", headers=key())).status_code == 404
        mallory.headers.pop("Authorization")
        assert (await mallory.get(f"{here}/session.ics")).status_code == 401


async def test_the_two_download_their_session(site: Site) -> None:
    """Each in words of their own side, with focus and link, and without the other's name."""
    pair, wall = await site.running(), in_days(3)
    async with site.as_("ana") as ana:
        assert (await ana.get(f"{API}/mentorships/{pair.id}/session.ics")).status_code == 404
    session = await site.arranged(pair, iso(wall))
    for member, role in (("ana", "you mentor"), ("dora", "you learn")):
        async with site.as_(member) as client:
            file = await client.get(f"{API}/mentorships/{pair.id}/session.ics")
        assert file.headers["content-type"].startswith("text/calendar")
        (event,) = IcsCalendarStream.calendar_from_ics(file.text).events
        assert (event.uid, event.sequence) == (f"{session['id']}@turnabout.example", 0)
        assert (event.start, event.duration) == (wall.replace(tzinfo=BERLIN), timedelta(minutes=50))
        assert event.summary == f"Mentoring session: {role}"
        assert "Focus: ai tools" in (event.description or "")
        assert event.location == LINK
        assert not {"Ana", "Dora"} & {*file.text.replace(":", " ").split()}


async def test_notifications_alone_is_told_the_entry_with_its_own_token(site: Site) -> None:
    """The newest version of it, in the reader's zone; a token for mail and a member's own open nothing."""
    pair, first, second = await site.running(), in_days(3), in_days(5)
    session = await site.arranged(pair, iso(first))
    moved = await site.arranged(pair, iso(second))
    assert moved["id"] == session["id"]
    told = (await site.entry(pair, session["id"], "ana")).json()
    assert (told["version"], told["called_off"], told["over"]) == (1, False, False)
    assert (told["time"]["local"], told["reader_zone"]) == (iso(second), "America/New_York")
    assert (told["summary"], told["place"]) == ("Mentoring session: you mentor", LINK)

    assert (await site.entry(pair, session["id"], "ana", purpose="mail")).status_code == 403
    for stranger in ((pair, session["id"], "mallory"), (pair, "another", "ana")):
        assert (await site.entry(*stranger)).json() is None
    asked = {"tenant": site.tenant, "mentorship": pair.id, "session": session["id"], "member": "ana"}
    async with site.as_("ana") as ana:
        assert (await ana.post(f"{API}/calendar-entries", json=asked)).status_code == 401
        await ana.post(f"{API}/mentorships/{pair.id}/plan/call-off", headers=key())
    told = (await site.entry(pair, session["id"], "dora")).json()
    assert (told["version"], told["called_off"]) == (2, True)


async def test_time_and_link_stay_off_every_topic(site: Site) -> None:
    """What is said of a life with two arranged times holds the changes, and neither when nor where."""
    pair, first, second = await site.running(), in_days(3, hour=11), in_days(5, hour=11)
    await site.arranged(pair, iso(first))
    await site.arranged(pair, iso(second))
    async with site.as_("ana") as ana:
        await ana.post(f"{API}/mentorships/{pair.id}/end", headers=key())
    said = await site.said(pair)
    changes = [each for each in PlanChange if any(f'"change":"{each.value}"' in text for text in said)]
    assert changes == [PlanChange.TIMES_PROPOSED, PlanChange.ARRANGED, PlanChange.MOVED, PlanChange.CALLED_OFF]
    for word in ("canary", iso(first)[:10], iso(second)[:10], "11:00", "Berlin"):
        assert [text for text in said if word in text] == []


async def test_the_clock_reminds_once_a_day_before(site: Site) -> None:
    """A session in 23 hours, arranged two days ago: swept, told, and nothing is left for another replica."""
    now = clock.now()
    pair = a_mentorship(uuid.uuid4().hex, "ana", "dora", site.tenant)
    time = LocalTime.of((now + timedelta(hours=23)).replace(tzinfo=None), "UTC")
    earlier = rfc3339(now - timedelta(days=2))
    pair.propose_times(Side.MENTEE, [time], "", earlier)
    pair.pick_time(Side.MENTOR, time.at, "s-1", earlier)
    pair.take_uncommitted()
    await site.store.mentorships.insert(pair)
    timer = Timer(site.store.mentorships, expire)
    await timer.sweep()
    await timer.sweep()
    assert (await site.store.mentorships.load(site.tenant, pair.id)).due == 0
    assert len([text for text in await site.said(pair) if '"change":"near"' in text]) == 1


async def test_a_session_that_is_over_asks_both_to_log_it_until_one_does(site: Site) -> None:
    """Home and the mentorship offer it with one click for that day; afterwards neither does."""
    now = clock.now()
    pair = a_mentorship(uuid.uuid4().hex, "ana", "dora", site.tenant)
    time = LocalTime.of((now - timedelta(hours=2)).replace(tzinfo=None), "UTC")
    earlier = rfc3339(now - timedelta(days=2))
    pair.propose_times(Side.MENTEE, [time], "", earlier)
    pair.pick_time(Side.MENTOR, time.at, "s-1", earlier)
    pair.take_uncommitted()
    await site.store.mentorships.insert(pair)
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        for client in (ana, dora):
            for path in ("/", f"/mentorships/{pair.id}"):
                page = (await client.get(path)).text
                assert all(each in page for each in ("How did it go?", "It was held", f'value="{time.day}"'))
        form = {"day": time.day, "outcome": "held", "idempotency_key": uuid.uuid4().hex}
        assert (await dora.post(f"/mentorships/{pair.id}/sessions", data=form)).status_code == 303
        for path in ("/", f"/mentorships/{pair.id}"):
            assert "How did it go?" not in (await ana.get(path)).text


async def test_a_reflection_is_its_authors_alone(site: Site) -> None:
    """Each reads their own; the other's page looks the same as before; too much comes back as it was typed."""
    pair = await site.running()
    await site.store.mentorships.change(
        site.tenant,
        pair.id,
        lambda known: known.log_session(Side.MENTOR, "logged-1", clock.today(), Outcome.HELD, clock.timestamp()),
    )
    here, there = f"{API}/mentorships/{pair.id}/sessions/logged-1/reflection", f"/mentorships/{pair.id}"
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        before = (await dora.get(there)).text
        assert (await ana.put(here, json={"text": "canary-reflection"})).status_code == 204
        assert (await ana.get(here)).json() == {"text": "canary-reflection"}
        assert (await dora.get(here)).json() == {"text": ""}
        assert "canary-reflection" in (await ana.get(f"{there}/sessions/logged-1")).text
        assert "canary-reflection" not in (await dora.get(f"{there}/sessions/logged-1")).text
        assert "Read my reflection" in (await ana.get(there)).text
        after = (await dora.get(there)).text
        assert ("Reflect on it" in after, "Read my reflection" in after) == (True, False)
        assert before.count("\n") == after.count("\n")

        form = {"text": "x" * 2001, "idempotency_key": uuid.uuid4().hex}
        long = await dora.post(f"{there}/sessions/logged-1", data=form)
        assert (long.status_code, "x" * 2001 in long.text, "Shorten it" in long.text) == (422, True, True)
        assert (await ana.put(here.replace("logged-1", "unknown"), json={"text": "x"})).status_code == 404
        await ana.put(here, json={"text": " "})
        assert (await ana.get(here)).json() == {"text": ""}
