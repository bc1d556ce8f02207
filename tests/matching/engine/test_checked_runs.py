"""Every answer of the engine, over populations nobody would think of, held against a checker written apart.

The checker knows the rules from their description only: plain loops over people, no arrays, none of the engine's code
beyond the models that carry the question and the answer.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
from contracts.matching import Side
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Pair, Proposal, Tie
from matching.engine.rules import Rules, Weights

AREAS = ["ai-tools", "cloud", "fintech", "generations", "wellbeing", "data-literacy"]


@dataclass(frozen=True)
class World:
    rules: Rules
    people: tuple[Person, ...]
    open: frozenset[Pair]
    locked: frozenset[Pair]
    former: frozenset[Pair]

    def engine(self) -> Engine:
        return Engine(self.rules, self.people, open_pairs=self.open, locked_pairs=self.locked, former_pairs=self.former)


# -- the checker -------------------------------------------------------------------------------------------------------


def above(person: Person, people: dict[str, Person]) -> set[str]:
    """Everybody met by walking up from a person; a circle ends where it began."""
    met: set[str] = set()
    manager = person.manager
    while manager in people and manager not in met:
        met.add(manager)
        manager = people[manager].manager
    return met


def adrift(world: World, person: Person) -> bool:
    """Whether walking up ends at somebody unknown or goes round, instead of ending at a top."""
    people = {each.id: each for each in world.people}
    at = person
    for _ in world.people:
        if at.manager is None:
            return False
        if at.manager not in people:
            return True
        at = people[at.manager]
    return at.manager is not None


def unsettled(world: World) -> set[str]:
    if world.rules.unknown_chains:
        return set()
    return {person.id for person in world.people if adrift(world, person)}


@cache
def working_minutes(person: Person) -> frozenset[int]:
    """The minutes of a UTC day on which somebody works, one by one."""
    hours = (person.work_to - person.work_from) % 24 or 24
    begin = person.work_from * 60 - person.utc_offset
    return frozenset(minute % 1440 for minute in range(begin, begin + hours * 60))


def counting(areas: Iterable[str], rules: Rules) -> list[str]:
    return [area for area in dict.fromkeys(areas) if not rules.areas or area in rules.areas]


def allowed(world: World, mentor: Person, mentee: Person) -> bool:
    """Whether the rules let a mentor and a mentee be paired, whatever their places."""
    rules, people = world.rules, {person.id: person for person in world.people}
    gap = mentee.level - mentor.level
    return not any(
        (
            mentor.id == mentee.id,
            {mentor.id, mentee.id} & unsettled(world),
            (gap if rules.reverse_only else abs(gap)) < rules.level_gap,
            not set(counting(mentor.offers, rules)) & set(counting(mentee.seeks, rules)),
            len(working_minutes(mentor) & working_minutes(mentee)) < rules.common_minutes,
            rules.common_language and not set(mentor.languages) & set(mentee.languages),
            rules.different_unit and mentor.unit == mentee.unit,
            mentor.id in above(mentee, people),
            mentee.id in above(mentor, people),
            mentor.manager is not None and mentor.manager == mentee.manager,
            mentor.tenure < rules.mentor_tenure,
            mentee.tenure < rules.mentee_tenure,
        )
    )


def tied(world: World, one: str, other: str) -> bool:
    pairs = world.open | world.locked | world.former
    return (one, other) in pairs or (other, one) in pairs


def takes_part(person: Person, side: Side) -> bool:
    if side is Side.MENTOR:
        return person.open_to_mentor and person.mentor_capacity > 0
    return person.open_to_be_mentored and person.mentee_capacity > 0


def doublings(mentors: int, offering: int) -> Fraction:
    """The most sixteenths of a doubling that fit between the two, found by trying."""
    ratio = Fraction(mentors + 1, offering + 1)
    sixteenths = 0
    while ratio**16 >= 2 ** (sixteenths + 1):
        sixteenths += 1
    return Fraction(sixteenths, 16)


def expected_terms(world: World, mentor: Person, mentee: Person) -> dict[str, int]:
    rules, weights = world.rules, world.rules.weights
    mentors = [person for person in world.people if takes_part(person, Side.MENTOR)]
    offers, seeks = counting(mentor.offers, rules), counting(mentee.seeks, rules)
    shared = set(offers) & set(seeks)

    def area(code: str) -> int:
        offering = sum(code in person.offers for person in mentors)
        rarity = weights.rarity * doublings(len(mentors), offering)
        return weights.area + min(int(rarity), weights.rarity_limit)

    def choice(wishes: list[str], weight: int) -> int:
        first = min(wishes.index(code) for code in shared)
        return weight * max(4 - first, 0) // 4

    minutes = min(len(working_minutes(mentor) & working_minutes(mentee)), 240)
    return {
        "areas": sum(sorted((area(code) for code in shared), reverse=True)[:3]),
        "mentee-choice": choice(seeks, weights.mentee_choice),
        "mentor-choice": choice(offers, weights.mentor_choice),
        "hours": weights.hours * minutes // 240,
        "other-unit": weights.other_unit * (mentor.unit != mentee.unit),
        "other-country": weights.other_country * (mentor.country != mentee.country),
        "other-function": weights.other_function * (len({mentor.function, mentee.function} - {""}) == 2),
        "mentee-wish": weights.wish * (mentor.function != "" and mentor.function in mentee.likes),
        "mentor-wish": weights.wish * (mentee.function != "" and mentee.function in mentor.likes),
        "in-person": weights.in_person * (mentor.in_person and mentee.in_person and mentor.site == mentee.site != ""),
        "level": weights.level * min(max(abs(mentee.level - mentor.level) - rules.level_gap, 0), 4),
        "mentee-waiting": weights.waiting * min(mentee.waiting_days, 90),
        "mentor-waiting": weights.waiting * min(mentor.waiting_days, 90),
    }


def check_proposals(world: World, proposals: Iterable[Proposal], held: Iterable[Pair], whose: set[str]) -> None:
    """Nothing forbidden, nobody over their places, every score explained, and no place left that could be filled."""
    people = {person.id: person for person in world.people}
    proposed = [proposal.pair for proposal in proposals]
    assert len(set(proposed)) == len(proposed), "a pair stands twice"
    for proposal in proposals:
        mentor, mentee = people[proposal.mentor], people[proposal.mentee]
        assert takes_part(mentor, Side.MENTOR)
        assert takes_part(mentee, Side.MENTEE)
        assert allowed(world, mentor, mentee)
        assert not tied(world, mentor.id, mentee.id)
        assert whose & {mentor.id, mentee.id}
        assert dict(proposal.terms) == expected_terms(world, mentor, mentee)
        assert proposal.score == sum(proposal.terms.values())
        assert set(proposal.areas) == set(counting(mentor.offers, world.rules)) & set(mentee.seeks)
    waiting = [*held, *proposed]
    live = [*waiting, *world.locked]
    room = {}
    for person, side in product(world.people, Side):
        place = 0 if side is Side.MENTOR else 1
        mine = Counter(pair[place] for pair in live)[person.id]
        unanswered = Counter(pair[place] for pair in waiting)[person.id]
        capacity = person.mentor_capacity if side is Side.MENTOR else person.mentee_capacity
        new = Counter(pair[place] for pair in proposed)[person.id]
        assert not new or (mine <= capacity and unanswered <= world.rules.proposals_per_person)
        room[person.id, side] = (
            takes_part(person, side) and mine < capacity and unanswered < world.rules.proposals_per_person
        )
    for mentor, mentee in product(world.people, repeat=2):
        if whose & {mentor.id, mentee.id} and room[mentor.id, Side.MENTOR] and room[mentee.id, Side.MENTEE]:
            together = {(mentor.id, mentee.id), (mentee.id, mentor.id)} & set(proposed)
            assert together or tied(world, mentor.id, mentee.id) or not allowed(world, mentor, mentee), (
                "a place is left"
            )


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
        mentor_tenure=draw(st.sampled_from([0, 0, 6])),
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
    people = {person.id: person for person in world.people}

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
        people = {each.id: each for each in world.people}
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
    people = {person.id: person for person in world.people}
    return people[proposal.mentor], people[proposal.mentee]
