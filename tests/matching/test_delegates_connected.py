"""Somebody arranges the mentee's times: what they may and what they see, over the real database."""

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from chassis.ids import new_id
from contracts.matching import Status
from english_words import english_left, shown
from fastapi.routing import APIRoute
from matching.domain.agreement import Notes
from matching.domain.members import Member
from matching.domain.mentorship import Mentorship
from matching_engine_world import until
from matching_people import an_entry
from matching_sessions import a_mentorship
from matching_site import Site, a_site
from web_edge import PUBLIC_URL, a_token

from chassis import clock

pytestmark = pytest.mark.connected
API = "/api/matching/v1"
ZONES = {"ana": "America/New_York", "dora": "Europe/Berlin", "sam": "Europe/London", "emil": "Europe/Berlin"}
GOALS, NOTES = "canary-goals", "canary-notes"
LINK = "https://meet.example/room"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana of New York mentors dora of Berlin; sam of London and emil work for others as well."""
    async with a_site(kafka, database, *ZONES) as made:
        for member, zone in ZONES.items():
            entry = an_entry(member, time_zone=zone)
            await made.store.members.insert(Member(id=member, tenant=made.tenant, directory=entry))
        yield made


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def form(**fields: str) -> dict[str, str]:
    return fields | {"idempotency_key": uuid.uuid4().hex}


def in_days(days: int, zone: str, hour: int = 10) -> datetime:
    """A full hour some days from now, as the clocks of a zone show it."""
    there = clock.now().astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return there.replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=None)


def iso(wall: datetime) -> str:
    return wall.isoformat(timespec="minutes")


async def running(site: Site, mentor: str = "ana", mentee: str = "dora") -> Mentorship:
    """A mentorship with goals, and notes of its mentor."""
    pair = a_mentorship(uuid.uuid4().hex, mentor, mentee, site.tenant)
    assert pair.agreement
    pair.agreement.intent = pair.agreement.intent.model_copy(update={"goals": GOALS})
    await site.store.mentorships.insert(pair)
    await site.store.notes.insert(Notes(id=pair.id, tenant=site.tenant, author=mentor, text=NOTES))
    return pair


async def name(site: Site, pair: Mentorship, member: str, by: str = "dora") -> None:
    """The mentee lets somebody arrange their times."""
    async with site.as_(by) as mentee:
        body = {"email": f"{member}@acme.example"}
        answer = await mentee.put(f"{API}/mentorships/{pair.id}/delegate", json=body, headers=key())
        assert (answer.status_code, answer.json()["delegate"]) == (200, member), answer.text


async def test_a_mentee_names_a_delegate_and_takes_it_back_on_their_page(site: Site) -> None:
    """The mentor reads who it is, and cannot decide it; on the delegate's home there is a link as long as it lasts."""
    pair = await running(site)
    here = f"/mentorships/{pair.id}"
    async with site.as_("dora") as dora, site.as_("ana") as ana, site.as_("sam") as sam:
        assert "/arranging" not in (await sam.get("/")).text
        named = await dora.post(f"{here}/delegate", data=form(email=" sam@acme.example "))
        assert (named.status_code, named.headers["location"]) == (303, f"{here}#delegate")
        assert "Sam arranges your times" in (await dora.get(here)).text
        assert "Sam arranges times for Dora" in (await ana.get(here)).text
        assert "The two of you see it, and Sam." in (await ana.get(here)).text
        assert 'href="/arranging"' in (await sam.get("/")).text
        assert "For Dora" in (await sam.get("/arranging")).text
        for path in ("delegate", "delegate/dismiss"):
            assert (await ana.post(f"{here}/{path}", data=form(email="emil@acme.example"))).status_code == 403
        await dora.post(f"{here}/delegate/dismiss", data=form())
        assert "Sam" not in (await dora.get(here)).text
        assert "Only the two of you see it." in (await ana.get(here)).text
        assert "Nothing to arrange" in (await sam.get("/arranging")).text
        assert (await sam.get(f"/arranging/{pair.id}")).status_code == 404


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("nobody@acme.example", "Nobody in the directory has the address nobody@acme.example."),
        ("ana@acme.example", "You arrange your times with this very person."),
        ("dora@acme.example", "This is your own address"),
        ("sam", "Write one e-mail address"),
        ("x" * 300 + "@acme.example", "Write one e-mail address"),
    ],
)
async def test_who_cannot_be_a_delegate_is_said_beside_what_was_typed(site: Site, email: str, why: str) -> None:
    """Nothing is changed, and the address can be corrected."""
    pair = await running(site)
    async with site.as_("dora") as dora:
        page = await dora.post(f"/mentorships/{pair.id}/delegate", data=form(email=email))
    assert page.status_code == 422
    assert why in page.text
    assert f'value="{email}"' in page.text
    assert (await site.store.mentorships.load(site.tenant, pair.id)).delegate is None


