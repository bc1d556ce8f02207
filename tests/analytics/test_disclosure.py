"""The gate: what readers see, and what they can't work out from all of it together."""

from collections.abc import Mapping

import pytest
from analytics.disclosure import K, Report, percentage, publish
from analytics.inference import behind, rounded
from analytics.measures import STAGES, Cell, Counts, Dimension, Sessions, Stage
from analytics.waiting import WAITS
from analytics_attacker import Attacker
from analytics_people import NO_SESSIONS, NOTHING_ASKED, Person, counts_of
from hypothesis import given, settings
from hypothesis import strategies as st

LEVELS, UNITS = ("1-3", "4-6", "7-9"), ("finance", "it", "retail")
STANDS = (*WAITS, None)
PEOPLE = st.lists(
    st.builds(
        Person, st.sampled_from(LEVELS), st.sampled_from(UNITS), st.sampled_from(STAGES), st.sampled_from(STANDS)
    ),
    min_size=1,
    max_size=45,
)
STEPS = st.lists(st.lists(st.integers(0, 44), max_size=20), min_size=1, max_size=2)


def a_company(size: int, stage: Stage = Stage.ELIGIBLE) -> list[Person]:
    """People of one level and one unit who all reached the same stage."""
    return [Person("1-3", "retail", stage) for _ in range(size)]


def shown(report: Report, stage: Stage, dimension: Dimension = Dimension.ALL, group: str = "") -> int | None:
    """What readers see in one cell."""
    return report.figures[Cell(stage, dimension, group)].shown


def visible(report: Report) -> dict[Cell, int | None]:
    """People by how far they came, as readers see them."""
    return {cell: figure.shown for cell, figure in report.people.figures.items()}


def visible_waits(report: Report) -> dict[Cell, int | None]:
    """People by how long they wait, as readers see them."""
    return {cell: figure.shown for cell, figure in report.waiting.figures.items()}


def rounded_alone(counts: Counts) -> tuple[dict[Cell, int | None], dict[Cell, int | None]]:
    """Both tables with nothing hidden but what is small."""
    people, waiting = (
        {cell: rounded(each, K) for cell, each in table.items()} for table in (counts.people, counts.waiting)
    )
    return people, waiting


def laid_beside(people: Mapping[Cell, int | None], waiting: Mapping[Cell, int | None]) -> Attacker:
    """An attacker with both tables of one month."""
    attacker = Attacker([people])
    attacker.compare(Attacker([waiting]))
    return attacker


def stopped(counts: Counts) -> int:
    """How many enrolled people neither wait nor have started."""
    enrolled, started = (counts.people[Cell(stage, Dimension.ALL, "")] for stage in (Stage.ENROLLED, Stage.STARTED))
    return enrolled - started - counts.waiting[Cell(Stage.ENROLLED, Dimension.ALL, "")]


def history(people: list[Person], steps: list[list[int]]) -> tuple[list[Report], list[Counts]]:
    """Publish a month before and after each list of people who go one stage further, and wait for something else."""
    reports: list[Report] = []
    truth: list[Counts] = []
    for month, movers in enumerate([[], *steps], start=1):
        for mover in movers:
            if mover < len(people) and people[mover].stage is not Stage.MET:
                people[mover].stage = STAGES[STAGES.index(people[mover].stage) + 1]
                people[mover].wait = STANDS[(STANDS.index(people[mover].wait) + mover) % len(STANDS)]
        truth.append(counts_of(f"2026-{month:02d}", people))
        reports.append(publish(truth[-1], reports))
    return reports, truth


@pytest.mark.parametrize(
    ("count", "expected"), [(0, None), (4, None), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (102, 100)]
)
def test_counts_are_rounded_to_five_from_five_up(count: int, expected: int | None) -> None:
    """Below five nothing is shown, zero included, so that "protected" does not mean "some, but few"."""
    assert rounded(count, K) == expected


@given(st.integers(5, 10_000))
def test_a_figure_stands_for_the_counts_that_round_to_it(count: int) -> None:
    """What a reader may conclude from one figure always includes the true count."""
    figure = rounded(count, K)

    assert figure is not None
    low, high = behind(figure, K)
    assert low <= count <= high
    assert high - low >= 2


@pytest.mark.parametrize(
    ("part", "base", "expected"), [(5, 15, None), (5, 20, 25), (None, 100, None), (5, None, None), (20, 20, 100)]
)
def test_percentages_need_a_base_of_twenty(part: int | None, base: int | None, expected: int | None) -> None:
    """Percentages come from shown figures alone, and only over at least twenty people."""
    assert percentage(part, base) == expected


def test_a_change_of_fewer_than_five_is_not_shown() -> None:
    """12 people, then 13: the earlier figure stands, although 13 alone would be shown as 15; 17 moves it."""
    first = publish(counts_of("2026-10", a_company(12)), [])
    second = publish(counts_of("2026-11", a_company(13)), [first])
    third = publish(counts_of("2026-12", a_company(17)), [first, second])

    assert [shown(report, Stage.ELIGIBLE) for report in (first, second, third)] == [10, 10, 15]


def test_small_steps_add_up_until_they_may_be_shown() -> None:
    """Two people more each month: the figure moves when the sixth newcomer is there, not by single months."""
    reports: list[Report] = []
    for month, size in enumerate((20, 22, 24, 26, 28), start=1):
        reports.append(publish(counts_of(f"2026-{month:02d}", a_company(size)), reports))

    assert [shown(report, Stage.ELIGIBLE) for report in reports] == [20, 20, 20, 25, 25]


def test_an_unchanged_month_publishes_the_same_figures() -> None:
    """Nothing happened, so nothing moves."""
    people = a_company(30, Stage.STARTED) + [Person("4-6", "it", Stage.MET) for _ in range(9)]
    first = publish(counts_of("2026-10", people), [])

    assert visible(publish(counts_of("2026-11", people), [first])) == visible(first)


