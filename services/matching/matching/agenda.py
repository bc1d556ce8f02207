"""What is next for a member: one step for each of their pairs, the most urgent first."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Final

from contracts.matching import Side, Status

from matching.domain.agreement import Cadence
from matching.domain.mentorship import Mentorship
from matching.domain.times import ArrangedSession, rfc3339

_DAYS: Final = {Cadence.WEEKLY: 7, Cadence.FORTNIGHTLY: 14, Cadence.MONTHLY: 30}


class Urgency(IntEnum):
    """What a step waits for; a lower one comes first."""

    AGREE = 1
    ANSWER = 2
    PICK = 3
    LOG = 4
    MEET = 5
    WAIT_FOR_AGREEMENT = 6
    WAIT_FOR_ANSWER = 7
    RUNNING = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One pair's next step for one of its two people."""

    urgency: Urgency
    pair: Mentorship
    side: Side
    since: str

    @property
    def other(self) -> str:
        """The member on the other side."""
        return self.pair.mentee if self.side is Side.MENTOR else self.pair.mentor


def next_steps(pairs: list[Mentorship], member: str, now: datetime) -> list[Step]:
    """The steps of a member's live pairs; within an urgency the one that waited longest comes first."""
    steps = [step for pair in pairs if (step := _step(pair, member, now)) is not None]
    return sorted(steps, key=lambda step: (step.urgency, step.since))


def next_meeting(pair: Mentorship, now: datetime) -> date | None:
    """The day of the arranged session, or else that by which the pair means to meet; none before it started."""
    if pair.agreement is None or pair.started_at is None:
        return None
    if (arranged := pair.session_standing(rfc3339(now))) is not None:
        return date.fromisoformat(arranged.time.day)
    last = max((session.day for session in pair.sessions), default=pair.started_at[:10])
    return date.fromisoformat(last) + timedelta(days=_DAYS[pair.agreement.intent.cadence])


def waits_for_pick(pair: Mentorship, side: Side, now: datetime) -> bool:
    """The other side proposes times, of which at least one still lies ahead."""
    return pair.times is not None and pair.times.by is not side and pair.times.open(rfc3339(now))


def unlogged(pair: Mentorship, now: datetime) -> ArrangedSession | None:
    """The newest arranged session whose time has passed and whose day nobody has logged."""
    logged = {session.day for session in pair.sessions}
    over = [each for each in pair.arranged if each.over(rfc3339(now)) and each.time.day not in logged]
    return over[-1] if over else None


def _step(pair: Mentorship, member: str, now: datetime) -> Step | None:
    side = pair.side_of(member)
    if side is None:
        return None
    match pair.status:
        case Status.PROPOSED | Status.HALF_ACCEPTED:
            answered = side in pair.yes
            return Step(Urgency.WAIT_FOR_ANSWER if answered else Urgency.ANSWER, pair, side, pair.proposed_at)
        case Status.ACCEPTED:
            agreed = pair.agreement is not None and side in pair.agreement.confirmed
            urgency = Urgency.WAIT_FOR_AGREEMENT if agreed else Urgency.AGREE
            return Step(urgency, pair, side, pair.accepted_at or pair.proposed_at)
        case Status.STARTED:
            due = next_meeting(pair, now) or now.date()
            return Step(_of_sessions(pair, side, now, due), pair, side, due.isoformat())
        case _:
            return None


def _of_sessions(pair: Mentorship, side: Side, now: datetime, due: date) -> Urgency:
    if waits_for_pick(pair, side, now):
        return Urgency.PICK
    if unlogged(pair, now) is not None:
        return Urgency.LOG
    if pair.session_standing(rfc3339(now)) is not None:
        return Urgency.RUNNING
    return Urgency.MEET if due <= now.date() else Urgency.RUNNING
