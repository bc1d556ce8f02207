"""One pair in full: every rule it fails and every part of its points, where `points_of` says only yes and how much."""

from typing import Final

import numpy as np
import numpy.typing as npt

from matching.engine.compiled import allocating, inlined
from matching.engine.packed.bits import lowest_bit
from matching.engine.packed.pairs import best_areas, choice
from matching.engine.packed.records import (
    AREAS,
    ATTRIBUTES,
    CHAIN,
    COUNTRY,
    FUNCTION,
    FUNCTION_AT,
    GAP,
    HERE,
    IN_PERSON,
    IN_PERSON_AT,
    LANGUAGES,
    LEVEL,
    LEVEL_AT,
    LIKES,
    LOW,
    MANAGER_AT,
    MENTEE_CHOICE,
    MENTOR_CHOICE,
    MORE_LANGUAGES,
    MOST_LEVELS,
    NEED_LANGUAGE,
    NEED_UNIT,
    OTHER_COUNTRY,
    OTHER_FUNCTION,
    OTHER_UNIT,
    PER_LEVEL,
    PLACE,
    RANKED,
    REVERSE,
    SITE,
    TOO_LONG_AT,
    TOO_NEW_AT,
    UNIT,
    WINDOW,
    WISH,
    Ints,
    Market,
    Words,
)
from matching.engine.rules import Rule, Term

Failures = npt.NDArray[np.uint16]

RULE_BIT: Final = {rule: 1 << bit for bit, rule in enumerate(Rule)}
TERMS: Final = tuple(Term)

_LEVEL: Final = RULE_BIT[Rule.LEVEL]
_AREAS: Final = RULE_BIT[Rule.AREAS]
_HOURS: Final = RULE_BIT[Rule.HOURS]
_LANGUAGE: Final = RULE_BIT[Rule.LANGUAGE]
_UNIT: Final = RULE_BIT[Rule.UNIT]
_CHAIN: Final = RULE_BIT[Rule.CHAIN]
_MANAGER: Final = RULE_BIT[Rule.MANAGER]
_TENURE: Final = RULE_BIT[Rule.TENURE]
_NEW_JOINER: Final = RULE_BIT[Rule.NEW_JOINER]


@inlined
def _failed(mentors: Words, mentees: Words, hours: Ints, weights: Words, mentor: int, mentee: int) -> int:
    place, other = mentors[mentor, PLACE], mentees[mentee, PLACE]
    one, two = mentors[mentor, ATTRIBUTES], mentees[mentee, ATTRIBUTES]
    chain, theirs = mentors[mentor, CHAIN], mentees[mentee, CHAIN]
    above = ((other >> LEVEL_AT) & LEVEL) - ((place >> LEVEL_AT) & LEVEL)
    spoken = mentors[mentor, LANGUAGES] & mentees[mentee, LANGUAGES]
    spoken |= mentors[mentor, MORE_LANGUAGES] & mentees[mentee, MORE_LANGUAGES]
    failed = 0
    failed |= _LEVEL if (above if weights[REVERSE] else abs(above)) < weights[GAP] else 0
    failed |= _AREAS if mentors[mentor, AREAS] & mentees[mentee, AREAS] == 0 else 0
    failed |= _HOURS if hours[place & WINDOW, other & WINDOW] < 0 else 0
    failed |= _LANGUAGE if weights[NEED_LANGUAGE] and spoken == 0 else 0
    failed |= _UNIT if weights[NEED_UNIT] and (one ^ two) & UNIT == 0 else 0
    failed |= _CHAIN if theirs >> 32 <= chain >> 32 < theirs & LOW or chain >> 32 <= theirs >> 32 < chain & LOW else 0
    failed |= _MANAGER if place >> MANAGER_AT != 0 and place >> MANAGER_AT == other >> MANAGER_AT else 0
    failed |= _TENURE if ((place | other) >> TOO_NEW_AT) & 1 else 0
    failed |= _NEW_JOINER if (place >> TOO_LONG_AT) & 1 else 0
    return failed


