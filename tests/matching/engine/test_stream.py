"""The benchmark's stream of changes: what the engine is told is what the columns say, and a seed says it all."""

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
import pytest
from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.people import Person

from benchmarks.matching.judge import Judge
from benchmarks.matching.population import MARKETS, Market, population
from benchmarks.matching.stream import CHANGES, Roster, stream

PEOPLE: Final = 3_000


def told(market: Market, seed: int) -> Iterator[tuple[int, Person]]:
    """The rows that change in a company, and what an engine is told each time."""
    profiles, _ = population(PEOPLE, market, 1)
    roster = Roster(profiles)
    return ((row, roster.person(row)) for row in stream(profiles, seed))


def takes_part(person: Person) -> bool:
    return any(person.capacity(side) for side in Side)


@pytest.mark.parametrize("market", MARKETS)
def test_the_engines_people_are_those_of_the_columns(market: Market) -> None:
    """Engine and judge, which share no code, allow the same pairs, and give each of these the same points."""
    profiles, rules = population(300, market, 1)
    roster = Roster(profiles)
    engine, judge = Engine(rules, roster.everybody(), former_pairs=roster.blocked()), Judge(profiles, rules)
    mentors, mentees = (np.flatnonzero(each) for each in (profiles.mentor_capacity, profiles.mentee_capacity))
    pairs = [pair for pair in product(mentors.tolist(), mentees.tolist()) if not judge.broken(*pair)]
    places = np.nonzero(engine.failed(mentors, mentees).T == 0)
    found = mentors[places[0]], mentees[places[1]]
    assert list(zip(*(rows.tolist() for rows in found), strict=True)) == pairs
    assert engine.scores(*found).tolist() == [sum(judge.terms(*pair).values()) for pair in pairs]


@pytest.mark.parametrize("market", MARKETS)
def test_a_change_in_the_columns_is_the_change_that_is_told(market: Market) -> None:
    """In the end everybody's columns say what was told last of them; of the others, what they said before."""
    profiles, _ = population(PEOPLE, market, 1)
    roster = Roster(profiles)
    last = dict(enumerate(roster.everybody()))
    for row in stream(profiles, 1):
        person = roster.person(row)
        assert person != last[row]
        last[row] = person
    assert list(Roster(profiles).everybody()) == list(last.values())


@pytest.mark.parametrize("market", MARKETS)
def test_most_edit_some_leave_and_come_back_as_they_were(market: Market) -> None:
    """Nobody changes while they are away; and an edit neither opens a side nor closes one."""
    profiles, _ = population(PEOPLE, market, 1)
    now = dict(enumerate(Roster(profiles).everybody()))
    inside = sum(map(takes_part, now.values()))
    left: dict[int, Person] = {}
    edits = leaves = 0
    for row, person in told(market, 1):
        if not takes_part(person):
            leaves += 1
            left[row] = now[row]
        elif row in left:
            assert person == left.pop(row)
        else:
            edits += 1
            assert [person.capacity(side) > 0 for side in Side] == [now[row].capacity(side) > 0 for side in Side]
        now[row] = person
    changes = round(CHANGES * inside)
    assert 0.6 * changes < edits < 0.8 * changes
    assert 0.1 * changes < leaves < 0.25 * changes
    assert sum(map(takes_part, now.values())) == inside - len(left)


def test_a_seed_says_it_all() -> None:
    """The same changes for the same seed, others for another."""
    first, again, other = (list(told("tight", seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
