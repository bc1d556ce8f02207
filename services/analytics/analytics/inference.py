"""What a reader can tell who kept every report and has read this package.

Pure. The reader's knowledge is a system of whole-number constraints. For each small group that the figures describe
it is asked whether another world explains every figure, in which that group is empty or has at least k people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from analytics.measures import EVERYONE, STAGES, Cell, Dimension, Stage
from analytics.worlds import System, Term, Worlds

ROUNDING: Final = 5
_ROOM: Final = 4  # times k: one group moves by at most k to be denied, and what is tied to it follows
WAITING: Final = Cell(Stage.ENROLLED, Dimension.WAIT, EVERYONE)
"""All who wait, where they stand beside people by stage: they have enrolled and not started."""
_ENROLLED, _STARTED = (Cell(stage, Dimension.ALL, EVERYONE) for stage in (Stage.ENROLLED, Stage.STARTED))
_GROWING: Final = frozenset({Stage.PROPOSED, Stage.ACCEPTED, Stage.STARTED, Stage.MET})  # nobody leaves these


@dataclass(frozen=True, slots=True)
class Month:
    """One month: the true counts, what is shown of them, and the k that held then."""

    people: Mapping[Cell, int]
    shown: Mapping[Cell, int | None]
    k: int


class Question(NamedTuple):
    """A group of 1 to k-1 people that a reader might derive, the sum of its terms, and a cell that it is about."""

    name: str
    cell: Cell
    terms: tuple[Term, ...]
    k: int


def rounded(count: int, k: int) -> int | None:
    """The count as a reader may see it when nothing else stands against it."""
    return (count + ROUNDING // 2) // ROUNDING * ROUNDING if count >= k else None


def behind(shown: int, k: int) -> tuple[int, int]:
    """The true counts that a shown figure can stand for."""
    return max(k, shown - ROUNDING // 2), shown + ROUNDING // 2


class Reader:
    """Everything that one reader knows."""

    def __init__(self, months: Sequence[Month]) -> None:
        self._months = months
        self._system = System()
        self._numbers = [self._variables(month.people) for month in months]
        for position in range(1, len(months)):
            self._tie_months(position)
        for cell in dict.fromkeys(cell for month in months for cell in month.people):
            self._tie_to_figures(cell)
        self._worlds = Worlds(self._system, _ROOM * max(month.k for month in months))

    def deniable(self, question: Question) -> bool:
        """Whether the group may as well be empty, or have k people or more."""
        less = [(number, -sign) for number, sign in question.terms]
        return self._worlds.reach(less, 0) or self._worlds.reach(question.terms, question.k)

    def questions(self) -> Iterator[Question]:
        """Every small group that figures, or differences of related figures, describe in any month."""
        newest = len(self._months) - 1
        for position, month in enumerate(self._months):
            for cell in month.people:
                yield from self._within(position, cell)
                # The new month is compared with each earlier one, earlier ones with their neighbour.
                since = range(newest) if position == newest else range(max(position - 1, 0), position)
                for earlier in since:
                    yield from self._less(f"since {earlier}", (position, cell), (earlier, cell))

    def _within(self, position: int, cell: Cell) -> Iterator[Question]:
        yield from self._less("group", (position, cell))
        if (later := _later(cell)) is not None:
            yield from self._less("stopped", (position, cell), (position, later))
        if cell == WAITING:
            yield from self._less("neither", (position, _ENROLLED), (position, _STARTED), (position, WAITING))
        if cell != _total(cell):
            yield from self._less("others", (position, _total(cell)), (position, cell))

    def _less(self, kind: str, whole: tuple[int, Cell], *parts: tuple[int, Cell]) -> Iterator[Question]:
        """Whoever is counted in the whole and in none of its parts."""
        if any(cell not in self._numbers[month] for month, cell in parts):
            return
        about = (whole, *parts)[-1][1]
        signed = [(whole, 1), *((part, -1) for part in parts)]
        count = sum(sign * self._months[month].people[cell] for (month, cell), sign in signed)
        k = self._months[whole[0]].k
        if 0 < abs(count) < k:
            side = 1 if count > 0 else -1
            terms = tuple((self._numbers[month][cell], side * sign) for (month, cell), sign in signed)
            yield Question(f"{kind}|{whole[0]}|{about}", about, terms, k)

    def _variables(self, people: Mapping[Cell, int]) -> dict[Cell, int]:
        """One variable a cell; groups add up, and nobody is at a later stage alone, or has started and waits."""
        numbers = {cell: self._system.variable(count) for cell, count in people.items()}
        sums: dict[tuple[Cell, Dimension], list[Term]] = {}
        for cell, number in numbers.items():
            if (later := _later(cell)) in numbers:
                self._system.require([(number, 1), (numbers[later], -1)])
            if cell != _total(cell):
                sums.setdefault((_total(cell), cell.dimension), []).append((number, 1))
        for (total, _), terms in sums.items():
            self._system.require([*terms, (numbers[total], -1)], 0, 0)
        if WAITING in numbers:
            self._system.require([(numbers[_ENROLLED], 1), (numbers[_STARTED], -1), (numbers[WAITING], -1)])
        return numbers

    def _tie_months(self, position: int) -> None:
        """Stages that nobody leaves only grow, but for erased people."""
        before, now = self._months[position - 1].people, self._months[position].people
        for cell in now:
            if cell.stage in _GROWING and cell in before and now[cell] >= before[cell]:
                terms = [(self._numbers[position][cell], 1), (self._numbers[position - 1][cell], -1)]
                self._system.require(terms)

    def _tie_to_figures(self, cell: Cell) -> None:
        """A figure that stands is off by less than k from the count behind it; one that moved, moved by k at least."""
        require = self._system.require
        last: int | None = None
        stood = -1
        for month, numbers in zip(self._months, self._numbers, strict=True):
            if cell not in numbers:
                last = None
                continue
            if (value := month.shown.get(cell)) is None:
                continue
            number = numbers[cell]
            if value == last:
                require([(number, 1), (stood, -1)], 1 - month.k, month.k - 1)
                continue
            require([(number, 1)], *behind(value, month.k))
            if last is not None:
                sign = 1 if value > last else -1
                require([(number, sign), (stood, -sign)], month.k)
            last, stood = value, number


def _later(cell: Cell) -> Cell | None:
    position = STAGES.index(cell.stage) + 1
    return cell._replace(stage=STAGES[position]) if position < len(STAGES) else None


def _total(cell: Cell) -> Cell:
    return Cell(cell.stage, Dimension.WAIT if cell.dimension is Dimension.WAIT else Dimension.ALL, EVERYONE)
