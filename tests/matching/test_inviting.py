"""Who is suggested and why: held against the checker in companies of everything, and by hand where groups count."""

from collections import Counter
from dataclasses import replace

import pytest
from contracts.matching import InvitationReason, Side
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.engine.people import Person
from matching.engine.rules import Rules
from matching.invitations.suggesting import Suggested, spread, suggest
from matching_cast import junior, senior
from matching_checker import World, adrift, allowed, takes_part
from matching_company import AREAS, Company

ALL = Rules(areas=tuple(AREAS[:4]), different_unit=False, level_gap=1)
RULES = Rules(areas=("ai-tools",), level_gap=2)
NEW, SOUGHT, FUNCTION, SITE, LEVEL = InvitationReason


def asked(person: Person, rules: Rules) -> Person:
    """Somebody as they would be if they said yes."""
    return replace(person, offers=rules.areas, open_to_mentor=True, mentor_capacity=1)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([ALL, ALL.model_copy(update={"new_joiner_months": 24, "unknown_chains": True})]),
)
def test_only_people_who_pass_the_rules_and_have_not_thought_of_it_are_suggested(seed: int, rules: Rules) -> None:
    """Each would be allowed to mentor enough mentees; nobody who shares an area of the programme is among them."""
    people = list(Company(seed, 60).people.values())
    enrolled = {each.id for each in people if each.open_to_mentor or each.open_to_be_mentored}
    mentees = [each for each in people if takes_part(each, Side.MENTEE) and not set(each.seeks).isdisjoint(rules.areas)]
    found = suggest(rules, people, enrolled)
    by_id = {each.id: each for each in people}
    for each in found:
        person = by_id[each.member]
        assert each.reasons
        assert person.id not in enrolled or set(person.offers).isdisjoint(rules.areas)
        world = World(rules, tuple(asked(one, rules) if one is person else one for one in people), *([frozenset()] * 3))
        known = [mentee for mentee in mentees if rules.unknown_chains or not adrift(world, mentee)]
        possible = sum(allowed(world, asked(person, rules), mentee) for mentee in mentees if mentee is not person)
        assert possible >= min(3, len(known)) > 0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_no_reason_is_told_without_its_basis(seed: int) -> None:
    """Counted again: lately joined, groups of five of whom few mentor, levels of five on which nobody does."""
    people = list(Company(seed, 80).people.values())
    mentors = [each for each in people if takes_part(each, Side.MENTOR) and not set(each.offers).isdisjoint(ALL.areas)]
    by_id = {each.id: each for each in people}
    for each in suggest(ALL, people, {one.id for one in people if one.open_to_mentor or one.open_to_be_mentored}):
        person = by_id[each.member]
        level = [one for one in people if one.level == person.level]
        function = [one for one in people if one.function == person.function]
        sharing = [one for one in mentors if one.function == person.function]
        assert (NEW in each.reasons) == (person.tenure <= 12)
        assert (LEVEL in each.reasons) == (len(level) >= 5 and not [one for one in mentors if one in level])
        few = bool(person.function) and len(function) >= 5
        few &= 2 * len(sharing) * len(people) < len(function) * len(mentors)
        assert (FUNCTION in each.reasons) == few


@given(
    st.lists(
        st.builds(
            Suggested,
            st.uuids().map(str),
            st.sampled_from("abcd"),
            st.sampled_from([(NEW,), (NEW, LEVEL), (NEW, SITE, LEVEL)]),
        ),
        max_size=40,
        unique_by=lambda each: each.member,
    )
)
def test_every_unit_has_its_turn_before_any_has_another(found: list[Suggested]) -> None:
    """However many are taken from the beginning: no unit is two ahead of one that has people left."""
    ordered = spread(found, "p-1")
    assert Counter(ordered) == Counter(found)
    left, taken = Counter(each.unit for each in found), Counter[str]()
    for each in ordered:
        taken[each.unit] += 1
        left[each.unit] -= 1
        assert all(taken[each.unit] - taken[unit] <= 1 for unit, count in left.items() if count)
    for unit in "abcd":
        reasons = [len(each.reasons) for each in ordered if each.unit == unit]
        assert reasons == sorted(reasons, reverse=True)


def test_the_order_favours_nobody_and_is_another_in_each_programme() -> None:
    """Twenty of one unit who are equals: the same each time, however they come, and not by their ids."""
    found = [Suggested(f"m{number:02}", "shops", (NEW,)) for number in range(20)]
    first = [each.member for each in spread(found, "p-1")]
    assert first == [each.member for each in spread(reversed(found), "p-1")]
    assert first != sorted(first)
    assert first != [each.member for each in spread(found, "p-2")]


def company() -> list[Person]:
    """Eight sellers and six jurists who take no part, five sellers who mentor, and six directors who learn."""
    return [
        *(Person(f"s{number}", 2, "shops", "GB", function="sales", tenure=60) for number in range(8)),
        *(Person(f"j{number}", 3, "shops", "GB", function="law", tenure=60) for number in range(6)),
        *(replace(junior(f"m{number}", "ai-tools", level=2), function="sales", tenure=60) for number in range(5)),
        *(replace(senior(f"d{number}", "ai-tools"), tenure=60) for number in range(6)),
    ]


MENTORS = {f"m{number}" for number in range(5)} | {f"d{number}" for number in range(6)}


def why(people: list[Person], member: str, rules: Rules = RULES) -> tuple[InvitationReason, ...]:
    return next((each.reasons for each in suggest(rules, people, MENTORS) if each.member == member), ())


def test_reasons_by_hand() -> None:
    """Of jurists and of level three nobody shares anything; sellers offer what more people seek than offer it."""
    people = company()
    assert why(people, "j0") == (FUNCTION, LEVEL)
    assert why(people, "s0") == (SOUGHT,)  # six seek it, five offer it
    assert not why(people, "m0")
    assert not why(people, "d0")  # nobody is above them
    lately = [replace(each, tenure=12) if each.id == "s1" else each for each in people]
    assert why(lately, "s1") == (NEW, SOUGHT)


def test_of_fewer_than_five_people_nothing_is_told() -> None:
    """Four jurists are no group, and four sellers who offer something are none either."""
    people = [each for each in company() if each.id not in {"j4", "j5", "m4"}]
    assert not why(people, "j0")
    assert not why(people, "s0")


def test_a_site_is_its_countrys() -> None:
    """A code that two countries use is two sites: four there and one here are no five."""
    there = [replace(each, country="NP") if each.id in {"j1", "j2", "j3", "j4"} else each for each in company()]
    people = [replace(each, site="port", function="") if each.id.startswith("j") else each for each in there]
    assert SITE not in why(people, "j0")
    together = [replace(each, site="port", function="") if each.id.startswith("j") else each for each in company()]
    assert SITE in why(together, "j0")


@pytest.mark.parametrize(("mentees", "suggested"), [(0, False), (1, True), (6, True)])
def test_where_few_seek_anything_all_of_them_are_enough(mentees: int, suggested: bool) -> None:
    """Three mentees must be possible; where there are fewer, each of them; where there is none, nobody is asked."""
    people = [each for each in company() if not each.id.startswith("d")] + company()[-6:][:mentees]
    assert bool(why(people, "j0")) is suggested


def test_a_programme_for_new_joiners_asks_new_joiners() -> None:
    """The rule is the programme's own; so is what counts as lately."""
    rules = RULES.model_copy(update={"new_joiner_months": 60})
    assert why(company(), "j0", rules) == (NEW, FUNCTION, LEVEL)
    assert not why(company(), "j0", RULES.model_copy(update={"new_joiner_months": 24}))
