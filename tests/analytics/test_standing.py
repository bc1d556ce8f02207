"""Sessions asked for, and times: what is shown of them, and what no two months beside each other tell."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import pytest
from analytics.cadence import AskedFor
from analytics.disclosure import K, Report, publish
from analytics.inference import rounded
from analytics.measures import Cell, Dimension, Stage, count
from analytics.standing import PROTECTED, Asked, Time, Times, asked, times
from analytics.waiting import Reached, Waits
from analytics_attacker import Attacker
from analytics_people import Row, a_pair, an_entry
from hypothesis import given, settings
from hypothesis import strategies as st

MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")
NOT_REACHED = Time(shown=True)
EVERYBODY = Cell(Stage.STARTED, Dimension.ALL, "")


def pairs(sessions: int, number: int = 5, **changed: int) -> AskedFor:
    """What so many pairs asked for; `changed` says by month (`m2026_09`) how many asked otherwise."""
    return AskedFor(
        Fraction(sessions), number, {month[1:].replace("_", "-"): pairs for month, pairs in changed.items()}
    )


def people(number: int, days: int | None, *, started: int = 5, waited: int = 5) -> Waits:
    """An estimate whose median is that."""
    median = Reached() if days is None else Reached(days, started, waited)
    return Waits(number, median, Reached())


@pytest.mark.parametrize(
    ("sessions", "number", "expected"), [(22, 5, 20), (23, 5, 25), (40, 4, None), (4, 5, None), (0, 0, None)]
)
def test_sessions_asked_for_need_five_pairs(sessions: int, number: int, expected: int | None) -> None:
    """Rounded to five, from five up, of at least five pairs."""
    assert asked(pairs(sessions, number), "2026-10", {}, K).shown == expected


def test_a_month_repeats_the_newest_from_which_fewer_than_five_pairs_differ() -> None:
    """Also when it is not the one before: what came between would otherwise be a detour around the rule."""
    known = {"2026-09": Asked(20, "2026-09"), "2026-10": Asked(40, "2026-10"), "2026-11": Asked(40, "2026-10")}

    def next_one(september: int, october: int) -> Asked:
        found = pairs(32, 20, m2026_09=september, m2026_10=october, m2026_11=9)
        return asked(found, "2026-12", known, K)

    assert next_one(5, 5) == Asked(30, "2026-12")
    assert next_one(5, 4) == Asked(40, "2026-10")
    assert next_one(4, 5) == Asked(20, "2026-09")
    assert next_one(0, 4) == Asked(40, "2026-10")


def test_a_hidden_month_is_not_repeated() -> None:
    """Nobody saw it."""
    assert asked(pairs(32, 20, m2026_09=1), "2026-10", {"2026-09": Asked()}, K) == Asked(30, "2026-10")


@pytest.mark.parametrize(
    ("found", "base", "expected"),
    [
        (people(60, 35), 60, Time(shown=True, weeks=5)),
        (people(60, 36), 60, Time(shown=True, weeks=6)),
        (people(60, 0), 60, Time(shown=True, weeks=1)),
        (people(60, None), 60, NOT_REACHED),
        (people(20, 35), 20, Time(shown=True, weeks=5)),
        (people(20, 35), 15, PROTECTED),
        (people(9, 35), 20, PROTECTED),
        (people(60, None), None, PROTECTED),
        (people(60, 35, started=4), 60, PROTECTED),
        (people(60, 35, waited=4), 60, PROTECTED),
    ],
)
def test_a_median_needs_people_on_both_sides(found: Waits, base: int | None, expected: Time) -> None:
    """In weeks that have begun, of 20 shown people and 10 real ones, 5 before it and 5 behind it."""
    assert times(found, "2026-10", {}, base, K).median == expected


@pytest.mark.parametrize(
    ("number", "base", "expected"), [(60, 60, NOT_REACHED), (60, 55, PROTECTED), (49, 60, PROTECTED)]
)
def test_nine_in_ten_need_five_in_the_tenth(number: int, base: int, expected: Time) -> None:
    """A tenth of fewer than fifty people is fewer than five."""
    assert times(people(number, None), "2026-10", {}, base, K).ninetieth == expected


def test_times_repeat_as_sessions_do_and_are_hidden_with_their_base() -> None:
    """Four people started, so the earlier weeks stand; without a base nothing is shown, and nothing is forgotten."""
    known = {"2026-09": Times(Time(shown=True, weeks=3), NOT_REACHED, "2026-09"), "2026-10": Times()}
    found = Waits(60, Reached(70, 30, 30), Reached(), {"2026-09": 4, "2026-10": 60})

    assert times(found, "2026-11", known, 60, K) == known["2026-09"]
    assert times(found, "2026-11", known, 25, K) == Times(Time(shown=True, weeks=3), PROTECTED, "2026-09")
    assert times(found, "2026-11", known, None, K) == Times()


# --- Somebody who lays all months beside each other -------------------------------------------------------------------

FIRST = date(2026, 8, 20)
LAST = date(2026, 12, 31)
DAYS = st.integers(0, (LAST - FIRST).days).map(lambda days: FIRST + timedelta(days=days))
Life = tuple[str, date, date | None, date | None]
"""Cadence, and the days of starting, of pausing for good and of ending."""
LIVES = st.lists(
    st.tuples(st.sampled_from(("weekly", "monthly")), DAYS, st.none() | DAYS, st.none() | DAYS), min_size=4, max_size=24
)
IDLE = st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=12)


def rows(lives: Sequence[Life], idle: Sequence[tuple[date, date | None]]) -> tuple[list[Row], list[Row]]:
    """Pairs of people of two levels who enrolled some weeks before they started, and people who never start."""
    mentorships, directory = [], []
    for number, (cadence, started, paused, ended) in enumerate(lives):
        mentorships.append(
            a_pair(
                number,
                cadence=cadence,
                proposed_at=f"{started}T08:00:00.000Z",
                started_at=f"{started}T09:00:00.000Z",
                paused_on=str(paused) if paused and started <= paused else None,
                ended_at=f"{ended}T09:00:00.000Z" if ended and started <= ended else None,
            )
        )
        enrolled_on = str(started - timedelta(days=3 * number))
        directory += [an_entry(f"{side}-{number}", enrolled_on=enrolled_on) for side in ("mentor", "mentee")]
    for number, (enrolled, stopped) in enumerate(idle):
        until = str(stopped) if stopped and enrolled <= stopped else None
        directory.append(an_entry(f"idle-{number}", enrolled_on=str(enrolled), enrolled_until=until))
    return mentorships, directory


def published(mentorships: list[Row], directory: list[Row]) -> list[Report]:
    """The reports of all months."""
    reports: list[Report] = []
    for month in MONTHS:
        counts = count(month, mentorships, directory, [report.period for report in reports])
        reports.append(publish(counts, reports))
    return reports


class Shown(NamedTuple):
    """What one month shows of sessions asked for and of everybody's times."""

    period: str
    asked: Asked
    times: Times


