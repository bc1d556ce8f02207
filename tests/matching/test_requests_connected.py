"""Somebody looks for another by themselves and asks: pages over the real database, rules and places as of now."""

import re
import uuid
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import unquote

import httpx
import pytest
from contracts.matching import MatchClosed, MatchProposed, Side, Status
from matching.commands import Commands
from matching.domain.members import Member
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.proposal import Origin
from matching.engine.rules import Rules
from matching.requests.commands import MOST_OPEN
from matching_engine_world import until
from matching_people import a_profile, an_entry
from matching_site import Site, a_site
from matching_world import caller

pytestmark = pytest.mark.connected
PROGRAMME = "p-fresh-eyes"
_ASKED = re.compile(r'name="member" value="([^"]+)"')


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana is junior and offers AI tools; dora and emil are senior and seek it; sam does, but works in ana's unit."""
    async with a_site(kafka, database, "ana", "dora", "emil", "sam") as made:
        plan = Plan(
            title="Fresh Eyes",
            opens_on=date(2020, 1, 1),
            closes_on=date(2099, 1, 1),
            leads=("olga",),
            rules=Rules(areas=("ai-tools", "social-media")),
        )
        programme = Programme.draft(PROGRAMME, made.tenant, plan)
        programme.turn(open_=True)
        await made.store.programmes.insert(programme)
        await made.employ("ana", 2, "shops", seeks=(), mentor_capacity=1)
        for senior, unit in (("dora", "board"), ("emil", "finance"), ("sam", "shops")):
            await made.employ(senior, 9, unit, offers=(), mentee_capacity=1)
        yield made


async def seen(site: Site, member: str, side: str, area: str = "") -> list[str]:
    """Whom a member finds on the page, in its order."""
    async with site.as_(member) as client:
        page = await client.get("/discover", params={"as": side, "area": area})
    assert page.status_code == 200, page.text
    return _ASKED.findall(page.text)


async def ask(site: Site, member: str, other: str, side: str, key: str | None = None) -> httpx.Response:
    """Press the button."""
    form = {"member": other, "programme": PROGRAMME, "as": side, "idempotency_key": key or uuid.uuid4().hex}
    async with site.as_(member) as client:
        return await client.post("/discover", data=form)


def notice_of(answer: httpx.Response) -> str:
    """What the next page will tell."""
    return unquote(answer.headers["set-cookie"])


async def between(site: Site, mentor: str, mentee: str) -> Mentorship:
    """The one live pair of two people."""
    (pair,) = [each for each in await site.store.of_member(site.tenant, mentor, LIVE) if each.mentee == mentee]
    return pair


async def begun(site: Site) -> Mentorship:
    """A mentorship of ana and dora that has started."""
    await ask(site, "dora", "ana", "mentee")
    pair, commands = await between(site, "ana", "dora"), Commands(site.store)
    await commands.accept(caller("ana", site.tenant), pair.id, uuid.uuid4().hex)
    for member in ("ana", "dora"):
        await commands.confirm(caller(member, site.tenant), pair.id, uuid.uuid4().hex, 1)
    return pair


async def learn(site: Site, member: str, **profile: object) -> None:
    """Let a member's profile be another."""

    def follow(known: Member) -> None:
        known.learn_profile(a_profile(member, **profile), known.profile_version + 1)

    await site.store.members.change(site.tenant, member, follow)


@pytest.mark.parametrize(("asks", "asked", "side"), [("ana", "dora", "mentor"), ("dora", "ana", "mentee")])
async def test_a_request_in_each_direction(site: Site, asks: str, asked: str, side: str) -> None:
    """Whoever asks has said yes; the other sees it as a proposal with reasons, says yes, and both agree next."""
    assert asked in await seen(site, asks, side)
    assert (await ask(site, asks, asked, side)).status_code == 303
    pair = await between(site, "ana", "dora")
    assert (pair.status, pair.yes, pair.terms.origin) == (Status.HALF_ACCEPTED, [Side(side)], Origin(side))
    assert pair.terms.score == sum(term.points for term in pair.terms.points) > 0
    assert pair.terms.areas == ("ai-tools",)
    async with site.as_(asks) as client:
        page = (await client.get("/proposals")).text
        assert "You asked. They can answer until" in page
        assert "Take it back" in page
    async with site.as_(asked) as client:
        page = (await client.get("/proposals")).text
        assert "They asked you." in page
        assert "Take it back" not in page
        await client.post(f"/proposals/{pair.id}/accept", data={"idempotency_key": uuid.uuid4().hex})
    assert (await between(site, "ana", "dora")).status is Status.ACCEPTED


