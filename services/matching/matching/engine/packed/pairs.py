"""One pair: whether the rules allow it, and its points without what each person adds by themselves."""

from typing import Final

import numpy as np

from matching.engine.compiled import inlined, kernel
from matching.engine.packed.bits import lowest_bit
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
    RANKS,
    REVERSE,
    SITE,
    UNIT,
    WINDOW,
    WISH,
    Ints,
    Market,
    Words,
)

FORBIDDEN: Final = -1


@kernel
def best_areas(shared: int, weights: Words) -> int:
    """Points of the three rarest areas of a mask."""
    total = np.int64(0)
    for _ in range(3):
        if shared == 0:
            break
        total += weights[lowest_bit(shared)]
        shared &= shared - 1
    return total


@kernel
def choice(ranked: int, shared: int, weights: Words, begin: int) -> int:
    """Points of the first of somebody's four choices that is in a mask; `begin` says where the points begin."""
    for rank in range(RANKS):
        named = (ranked >> (8 * rank)) & 0xFF
        if named == 0:
            break
        if (shared >> (named - 1)) & 1:
            return weights[begin + rank]
    return np.int64(0)


@inlined
def points_of(
    mentors: Words,
    mentees: Words,
    hours: Ints,
    weights: Words,
    blocked_from: Ints,
    blocked_to: Ints,
    blocked: Ints,
    mentor: int,
    mentee: int,
) -> int:
    """The points of a pair without the points of its people, or `FORBIDDEN` where a hard rule stands between them.

    The fields of the market come one by one: each use of a field of a tuple would count references, which costs more
    than everything else here.
    """
    place, other = mentors[mentor, PLACE], mentees[mentee, PLACE]
    one, two = mentors[mentor, ATTRIBUTES], mentees[mentee, ATTRIBUTES]
    chain, theirs = mentors[mentor, CHAIN], mentees[mentee, CHAIN]
    shared = mentors[mentor, AREAS] & mentees[mentee, AREAS]
    above = ((other >> LEVEL_AT) & LEVEL) - ((place >> LEVEL_AT) & LEVEL)
    common = np.int64(hours[place & WINDOW, other & WINDOW])
    fails = shared == 0
    fails |= common < 0
    fails |= (above if weights[REVERSE] else abs(above)) < weights[GAP]
    spoken = mentors[mentor, LANGUAGES] & mentees[mentee, LANGUAGES]
    spoken |= mentors[mentor, MORE_LANGUAGES] & mentees[mentee, MORE_LANGUAGES]
    fails |= weights[NEED_LANGUAGE] and spoken == 0
    fails |= weights[NEED_UNIT] and (one ^ two) & UNIT == 0
    fails |= place >> MANAGER_AT != 0 and place >> MANAGER_AT == other >> MANAGER_AT
    fails |= theirs >> 32 <= chain >> 32 < theirs & LOW or chain >> 32 <= theirs >> 32 < chain & LOW
    if not fails:
        for at in range(blocked_from[mentee], blocked_to[mentee]):
            fails |= blocked[at] == mentor
    points = np.int64(FORBIDDEN)
    if not fails:
        mine, their = (one >> FUNCTION_AT) & FUNCTION, (two >> FUNCTION_AT) & FUNCTION
        points = common + best_areas(shared, weights)
        points += choice(mentees[mentee, RANKED], shared, weights, MENTEE_CHOICE)
        points += choice(mentors[mentor, RANKED], shared, weights, MENTOR_CHOICE)
        points += min(max(abs(above) - weights[GAP], 0), MOST_LEVELS) * weights[PER_LEVEL]
        points += weights[OTHER_UNIT] if (one ^ two) & UNIT else 0
        points += weights[OTHER_COUNTRY] if (one ^ two) & COUNTRY else 0
        points += weights[OTHER_FUNCTION] if mine and their and mine != their else 0
        points += weights[WISH] if their and (mentors[mentor, LIKES] >> (their - 1)) & 1 else 0
        points += weights[WISH] if mine and (mentees[mentee, LIKES] >> (mine - 1)) & 1 else 0
        points += weights[IN_PERSON] if (one & two) >> IN_PERSON_AT and (one ^ two) & HERE == 0 and one & SITE else 0
    return points


@kernel
def edge(market: Market, mentor: int, mentee: int) -> int:
    """`points_of` one pair of a market."""
    return points_of(
        market.mentors,
        market.mentees,
        market.hours,
        market.weights,
        market.blocked_from,
        market.blocked_to,
        market.blocked,
        mentor,
        mentee,
    )
