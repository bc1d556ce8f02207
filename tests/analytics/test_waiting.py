"""How long people wait, against published examples and the rules that any such estimate keeps."""

from datetime import date, timedelta
from fractions import Fraction
from statistics import median_low

import pytest
from analytics.waiting import MEDIAN, NINETIETH, Reached, Wait, Waits, Way, estimate, reached, ways
from analytics_people import a_pair, an_entry
from hypothesis import given
from hypothesis import strategies as st

OCTOBER_6 = "2026-10-06T09:00:00.000Z"
WAITS = st.lists(st.builds(Wait, st.integers(0, 60), st.booleans()), min_size=1, max_size=40)
SHARES = st.sampled_from((MEDIAN, NINETIETH, Fraction(1, 4)))
FOR_EVER = 10**6

# Weeks in remission of 42 children, 21 with 6-mercaptopurine and 21 with a placebo; +, still in remission when last
# seen. Freireich and others in Blood 21 (1963), and since then the textbooks' example: medians 23 and 8 weeks.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def read(text: str) -> list[Wait]:
    """Waits as the example writes them."""
    return [Wait(int(each.rstrip("+")), started=not each.endswith("+")) for each in text.split()]


def days(share: Fraction, waits: list[Wait]) -> int:
    """The days after which a share is reached."""
    found = reached(share, waits).days
    return FOR_EVER if found is None else found


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [
        # 6: 18/21; 7: of 17; 10: of 15; 13: of 12; 16: of 11; 22: of 7; 23: of 6, which leaves 0.448.
        (TREATED, MEDIAN, Reached(23, started=9, waited=6)),
        (TREATED, Fraction(1, 4), Reached(13, started=6, waited=12)),
        (TREATED, NINETIETH, Reached()),
        (PLACEBO, MEDIAN, Reached(8, started=13, waited=12)),
        (PLACEBO, NINETIETH, Reached(17, started=19, waited=3)),
        ("", MEDIAN, Reached()),
        ("5+ 9+", MEDIAN, Reached()),
        ("0 0 4+", MEDIAN, Reached(0, started=2, waited=3)),
    ],
)
def test_the_textbook_example(text: str, share: Fraction, expected: Reached) -> None:
    """The product-limit estimate as it was published."""
    assert reached(share, read(text)) == expected


@pytest.mark.parametrize(
    ("first", "second"), [(Fraction(6, 7), Fraction(96, 119)), (Fraction(96, 119), Fraction(64, 85))]
)
def test_the_textbook_curve(first: Fraction, second: Fraction) -> None:
    """0.857 after 6 weeks, 0.807 after 7, 0.753 after 10: a share one part below a step waits for the next one."""
    step = {Fraction(6, 7): 6, Fraction(96, 119): 7, Fraction(64, 85): 10}
    hair = Fraction(1, 10**6)

    assert days(1 - first, read(TREATED)) == step[first]
    assert days(1 - first + hair, read(TREATED)) == step[second]


def by_the_book(waits: list[Wait], by: int) -> Fraction:
    """The share that still waits after so many days, as textbooks write it: the product of 1 - d / n over days.

    Of each day on which somebody started, d are those who started then, and n those who had waited at least so long.
    """
    left = Fraction(1)
    for day in {wait.days for wait in waits if wait.started and wait.days <= by}:
        started = sum(1 for wait in waits if wait == (day, True))
        left *= 1 - Fraction(started, sum(1 for wait in waits if wait.days >= day))
    return left


@given(WAITS, SHARES)
def test_it_is_the_first_day_on_which_the_textbooks_product_is_low_enough(waits: list[Wait], share: Fraction) -> None:
    """Looked for day by day; when the last day leaves too many, it is not reached."""
    low_enough = (day for day in range(61) if by_the_book(waits, day) <= 1 - share)
    assert reached(share, waits).days == next(low_enough, None)