async def test_the_rules_of_the_programme_hold(site: Site) -> None:
    """Sam works in ana's unit: neither finds the other, and asking by the address alone is refused."""
    assert sorted(await seen(site, "ana", "mentor")) == ["dora", "emil"]
    assert await seen(site, "sam", "mentee") == []
    answer = await ask(site, "sam", "ana", "mentee")
    assert "turnabout_notice" in answer.headers["set-cookie"]
    assert await site.store.of_member(site.tenant, "ana", LIVE) == []


async def test_an_area_narrows_the_list(site: Site) -> None:
    """What counts is what both name: emil seeks social media, too, which ana does not offer."""
    await learn(site, "emil", offers=(), seeks=("ai-tools", "social-media"))
    assert len(await seen(site, "ana", "mentor", "ai-tools")) == 2
    assert await seen(site, "ana", "mentor", "social-media") == []


async def test_being_full_takes_one_off_the_list_at_once(site: Site) -> None:
    """Dora and ana agree; then emil does not find ana any more, and asking her is not possible."""
    assert await seen(site, "emil", "mentee") == ["ana"]
    await ask(site, "dora", "ana", "mentee")
    pair = await between(site, "ana", "dora")
    await Commands(site.store).accept(caller("ana", site.tenant), pair.id, uuid.uuid4().hex)
    assert await seen(site, "emil", "mentee") == []
    await ask(site, "emil", "ana", "mentee")
    assert [each.mentee for each in await site.store.of_member(site.tenant, "ana", LIVE)] == ["dora"]


async def test_whoever_closes_their_profile_is_found_by_nobody_from_then_on(site: Site) -> None:
    """Although the page has seen them a second ago."""
    assert "dora" in await seen(site, "ana", "mentor")
    await learn(site, "dora", offers=(), seeks=("ai-tools",), open_to_be_mentored=False)
    assert "dora" not in await seen(site, "ana", "mentor")


async def test_whoever_left_the_programme_is_found_by_nobody_and_asks_nobody(site: Site) -> None:
    """Others learn nothing but that dora is not available; she herself is told how to come back."""
    entry = an_entry("dora", level=9, unit="board", left=(PROGRAMME,))
    await site.store.members.change(site.tenant, "dora", lambda known: known.learn_directory(entry))

    assert await seen(site, "ana", "mentor") == ["emil"]
    assert await seen(site, "dora", "mentee") == []
    assert "This person is not available" in notice_of(await ask(site, "ana", "dora", "mentor"))
    assert "Take part again under Programmes first" in notice_of(await ask(site, "dora", "ana", "mentee"))
    assert await site.store.of_member(site.tenant, "dora", LIVE) == []
    async with site.as_("dora") as client:
        assert "You take no part" in (await client.get("/programmes")).text
        assert "Take part again?" in (await client.get(f"/programmes/{PROGRAMME}/part")).text
    async with site.as_("ana") as client:
        assert "Take no part in this programme?" in (await client.get(f"/programmes/{PROGRAMME}/part")).text


async def test_a_request_is_taken_back_and_may_be_made_again(site: Site) -> None:
    """Only by whoever asked; the other sees that it is gone, outside it is closed like any other."""
    await ask(site, "ana", "dora", "mentor")
    pair = await between(site, "ana", "dora")
    async with site.as_("dora") as dora:
        refused = await dora.post(f"/proposals/{pair.id}/take-back", data={"idempotency_key": uuid.uuid4().hex})
        assert "You%20were%20asked" in refused.headers["set-cookie"]
    assert (await between(site, "ana", "dora")).id == pair.id
    assert "dora" not in await seen(site, "ana", "mentor")
    async with site.as_("ana") as ana:
        await ana.post(f"/proposals/{pair.id}/take-back", data={"idempotency_key": uuid.uuid4().hex})
    assert await site.store.of_member(site.tenant, "ana", LIVE) == []
    assert "dora" in await seen(site, "ana", "mentor")
    await ask(site, "ana", "dora", "mentor")
    assert (await between(site, "ana", "dora")).id != pair.id


