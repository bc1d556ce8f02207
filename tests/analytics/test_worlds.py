"""The search for another explanation, compared with trying everything."""

from collections.abc import Sequence
from itertools import product

from analytics.worlds import Worlds
from hypothesis import given, settings
from hypothesis import strategies as st

LARGEST = 4
TERMS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from((-1, 1))), min_size=1, max_size=4, unique_by=lambda term: term[0]
)
AROUND_TRUTH = st.tuples(
    TERMS, st.integers(0, 3), st.integers(0, 3)
)  # a sum, and how far from its true value it may be
GOAL = st.tuples(TERMS, st.integers(-6, 8), st.integers(0, 3))  # a sum, its least value, and how much more it may be
Terms = list[tuple[int, int]]


def total(terms: Terms, values: Sequence[int]) -> int:
    """The signed sum of some values."""
    return sum(sign * values[number] for number, sign in terms)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(AROUND_TRUTH, max_size=4), GOAL, st.lists(st.integers(0, LARGEST), min_size=4, max_size=4), st.booleans()
)
def test_finds_a_world_exactly_when_there_is_one(
    around: list[tuple[Terms, int, int]], goal: tuple[Terms, int, int], truth: list[int], settle: bool
) -> None:
    """For small systems that the truth satisfies, the answer equals that of trying every assignment."""
    limits = [(terms, total(terms, truth) - below, total(terms, truth) + above) for terms, below, above in around]
    worlds = Worlds()
    for value in truth:
        worlds.variable(0, LARGEST, value)
    for limit in limits:
        worlds.require(*limit)
    if settle:
        worlds.settle()
    terms, least, room = goal

    expected = any(
        all(low <= total(parts, values) <= high for parts, low, high in [*limits, (terms, least, least + room)])
        for values in product(range(LARGEST + 1), repeat=4)
    )

    assert worlds.possible(terms, least, least + room) is expected


def test_everything_may_be_asked_twice() -> None:
    """One search leaves nothing behind that changes the next."""
    worlds = Worlds()
    first, second = worlds.variable(0, 10, 3), worlds.variable(0, 10, 4)
    worlds.require([(first, 1), (second, 1)], 7, 7)

    assert not worlds.possible([(first, 1)], 8, 10)
    assert worlds.possible([(first, 1)], 7, 7)
    assert worlds.possible([(first, 1)], 0, 0)
