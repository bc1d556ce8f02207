"""Hard rules and score terms for many pairs at once: whole numbers from end to end."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.engine.chain import NOBODY
from matching.engine.market import Ints, Market, Masks
from matching.engine.packed.profiles import UNKNOWN
from matching.engine.packed.records import ENOUGH_MINUTES, MOST_LEVELS, RANKS
from matching.engine.rules import Rule, Rules, Term

Rows = npt.NDArray[np.int64]
Failures = npt.NDArray[np.uint16]

RULE_BIT = {rule: 1 << bit for bit, rule in enumerate(Rule)}
LASTING = RULE_BIT[Rule.LEVEL] | RULE_BIT[Rule.UNIT] | RULE_BIT[Rule.CHAIN] | RULE_BIT[Rule.MANAGER]
"""What binds a pair for as long as it lives; areas, hours and languages only matter when it is proposed."""
STANDING = RULE_BIT[Rule.PAST] | RULE_BIT[Rule.TOGETHER]
"""What is between two people already, and no rule of the programme."""
MYSELF = np.uint16(1 << 15)
"""Marks a person against themselves, who is no pair and no exclusion."""
BEST_AREAS = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """Feasible pairs side by side: rows, every term, and their sum."""

    mentors: Rows
    mentees: Rows
    terms: dict[Term, Ints]

    @property
    def scores(self) -> Ints:
        """One whole number a pair: nothing but the sum of the terms."""
        total = np.zeros(len(self.mentors), np.int32)
        for points in self.terms.values():
            total += points
        return total


def failures(rules: Rules, market: Market, mentees: Rows, mentors: Rows) -> Failures:
    """Which rules each pair fails, as bits of `RULE_BIT`; one row a mentee, one column a mentor.

    What already stands between two people is not the market's to know, so `Rule.PAST` and `Rule.TOGETHER` are not set.
    """
    return pair_failures(rules, market, mentees[:, None], mentors[None, :])


def pair_failures(rules: Rules, market: Market, mentees: Rows, mentors: Rows) -> Failures:
    """The same for pairs given as rows of any shapes that broadcast to each other."""
    failed = np.zeros(np.broadcast_shapes(mentees.shape, mentors.shape), np.uint16)

    def fail(rule: Rule, where: npt.NDArray[np.bool_]) -> None:
        np.bitwise_or(failed, np.uint16(RULE_BIT[rule]), out=failed, where=where)

    above = market.level[mentees] - market.level[mentors]
    fail(Rule.LEVEL, (above if rules.reverse_only else np.abs(above)) < rules.level_gap)
    fail(Rule.AREAS, (market.seeks[mentees] & market.offers[mentors]) == 0)
    minutes = market.common_minutes[market.window[mentees], market.window[mentors]]
    fail(Rule.HOURS, minutes < rules.common_minutes)
    if rules.common_language:
        fail(Rule.LANGUAGE, ~_share_language(market, mentees, mentors))
    if rules.different_unit:
        fail(Rule.UNIT, market.unit[mentees] == market.unit[mentors])
    fail(Rule.CHAIN, _in_chain(market, mentees, mentors))
    too_new = (market.tenure[mentors] < rules.mentor_tenure) | (market.tenure[mentees] < rules.mentee_tenure)
    fail(Rule.TENURE, too_new)
    manager = market.manager[mentees]
    fail(Rule.MANAGER, (manager == market.manager[mentors]) & (manager != NOBODY))
    return failed


def score(rules: Rules, market: Market, mentees: Rows, mentors: Rows) -> Scored:
    """The terms of pairs given as two equally long lists of rows."""
    weights = rules.weights
    shared = market.seeks[mentees] & market.offers[mentors]
    minutes = market.common_minutes[market.window[mentees], market.window[mentors]]
    levels = np.abs(market.level[mentees] - market.level[mentors]) - rules.level_gap
    terms = {
        Term.AREAS: _area_points(market, shared),
        Term.MENTEE_CHOICE: _choice_points(market.seek_ranks[mentees], shared, weights.mentee_choice),
        Term.MENTOR_CHOICE: _choice_points(market.offer_ranks[mentors], shared, weights.mentor_choice),
        Term.HOURS: np.minimum(minutes, ENOUGH_MINUTES) * np.int32(weights.hours) // np.int32(ENOUGH_MINUTES),
        Term.UNIT: (market.unit[mentees] != market.unit[mentors]) * np.int32(weights.other_unit),
        Term.COUNTRY: (market.country[mentees] != market.country[mentors]) * np.int32(weights.other_country),
        Term.FUNCTION: _both_known_and_other(market.function[mentees], market.function[mentors])
        * np.int32(weights.other_function),
        Term.MENTEE_WISH: _liked(market, mentees, mentors) * np.int32(weights.wish),
        Term.MENTOR_WISH: _liked(market, mentors, mentees) * np.int32(weights.wish),
        Term.IN_PERSON: _meet(market, mentees, mentors) * np.int32(weights.in_person),
        Term.LEVEL: np.clip(levels, 0, MOST_LEVELS) * np.int32(weights.level),
        Term.MENTEE_WAITING: market.waiting[mentees] * np.int32(weights.waiting),
        Term.MENTOR_WAITING: market.waiting[mentors] * np.int32(weights.waiting),
    }
    return Scored(mentors, mentees, terms)


def _both_known_and_other(one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
    other_one: npt.NDArray[np.bool_] = (one != other) & (one != UNKNOWN) & (other != UNKNOWN)
    return other_one


def _liked(market: Market, people: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """Whether each would like to meet people of the other's function."""
    function = market.function[others]
    bit = np.uint64(1) << np.maximum(function, 0).astype(np.uint64)
    liked: npt.NDArray[np.bool_] = ((market.likes[people] & bit) != 0) & (function != UNKNOWN)
    return liked