def test_three_people_by_hand_and_what_becomes_of_it_when_the_one_who_waits_leaves() -> None:
    """2/3 are left after 10 days, and none, or 1/3, after 30: who stops after 20 or waits on changes nothing here.

    Once they have left the organisation, it is 1/2 after 10. Kaplan and Meier would count them up to that day.
    """
    enrolled = "2026-10-01"
    directory = [an_entry(each, enrolled_on=enrolled) for each in ("mentor-1", "mentor-2", "waits")]
    pairs = [a_pair(1, started_at="2026-10-11T09:00:00.000Z"), a_pair(2, started_at="2026-10-31T09:00:00.000Z")]
    stopped = [*directory[:2], an_entry("waits", enrolled_on=enrolled, enrolled_until="2026-10-21")]

    found = [
        estimate("2026-10", ways("2026-10", pairs, people), {}).median for people in (stopped, directory, directory[:2])
    ]

    assert found == [
        Reached(30, started=2, waited=1),
        Reached(30, started=2, waited=2),
        Reached(10, started=1, waited=2),
    ]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_with_nobody_waiting_it_is_the_plain_median(lengths: list[int]) -> None:
    """Nothing has to be estimated; of two in the middle it is the lower one."""
    assert days(MEDIAN, [Wait(each, started=True) for each in lengths]) == median_low(lengths)


@given(WAITS, st.integers(0, 60), SHARES)
def test_somebody_more_who_waits_never_shortens_it(waits: list[Wait], long: int, share: Fraction) -> None:
    """That is what leaving them out would do."""
    assert days(share, [*waits, Wait(long, started=False)]) >= days(share, waits)


@given(WAITS, st.integers(0, 60), st.integers(0, 30), SHARES)
def test_to_wait_on_never_shortens_it(waits: list[Wait], long: int, more: int, share: Fraction) -> None:
    """A month later, with nobody's start in between, nothing looks quicker."""
    then, later = ([*waits, Wait(each, started=False)] for each in (long, long + more))

    assert days(share, later) >= days(share, then)


@given(WAITS)
def test_nine_in_ten_take_no_less_than_half(waits: list[Wait]) -> None:
    """A larger share is reached later, or not yet."""
    assert days(NINETIETH, waits) >= days(MEDIAN, waits)


@given(WAITS, SHARES)
def test_what_stands_behind_a_time_is_counted(waits: list[Wait], share: Fraction) -> None:
    """So many started by then, and so many had waited at least so long."""
    found = reached(share, waits)
    if found.days is not None:
        assert found.started == sum(1 for wait in waits if wait.started and wait.days <= found.days)
        assert found.waited == sum(1 for wait in waits if wait.days >= found.days)


def test_ways_are_those_of_the_close() -> None:
    """What was done later is not known yet: to enrol, to start, to stop. A first start counts, a second does not."""
    directory = [
        an_entry("mentor-1", enrolled_on="2026-10-01"),
        an_entry("mentee-1", enrolled_on="2026-10-02", enrolled_until="2026-10-20"),
        an_entry("mentor-2", enrolled_on="2026-10-03"),
        an_entry("stopped", enrolled_on="2026-10-04", enrolled_until="2026-10-31"),
        an_entry("stops-later", enrolled_on="2026-10-05", enrolled_until="2026-11-01"),
        an_entry("enrols-later", enrolled_on="2026-11-01"),
        an_entry("never"),
    ]
    pairs = [
        a_pair(1, started_at=OCTOBER_6),
        a_pair(2, mentee="mentee-1", started_at="2026-11-01T00:00:00.000Z"),
        a_pair(3, mentor="mentor-1", started_at="2026-10-20T09:00:00.000Z"),
        a_pair(4),
    ]

    assert ways("2026-10", pairs, directory) == {
        "mentor-1": Way(date(2026, 10, 1), date(2026, 10, 6), None),
        "mentee-1": Way(date(2026, 10, 2), date(2026, 10, 6), None),
        "mentor-2": Way(date(2026, 10, 3), None, None),
        "stopped": Way(date(2026, 10, 4), None, date(2026, 10, 31)),
        "stops-later": Way(date(2026, 10, 5), None, None),
    }


def test_an_estimate_takes_those_who_wait_to_the_close_and_those_who_stopped_until_then() -> None:
    """Four people by the end of October: a start after 5 days, one after 10, somebody who waits, one who stopped.

    After 5 days 3 of 4 wait. The one who stopped after 7 is then left out, so after 10 days it is 3/4 of 1/2.
    """
    enrolled = date(2026, 10, 1)
    people = {
        "ada": Way(enrolled, enrolled + timedelta(days=5), None),
        "bea": Way(enrolled, enrolled + timedelta(days=10), None),
        "cid": Way(enrolled, None, None),
        "dan": Way(enrolled, None, enrolled + timedelta(days=7)),
    }
    before = {"ada": people["ada"], "bea": Way(enrolled, None, None), "cid": people["cid"]}

    found = estimate("2026-10", people, {"2026-09": before})

    assert found == Waits(4, Reached(10, started=2, waited=2), Reached(), {"2026-09": 2})