BODIES: dict[str, dict[str, Any]] = {
    f"{API}/mentorships/{{mentorship}}/agreement/confirmations": {"version": 1},
    f"{API}/mentorships/{{mentorship}}/sessions": {"day": "2026-03-09", "outcome": "held"},
    f"{API}/mentorships/{{mentorship}}/plan/times": {"times": [iso(in_days(5, "Europe/London"))]},
    f"{API}/mentorships/{{mentorship}}/plan/pick": {"at": "2026-03-10T09:00:00Z"},
    f"{API}/mentorships/{{mentorship}}/sessions/{{session}}/reflection": {"text": "mine"},
    f"{API}/mentorships/{{mentorship}}/delegate": {"email": "emil@acme.example"},
    "/mentorships/{mentorship}/agreement": {
        "version": "1",
        "areas": "ai-tools",
        "cadence": "weekly",
        "medium": "video",
        "minutes": "30",
        "months": "3",
    },
    "/mentorships/{mentorship}/sessions": {"day": "2026-03-09", "outcome": "held"},
    "/mentorships/{mentorship}/times": {"time_1": iso(in_days(6, "Europe/London"))},
    "/mentorships/{mentorship}/times/pick": {"at": "2026-03-10T09:00:00.000Z"},
    "/arranging/{mentorship}/times/pick": {"at": "2026-03-10T09:00:00.000Z"},
    "/mentorships/{mentorship}/delegate": {"email": "emil@acme.example"},
}
"""What a route needs to look at who asks."""
ARRANGING = {
    ("GET", f"{API}/mentorships/{{mentorship}}/plan"),
    *(("POST", f"{API}/mentorships/{{mentorship}}/plan/{path}") for path in ("times", "pick", "call-off")),
    *(
        ("POST", f"/{base}/{{mentorship}}/{path}")
        for base in ("mentorships", "arranging")
        for path in ("times", "times/pick", "call-off")
    ),
    ("GET", "/arranging/{mentorship}"),
}
"""All that a delegate may do about a pair, but to stop."""
STEPPING_DOWN = {("POST", "/arranging/{mentorship}/step-down"), ("DELETE", f"{API}/arranging/{{mentorship}}")}


def routes_of(router: Any) -> Iterator[APIRoute]:
    """Every route of an application, or of a router that it includes."""
    for each in router.routes:
        if isinstance(each, APIRoute):
            yield each
        elif (included := getattr(each, "original_router", None)) is not None:
            yield from routes_of(included)


async def routes_open_to(site: Site, member: str, pair: Mentorship) -> set[tuple[str, str]]:
    """Every route of a pair that does not answer as if there were none."""
    routes = [each for each in routes_of(site.app) if "{mentorship}" in each.path]
    assert len(routes) > 30
    intent = pair.agreement.intent.model_dump(mode="json") if pair.agreement else {}
    found = set()
    async with site.as_(member) as client:
        for route in routes:
            names = {"mentorship": pair.id, "session": "s-1"}
            path = _PATH_PARAMETER.sub(lambda match, names=names: names[match[1]], route.path)  # type: ignore[misc]
            for method in set(route.methods or ()) - {"HEAD"}:
                body = intent if path.startswith(API) and path.endswith("/agreement") else BODIES.get(route.path)
                sent: dict[str, Any] = {"json": body} if path.startswith(API) else {"data": body or {}}
                headers = key() | {"If-Match": "1"}
                answer = await client.request(method, path, headers=headers, **(sent if method != "GET" else {}))
                assert answer.status_code not in {405, 422} or (method, route.path) in ARRANGING, (route.path, answer)
                if answer.status_code != 404:
                    found.add((method, route.path))
                    if (method, route.path) in STEPPING_DOWN:
                        await name(site, pair, member)
    return found