def _meet(market: Market, mentees: Rows, mentors: Rows) -> npt.NDArray[np.bool_]:
    """Whether both would rather meet in person, and can."""
    here = (market.site[mentees] == market.site[mentors]) & (market.site[mentees] != UNKNOWN)
    meet: npt.NDArray[np.bool_] = here & market.in_person[mentees] & market.in_person[mentors]
    return meet


def _share_language(market: Market, mentees: Rows, mentors: Rows) -> npt.NDArray[np.bool_]:
    shared = np.zeros(np.broadcast_shapes(mentees.shape, mentors.shape), np.bool_)
    for word in range(market.languages.shape[1]):
        shared |= (market.languages[mentees, word] & market.languages[mentors, word]) != 0
    return shared


def _in_chain(market: Market, mentees: Rows, mentors: Rows) -> npt.NDArray[np.bool_]:
    mentee, mentor = market.enter[mentees], market.enter[mentors]
    mentee_above: npt.NDArray[np.bool_] = (mentee <= mentor) & (mentor < market.leave[mentees])
    mentor_above: npt.NDArray[np.bool_] = (mentor <= mentee) & (mentee < market.leave[mentors])
    return mentee_above | mentor_above


def _area_points(market: Market, shared: Masks) -> Ints:
    """The points of the rarest shared areas: they are the lowest bits, so three times the lowest bit is taken off."""
    points = np.zeros(len(shared), np.int32)
    left = shared.copy()
    for _ in range(BEST_AREAS):
        lowest = left & (~left + np.uint64(1))
        points += market.area_points[np.bitwise_count(lowest - np.uint64(1))]
        left ^= lowest
    return points


def _choice_points(ranks: Masks, shared: Masks, weight: int) -> Ints:
    points = np.zeros(len(shared), np.int32)
    for rank in reversed(range(RANKS)):
        points[(ranks[:, rank] & shared) != 0] = weight * (RANKS - rank) // RANKS
    return points