async def test_a_not_now_is_for_good_and_quiet(site: Site) -> None:
    """Dora declines: ana does not find her again, and is told no more than that she is not available."""
    await ask(site, "ana", "dora", "mentor")
    pair = await between(site, "ana", "dora")
    async with site.as_("dora") as dora:
        await dora.post(f"/proposals/{pair.id}/decline", data={"idempotency_key": uuid.uuid4().hex})
    assert await seen(site, "ana", "mentor") == ["emil"]
    answer = await ask(site, "ana", "dora", "mentor")
    assert "not%20available" in answer.headers["set-cookie"]


async def test_the_same_click_twice_asks_once(site: Site) -> None:
    """The key of the form makes it one request."""
    await ask(site, "ana", "dora", "mentor", key="k" * 32)
    await ask(site, "ana", "dora", "mentor", key="k" * 32)
    assert len(await site.store.of_member(site.tenant, "ana", LIVE)) == 1


async def test_nobody_floods_others_with_requests(site: Site) -> None:
    """After five open ones a sixth waits, and the sentence says what to do."""
    for number in range(MOST_OPEN + 1):
        await site.employ(f"senior-{number}", 9, f"unit-{number}", offers=())
    for number in range(MOST_OPEN):
        await ask(site, "ana", f"senior-{number}", "mentor")
    answer = await ask(site, "ana", f"senior-{MOST_OPEN}", "mentor")
    assert "5%20open%20requests" in answer.headers["set-cookie"]
    assert len(await site.store.of_member(site.tenant, "ana", LIVE)) == MOST_OPEN


async def test_whoever_is_not_open_to_it_is_led_to_their_profile(site: Site) -> None:
    """Ana seeks nothing and has no place as a mentee."""
    await learn(site, "ana", offers=("ai-tools",), seeks=(), open_to_be_mentored=False)
    async with site.as_("ana") as ana:
        page = (await ana.get("/discover", params={"as": "mentee"})).text
    assert "You are not open to this yet" in page
    assert 'href="/profile"' in page


async def test_a_mentorship_is_paused_on_its_page_and_goes_on(site: Site) -> None:
    """Either side; neither page says who did it, and home says that nothing is asked meanwhile."""
    pair = await begun(site)
    here = f"/mentorships/{pair.id}"
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        await ana.post(f"{here}/pause", data={"idempotency_key": uuid.uuid4().hex})
        for client in (ana, dora):
            page = (await client.get(here)).text
            assert "Who paused it, and why, is told to nobody" in page
            assert "Pause this mentorship" not in page
            assert "Nothing is asked of you until one of you goes on." in (await client.get("/")).text
        await dora.post(f"{here}/resume", data={"idempotency_key": uuid.uuid4().hex})
        assert "Pause this mentorship" in (await ana.get(here)).text


async def test_whoever_leaves_the_organisation_leaves_no_pair_behind(site: Site) -> None:
    """Dora goes: what she agreed with ana ends by nobody, ana's place is free, and emil finds her again."""
    pair = await begun(site)
    assert await seen(site, "emil", "mentee") == []
    await site.store.members.change(site.tenant, "dora", lambda member: member.learn_directory(None))

    async def found() -> bool:
        return await seen(site, "emil", "mentee") == ["ana"]

    await until(found)
    over = await site.store.mentorships.load(site.tenant, pair.id)
    assert (over.status, over.ended_at is not None) == (Status.ENDED, True)


async def test_outside_nobody_can_tell_who_asked_by_what_is_said_at_the_end(site: Site) -> None:
    """The proposal says its origin, as every proposal does; its end says neither who nor why."""
    await ask(site, "ana", "dora", "mentor")
    pair = await between(site, "ana", "dora")
    fresh = Mentorship.model_validate(pair.model_dump())
    fresh.take_back(Side.MENTOR, pair.proposed_at)
    said = [each for each in fresh.take_uncommitted().said if isinstance(each, MatchClosed | MatchProposed)]
    assert [each.model_dump() for each in said] == [{"mentorship": pair.id}]
