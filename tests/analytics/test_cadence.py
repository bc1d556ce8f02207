"""What running agreements ask for, worked out by hand."""

from fractions import Fraction

import pytest
from analytics.cadence import AskedFor, asked_for, days_run
from analytics_people import Row, a_pair
from hypothesis import given
from hypothesis import strategies as st

SEPTEMBER_1 = "2026-09-01T09:00:00.000Z"


def running(number: int = 1, cadence: str | None = "monthly", **changes: object) -> Row:
    """A pair that started with September."""
    return a_pair(number, **({"started_at": SEPTEMBER_1, "cadence": cadence} | changes))


def asked(row: Row, period: str = "2026-10") -> Fraction:
    """What one pair was asked for."""
    return asked_for(period, [row]).sessions


@pytest.mark.parametrize(
    ("cadence", "period", "expected"),
    [
        ("weekly", "2026-10", Fraction(31, 7)),
        ("weekly", "2027-02", Fraction(4)),
        ("fortnightly", "2026-10", Fraction(31, 14)),
        ("fortnightly", "2027-02", Fraction(2)),
        ("monthly", "2026-10", Fraction(1)),
        ("monthly", "2027-02", Fraction(1)),
        (None, "2026-10", Fraction(0)),
        ("whenever", "2026-10", Fraction(0)),
    ],
)
def test_a_whole_month_asks_by_its_days(cadence: str | None, period: str, expected: Fraction) -> None:
    """A session for every 7 days, every 14, or all of the month; four weeks of February are four sessions."""
    assert asked(running(cadence=cadence), period) == expected


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, 31),
        ({"started_at": None}, 0),
        ({"started_at": "2026-10-18T23:59:59.000Z"}, 14),
        ({"started_at": "2026-11-01T00:00:00.000Z"}, 0),
        ({"ended_at": "2026-10-15T00:00:00.000Z"}, 14),
        ({"ended_at": "2026-09-30T10:00:00.000Z"}, 0),
        ({"ended_at": "2026-11-20T10:00:00.000Z"}, 31),
        ({"started_at": "2026-10-09T08:00:00.000Z", "ended_at": "2026-10-09T10:00:00.000Z"}, 0),
        ({"paused": [{"month": "2026-10", "days": 10}, {"month": "2026-09", "days": 3}]}, 21),
        ({"paused_on": "2026-10-22"}, 21),
        ({"paused_on": "2026-09-22"}, 0),
        ({"paused_on": "2026-11-02"}, 31),
        ({"paused": [{"month": "2026-10", "days": 10}], "paused_on": "2026-10-22"}, 11),
        ({"paused": [{"month": "2026-10", "days": 5}], "ended_at": "2026-10-15T00:00:00.000Z"}, 9),
    ],
)
def test_only_days_on_which_the_pair_ran_count(changes: Row, days: int) -> None:
    """From the day of the start up to, and without, that of the end; paused days are left out in the same way."""
    assert days_run("2026-10", running() | changes) == days


def test_parts_add_up_before_they_are_rounded() -> None:
    """Three pairs that ran 14 days: weekly 2, fortnightly 1, monthly 14/31."""
    pairs = [
        running(number, cadence, ended_at="2026-10-15T00:00:00.000Z")
        for number, cadence in enumerate(("weekly", "fortnightly", "monthly"))
    ]

    found = asked_for("2026-10", [*pairs, running(3, started_at=None)])

    assert found == AskedFor(sessions=3 + Fraction(14, 31), pairs=3)


def test_pairs_that_asked_otherwise_before_are_counted() -> None:
    """Of four pairs one ran on, one came, one ended, and one runs for another part; a longer month changes nothing."""
    pairs = [
        running(1, "weekly"),
        running(2, started_at="2026-10-05T09:00:00.000Z"),
        running(3, ended_at="2026-09-30T09:00:00.000Z"),
        running(4, paused=[{"month": "2026-10", "days": 1}]),
    ]

    assert asked_for("2026-10", pairs, ["2026-08", "2026-09"]).changed == {"2026-08": 3, "2026-09": 3}


@given(st.integers(0, 31), st.integers(0, 31), st.sampled_from(("weekly", "fortnightly", "monthly")))
def test_a_pause_asks_for_less_in_proportion(some: int, more: int, cadence: str) -> None:
    """What is asked for with so many paused days, and without as many, is together a whole month's."""
    paused = min(some, more)
    rest = running(cadence=cadence, paused=[{"month": "2026-10", "days": paused}] if paused else [])
    other = running(cadence=cadence, paused=[{"month": "2026-10", "days": 31 - paused}] if paused < 31 else [])

    assert asked(rest) + asked(other) == asked(running(cadence=cadence))
