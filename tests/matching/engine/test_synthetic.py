"""The benchmark's world: what its judge says about pairs, which company it makes up, and what its peers choose.

The judge's people are a junior mentor and a senior mentee who could be paired; each example changes what it is about.
"""

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matching.engine.chain import LOST, NOBODY
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, Profiles
from matching.engine.rules import Direction

from benchmarks.matching import peers
from benchmarks.matching.all_pairs import numpy_all_pairs
from benchmarks.matching.judge import Judge, Verdict, broken, judge, terms
from benchmarks.matching.peers import PEERS, Graph, Picks, deferred_acceptance, exact, value
from benchmarks.matching.population import MARKETS, RULES, Market, describe, population, refuse_if_off

MENTOR, MENTEE, THIRD, FOURTH = range(4)
LONE_MENTOR: Final = 400  # an area that every mentor offers


@dataclass(frozen=True)
class Person:
    """One row of a market."""

    level: int = 2
    unit: int = 0
    function: int = 0
    country: int = 0
    site: int = 0
    manager: int = NOBODY
    tenure: int = 24
    joined: int = 2024
    utc_offset: int = 0
    work_from: int = 9
    work_to: int = 17
    languages: int = 0b1
    offers: tuple[int, ...] = ()
    seeks: tuple[int, ...] = ()
    likes: int = 0
    in_person: bool = False
    mentor_capacity: int = 0
    mentee_capacity: int = 0
    waiting: int = 0


JUNIOR: Final = Person(offers=(0,), mentor_capacity=1)
SENIOR: Final = Person(level=8, seeks=(0,), mentee_capacity=1)
ANY_CHAIN: Final = RULES.model_copy(update={"unknown_chains": True})


def a_market(*people: Person, blocked: tuple[tuple[int, int], ...] = ()) -> Profiles:
    """People as columns."""

    def column(name: str) -> Any:
        return [getattr(person, name) for person in people]

    def areas(name: str) -> Any:
        return [list(named) + [NO_AREA] * (MOST_NAMED - len(named)) for named in column(name)]

    wide: dict[str, Any] = {name: np.array(column(name), np.uint64) for name in ("languages", "likes")}
    named = {name: np.array(areas(name), np.int8) for name in ("offers", "seeks")}
    rest = {name: np.array(column(name), np.int32) for name in Person.__dataclass_fields__ if name not in wide | named}
    return Profiles(
        key=np.arange(len(people), dtype=np.uint64),
        areas=40,
        blocked=np.array(blocked, np.int64).reshape(-1, 2),
        **wide | named | rest | {"in_person": np.array(column("in_person"), np.bool_)},
    )


def test_a_score_has_a_part_for_everything_that_counts() -> None:
    """One shared area that is the first choice of both, eight common hours, and nothing else."""
    found = terms(a_market(JUNIOR, SENIOR), RULES, MENTOR, MENTEE)
    nothing = dict.fromkeys(("other-unit", "other-country", "other-function", "level", "mentor-wish", "mentee-wish"), 0)
    nothing |= dict.fromkeys(("in-person", "mentee-waiting", "mentor-waiting"), 0)
    assert found == {"areas": LONE_MENTOR, "mentee-choice": 600, "mentor-choice": 400, "hours": 1200, **nothing}


