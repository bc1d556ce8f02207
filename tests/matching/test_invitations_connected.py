"""A lead invites, the invited answer, and no answer shows: pages over the real database."""

import datetime as dt
import re
import uuid
from collections.abc import AsyncIterator
from functools import partial

import pytest
from chassis.state.outbox import Work
from contracts.matching import InvitationReason
from matching.domain.invitation import Invitation, InvitationRound, Pick, invitation_id
from matching.domain.members import Member
from matching.domain.programme import Programme
from matching.handlers import send_invitations
from matching_engine_world import until
from matching_newcomers import JUNIORS, newcomers, programme
from matching_people import a_profile
from matching_site import Site

from chassis import clock

pytestmark = pytest.mark.connected


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    async with newcomers(kafka, database) as made:
        yield made


async def invite(site: Site, found: Programme, **fields: object) -> None:
    """Olga's form, until what it asks for is done."""
    data = {"idempotency_key": uuid.uuid4().hex, **fields}
    async with site.as_("olga") as olga:
        answer = await olga.post(f"/programmes/{found.id}/invitations", data=data)
    assert answer.status_code == 303, answer.text

    async def sent() -> bool:
        return not await site.store.rounds_under_way(found)

    await until(sent)


async def invited(site: Site, found: Programme) -> set[str]:
    return {each.member for each in await site.store.invited(found)}


def suggested(page: str) -> list[str]:
    return re.findall(r'name="member" value="(\w+)"', page)


async def test_a_lead_sees_whom_to_invite_and_why(site: Site) -> None:
    """One of each unit before a second of any, each with a reason; nobody else sees the page."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        page = (await olga.get(f"/programmes/{found.id}/invitations")).text
    shown = suggested(page)
    assert sorted(shown) == JUNIORS
    assert len({int(member[1:]) % 4 for member in shown[:4]}) == 4
    assert page.count("Joined lately, and still sees what others no longer see") == 8
    assert "Invite J0" in page
    async with site.as_("ana") as ana:
        assert (await ana.get(f"/programmes/{found.id}/invitations")).status_code == 403


async def test_those_who_are_ticked_are_invited_once(site: Site) -> None:
    """The same form again, and the same people in another form: one invitation each, and they are suggested no more."""
    found = await programme(site)
    key = uuid.uuid4().hex
    for _ in range(2):
        await invite(site, found, idempotency_key=key, do="picked", member=["j0", "j1", "d0", "nobody"])
    assert await invited(site, found) == {"j0", "j1"}
    before = await site.store.invitations.load(site.tenant, invitation_id(found.id, "j0"))
    await invite(site, found, do="picked", member=["j0", "j2"])
    after = await site.store.invitations.load(site.tenant, before.id)
    assert await invited(site, found) == {"j0", "j1", "j2"}
    assert before.etag == after.etag
    async with site.as_("olga") as olga:
        assert not {"j0", "j1", "j2"} & {*suggested((await olga.get(f"/programmes/{found.id}/invitations")).text)}


async def test_the_first_so_many_are_invited_and_work_that_is_done_again_invites_nobody_else(site: Site) -> None:
    """Three of three units; its work once more changes nothing."""
    found = await programme(site)
    await invite(site, found, do="first", first="3")
    first = await invited(site, found)
    assert len(first) == len({int(member[1:]) % 4 for member in first}) == 3
    before = [each.etag for each in await site.store.invited(found)]
    (round_,) = await site.store.rounds.find(site.tenant, {"programme": found.id})
    picks = [Pick(member=member, reasons=(InvitationReason.LEVEL,)) for member in sorted(first)]

    def crashed(again: InvitationRound) -> None:
        again.picks, again.done, again.sending = picks, 0, True

    await site.store.rounds.change(site.tenant, round_.id, crashed)
    async with site.as_("olga") as olga:
        assert "0 of 3" in (await olga.get(f"/programmes/{found.id}/invitations/progress")).text
    await send_invitations(Work("w-1", "send-invitations", {}, site.tenant, round_.id, None, 0), site.store)
    assert await invited(site, found) == first
    assert [each.etag for each in await site.store.invited(found)] == before
    assert await site.store.rounds_under_way(found) == []
    async with site.as_("olga") as olga:
        told = (await olga.get(f"/programmes/{found.id}/invitations/progress")).text
    assert "All invitations are sent." in told
    assert "hx-get" not in told


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"do": "picked"}, "Tick at least one person"),
        ({"do": "first", "first": "many"}, "Enter a whole number from 1 to 200."),
        ({"do": "first", "first": "500", "member": "j3"}, "Enter a whole number from 1 to 200."),
    ],
)
async def test_a_choice_that_cannot_be_loses_nothing(site: Site, fields: dict[str, str], sentence: str) -> None:
    """Nobody is invited, and what was ticked and typed stands there again."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        answer = await olga.post(
            f"/programmes/{found.id}/invitations", data={"idempotency_key": uuid.uuid4().hex, **fields}
        )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{fields.get("first", "")}"' in answer.text
    assert ('value="j3" checked' in answer.text) == ("member" in fields)
    assert await invited(site, found) == set()


async def test_the_invited_read_why_and_go_to_their_profile(site: Site) -> None:
    """Role, focus and reason; the link carries the areas of the programme. It is nobody else's to read."""
    found = await programme(site)
    await invite(site, found, do="picked", member="j0")
    address = f"/invitations/{invitation_id(found.id, 'j0')}"
    async with site.as_("j0") as invited_one:
        page = (await invited_one.get(address)).text
    assert "You joined lately, and still see what others no longer see." in page
    assert "Mentor: you share what you know" in page
    assert "AI tools, Social media" in page
    assert 'href="/profile?offer=ai-tools&amp;offer=social-media"' in page
    for other in ("olga", "j1"):
        async with site.as_(other) as client:
            assert (await client.get(address)).status_code == 404
            assert (await client.post(f"{address}/decline")).status_code == 404


