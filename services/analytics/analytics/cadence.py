"""How many sessions the running agreements asked for in a month.

Pure. A pair ran on every day from its start up to, and without, the day of its end, pauses left out in the same way.
For each day on which it ran, a weekly agreement asks for a seventh of a session, a fortnightly one for a fourteenth,
and a monthly one for as many parts as the month has days. Parts are added up exactly and rounded at the end alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from analytics.months import Period, close_of, days_in

Row = Mapping[str, Any]

_DAYS_A_SESSION: Final = {"weekly": 7, "fortnightly": 14}
_MONTHLY: Final = "monthly"


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What was asked for in one month, by how many pairs, and how many of them asked otherwise in earlier months."""

    sessions: Fraction = Fraction(0)
    pairs: int = 0
    changed: Mapping[Period, int] = field(default_factory=dict)


class _Running(NamedTuple):
    """What one pair agreed, and on which part of the month's days it ran."""

    cadence: str
    part: Fraction


def asked_for(period: Period, mentorships: Sequence[Row], earlier: Iterable[Period] = ()) -> AskedFor:
    """Count one month, and hold its pairs against those of earlier months."""
    running = _running(period, mentorships)
    return AskedFor(
        sessions=sum((_sessions(period, pair) for pair in running.values()), Fraction(0)),
        pairs=len(running),
        changed={month: _different(running, _running(month, mentorships)) for month in earlier},
    )


def days_run(period: Period, row: Row) -> int:
    """The days of a month on which a pair ran."""
    if not row["started_at"]:
        return 0
    close = close_of(period)
    end = min(_day(row["ended_at"]) or close, close)
    ran = _days_within(period, _day(row["started_at"]), end)
    paused: int = sum(part["days"] for part in row["paused"] if part["month"] == period)
    return max(0, ran - paused - _days_within(period, _day(row["paused_on"]), end))


def _running(period: Period, mentorships: Iterable[Row]) -> dict[str, _Running]:
    pairs = {}
    for row in mentorships:
        if row["cadence"] in (*_DAYS_A_SESSION, _MONTHLY) and (days := days_run(period, row)):
            pairs[str(row["_id"])] = _Running(row["cadence"], Fraction(days, days_in(period)))
    return pairs


def _sessions(period: Period, pair: _Running) -> Fraction:
    days = days_in(period)
    return pair.part * Fraction(days, _DAYS_A_SESSION.get(pair.cadence, days))


def _different(some: Mapping[str, _Running], others: Mapping[str, _Running]) -> int:
    return sum(1 for pair in some.keys() | others.keys() if some.get(pair) != others.get(pair))


def _days_within(period: Period, first: date | None, end: date) -> int:
    """The days of a month from one on up to another, which is none of them; none without a first."""
    if first is None:
        return 0
    opening = close_of(period) - timedelta(days=days_in(period))
    return max(0, (end - max(first, opening)).days)


def _day(at: str | None) -> date | None:
    return date.fromisoformat(at[:10]) if at else None