@pytest.mark.parametrize(
    ("mentor", "mentee", "term", "expected"),
    [
        ({"offers": (5, 0)}, {}, "mentor-choice", 300),
        ({"offers": (4, 5, 6, 7, 0)}, {}, "mentor-choice", 0),
        ({}, {"seeks": (1, 2, 0)}, "mentee-choice", 300),
        ({}, {"seeks": (1, 2, 3, 0)}, "mentee-choice", 150),
        ({}, {"seeks": (1, 2, 3, 4, 0)}, "mentee-choice", 0),
        ({"offers": (2, 1)}, {"seeks": (1, 2)}, "mentor-choice", 400),
        ({}, {"work_from": 15, "work_to": 23}, "hours", 600),
        ({"work_from": 22, "work_to": 6}, {"work_from": 5, "work_to": 13}, "hours", 300),
        ({"utc_offset": 60}, {"utc_offset": -300}, "hours", 600),
        ({"utc_offset": 720}, {"utc_offset": -660}, "hours", 1200),
        ({"work_from": 0, "work_to": 0}, {"work_from": 23, "work_to": 2}, "hours", 900),
        ({"work_from": 20, "work_to": 10}, {"work_from": 9, "work_to": 21}, "hours", 600),
        ({}, {"unit": 1}, "other-unit", 300),
        ({}, {"country": 1}, "other-country", 400),
        ({}, {"function": 1}, "other-function", 700),
        ({}, {"function": -1}, "other-function", 0),
        ({"likes": 0b100}, {"function": 2}, "mentor-wish", 600),
        ({"likes": 0b100}, {"function": 1}, "mentor-wish", 0),
        ({"likes": 2**64 - 1}, {"function": -1}, "mentor-wish", 0),
        ({"function": 63}, {"likes": 2**63}, "mentee-wish", 600),
        ({"in_person": True}, {"in_person": True}, "in-person", 500),
        ({"in_person": True}, {}, "in-person", 0),
        ({"in_person": True, "site": 1}, {"in_person": True}, "in-person", 0),
        ({"in_person": True, "site": -1}, {"in_person": True, "site": -1}, "in-person", 0),
        ({}, {"waiting": 19}, "mentee-waiting", 95),
        ({"waiting": 120}, {}, "mentor-waiting", 450),
    ],
)
def test_each_part_is_what_the_rules_say(
    mentor: dict[str, Any], mentee: dict[str, Any], term: str, expected: int
) -> None:
    """Worked out by hand, with the weights of the benchmark."""
    market = a_market(replace(JUNIOR, **mentor), replace(SENIOR, **mentee))
    assert terms(market, RULES, MENTOR, MENTEE)[term] == expected


@pytest.mark.parametrize(("level", "expected"), [(5, 0), (6, 80), (9, 320), (12, 320)])
def test_levels_beyond_the_least_gap_count_up_to_four(level: int, expected: int) -> None:
    """The mentor's level is 2, the least gap 3."""
    rules = RULES.model_copy(update={"weights": RULES.weights.model_copy(update={"level": 80})})
    assert terms(a_market(JUNIOR, replace(SENIOR, level=level)), rules, MENTOR, MENTEE)["level"] == expected


def test_the_three_rarest_common_areas_count() -> None:
    """Of three mentors all offer area 0, two each of 1 and 2, one area 3; the last of the four common ones is left out.

    (4/3)^16 is 99.8, so 6 sixteenths of a halving: 400 + 260 * 6 // 16 = 497. (4/2)^16 is 16: 400 + 260.
    """
    mentor = replace(JUNIOR, offers=(0, 1, 2, 3))
    others = replace(JUNIOR, offers=(0, 1)), replace(JUNIOR, offers=(0, 2))
    silent = replace(JUNIOR, offers=(3,), mentor_capacity=0)  # takes no part, so offers nothing
    market = a_market(mentor, replace(SENIOR, seeks=(3, 2, 1, 0)), *others, silent)
    assert terms(market, RULES, MENTOR, MENTEE)["areas"] == 660 + 497 + 497


def test_rarity_adds_no_more_than_its_limit() -> None:
    """One of 63 mentors offers the area: five halvings are 1,300 points, more than the limit of 1,200."""
    market = a_market(JUNIOR, SENIOR, *[replace(JUNIOR, offers=(1,))] * 62)
    assert terms(market, RULES, MENTOR, MENTEE)["areas"] == 400 + 1200


