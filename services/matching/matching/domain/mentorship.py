"""The whole life of one pair, from proposal to end: one aggregate, one id.

Each change says at most one outside fact, one detail for our own services, and the new state; an end also says that
the arranged session is off. A second yes says nothing by itself: it asks for places on both sides, and only `finalise`
makes the pair accepted.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from chassis.errors import ConflictError
from contracts.matching import (
    Answer,
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MentorshipDetailed,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipStarted,
    MentorshipState,
    PausedDays,
    PersonBands,
    Side,
    Status,
)
from pydantic import Field

from matching.domain.agreement import Agreement, Customs, Intent, add_months, add_paused, count_sessions
from matching.domain.arranging import AGREED, Arranging
from matching.domain.proposal import Partner, Terms, life_key
from matching.domain.receipts import RECEIPTS_KEPT, Receipt
from matching.domain.times import unix_seconds

UNANSWERED: Final = (Status.PROPOSED, Status.HALF_ACCEPTED)
LIVE: Final = (*UNANSWERED, *AGREED)
CUSTOMS: Final = Customs()
PLACES_PATIENCE: Final = 60
"""Seconds until the clock looks again at a proposal whose places are being taken."""


class Mentorship(Arranging):
    """One pair. `life` is unique in the store: which life of these two it is, so that they never have two at once.

    `again` marks a proposal that was withdrawn before anybody turned it down: the two may meet again later. Every
    other end is for good.
    """

    programme: str
    mentor: str
    mentee: str
    mentor_bands: PersonBands
    mentee_bands: PersonBands
    direction: str
    terms: Terms
    yes: list[Side] = Field(default_factory=list)
    life: str
    proposed_at: str
    expires_at: str
    accepted_at: str | None = None
    started_at: str | None = None
    planned_end: str | None = None
    paused_on: str | None = None
    paused: dict[str, int] = Field(default_factory=dict)
    """Days of pauses that are over, by month."""
    ended_at: str | None = None
    closed_at: str | None = None
    again: bool = False
    receipts: list[Receipt] = Field(default_factory=list)

    @classmethod
    def propose(
        cls,
        id_: str,
        tenant: str,
        programme: str,
        *,
        mentor: Partner,
        mentee: Partner,
        direction: str,
        terms: Terms,
        at: str,
        until: str,
        lives_before: int = 0,
    ) -> "Mentorship":
        """Put two members before each other; both have to say yes before `until`.

        `direction` is by the programme's rules: reverse when the mentee is the senior one.
        `lives_before` counts what the two had that is over. Whoever counts while one lives meets its number.
        """
        proposal = cls(
            id=id_,
            tenant=tenant,
            programme=programme,
            mentor=mentor.member,
            mentee=mentee.member,
            mentor_bands=mentor.bands,
            mentee_bands=mentee.bands,
            direction=direction,
            terms=terms,
            life=life_key(tenant, mentor.member, mentee.member, lives_before),
            proposed_at=at,
            expires_at=until,
            due=unix_seconds(until),
        )
        proposal.say(
            MatchProposed(
                mentorship=id_,
                programme=programme,
                mentor=mentor.member,
                mentee=mentee.member,
                areas=terms.areas,
                direction=proposal.direction,
                origin=terms.origin,
                expires_at=until,
            )
        )
        proposal.say(proposal.state())
        return proposal

    def side_of(self, member: str) -> Side | None:
        """Which side a member is on; none for a stranger."""
        return {self.mentor: Side.MENTOR, self.mentee: Side.MENTEE}.get(member)

    def member_on(self, side: Side) -> str:
        """The member on a side."""
        return self.mentor if side is Side.MENTOR else self.mentee

    def asked_by(self, member: str) -> bool:
        """Whether a member began this by hand."""
        side = self.side_of(member)
        return side is not None and self.terms.origin.value == side.value

    @property
    def live(self) -> bool:
        """Neither closed nor ended."""
        return self.status in LIVE

    @property
    def reserving(self) -> bool:
        """Both have said yes; places are being taken."""
        return self.status is Status.HALF_ACCEPTED and len(self.yes) == len(Side)

    def accept(self, side: Side, at: str) -> None:
        """One side says yes; the second yes asks for places on both sides."""
        if side in self.yes and self.live:
            return
        self._must_be_open(at)
        self.yes.append(side)
        if self.status is Status.PROPOSED:
            self.status = Status.HALF_ACCEPTED
            self.tell(
                MatchAccepted(mentorship=self.id, by=side, complete=False),
                MentorshipDetailed(mentorship=self.id, change="answered", by=side),
            )
        else:
            self.ask("reserve-places")

    def decline(self, side: Side, at: str) -> None:
        """One side says "not now"; outside it is closed like any other, without who and why."""
        if self.status is Status.CLOSED:
            return
        self._must_be_open(at)
        if self.reserving:
            raise ConflictError("You have both said yes. To step back, open the mentorship and leave it there.")
        self._close(Answer.DECLINED, side, at)

    def expire(self, at: str) -> None:
        """The clock closes a proposal that was not answered in time; it never interrupts the taking of places."""
        if self.status not in UNANSWERED:
            self.due = 0
        elif self.reserving or at < self.expires_at:
            self.due = max(self.due, unix_seconds(at)) + PLACES_PATIENCE
        else:
            self._close(Answer.EXPIRED, None, at)

    def withdraw(self, at: str) -> bool:
        """Take an unanswered proposal back: someone is full, or a hard rule no longer holds."""
        if self.status not in UNANSWERED:
            return False
        self._close(Answer.WITHDRAWN, None, at)
        self.again = True
        return True

    def take_back(self, side: Side, at: str) -> None:
        """Whoever asked takes it back before the other has answered; the two may meet again."""
        if self.status is Status.CLOSED:
            return
        if self.terms.origin.value != side.value:
            raise ConflictError("You were asked, so answer with yes or “not now”.")
        self._must_be_open(at)
        if self.reserving:
            raise ConflictError("You have both said yes. To step back, open the mentorship and leave it there.")
        self._close(Answer.WITHDRAWN, side, at)
        self.again = True

    def finalise(self, at: str, full: Iterable[Side] = (), customs: Customs = CUSTOMS) -> bool:
        """Both places are taken: the pair is accepted. False when the proposal was closed meanwhile.

        Whoever is full now has no use for other proposals; those are withdrawn only once this one is certain. The
        agreement begins with the customs of the programme.
        """
        if self.status in AGREED:
            return True
        if not self.reserving:
            return False
        self.status, self.accepted_at, self.due = Status.ACCEPTED, at, 0
        self.agreement = Agreement(
            intent=Intent(mentor=self.mentor, areas=self.terms.areas[:5], **customs.model_dump())
        )
        self.tell(
            MatchAccepted(mentorship=self.id, by=self.yes[-1], complete=True),
            MentorshipDetailed(mentorship=self.id, change="answered", by=self.yes[-1]),
        )
        for side in full:
            self.ask("withdraw-rest", member=self.member_on(side), side=side.value)
        return True

    def edit_agreement(self, expected: int, intent: Intent) -> None:
        """Change what the pair is about to agree; earlier confirmations no longer count."""
        self._agreement_open().edit(expected, intent)

    def confirm_agreement(self, side: Side, expected: int, at: str) -> None:
        """One side confirms the version it read; when both have, the mentorship starts."""
        if self.status is Status.STARTED and self.agreement and self.agreement.version == expected:
            return
        agreement = self._agreement_open()
        if not agreement.confirm(side, expected):
            return
        detail = MentorshipDetailed(mentorship=self.id, change="agreed", by=side)
        if not agreement.settled:
            self.say(detail)
            return
        self.status, self.started_at = Status.STARTED, at
        self.planned_end = add_months(date.fromisoformat(at[:10]), agreement.intent.months).isoformat()
        self.tell(
            MentorshipStarted(
                mentorship=self.id,
                mentor=self.mentor,
                mentee=self.mentee,
                areas=agreement.intent.areas,
                cadence=agreement.intent.cadence,
                planned_end=self.planned_end,
            ),
            detail,
        )

    def pause(self, side: Side, at: str) -> None:
        """Either side pauses, without a reason: nothing is arranged or asked for until either resumes."""
        if self.status is Status.PAUSED:
            return
        self.started_agreement()
        self.status, self.paused_on = Status.PAUSED, at[:10]
        self.tell(
            MentorshipPaused(mentorship=self.id), MentorshipDetailed(mentorship=self.id, change="paused", by=side)
        )
        self.drop_plan(side, at)

    def resume(self, side: Side, at: str) -> None:
        """Either side goes on where they stopped."""
        if self.status is Status.STARTED:
            return
        if self.status is not Status.PAUSED:
            raise ConflictError("Only a mentorship that is paused can go on.")
        self.status = Status.STARTED
        self._pause_is_over(at)
        self.tell(
            MentorshipResumed(mentorship=self.id), MentorshipDetailed(mentorship=self.id, change="resumed", by=side)
        )

    def end(self, side: Side | None, at: str) -> None:
        """Either side leaves, without a reason, or the organisation. Before the start it is closed, after it ended."""
        if self.status in (Status.CLOSED, Status.ENDED):
            return
        if self.status is Status.ACCEPTED:
            self._close(Answer.WITHDRAWN, side, at)
        else:
            if self.status is not Status.PAUSED:
                self.started_agreement()
            self.status, self.ended_at = Status.ENDED, at
            self._pause_is_over(at)
            self.tell(
                MentorshipEnded(mentorship=self.id),
                MentorshipDetailed(mentorship=self.id, change="ended", by=side),
            )
            self.drop_plan(side, at)
        self.delegate = None
        self.ask("release-places")

    def receipt_of(self, key: str) -> Receipt | None:
        """The result of an earlier command with this idempotency key."""
        return next((receipt for receipt in self.receipts if receipt.key == key), None)

    def keep_receipt(self, key: str) -> Receipt:
        """Remember where the command with this key left the pair; the oldest receipt makes room."""
        receipt = Receipt(
            key=key, status=self.status, agreement_version=self.agreement.version if self.agreement else 0
        )
        self.receipts = [*self.receipts, receipt][-RECEIPTS_KEPT:]
        return receipt

    def state(self) -> MentorshipState:
        """The whole of it as our own services may know it."""
        return MentorshipState(
            mentorship=self.id,
            programme=self.programme,
            status=self.status,
            mentor=self.mentor,
            mentee=self.mentee,
            areas=self.agreement.intent.areas if self.agreement else self.terms.areas,
            direction=self.direction,
            mentor_bands=self.mentor_bands,
            mentee_bands=self.mentee_bands,
            proposed_at=self.proposed_at,
            accepted_at=self.accepted_at,
            started_at=self.started_at,
            ended_at=self.ended_at,
            closed_at=self.closed_at,
            sessions=count_sessions(self.sessions),
            cadence=self.agreement.intent.cadence if self.agreement and self.started_at else None,
            paused=tuple(PausedDays(month=month, days=days) for month, days in self.paused.items()),
            paused_on=self.paused_on,
        )

    def _pause_is_over(self, at: str) -> None:
        """Its days stay, by month: what was agreed is not asked for on them."""
        if self.paused_on is not None:
            self.paused, self.paused_on = add_paused(self.paused, self.paused_on, at[:10]), None

    def _close(self, answer: Answer, by: Side | None, at: str) -> None:
        self.status, self.closed_at, self.due = Status.CLOSED, at, 0
        self.tell(
            MatchClosed(mentorship=self.id),
            MentorshipDetailed(mentorship=self.id, change="closed", by=by, answer=answer),
        )

    def _must_be_open(self, at: str) -> None:
        if self.status not in UNANSWERED or at >= self.expires_at:
            raise ConflictError("This proposal is no longer available.")

    def _agreement_open(self) -> Agreement:
        if self.status is not Status.ACCEPTED or self.agreement is None:
            raise ConflictError("The agreement can be changed between both yeses and the start.")
        return self.agreement
