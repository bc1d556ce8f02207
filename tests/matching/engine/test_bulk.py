"""The compiled engine against a judge that is written apart and an exact solver, on markets drawn at random."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from chassis.errors import InvalidError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matching.engine.bulk.solve import FULL, Effort, Solution, solve
from matching.engine.chain import LOST
from matching.engine.packed.packing import pack
from matching.engine.packed.pairs import FORBIDDEN, edge
from matching.engine.packed.profiles import MOST_NAMED, Profiles
from matching.engine.packed.records import FURTHER, Market, Places
from matching.engine.rules import Direction, Rules, Weights

from benchmarks.matching.judge import Judge, judge
from benchmarks.matching.peers import Graph, exact, value

AREAS = 7


def crowd(seed: int, people: int, **changes: Any) -> Profiles:
    """A few people who are alike enough for rules to pass and to fail, each about as often."""
    random = np.random.default_rng(seed)

    def codes(most: int, *, unknown: bool = False) -> Any:
        return random.integers(-1 if unknown else 0, most, people).astype(np.int32)

    def named() -> Any:
        found = np.full((people, MOST_NAMED), -1, np.int8)
        for row in range(people):
            some = random.permutation(AREAS)[: random.integers(0, AREAS)]
            found[row, : len(some)] = some
        return found

    columns: dict[str, Any] = {
        "key": random.integers(0, 2**63, people).astype(np.uint64),
        "level": codes(6) + 1,
        "unit": codes(3),
        "function": codes(4, unknown=True),
        "country": codes(3),
        "site": codes(3, unknown=True),
        "manager": np.array([random.integers(-2, people + 2) for _ in range(people)], np.int32),
        "tenure": codes(40),
        "joined": codes(6) + 2019,
        "utc_offset": random.choice([-480, 0, 345, 600], people).astype(np.int32),
        "work_from": codes(24),
        "work_to": codes(24),
        "languages": random.integers(1, 8, people).astype(np.uint64),
        "offers": named(),
        "seeks": named(),
        "likes": random.integers(0, 16, people).astype(np.uint64),
        "in_person": random.random(people) < 0.5,
        "mentor_capacity": codes(4),
        "mentee_capacity": codes(4),
        "waiting": codes(120),
        "areas": AREAS,
        "blocked": random.integers(0, people, (people // 3, 2)).astype(np.int64),
    }
    return Profiles(**(columns | changes))


RULES = st.builds(
    Rules,
    level_gap=st.integers(1, 2),
    reverse_only=st.booleans(),
    common_minutes=st.sampled_from([0, 60, 300]),
    common_language=st.booleans(),
    different_unit=st.booleans(),
    unknown_chains=st.just(True),
    direction=st.sampled_from(Direction),
    mentor_tenure=st.sampled_from([0, 12]),
    new_joiner_months=st.sampled_from([0, 24]),
    mentee_tenure=st.sampled_from([0, 12]),
    proposals_per_person=st.integers(1, 3),
    weights=st.builds(Weights, further_pair=st.sampled_from([0, 400, 3000]), level=st.just(80), wish=st.just(611)),
)
SEEDS = st.integers(0, 2**32)


def told(market: Market, solution: Solution) -> Any:
    """Rows of a mentor, a mentee and the score, as the judge takes them."""
    return np.stack(
        [market.mentor_rows[solution.mentors], market.mentee_rows[solution.mentees], solution.scores], axis=1
    )


@given(seed=SEEDS, rules=RULES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_pair_has_the_rules_and_points_that_the_judge_finds(seed: int, rules: Rules) -> None:
    """All pairs of a small market: forbidden exactly when a rule is broken, and otherwise the sum of the terms."""
    people = crowd(seed, 16)
    market, other = pack(people, rules), Judge(people, rules)
    for mentee, row in enumerate(market.mentee_rows.tolist()):
        for mentor, mentor_row in enumerate(market.mentor_rows.tolist()):
            points = edge(market, mentor, mentee)
            if other.broken(mentor_row, row):
                assert points == FORBIDDEN, other.broken(mentor_row, row)
            else:
                sides = market.mentor_points[mentor] + market.mentee_points[mentee]
                assert points + sides == sum(other.terms(mentor_row, row).values())


@given(seed=SEEDS, rules=RULES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_run_finds_is_sound_and_as_good_as_it_says(seed: int, rules: Rules) -> None:
    """No rule broken, no place taken twice; at most a step a pair below the exact optimum, which the bound is above."""
    people = crowd(seed, 40)
    market = pack(people, rules)
    solution = solve(market, AREAS, FULL)
    verdict = judge(people, rules, told(market, solution))
    assert verdict.sound, verdict
    assert verdict.value == solution.value
    best = optimum(market)
    assert best - len(solution.scores) - 1 <= solution.value <= best <= solution.bound


def company(seed: int, people: int) -> Profiles:
    """A crowd with managers as directories tell them, some lost and some in circles, and with over 64 languages."""
    random = np.random.default_rng(seed)
    managers = np.array([random.integers(-1, row // 3 + 1) for row in range(people)], np.int32)
    managers[random.random(people) < 0.04] = LOST
    managers[random.random(people) < 0.04] = people + 3
    astray = random.random(people) < 0.08
    managers[astray] = random.integers(0, people, astray.sum())
    first, more = (random.choice(np.array([1, 2, 2**63, 0], np.uint64), people) for _ in range(2))
    return dataclasses.replace(crowd(seed, people), manager=managers, languages=first, more_languages=more)


@given(seed=SEEDS, rules=RULES, unknown_chains=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whoever_may_be_paired_is_whom_the_judge_lets(seed: int, rules: Rules, *, unknown_chains: bool) -> None:
    """All pairs of a small company, those whom the market leaves out included, at their points."""
    rules = rules.model_copy(update={"unknown_chains": unknown_chains})
    people = company(seed, 16)
    market, other = pack(people, rules), Judge(people, rules)
    possible = {
        (mentor_row, row): points + market.mentor_points[mentor] + market.mentee_points[mentee]
        for mentee, row in enumerate(market.mentee_rows.tolist())
        for mentor, mentor_row in enumerate(market.mentor_rows.tolist())
        if (points := edge(market, mentor, mentee)) != FORBIDDEN
    }
    pairs = [(mentor, mentee) for mentor in range(16) for mentee in range(16)]
    assert possible == {pair: sum(other.terms(*pair).values()) for pair in pairs if not other.broken(*pair)}


@given(seed=SEEDS, rules=RULES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nobody_whose_chain_is_unknown_is_paired(seed: int, rules: Rules) -> None:
    """Unless the rules allow it, a run leaves them out, and is as good as can be without them."""
    rules = rules.model_copy(update={"unknown_chains": False})
    people = company(seed, 40)
    market = pack(people, rules)
    solution = solve(market, AREAS, FULL)
    verdict = judge(people, rules, told(market, solution))
    assert verdict.sound, verdict
    assert solution.value == verdict.value <= optimum(market) <= solution.bound


def optimum(market: Market) -> int:
    """The most that any choice of pairs is worth: every feasible pair, given to the exact solver."""
    found = [
        (mentor, mentee, points + market.mentor_points[mentor] + market.mentee_points[mentee])
        for mentee in range(len(market.mentees))
        for mentor in range(len(market.mentors))
        if (points := edge(market, mentor, mentee)) != FORBIDDEN
    ]
    mentors, mentees, scores = np.array(found, np.int32).reshape(-1, 3).T
    graph = Graph(mentees, mentors, scores, market.mentee_places, market.mentor_places, int(market.weights[FURTHER]))
    return value(graph, exact(graph).edges)


@pytest.mark.parametrize("effort", [FULL, Effort(4, 2, 20, 4, (4, 4), (30, 10, 10), search=50)])
def test_the_number_of_threads_changes_nothing(effort: Effort) -> None:
    """To the bit, with a search that is cut off, too."""
    people = crowd(5, 900)
    market = pack(people, Rules(level_gap=1, unknown_chains=True))
    one, two = (solve(market, AREAS, effort, threads=threads) for threads in (1, 2))
    for name in ("mentors", "mentees", "scores", "prices"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert (one.value, one.bound) == (two.value, two.bound)


def test_the_order_of_the_roster_changes_nothing() -> None:
    """Many pairs are worth the same here; who gets which must follow from the people, not from their rows."""
    people = crowd(9, 400)
    order = np.random.default_rng(1).permutation(400)
    row_of = np.argsort(order)
    columns = {each.name: getattr(people, each.name) for each in dataclasses.fields(people)}
    moved = {
        name: column[order]
        for name, column in columns.items()
        if name not in {"areas", "blocked", "manager", "more_languages"}
    }
    managers = people.manager[order]
    moved["manager"] = np.where((managers >= 0) & (managers < 400), row_of[managers % 400], managers).astype(np.int32)
    turned = Profiles(**moved, areas=AREAS, blocked=row_of[people.blocked])
    rules = Rules(level_gap=1, unknown_chains=True)
    found = []
    for some, back in ((people, np.arange(400)), (turned, order)):
        market = pack(some, rules)
        mentors, mentees, scores = told(market, solve(market, AREAS, FULL)).T
        found.append(sorted(zip(back[mentors], back[mentees], scores, strict=True)))
    assert found[0] == found[1]


def test_a_search_that_is_cut_off_still_gives_a_bound() -> None:
    """Looking at five entries a person must not make the certificate promise more than looking at all does."""
    people = crowd(7, 300)
    market = pack(people, Rules(level_gap=1, unknown_chains=True))
    hasty = solve(market, AREAS, Effort(1, 0, 2, 1, (1,), (100, 100), search=5))
    assert hasty.value <= optimum(market) <= hasty.bound


@pytest.mark.parametrize(
    "changes",
    [
        {"mentor_capacity": np.zeros(30, np.int32)},
        {"mentee_capacity": np.zeros(30, np.int32)},
        {"offers": np.full((30, MOST_NAMED), -1, np.int8)},
        {"languages": np.arange(30).astype(np.uint64) * 0},
    ],
    ids=["no mentors", "no mentees", "nothing offered", "no common language"],
)
def test_a_market_without_pairs_gives_none(changes: dict[str, Any]) -> None:
    """One-sided markets and contradictions end in an empty answer that is as good as any."""
    solution = solve(pack(crowd(1, 30, **changes), Rules(level_gap=1, unknown_chains=True)), AREAS, FULL)
    assert (len(solution.scores), solution.value, solution.bound) == (0, 0, 0)


def test_places_that_are_taken_count() -> None:
    """With pairs already there, a further one costs more, and free places are those that the caller says."""
    people = dataclasses.replace(crowd(3, 60), manager=np.full(60, -1, np.int32))
    rules = Rules(level_gap=1, common_minutes=0, weights=Weights(further_pair=10_000))
    ones = np.ones(60, np.int32)
    alone = solve(pack(people, rules), AREAS, FULL)
    loaded = solve(pack(people, rules, mentor=Places(ones, ones)), AREAS, FULL)
    assert len(loaded.scores) == 0 < len(alone.scores)


def test_weights_beyond_what_prices_can_tell_are_refused() -> None:
    """Ten thousand points for each of ninety days on both sides are more than a million."""
    with pytest.raises(InvalidError, match="divide all by ten"):
        pack(crowd(1, 30), Rules(weights=Weights(waiting=10_000)))


def test_heavy_weights_that_are_allowed_still_give_the_best() -> None:
    """Close to the limit nothing overflows: the run is as good as the exact optimum."""
    heavy = Weights(waiting=3_000, area=9_000, wish=9_000, mentee_choice=9_000, further_pair=9_000)
    market = pack(crowd(11, 60), Rules(level_gap=1, unknown_chains=True, weights=heavy))
    solution = solve(market, AREAS, FULL)
    best = optimum(market)
    assert best - len(solution.scores) - 1 <= solution.value <= best <= solution.bound