async def test_every_route_of_a_pair_but_those_of_times_answers_a_delegate_as_a_stranger(site: Site) -> None:
    """Looked up in the application itself, so that a route that is added later is looked at, too."""
    pair = await running(site)
    await name(site, pair, "sam")
    assert await routes_open_to(site, "sam", pair) == ARRANGING | STEPPING_DOWN
    assert await routes_open_to(site, "emil", pair) == set()
    after = await site.store.mentorships.load(site.tenant, pair.id)
    assert (after.status, after.agreement, after.sessions, after.delegate) == (
        Status.STARTED,
        pair.agreement,
        [],
        "sam",
    )


async def test_a_delegate_is_one_of_exactly_that_pair_until_it_is_taken_back(site: Site) -> None:
    """Neither of the mentor's other pairs, nor of the mentee's; another takes the place of the first."""
    pair, others = await running(site), [await running(site, "ana", "emil"), await running(site, "luis", "dora")]
    await name(site, pair, "sam")
    for other in others:
        assert await routes_open_to(site, "sam", other) == set()
    await name(site, pair, "luis")
    assert await routes_open_to(site, "sam", pair) == set()
    async with site.as_("dora") as dora:
        await dora.delete(f"{API}/mentorships/{pair.id}/delegate", headers=key())
    assert await routes_open_to(site, "luis", pair) == set()


async def test_another_organisation_has_no_delegates_here(site: Site) -> None:
    """The same id under another tenant arranges nothing."""
    pair = await running(site)
    await name(site, pair, "sam")
    headers = {"Authorization": f"Bearer {a_token(site.key, sub='sam', tid='another', roles=[])}"}
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as stranger:
        assert (await stranger.get(f"/arranging/{pair.id}")).status_code == 404
        assert (await stranger.get(f"{API}/arranging")).json() == []


async def test_a_delegate_reads_who_and_when_and_nothing_else(site: Site) -> None:
    """Names, times by all three clocks, the link; no focus, no goal, no note, no medium, in no language."""
    pair, wall = await running(site), in_days(3, "Europe/London")
    await name(site, pair, "sam")
    there = f"/arranging/{pair.id}"
    async with site.as_("sam") as sam, site.as_("ana") as ana:
        typed = form(time_1=iso(wall), link=LINK)
        assert (await sam.post(f"{there}/times", data=typed)).headers["location"] == there
        session = (await ana.get(f"{API}/mentorships/{pair.id}/plan")).json()["proposed"]["times"][0]
        assert (session["local"], session["zone"]) == (iso(wall), "Europe/London")
        await ana.post(f"/mentorships/{pair.id}/times/pick", data=form(at=session["at"]))
        by_clock = wall.replace(tzinfo=ZoneInfo("Europe/London"))
        page = (await sam.get(there)).text
        assert f"{wall:%H:%M} (Europe/London)" in page
        for member, zone in (("Dora", "Europe/Berlin"), ("Ana", "America/New York")):
            local = by_clock.astimezone(ZoneInfo(zone.replace(" ", "_")))
            assert re.search(f"For {member}: [^<]*{local:%H:%M} \\({zone}\\)", page)
        assert LINK in page
        assert "session.ics" not in page
        api = [await sam.get(f"{API}/{path}") for path in ("arranging", f"mentorships/{pair.id}/plan")]
        assert api[1].json()["session"]["medium"] is None
        pages = [await sam.get(path) for path in ("/", "/arranging", there)]
        for answer in (*pages, *api):
            assert answer.status_code == 200
            assert not [
                each for each in (GOALS, NOTES, "AI tools", "ai-tools", "monthly", "month") if each in answer.text
            ]
        sam.headers["Accept-Language"] = "de"
        german = [line for path in ("/arranging", there) for line in shown((await sam.get(path)).text)]
        assert english_left(german) == set()


