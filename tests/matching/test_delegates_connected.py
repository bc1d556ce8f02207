"""Somebody arranges the mentee's times: what they may and what they see, over the real database."""

import re
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from chassis.ids import new_id
from english_words import english_left, shown
from matching_office import API, GOALS, NOTES, ZONES, an_office, form, in_days, iso, key, name, running
from matching_site import Site
from web_edge import a_token

pytestmark = pytest.mark.connected
LINK = "https://meet.example/room"


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana of New York mentors dora of Berlin; sam of London and emil work for others as well."""
    async with an_office(kafka, database) as made:
        yield made


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


async def test_the_same_click_twice_names_once(site: Site) -> None:
    """The second changes nothing, also when it comes after somebody else was named."""
    pair, once = await running(site), {"Idempotency-Key": new_id()}
    async with site.as_("dora") as dora:
        here = f"{API}/mentorships/{pair.id}/delegate"
        await dora.put(here, json={"email": "sam@acme.example"}, headers=once)
        await name(site, pair, "emil")
        again = await dora.put(here, json={"email": "sam@acme.example"}, headers=once)
    assert again.json()["delegate"] == "emil"
