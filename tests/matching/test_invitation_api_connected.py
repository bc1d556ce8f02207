"""Inviting and being invited over the API: what the pages can, and as silent about a no; over the real database."""

import uuid
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from matching.domain.invitation import invitation_id
from matching.domain.members import Member
from matching.domain.programme import Programme
from matching_engine_world import until
from matching_newcomers import JUNIORS, newcomers, programme
from matching_people import a_profile
from matching_site import Site

pytestmark = pytest.mark.connected
API = "/api/matching/v1"


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    async with newcomers(kafka, database) as made:
        yield made


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or uuid.uuid4().hex}


def inviting(found: Programme) -> str:
    return f"{API}/programmes/{found.id}/invitations"


def invitation(found: Programme, member: str) -> str:
    return f"{API}/invitations/{invitation_id(found.id, member)}"


async def invite(site: Site, found: Programme, *members: str) -> None:
    """Olga invites these, and all of it is sent."""
    async with site.as_("olga") as olga:
        answer = await olga.post(inviting(found), json={"members": members}, headers=key())
    assert answer.status_code == 202, answer.text
    await all_sent(site, found)


async def all_sent(site: Site, found: Programme) -> None:
    async def sent() -> bool:
        return not await site.store.rounds_under_way(found)

    await until(sent)


async def all_that_a_lead_reads(olga: httpx.AsyncClient, found: Programme) -> list[object]:
    """Every answer of the API about invitations to a programme."""
    return [(await olga.get(f"{inviting(found)}{part}")).json() for part in ("", "/suggested")]


async def test_a_lead_reads_who_could_be_invited_and_why(site: Site) -> None:
    """Page by page, one of each unit before a second of any; each reason as a code and in words. Nobody else does."""
    found = await programme(site)
    here = f"{inviting(found)}/suggested"
    async with site.as_("olga") as olga, site.as_("ana") as ana:
        first = (await olga.get(here, params={"limit": 4})).json()
        rest = (await olga.get(here, params={"limit": 4, "after": first["next"]})).json()
        one = first["items"][0]
        assert "new-joiner" in one["reasons"]
        assert "Joined lately, and still sees what others no longer see" in one["why"]
        assert len(one["reasons"]) == len(one["why"])
        assert (first["in_all"], first["sampled"], rest["next"]) == (8, False, None)
        units = [{int(each["member"][1:]) % 4 for each in page["items"]} for page in (first, rest)]
        assert units == [{0, 1, 2, 3}, {0, 1, 2, 3}]
        assert sorted(each["member"] for each in (*first["items"], *rest["items"])) == JUNIORS
        assert (await ana.get(here)).status_code == 403
        assert (await ana.get(inviting(found))).status_code == 403
        assert (await ana.post(inviting(found), json={"first": 1}, headers=key())).status_code == 403


async def test_a_page_whose_last_person_was_invited_since_is_begun_again(site: Site) -> None:
    """The list has moved on: nobody would know what comes after them."""
    found = await programme(site)
    here = f"{inviting(found)}/suggested"
    async with site.as_("olga") as olga:
        last = (await olga.get(here, params={"limit": 2})).json()["next"]
        await invite(site, found, last)
        answer = await olga.get(here, params={"limit": 2, "after": last})
    assert answer.status_code == 422
    assert "begin again without `after`" in answer.json()["detail"]


async def test_the_same_key_invites_once(site: Site) -> None:
    """A client that did not hear the answer sends it again; who can't be invited is passed over."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        picked = {"members": ["j0", "j1", "d0", "nobody"]}
        rounds = [(await olga.post(inviting(found), json=picked, headers=key("k" * 32))) for _ in range(2)]
        assert [(each.status_code, each.json()["count"]) for each in rounds] == [(202, 2), (202, 2)]
        await all_sent(site, found)
        assert (await olga.get(inviting(found))).json() == {"invited": 2, "enrolled": None, "under_way": None}
        assert (await olga.post(inviting(found), json=picked)).status_code == 422
    assert {each.member for each in await site.store.invited(found)} == {"j0", "j1"}


async def test_the_first_so_many_are_invited(site: Site) -> None:
    """Those who stand first where a lead reads them."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        suggested = (await olga.get(f"{inviting(found)}/suggested")).json()["items"]
        assert (await olga.post(inviting(found), json={"first": 3}, headers=key())).json()["count"] == 3
    await all_sent(site, found)
    assert {each.member for each in await site.store.invited(found)} == {each["member"] for each in suggested[:3]}


