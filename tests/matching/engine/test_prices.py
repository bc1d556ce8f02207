"""Prices guide a run towards more pairs, and bound what any choice could reach."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from contracts.matching import Side
from hypothesis import given
from hypothesis import strategies as st
from matching.engine import prices
from matching.engine.allocation import Room
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Pair
from matching.engine.rules import Rules, Weights

PEOPLE = 4


@dataclass(frozen=True)
class Market:
    """Scores of feasible pairs by (mentor, mentee), and everybody's places; mentors are rows 0 to 3, mentees 4 to 7."""

    scores: dict[tuple[int, int], int]
    places: tuple[int, ...]

    def best(self) -> int:
        """The best value of all choices, by trying every one."""
        pairs = list(self.scores)
        return max(
            sum(self.scores[pair] for pair in choice)
            for count in range(len(pairs) + 1)
            for choice in combinations(pairs, count)
            if all(sum(row in pair for pair in choice) <= places for row, places in enumerate(self.places))
        )


pairs_of_rows = st.tuples(st.integers(0, PEOPLE - 1), st.integers(PEOPLE, 2 * PEOPLE - 1))
markets = st.builds(
    Market,
    scores=st.dictionaries(pairs_of_rows, st.integers(0, 7_000), max_size=9),
    places=st.tuples(*[st.integers(1, 3)] * (2 * PEOPLE)),
)


@given(markets)
def test_no_choice_is_worth_more_than_the_bound(market: Market) -> None:
    """Of all choices, found by trying every one, the best does not exceed the bound."""
    mentors, mentees = (np.array([pair[side] for pair in market.scores], np.int64) for side in (0, 1))
    scores = np.array(list(market.scores.values()), np.int32)
    places = np.array(market.places, np.int32)
    room = Room({}, {Side.MENTOR: places, Side.MENTEE: places})
    assert market.best() <= prices.find(mentors, mentees, scores, room).bound


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (100, {Pair("ann", "fay"), Pair("bob", "eve")}),
        (0, {Pair("ann", "eve")}),
    ],
)
def test_the_lead_decides_between_reach_and_the_best_fit(reach: int, expected: set[Pair]) -> None:
    """Ann and Eve fit best, but Eve could have Bob while Fay has only Ann: both get somebody, or Eve gets Ann."""

    def mentor(member: str, *offers: str) -> Person:
        return Person(member, 2, "shops", "GB", offers=offers, open_to_mentor=True, mentor_capacity=1)

    def mentee(member: str, *seeks: str) -> Person:
        return Person(member, 9, "board", "GB", seeks=seeks, open_to_be_mentored=True, mentee_capacity=1)

    people = [
        mentor("ann", "cloud", "fintech", "wellbeing"),
        mentor("bob", "fintech"),
        mentee("eve", "cloud", "fintech"),
        mentee("fay", "wellbeing"),
    ]
    run = Engine(Rules(weights=Weights(reach=reach)), people).run()
    assert {proposal.pair for proposal in run.proposals} == expected
    assert (run.certificate >= 9_900) == (reach == 100)
