"""The one gate between true figures and readers: page, JSON and CSV show what it lets through and nothing else.

Pure. A figure is shown only from k people up, rounded to 5. It moves from one month to the next only by 0 or by at
least k people; otherwise the earlier figure stands. Then the gate attacks its own table, with the month before
beside it: for each group of 1 to k-1 people that a reader might derive, it looks for another world that explains
every published figure and in which that group is empty or has at least k. While there is none, it hides more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from analytics.measures import EVERYONE, STAGES, Cell, Counts, Dimension, Period, Sessions, Stage
from analytics.worlds import UNBOUNDED, Term, Worlds

K: Final = 5  # a tenant may only be stricter
ROUNDING: Final = 5
PERCENTAGE_BASE: Final = 20
_GROWING: Final = frozenset({Stage.PROPOSED, Stage.ACCEPTED, Stage.STARTED, Stage.MET})  # nobody leaves these


@dataclass(frozen=True, slots=True)
class Figure:
    """One published cell.

    Attributes:
        shown: what readers see; None is "fewer than 5 or protected", which includes zero.
        basis: the true count behind the newest figure that was ever shown; private.
        since: the month in which that figure was first shown; None when it never was.
    """

    shown: int | None = None
    basis: int | None = None
    since: Period | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One month as published, with the true counts behind it, which stay private."""

    period: Period
    figures: Mapping[Cell, Figure]
    held: int | None
    cancelled: int | None
    counts: Mapping[Cell, int] = field(repr=False)


