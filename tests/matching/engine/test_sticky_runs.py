"""What a run does with proposals that nobody has answered, and what is left of a run's worth after many changes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from contracts.matching import Side
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.engine.engine import Engine
from matching.engine.packed.profiles import Profiles
from matching.engine.people import Person
from matching.engine.proposals import Pair, Run, Tie
from matching.engine.rules import Rules, Weights
from matching_checker import World, allowed, expected_terms, points_of_areas, takes_part
from matching_company import Company

from benchmarks.matching.population import population

SEEDS = st.integers(0, 2**32)


def programme(open_proposal: int, reach: int = 100) -> Rules:
    return Rules(level_gap=1, different_unit=False, weights=Weights(open_proposal=open_proposal, reach=reach))


def some_time_later(seed: int, size: int, events: int) -> World:
    """A company and its open proposals, which were a run's once; since then people have changed and nobody said so."""
    company = Company(seed, size)
    before = {proposal.pair for proposal in Engine(programme(100), company.people.values()).run().proposals}
    for _ in range(events):
        company.next((), ())
    return World(programme(100), tuple(company.people.values()), frozenset(before), frozenset(), frozenset())


def run(world: World, open_proposal: int, reach: int = 100) -> Run:
    return replace(world, rules=programme(open_proposal, reach)).engine().run()


def that_hold(world: World) -> set[Pair]:
    """The open pairs that could stay, if only each of their people has not more of them than places."""
    people = world.by_id
    holding = {
        pair
        for pair in world.open
        if set(pair) <= set(people)
        and takes_part(people[pair.mentor], Side.MENTOR)
        and takes_part(people[pair.mentee], Side.MENTEE)
        and allowed(world, people[pair.mentor], people[pair.mentee])
    }
    mentors, mentees = (Counter(pair[at] for pair in holding) for at in range(2))
    most = world.rules.proposals_per_person
    return {
        pair
        for pair in holding
        if mentors[pair.mentor] <= min(people[pair.mentor].mentor_capacity, most)
        and mentees[pair.mentee] <= min(people[pair.mentee].mentee_capacity, most)
    }


@given(seed=SEEDS, open_proposal=st.sampled_from([0, 100, 2_000, 10_000]), reach=st.sampled_from([100, 50, 0]))
@settings(max_examples=25, deadline=None)
def test_what_a_run_says_parts_what_was_open_and_makes_what_is_open(seed: int, open_proposal: int, reach: int) -> None:
    """Kept and withdrawn are what was open; kept and proposed are what is open once the run is in force."""
    world = some_time_later(seed, 120, 30)
    engine = replace(world, rules=programme(open_proposal, reach)).engine()
    told = engine.run()
    proposed = [proposal.pair for proposal in told.proposals]
    assert sorted((*told.kept, *told.withdrawn)) == sorted(world.open)
    assert len(set(proposed)) == len(proposed)
    assert not set(proposed) & world.open
    engine.adopt(told)
    assert engine.ties.all(Tie.OPEN) == sorted((*told.kept, *proposed))


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_with_much_weight_on_them_a_run_keeps_all_open_proposals_that_hold(seed: int) -> None:
    """Ten thousand points are more than anything else could be better by."""
    world = some_time_later(seed, 200, 60)
    holding = that_hold(world)
    assert set(run(replace(world, open=frozenset(holding)), 10_000).kept) == holding


@given(seed=SEEDS, open_proposal=st.sampled_from([50, 300, 2_000]))
@settings(max_examples=25, deadline=None)
def test_what_keeping_costs_is_at_most_the_weight_for_each_that_is_kept(seed: int, open_proposal: int) -> None:
    """Beyond what a run may miss anyway: a point a pair, and eight thousandths of a percent."""
    world = some_time_later(seed, 200, 60)
    free, sticky = run(replace(world, open=frozenset()), 0), run(world, open_proposal)
    missed = len(sticky.kept) + len(sticky.proposals) + free.bound * 8 // 100_000 + 1
    assert free.value - sticky.value <= open_proposal * len(sticky.kept) + missed
    assert sticky.value <= free.bound


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_without_weight_a_run_is_worth_what_it_is_without_open_proposals(seed: int) -> None:
    """Up to what the two certificates leave open, which is next to nothing in a small market."""
    world = some_time_later(seed, 200, 60)
    free, loose = run(replace(world, open=frozenset()), 0), run(world, 0)
    assert min(free.certificate, loose.certificate) >= 9_990
    assert loose.value <= free.bound
    assert free.value <= loose.bound


