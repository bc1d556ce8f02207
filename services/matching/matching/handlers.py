"""What matching does when it hears of people, and the work that its documents ask for."""

from datetime import date
from functools import partial
from typing import Final

from chassis.consuming.handlers import Handlers
from chassis.consuming.outcomes import Outcome
from chassis.consuming.records import Received
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.matching import Side
from contracts.profiles import DirectoryUpdated, ProfileUpdated

from chassis import clock
from matching import eligibility
from matching.domain.arranging import AGREED
from matching.domain.invitation import InvitationRound
from matching.domain.members import Member
from matching.domain.mentorship import UNANSWERED, Mentorship
from matching.domain.places import Places, places_id
from matching.invitations import commands as invitations
from matching.store import Store

handlers: Handlers[Store] = Handlers("matching")
works: Works[Store] = Works()
_INVITED_AT_ONCE: Final = 50


@handlers.on(ProfileUpdated, group="members")
async def remember_profile(event: Received[ProfileUpdated], store: Store) -> Outcome | None:
    """Keep the newest profile of a member."""
    await store.members.change(
        event.tenant,
        event.key,
        lambda member: member.learn_profile(event.data, event.sequence),
        fence=event.fence,
        create=lambda: Member.unknown(event.tenant, event.key),
    )
    return None


@handlers.on(DirectoryUpdated, group="members")
async def remember_entry(event: Received[DirectoryUpdated], store: Store) -> Outcome | None:
    """Keep the newest directory entry of a member."""
    await store.members.change(
        event.tenant,
        event.key,
        lambda member: member.learn_directory(event.data),
        fence=event.fence,
        create=lambda: Member.unknown(event.tenant, event.key),
    )
    return None


@works.on("reserve-places")
async def reserve_places(work: Work, store: Store) -> None:
    """Take a place on both sides of a pair with two yeses, then finalise it, or close it and give places back."""
    pair = await store.mentorships.load(work.tenant, work.document)
    if not pair.reserving:
        if not pair.live:
            await _give_back(pair, store)
        return
    full: list[Side] = []
    for side in Side:
        places = await store.reserve(pair, side)
        if places is None:
            await store.withdraw([pair])
            await _give_back(pair, store)
            return
        if places.full:
            full.append(side)
    at, customs = clock.timestamp(), await store.customs_of(pair)
    finalised = await store.mentorships.change(
        pair.tenant, pair.id, lambda mentorship: mentorship.finalise(at, full, customs)
    )
    if not finalised:
        await _give_back(pair, store)


@works.on("release-places")
async def release_places(work: Work, store: Store) -> None:
    """Give both places of a pair back after it ended."""
    await _give_back(await store.mentorships.load(work.tenant, work.document), store)


@works.on("withdraw-rest")
async def withdraw_rest(work: Work, store: Store) -> None:
    """Withdraw what a member can no longer accept on a side because every place is taken."""
    member, side = work.arguments["member"], Side(work.arguments["side"])
    places = await store.places.get(work.tenant, places_id(member, side))
    if places is None or not places.full:
        return
    others = await store.unanswered_on(work.tenant, member, side)
    await store.withdraw(pair for pair in others if pair.id not in places.taken)


@works.on("follow-capacity")
async def follow_capacity(work: Work, store: Store) -> None:
    """Bring places that exist to the capacity of the profile; others learn it when one is first taken."""
    member = await store.members.load(work.tenant, work.arguments["member"])
    for side in Side:
        if await store.places.get(work.tenant, places_id(member.id, side)):

            def follow(places: Places, side: Side = side) -> None:
                places.set_capacity(member.capacity(side), member.profile_version)

            await store.places.change(work.tenant, places_id(member.id, side), follow)


@works.on("forget-suggestions")
async def forget_suggestions(work: Work, store: Store) -> None:
    """What a run had found for its lead to look over has gone out, or will not."""
    await store.forget_suggestions(work.tenant, work.document)


@works.on("send-invitations")
async def send_invitations(work: Work, store: Store) -> None:
    """Invite whom a lead has picked, some at a time, as long as the programme is open."""
    round_ = await store.rounds.load(work.tenant, work.document)
    programme = await store.programmes.load(work.tenant, round_.programme)
    for begin in range(round_.done, len(round_.picks), _INVITED_AT_ONCE):
        if not programme.running(clock.today()):
            break
        some = round_.picks[begin : begin + _INVITED_AT_ONCE]
        await invitations.send(store, programme, round_, some)
        await store.rounds.change(work.tenant, round_.id, partial(InvitationRound.advance, done=begin + len(some)))
    await store.rounds.change(work.tenant, round_.id, InvitationRound.finish)


@works.on("recheck-pairs")
async def recheck_pairs(work: Work, store: Store) -> None:
    """Withdraw unanswered proposals that a change made improper: of the member, and of everybody below a moved one."""
    concerned = [work.arguments["member"]]
    if work.arguments.get("reports"):
        concerned += await store.reports_below(work.tenant, work.arguments["member"])
    for member in concerned:
        pairs = await store.of_member(work.tenant, member, UNANSWERED)
        await store.withdraw([pair for pair in pairs if not await _still_proper(pair, store)])


@works.on("end-pairs")
async def end_pairs(work: Work, store: Store) -> None:
    """Whoever has left the organisation has no pairs, and arranges for none: each ends as any other, by nobody."""
    at, member = clock.timestamp(), work.arguments["member"]
    for pair in await store.arranged_by(work.tenant, member):
        await store.mentorships.change(pair.tenant, pair.id, lambda mentorship: mentorship.step_down(member))
    for pair in await store.of_member(work.tenant, member, AGREED):
        await store.mentorships.change(pair.tenant, pair.id, lambda mentorship: mentorship.end(None, at))


async def _still_proper(pair: Mentorship, store: Store) -> bool:
    programme = await store.programmes.load(pair.tenant, pair.programme)
    mentor = await store.members.get(pair.tenant, pair.mentor)
    mentee = await store.members.get(pair.tenant, pair.mentee)
    if mentor is None or mentee is None or not all(each.takes_part_in(programme.id) for each in (mentor, mentee)):
        return False
    above = [*await store.chain_above(mentor), *await store.chain_above(mentee)]
    # By the day on which it was proposed: time alone takes nothing back, only what is known of the two.
    proposed_on = date.fromisoformat(pair.proposed_at[:10])
    return eligibility.broken_rule(programme.plan.rules, mentor, mentee, above, proposed_on) is None


async def _give_back(pair: Mentorship, store: Store) -> None:
    for side in Side:
        await store.release(pair.tenant, pair.id, pair.member_on(side), side)
