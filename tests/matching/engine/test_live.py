"""Thousands of events in a company, and after each what its live engine answered, held against a checker written apart.

Whatever is wrong is collected by what it is about, so that one mistake does not hide another.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from matching.engine.engine import Engine
from matching.engine.live.slots import MENTEES, MENTORS
from matching.engine.live.state import Live
from matching.engine.packed.candidates import Ask
from matching.engine.packed.records import Ints
from matching.engine.packed.searching import scratch, search
from matching.engine.people import Person
from matching.engine.rules import Direction, Rules, Weights
from matching_cast import junior, senior
from matching_checker import allowed, expected_terms
from matching_company import Company
from matching_inside import LOOKS, look_inside
from matching_life import Life

EVENTS: Final = 3_500
SIZE: Final = 600
PROGRAMMES: Final = {
    "as programmes begin": Rules(),
    "both ways, chains unknown": Rules(
        reverse_only=False,
        level_gap=1,
        unknown_chains=True,
        different_unit=False,
        mentor_tenure=6,
        mentee_tenure=3,
        moved_per_change=3,
        proposals_per_person=2,
        weights=Weights(further_pair=900, open_proposal=0),
    ),
    "new joiners mentor whoever has been here longer, one move": Rules(
        moved_per_change=1,
        common_minutes=0,
        level_gap=1,
        direction=Direction.EXPERIENCE,
        new_joiner_months=36,
    ),
}


@pytest.fixture(scope="module", params=PROGRAMMES)
def life(request: pytest.FixtureRequest) -> Life:
    """A company to which everything has happened that can."""
    name: str = request.param
    lived = Life(Company(1 + list(PROGRAMMES).index(name), SIZE, new_areas=5), PROGRAMMES[name])
    for _ in range(EVENTS // 500):
        lived.go_on(500)
        lived.look_at_everybody()
        look_inside(lived)
    return lived


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "about", ["rules", "places", "terms", "ties", "moved", "displaced", "withdrawn", "empty places", *LOOKS]
)
def test_a_live_engine_does_nothing_wrong_whatever_happens(life: Life, about: str) -> None:
    """Of 10,500 events none leads to anything that should not be.

    - rules: every open pair is allowed.
    - places: nobody has more than theirs.
    - terms: each part of a score is what the checker finds.
    - ties: the engine, its slots and its answers agree.
    - moved: no more gave way than may.
    - displaced: a mentee whose mentor moved has another.
    - withdrawn: it did not hold, or was one too many; and what moved did hold.
    - empty places: whom the event was about could be proposed to nobody else with a place.
    - all others: what the engine holds is true of the people, and as in an engine that is made now.
    """
    assert life.complaints[about] == []


Possible = dict[tuple[int, int], int]


@pytest.fixture(scope="module")
def possible(life: Life) -> Possible:
    """The points of every pair of a mentor's and a mentee's row that could be proposed if both had a place."""
    world, row, places = life.world(), life.engine.directory.row, life.engine.live.slots.places
    sides = [[person for person in world.people if places[side, row[person.id]] > 0] for side in (MENTORS, MENTEES)]
    return {
        (row[mentor.id], row[mentee.id]): sum(expected_terms(world, mentor, mentee, life.area_points).values())
        for mentor in sides[MENTORS]
        for mentee in sides[MENTEES]
        if not tied(life, mentor, mentee) and allowed(world, mentor, mentee)
    }


def tied(life: Life, one: Person, other: Person) -> bool:
    return bool({(one.id, other.id), (other.id, one.id)} & life.ties.keys())


def best_three(live: Live, side: np.int64, row: int, costs: Ints, least: int = -(10**6)) -> list[int]:
    """What the search says that somebody gains at most, with nothing left out to save time."""
    index, best = (live.mentees, live.mentors)[side], np.zeros(3, np.int64)
    ask = Ask(live.market, index.postings, live.compatible, live.how_many, live.bits, 2**31 - 1)
    number, _ = search(ask, side == MENTEES, costs, row, least, best, scratch())
    return sorted((best[:number] >> 32).tolist(), reverse=True)


def look_for_the_best(life: Life, possible: Possible, costs: Ints) -> list[str]:
    """Where the search finds less than a look at everybody: all seekers of both sides at costs [2, P]."""
    live, found = life.engine.live._live, []
    points = live.market.mentor_points, live.market.mentee_points
    for side in (MENTORS, MENTEES):
        gains: dict[int, list[int]] = {row: [] for row in np.flatnonzero(live.slots.places[side] > 0).tolist()}
        for pair, worth in possible.items():
            row, other = pair[side], pair[1 - side]
            gains[row].append(worth - int(points[1 - side][other]) - int(costs[1 - side, other]))
        for row, mine in gains.items():
            expected, told = sorted(mine, reverse=True)[:3], best_three(live, side, row, costs[1 - side])
            if told != expected:
                found.append(f"side {side}, row {row}: {told} instead of {expected}")
    return found


@pytest.mark.timeout(120)
def test_a_search_finds_the_best_there_is_when_others_only_became_dearer(life: Life, possible: Possible) -> None:
    """After all that happened, with costs drawn from those at which people were put into the index upwards."""
    live = life.engine.live._live
    stand = np.stack([live.mentors.stands_at, live.mentees.stands_at])
    dearer = np.random.default_rng(4).integers(0, 4_000, stand.shape)
    assert look_for_the_best(life, possible, (stand + dearer).astype(np.int32)) == []


@pytest.mark.timeout(120)
def test_a_search_finds_the_best_there_is_at_the_costs_that_are_true_now(life: Life, possible: Possible) -> None:
    """Whoever became cheaper since they were put into the index is found, too."""
    assert look_for_the_best(life, possible, life.engine.live.slots.cost) == []


def test_a_site_is_of_one_country() -> None:
    """Where everybody's site is "home", two in different countries do not meet there."""
    ann = replace(junior("ann", "cloud"), site="home", country="NP", in_person=True)
    eve = replace(senior("eve", "cloud"), site="home", in_person=True)
    engine = Engine(Rules(), [ann, eve])
    # The area 400, first choices 600 and 400, hours 600, unit 700, country 400, four levels 320.
    assert engine.score("ann", "eve").score == 3_420
    row, nothing = engine.directory.row["eve"], np.zeros(len(engine.directory.level), np.int32)
    assert best_three(engine.live._live, MENTEES, row, nothing, least=3_419) == [3_420]