@pytest.mark.parametrize(
    "picked",
    [{}, {"members": []}, {"first": 0}, {"first": 201}, {"members": ["j0"], "first": 1}, {"mebmers": ["j0"]}],
    ids=str,
)
async def test_a_choice_that_cannot_be_invites_nobody(site: Site, picked: dict[str, object]) -> None:
    """Neither whom nor how many, both at once, too many, or a name that we do not know."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        answer = await olga.post(inviting(found), json=picked, headers=key())
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert await site.store.invited(found) == []
    assert await site.store.rounds_under_way(found) == []


async def test_the_invited_read_why_and_how_to_say_yes(site: Site) -> None:
    """It is nobody else's to read or to answer, not even the lead's; once they take part there is nothing to answer."""
    found = await programme(site)
    await invite(site, found, "j0")
    async with site.as_("j0") as invited:
        read = (await invited.get(invitation(found, "j0"))).json()
        assert (read["programme"], read["title"], read["by"]) == (found.id, "Fresh Eyes", "olga")
        assert "new-joiner" in read["reasons"]
        assert "You joined lately, and still see what others no longer see." in read["why"]
        assert (read["areas"], read["until"]) == (["ai-tools", "social-media"], "2099-01-01")
        assert (read["open"], read["you_take_part"], read["you_said_no"]) == (True, False, False)
        assert read["enrol"] == "/profile?offer=ai-tools&offer=social-media"
        await site.store.members.change(
            site.tenant, "j0", partial(Member.learn_profile, profile=a_profile("j0"), version=1)
        )
        joined = (await invited.get(invitation(found, "j0"))).json()
        assert (joined["you_take_part"], joined["enrol"]) == (True, None)
    for other in ("olga", "j1"):
        async with site.as_(other) as client:
            assert (await client.get(invitation(found, "j0"))).status_code == 404
            assert (await client.post(f"{invitation(found, 'j0')}/decline")).status_code == 404


async def test_a_lead_cannot_tell_a_no(site: Site) -> None:
    """All that they read is the same before and after, and so is the answer when they invite that person again."""
    found = await programme(site)
    await invite(site, found, *JUNIORS[:6])
    async with site.as_("olga") as olga, site.as_("j0") as quiet:
        before = await all_that_a_lead_reads(olga, found)
        for _ in range(2):
            said = await quiet.post(f"{invitation(found, 'j0')}/decline")
            assert (said.status_code, said.json()["you_said_no"]) == (200, True)
        assert said.json()["enrol"] is not None
        assert await all_that_a_lead_reads(olga, found) == before
        refused = [
            await olga.post(inviting(found), json={"members": [member]}, headers=key()) for member in ("j0", "j1")
        ]
        assert [each.status_code for each in refused] == [409, 409]
        assert refused[0].json() == refused[1].json()


async def test_how_many_have_joined_is_told_in_fives(site: Site) -> None:
    """Of six who are invited four take part: not told; with the fifth it is, and with the sixth it stays."""
    found = await programme(site)
    await invite(site, found, *JUNIORS[:6])
    for number, told in ((4, None), (5, 5), (6, 5)):
        for junior in JUNIORS[:number]:
            profile = a_profile(junior)
            await site.store.members.change(
                site.tenant, junior, partial(Member.learn_profile, profile=profile, version=1)
            )
        async with site.as_("olga") as olga:
            answer = (await olga.get(inviting(found))).json()
        assert (answer["invited"], answer["enrolled"]) == (6, told)


async def test_an_invitation_ends_with_its_programme(site: Site) -> None:
    """Nobody is suggested or invited any more, and who was invited reads that it is over."""
    found = await programme(site)
    await invite(site, found, "j0")
    await site.store.programmes.change(site.tenant, found.id, lambda subject: subject.turn(open_=False))
    async with site.as_("olga") as olga, site.as_("j0") as invited:
        assert (await olga.get(f"{inviting(found)}/suggested")).json()["items"] == []
        refused = await olga.post(inviting(found), json={"members": ["j1"]}, headers=key())
        assert (refused.status_code, "not open today" in refused.json()["detail"]) == (409, True)
        read = (await invited.get(invitation(found, "j0"))).json()
        assert (read["open"], read["enrol"]) == (False, None)