def rounded(count: int, k: int = K) -> int | None:
    """The count as a reader may see it when nothing else stands against it."""
    return (count + ROUNDING // 2) // ROUNDING * ROUNDING if count >= k else None


def behind(shown: int, k: int = K) -> tuple[int, int]:
    """The true counts that a shown figure can stand for."""
    return max(k, shown - ROUNDING // 2), shown + ROUNDING // 2


def percentage(part: int | None, base: int | None) -> int | None:
    """A whole percentage of two shown figures, so it tells no more than they do; None under a base of 20."""
    if part is None or base is None or base < PERCENTAGE_BASE:
        return None
    return min(100, round(100 * part / base))


def publish(counts: Counts, before: Report | None, k: int = K) -> Report:
    """Decide what readers may see of one month, given what they saw of the month before."""
    figures = {cell: _carried(count, cell, counts.period, before, k) for cell, count in counts.people.items()}
    return Report(
        period=counts.period,
        figures=_protected(counts, figures, before, k),
        held=_sessions(counts.held, k),
        cancelled=_sessions(counts.cancelled, k),
        counts=counts.people,
    )


def _sessions(sessions: Sessions, k: int) -> int | None:
    """Sessions are shown only when k of them, by k different pairs, stand behind the figure."""
    return rounded(sessions.count, k) if sessions.pairs >= k else None


def _carried(count: int, cell: Cell, period: Period, before: Report | None, k: int) -> Figure:
    earlier = before.figures.get(cell, Figure()) if before else Figure()
    if earlier.basis is not None and abs(count - earlier.basis) < k:
        return Figure(rounded(earlier.basis, k), earlier.basis, earlier.since)
    if (shown := rounded(count, k)) is None:
        return Figure()
    return Figure(shown, count, period)


class _Question(NamedTuple):
    """A group that a reader might derive, of 1 to k-1 people: which cells it is made of, and their sum."""

    name: str
    cells: tuple[Cell, ...]
    terms: tuple[Term, ...]


def _protected(counts: Counts, figures: dict[Cell, Figure], before: Report | None, k: int) -> dict[Cell, Figure]:
    """Hide further figures until no small group can be told for sure."""
    settled: set[tuple[str, tuple[Cell, ...]]] = set()  # hiding more only adds worlds, so an answer stays true
    while True:
        model = _Model(counts, figures, before, k)
        asked = [question for question in model.questions() if question[:2] not in settled]
        unsafe = [question for question in asked if not model.deniable(question)]
        settled |= {question[:2] for question in asked} - {question[:2] for question in unsafe}
        hidden = {cell for question in unsafe if (cell := _next_to_hide(question, figures, counts))}
        if not hidden:
            return figures
        for cell in hidden:
            figures[cell] = Figure(None, figures[cell].basis, figures[cell].since)


def _next_to_hide(question: _Question, figures: Mapping[Cell, Figure], counts: Counts) -> Cell | None:
    """The least costly figure near the question: same stage, same breakdown, smallest count, totals last."""
    about = question.cells[0]

    def cost(cell: Cell) -> tuple[int, bool, bool, int, Cell]:
        distance = abs(STAGES.index(cell.stage) - STAGES.index(about.stage))
        total = cell.dimension is Dimension.ALL
        return distance, total, cell.dimension is not about.dimension, counts.people[cell], cell

    return min((cell for cell, figure in figures.items() if figure.shown is not None), key=cost, default=None)


class _Model:
    """What a reader knows who kept last month's report and has read this module."""

    def __init__(self, counts: Counts, figures: Mapping[Cell, Figure], before: Report | None, k: int) -> None:
        self._k = k
        self._worlds = Worlds()
        self._period = counts.period
        self._people = counts.people
        self._before = before or Report("", {}, None, None, {})
        self._now = self._variables(self._people)
        self._then = self._variables(self._before.counts)
        self._tie_months()
        for cell in self._now | self._then:
            self._tie_to_figures(cell, figures.get(cell, Figure()), self._before.figures.get(cell, Figure()))

    def questions(self) -> Iterator[_Question]:
        """Every group of 1 to k-1 people that single figures or differences of related figures describe."""
        for cell, count in self._people.items():
            now = self._now[cell]
            yield from self._question("group", (cell,), ((now, 1),), count)
            if (later := _later(cell)) is not None:
                terms = ((now, 1), (self._now[later], -1))
                yield from self._question("stopped", (cell, later), terms, count - self._people[later])
            if cell.dimension is not Dimension.ALL:
                total = _total(cell)
                terms = ((self._now[total], 1), (now, -1))
                yield from self._question("others", (cell, total), terms, self._people[total] - count)
            if cell in self._then:
                terms = ((now, 1), (self._then[cell], -1))
                yield from self._question("change", (cell,), terms, count - self._before.counts[cell])

    def _question(self, name: str, cells: tuple[Cell, ...], terms: tuple[Term, ...], truth: int) -> Iterator[_Question]:
        if 0 < abs(truth) < self._k:
            sign = 1 if truth > 0 else -1
            yield _Question(name, cells, tuple((number, sign * factor) for number, factor in terms))

    def deniable(self, question: _Question) -> bool:
        """Whether the group may as well be empty, or have k people or more."""
        return self._worlds.possible(question.terms, -UNBOUNDED, 0) or self._worlds.possible(
            question.terms, self._k, UNBOUNDED
        )

    def _variables(self, people: Mapping[Cell, int]) -> dict[Cell, int]:
        """One variable a cell; groups add up to their stage's total, later stages never exceed earlier ones."""
        numbers = {cell: self._worlds.variable(0, UNBOUNDED, count) for cell, count in people.items()}
        sums: dict[tuple[Cell, Dimension], list[Term]] = {}
        for cell, number in numbers.items():
            if (later := _later(cell)) is not None:
                self._worlds.require([(number, 1), (numbers[later], -1)])
            if cell.dimension is not Dimension.ALL:
                sums.setdefault((_total(cell), cell.dimension), []).append((number, 1))
        for (total, _), terms in sums.items():
            self._worlds.require([*terms, (numbers[total], -1)], 0, 0)
        return numbers

    def _tie_months(self) -> None:
        """Stages that nobody leaves only grow, but for erased people."""
        for cell in self._now.keys() & self._then.keys():
            if cell.stage in _GROWING and self._people[cell] >= self._before.counts[cell]:
                self._worlds.require([(self._now[cell], 1), (self._then[cell], -1)])

    def _tie_to_figures(self, cell: Cell, figure: Figure, earlier: Figure) -> None:
        """What the two figures of a cell say about its counts in both months."""
        if earlier.shown is not None:
            stood = self._variable_behind(earlier)
            self._near(self._then[cell], stood, exactly=earlier.since == self._before.period)
        if figure.shown is None or cell not in self._now:
            return
        stands = stood if earlier.shown == figure.shown else self._variable_behind(figure)
        self._near(self._now[cell], stands, exactly=figure.since == self._period)
        if earlier.shown not in (None, figure.shown):
            sign = 1 if figure.shown > (earlier.shown or 0) else -1
            self._worlds.require([(stands, sign), (stood, -sign)], self._k)

    def _near(self, number: int, stands: int, *, exactly: bool) -> None:
        slack = 0 if exactly else self._k - 1
        self._worlds.require([(number, 1), (stands, -1)], -slack, slack)

    def _variable_behind(self, figure: Figure) -> int:
        """The count that a figure was rounded from, at the time when it was first shown."""
        low, high = behind(figure.shown or 0, self._k)
        return self._worlds.variable(low, high, figure.basis or 0)


def _later(cell: Cell) -> Cell | None:
    position = STAGES.index(cell.stage) + 1
    return cell._replace(stage=STAGES[position]) if position < len(STAGES) else None


def _total(cell: Cell) -> Cell:
    return Cell(cell.stage, Dimension.ALL, EVERYONE)
