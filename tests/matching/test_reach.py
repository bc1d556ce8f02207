"""How far rules would reach, by hand and held against the checker, and what a lead reads of it."""

import pytest
from contracts.matching import Side
from matching.engine.people import Person
from matching.engine.rules import Direction, Rule, Rules
from matching.programmes.reach import Reach, reach
from matching.programmes.reach_words import tell
from matching_cast import junior, senior
from matching_checker import World, allowed, takes_part
from matching_company import Company

RULES = Rules(areas=("ai-tools", "social-media"), level_gap=2)
EVERYTHING = RULES.model_copy(update={"areas": ()})


def told(people: list[Person], rules: Rules = RULES) -> Reach:
    return reach(rules, people)


def test_people_and_pairs_are_counted_by_hand() -> None:
    """Two juniors of the shops and one of the board; a senior of the board who seeks what two of them offer.

    Of three pairs one is possible: cem offers something else, and bo works in the senior's unit.
    """
    found = told(
        [
            junior("ana", "ai-tools"),
            junior("bo", "ai-tools", unit="board"),
            junior("cem", "social-media"),
            senior("dora", "ai-tools"),
        ]
    )
    assert (found.pairs, found.possible) == (3, 1)
    assert (found.mentors.people, found.mentors.possible) == (3, 1)
    assert (found.mentees.people, found.mentees.possible) == (1, 1)
    assert {rule: count for rule, count in found.apart.items() if count} == {Rule.UNIT: 1, Rule.AREAS: 1}
    assert {rule: count for rule, count in found.mentors.but_for.items() if count} == {Rule.UNIT: 1, Rule.AREAS: 1}
    assert not any(found.mentees.but_for.values())


def test_the_rule_that_leaves_nobody_for_anybody_is_named() -> None:
    """All of them work in the shops: without that rule both could have somebody."""
    found = told([junior("ana", "ai-tools"), senior("dora", "ai-tools", unit="shops")])
    assert found.nobody
    assert found.in_the_way is Rule.UNIT
    assert "Without “The same unit” 1 mentee and 1 mentor could have somebody." in tell(found).warning


def test_a_gap_is_told_in_years_where_experience_counts() -> None:
    """Joined in the same year, though levels apart."""
    found = told(
        [junior("ana", "ai-tools"), senior("dora", "ai-tools")],
        RULES.model_copy(update={"direction": Direction.EXPERIENCE}),
    )
    assert found.in_the_way is Rule.LEVEL
    assert "Without “Joined too few years apart, or the wrong way round” 1 mentee" in tell(found).warning


def test_when_two_rules_do_it_together_none_is_named() -> None:
    """The same unit and no common area: leaving one of the two rules out helps nobody."""
    found = told([junior("ana", "social-media"), senior("dora", "ai-tools", unit="shops")])
    assert found.nobody
    assert found.in_the_way is None
    assert "several do together" in tell(found).warning


@pytest.mark.parametrize("people", [[], [junior("ana", "ai-tools")]], ids=["nobody at all", "one side alone"])
def test_without_two_sides_it_says_who_has_to_come_first(people: list[Person]) -> None:
    """An empty programme is no rule's fault."""
    found = told(people)
    assert not found.nobody
    assert tell(found).warning == ""
    assert "people of both sides have to take part first" in tell(found).summary


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_agrees_with_the_checker_in_a_company_of_everything(seed: int) -> None:
    """Possible people and pairs, and whom leaving out the rule of units would help."""
    people = list(Company(seed, 150).people.values())
    loose = EVERYTHING.model_copy(update={"different_unit": False})
    found = told(people, EVERYTHING)
    assert found.possible > 0
    mentees, mentors = possible(people, EVERYTHING)
    freed_mentees, freed_mentors = possible(people, loose)
    assert found.possible == sum(mentees.values())
    assert found.mentees.possible == sum(map(bool, mentees.values()))
    assert found.mentors.possible == sum(map(bool, mentors.values()))
    assert found.mentees.but_for[Rule.UNIT] == sum(not mentees[each] and freed_mentees[each] > 0 for each in mentees)
    assert found.mentors.but_for[Rule.UNIT] == sum(not mentors[each] and freed_mentors[each] > 0 for each in mentors)


def possible(people: list[Person], rules: Rules) -> tuple[dict[str, int], dict[str, int]]:
    """With how many others each mentee, and each mentor, may be paired, as the checker finds."""
    world = World(rules, tuple(people), frozenset(), frozenset(), frozenset())
    sides = [[each for each in people if takes_part(each, side)] for side in (Side.MENTEE, Side.MENTOR)]
    mentees, mentors = ({each.id: 0 for each in side} for side in sides)
    for mentee in sides[0]:
        for mentor in sides[1]:
            if mentor.id != mentee.id and allowed(world, mentor, mentee):
                mentees[mentee.id] += 1
                mentors[mentor.id] += 1
    return mentees, mentors
