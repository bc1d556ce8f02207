"""What leads do with invitations, and what the invited do: suggest, send, count, answer."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from chassis.errors import ConflictError
from chassis.state.documents import AlreadyExistsError
from chassis.translation import gettext as _
from chassis.web.identity import Caller
from contracts.matching import Side

from chassis import clock, telemetry
from matching.commands import Commands, told
from matching.domain.invitation import MOST_AT_ONCE, Invitation, InvitationRound, Pick, round_id
from matching.domain.members import Member
from matching.domain.programme import Programme
from matching.engine.people import Person
from matching.invitations.suggesting import LEAST, Suggested, spread, suggest
from matching.policy import may
from matching.programmes.reach import Crowd
from matching.store import Store

_QUIET: Final = timedelta(days=365)
"""So long nobody else suggests somebody who was invited. It begins with the invitation and not with the answer: whoever
leads two programmes would otherwise read a no from who is gone from the list of the other."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How far invitations to a programme have come, told so that no answer can be told from it."""

    invited: int
    enrolled: int | None
    """At least so many of them take part now, in steps of five; none while they are too few to tell."""

    @classmethod
    def of(cls, invited: int, enrolled: int) -> "Tally":
        """Figures in steps: whoever looks before and after one answer sees the same."""
        return cls(invited, enrolled // LEAST * LEAST or None if invited >= LEAST else None)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the rounds of a programme are that are being sent."""

    count: int
    done: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation before the one who has it."""

    invitation: Invitation
    programme: Programme
    running: bool
    """Whether it can still be answered: it ends with the programme."""
    joined: bool

    @property
    def enrol(self) -> str:
        """Where they say yes: their profile, with the programme's areas ticked."""
        return f"/profile?{urlencode({'offer': self.programme.plan.rules.areas}, doseq=True)}"


class Invitations:
    """Every command loads its subject, asks the policy, and changes one document."""

    def __init__(self, commands: Commands, crowd: Crowd) -> None:
        self._commands = commands
        self._store: Store = commands.store
        self._crowd = crowd
        self._kept: dict[str, tuple[list[Person], int, list[Suggested]]] = {}
        """By programme, with the people and the rules that each was found for."""

    async def suggested(self, programme: Programme) -> list[Suggested]:
        """Who could be invited now, in the order in which they are suggested; nobody while the programme is not open.

        People are as the database told a minute ago at most; who was invited, is as of now.
        """
        if not programme.running(clock.today()):
            return []
        people, rules = await self._crowd.people(programme.tenant), programme.plan.rules
        kept = self._kept.get(programme.id)
        if kept is None or kept[0] is not people or kept[1] != programme.rules_version:
            if self._crowd.sampled(programme.tenant):
                rules = rules.model_copy(update={"unknown_chains": True})
            enrolled = self._crowd.enrolled(programme.tenant)
            kept = people, programme.rules_version, await asyncio.to_thread(suggest, rules, people, enrolled)
            self._kept[programme.id] = kept
        since = clock.rfc3339(clock.now() - _QUIET)
        apart = await self._store.not_to_be_invited(programme, since) | set(programme.plan.leads)
        apart |= self._crowd.left(programme.tenant, programme.id)
        return spread((each for each in kept[2] if each.member not in apart), programme.id)

    def sampled(self, programme: Programme) -> bool:
        """Whether the organisation is so large that only some people were looked at."""
        return self._crowd.sampled(programme.tenant)

    async def send(
        self, caller: Caller, key: str, programme: str, *, picked: Collection[str] = (), first: int = 0
    ) -> InvitationRound:
        """Invite those who are picked, or the first of those who are suggested; the same key again asks once.

        Raises:
            ConflictError: the programme is not open, or nobody of them can be invited any more.
        """
        with told("send-invitations"):
            found = await self._commands.programme(caller, programme)
            name = round_id(found.id, caller.member, key)
            if made := await self._store.rounds.get(caller.tenant, name):
                return made
            if not found.running(clock.today()):
                raise ConflictError(_("The programme is not open today, so nobody can be invited."))
            some = await self.suggested(found)
            some = some[:first] if first else [each for each in some if each.member in picked]
            if not some:
                raise ConflictError(_("Nobody of them can be invited any more. Look at who is suggested now."))
            picks = [Pick(member=each.member, reasons=each.reasons) for each in some[:MOST_AT_ONCE]]
            round_ = InvitationRound.ask_for(name, found, caller.member, picks)
            try:
                await self._store.rounds.insert(round_)
            except AlreadyExistsError:
                telemetry.annotate(outcome="again")
            return round_

    async def tally(self, programme: Programme) -> Tally:
        """How many are invited, and how many of them take part since."""
        invited = await self._store.invited(programme)
        members = await self._store.members.find_ids(programme.tenant, [each.member for each in invited])
        return Tally.of(len(invited), sum(takes_part(each, programme) for each in members.values()))

    async def under_way(self, programme: Programme) -> Progress | None:
        """How far the rounds are that are being sent; none when nothing is to be sent."""
        rounds = await self._store.rounds_under_way(programme)
        return Progress(sum(each.count for each in rounds), sum(each.done for each in rounds)) if rounds else None

    async def mine(self, caller: Caller, invitation: str) -> Opened:
        """An invitation of the caller's own, and what has come of it."""
        found = await self._load(caller, invitation)
        programme = await self._store.programmes.load(caller.tenant, found.programme)
        me = await self._store.members.get(caller.tenant, caller.member)
        return Opened(
            found, programme, programme.running(clock.today()), joined=me is not None and takes_part(me, programme)
        )

    async def decline(self, caller: Caller, invitation: str) -> None:
        """Say that it is not for them; again changes nothing."""
        with told("decline-invitation"):
            await self._load(caller, invitation)
            at = clock.timestamp()
            await self._store.invitations.change(caller.tenant, invitation, lambda each: each.decline(at))

    async def _load(self, caller: Caller, invitation: str) -> Invitation:
        found = await self._store.invitations.load(caller.tenant, invitation)
        may(caller, "invitation.answer", found)
        return found


def takes_part(member: Member, programme: Programme) -> bool:
    """Whether somebody offers what a programme is about, so that it can propose them."""
    offers = member.profile.offers if member.profile else ()
    return member.capacity(Side.MENTOR) > 0 and not set(programme.plan.rules.areas).isdisjoint(offers)


async def send(store: Store, programme: Programme, round_: InvitationRound, picks: Sequence[Pick]) -> None:
    """Store invitations; who was invited before, has left or takes part by now is passed over."""
    known = await store.members.find_ids(programme.tenant, [each.member for each in picks])
    there = {
        each.id
        for each in known.values()
        if each.directory and each.takes_part_in(programme.id) and not takes_part(each, programme)
    }
    at = clock.timestamp()
    await store.invitations.insert_many(
        [Invitation.send(programme, each, round_.by, at) for each in picks if each.member in there]
    )