# -- what is left after changes ----------------------------------------------------------------------------------------


def people_of(profiles: Profiles) -> list[Person]:
    """A made-up company, row by row."""

    def named(code: str, mask: int) -> tuple[str, ...]:
        return tuple(f"{code}{bit}" for bit in range(64) if mask >> bit & 1)

    def known(code: str, number: int) -> str:
        return f"{code}{number}" if number >= 0 else ""

    def areas(row: list[int]) -> tuple[str, ...]:
        return tuple(f"a{area:02}" for area in row if area >= 0)

    return [
        Person(
            id=f"{row:05}",
            level=int(profiles.level[row]),
            unit=known("u", int(profiles.unit[row])),
            country=known("c", int(profiles.country[row])),
            manager=f"{profiles.manager[row]:05}" if profiles.manager[row] >= 0 else None,
            utc_offset=int(profiles.utc_offset[row]),
            work_from=int(profiles.work_from[row]),
            work_to=int(profiles.work_to[row]),
            languages=named("l", int(profiles.languages[row])),
            offers=areas(profiles.offers[row].tolist()),
            seeks=areas(profiles.seeks[row].tolist()),
            open_to_mentor=bool(profiles.mentor_capacity[row]),
            open_to_be_mentored=bool(profiles.mentee_capacity[row]),
            mentor_capacity=int(profiles.mentor_capacity[row]),
            mentee_capacity=int(profiles.mentee_capacity[row]),
            waiting_days=int(profiles.waiting[row]),
            function=known("f", int(profiles.function[row])),
            site=known("s", int(profiles.site[row])),
            likes=named("f", int(profiles.likes[row])),
            in_person=bool(profiles.in_person[row]),
        )
        for row in range(len(profiles))
    ]


def another(person: Person, like: Person, kind: int) -> Person:
    """A participant becomes like another in something; of ten, one leaves the programme or comes back."""
    if kind == 0:
        return replace(
            person,
            open_to_mentor=bool(person.mentor_capacity) and not person.open_to_mentor,
            open_to_be_mentored=bool(person.mentee_capacity) and not person.open_to_be_mentored,
        )
    if kind <= 3:
        return replace(person, offers=like.offers, seeks=like.seeks)
    if kind <= 5:
        return replace(person, work_from=like.work_from, work_to=like.work_to)
    if kind <= 7:
        return replace(person, likes=like.likes, in_person=like.in_person)
    return replace(
        person,
        mentor_capacity=(person.mentor_capacity and like.mentor_capacity) or person.mentor_capacity,
        mentee_capacity=(person.mentee_capacity and like.mentee_capacity) or person.mentee_capacity,
    )


def value(world: World, pairs: Iterable[Pair]) -> int:
    """The points of pairs, less what further pairs of a person must be better by, as the checker finds."""
    area_points, people, total = points_of_areas(world), world.by_id, 0
    taken = Counter[tuple[str, int]]()
    for pair in sorted(pairs):
        terms = expected_terms(world, people[pair.mentor], people[pair.mentee], area_points)
        total += sum(terms.values())
        for at in range(2):
            total -= world.rules.weights.further_pair * taken[pair[at], at]
            taken[pair[at], at] += 1
    return total


@pytest.mark.parametrize("market", ["tight", "wide"])
@pytest.mark.parametrize("seed", [1, 2])
def test_after_changes_of_every_fourteenth_the_open_proposals_are_worth_99_percent_of_a_fresh_run(
    market: str, seed: int
) -> None:
    """In a made-up company of 2,000, with at most two moves a change."""
    profiles, rules = population(2_000, "tight" if market == "tight" else "wide", seed)
    rules = rules.model_copy(update={"areas": tuple(f"a{area:02}" for area in range(profiles.areas))})
    people = {person.id: person for person in people_of(profiles)}
    engine = Engine(rules, people.values())
    engine.adopt(engine.run())
    chance = np.random.default_rng(seed)
    inside = [person.id for person in people.values() if person.mentor_capacity or person.mentee_capacity]
    for _ in range(len(inside) * 7 // 100):
        one, other = (people[inside[int(chance.integers(len(inside)))]] for _ in range(2))
        people[one.id] = another(one, other, int(chance.integers(10)))
        engine.change(people[one.id])
    world = World(rules, tuple(people.values()), frozenset(), frozenset(), frozenset())
    fresh = {proposal.pair for proposal in world.engine().run().proposals}
    left = value(world, engine.ties.all(Tie.OPEN))
    assert left >= 0.99 * value(world, fresh)
