"""What came of a programme: mentorships, sessions and people reached; of what came to nothing it tells nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from contracts.matching import Outcome, Status

from matching.domain.mentorship import Mentorship

COUNTED: Final = (Status.STARTED, Status.PAUSED, Status.ENDED)
_AREAS: Final = 5


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of the mentorships that have started."""

    started: int
    running: int
    """Started and not over, paused ones included."""
    mentors: int
    mentees: int
    reverse: int
    """Those in which the less senior person mentors."""
    held: int
    cancelled: int
    met: int
    """Mentorships with at least one session that was held."""
    days_to_start: float | None
    """From the proposal to the start, the median; none without a start."""
    areas: Sequence[tuple[str, int]]
    """What was agreed on most often, by code."""


def report_of(pairs: Iterable[Mentorship]) -> Report:
    """Count what has started."""
    begun = [pair for pair in pairs if pair.started_at is not None]
    outcomes = Counter(session.outcome for pair in begun for session in pair.sessions)
    focus = Counter(area for pair in begun if pair.agreement for area in pair.agreement.intent.areas)
    days = [_days(pair.proposed_at, pair.started_at) for pair in begun if pair.started_at is not None]
    return Report(
        started=len(begun),
        running=sum(pair.live for pair in begun),
        mentors=len({pair.mentor for pair in begun}),
        mentees=len({pair.mentee for pair in begun}),
        reverse=sum(pair.direction == "reverse" for pair in begun),
        held=outcomes[Outcome.HELD],
        cancelled=outcomes[Outcome.CANCELLED],
        met=sum(any(session.outcome is Outcome.HELD for session in pair.sessions) for pair in begun),
        days_to_start=median(days) if days else None,
        areas=sorted(focus.items(), key=lambda item: (-item[1], item[0]))[:_AREAS],
    )


def _days(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() / 86_400
