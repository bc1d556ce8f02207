"""Reports of taking part: how long the gate takes to make one, and what tables give away: `make bench-insights`.

Made-up companies live through a year; each month's counts go through the gate with all reports before. Then the
counts of one month are shown in three ways, and an attacker who shares no code with the gate says which groups of one
to four people each of them gives away:

- counts under five are hidden, as many dashboards do;
- and where a breakdown hides one count alone, its next smallest is hidden too, so that no total tells it;
- what the gate shows.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from analytics.disclosure import K, Report, publish
from analytics.inference import rounded
from analytics.measures import STAGES, Cell, Counts, Dimension, Stage
from analytics.waiting import WAITS
from analytics_attacker import Attacker
from analytics_people import Person, counts_of

_LEVELS = {"1-3": 45, "4-6": 35, "7-9": 15, "10-12": 5}  # percent of people
_TEMPOS = (0.04, 0.1, 0.2)  # share of the people who come a stage further in a month
_SMALL = (40, 150)  # people of the companies that are attacked
_BEFORE = 6  # months in which they have come so far as the tables show
_ATTACKED = 200
Shown = dict[Cell, int | None]


def life(size: int, units: int, months: int, seed: int) -> list[Counts]:
    """The true counts of each month of a company, in which people come and get further."""
    chance = random.Random(seed)  # noqa: S311 - made-up people
    weights = [1 / (number + 1) ** chance.choice((0.0, 0.5, 1.0)) for number in range(units)]

    def somebody() -> Person:
        level = chance.choices([*_LEVELS], [*_LEVELS.values()])[0]
        return Person(level, f"unit-{chance.choices(range(units), weights)[0]}", Stage.ELIGIBLE)

    people = [somebody() for _ in range(size)]
    waited = [0] * size
    found = []
    for month in range(months):
        tempo = _TEMPOS[seed % len(_TEMPOS)] * chance.uniform(0.3, 1.7)
        for number, person in enumerate(people):
            if person.stage is not Stage.MET and chance.random() < tempo:
                furthest = STAGES.index(person.stage) + chance.choice((1, 1, 1, 2, 3))
                person.stage = STAGES[min(furthest, len(STAGES) - 1)]
            waited[number] += person.stage is not Stage.ELIGIBLE
            person.wait = [*WAITS][min(waited[number] // 2, len(WAITS) - 1)]
        newcomers = chance.choice((0, 0, 1, 3))
        people += [somebody() for _ in range(newcomers)]
        waited += [0] * newcomers
        found.append(counts_of(f"2026-{month + 1:02d}", people))
    return found


def reports_of(months: Sequence[Counts]) -> tuple[list[Report], list[float]]:
    """All reports, and the processor's seconds that each of them took."""
    reports: list[Report] = []
    seconds = []
    for counts in months:
        began = time.process_time()
        reports.append(publish(counts, reports))
        seconds.append(time.process_time() - began)
    return reports, seconds


def small_hidden(counts: Mapping[Cell, int]) -> Shown:
    """From five people up, rounded."""
    return {cell: rounded(count, K) for cell, count in counts.items()}


def next_smallest_hidden(counts: Mapping[Cell, int]) -> Shown:
    """A second one too, where one count of a breakdown is hidden alone."""
    shown = small_hidden(counts)
    for stage in STAGES:
        for dimension in (Dimension.LEVEL, Dimension.UNIT):
            cells = [cell for cell in shown if (cell.stage, cell.dimension) == (stage, dimension)]
            left = [cell for cell in cells if shown[cell] is not None]
            if len(cells) - len(left) == 1 and left:
                shown[min(left, key=lambda cell: counts[cell])] = None
    return shown


def gated(counts: Mapping[Cell, int]) -> Shown:
    """What a report without earlier ones shows."""
    nothing = counts_of("2026-01", [])
    alone = Counts("2026-01", counts, nothing.held, nothing.cancelled, nothing.waiting, nothing.asked, {})
    return {cell: figure.shown for cell, figure in publish(alone, []).figures.items()}


def time_reports(companies: int, months: int) -> None:
    """Print how long reports take."""
    print(f"\nreports of a company of 400 people through {months} months, {companies} companies; seconds of one core")
    print(f"{'units':>6} {'half of the reports':>20} {'the slowest':>12} {'figures shown':>14}")
    for units in (8, 30):
        took: list[float] = []
        shown = every = 0
        for seed in range(companies):
            reports, seconds = reports_of(life(400, units, months, seed))
            took += seconds
            figures = [figure.shown for report in reports for figure in report.figures.values()]
            shown, every = shown + sum(each is not None for each in figures), every + len(figures)
        print(f"{units:>6} {median(took):>20.2f} {max(took):>12.2f} {shown / every:>13.0%}")


def attack() -> int:
    """Print what each way of showing gives away; how many groups the gate does."""
    ways: dict[str, Callable[[Mapping[Cell, int]], Shown]] = {
        "counts under five hidden": small_hidden,
        "and the next smallest": next_smallest_hidden,
        "the gate": gated,
    }
    told = dict.fromkeys(ways, 0)
    tables = dict.fromkeys(ways, 0)
    shown = dict.fromkeys(ways, 0)
    chance = random.Random(0)  # noqa: S311 - made-up people
    for seed in range(_ATTACKED):
        counts = life(chance.randint(*_SMALL), chance.randint(3, 8), _BEFORE, seed)[-1]
        for way, show in ways.items():
            table = show(counts.people)
            groups = Attacker([table]).isolated([counts.people])
            told[way] += len(groups)
            tables[way] += bool(groups)
            shown[way] += sum(each is not None for each in table.values())
    print(f"\ngroups of one to four people that an attacker can tell for sure, in {_ATTACKED} tables of one month")
    print(f"{'':>26} {'groups':>7} {'tables':>7} {'figures shown':>14}")
    for way in ways:
        print(f"{way:>26} {told[way]:>7} {tables[way]:>7} {shown[way]:>14}")
    return told["the gate"]


def main() -> int:
    """Print both; the exit code is 1 when the gate gives something away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=3)
    parser.add_argument("--months", type=int, default=12)
    asked = parser.parse_args()
    told = attack()
    time_reports(asked.companies, asked.months)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
