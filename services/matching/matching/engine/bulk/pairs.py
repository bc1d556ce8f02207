"""One pair: whether the rules allow it, and its points without what each person adds by themselves."""

import numpy as np
from numba import njit

from matching.engine.bulk.bits import lowest_bit
from matching.engine.bulk.packing import (
    AREAS,
    ATTRIBUTES,
    CHAIN,
    COUNTRY,
    FUNCTION,
    FUNCTION_AT,
    IN_PERSON_AT,
    LANGUAGES,
    LEVEL,
    LEVEL_AT,
    LIKES,
    MANAGER_AT,
    MOST_LEVELS,
    PLACE,
    RANKED,
    RANKS,
    SITE,
    UNIT,
    WINDOW,
    Market,
)

FORBIDDEN = -1


@njit(cache=True, nogil=True)
def best_areas(shared: int, points):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Points of the three rarest areas of a mask."""
    total = np.int64(0)
    for _ in range(3):
        if shared == 0:
            break
        total += points[lowest_bit(shared)]
        shared &= shared - 1
    return total


@njit(cache=True, nogil=True)
def choice(ranked: int, shared: int, points):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Points of the first of somebody's four choices that is in a mask."""
    for rank in range(RANKS):
        named = (ranked >> (8 * rank)) & 0xFF
        if named == 0:
            break
        if (shared >> (named - 1)) & 1:
            return np.int64(points[rank])
    return np.int64(0)


@njit(cache=True, nogil=True)
def forbidden(market: Market, mentor: int, mentee: int) -> bool:
    """Whether a hard rule stands between two people, given by their places."""
    one, other = market.mentors[mentor], market.mentees[mentee]
    if one[AREAS] & other[AREAS] == 0:
        return True
    if market.hours[one[PLACE] & WINDOW, other[PLACE] & WINDOW] < 0:
        return True
    above = ((other[PLACE] >> LEVEL_AT) & LEVEL) - ((one[PLACE] >> LEVEL_AT) & LEVEL)
    if not market.reverse:
        above = abs(above)
    if above < market.gap:
        return True
    if market.language and one[LANGUAGES] & other[LANGUAGES] == 0:
        return True
    if market.other_unit and (one[ATTRIBUTES] ^ other[ATTRIBUTES]) & UNIT == 0:
        return True
    manager = one[PLACE] >> MANAGER_AT
    if manager != 0 and manager == other[PLACE] >> MANAGER_AT:
        return True
    enter, begin = one[CHAIN] >> 32, other[CHAIN] >> 32
    if begin <= enter < other[CHAIN] & 0xFFFFFFFF or enter <= begin < one[CHAIN] & 0xFFFFFFFF:
        return True
    for at in range(market.blocked_from[mentee], market.blocked_from[mentee + 1]):
        if market.blocked[at] == mentor:
            return True
    return False


@njit(cache=True, nogil=True)
def edge(market: Market, mentor: int, mentee: int) -> int:
    """The points of a pair without the points of its people, or `FORBIDDEN`."""
    if forbidden(market, mentor, mentee):
        return FORBIDDEN
    one, other = market.mentors[mentor], market.mentees[mentee]
    shared = one[AREAS] & other[AREAS]
    points = best_areas(shared, market.area_points)
    points += choice(other[RANKED], shared, market.mentee_choice)
    points += choice(one[RANKED], shared, market.mentor_choice)
    points += market.hours[one[PLACE] & WINDOW, other[PLACE] & WINDOW]
    levels = abs(((other[PLACE] >> LEVEL_AT) & LEVEL) - ((one[PLACE] >> LEVEL_AT) & LEVEL)) - market.gap
    points += min(max(levels, 0), MOST_LEVELS) * market.level
    differ = one[ATTRIBUTES] ^ other[ATTRIBUTES]
    if differ & UNIT:
        points += market.unit
    if differ & COUNTRY:
        points += market.country
    mine, theirs = (one[ATTRIBUTES] >> FUNCTION_AT) & FUNCTION, (other[ATTRIBUTES] >> FUNCTION_AT) & FUNCTION
    if mine and theirs and mine != theirs:
        points += market.function
    if theirs and (one[LIKES] >> (theirs - 1)) & 1:
        points += market.wish
    if mine and (other[LIKES] >> (mine - 1)) & 1:
        points += market.wish
    if (one[ATTRIBUTES] & other[ATTRIBUTES]) >> IN_PERSON_AT and differ & SITE == 0 and one[ATTRIBUTES] & SITE:
        points += market.in_person
    return points
