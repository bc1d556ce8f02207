"""The management chain while people come, go and move: intervals with room for those who have nobody below them.

Most changes of a directory concern somebody without reports, who fits into what is left of the manager's interval. For
all others the whole chain is numbered anew (`chain.tour`).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from matching.engine.chain import LOST, Ints, tour

_NUMBERS: Final = 1 << 30
_PARTS: Final = 64
"""What somebody leaves to others of their manager's interval: one part of so many is theirs."""


class Tree:
    """Who is above whom, by row. After a change `enter`, `leave` and `adrift` hold for everybody.

    Args:
        above: [P] rows of the managers, or `NOBODY`, or `LOST`; rows of nobody are `NOBODY`.
    """

    def __init__(self, above: Ints) -> None:
        self.above = above
        self.enter, self.leave = np.zeros_like(above), np.zeros_like(above)
        self.adrift = np.zeros(len(above), np.bool_)
        self._end = 0
        self._turned: set[int] = set()
        self._number()
        self._turned.clear()

    def hang(self, row: int, manager: int) -> bool:
        """Put somebody below another; says whether others stand elsewhere now, too."""
        before = self.above[row]
        if before >= 0:
            self._reports[before] -= 1
        self.above[row] = manager
        if manager >= 0:
            self._reports[manager] += 1
        fits = self._room(manager) if manager >= 0 else self._end < 2 * _NUMBERS - self._step
        if self._reports[row] or row in self.circular or not fits:
            self._number()
            return True
        self._fit(row, manager)
        return False

    def adopt(self, rows: npt.NDArray[np.int64], manager: int) -> None:
        """Put people below somebody who was missing before, or below nobody known when somebody is gone."""
        if len(rows):
            self.above[rows] = manager
            self._number()

    def follow(self, before: "Tree") -> None:
        """Stand for a tree of fewer rows: what it has not told is told here, and what is another by the change."""
        known = len(before.adrift)
        self._turned = {*before.turned(), *np.flatnonzero(self.adrift[:known] != before.adrift).tolist()}

    def turned(self) -> list[int]:
        """Rows for whom it is known now, or no longer known, who is above them; since this was last asked."""
        rows = sorted(self._turned)
        self._turned.clear()
        return rows

    def under(self, row: int) -> npt.NDArray[np.int64]:
        """A person's row and those of everybody below them."""
        return np.flatnonzero((self.enter >= self.enter[row]) & (self.enter < self.leave[row]))

    def _room(self, manager: int) -> bool:
        return bool(self._next[manager] < self._limit[manager])

    def _fit(self, row: int, manager: int) -> None:
        """Give somebody without reports an interval of their own."""
        if manager >= 0:
            begin, room = int(self._next[manager]), max(1, self._step // _PARTS)
            end = min(begin + room, int(self._limit[manager]))
            self._next[manager] = end
            self.adrift[row] = self.adrift[manager]
        else:
            begin, end = self._end, self._end + self._step
            self._end = end
            self.adrift[row] = manager == LOST
        self.enter[row], self.leave[row] = begin, end
        self._next[row], self._limit[row] = begin + 1, end

    def _number(self) -> None:
        people = len(self.above)
        chain = tour(self.above)
        self._step = _NUMBERS // (people + 1)
        self._reports = np.bincount(self.above[self.above >= 0], minlength=people).astype(np.int32)
        # In place: others hold on to these columns.
        np.multiply(chain.enter, np.int32(self._step), out=self.enter)
        np.multiply(chain.leave, np.int32(self._step), out=self.leave)
        self._next, self._limit = self.enter + np.int32(1), self.enter + np.int32(self._step)
        self._end = int(self.leave.max(initial=0))
        self._turned.update(np.flatnonzero(self.adrift != chain.adrift).tolist())
        self.adrift[:] = chain.adrift
        self.circular = frozenset(chain.circular)
        # Whoever is in a circle shares an interval with others of it, so none has room of their own.
        self._limit[list(self.circular)] = 0
