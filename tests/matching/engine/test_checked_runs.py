"""Every answer of the engine, over populations nobody would think of, held against a checker written apart."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from contracts.matching import Side
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.engine.people import Person
from matching.engine.proposals import Pair, Proposal, Tie
from matching.engine.rules import Direction, Rules, Weights
from matching_checker import World, allowed, check_proposals, expected_terms, takes_part, unsettled

AREAS = ["ai-tools", "cloud", "fintech", "generations", "wellbeing", "data-literacy"]


# -- populations -------------------------------------------------------------------------------------------------------

area_lists = st.one_of(st.just(tuple(AREAS[:4])), st.lists(st.sampled_from(AREAS), max_size=5).map(tuple))
mostly = st.sampled_from([True, True, True, False])


@st.composite
def persons(draw: st.DrawFn, member: str, everybody: list[str]) -> Person:
    """Anybody at all: own manager, circles, unknown managers, night shifts, zones a quarter of an hour off."""
    return Person(
        id=member,
        level=draw(st.integers(1, 12)),
        unit=draw(st.sampled_from("abcde")),
        country=draw(st.sampled_from(["GB", "NP"])),
        manager=draw(st.sampled_from([None, None, *everybody, "nobody-knows"])),
        utc_offset=draw(st.sampled_from([0, 0, 60, 345, -570, 840, -720])),
        work_from=draw(st.sampled_from([9, 8, 7, 22, 0])),
        work_to=draw(st.sampled_from([17, 18, 16, 6, 24, 9])),
        languages=draw(st.sampled_from([("en",), ("en", "de"), ("de", "en"), ("ne", "en"), ("ne",)])),
        offers=draw(area_lists),
        seeks=draw(area_lists),
        open_to_mentor=draw(mostly),
        open_to_be_mentored=draw(mostly),
        mentor_capacity=draw(st.sampled_from([1, 2, 3, 0])),
        mentee_capacity=draw(st.sampled_from([1, 2, 3, 0])),
        waiting_days=draw(st.integers(0, 120)),
        tenure=draw(st.sampled_from([40, 6, 0])),
        joined=draw(st.integers(2014, 2025)),
        function=draw(st.sampled_from(["", "law", "sales"])),
        site=draw(st.sampled_from(["", "tower", "port"])),
        likes=draw(st.sampled_from([(), ("law",), ("sales", "law"), ("art",)])),
        in_person=draw(st.booleans()),
    )


@st.composite
def programmes(draw: st.DrawFn) -> Rules:
    reverse_only = draw(st.booleans())
    weights = {name: draw(st.integers(0, 900)) for name in Weights.model_fields}
    return Rules(
        reverse_only=reverse_only,
        level_gap=draw(st.integers(int(reverse_only), 3)),
        areas=draw(st.sampled_from([(), ("ai-tools", "cloud", "fintech", "generations", "unheard-of")])),
        common_minutes=draw(st.sampled_from([60, 0, 15, 240])),
        common_language=draw(st.booleans()),
        different_unit=draw(st.booleans()),
        unknown_chains=draw(st.booleans()),
        direction=draw(st.sampled_from(Direction)),
        mentor_tenure=draw(st.sampled_from([0, 0, 6])),
        new_joiner_months=draw(st.sampled_from([0, 0, 6, 12])),
        mentee_tenure=draw(st.sampled_from([0, 0, 12])),
        proposals_per_person=draw(st.integers(1, 3)),
        moved_per_change=draw(st.integers(0, 3)),
        weights=Weights(**weights | {"reach": draw(st.integers(0, 100))}),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    ids = [f"m{number}" for number in range(draw(st.sampled_from([8, 10, 5, 3, 1, 0])))]
    people = tuple(draw(persons(member, ids)) for member in ids)
    pairs = st.sets(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=4) if ids else st.just(set())
    open_, locked, former = (frozenset(Pair(*pair) for pair in draw(pairs) if pair[0] != pair[1]) for _ in range(3))
    return World(draw(programmes()), people, open_ - locked, locked, former - locked - open_)


# -- what must always be true ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(worlds())
def test_a_run_breaks_no_rule_and_leaves_no_place_that_could_be_filled(world: World) -> None:
    """Rules, places and scores hold for every proposal, for new ones and for those that are kept."""
    engine = world.engine()
    run = engine.run()
    people = world.by_id

    def holds(pair: Pair) -> bool:
        mentor, mentee = people[pair.mentor], people[pair.mentee]
        return takes_part(mentor, Side.MENTOR) and takes_part(mentee, Side.MENTEE) and allowed(world, mentor, mentee)

    assert set(run.kept) <= {pair for pair in world.open if holds(pair)}
    assert set(run.withdrawn) == world.open - set(run.kept)
    check_proposals(replace(world, open=frozenset(run.kept)), run.proposals, run.kept, set(people))
    assert run.value <= run.bound


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_department_of_eighty_is_matched_by_the_rules(seed: int) -> None:
    """In a crowd where places are scarce, hundreds of feasible pairs compete, and the same checks hold."""
    chance = np.random.default_rng(seed)

    def some(most: int) -> tuple[str, ...]:
        return tuple(chance.permutation(AREAS)[: chance.integers(1, most)].tolist())

    people = tuple(
        Person(
            id=f"m{number:02}",
            level=int(np.clip(12 - number // 7 + chance.integers(-1, 2), 1, 12)),
            unit="abcdef"[int(chance.integers(6))],
            country="GB" if chance.integers(2) else "NP",
            manager=f"m{(number - 1) // 3:02}" if number else None,
            utc_offset=int(chance.choice([0, 60, 345])),
            offers=some(4),
            seeks=some(4),
            open_to_mentor=bool(chance.integers(4)),
            open_to_be_mentored=bool(chance.integers(4)),
            mentor_capacity=int(chance.integers(1, 4)),
            mentee_capacity=int(chance.integers(1, 3)),
            waiting_days=int(chance.integers(120)),
        )
        for number in range(80)
    )
    world = World(Rules(), people, frozenset(), frozenset(), frozenset())
    run = world.engine().run()
    assert len(run.proposals) >= 40
    check_proposals(world, run.proposals, (), {person.id for person in people})
    assert run.value <= run.bound


@settings(deadline=None, max_examples=60)
@given(worlds(), st.data())
def test_the_order_of_the_roster_changes_nothing(world: World, data: st.DataObject) -> None:
    """The same people and pairs in another order give the identical run, bit for bit."""
    shuffled = tuple(data.draw(st.permutations(world.people)))
    assert replace(world, people=shuffled).engine().run() == world.engine().run()


@settings(deadline=None, max_examples=80)
@given(worlds(), st.data())
def test_one_change_after_another_keeps_to_the_rules_and_moves_few_others(world: World, data: st.DataObject) -> None:
    """What the engine holds after each change satisfies every rule, and no more moved for it than may."""
    engine = world.engine()
    engine.adopt(engine.run())
    ids = [person.id for person in world.people] + ["newcomer"]
    for _ in range(3):
        person = data.draw(persons(data.draw(st.sampled_from(ids)), ids))
        before = frozenset(engine.ties.all(Tie.OPEN))
        change = engine.change(person)
        waited = unsettled(world)
        others = tuple(other for other in world.people if other.id != person.id)
        held = before - set(change.withdrawn) - set(change.moved)
        world = replace(world, people=(*others, person), open=held)
        assert frozenset(engine.ties.all(Tie.OPEN)) == held | {proposal.pair for proposal in change.proposals}
        people = world.by_id
        for pair in held:
            assert allowed(world, people[pair.mentor], people[pair.mentee])
        for pair in change.withdrawn:
            mentor, mentee = people[pair.mentor], people[pair.mentee]
            away = not takes_part(mentor, Side.MENTOR) or not takes_part(mentee, Side.MENTEE)
            full = person.id in pair  # who offers fewer places than before gives proposals up
            assert away or full or not allowed(world, mentor, mentee)
        assert len(change.moved) <= world.rules.moved_per_change
        assert set(change.moved) <= before
        touched = {member for pair in (*change.withdrawn, *change.moved) for member in pair}
        check_areas_and_rules(world, change.proposals, held, {person.id} | (waited - unsettled(world)) | touched)


def check_areas_and_rules(world: World, proposals: tuple[Proposal, ...], held: Iterable[Pair], whose: set[str]) -> None:
    """As for a run, except that a live engine keeps the rarities of its start until the next run."""
    expected = {proposal.pair: expected_terms(world, *_both(world, proposal))["areas"] for proposal in proposals}
    settled = [
        replace(
            proposal,
            terms={**proposal.terms, "areas": expected[proposal.pair]},
            score=proposal.score - proposal.terms["areas"] + expected[proposal.pair],
        )
        for proposal in proposals
    ]
    assert all(proposal.score == sum(proposal.terms.values()) for proposal in proposals)
    check_proposals(world, settled, held, whose)


def _both(world: World, proposal: Proposal) -> tuple[Person, Person]:
    people = world.by_id
    return people[proposal.mentor], people[proposal.mentee]
