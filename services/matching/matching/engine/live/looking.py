"""Whom somebody likes best at present prices: with a free place, or where a proposal would have to give way."""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.live.slots import MENTEES, MENTORS, NOBODY, NOT_TO_BE_HAD
from matching.engine.live.state import Live
from matching.engine.packed.candidates import Ask, keep, veil
from matching.engine.packed.pairs import points_of
from matching.engine.packed.records import Ints
from matching.engine.packed.searching import search

_FEW: Final = 1_500
"""So many are looked at one by one."""


class Found(NamedTuple):
    """Who gives somebody most."""

    row: int
    """`NOBODY` when it is not enough."""
    gain: int
    second: int
    """What the next best would give."""


class Options(NamedTuple):
    """Whom somebody likes best among those with a free place; and, if they like them better, among the others."""

    free: Found
    full: Found


@kernel
def options_of(live: Live, side: int, row: int, enough: int, may_move: int) -> Options:
    """Whom somebody likes best, if it is more than enough; those without a free place if a proposal may move."""
    nobody = Found(NOBODY, np.int64(0), np.int64(0))
    if may_move <= 0:
        return Options(look_free(live, side, row, enough), nobody)
    found = _look(live, side, row, live.slots.cost[1 - side], enough)
    if found.row == NOBODY:
        return Options(nobody, nobody)
    if live.slots.free_cost[1 - side, found.row] < NOT_TO_BE_HAD:
        return Options(found, nobody)
    return Options(look_free(live, side, row, enough), found)


@kernel
def _look(live: Live, side: int, row: int, costs: Ints, enough: int) -> Found:
    """Who gives somebody most at these costs, if it is more than enough."""
    index = live.mentees if side == MENTORS else live.mentors
    ask = Ask(live.market, index.postings, live.compatible, live.how_many, live.bits, live.budget)
    number, _ = search(ask, side == MENTEES, costs, row, enough, live.best, live.room)
    return _two_best(live, row, number, enough)


@kernel
def look_free(live: Live, side: int, row: int, enough: int) -> Found:
    """Who gives somebody most of those with a free place: one by one when they are few, which no index is for."""
    market, slots, best = live.market, live.slots, live.best
    if slots.free_count[1 - side] > _FEW:
        return _look(live, side, row, slots.free_cost[1 - side], enough)
    mentors, mentees, hours, weights = market.mentors, market.mentees, market.hours, market.weights
    blocked_from, blocked_to, blocked = market.blocked_from, market.blocked_to, market.blocked
    others, costs, mask = slots.free[1 - side], slots.free_cost[1 - side], veil(row)
    own = np.int64(market.mentor_points[row] if side == MENTORS else market.mentee_points[row])
    number = np.int64(0)
    for at in range(slots.free_count[1 - side]):
        other = others[at]
        mentor, mentee = (row, other) if side == MENTORS else (other, row)
        points = points_of(mentors, mentees, hours, weights, blocked_from, blocked_to, blocked, mentor, mentee)
        if points >= 0 and points + own - costs[other] > enough:
            number = keep(points + own - costs[other], other ^ mask, best, number)
    return _two_best(live, row, number, enough)


@kernel
def _two_best(live: Live, row: int, number: int, enough: int) -> Found:
    if number == 0:
        return Found(NOBODY, np.int64(0), np.int64(0))
    first, second = live.best[0], np.int64(enough)
    if number > 1:
        one, other = live.best[0], live.best[1]
        first, second = (one, other >> 32) if one > other else (other, one >> 32)
    return Found((first & 0xFFFFFFFF) ^ veil(row), first >> 32, np.int64(second))
