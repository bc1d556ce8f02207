"""The search for another explanation, compared with trying everything."""

from collections.abc import Sequence
from itertools import product

from analytics.worlds import System, Worlds
from hypothesis import given, settings
from hypothesis import strategies as st

LARGEST = 4
TERMS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from((-1, 1))), min_size=1, max_size=4, unique_by=lambda term: term[0]
)
AROUND_TRUTH = st.tuples(
    TERMS, st.integers(0, 3), st.integers(0, 3)
)  # a sum, and how far from its true value it may be
GOAL = st.tuples(TERMS, st.integers(-6, 8))  # a sum, and its least value
Terms = list[tuple[int, int]]


def total(terms: Terms, values: Sequence[int]) -> int:
    """The signed sum of some values."""
    return sum(sign * values[number] for number, sign in terms)


def within(rows: Sequence[tuple[Terms, int, int]], truth: Sequence[int], room: int) -> Worlds:
    """The worlds around a truth that satisfy these constraints."""
    system = System()
    for value in truth:
        system.variable(value)
    for row in rows:
        system.require(*row)
    return Worlds(system, room)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(AROUND_TRUTH, max_size=4),
    st.lists(GOAL, min_size=1, max_size=4),
    st.lists(st.integers(0, LARGEST), min_size=4, max_size=4),
    st.integers(0, LARGEST),
)
def test_finds_a_world_exactly_when_there_is_one(
    around: list[tuple[Terms, int, int]], goals: list[tuple[Terms, int]], truth: list[int], room: int
) -> None:
    """For small systems that the truth satisfies, each answer in turn equals that of trying every assignment."""
    limits = [(terms, total(terms, truth) - below, total(terms, truth) + above) for terms, below, above in around]
    worlds = within(limits, truth, room)
    every = [
        values
        for values in product(*(range(max(value - room, 0), value + room + 1) for value in truth))
        if all(low <= total(parts, values) <= high for parts, low, high in limits)
    ]

    for terms, least in goals:
        assert worlds.reach(terms, least) is any(total(terms, values) >= least for values in every)


def test_a_fraction_is_no_world() -> None:
    """Of three of whom no two may come one can, although three halves would fit; twice that, and three are too many."""
    rivals = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    worlds = within([([(one, 1), (other, 1)], 0, 1) for one, other in rivals], [0] * 6, 4)

    assert worlds.reach([(number, 1) for number in (0, 1, 2)], 1)
    assert worlds.reach([(number, 1) for number in range(6)], 2)
    assert not worlds.reach([(number, 1) for number in range(6)], 3)


def test_a_constraint_that_the_truth_breaks_is_widened_to_it() -> None:
    """Six people under a figure that now would stand for seven to ten: it may be six to ten, and not five or eleven."""
    worlds = within([([(0, 1)], 7, 10)], [6], 20)

    assert worlds.reach([(0, -1)], -6)
    assert not worlds.reach([(0, -1)], -5)
    assert worlds.reach([(0, 1)], 10)
    assert not worlds.reach([(0, 1)], 11)
