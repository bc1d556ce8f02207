"""Requests by hand: somebody asks another to mentor them, or offers to, and may take it back."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from chassis.errors import ConflictError, NotFoundError
from chassis.state.documents import AlreadyExistsError
from chassis.translation import gettext as _
from chassis.web.identity import Caller
from contracts.matching import Side

from chassis import clock
from matching.commands import Commands, told
from matching.domain.members import Member
from matching.domain.mentorship import UNANSWERED, Mentorship
from matching.domain.places import places_id
from matching.domain.programme import Programme
from matching.domain.proposal import Origin, Partner
from matching.eligibility import broken_rule
from matching.requests.discovery import Discovery, other_side
from matching.store import Store

MOST_OPEN: Final = 5
"""Requests that somebody may have waiting at one time: enough to hope, too few to flood anybody."""
_NAMESPACE: Final = UUID("0c1f5f0e-8a55-4b7b-9d0e-2b8f7a4f6c11")


class Requests:
    """Every request is checked against everything as it is now: the page that offered it may be minutes old."""

    def __init__(self, commands: Commands, discovery: Discovery) -> None:
        self._commands = commands
        self._store: Store = commands.store
        self._discovery = discovery

    async def ask(self, caller: Caller, key: str, programme: str, other: str, side: Side) -> Mentorship:
        """Put a proposal before somebody, to which the caller has said yes already.

        Args:
            caller: who asks.
            key: the same key again finds the same request.
            programme: in which.
            other: who is asked.
            side: on which the caller would be.

        Raises:
            ConflictError: it cannot be now; the sentence says what can be done.
        """
        with told("ask-somebody"):
            name = str(uuid5(_NAMESPACE, f"{caller.tenant}/{caller.member}/{key}"))
            if made := await self._store.mentorships.get(caller.tenant, name):
                return made
            found = await self._commands.known_programme(caller, programme)
            if not found.running(clock.today()):
                raise ConflictError(_("This programme is not open today."))
            wish = _Wish(found, *await self._two(caller, other, side), side)
            lives = await self._lives_before(wish)
            await self._require_proper(wish)
            await self._require_few(caller)
            request = await self._request(name, wish, lives)
            request.accept(side, request.proposed_at)
            try:
                await self._store.mentorships.insert(request)
            except AlreadyExistsError as met:
                raise _open_already() from met
            return request

    async def take_back(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Withdraw a request that nobody has answered."""
        with told("take-request-back"):
            pair, side = await self._commands.pair(caller, mentorship, "proposal.take-back")
            at = clock.timestamp()
            return await self._store.command(pair, f"{side.value}:{key}", lambda subject: subject.take_back(side, at))

    async def _two(self, caller: Caller, other: str, side: Side) -> tuple[Member, Member]:
        me = await self._store.members.get(caller.tenant, caller.member)
        them = await self._store.members.get(caller.tenant, other)
        if me is None or them is None or other == caller.member:
            raise NotFoundError(_("We could not find that person. They may have left."))
        return (me, them) if side is Side.MENTOR else (them, me)

    async def _lives_before(self, wish: "_Wish") -> int:
        """How many lives of the two, this way round, are over.

        Raises:
            ConflictError: something is open between them, or over for good, whichever way round.
        """
        tenant, mentor, mentee = wish.programme.tenant, wish.mentor.id, wish.mentee.id
        this = await self._store.mentorships.find(tenant, {"mentor": mentor, "mentee": mentee}, limit=100)
        turned = await self._store.mentorships.find(tenant, {"mentor": mentee, "mentee": mentor}, limit=100)
        if any(pair.live for pair in (*this, *turned)):
            raise _open_already()
        if any(not pair.again for pair in (*this, *turned)):
            raise _not_available()
        return len(this)

    async def _require_proper(self, wish: "_Wish") -> None:
        if not wish.asking.takes_part_in(wish.programme.id):
            raise ConflictError(_("You take no part in this programme. Take part again under Programmes first."))
        if not await self._has_place(wish.asking, wish.side):
            raise ConflictError(
                _("You have no free place yourself. Look at your profile, or wait until a mentorship ends.")
            )
        above = [*await self._store.chain_above(wish.mentor), *await self._store.chain_above(wish.mentee)]
        rule = broken_rule(wish.programme.plan.rules, wish.mentor, wish.mentee, above, clock.today())
        if rule is not None or not await self._has_place(wish.asked, other_side(wish.side)):
            raise _not_available()
        if not wish.asked.takes_part_in(wish.programme.id):
            raise _not_available()

    async def _has_place(self, member: Member, side: Side) -> bool:
        places = await self._store.places.get(member.tenant, places_id(member.id, side))
        return member.capacity(side) > (len(places.taken) if places else 0)

    async def _require_few(self, caller: Caller) -> None:
        pairs = await self._store.of_member(caller.tenant, caller.member, UNANSWERED)
        mine = [pair for pair in pairs if pair.asked_by(caller.member)]
        if len(mine) >= MOST_OPEN:
            raise ConflictError(
                "You have {count} open requests. Wait for an answer, or take one back under Proposals.",
                count=MOST_OPEN,
            )

    async def _request(self, name: str, wish: "_Wish", lives: int) -> Mentorship:
        terms, direction = await self._discovery.terms(wish.programme, wish.mentor, wish.mentee)
        now = clock.now()
        mentor, mentee = (
            Partner(member=each.id, bands=bands) for each in (wish.mentor, wish.mentee) if (bands := each.bands)
        )
        return Mentorship.propose(
            name,
            wish.programme.tenant,
            wish.programme.id,
            mentor=mentor,
            mentee=mentee,
            direction=direction,
            terms=terms.model_copy(update={"origin": Origin(wish.side.value)}),
            at=clock.rfc3339(now),
            until=clock.rfc3339(now + wish.programme.patience),
            lives_before=lives,
        )


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who asks whom."""

    programme: Programme
    mentor: Member
    mentee: Member
    side: Side
    """On which the one who asks would be."""

    @property
    def asking(self) -> Member:
        return self.mentor if self.side is Side.MENTOR else self.mentee

    @property
    def asked(self) -> Member:
        return self.mentee if self.side is Side.MENTOR else self.mentor


def _open_already() -> ConflictError:
    return ConflictError(_("Something is open between the two of you already. Look at your proposals."))


def _not_available() -> ConflictError:
    """One sentence for every reason: who declined, left, or is full is nobody's to learn."""
    return ConflictError(_("This person is not available in this programme now. Nothing was sent."))