@allocating
def fail(market: Market, mentors: Ints, mentees: Ints) -> Failures:
    """[n] the rules that pairs side by side fail, as bits of `RULE_BIT`.

    What stands between two people already is not the records' to know, so those bits are not set.
    """
    one, two, hours, weights = market.mentors, market.mentees, market.hours, market.weights
    found = np.empty(len(mentors), np.uint16)
    for pair in range(len(mentors)):
        found[pair] = _failed(one, two, hours, weights, mentors[pair], mentees[pair])
    return found


@allocating
def fail_all(market: Market, mentors: Ints, mentees: Ints) -> Failures:
    """[mentees, mentors] the same of everybody with everybody."""
    one, two, hours, weights = market.mentors, market.mentees, market.hours, market.weights
    found = np.empty((len(mentees), len(mentors)), np.uint16)
    for line in range(len(mentees)):
        for column in range(len(mentors)):
            found[line, column] = _failed(one, two, hours, weights, mentors[column], mentees[line])
    return found


@allocating
def count_failures(market: Market, of_mentees: bool, people: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Hold people of one side against all of the other, themselves aside.

    Args:
        market: of everybody who takes part.
        of_mentees: the people are mentees.
        people: [n] their places.

    Returns:
        [n] how many others there are, and how many of them pass every rule; [n, 16] how many fail each rule by its bit,
        and how many fail it alone.
    """
    one, two, hours, weights = market.mentors, market.mentees, market.hours, market.weights
    mine, theirs = market.mentor_rows, market.mentee_rows
    others, eligible = np.zeros(len(people), np.int32), np.zeros(len(people), np.int32)
    failing, alone = np.zeros((len(people), 16), np.int32), np.zeros((len(people), 16), np.int32)
    for at in range(len(people)):
        for other in range(len(one) if of_mentees else len(two)):
            mentor, mentee = (other, people[at]) if of_mentees else (people[at], other)
            if mine[mentor] == theirs[mentee]:
                continue
            others[at] += 1
            failed = _failed(one, two, hours, weights, mentor, mentee)
            if failed == 0:
                eligible[at] += 1
                continue
            alone[at, lowest_bit(failed)] += failed & (failed - 1) == 0
            while failed:
                failing[at, lowest_bit(failed)] += 1
                failed &= failed - 1
    return others, eligible, failing, alone


@allocating
def terms(market: Market, mentors: Ints, mentees: Ints) -> Words:
    """[n, 13] the parts of each pair's points in the order of `TERMS`, whether or not the rules allow it."""
    found = np.zeros((len(mentors), 13), np.int64)
    weights = market.weights
    for pair in range(len(mentors)):
        one, two, parts = market.mentors[mentors[pair]], market.mentees[mentees[pair]], found[pair]
        shared, differ = one[AREAS] & two[AREAS], one[ATTRIBUTES] ^ two[ATTRIBUTES]
        mine, their = (one[ATTRIBUTES] >> FUNCTION_AT) & FUNCTION, (two[ATTRIBUTES] >> FUNCTION_AT) & FUNCTION
        apart = abs(((two[PLACE] >> LEVEL_AT) & LEVEL) - ((one[PLACE] >> LEVEL_AT) & LEVEL))
        meet = (one[ATTRIBUTES] & two[ATTRIBUTES]) >> IN_PERSON_AT and differ & HERE == 0 and one[ATTRIBUTES] & SITE
        parts[0] = best_areas(shared, weights)
        parts[1] = choice(two[RANKED], shared, weights, MENTEE_CHOICE)
        parts[2] = choice(one[RANKED], shared, weights, MENTOR_CHOICE)
        parts[3] = max(market.hours[one[PLACE] & WINDOW, two[PLACE] & WINDOW], 0)
        parts[4] = weights[OTHER_UNIT] if differ & UNIT else 0
        parts[5] = weights[OTHER_COUNTRY] if differ & COUNTRY else 0
        parts[6] = weights[OTHER_FUNCTION] if mine and their and mine != their else 0
        parts[7] = min(max(apart - weights[GAP], 0), MOST_LEVELS) * weights[PER_LEVEL]
        parts[8] = weights[WISH] if mine and (two[LIKES] >> (mine - 1)) & 1 else 0
        parts[9] = weights[WISH] if their and (one[LIKES] >> (their - 1)) & 1 else 0
        parts[10] = weights[IN_PERSON] if meet else 0
        parts[11], parts[12] = market.mentee_points[mentees[pair]], market.mentor_points[mentors[pair]]
    return found
