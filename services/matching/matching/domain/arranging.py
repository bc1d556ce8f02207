"""The half of a mentorship that arranges and logs sessions: times are proposed, one is picked, may move or fall away.

At most one session is arranged ahead. Each change says on the platform topic that there was one, and never when or
where the two meet: whoever has to know asks for the calendar entry. The mentee may let somebody else arrange theirs,
who is told by the same event.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from chassis.errors import ConflictError, InvalidError
from chassis.state.aggregate import Aggregate
from contracts.envelope import Event
from contracts.matching import (
    MentorshipDetailed,
    MentorshipState,
    Outcome,
    PlanChange,
    SessionLogged,
    SessionPlanChanged,
    Side,
    Status,
)
from pydantic import Field

from matching.domain.agreement import Agreement, Session
from matching.domain.times import (
    MOST_TIMES,
    ArrangedSession,
    LocalTime,
    ProposedTimes,
    collides,
    later,
    unix_seconds,
    video_link,
)

AGREED: Final = (Status.ACCEPTED, Status.STARTED, Status.PAUSED)
TOLD_BEFORE: Final = timedelta(days=1)
SESSIONS_KEPT: Final = 400
ARRANGED_KEPT: Final = 20
"""Sessions whose calendar entries are remembered: those that wait to be logged, and a few before them."""


class Arranging(Aggregate, ABC):
    """What a mentorship needs for its sessions. `due` is the clock's: a day before the one that is ahead."""

    status: Status = Status.PROPOSED
    agreement: Agreement | None = None
    due: int = 0
    times: ProposedTimes | None = None
    arranged: list[ArrangedSession] = Field(default_factory=list)
    sessions: list[Session] = Field(default_factory=list)
    """Those that were logged."""
    started_at: str | None = None
    delegate: str | None = None
    """Whom the mentee lets arrange their times."""

    @abstractmethod
    def side_of(self, member: str) -> Side | None:
        """Which of the two a member is; none for everybody else."""

    @abstractmethod
    def state(self) -> MentorshipState:
        """The whole of it as our own services may know it."""

    def arranges(self, member: str) -> Side | None:
        """On which side a member arranges times: their own, or the mentee's as its delegate."""
        return Side.MENTEE if member == self.delegate else self.side_of(member)

    def name_delegate(self, member: str) -> None:
        """The mentee lets somebody arrange their times, in place of whoever did so before."""
        if self.status not in AGREED:
            raise ConflictError("That is possible between both yeses and the end of a mentorship.")
        match self.side_of(member):
            case Side.MENTEE:
                raise InvalidError("This is your own address, and you arrange your times anyway. Name somebody else.")
            case Side.MENTOR:
                raise InvalidError("You arrange your times with this very person. Name somebody else.")
        self._delegate(member, Side.MENTEE)

    def dismiss_delegate(self) -> None:
        """The mentee takes it back, and arranges their times alone again."""
        self._delegate(None, Side.MENTEE)

    def step_down(self, member: str) -> None:
        """The delegate cannot do it any more, or has left: said as neither side's doing, so that the mentee is told.

        Whoever was named in their place meanwhile stays.
        """
        if member == self.delegate:
            self._delegate(None, None)

    def propose_times(
        self, side: Side, times: Sequence[LocalTime], link: str, now: str, busy: Iterable[ArrangedSession] = ()
    ) -> None:
        """One side proposes when to meet, in place of what was proposed; an arranged time stands until one is picked.

        `busy` holds what the proposer has arranged in other mentorships.
        """
        agreement = self.started_agreement()
        chosen = tuple({time.at: time for time in times}.values())
        if not 1 <= len(chosen) <= MOST_TIMES:
            raise InvalidError("Propose one, two or three times.")
        others = list(busy)
        for time in chosen:
            time.must_be_possible(now)
            if collides(time, agreement.intent.minutes, others):
                raise InvalidError("There is another session at one of these times. Propose a time that is free.")
        proposed = ProposedTimes(by=side, times=chosen, link=video_link(link))
        if proposed != self.times:
            self.times = proposed
            self._say(PlanChange.TIMES_PROPOSED, side)

    def pick_time(self, side: Side, at: str, session: str, now: str, busy: Iterable[ArrangedSession] = ()) -> None:
        """The other side picks the proposed time of this moment: a session is arranged, or the arranged one moves.

        `busy` holds what both have arranged in other mentorships. It was read just before, from other documents, so
        this refuses as well as it can: two mentorships of one member that pick at the same instant do not see each
        other.
        """
        agreement, times = self.started_agreement(), self.times
        time = times.find(at) if times else None
        if times is None or time is None:
            raise ConflictError("That time is no longer proposed. Load the page again to see how it stands now.")
        if times.by is side:
            raise ConflictError("You proposed these times, so the other side picks one of them.")
        minutes = agreement.intent.minutes
        if time.at <= now:
            raise ConflictError("That time has passed. Pick another one, or propose others.")
        if collides(time, minutes, busy):
            raise ConflictError("One of you has another session at that time. Pick another one, or propose others.")
        ahead = self.session_ahead(now)
        if ahead is None:
            picked = ArrangedSession(id=session, time=time, minutes=minutes, link=times.link)
        else:
            changes = {"time": time, "minutes": minutes, "link": times.link, "version": ahead.version + 1}
            picked = ahead.model_copy(update=changes)
        self._keep(picked)
        remind_at = later(time.at, -TOLD_BEFORE)
        self.times, self.due = None, unix_seconds(remind_at) if remind_at > now else 0
        self._say(PlanChange.ARRANGED if ahead is None else PlanChange.MOVED, side, picked)

    def call_off(self, side: Side, now: str) -> None:
        """Either side cancels the session that is ahead, without a reason."""
        self.started_agreement()
        if self.session_ahead(now) is None:
            raise ConflictError("No session is arranged that could be cancelled.")
        self.drop_plan(side, now)

    def drop_plan(self, side: Side | None, now: str) -> None:
        """Nothing is arranged or proposed any more, because somebody cancelled it or left."""
        ahead, self.times, self.due = self.session_ahead(now), None, 0
        if ahead is not None:
            dropped = ahead.model_copy(update={"version": ahead.version + 1, "called_off": True})
            self._keep(dropped)
            self._say(PlanChange.CALLED_OFF, side, dropped)

    def remind(self, now: str) -> None:
        """The clock tells both that their session is a day away; once it has begun that is no news any more."""
        if not 0 < self.due <= unix_seconds(now):
            return  # it moved while the clock was looking, and its own day comes later
        self.due = 0
        if self.status is Status.STARTED and (ahead := self.session_ahead(now)) is not None:
            self._say(PlanChange.NEAR, None, ahead)

    def log_session(self, side: Side, session: str, day: date, outcome: Outcome, at: str) -> None:
        """Log a day's session as held or cancelled; a word on a day already logged speaks of the same session."""
        self.started_agreement()
        # The server's day may be a person's yesterday: allow the furthest zone ahead.
        if day > date.fromisoformat(at[:10]) + timedelta(days=1):
            raise InvalidError("A session can be logged on its day or later, not before.")
        if day < date.fromisoformat((self.started_at or at)[:10]) - timedelta(days=1):
            raise InvalidError("That day is before the mentorship started.")
        before = next((known for known in self.sessions if known.day == day.isoformat()), None)
        if before is None and len(self.sessions) >= SESSIONS_KEPT:
            raise ConflictError("This mentorship has as many sessions as it can hold. End it and begin a new one.")
        after = (before or Session(id=session, day=day.isoformat())).note(side, outcome)
        if after == before:
            return
        others = [known for known in self.sessions if known.day != after.day]
        self.sessions = sorted([*others, after], key=lambda known: known.day)
        detail = MentorshipDetailed(mentorship=self.id, change="session", by=side, outcome=outcome)
        if before is None or before.outcome is not after.outcome:
            self.tell(SessionLogged(mentorship=self.id, session=after.id, outcome=after.outcome, day=after.day), detail)
        else:
            self.tell(None, detail)

    def logged(self, session: str) -> Session | None:
        """A logged session by its id."""
        return next((each for each in self.sessions if each.id == session), None)

    def session_ahead(self, now: str) -> ArrangedSession | None:
        """The arranged session that has not begun."""
        return next((each for each in reversed(self.arranged) if each.ahead(now)), None)

    def session_standing(self, now: str) -> ArrangedSession | None:
        """The arranged session that is ahead or, when there is none, under way."""
        return next((each for each in reversed(self.arranged) if each.standing(now)), None)

    def arranged_session(self, session: str) -> ArrangedSession | None:
        """An arranged session that is still remembered, called off or not."""
        return next((each for each in self.arranged if each.id == session), None)

    def started_agreement(self) -> Agreement:
        """What was agreed, while the mentorship is running.

        Raises:
            ConflictError: it has not started, or is over.
        """
        if self.status is not Status.STARTED or self.agreement is None:
            raise ConflictError("That is possible while a mentorship is running.")
        return self.agreement

    def tell(self, fact: Event | None, detail: MentorshipDetailed) -> None:
        """Say what happened: outside at most one fact, for our own services the detail and the whole of it."""
        if fact is not None:
            self.say(fact)
        self.say(detail)
        self.say(self.state())

    def _delegate(self, member: str | None, by: Side | None) -> None:
        if member != self.delegate:
            self.delegate = member
            self._say(PlanChange.DELEGATED, by)

    def _keep(self, session: ArrangedSession) -> None:
        others = [each for each in self.arranged if each.id != session.id]
        self.arranged = [*others, session][-ARRANGED_KEPT:]

    def _say(self, change: PlanChange, by: Side | None, session: ArrangedSession | None = None) -> None:
        self.say(
            SessionPlanChanged(
                mentorship=self.id,
                change=change,
                by=by,
                session=session.id if session else None,
                calendar=session.version if session else None,
                delegate=self.delegate,
            )
        )
