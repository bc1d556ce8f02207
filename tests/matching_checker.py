"""What the engine may answer, written apart from it: the rules and points from their description only.

Plain loops over people, no arrays, none of the engine's code beyond the models that carry the question and the answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import product

from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Pair, Proposal
from matching.engine.rules import Direction, Rules


@dataclass(frozen=True)
class World:
    rules: Rules
    people: tuple[Person, ...]
    open: frozenset[Pair]
    locked: frozenset[Pair]
    former: frozenset[Pair]

    @cached_property
    def by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    def engine(self) -> Engine:
        return Engine(self.rules, self.people, open_pairs=self.open, locked_pairs=self.locked, former_pairs=self.former)


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
    people, at = world.by_id, person
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
def working_minutes(work_from: int, work_to: int, utc_offset: int) -> frozenset[int]:
    """The minutes of a UTC day on which somebody works, one by one."""
    hours = (work_to - work_from) % 24 or 24
    begin = work_from * 60 - utc_offset
    return frozenset(minute % 1440 for minute in range(begin, begin + hours * 60))


@cache
def _overlap(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return len(working_minutes(*one) & working_minutes(*other))


def common_minutes(one: Person, other: Person) -> int:
    """The minutes of a day on which both work."""
    first, second = ((each.work_from, each.work_to, each.utc_offset) for each in (one, other))
    return _overlap(first, second)


def counting(areas: Iterable[str], rules: Rules) -> list[str]:
    return [area for area in dict.fromkeys(areas) if not rules.areas or area in rules.areas]


def above_by(rules: Rules, mentor: Person, mentee: Person) -> int:
    """How many levels, or years, the mentee is above the mentor."""
    if rules.direction is Direction.EXPERIENCE:
        return mentor.joined - mentee.joined
    return mentee.level - mentor.level


def allowed(world: World, mentor: Person, mentee: Person) -> bool:
    """Whether the rules let a mentor and a mentee be paired, whatever their places."""
    rules, people = world.rules, world.by_id
    gap = above_by(rules, mentor, mentee)
    # What is quickly known comes first: whole companies are held against each other.
    return not (
        mentor.id == mentee.id
        or (gap if rules.reverse_only else abs(gap)) < rules.level_gap
        or not set(counting(mentor.offers, rules)) & set(counting(mentee.seeks, rules))
        or (rules.common_language and not set(mentor.languages) & set(mentee.languages))
        or (rules.different_unit and mentor.unit == mentee.unit)
        or (mentor.manager is not None and mentor.manager == mentee.manager)
        or mentor.tenure < rules.mentor_tenure
        or 0 < rules.new_joiner_months < mentor.tenure
        or mentee.tenure < rules.mentee_tenure
        or common_minutes(mentor, mentee) < rules.common_minutes
        or (not rules.unknown_chains and (adrift(world, mentor) or adrift(world, mentee)))
        or mentor.id in above(mentee, people)
        or mentee.id in above(mentor, people)
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


def points_of_areas(world: World) -> dict[str, int]:
    """What each area that anybody names is worth by itself."""
    weights = world.rules.weights
    mentors = [person for person in world.people if takes_part(person, Side.MENTOR)]
    named = {area for person in world.people for area in counting((*person.offers, *person.seeks), world.rules)}

    def worth(code: str) -> int:
        offering = sum(code in person.offers for person in mentors)
        rarity = weights.rarity * doublings(len(mentors), offering)
        return weights.area + min(int(rarity), weights.rarity_limit)

    return {area: worth(area) for area in sorted(named)}


def same_place(one: Person, other: Person) -> bool:
    return one.site == other.site != "" and one.country == other.country


def expected_terms(
    world: World, mentor: Person, mentee: Person, area_points: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The parts of a score; `area_points` where the rarity of areas was settled earlier, for other people."""
    rules, weights = world.rules, world.rules.weights
    offers, seeks = counting(mentor.offers, rules), counting(mentee.seeks, rules)
    shared = set(offers) & set(seeks)
    worth = points_of_areas(world) if area_points is None else area_points

    def choice(wishes: list[str], weight: int) -> int:
        first = min(wishes.index(code) for code in shared)
        return weight * max(4 - first, 0) // 4

    minutes = min(common_minutes(mentor, mentee), 240)
    return {
        "areas": sum(sorted((worth[code] for code in shared), reverse=True)[:3]),
        "mentee-choice": choice(seeks, weights.mentee_choice),
        "mentor-choice": choice(offers, weights.mentor_choice),
        "hours": weights.hours * minutes // 240,
        "other-unit": weights.other_unit * (mentor.unit != mentee.unit),
        "other-country": weights.other_country * (mentor.country != mentee.country),
        "other-function": weights.other_function * (len({mentor.function, mentee.function} - {""}) == 2),
        "mentee-wish": weights.wish * (mentor.function != "" and mentor.function in mentee.likes),
        "mentor-wish": weights.wish * (mentee.function != "" and mentee.function in mentor.likes),
        "in-person": weights.in_person * (mentor.in_person and mentee.in_person and same_place(mentor, mentee)),
        "level": weights.level * min(max(abs(above_by(rules, mentor, mentee)) - rules.level_gap, 0), 4),
        "mentee-waiting": weights.waiting * min(mentee.waiting_days, 90),
        "mentor-waiting": weights.waiting * min(mentor.waiting_days, 90),
    }


def check_proposals(world: World, proposals: Iterable[Proposal], held: Iterable[Pair], whose: set[str]) -> None:
    """Nothing forbidden, nobody over their places, every score explained, and no place left that could be filled."""
    people = world.by_id
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
