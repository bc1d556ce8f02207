"""What two people, and whoever arranges times for one, are told of a mentorship: one thread a pair, its notices inside.

An invitation has a thread, too.

A thread learns from matching's facts alone. Each notice is announced once by `NoticeSent`, after the thread that
holds it is stored; proposals, answers that are waited for, and starts also ask for a mail. A notice's id follows from
the fact and the member, so hearing a fact again, even with an empty database, makes the same notice and no second mail.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from chassis.state.aggregate import Aggregate
from contracts.envelope import Event
from contracts.matching import (
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MemberInvited,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipStarted,
    Outcome,
    PlanChange,
    SessionLogged,
    SessionPlanChanged,
    Side,
    Status,
)
from contracts.notifications import NoticeSent
from pydantic import Field

from notifications.domain.notice import (
    ASKING,
    FOR_DELEGATES,
    MAILED,
    TIMES,
    UNANSWERED,
    CalendarEntry,
    Kind,
    Notice,
    notice_id,
)

NOTICES_KEPT: Final = 200
"""A thread keeps its newest notices; two people who meet every week for a year make about as many."""
USE_OF_MAIL: Final = timedelta(days=3)
"""A mail about something older than this helps nobody: it is recorded and not sent."""
_SESSIONS: Final = {Outcome.HELD: Kind.SESSION_HELD, Outcome.CANCELLED: Kind.SESSION_CANCELLED}
_PLANS: Final = {
    PlanChange.ARRANGED: Kind.SESSION_ARRANGED,
    PlanChange.MOVED: Kind.SESSION_MOVED,
    PlanChange.CALLED_OFF: Kind.SESSION_CALLED_OFF,
    PlanChange.NEAR: Kind.SESSION_NEAR,
}


class Thread(Aggregate):
    """Everything that is told about one mentorship. Its id is the mentorship's.

    The thread of an invitation has the invitation's id, and one participant, who would mentor; the lead who invites
    them stands where their partner would.
    """

    mentor: str
    mentee: str
    participants: list[str]
    """In whose inbox it stands: the two, and whoever arranges or arranged the mentee's times."""
    delegate: str | None = None
    """Who arranges the mentee's times now."""
    areas: list[str]
    status: Status = Status.PROPOSED
    answer_by: str | None = None
    said_yes: list[Side] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list)
    """Why somebody is invited: codes."""
    times_wait: bool = False
    """The last that was heard of a plan is that one side proposes times."""
    notices: list[Notice] = Field(default_factory=list)
    mails_due: int = 0
    """When the first mail that waits is asked for again, in unix seconds; 0 while none waits."""

    @classmethod
    def opened_by(cls, fact: MatchProposed | MentorshipStarted | MemberInvited, tenant: str) -> "Thread":
        """A new thread from a fact that names whom it concerns."""
        if isinstance(fact, MemberInvited):
            return cls(
                id=fact.invitation,
                tenant=tenant,
                mentor=fact.member,
                mentee=fact.by,
                participants=[fact.member],
                areas=list(fact.areas),
                answer_by=f"{fact.until}T23:59:59.000Z",
                reasons=[reason.value for reason in fact.reasons],
            )
        return cls(
            id=fact.mentorship,
            tenant=tenant,
            mentor=fact.mentor,
            mentee=fact.mentee,
            participants=[fact.mentor, fact.mentee],
            areas=list(fact.areas),
        )

    @property
    def two(self) -> tuple[str, str]:
        """The two people of the mentorship."""
        return self.mentor, self.mentee

    def role_of(self, member: str) -> Side | None:
        """The side that a participant is on; none for a delegate."""
        return {self.mentor: Side.MENTOR, self.mentee: Side.MENTEE}.get(member)

    def partner_of(self, member: str) -> str:
        """Whom a participant reads about: the other of the two; a delegate, for whom they arrange times."""
        return self.mentor if member == self.mentee else self.mentee

    def focus_of(self, member: str) -> list[str]:
        """The areas as far as a participant may read them: an area can say something about a person."""
        return self.areas if member in self.two else []

    def notice(self, id_: str) -> Notice | None:
        """A notice that is still kept."""
        return next((each for each in self.notices if each.id == id_), None)

    def of(self, member: str) -> list[Notice]:
        """What one participant was told, oldest first."""
        return [each for each in self.notices if each.member == member]

    def hear(self, fact: Event, event_id: str, at: str) -> None:
        """Take in a fact of the mentorship and tell whom it concerns."""
        match fact:
            case MemberInvited():
                self._invited(fact, at)
            case MatchProposed():
                self.answer_by = fact.expires_at
                self._proposed(fact, event_id, at)
            case MatchAccepted():
                self._answered(fact, event_id, at)
            case MatchClosed():
                self._closed(event_id, at)
            case MentorshipStarted():
                self.status, self.areas = Status.STARTED, list(fact.areas)
                self._settle(at, {Kind.MATCH_ACCEPTED})
                self._tell(Kind.MENTORSHIP_STARTED, self.two, event_id, at)
            case SessionLogged():
                self._logged(fact, event_id, at)
            case SessionPlanChanged():
                self._planned(fact, event_id, at)
            case MentorshipResumed():
                self.status = Status.STARTED
                self._tell(Kind.MENTORSHIP_RESUMED, self.two, event_id, at)
            case MentorshipPaused() | MentorshipEnded():
                self._stopped(fact, event_id, at)

    def mark_read(self, member: str, notices: Collection[str], at: str) -> None:
        """A member has seen some of the notices; those of the other side stay as they are."""
        for notice in self.of(member):
            if notice.unread and notice.id in notices:
                notice.read_at = at

    def is_over(self, notice: Notice) -> bool:
        """Whether a notice asks for what nobody waits for any more, or speaks to or of a delegate as it is not now."""
        if notice.kind in FOR_DELEGATES and (notice.member != self.delegate or self.status is Status.ENDED):
            return True
        if notice.kind is Kind.DELEGATE_GONE:
            return self.delegate is not None or self.status is Status.ENDED
        if notice.kind is Kind.MATCH_ACCEPTED:
            return self.status is not Status.ACCEPTED
        if notice.kind in TIMES:
            later = (each for each in self.notices if each.number > notice.number)
            return not self.times_wait or any(each.kind is Kind.TIMES_PROPOSED for each in later)
        return notice.kind in ASKING and self.status not in UNANSWERED

    def postpone_mail(self, notice: str, until: datetime) -> None:
        """Let the mail about a notice wait."""
        due = ceil(until.timestamp())
        for each in self.notices:
            if each.id == notice:
                each.mail_waits_until = due
        self.mails_due = min(self.mails_due or due, due)

    def release_mails(self, now: datetime) -> None:
        """Ask again for each mail that has waited long enough; whether it is still of use is judged then."""
        since, until = self.mails_due, int(now.timestamp())
        if not 0 < since <= until:
            return
        for notice in self.notices:
            if since <= notice.mail_waits_until <= until:  # what was asked for before lies before
                self.ask("send-mail", notice=notice.id)
        later = (notice.mail_waits_until for notice in self.notices if notice.mail_waits_until > until)
        self.mails_due = min(later, default=0)

    def mail_is_moot(self, notice: Notice, now: datetime) -> bool:
        """Whether a mail about this notice would come too late, or say what is no longer so.

        A mail that waited because its reader wished so is as good as new when the waiting is over.
        """
        fresh_at = max(datetime.fromisoformat(notice.at), datetime.fromtimestamp(notice.mail_waits_until, UTC))
        if now - fresh_at > USE_OF_MAIL or self.status not in MAILED.get(notice.kind, ()) or self.is_over(notice):
            return True
        if notice.kind not in {*ASKING, Kind.INVITED}:
            return False
        late = self.answer_by is not None and now >= datetime.fromisoformat(self.answer_by)
        return late or self.role_of(notice.member) in self.said_yes

    def _invited(self, fact: MemberInvited, at: str) -> None:
        """Once, however often it is said: of invitations to a programme a member has one."""
        if not self.notices:
            self._tell(Kind.INVITED, self.participants, fact.invitation, at)

    def _proposed(self, fact: MatchProposed, event_id: str, at: str) -> None:
        """Both hear of a proposal; of a request whoever is asked, for the other one has made it."""
        asking = {side for side in Side if side.value == fact.origin}
        if not asking:
            self._tell(Kind.MATCH_PROPOSED, self.two, event_id, at)
            return
        self.said_yes = list(asking)
        self._tell(Kind.ASKED, self._on(set(Side) - asking), event_id, at)

    def _answered(self, fact: MatchAccepted, event_id: str, at: str) -> None:
        if fact.complete:
            self.status, self.said_yes = Status.ACCEPTED, list(Side)
            self._settle(at)
            self._tell(Kind.MATCH_ACCEPTED, self.two, event_id, at)
            return
        if fact.by not in set(Side):
            return  # a newer producer's word: who still has to answer is not known
        self.status = Status.HALF_ACCEPTED
        if fact.by in self.said_yes:
            return  # whoever asked has said yes by it
        self.said_yes = [*self.said_yes, fact.by]
        self._settle(at)
        waited_for = self._on(side for side in Side if side not in self.said_yes)
        self._tell(Kind.ANSWER_AWAITED, waited_for, event_id, at)

    def _closed(self, event_id: str, at: str) -> None:
        """Whoever waited for the other's answer hears that there is none to come, and neither who nor why."""
        self.status = Status.CLOSED
        self._settle(at)
        self._tell(Kind.MATCH_CLOSED, self._on(self.said_yes), event_id, at)

    def _logged(self, fact: SessionLogged, event_id: str, at: str) -> None:
        if kind := _SESSIONS.get(fact.outcome):
            self._tell(kind, self.participants, event_id, at)

    def _stopped(self, fact: MentorshipPaused | MentorshipEnded, event_id: str, at: str) -> None:
        paused = isinstance(fact, MentorshipPaused)
        self.status, self.times_wait = Status.PAUSED if paused else Status.ENDED, False
        self._settle(at, TIMES)
        kind = Kind.MENTORSHIP_PAUSED if paused else Kind.MENTORSHIP_ENDED
        self._tell(kind, self.two, event_id, at)

    def _planned(self, fact: SessionPlanChanged, event_id: str, at: str) -> None:
        """Whatever is heard of a plan answers the times that were proposed before, except that it draws near."""
        news = self._let_arrange(fact.delegate, at)
        if fact.change is PlanChange.DELEGATED:
            self._tell(Kind.DELEGATED, news, event_id, at)
            if fact.delegate is None and fact.by is None:
                self._tell(Kind.DELEGATE_GONE, [self.mentee], event_id, at)
            return
        if self.status not in (Status.PAUSED, Status.ENDED):
            self.status = Status.STARTED  # the start itself is told on another topic, and may be heard later
        if fact.change is not PlanChange.NEAR:
            self.times_wait = fact.change is PlanChange.TIMES_PROPOSED
            self._settle(at, TIMES)
        if fact.change is PlanChange.TIMES_PROPOSED:
            self._tell(Kind.TIMES_PROPOSED, self._on(side for side in Side if side is not fact.by), event_id, at)
        elif (kind := _PLANS.get(fact.change)) and fact.session is not None and fact.calendar is not None:
            entry = CalendarEntry(session=fact.session, version=fact.calendar)
            self._tell(kind, self.two, event_id, at, entry)
        self._tell_delegate(fact, event_id, at)

    def _let_arrange(self, member: str | None, at: str) -> list[str]:
        """Somebody else arranges the mentee's times, or nobody does: whoever did has nothing to pick. Who is new."""
        if member == self.delegate:
            return []
        self._settle(at, {Kind.TIMES_TO_PICK, Kind.DELEGATE_GONE})
        self.delegate, new = member, [] if member is None else [member]
        self.participants = [*dict.fromkeys((*self.participants, *new))]
        return new

    def _tell_delegate(self, fact: SessionPlanChanged, event_id: str, at: str) -> None:
        """A delegate hears what the mentor did; what was done on the mentee's side they did, or were told by them."""
        if self.delegate is None or fact.by is Side.MENTEE or fact.change is PlanChange.NEAR:
            return
        if fact.change is PlanChange.TIMES_PROPOSED:
            self._tell(Kind.TIMES_TO_PICK, [self.delegate], event_id, at)
        elif fact.change in _PLANS:
            self._tell(Kind.PLAN_CHANGED, [self.delegate], event_id, at)

    def _on(self, sides: Iterable[Side]) -> list[str]:
        wanted = set(sides)
        return [member for member in self.two if self.role_of(member) in wanted]

    def _settle(self, at: str, kinds: Collection[Kind] = ASKING) -> None:
        """What asked for an answer is no news any more: it was given, or asked for anew, or nobody waits for it."""
        for notice in self.notices:
            if notice.unread and notice.kind in kinds:
                notice.read_at = at

    def _tell(
        self, kind: Kind, members: Iterable[str], event_id: str, at: str, entry: CalendarEntry | None = None
    ) -> None:
        for member in members:
            number = self.notices[-1].number + 1 if self.notices else 1
            notice = Notice(id=notice_id(event_id, member), number=number, member=member, kind=kind, at=at, entry=entry)
            self.notices = [*self.notices, notice][-NOTICES_KEPT:]
            self.say(NoticeSent(notice=notice.id, member=member, thread=self.id, kind=kind.value))
            if kind in MAILED:
                self.ask("send-mail", notice=notice.id)