async def test_the_mentee_has_to_be_free_and_not_whoever_arranges(site: Site) -> None:
    """Sam meets somebody then, which does not matter; dora meets luis then, which does, and what was typed stays."""
    pair, mine, hers = await running(site), await running(site, "luis", "sam"), await running(site, "luis", "dora")
    await name(site, pair, "sam")
    busy, taken = in_days(3, "Europe/London"), in_days(4, "Europe/London")
    for other, wall, mentee in ((mine, busy, "sam"), (hers, taken, "dora")):
        at = wall.replace(tzinfo=ZoneInfo("Europe/London")).astimezone(ZoneInfo(ZONES[mentee])).replace(tzinfo=None)
        here = f"{API}/mentorships/{other.id}/plan"
        async with site.as_(mentee) as client, site.as_("luis") as luis:
            proposed = await client.post(f"{here}/times", json={"times": [iso(at)]}, headers=key())
            moment = {"at": proposed.json()["proposed"]["times"][0]["at"]}
            assert (await luis.post(f"{here}/pick", json=moment, headers=key())).status_code == 200
    async with site.as_("sam") as sam:
        there = f"/arranging/{pair.id}"
        refused = await sam.post(f"{there}/times", data=form(time_1=iso(taken), link=LINK))
        assert (refused.status_code, "There is another session" in refused.text) == (422, True)
        assert f'value="{iso(taken)}"' in refused.text
        assert (await sam.post(f"{there}/times", data=form(time_1=iso(busy)))).status_code == 303


async def test_a_delegate_picks_moves_and_cancels_for_the_mentee(site: Site) -> None:
    """Ana proposes, sam picks; sam moves it; sam cancels: each on the mentee's side, and never their own proposal."""
    pair = await running(site)
    await name(site, pair, "sam")
    here, there = f"{API}/mentorships/{pair.id}/plan", f"/arranging/{pair.id}"
    async with site.as_("sam") as sam, site.as_("ana") as ana:
        for days in (3, 5):
            body = {"times": [iso(in_days(days, "America/New_York"))]}
            at = (await ana.post(f"{here}/times", json=body, headers=key())).json()["proposed"]["times"][0]["at"]
            assert "Your turn: pick a time" in (await sam.get(there)).text
            assert "Pick one, or propose others" in (await sam.get("/arranging")).text
            assert (await sam.post(f"{there}/times/pick", data=form(at=at))).status_code == 303
        stored = await site.store.mentorships.load(site.tenant, pair.id)
        assert [(each.version, each.time.at) for each in stored.arranged] == [(1, at)]
        await sam.post(f"{there}/times", data=form(time_1=iso(in_days(8, "Europe/London"))))
        times = (await sam.get(here)).json()["proposed"]
        assert times["by"] == "mentee"
        own = await sam.post(f"{there}/times/pick", data=form(at=times["times"][0]["at"]))
        assert "the%20other%20side%20picks" in own.headers["set-cookie"]
        assert (await sam.post(f"{there}/call-off", data=form())).headers["location"] == there
        assert (await ana.get(here)).json() == {"session": None, "proposed": None}


async def test_before_the_start_and_in_a_pause_a_delegate_waits(site: Site) -> None:
    """The page says so, and a command is refused with a sentence."""
    pair = await running(site)
    await name(site, pair, "sam")
    async with site.as_("ana") as ana, site.as_("sam") as sam:
        await ana.post(f"{API}/mentorships/{pair.id}/pause", headers=key())
        for path in ("/arranging", f"/arranging/{pair.id}"):
            assert "It is paused." in (await sam.get(path)).text
        typed = form(time_1=iso(in_days(3, "Europe/London")))
        refused = await sam.post(f"/arranging/{pair.id}/times", data=typed)
        assert (refused.status_code, "while a mentorship is running" in refused.text) == (422, True)


async def test_the_calendar_entry_is_for_the_two_alone(site: Site) -> None:
    """Notifications asks for sam's and gets none."""
    pair = await running(site)
    await name(site, pair, "sam")
    here = f"{API}/mentorships/{pair.id}/plan"
    async with site.as_("sam") as sam, site.as_("ana") as ana:
        body = {"times": [iso(in_days(3, "Europe/London"))]}
        at = (await sam.post(f"{here}/times", json=body, headers=key())).json()["proposed"]["times"][0]["at"]
        session = (await ana.post(f"{here}/pick", json={"at": at}, headers=key())).json()["session"]["id"]
        assert (await sam.get(f"{API}/mentorships/{pair.id}/session.ics")).status_code == 404
        token = a_token(site.key, sub="notifications", tid=None, roles=None, purpose="calendar")
        asked = {"tenant": site.tenant, "mentorship": pair.id, "session": session}
        entries = {
            member: await sam.post(
                f"{API}/calendar-entries", json=asked | {"member": member}, headers={"Authorization": f"Bearer {token}"}
            )
            for member in ("ana", "dora", "sam")
        }
    assert [member for member, answer in entries.items() if answer.json()] == ["ana", "dora"]