@pytest.mark.parametrize(
    ("mentor", "mentee", "rules", "expected"),
    [
        ({}, {}, {}, []),
        ({"mentor_capacity": 0}, {}, {}, ["taking-part"]),
        ({}, {"mentee_capacity": 0}, {}, ["taking-part"]),
        ({}, {"level": 4}, {}, ["level-gap"]),
        ({"level": 8}, {"level": 2}, {}, ["level-gap"]),
        ({"level": 8}, {"level": 2}, {"reverse_only": False}, []),
        ({}, {"level": 4}, {"reverse_only": False}, ["level-gap"]),
        ({}, {"seeks": (1, 2)}, {}, ["common-area"]),
        ({}, {"seeks": ()}, {}, ["common-area"]),
        ({}, {"work_from": 16, "work_to": 20}, {}, []),
        ({}, {"work_from": 16, "work_to": 20, "utc_offset": -15}, {}, ["common-hours"]),
        ({}, {"languages": 0b10}, {}, ["common-language"]),
        ({}, {"languages": 0b10}, {"common_language": False}, []),
        ({"languages": 2**63}, {"languages": 2**63 + 2}, {}, []),
        ({}, {}, {"different_unit": True}, ["different-unit"]),
        ({"manager": MENTEE}, {}, {}, ["management-chain"]),
        ({}, {"manager": MENTOR}, {}, ["management-chain"]),
        ({"manager": THIRD}, {}, {}, ["management-chain"]),
        ({}, {"manager": THIRD}, {"unknown_chains": True}, []),
        ({}, {"manager": THIRD}, {}, ["unknown-chain"]),
        ({"manager": FOURTH}, {"manager": FOURTH}, {}, ["same-manager"]),
        ({"manager": 99}, {"manager": 99}, {"unknown_chains": True}, ["same-manager"]),
        ({"manager": LOST}, {"manager": LOST}, {"unknown_chains": True}, []),
        ({"manager": LOST}, {}, {}, ["unknown-chain"]),
        ({}, {"manager": 99}, {}, ["unknown-chain"]),
        ({"manager": FOURTH}, {}, {}, []),
        ({"tenure": 6}, {"tenure": 24}, {"mentor_tenure": 6, "mentee_tenure": 24}, []),
        ({"tenure": 5}, {}, {"mentor_tenure": 6, "mentee_tenure": 24}, ["mentor-tenure"]),
        ({}, {"tenure": 23}, {"mentor_tenure": 6, "mentee_tenure": 24}, ["mentee-tenure"]),
        ({"tenure": 12}, {"tenure": 99}, {"new_joiner_months": 12}, []),
        ({"tenure": 13}, {}, {"new_joiner_months": 12}, ["new-joiner"]),
        ({"level": 9}, {"joined": 2021}, {"direction": Direction.EXPERIENCE}, []),
        ({}, {"joined": 2022}, {"direction": Direction.EXPERIENCE}, ["level-gap"]),
        ({"joined": 2021}, {}, {"direction": Direction.EXPERIENCE}, ["level-gap"]),
        ({"joined": 2021}, {}, {"direction": Direction.EXPERIENCE, "reverse_only": False}, []),
        ({}, {"level": 3, "languages": 0b10}, {}, ["level-gap", "common-language"]),
    ],
)
def test_each_rule_is_broken_by_what_breaks_it(
    mentor: dict[str, Any], mentee: dict[str, Any], rules: dict[str, Any], expected: list[str]
) -> None:
    """The third person reports to the mentee, the fourth to nobody."""
    others = Person(manager=MENTEE), Person()
    market = a_market(replace(JUNIOR, **mentor), replace(SENIOR, **mentee), *others)
    assert broken(market, RULES.model_copy(update=rules), MENTOR, MENTEE) == expected


@pytest.mark.parametrize("pair", [(MENTOR, MENTEE), (MENTEE, MENTOR)])
def test_blocked_is_blocked_either_way(pair: tuple[int, int]) -> None:
    """Whoever comes first in the pair that is never proposed."""
    assert broken(a_market(JUNIOR, SENIOR, blocked=(pair,)), RULES, MENTOR, MENTEE) == ["blocked"]


def test_people_in_a_circle_are_above_one_another() -> None:
    """The mentor reports to the third, who reports to the mentee, who reports to the mentor."""
    market = a_market(replace(JUNIOR, manager=THIRD), replace(SENIOR, manager=MENTOR), Person(manager=MENTEE))
    assert broken(market, RULES, MENTOR, MENTEE) == ["management-chain", "unknown-chain"]
    assert broken(market, ANY_CHAIN, MENTOR, MENTEE) == ["management-chain"]


@pytest.mark.parametrize("top", [LOST, 99, FOURTH], ids=["lost", "not in the directory", "their own manager"])
def test_a_chain_is_as_unknown_as_the_people_highest_up_in_it(top: int) -> None:
    """The mentor reports to the third, who reports to the fourth; nobody knows who is above that one."""
    market = a_market(replace(JUNIOR, manager=THIRD), SENIOR, Person(manager=FOURTH), Person(manager=top))
    assert broken(market, RULES, MENTOR, MENTEE) == ["unknown-chain"]
    assert broken(market, ANY_CHAIN, MENTOR, MENTEE) == []


