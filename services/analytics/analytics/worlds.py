"""Which true figures could lie behind the published ones: small integer systems, solved by propagation and search.

Pure. A world is one whole number per variable that satisfies every interval and every linear constraint. To show
that a reader can't tell something for sure, it is enough to exhibit one world in which it is false.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

UNBOUNDED: Final = 10**9
Term = tuple[int, int]  # variable, +1 or -1


@dataclass(frozen=True, slots=True)
class Linear:
    """`low <= sum of sign * variable <= high`."""

    terms: tuple[Term, ...]
    low: int
    high: int


class Worlds:
    """A system of variables and constraints. The true values guide the search, since most of them can stay."""

    def __init__(self) -> None:
        self._low: list[int] = []
        self._high: list[int] = []
        self._truth: list[int] = []
        self._constraints: list[Linear] = []
        self._touching: list[list[int]] = []

    def variable(self, low: int, high: int, truth: int) -> int:
        """Add a variable; returns its number."""
        self._low.append(low)
        self._high.append(high)
        self._truth.append(truth)
        self._touching.append([])
        return len(self._low) - 1

    def require(self, terms: Sequence[Term], low: int = 0, high: int = UNBOUNDED) -> None:
        """Add a constraint that every world satisfies."""
        for variable, _ in terms:
            self._touching[variable].append(len(self._constraints))
        self._constraints.append(Linear(tuple(terms), low, high))

    def possible(self, terms: Sequence[Term], low: int, high: int) -> bool:
        """Whether some world has the sum within these bounds; False also when the search had to give up."""
        return _Search(self, Linear(tuple(terms), low, high)).succeeds()

    def copy(self) -> tuple[list[int], list[int], list[int], list[Linear], list[list[int]]]:
        """Bounds and constraints of its own for one search, which adds a goal to them; the truth is shared."""
        touching = [[*numbers] for numbers in self._touching]
        return [*self._low], [*self._high], self._truth, [*self._constraints], touching


class _Search:
    """One depth-first search: narrowest variables first, each tried at the value nearest to its true one."""

    def __init__(self, worlds: Worlds, goal: Linear) -> None:
        self._low, self._high, self._truth, self._constraints, self._touching = worlds.copy()
        for number, _ in goal.terms:
            self._touching[number].append(len(self._constraints))
        self._constraints.append(goal)
        self._trail: list[tuple[int, int, int]] = []
        # Wide variables come last: they absorb what the narrow ones leave over.
        self._order = sorted(range(len(self._low)), key=lambda number: self._high[number] - self._low[number])
        self._budget = 4 * len(self._order) + 2_000

    def succeeds(self) -> bool:
        """Whether a world was found within the budget."""
        if not self._propagate(range(len(self._constraints))):
            return False
        choices: list[tuple[int, int, list[tuple[int, int, int]]]] = []
        position = 0
        for _ in range(self._budget):
            while position < len(self._order) and self._fixed(self._order[position]):
                position += 1
            if position == len(self._order):
                return True
            number = self._order[position]
            low, high = self._low[number], self._high[number]
            value = min(max(self._truth[number], low), high)
            choices.append((len(self._trail), position, [(number, low, value - 1), (number, value + 1, high)]))
            held = self._restrict(number, value, value)
            while not held:
                while choices and not choices[-1][2]:
                    choices.pop()
                if not choices:
                    return False
                mark, position, others = choices[-1]
                self._undo(mark)
                held = self._restrict(*others.pop())
        return False

    def _fixed(self, number: int) -> bool:
        return self._low[number] == self._high[number]

    def _undo(self, mark: int) -> None:
        while len(self._trail) > mark:
            number, low, high = self._trail.pop()
            self._low[number], self._high[number] = low, high

    def _restrict(self, number: int, low: int, high: int) -> bool:
        """Narrow one variable and everything that follows from it; False when no world is left."""
        if low > high:
            return False
        self._trail.append((number, self._low[number], self._high[number]))
        self._low[number], self._high[number] = low, high
        return self._propagate(self._touching[number])

    def _propagate(self, indexes: Iterable[int]) -> bool:
        queue = deque(indexes)
        waiting = set(queue)
        while queue:
            index = queue.popleft()
            waiting.discard(index)
            changed = self._narrow(self._constraints[index])
            if changed is None:
                return False
            for number in changed:
                for other in self._touching[number]:
                    if other != index and other not in waiting:
                        waiting.add(other)
                        queue.append(other)
        return True

    def _narrow(self, constraint: Linear) -> list[int] | None:
        """Tighten each variable to what the others leave it; returns those that changed, None on contradiction."""
        lows, highs = self._low, self._high
        least = most = 0
        for number, sign in constraint.terms:
            if sign > 0:
                least += lows[number]
                most += highs[number]
            else:
                least -= highs[number]
                most -= lows[number]
        if least > constraint.high or most < constraint.low:
            return None
        room_up, room_down = constraint.high - least, most - constraint.low
        changed = []
        for number, sign in constraint.terms:
            low, high = lows[number], highs[number]
            if high - low <= room_up and high - low <= room_down:
                continue
            # A variable may rise by the room above the least sum; one that is subtracted may fall by it.
            up, down = (room_up, room_down) if sign > 0 else (room_down, room_up)
            new_low, new_high = max(low, high - down), min(high, low + up)
            if new_low > new_high:
                return None
            self._trail.append((number, low, high))
            lows[number], highs[number] = new_low, new_high
            changed.append(number)
        return changed
