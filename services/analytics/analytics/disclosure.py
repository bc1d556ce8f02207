"""The one gate between true figures and readers: page, JSON and CSV show what it lets through and nothing else.

Pure. A figure is shown only from k people up, rounded to 5. It moves from one month to the next only by 0 or by at
least k people; otherwise the earlier figure stands. Then the gate takes the reader's part, with all earlier reports
beside the new one: while a group of 1 to k-1 people could be told for sure, of whatever month, it hides more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from analytics import standing
from analytics.inference import Month, Reader, rounded
from analytics.measures import EVERYONE, STAGES, Cell, Counts, Dimension, Sessions, Stage
from analytics.months import Period
from analytics.standing import Asked, Times

T = TypeVar("T")
K: Final = 5  # a tenant may only be stricter
PERCENTAGE_BASE: Final = 20


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
class Table:
    """Figures that are shown together, with the true counts behind them, which stay private."""

    figures: Mapping[Cell, Figure]
    counts: Mapping[Cell, int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """One month as published, under the k of that time. People by how far they came, and those who wait, are tables."""

    period: Period
    k: int
    people: Table
    waiting: Table
    held: int | None
    cancelled: int | None
    asked: Asked
    times: Mapping[Cell, Times]

    @property
    def figures(self) -> Mapping[Cell, Figure]:
        """People by how far they came."""
        return self.people.figures


def percentage(part: int | None, base: int | None, most: int | None = 100) -> int | None:
    """A whole percentage of two shown figures, so it tells no more than they do; None under a base of 20."""
    if part is None or base is None or base < PERCENTAGE_BASE:
        return None
    share = round(100 * part / base)
    return share if most is None else min(most, share)


def publish(counts: Counts, history: Sequence[Report], k: int = K) -> Report:
    """Decide what readers may see of one month, given what they saw of the months before, oldest first."""
    people, waiting = _tables(counts, history, k)
    return Report(
        period=counts.period,
        k=k,
        people=people,
        waiting=waiting,
        held=_sessions(counts.held, k),
        cancelled=_sessions(counts.cancelled, k),
        asked=standing.asked(counts.asked, counts.period, {each.period: each.asked for each in history}, k),
        times=_times(counts, people.figures, history, k),
    )


def _tables(counts: Counts, history: Sequence[Report], k: int) -> tuple[Table, Table]:
    """People by how far they came and those who wait: decided together, for a reader lays them beside each other."""
    both = _beside(counts.people, counts.waiting)
    before = _beside(history[-1].people.figures, history[-1].waiting.figures) if history else {}
    earlier = [
        Month(
            _beside(each.people.counts, each.waiting.counts),
            _shown(_beside(each.people.figures, each.waiting.figures)),
            each.k,
        )
        for each in history
    ]
    figures = {cell: _carried(count, before.get(cell, Figure()), counts.period, k) for cell, count in both.items()}
    figures = _protected(both, figures, before, earlier, k)
    return (
        Table({cell: figures[cell] for cell in counts.people}, counts.people),
        Table({cell: figures[_as_waiting(cell)] for cell in counts.waiting}, counts.waiting),
    )


def _beside(people: Mapping[Cell, T], waiting: Mapping[Cell, T]) -> dict[Cell, T]:
    return {**people, **{_as_waiting(cell): value for cell, value in waiting.items()}}


def _as_waiting(cell: Cell) -> Cell:
    """A cell of the table of those who wait, told from that of everybody enrolled."""
    return cell._replace(dimension=Dimension.WAIT)


def _times(counts: Counts, figures: Mapping[Cell, Figure], history: Sequence[Report], k: int) -> dict[Cell, Times]:
    """Times of groups that are shown to have people who enrolled and who came so far: that is then nothing new."""
    found = {}
    for cell, waits in counts.waits.items():
        enrolled, *came = (
            figures.get(cell._replace(stage=stage), Figure()).shown
            for stage in (Stage.ENROLLED, *STAGES[STAGES.index(cell.stage) :])
        )
        base = enrolled if any(came) else None
        earlier = {each.period: each.times[cell] for each in history if cell in each.times}
        found[cell] = standing.times(waits, counts.period, earlier, base, k)
    return found


def _sessions(sessions: Sessions, k: int) -> int | None:
    """Sessions are shown only when k of them, by k different pairs, stand behind the figure."""
    return rounded(sessions.count, k) if sessions.pairs >= k else None


def _carried(count: int, earlier: Figure, period: Period, k: int) -> Figure:
    if earlier.basis is not None and abs(count - earlier.basis) < k:
        return Figure(rounded(earlier.basis, k), earlier.basis, earlier.since)
    if (shown := rounded(count, k)) is None:
        return Figure(None, earlier.basis, earlier.since)
    return Figure(shown, count, period)


def _protected(
    counts: Mapping[Cell, int],
    figures: dict[Cell, Figure],
    before: Mapping[Cell, Figure],
    earlier: Sequence[Month],
    k: int,
) -> dict[Cell, Figure]:
    """Hide further figures until no small group can be told for sure; what nobody saw stands for no later month."""
    settled: set[str] = set()  # hiding more only adds worlds, so an answer stays true
    while True:
        reader = Reader([*earlier, Month(counts, _shown(figures), k)])
        asked = [question for question in reader.questions() if question.name not in settled]
        unsafe = [question for question in asked if not reader.deniable(question)]
        settled |= {question.name for question in asked} - {question.name for question in unsafe}
        hidden = {cell for question in unsafe if (cell := _next_to_hide(question.cell, figures, counts))}
        if not hidden:
            return figures
        for cell in hidden:
            last = before.get(cell, Figure())
            figures[cell] = Figure(None, last.basis, last.since)


def _shown(figures: Mapping[Cell, Figure]) -> dict[Cell, int | None]:
    return {cell: figure.shown for cell, figure in figures.items()}


def _next_to_hide(about: Cell, figures: Mapping[Cell, Figure], counts: Mapping[Cell, int]) -> Cell | None:
    """The least costly figure near a cell: same stage, same breakdown, smallest count, totals last."""

    def cost(cell: Cell) -> tuple[int, bool, bool, int, Cell]:
        distance = abs(STAGES.index(cell.stage) - STAGES.index(about.stage))
        total = cell.group == EVERYONE
        return distance, total, cell.dimension is not about.dimension, counts[cell], cell

    return min((cell for cell, figure in figures.items() if figure.shown is not None), key=cost, default=None)
