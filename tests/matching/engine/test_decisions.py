"""Each proposal of a run can be checked by itself, from what the run recorded: that is what makes it a decision."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Pair, Run
from matching.engine.rules import Rules

from benchmarks.matching.population import Market, population
from benchmarks.matching.stream import Roster


def decided(market: Market, seed: int) -> tuple[Engine, Run]:
    """A run over six hundred people who compete."""
    profiles, rules = population(600, market, seed)
    areas = tuple(f"a{area:02}" for area in range(profiles.areas))
    engine = Engine(rules.model_copy(update={"areas": areas}), Roster(profiles).everybody())
    return engine, engine.run()


def allowed(engine: Engine, mentees: Iterable[str]) -> dict[str, dict[str, int]]:
    """For each mentee, the score with every mentor whom the rules allow."""
    mentors = engine.directory.open_rows(Side.MENTOR)
    found = {}
    for mentee in mentees:
        row = np.array([engine.directory.row[mentee]], np.int64)
        free = mentors[engine.failed(mentors, row)[0] == 0]
        scores = engine.scores(free, np.repeat(row, len(free))).tolist()
        found[mentee] = dict(zip((engine.directory.known(each).id for each in free.tolist()), scores, strict=True))
    return found


@pytest.mark.parametrize(("market", "seed"), [("tight", 1), ("wide", 1), ("tight", 2)])
def test_at_the_recorded_prices_nobody_has_a_better_candidate(market: Market, seed: int) -> None:
    """For every mentee with a proposal: what any other mentor scores is at most what both ask at the run's prices.

    The certificate says how much may be missing altogether, so no single pair can be better by more than that.
    """
    engine, run = decided(market, seed)
    assert len(run.proposals) >= 40
    open_to = run.bound - run.value + 1  # the last step of the auction
    proposed = {proposal.pair for proposal in run.proposals}
    mentors, mentees = run.claims[Side.MENTOR], run.claims[Side.MENTEE]
    scores = allowed(engine, {proposal.mentee for proposal in run.proposals})
    for mentee, candidates in scores.items():
        for mentor, score in candidates.items():
            if Pair(mentor, mentee) not in proposed:
                assert score <= mentors[mentor] + mentees[mentee] + open_to
    assert all(run.prices[each.pair] <= each.score + open_to for each in run.proposals)


def test_what_is_missing_is_told_in_points() -> None:
    """Ann has one place, and scores 150 more for Eve, who has her, than for Fay: that is what Fay is short of."""
    ann = Person("ann", 2, "shops", "GB", offers=("cloud",), open_to_mentor=True, mentor_capacity=1)
    eve = Person("eve", 9, "board", "GB", seeks=("cloud",), open_to_be_mentored=True, mentee_capacity=1)
    engine = Engine(Rules(), [ann, eve, replace(eve, id="fay", seeks=("fintech", "cloud"))])
    run = engine.run()
    assert [proposal.pair for proposal in run.proposals] == [Pair("ann", "eve")]
    with_eve, fay = engine.score("ann", "eve"), engine.score("ann", "fay")
    assert with_eve.score - fay.score == 150  # the first of four choices is worth 600, the second a quarter less
    assert 0 < run.shortfall(fay) <= 151
    assert run.claims[Side.MENTOR]["ann"] >= fay.score