async def test_a_delegate_ends_with_the_pair_and_with_their_own_leaving(site: Site) -> None:
    """Dora's page does not name them any more, and she can name another."""
    pair, other = await running(site), await running(site, "luis", "dora")
    for each in (pair, other):
        await name(site, each, "sam")
    async with site.as_("dora") as dora:
        await dora.post(f"{API}/mentorships/{other.id}/end", headers=key())
        assert await site.store.arranged_by(site.tenant, "sam") == [await stored(site, pair)]
        await site.store.members.change(site.tenant, "sam", lambda member: member.learn_directory(None))

        async def gone() -> bool:
            return (await stored(site, pair)).delegate is None

        await until(gone)
        page = (await dora.get(f"/mentorships/{pair.id}")).text
        assert ("Sam" in page, "Let them arrange my times" in page) == (False, True)
    await name(site, pair, "emil")


async def test_a_delegate_steps_down_on_their_page(site: Site) -> None:
    """At once, and of this pair alone; the page asks first, what is arranged stays, and dora can name another."""
    pair, other = await running(site), await running(site, "luis", "dora")
    for each in (pair, other):
        await name(site, each, "sam")
    there, once = f"/arranging/{pair.id}", form()
    async with site.as_("sam") as sam, site.as_("dora") as dora:
        assert "I can't arrange times for Dora any more" in (await sam.get(there)).text
        asked = (await sam.get("/arranging")).text
        assert [f'action="/arranging/{each.id}/step-down"' in asked for each in (pair, other)] == [True, True]
        times = form(time_1=iso(in_days(3, "Europe/London")))
        assert (await sam.post(f"{there}/times", data=times)).status_code == 303
        for _ in range(2):
            done = await sam.post(f"{there}/step-down", data=once)
            assert (done.status_code, done.headers["location"]) == (303, "/arranging")
        after = await sam.get("/arranging")
        assert "You do not arrange these times any more." in after.text
        assert (f"/arranging/{pair.id}" in after.text, f"/arranging/{other.id}" in after.text) == (False, True)
        assert (await sam.get(there)).status_code == 404
        assert "Let them arrange my times" in (await dora.get(f"/mentorships/{pair.id}")).text
        proposed = (await stored(site, pair)).times
        assert proposed
        assert proposed.by.value == "mentee"


async def test_whoever_arranges_nothing_has_nothing_to_step_down_from(site: Site) -> None:
    """Sam a second time, a stranger, the two themselves, and of a pair that does not exist: one plain sentence.

    A key that stopped sam once does not stop him again after he was named anew.
    """
    pair, once = await running(site), {"Idempotency-Key": new_id()}
    await name(site, pair, "sam")
    here = f"{API}/arranging/{pair.id}"
    async with site.as_("sam") as sam, site.as_("emil") as emil, site.as_("ana") as ana, site.as_("dora") as dora:
        assert [(await sam.delete(here, headers=once)).status_code for _ in range(2)] == [204, 204]
        assert (await sam.get(f"{API}/arranging")).json() == []
        for client in (sam, emil, ana, dora):
            for path in (here, f"{API}/arranging/{new_id()}"):
                refused = await client.delete(path, headers=key())
                told = refused.json()["detail"]
                assert (refused.status_code, told) == (
                    404,
                    "You arrange no times here, so there is nothing that you could stop doing.",
                )
        await name(site, pair, "sam")
        await sam.delete(here, headers=once)
        assert (await stored(site, pair)).delegate == "sam"


async def stored(site: Site, pair: Mentorship) -> Mentorship:
    """A pair as it is now."""
    return await site.store.mentorships.load(site.tenant, pair.id)


async def test_the_same_click_twice_names_once(site: Site) -> None:
    """The second changes nothing, also when it comes after somebody else was named."""
    pair, once = await running(site), {"Idempotency-Key": new_id()}
    async with site.as_("dora") as dora:
        here = f"{API}/mentorships/{pair.id}/delegate"
        await dora.put(here, json={"email": "sam@acme.example"}, headers=once)
        await name(site, pair, "emil")
        again = await dora.put(here, json={"email": "sam@acme.example"}, headers=once)
    assert again.json()["delegate"] == "emil"
