"""Which true figures could lie behind the published ones: systems of whole numbers, searched by HiGHS.

Pure. A world is one whole number per variable that satisfies every constraint. To show that a reader can't tell
something for sure, it is enough to exhibit one world in which it is false. Each is checked in whole numbers before it
counts, so the solver's fractions and tolerances can lose a world, but not make one up.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray

Term = tuple[int, int]  # variable, +1 or -1
_TOLERANCE: Final = 1e-6  # of the solver's sums
_ITERATIONS: Final = 100_000  # pivots of one search; reports of a large company take some thousands
_NODES: Final = 100  # of one search by branch and bound; one nearly always does


class System:
    """Variables, none of them negative, and constraints between them, all of which the true values satisfy."""

    def __init__(self) -> None:
        self.truth: list[int] = []
        self.rows: list[Sequence[Term]] = []
        self.least: list[float] = []
        self.most: list[float] = []

    def variable(self, truth: int) -> int:
        """Add a variable; returns its number."""
        self.truth.append(truth)
        return len(self.truth) - 1

    def require(self, terms: Sequence[Term], least: float = 0, most: float = inf) -> None:
        """Add a constraint that every world satisfies: the signed sum lies between these two.

        One that the truth breaks, such as a rule that has become stricter since, is widened to it.
        """
        true = sum(sign * self.truth[number] for number, sign in terms)
        self.rows.append(terms)
        self.least.append(min(least, true))
        self.most.append(max(most, true))


class Worlds:
    """The worlds of a system in which no variable is further than some room from its true value.

    What the whole numbers of a world must be is nearly a network, so the optimum over fractions, which the simplex
    method finds from the last one in some steps, is mostly a world. Branch and bound finds one where it is not. Optima
    lie at the edge of what is possible in many variables at once, so those that were found answer most questions.

    Every search ends: variables are bounded by the room, pivots and nodes by number. Leaving worlds out, by the room or
    by giving up, errs on the safe side.
    """

    def __init__(self, system: System, room: int) -> None:
        self._numbers = np.array([number for row in system.rows for number, _ in row], np.int32)
        self._signs = np.array([sign for row in system.rows for _, sign in row], np.int64)
        self._starts = np.cumsum([0, *(len(row) for row in system.rows)], dtype=np.int32)[:-1]
        self._least, self._most = np.array(system.least), np.array(system.most)
        truth = np.array(system.truth, np.int64)
        self._lowest, self._highest = np.maximum(truth - room, 0), truth + room
        self._found = truth[np.newaxis]
        self._fractions = self._solver(highspy.HighsVarType.kContinuous)
        self._whole = self._solver(highspy.HighsVarType.kInteger)

    def reach(self, terms: Sequence[Term], least: int) -> bool:
        """Whether a world was found in which the signed sum is at least that."""
        numbers, signs = (np.array(each) for each in zip(*terms, strict=True))
        if (self._found[:, numbers] @ signs >= least).any():
            return True
        aim = np.zeros(len(self._lowest))
        aim[numbers] = signs
        self._whole.setOptionValue("objective_target", float(least))
        for solver in (self._fractions, self._whole):
            solver.changeColsCost(len(aim), np.arange(len(aim), dtype=np.int32), aim)
            solver.run()
            solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
            if solved and solver.getObjectiveValue() < least - _TOLERANCE:
                return False
            solution = solver.getSolution()
            world = np.rint(solution.col_value).astype(np.int64)
            if solution.value_valid and self._holds(world) and world[numbers] @ signs >= least:
                self._found = np.vstack([self._found, world])
                return True
        return False

    def _holds(self, world: NDArray[np.int64]) -> bool:
        sums = np.add.reduceat(self._signs * world[self._numbers], self._starts)
        return bool(
            np.all((self._lowest <= world) & (world <= self._highest))
            and np.all((self._least <= sums) & (sums <= self._most))
        )

    def _solver(self, kind: highspy.HighsVarType) -> highspy.Highs:
        """The system as the solver sees it: one thread, and primal pivots, which go on from the last optimum."""
        solver = _Silent()  # type: ignore[no-untyped-call]  # the library leaves this one, and those below, untyped
        options: dict[str, Any] = {"threads": 1, "parallel": "off", "simplex_strategy": 4}
        options |= {"simplex_iteration_limit": _ITERATIONS, "mip_max_nodes": _NODES}
        for name, value in options.items():
            solver.setOptionValue(name, value)
        variables, rows = len(self._lowest), len(self._starts)
        solver.addVars(variables, self._lowest.astype(float), self._highest.astype(float))
        every = np.arange(variables, dtype=np.int32)
        solver.changeColsIntegrality(variables, every, np.full(variables, kind))
        signs = self._signs.astype(float)
        solver.addRows(rows, self._least, self._most, len(signs), self._starts, self._numbers, signs)
        solver.setMaximize()  # type: ignore[no-untyped-call]
        return solver


class _Silent(highspy.Highs):
    """A solver that does not introduce itself on standard output, which belongs to the log."""

    def enableCallbacks(self) -> None:  # noqa: N802  (called while it is made, before options can be set)
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]