def shown(mentorships: list[Row], directory: list[Row]) -> list[Shown]:
    """All months, without the search among people at each stage, which takes longer and changes nothing here."""
    found: list[Shown] = []
    for month in MONTHS:
        counts = count(month, mentorships, directory, [each.period for each in found])
        waits = counts.waits.get(EVERYBODY, Waits())
        earlier = {each.period: each.times for each in found}
        base = rounded(waits.people, K)
        sessions = asked(counts.asked, month, {each.period: each.asked for each in found}, K)
        found.append(Shown(month, sessions, times(waits, month, earlier, base, K)))
    return found


def part_run(row: Row, month: str) -> tuple[int, int]:
    """On how many days of a month a pair ran, and of how many: day by day, as nobody else counts them."""
    first = date.fromisoformat(f"{month}-01")
    days = [first + timedelta(days=each) for each in range(31) if (first + timedelta(days=each)).month == first.month]
    started, ended = date.fromisoformat(row["started_at"][:10]), row["ended_at"]
    ran = [
        day
        for day in days
        if started <= day
        and not (ended and date.fromisoformat(ended[:10]) <= day)
        and not (row["paused_on"] and date.fromisoformat(row["paused_on"]) <= day)
    ]
    return len(ran), len(days)


def known_of(member: Row, starts: dict[str, str], month: str) -> tuple[str | None, ...]:
    """What had happened to a person by the end of a month."""
    enrolled, started, stopped = member["enrolled_on"], starts.get(member["_id"]), member["enrolled_until"]
    if enrolled[:7] > month:
        return (None,)
    if started and started[:7] <= month:
        return enrolled, started[:10]
    return enrolled, None, stopped if stopped and stopped[:7] <= month else None


