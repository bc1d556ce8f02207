"""What the measures count."""

from datetime import date

from analytics.measures import STAGES, Cell, Counts, Dimension, Sessions, Stage, band_of, count, first_month
from analytics.months import closed_months
from analytics_people import Row, a_pair, an_entry

OCTOBER_6 = "2026-10-06T09:00:00.000Z"
HELD_IN_OCTOBER = {"outcome": "held", "month": "2026-10", "count": 2}


def totals(counts: Counts) -> list[int]:
    """Everybody, stage by stage."""
    return [counts.people.get(Cell(stage, Dimension.ALL, ""), 0) for stage in STAGES]


def test_funnel_is_nested() -> None:
    """One member of each kind: each counts at every stage up to the furthest, so later stages never exceed earlier."""
    members = [an_entry("nobody"), an_entry("enrolled", enrolled_on="2026-10-31")]
    pairs = [
        a_pair(1),
        a_pair(2, accepted_at=OCTOBER_6),
        a_pair(3, accepted_at=OCTOBER_6, started_at=OCTOBER_6),
        a_pair(4, accepted_at=OCTOBER_6, started_at=OCTOBER_6, sessions=[HELD_IN_OCTOBER]),
    ]

    counts = count("2026-10", pairs, members)

    assert totals(counts) == [10, 9, 8, 6, 4, 2]


def test_what_happened_after_the_close_does_not_count() -> None:
    """A step taken on the first day of the next month belongs to the next month."""
    november = "2026-11-01T00:00:00.000Z"
    pair = a_pair(1, accepted_at="2026-10-31T23:59:59.999Z", started_at=november)

    assert totals(count("2026-10", [pair], [])) == [2, 2, 2, 2, 0, 0]
    assert totals(count("2026-11", [pair], [])) == [2, 2, 2, 2, 2, 0]
    assert totals(count("2026-09", [pair], [])) == [0, 0, 0, 0, 0, 0]


def test_who_enrolled_by_the_close_stays_enrolled() -> None:
    """Like every other stage it was reached: a later enrolment counts later, and stopping takes nothing back."""
    members = [
        an_entry("ada", enrolled_on="2026-10-31"),
        an_entry("bea", enrolled_on="2026-10-01", enrolled_until="2026-10-20"),
        an_entry("cid", enrolled_on="2026-11-01"),
    ]

    assert totals(count("2026-10", [], members)) == [3, 2, 0, 0, 0, 0]
    assert totals(count("2026-11", [], members)) == [3, 3, 0, 0, 0, 0]


def test_those_who_wait_are_told_apart_by_how_long() -> None:
    """At the end of October: 28 and 29 days, 84 and 85, somebody who stopped, and a couple that has started."""
    members = [
        an_entry("four-weeks", enrolled_on="2026-10-04"),
        an_entry("a-day-more", enrolled_on="2026-10-03"),
        an_entry("twelve-weeks", enrolled_on="2026-08-09"),
        an_entry("longer", enrolled_on="2026-08-08"),
        an_entry("stopped", enrolled_on="2026-10-01", enrolled_until="2026-10-08"),
        an_entry("mentor-1", enrolled_on="2026-09-01"),
        an_entry("mentee-1", enrolled_on="2026-09-01"),
        an_entry("nobody"),
    ]

    counts = count("2026-10", [a_pair(1, accepted_at=OCTOBER_6, started_at=OCTOBER_6)], members)

    waits = {cell.group: people for cell, people in counts.waiting.items()}
    assert waits == {"": 4, "0-4": 1, "5-12": 2, "13-": 1}


def test_person_counts_once() -> None:
    """Somebody with two mentorships counts once, at the further stage."""
    pairs = [a_pair(1, mentor="ada"), a_pair(2, mentor="ada", accepted_at=OCTOBER_6)]

    assert totals(count("2026-10", pairs, [])) == [3, 3, 3, 2, 0, 0]


def test_groups_are_those_of_the_first_proposal() -> None:
    """A participant who moved keeps the level and unit that were frozen at their first proposal."""
    later = a_pair(
        2, mentor="ada", mentor_bands={"level": 7, "unit": "finance"}, proposed_at="2026-10-09T09:00:00.000Z"
    )
    first = a_pair(1, mentor="ada")

    counts = count("2026-10", [later, first], [an_entry("ada", level=9, unit="board")])

    assert counts.people[Cell(Stage.PROPOSED, Dimension.UNIT, "retail")] == 1
    assert counts.people[Cell(Stage.PROPOSED, Dimension.LEVEL, "1-3")] == 1
    assert Cell(Stage.ELIGIBLE, Dimension.UNIT, "board") not in counts.people


def test_groups_add_up_to_everybody() -> None:
    """Each breakdown is a partition: at every stage its groups add up to the total."""
    pairs = [a_pair(number, accepted_at=OCTOBER_6 if number % 2 else None) for number in range(5)]
    directory = [
        an_entry(
            f"m{number}", level=1 + number, unit=f"u{number % 3}", enrolled_on="2026-10-02" if number < 7 else None
        )
        for number in range(12)
    ]

    counts = count("2026-10", pairs, directory)

    for stage, total in zip(STAGES, totals(counts), strict=True):
        for dimension in (Dimension.LEVEL, Dimension.UNIT):
            parts = [n for cell, n in counts.people.items() if cell.stage == stage and cell.dimension == dimension]
            assert sum(parts) == total


def test_sessions_of_the_month_with_their_pairs() -> None:
    """Sessions are counted in their own month, with the number of pairs behind them."""
    sessions: list[Row] = [
        HELD_IN_OCTOBER,
        {"outcome": "held", "month": "2026-09", "count": 7},
        {"outcome": "cancelled", "month": "2026-10", "count": 1},
    ]
    pairs = [a_pair(1, sessions=sessions), a_pair(2, sessions=[HELD_IN_OCTOBER])]

    counts = count("2026-10", pairs, [])

    assert counts.held == Sessions(count=4, pairs=2)
    assert counts.cancelled == Sessions(count=1, pairs=1)


def test_running_month_is_not_closed() -> None:
    """Months close when the next one begins, also over the end of a year."""
    assert closed_months("2026-11", date(2027, 2, 1)) == ["2026-11", "2026-12", "2027-01"]
    assert closed_months("2026-11", date(2026, 11, 30)) == []


def test_first_month_is_that_of_the_oldest_row() -> None:
    """Nothing known, nothing to report; otherwise the oldest row says where to begin."""
    assert first_month([], []) is None
    assert first_month([a_pair(1, proposed_at="2026-08-31T23:00:00.000Z")], [an_entry("ada")]) == "2026-08"


def test_levels_fall_into_bands() -> None:
    """Twelve levels make four bands; anything else is not known."""
    assert [band_of(level) for level in (1, 3, 4, 9, 12, 13)] == ["1-3", "1-3", "4-6", "7-9", "10-12", "unknown"]
