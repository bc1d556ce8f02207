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
_BUDGET: Final = 600  # decisions of one search
_STEPS: Final = 50_000  # narrowings of one search, beside so many of each variable:
_STEPS_A_VARIABLE: Final = 100


@dataclass(frozen=True, slots=True)
class Linear:
    """`low <= sum of sign * variable <= high`."""

    terms: tuple[Term, ...]
    low: int
    high: int


class Worlds:
    """A system of variables and constraints, all of which the true values satisfy: searches start from those."""

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

    def settle(self) -> bool:
        """Tighten every bound to what the constraints leave; False when there is no world at all."""
        return _Search(self).spread(range(len(self._constraints)))

    def possible(self, terms: Sequence[Term], low: int, high: int) -> bool:
        """Whether some world has the sum within these bounds; False also when the search had to give up."""
        constraint = Linear(tuple(terms), low, high)
        self.require(constraint.terms, low, high)
        search = _Search(self)
        try:
            return search.succeeds(len(self._constraints) - 1)
        finally:
            search.undo(0)
            for variable, _ in self._constraints.pop().terms:
                self._touching[variable].pop()

    def parts(self) -> tuple[list[int], list[int], list[int], list[Linear], list[list[int]]]:
        """The bounds, which a search changes and puts back, and what it only reads."""
        return self._low, self._high, self._truth, self._constraints, self._touching


class _Search:
    """One depth-first search that starts from the true world and mends it around the goal.

    Its candidate is always the world in which each variable has its true value, or the nearest one that is left.
    Only constraints around variables that had to move can be broken. It fixes the narrowest variable of a broken one
    and goes on, so that most of a large system is never touched.
    """

    def __init__(self, worlds: Worlds) -> None:
        self._low, self._high, self._truth, self._constraints, self._touching = worlds.parts()
        self._trail: list[tuple[int, int, int]] = []
        # Two constraints can chase each other over a wide variable one person at a time, for a thousand million steps.
        self._steps = _STEPS + _STEPS_A_VARIABLE * len(self._low)

    def succeeds(self, goal: int) -> bool:
        """Whether a world was found that satisfies this constraint too, within the budget."""
        choices: list[tuple[int, list[tuple[int, int, int]]]] = []
        held = self.spread([goal])
        for _ in range(_BUDGET):
            while not held:
                if self._steps <= 0:
                    return False
                while choices and not choices[-1][1]:
                    choices.pop()
                if not choices:
                    return False
                mark, others = choices[-1]
                self.undo(mark)
                held = self._restrict(*others.pop())
            broken = self._broken(goal)
            if broken is None:
                return True
            number = self._narrowest(broken)
            low, high, value = self._low[number], self._high[number], self._candidate(number)
            choices.append((len(self._trail), [(number, low, value - 1), (number, value + 1, high)]))
            held = self._restrict(number, value, value)
        return False

    def undo(self, mark: int) -> None:
        """Put back every bound that was changed since the trail had this length."""
        while len(self._trail) > mark:
            number, low, high = self._trail.pop()
            self._low[number], self._high[number] = low, high

    def _candidate(self, number: int) -> int:
        return min(max(self._truth[number], self._low[number]), self._high[number])

    def _broken(self, goal: int) -> Linear | None:
        """A constraint that the candidate world does not satisfy; those around unmoved variables hold as in truth."""
        around = {goal}
        for number in {number for number, _, _ in self._trail}:
            if self._candidate(number) != self._truth[number]:
                around.update(self._touching[number])
        for index in sorted(around):
            constraint = self._constraints[index]
            total = sum(sign * self._candidate(number) for number, sign in constraint.terms)
            if not constraint.low <= total <= constraint.high:
                return constraint
        return None

    def _narrowest(self, broken: Linear) -> int:
        """The wide variables are left for last: they absorb what the narrow ones leave over."""
        free = [number for number, _ in broken.terms if self._low[number] < self._high[number]]
        return min(free, key=lambda number: (self._high[number] - self._low[number], number))

    def _restrict(self, number: int, low: int, high: int) -> bool:
        """Narrow one variable and everything that follows from it; False when no world is left."""
        if low > high:
            return False
        self._trail.append((number, self._low[number], self._high[number]))
        self._low[number], self._high[number] = low, high
        return self.spread(self._touching[number])

    def spread(self, indexes: Iterable[int]) -> bool:
        """Follow these constraints, and those that their changes touch, until nothing changes.

        False when no world is left, and also when the search has used up its steps: what was narrowed holds.
        """
        queue = deque(indexes)
        waiting = set(queue)
        while queue:
            index = queue.popleft()
            waiting.discard(index)
            changed = self._narrow(self._constraints[index])
            if changed is None:
                return False
            self._steps -= len(changed)
            if self._steps <= 0:
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