async def test_the_lead_cannot_tell_who_said_no(site: Site) -> None:
    """Neither from the page of the programme nor from that of another one: both are as they were before."""
    found, other = await programme(site), await programme(site, "p-2")
    await invite(site, found, do="picked", member=JUNIORS[:6])
    async with site.as_("olga") as olga:
        here, there = (f"/programmes/{each.id}/invitations" for each in (found, other))
        before = [without_keys((await olga.get(address)).text) for address in (here, there)]
        async with site.as_("j0") as quiet:
            answer = await quiet.post(f"/invitations/{invitation_id(found.id, 'j0')}/decline")
            assert answer.status_code == 303
            assert "You said that it is not for you" in (await quiet.get(answer.headers["location"])).text
        assert [without_keys((await olga.get(address)).text) for address in (here, there)] == before


def sent_earlier(invitation: Invitation, days: int) -> None:
    """As if it had been sent so many days ago."""
    invitation.invited_at = clock.rfc3339(clock.now() - dt.timedelta(days=days))


async def test_nobody_is_suggested_by_a_second_programme_for_a_year(site: Site) -> None:
    """Whatever they answer; then they are, but never again by the first."""
    found, other = await programme(site), await programme(site, "p-2")
    await invite(site, found, do="picked", member=JUNIORS[:6])
    async with site.as_("olga") as olga:
        here, there = (f"/programmes/{each.id}/invitations" for each in (found, other))
        assert sorted(suggested((await olga.get(there)).text)) == JUNIORS[6:]
        for junior, days in (("j0", 366), ("j1", 364)):
            await site.store.invitations.change(
                site.tenant, invitation_id(found.id, junior), partial(sent_earlier, days=days)
            )
        assert sorted(suggested((await olga.get(there)).text)) == ["j0", *JUNIORS[6:]]
        assert sorted(suggested((await olga.get(here)).text)) == JUNIORS[6:]


async def test_one_key_for_two_programmes_asks_in_both(site: Site) -> None:
    """A key names a command to one programme, as a client that counts per programme takes for granted."""
    both = [await programme(site), await programme(site, "p-2")]
    async with site.as_("olga") as olga:
        for found, junior in zip(both, JUNIORS[:2], strict=True):
            form = {"idempotency_key": "1" * 32, "do": "picked", "member": junior}
            await olga.post(f"/programmes/{found.id}/invitations", data=form)
    assert [len(await site.store.rounds.find(site.tenant, {"programme": each.id}, limit=9)) for each in both] == [1, 1]


async def test_how_many_have_joined_is_told_in_fives(site: Site) -> None:
    """Of six who are invited four take part: not told; with the fifth it is."""
    found = await programme(site)
    await invite(site, found, do="picked", member=JUNIORS[:6])
    for number, told in ((4, "Not told yet"), (5, "5 or more")):
        for junior in JUNIORS[:number]:
            profile = a_profile(junior)
            await site.store.members.change(
                site.tenant, junior, partial(Member.learn_profile, profile=profile, version=1)
            )
        async with site.as_("olga") as olga:
            assert told in (await olga.get(f"/programmes/{found.id}/invitations")).text


async def test_an_invitation_ends_with_its_programme(site: Site) -> None:
    """Nobody can be invited to a closed one, and who was invited reads that it is over."""
    found = await programme(site)
    await invite(site, found, do="picked", member="j0")
    await site.store.programmes.change(site.tenant, found.id, lambda subject: subject.turn(open_=False))
    async with site.as_("j0") as invited_one:
        page = (await invited_one.get(f"/invitations/{invitation_id(found.id, 'j0')}")).text
    assert "so this invitation has ended" in page
    assert "/profile?offer" not in page
    async with site.as_("olga") as olga:
        assert suggested((await olga.get(f"/programmes/{found.id}/invitations")).text) == []
    await invite(site, found, do="picked", member="j1")
    assert await invited(site, found) == {"j0"}


async def test_who_has_joined_or_left_meanwhile_is_passed_over(site: Site) -> None:
    """Between the page and the work: j0 takes part by now, j1 has left."""
    found = await programme(site)
    async with site.as_("olga") as olga:
        await olga.get(f"/programmes/{found.id}/invitations")
    await site.store.members.change(site.tenant, "j0", lambda member: member.learn_profile(a_profile("j0"), 1))
    await site.store.members.change(site.tenant, "j1", lambda member: member.learn_directory(None))
    await invite(site, found, do="picked", member=["j0", "j1", "j2"])
    assert await invited(site, found) == {"j2"}


async def test_who_left_the_programme_is_not_asked_back(site: Site) -> None:
    """Neither suggested, nor invited by a form that was open when they left: j3 before, j4 after the page was drawn."""
    found = await programme(site)

    def leave(member: Member) -> None:
        entry = member.directory
        assert entry is not None
        member.learn_directory(entry.model_copy(update={"left": (found.id,)}))

    await site.store.members.change(site.tenant, "j3", leave)
    async with site.as_("olga") as olga:
        shown = suggested((await olga.get(f"/programmes/{found.id}/invitations")).text)
    assert "j3" not in shown
    assert "j4" in shown
    await site.store.members.change(site.tenant, "j4", leave)
    await invite(site, found, do="picked", member=["j3", "j4", "j5"])
    assert await invited(site, found) == {"j5"}


def without_keys(page: str) -> str:
    """A page without what is new each time it is drawn."""
    return re.sub(r'(name="idempotency_key" value=")[^"]*', r"\1", re.sub(r"nonce-?[\w=+/\"-]*", "", page))