def test_sessions_need_five_pairs() -> None:
    """Forty sessions of four pairs are hidden, six of five pairs are shown."""

    def published(held: Sessions) -> int | None:
        return publish(Counts("2026-10", {}, held, NO_SESSIONS, {}, NOTHING_ASKED, {}), []).held

    assert published(Sessions(count=40, pairs=4)) is None
    assert published(Sessions(count=6, pairs=5)) == 5


def test_a_tenant_may_be_stricter() -> None:
    """With k = 10, nine people are not shown."""
    report = publish(counts_of("2026-10", a_company(9)), [], k=10)

    assert shown(report, Stage.ELIGIBLE) is None


def test_hides_more_when_a_small_group_could_be_worked_out() -> None:
    """Twelve people whose totals pin each other down: what rounding alone would show isolates; the gate hides it."""
    company = [Person("1-3", "retail", Stage.ELIGIBLE) for _ in range(7)] + [
        Person("4-6", unit, Stage.ELIGIBLE) for unit in ("it", "it", "it", "it")
    ]
    counts = counts_of("2026-10", company)
    exact: Mapping[Cell, int | None] = {cell: count if count >= 5 else None for cell, count in counts.people.items()}

    assert Attacker([exact], rounding=1).isolated([counts.people])
    assert not Attacker([visible(publish(counts, []))]).isolated([counts.people])


def test_those_who_wait_are_laid_beside_the_others() -> None:
    """Of 16, 8 wait, 3 have started, 5 have met too: each table alone hides the 3, both as rounded tell 1 to 4.

    15 enrolled are 17 at most and 10 who wait are 8 at least, so at most 9 have started; 10 that have are 8 at least,
    and 5 that have met are 7 at most.
    """
    company = [Person("1-3", "finance", Stage.ENROLLED) for _ in range(8)]
    company += [Person("1-3", "finance", Stage.STARTED) for _ in range(3)]
    company += [Person("1-3", "finance", Stage.MET) for _ in range(5)]
    counts = counts_of("2026-10", company)

    def told(people: Mapping[Cell, int | None], waiting: Mapping[Cell, int | None]) -> bool:
        return laid_beside(people, waiting).isolated([counts.people]) != []

    report = publish(counts, [])
    assert told(*rounded_alone(counts))
    assert not told(visible(report), visible_waits(report))


def test_those_who_stopped_before_a_start_are_a_group_as_well() -> None:
    """Of 38 people 21 wait, 14 have started, and 3 stopped before. No table counts the 3, rounded ones tell 2 to 4.

    Levels of 7, 7, 12 and 12 are shown as 5, 5, 10 and 10: that is 38 at most, and 40 in all is 38 at least. Those who
    wait for 5, 8 and 8 are 21 at least, and 20 in all is 22 at most. Two units of 7 who started are 14 at most, and 15
    in all is 13 at least.
    """
    company = [Person("1-3", "finance", Stage.STARTED) for _ in range(7)]
    company += [Person("4-6", "it", Stage.STARTED) for _ in range(7)]
    stands = [None] * 3 + ["0-4"] * 5 + ["5-12"] * 8 + ["13-"] * 8
    company += [Person("7-9", "finance", Stage.ENROLLED, stand) for stand in stands[:12]]
    company += [Person("10-12", "it", Stage.ENROLLED, stand) for stand in stands[12:]]
    counts = counts_of("2026-10", company)

    def told(people: Mapping[Cell, int | None], waiting: Mapping[Cell, int | None]) -> bool:
        return laid_beside(people, waiting).gone_before_a_start([3]) != []

    report = publish(counts, [])
    assert stopped(counts) == 3
    assert told(*rounded_alone(counts))
    assert not told(visible(report), visible_waits(report))


def test_a_stricter_k_asks_nothing_anew_of_earlier_months() -> None:
    """Seven people were shown under k = 5. That is no reason to hide larger groups when k has become 10."""
    people = [*a_company(60), *(Person("4-6", "it", Stage.ENROLLED) for _ in range(7))]
    first = publish(counts_of("2026-10", people), [])
    second = publish(counts_of("2026-11", people), [first], k=10)

    assert [shown(report, Stage.ELIGIBLE, Dimension.LEVEL, "4-6") for report in (first, second)] == [5, None]
    assert [shown(report, Stage.ELIGIBLE) for report in (first, second)] == [65, 65]


@settings(max_examples=30, deadline=None)
@given(PEOPLE, STEPS)
def test_nobody_can_isolate_a_small_group(people: list[Person], steps: list[list[int]]) -> None:
    """An attacker with all months, all margins and all rules is never certain of a group of one to four, nor wrong.

    And what is shown was true of at least five people, is a multiple of five, and is off by at most six.
    """
    reports, truth = history(people, steps)

    attacker = Attacker([visible(report) for report in reports])
    beside = Attacker([visible_waits(report) for report in reports])
    attacker.compare(beside)

    assert attacker.isolated([counts.people for counts in truth]) == []
    assert beside.isolated([counts.waiting for counts in truth]) == []
    assert attacker.gone_before_a_start([stopped(counts) for counts in truth]) == []
    assert attacker.mistaken([counts.people for counts in truth]) == []
    assert beside.mistaken([counts.waiting for counts in truth]) == []
    for report, counts in zip(reports, truth, strict=True):
        for table, true in ((report.people, counts.people), (report.waiting, counts.waiting)):
            for cell, figure in table.figures.items():
                if figure.shown is not None:
                    assert figure.shown >= 5
                    assert figure.shown % 5 == 0
                    assert abs(figure.shown - true[cell]) <= 6