def test_languages_beyond_the_first_64_count_like_these() -> None:
    """The same bit means another language there."""
    apart = a_market(replace(JUNIOR, languages=0b01), replace(SENIOR, languages=0b10))
    for more, expected in (([0b10, 0b11], []), ([0b10, 0b01], ["common-language"]), ([0b10, 0], ["common-language"])):
        market = replace(apart, more_languages=np.array(more, np.uint64))
        assert broken(market, RULES, MENTOR, MENTEE) == expected


def test_nobody_mentors_themselves_and_nobody_is_a_stranger() -> None:
    """A row that is paired with itself breaks a rule; a row that does not exist is refused."""
    both = Person(level=5, offers=(0,), seeks=(0,), mentor_capacity=1, mentee_capacity=1)
    assert broken(a_market(both), RULES.model_copy(update={"level_gap": 0, "reverse_only": False}), 0, 0) == [
        "same-person"
    ]
    for pair in ((-1, 0), (0, 1)):
        with pytest.raises(ValueError, match="is nobody"):
            broken(a_market(both), RULES, *pair)


SCORE: Final = LONE_MENTOR + 600 + 400 + 1200
BUSY: Final = a_market(
    replace(JUNIOR, mentor_capacity=2),
    replace(SENIOR, mentee_capacity=5),
    JUNIOR,
    JUNIOR,
    JUNIOR,
    replace(SENIOR, level=3),
)
"""Mentors 0, 2, 3 and 4; a mentee with five places, of whom the rules allow three; and 5, who is too junior."""


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], Verdict(0, 0, 0, 0, 0)),
        ([(0, 1, SCORE)], Verdict(SCORE, 0, 0, 0, 0)),
        ([(0, 1, SCORE), (2, 1, SCORE), (3, 1, SCORE)], Verdict(3 * SCORE - 400 - 800, 0, 0, 0, 0)),
        ([(0, 1, SCORE), (2, 1, SCORE), (3, 1, SCORE), (4, 1, SCORE)], Verdict(4 * SCORE - 2400, 0, 1, 0, 0)),
        ([(0, 1, SCORE), (0, 1, SCORE)], Verdict(SCORE, 0, 0, 1, 0)),
        ([(0, 1, SCORE + 1)], Verdict(SCORE, 0, 0, 0, 1)),
        ([(2, 5, SCORE)], Verdict(SCORE, 1, 0, 0, 0)),
        ([(2, 1, SCORE), (2, 5, SCORE)], Verdict(2 * SCORE - 400, 1, 1, 0, 0)),
    ],
)
def test_a_verdict_counts_what_is_wrong(pairs: list[tuple[int, int, int]], expected: Verdict) -> None:
    """Value, rules broken, capacities exceeded, pairs that come twice, scores that are wrong."""
    found = judge(BUSY, RULES, pairs)
    assert found == expected
    assert found.sound == (expected == Verdict(expected.value, 0, 0, 0, 0))


@pytest.mark.parametrize("market", MARKETS)
def test_the_company_is_the_one_that_the_figures_are_of(market: Market) -> None:
    """Its shares pass; those of the other market don't; and a seed gives the same company each time."""
    profiles, rules = population(10_000, market, 1)
    found = describe(profiles, rules)
    refuse_if_off(found, 10_000, market)
    with pytest.raises(ValueError, match=r"mentors instead of .*: more than 5% off"):
        refuse_if_off(found, 10_000, "tight" if market == "wide" else "wide")
    with pytest.raises(ValueError, match=r"5\.0% of the pairs break no rule"):
        refuse_if_off(replace(found, feasible=0.05), 10_000, market)
    again, other = (population(10_000, market, seed)[0] for seed in (1, 2))
    for name in Profiles.__dataclass_fields__:
        assert np.array_equal(getattr(profiles, name), getattr(again, name)), name
    assert not np.array_equal(profiles.manager, other.manager)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("changes", [{}, {"direction": Direction.EXPERIENCE, "new_joiner_months": 60, "level_gap": 2}])
