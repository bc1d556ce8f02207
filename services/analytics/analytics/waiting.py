"""How long people wait from enrolling to the start of their first mentorship, those who still wait included.

Pure. Counting only those who have started would call a programme quick in which most people wait for ever. So the
share that still waits after so many days is estimated as Kaplan and Meier do it (Nonparametric estimation from
incomplete observations, 1958): whoever still waits, or stopped before a start, counts for as long as they waited.
Whoever has left the organisation is in none of it; what that does to the estimate stands in the decision on it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any, Final, NamedTuple

from analytics.months import Period, close_of

Row = Mapping[str, Any]

MEDIAN: Final = Fraction(1, 2)
NINETIETH: Final = Fraction(9, 10)
DAYS_A_WEEK: Final = 7
WAITS: Final = {"0-4": 4 * DAYS_A_WEEK, "5-12": 12 * DAYS_A_WEEK, "13-": None}
"""Whole weeks of waiting, and the most days that they hold."""


class Wait(NamedTuple):
    """How many days somebody waited, and whether a start ended it."""

    days: int
    started: bool


class Way(NamedTuple):
    """What was known of one person at the close of a month."""

    enrolled_on: date
    started_on: date | None
    stopped_on: date | None

    @property
    def waiting(self) -> bool:
        """Takes part, and no mentorship has started."""
        return self.started_on is None and self.stopped_on is None

    def wait(self, close: date) -> Wait:
        """The wait until it ended, or until the close."""
        until = self.started_on or self.stopped_on or close
        return Wait(max(0, (until - self.enrolled_on).days), started=self.started_on is not None)


@dataclass(frozen=True, slots=True)
class Reached:
    """The days after which a share of people had started; none when it has not been reached.

    `started` counts those who started by then, `waited` those who waited at least so long.
    """

    days: int | None = None
    started: int = 0
    waited: int = 0


@dataclass(frozen=True, slots=True)
class Waits:
    """The estimate of one group, and for how many of its people something else was known in earlier months."""

    people: int = 0
    median: Reached = Reached()
    ninetieth: Reached = Reached()
    changed: Mapping[Period, int] = field(default_factory=dict)


def ways(period: Period, mentorships: Iterable[Row], directory: Iterable[Row]) -> dict[str, Way]:
    """Everybody in the directory who had enrolled by the close, with what was known then."""
    close, starts = close_of(period), _first_starts(mentorships)
    found = {}
    for row in directory:
        member, enrolled_on = str(row["_id"]), _before(row["enrolled_on"], close)
        if enrolled_on is not None:
            started_on = _before(starts.get(member), close)
            stopped_on = None if started_on else _before(row["enrolled_until"], close)
            found[member] = Way(enrolled_on, started_on, stopped_on)
    return found


def estimate(period: Period, now: Mapping[str, Way], earlier: Mapping[Period, Mapping[str, Way]]) -> Waits:
    """The times of some people at the close of a month, held against what was known of them in earlier months."""
    close = close_of(period)
    waits = sorted(way.wait(close) for way in now.values())
    return Waits(
        people=len(waits),
        median=reached(MEDIAN, waits),
        ninetieth=reached(NINETIETH, waits),
        changed={month: _different(now, before) for month, before in earlier.items()},
    )


def reached(share: Fraction, waits: Sequence[Wait]) -> Reached:
    """When this share of people had started, by the product-limit estimate."""
    still, at_risk, started = Fraction(1), len(waits), 0
    for days, same in groupby(sorted(waits), key=lambda wait: wait.days):
        ends = Counter(wait.started for wait in same)
        still *= 1 - Fraction(ends[True], at_risk)
        started += ends[True]
        if still <= 1 - share:
            return Reached(days, started, at_risk)
        at_risk -= ends.total()
    return Reached()


def band_of(way: Way, close: date) -> str:
    """The label of how long somebody who waits has been waiting at the close."""
    days = way.wait(close).days
    return next(label for label, most in WAITS.items() if most is None or days <= most)


def _first_starts(mentorships: Iterable[Row]) -> dict[str, str]:
    starts: dict[str, str] = {}
    for row in mentorships:
        if row["started_at"]:
            for member in (row["mentor"], row["mentee"]):
                starts[member] = min(starts.get(member, row["started_at"]), row["started_at"])
    return starts


def _different(some: Mapping[str, Way], others: Mapping[str, Way]) -> int:
    return sum(1 for member in some.keys() | others.keys() if some.get(member) != others.get(member))


def _before(at: str | None, close: date) -> date | None:
    day = date.fromisoformat(at[:10]) if at else None
    return day if day is not None and day < close else None