def pairs_that_differ(mentorships: list[Row], one: str, other: str) -> int:
    """Pairs that ran on another part of one month than of another."""
    parts = [[Fraction(*part_run(row, month)) for month in (one, other)] for row in mentorships]
    return sum(before != after for before, after in parts)


def people_who_differ(mentorships: list[Row], directory: list[Row], one: str, other: str) -> int:
    """People of whom something else was known at the end of one month than at that of another."""
    starts = {row[side]: row["started_at"] for row in mentorships for side in ("mentor", "mentee")}
    return sum(known_of(each, starts, one) != known_of(each, starts, other) for each in directory)


def moved_times(one: Times, other: Times) -> bool:
    """Whether a reader sees some time in one month and another in its place in the other."""
    both = ((one.median, other.median), (one.ninetieth, other.ninetieth))
    return any(before.shown and after.shown and before != after for before, after in both)


@settings(max_examples=100, deadline=None)
@given(LIVES, IDLE)
def test_different_figures_are_of_five_who_differ(lives: list[Life], idle: list[tuple[date, date | None]]) -> None:
    """The attacker subtracts each figure from each other one: where they differ, at least five pairs or people did.

    A figure is that of its own month, or stands for an earlier one; single steps add up until they may be shown.
    """
    mentorships, directory = rows(lives, idle)

    for one, other in combinations(shown(mentorships, directory), 2):
        if one.asked.since and other.asked.since and one.asked.shown != other.asked.shown:
            assert pairs_that_differ(mentorships, one.asked.since, other.asked.since) >= 5
        if one.times.since and other.times.since and moved_times(one.times, other.times):
            assert people_who_differ(mentorships, directory, one.times.since, other.times.since) >= 5


@settings(max_examples=100, deadline=None)
@given(LIVES, IDLE)
def test_a_figure_stands_for_a_month_from_which_fewer_than_five_differ(
    lives: list[Life], idle: list[tuple[date, date | None]]
) -> None:
    """So it is never further off than that: what stands for another month is one that looked nearly the same."""
    mentorships, directory = rows(lives, idle)

    for month in shown(mentorships, directory):
        if month.asked.since not in {None, month.period}:
            assert pairs_that_differ(mentorships, str(month.asked.since), month.period) < 5
        if month.times.since not in {None, month.period}:
            assert people_who_differ(mentorships, directory, str(month.times.since), month.period) < 5


@settings(max_examples=30, deadline=None)
@given(LIVES, IDLE)
def test_what_is_shown_stands_for_enough(lives: list[Life], idle: list[tuple[date, date | None]]) -> None:
    """Five pairs that ran; of times, twenty enrolled people, and some who came so far, as the same report shows.

    And whoever works out from "not reached yet" that fewer than half have started can tell no small group by it.
    """
    mentorships, directory = rows(lives, idle)
    reports = published(mentorships, directory)
    attacker = Attacker([{cell: each.shown for cell, each in report.figures.items()} for report in reports])

    for number, report in enumerate(reports):
        if report.asked.shown is not None:
            assert sum(part_run(row, report.period)[0] > 0 for row in mentorships) >= 5
        for cell, figure in report.times.items():
            if figure.median.shown or figure.ninetieth.shown:
                enrolled, met = (cell._replace(stage=stage) for stage in (Stage.ENROLLED, Stage.MET))
                assert (report.figures[enrolled].shown or 0) >= 20
                assert (report.figures[cell].shown or report.figures[met].shown or 0) >= 5
                if figure.median == NOT_REACHED and figure.since == report.period:
                    attacker.compare_shares(number, cell, enrolled)
    assert attacker.isolated([report.people.counts for report in reports]) == []


def test_the_attacker_finds_figures_to_subtract() -> None:
    """Thirty pairs of which ten start each month: every figure above is shown, and moves."""
    lives = [("weekly", date(2026, month, 3), None, None) for month in (9, 10, 11) for _ in range(10)]

    reports = published(*rows(lives, []))

    assert [report.asked.shown for report in reports] == [40, 85, 125, 135]
    assert [report.times[EVERYBODY].median.shown for report in reports] == [True] * 4
    assert len({report.times[EVERYBODY].median for report in reports}) > 1