def test_all_pairs_by_numpy_are_those_of_the_judge(market: Market, changes: dict[str, Any]) -> None:
    """Two ways that share no code find the same feasible pairs with the same scores."""
    profiles, usual = population(300, market, 1)
    rules = usual.model_copy(update={**changes, "weights": usual.weights.model_copy(update={"level": 80})})
    judges = Judge(profiles, rules)
    mentors, mentees = (np.flatnonzero(each).tolist() for each in (profiles.mentor_capacity, profiles.mentee_capacity))
    expected = {
        (mentee, mentor): sum(judges.terms(mentor, mentee).values())
        for mentee, mentor in product(mentees, mentors)
        if not judges.broken(mentor, mentee)
    }
    assert expected
    graph = numpy_all_pairs(profiles, rules)
    pairs = zip(graph.mentees.tolist(), graph.mentors.tolist(), strict=True)
    assert dict(zip(pairs, graph.scores.tolist(), strict=True)) == expected


def a_graph(scores: dict[tuple[int, int], int], places: tuple[tuple[int, ...], tuple[int, ...]]) -> Graph:
    """Edges of mentees and mentors, and everybody's places on each side."""
    mentees, mentors = (np.array([pair[side] for pair in scores], np.int32) for side in (0, 1))
    mine, theirs = (np.array(side, np.int32) for side in places)
    return Graph(mentees, mentors, np.array(list(scores.values()), np.int32), mine, theirs, 400)


def fits(graph: Graph, edges: Any) -> bool:
    """Whether nobody has more pairs than places."""
    counts = [np.bincount(rows[edges], minlength=4) for rows in (graph.mentees, graph.mentors)]
    return bool((counts[0] <= graph.mentee_places).all() and (counts[1] <= graph.mentor_places).all())


ends = st.tuples(st.integers(0, 3), st.integers(0, 3))
four_places = st.tuples(*[st.integers(0, 3)] * 4)
graphs = st.builds(
    a_graph, st.dictionaries(ends, st.integers(1, 2_500), max_size=9), st.tuples(four_places, four_places)
)


@given(graphs)
def test_nothing_is_worth_more_than_the_exact_choice(graph: Graph) -> None:
    """Of all choices, found by trying every one; and all peers keep to the places."""
    choices = (np.array(c, np.int64) for count in range(len(graph) + 1) for c in combinations(range(len(graph)), count))
    best = max(value(graph, choice) for choice in choices if fits(graph, choice))
    assert value(graph, exact(graph).edges) == best
    for name, peer in PEERS.items():
        edges = peer(graph).edges
        assert fits(graph, edges), name
        assert sorted(set(edges.tolist())) == edges.tolist(), name
        assert value(graph, edges) <= best, name


@given(graphs, st.permutations(range(9)))
def test_deferred_acceptance_leaves_no_two_who_would_rather_have_each_other(graph: Graph, ranking: list[int]) -> None:
    """By utilities that differ: the score for mentees, an order of the edges for mentors."""
    wishes = (graph.scores.tolist(), ranking[: len(graph)])
    chosen = deferred_acceptance(None, np.array(wishes[1], np.int32))(graph).edges.tolist()
    sides = zip(wishes, (graph.mentees, graph.mentors), (graph.mentee_places, graph.mentor_places), strict=True)
    would = []
    for wish, rows, places in sides:
        has = {row: [wish[edge] for edge in chosen if rows[edge] == row] for row in range(4)}
        would.append(
            [
                places[row] > 0 and (len(has[row]) < places[row] or min(has[row]) < wish[edge])
                for edge, row in enumerate(rows.tolist())
            ]
        )
    assert [edge for edge in range(len(graph)) if edge not in chosen and would[0][edge] and would[1][edge]] == []


@pytest.mark.parametrize("peer", [peers.dense_assignment, peers.sparse_assignment])
def test_copies_of_places_book_a_pair_twice(peer: peers.Peer) -> None:
    """Two people with two places each, and nobody else: one pair, which scipy booked twice."""
    found = peer(a_graph({(0, 0): 2_000}, ((2, 0, 0, 0), (2, 0, 0, 0))))
    assert (found.edges.tolist(), found.twice) == ([0], 1)


def test_greedy_counts_further_pairs_only_when_told_to() -> None:
    """Of a mentee with two places and two mentors the second, at 300 points, is not worth a further pair of 400."""
    graph = a_graph({(0, 0): 2_000, (0, 1): 300}, ((2, 0, 0, 0), (1, 1, 0, 0)))
    assert peers.sort_and_greedy(graph).edges.tolist() == [0, 1]
    assert peers.marginal_greedy(graph).edges.tolist() == [0]
    assert isinstance(peers.run(peers.lottery(7), graph).picks, Picks)
