"""The half of a mentorship that arranges its sessions: times are proposed, one is picked, and it may move or fall away.

At most one session is arranged ahead. Each change says on the platform topic that there was one, and never when or
where the two meet: whoever has to know asks for the calendar entry.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from chassis.errors import ConflictError, InvalidError
from chassis.state.aggregate import Aggregate
from contracts.matching import PlanChange, SessionPlanChanged, Side, Status
from pydantic import Field

from matching.domain.agreement import Agreement
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

TOLD_BEFORE: Final = timedelta(days=1)
ARRANGED_KEPT: Final = 20
"""Sessions whose calendar entries are remembered: those that wait to be logged, and a few before them."""


class Arranging(Aggregate):
    """What a mentorship needs to arrange sessions. `due` is the clock's: a day before the session that is ahead."""

    status: Status = Status.PROPOSED
    agreement: Agreement | None = None
    due: int = 0
    times: ProposedTimes | None = None
    arranged: list[ArrangedSession] = Field(default_factory=list)

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
                raise InvalidError("You have another session at one of these times. Propose one when you are free.")
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

    def drop_plan(self, side: Side, now: str) -> None:
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
            )
        )
