"""The search for another explanation, compared with trying everything."""

from itertools import product

from analytics.worlds import Worlds
from hypothesis import given, settings
from hypothesis import strategies as st

LARGEST = 4
SIGN = st.sampled_from((-1, 1))
CONSTRAINT = st.tuples(
    st.lists(st.tuples(st.integers(0, 3), SIGN), min_size=1, max_size=4, unique_by=lambda term: term[0]),
    st.integers(-4, 6),
    st.integers(0, 5),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CONSTRAINT, max_size=4), CONSTRAINT, st.lists(st.integers(0, LARGEST), min_size=4, max_size=4))
def test_finds_a_world_exactly_when_there_is_one(
    constraints: list[tuple[list[tuple[int, int]], int, int]],
    goal: tuple[list[tuple[int, int]], int, int],
    truth: list[int],
) -> None:
    """For small systems the answer equals that of trying every assignment."""
    worlds = Worlds()
    for value in truth:
        worlds.variable(0, LARGEST, value)
    for terms, low, width in constraints:
        worlds.require(terms, low, low + width)
    terms, low, width = goal

    def holds(values: tuple[int, ...]) -> bool:
        return all(
            least <= sum(sign * values[number] for number, sign in parts) <= least + room
            for parts, least, room in [*constraints, goal]
        )

    expected = any(holds(values) for values in product(range(LARGEST + 1), repeat=4))

    assert worlds.possible(terms, low, low + width) is expected


def test_everything_may_be_asked_twice() -> None:
    """One search leaves nothing behind that changes the next."""
    worlds = Worlds()
    first, second = worlds.variable(0, 10, 3), worlds.variable(0, 10, 4)
    worlds.require([(first, 1), (second, 1)], 7, 7)

    assert not worlds.possible([(first, 1)], 8, 10)
    assert worlds.possible([(first, 1)], 7, 7)
    assert worlds.possible([(first, 1)], 0, 0)
