"""The gate for what is no count of people: the sessions that were asked for, and times.

Pure. Between any two months that have figures of their own, at least k pairs or people differ. A month that differs
by fewer from an earlier one repeats the figure of that month, whether it is the one before or not: so no two figures
beside each other tell of fewer than k.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from analytics.cadence import AskedFor
from analytics.inference import ROUNDING, rounded
from analytics.months import Period
from analytics.waiting import DAYS_A_WEEK, MEDIAN, NINETIETH, Reached, Waits


@dataclass(frozen=True, slots=True)
class Asked:
    """Sessions that were asked for, as readers see them; none is "fewer than 5 or protected".

    `since` is the month whose figure it is.
    """

    shown: int | None = None
    since: Period | None = None


@dataclass(frozen=True, slots=True)
class Time:
    """A time as readers see it, in whole weeks; none is "not reached yet". What is not shown is protected."""

    shown: bool = False
    weeks: int | None = None


PROTECTED: Final = Time()


@dataclass(frozen=True, slots=True)
class Times:
    """The times of one group; `since` is the month whose figures they are."""

    median: Time = PROTECTED
    ninetieth: Time = PROTECTED
    since: Period | None = None


def asked(counted: AskedFor, period: Period, earlier: Mapping[Period, Asked], k: int) -> Asked:
    """Sessions asked for by at least k pairs, rounded."""
    shown = rounded(round(counted.sessions), k)
    if counted.pairs < k or shown is None:
        return Asked()
    if (again := _repeats(counted.changed, earlier, k)) is not None:
        return earlier[again]
    return Asked(shown, period)


def times(counted: Waits, period: Period, earlier: Mapping[Period, Times], base: int | None, k: int) -> Times:
    """The times of a group that is shown to have `base` enrolled people; none hides them all."""
    if base is None:
        return Times()
    if (again := _repeats(counted.changed, earlier, k)) is not None:
        figures = earlier[again]
    else:
        figures = Times(_time(counted.median, k), _time(counted.ninetieth, k), period)
    people = min(counted.people, _certain(base, k))
    return Times(
        figures.median if _suffices(people, k, MEDIAN) else PROTECTED,
        figures.ninetieth if _suffices(people, k, NINETIETH) else PROTECTED,
        figures.since,
    )


def _repeats(
    changed: Mapping[Period, int], earlier: Mapping[Period, Asked] | Mapping[Period, Times], k: int
) -> Period | None:
    """The newest month with a figure of its own from which fewer than k pairs or people differ."""
    own = [period for period, figure in earlier.items() if figure.since == period]
    return next((period for period in reversed(own) if changed[period] < k), None)


def _certain(base: int, k: int) -> int:
    """How many people a reader knows to be there: a shown figure is rounded, and may lag by less than k."""
    return base - ROUNDING // 2 - (k - 1)


def _suffices(people: int, k: int, share: Fraction) -> bool:
    """Whether at least k people stand on either side of a time: 2k for the median, 10k for the other."""
    return people * min(share, 1 - share) >= k


def _time(reached: Reached, k: int) -> Time:
    if reached.days is None:
        return Time(shown=True)
    if min(reached.started, reached.waited) < k:
        return PROTECTED
    return Time(shown=True, weeks=max(1, ceil(reached.days / DAYS_A_WEEK)))
