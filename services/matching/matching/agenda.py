"""What is next for a member: one step for each of their pairs, the most urgent first."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Final

from contracts.matching import Side, Status

from matching.domain.agreement import Cadence
from matching.domain.mentorship import Mentorship

_DAYS: Final = {Cadence.WEEKLY: 7, Cadence.FORTNIGHTLY: 14, Cadence.MONTHLY: 30}


class Urgency(IntEnum):
    """What a step waits for; a lower one comes first."""

    AGREE = 1
    ANSWER = 2
    MEET = 3
    WAIT_FOR_AGREEMENT = 4
    WAIT_FOR_ANSWER = 5
    RUNNING = 6


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


def next_steps(pairs: list[Mentorship], member: str, today: date) -> list[Step]:
    """The steps of a member's live pairs; within an urgency the one that waited longest comes first."""
    steps = [step for pair in pairs if (step := _step(pair, member, today)) is not None]
    return sorted(steps, key=lambda step: (step.urgency, step.since))


def next_meeting(pair: Mentorship) -> date | None:
    """The day by which the pair means to meet, after what it agreed; none before it started."""
    if pair.agreement is None or pair.started_at is None:
        return None
    last = max((session.day for session in pair.sessions), default=pair.started_at[:10])
    return date.fromisoformat(last) + timedelta(days=_DAYS[pair.agreement.intent.cadence])


def _step(pair: Mentorship, member: str, today: date) -> Step | None:
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
            due = next_meeting(pair)
            urgency = Urgency.MEET if due is not None and due <= today else Urgency.RUNNING
            return Step(urgency, pair, side, (due or today).isoformat())
        case _:
            return None
