"""The management chain while people come, go and move, held against walking up from manager to manager."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.engine.chain import LOST, NOBODY
from matching.engine.tree import Tree

ROWS = 36


class Walk:
    """Who manages whom, and the same changes as a tree is told."""

    def __init__(self, random: np.random.Generator, *, of_themselves: bool) -> None:
        self._random, self._of_themselves = random, of_themselves
        hired = int(random.integers(1, ROWS))
        self.above = [self.somebody(row, hired) if row < hired else NOBODY for row in range(ROWS)]
        self.here = set(range(hired))
        self.tree = Tree(np.array(self.above, np.int32))

    def somebody(self, row: int, among: int) -> int:
        """Mostly somebody of a lower number, who is further up; sometimes nobody, somebody unknown, or anybody."""
        chance = self._random.random()
        if chance < 0.12:
            return NOBODY
        if chance < 0.2:
            return LOST
        manager = int(self._random.integers(0, among if chance < 0.35 else max(min(row, among), 1)))
        return manager if manager != row or self._of_themselves else NOBODY

    def step(self) -> tuple[set[int], bool]:
        """Something happens; returns whose manager is another by it, and what the tree says of all others."""
        chance = self._random.random()
        row = int(self._random.choice(sorted(self.here))) if self.here else 0
        if self.here and chance < 0.15:
            reports = [each for each in self.here if self.above[each] == row]
            self.here.discard(row)
            self.above[row] = NOBODY
            told = self.tree.hang(row, NOBODY)
            reports = [each for each in reports if each != row]
            for each in reports:
                self.above[each] = LOST
            self.tree.adopt(np.array(reports, np.int64), LOST)
            return {row, *reports}, told or bool(reports)
        if len(self.here) < ROWS and chance < 0.4:
            row = min(set(range(ROWS)) - self.here)
            self.here.add(row)
            lost = [each for each in self.here if self.above[each] == LOST and self._random.random() < 0.3]
            told = self._hang(row)
            lost = [each for each in lost if each != row]
            for each in lost:
                self.above[each] = row
            self.tree.adopt(np.array(lost, np.int64), row)
            return {row, *lost}, told or bool(lost)
        return {row}, self._hang(row)

    def _hang(self, row: int) -> bool:
        managers = sorted(self.here | {row})
        manager = self.somebody(row, ROWS)
        if manager >= 0 and manager not in self.here:
            manager = managers[manager % len(managers)]
        if manager == row and not self._of_themselves:
            manager = NOBODY
        self.above[row] = manager
        return self.tree.hang(row, manager)

    def upwards(self, row: int) -> list[int]:
        """Whom one meets by walking up, themselves first; a circle ends where it began."""
        met = [row]
        while self.above[met[-1]] >= 0 and self.above[met[-1]] not in met:
            met.append(self.above[met[-1]])
        return met

    def is_above(self) -> set[tuple[int, int]]:
        return {(upper, row) for row in range(ROWS) for upper in self.upwards(row)}

    def adrift(self) -> set[int]:
        """Whose way up ends at somebody unknown, or never ends."""
        return {row for row in range(ROWS) if self.above[self.upwards(row)[-1]] != NOBODY}

    def circular(self) -> set[int]:
        """Who comes back to themselves on the way up."""
        return {row for row in range(ROWS) if self.above[self.upwards(row)[-1]] == row}


def is_above(tree: Tree) -> set[tuple[int, int]]:
    enter, leave = tree.enter, tree.leave
    within = (enter[:, None] <= enter) & (enter < leave[:, None])
    return {(upper, row) for upper, row in np.argwhere(within).tolist()}


@given(seed=st.integers(0, 2**32), of_themselves=st.booleans())
@settings(max_examples=40, deadline=None)
def test_who_is_above_whom_is_what_walking_up_finds(seed: int, *, of_themselves: bool) -> None:
    """Of everybody after each of a hundred hires, leaves and moves; and who is adrift, and who is below whom."""
    walk = Walk(np.random.default_rng(seed), of_themselves=of_themselves)
    for _ in range(100):
        walk.step()
        relation = walk.is_above()
        assert is_above(walk.tree) == relation
        assert set(np.flatnonzero(walk.tree.adrift).tolist()) == walk.adrift()
        row = max(walk.here, default=0)
        assert set(walk.tree.under(row).tolist()) == {each for upper, each in relation if upper == row}


@given(seed=st.integers(0, 2**32), of_themselves=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_tree_says_who_else_stands_elsewhere(seed: int, *, of_themselves: bool) -> None:
    """Whoever is adrift now and was not, or the other way round, has turned; numbers of others change only if told."""
    walk = Walk(np.random.default_rng(seed), of_themselves=of_themselves)
    for _ in range(100):
        adrift, relation, numbers = walk.adrift(), walk.is_above(), walk.tree.enter.tolist()
        concerned, told = walk.step()
        turned = set(walk.tree.turned())
        assert (adrift ^ walk.adrift()) - concerned <= turned
        assert walk.tree.turned() == []
        if not told:
            others = {(upper, row) for upper, row in relation ^ walk.is_above() if not {upper, row} & concerned}
            assert not others
            assert all(numbers[row] == walk.tree.enter[row] for row in set(range(ROWS)) - concerned)


@given(seed=st.integers(0, 2**32), of_themselves=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_circles_are_those_that_are_there(seed: int, *, of_themselves: bool) -> None:
    """People who come back to themselves on the way up, after each change."""
    walk = Walk(np.random.default_rng(seed), of_themselves=of_themselves)
    for _ in range(100):
        walk.step()
        assert set(walk.tree.circular) == walk.circular()


def test_there_is_room_for_many_hires_below_each_other_and_for_many_tops() -> None:
    """A ladder of a hundred, then a hundred who come and go at the top: numbers are given anew when they run out."""
    tree = Tree(np.full(200, NOBODY, np.int32))
    for row in range(1, 100):
        tree.hang(row, row - 1)
    assert all(tree.enter[row - 1] < tree.enter[row] < tree.leave[row] <= tree.leave[row - 1] for row in range(1, 100))
    for _ in range(5):
        for row in range(100, 200):
            tree.hang(row, NOBODY)
    found = is_above(tree)
    assert found == {(upper, row) for row in range(100) for upper in range(row + 1)} | {
        (row, row) for row in range(100, 200)
    }
