"""Who has an open proposal with whom, what each place costs, and the few steps that change it.

A pair's score is split between its two people: the mentor's place has a price, the mentee gains the rest. Whoever wants
a person must offer them more than their least pair gives them. Both sides are kept alike, so that a search for either
is the same: side 0 holds mentors, side 1 mentees.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.packed.pairs import points_of
from matching.engine.packed.records import FURTHER, Ints, Market, Words

# Numbers of numpy: a literal would have every kernel compiled once for each value that it is called with.
MENTORS: Final = np.int64(0)
MENTEES: Final = np.int64(1)
NOBODY: Final = np.int64(-1)
NOT_TO_BE_HAD: Final = np.int64(1 << 28)
"""A cost that no pair is worth."""
UNPRICED: Final = np.int64(-1)
"""In place of a price: the least that a place can cost."""
NO_PLACE: Final = np.int64(-2)
"""In place of a price: the two are not to be proposed to each other, and hold no place of each other's."""


class Slots(NamedTuple):
    """[2, P]: a side and a row, where nothing else is said. At most `W` proposals a person and side."""

    partner: Ints
    """[2, P, W] rows of the other side, the first `count` of them."""
    price: Ints
    """[P, W] what the mentor's place costs, beside `partner[0]`."""
    count: Ints
    """Open proposals."""
    places: Ints
    """How many there may be; 0 for who takes no part."""
    load: Ints
    """Pairs that are not the engine's to move; each makes the next one cost more."""
    cost: Ints
    """What a further pair must be worth to somebody, less what they add to each of their pairs; in place of their least
    pair when they have no free place."""
    free_cost: Ints
    """The same, but `NOT_TO_BE_HAD` without a free place."""
    free: Ints
    """[2, P] rows of those with a free place, the first `free_count` of them."""
    free_at: Ints
    """Where in `free` somebody is, or -1."""
    free_count: Ints
    """[2]"""
    blocked_room: Ints
    """[P] where the stretch of `Market.blocked` ends that belongs to a mentee."""
    blocked_used: Ints
    """[1] how much of `Market.blocked` belongs to anybody."""


@kernel
def worth(market: Market, mentor: int, mentee: int) -> int:
    """The score of a pair, whatever stands between the two already; far below zero when a rule forbids it."""
    nothing = market.blocked_from
    points = points_of(
        market.mentors, market.mentees, market.hours, market.weights, nothing, nothing, market.blocked, mentor, mentee
    )
    if points < 0:
        return -NOT_TO_BE_HAD
    return points + market.mentor_points[mentor] + market.mentee_points[mentee]


@kernel
def further(market: Market, slots: Slots, side: int, row: int) -> int:
    """How many points a further pair of somebody counts less than a first one."""
    return market.weights[FURTHER] * np.int64(slots.load[side, row] + slots.count[side, row])


@kernel
def claim(market: Market, slots: Slots, side: int, row: int, at: int) -> int:
    """What one of somebody's pairs gives them: a mentor the price, a mentee the rest of the score."""
    partner = np.int64(slots.partner[side, row, at])
    if side == MENTORS:
        return np.int64(slots.price[row, at])
    return worth(market, partner, row) - price_of(slots, partner, row)


@kernel
def price_of(slots: Slots, mentor: int, mentee: int) -> int:
    """What a mentee pays for a pair that they have."""
    return np.int64(slots.price[mentor, where(slots, MENTORS, mentor, mentee)])


@kernel
def where(slots: Slots, side: int, row: int, partner: int) -> int:
    """At which of somebody's places a partner is."""
    for at in range(np.int64(slots.count[side, row])):
        if slots.partner[side, row, at] == partner:
            return at
    return NOBODY


@kernel
def least(market: Market, slots: Slots, side: int, row: int) -> tuple[int, int]:
    """The partner who gives somebody least, and how much that is."""
    least_claim, partner = NOT_TO_BE_HAD, NOBODY
    for at in range(np.int64(slots.count[side, row])):
        mine = claim(market, slots, side, row, at)
        if mine < least_claim:
            least_claim, partner = mine, np.int64(slots.partner[side, row, at])
    return partner, least_claim


@kernel
def refresh(market: Market, slots: Slots, side: int, row: int) -> None:
    """Say anew what somebody costs."""
    own = np.int64(market.mentor_points[row] if side == MENTORS else market.mentee_points[row])
    slots.free_cost[side, row] = NOT_TO_BE_HAD
    _list(slots, side, row, slots.count[side, row] < slots.places[side, row])
    if slots.count[side, row] < slots.places[side, row]:
        slots.free_cost[side, row] = slots.cost[side, row] = further(market, slots, side, row) - own
    elif slots.places[side, row] == 0:
        slots.cost[side, row] = NOT_TO_BE_HAD
    else:
        slots.cost[side, row] = least(market, slots, side, row)[1] - own


@kernel
def _list(slots: Slots, side: int, row: int, free: bool) -> None:
    """Keep somebody on the list of those with a free place, or off it."""
    at = slots.free_at[side, row]
    if free == (at >= 0):
        return
    if free:
        slots.free[side, slots.free_count[side]] = row
        slots.free_at[side, row] = slots.free_count[side]
        slots.free_count[side] += 1
        return
    slots.free_count[side] -= 1
    last = slots.free[side, slots.free_count[side]]
    slots.free[side, at], slots.free_at[side, last], slots.free_at[side, row] = last, at, NOBODY


@kernel
def tie_all(market: Market, slots: Slots, pairs: Words, prices: Words) -> None:
    """Note what stands between people.

    Args:
        market: has room for it.
        slots: of nobody's proposals.
        pairs: [n, 2] rows of mentors and mentees.
        prices: [n] of the mentors' places, `UNPRICED`, or `NO_PLACE`.
    """
    for at in range(len(pairs)):
        mentor, mentee, price = pairs[at, 0], pairs[at, 1], prices[at]
        if price == NO_PLACE:
            block(market, slots, mentor, mentee)
        else:
            least_price = further(market, slots, MENTORS, mentor)
            join(market, slots, mentor, mentee, least_price if price == UNPRICED else price)


@kernel
def refresh_all(market: Market, slots: Slots) -> None:
    """Say anew what everybody costs."""
    for side in (MENTORS, MENTEES):
        for row in range(slots.count.shape[1]):
            refresh(market, slots, side, row)


@kernel
def join(market: Market, slots: Slots, mentor: int, mentee: int, price: int) -> None:
    """Make a pair, at a price for the mentor's place."""
    slots.price[mentor, slots.count[MENTORS, mentor]] = price
    for side, row, partner in ((MENTORS, mentor, mentee), (MENTEES, mentee, mentor)):
        slots.partner[side, row, slots.count[side, row]] = partner
        slots.count[side, row] += 1
    block(market, slots, mentor, mentee)
    refresh(market, slots, MENTORS, mentor)
    refresh(market, slots, MENTEES, mentee)


@kernel
def part(market: Market, slots: Slots, mentor: int, mentee: int) -> int:
    """Take a pair apart; returns its price."""
    price = price_of(slots, mentor, mentee)
    for side, row, partner in ((MENTORS, mentor, mentee), (MENTEES, mentee, mentor)):
        at, last = where(slots, side, row, partner), slots.count[side, row] - 1
        slots.partner[side, row, at] = slots.partner[side, row, last]
        slots.partner[side, row, last] = NOBODY
        if side == MENTORS:
            slots.price[row, at] = slots.price[row, last]
        slots.count[side, row] = last
    unblock(market, mentor, mentee)
    refresh(market, slots, MENTORS, mentor)
    refresh(market, slots, MENTEES, mentee)
    return price


@kernel
def block(market: Market, slots: Slots, mentor: int, mentee: int) -> None:
    """Let nobody propose two people to each other, whichever way round."""
    _block(market, slots, mentor, mentee)
    _block(market, slots, mentee, mentor)


@kernel
def unblock(market: Market, mentor: int, mentee: int) -> None:
    """Undo one `block`."""
    _unblock(market, mentor, mentee)
    _unblock(market, mentee, mentor)


@kernel
def _block(market: Market, slots: Slots, other: int, row: int) -> None:
    begin, end = market.blocked_from[row], market.blocked_to[row]
    if end == slots.blocked_room[row]:
        size = end - begin
        moved = slots.blocked_used[0]
        slots.blocked_used[0] += 2 * size + 4
        for at in range(size):
            market.blocked[moved + at] = market.blocked[begin + at]
        market.blocked_from[row], end = moved, moved + size
        slots.blocked_room[row] = moved + 2 * size + 4
    market.blocked[end] = other
    market.blocked_to[row] = end + 1


@kernel
def _unblock(market: Market, other: int, row: int) -> None:
    begin, end = market.blocked_from[row], market.blocked_to[row]
    for at in range(begin, end):
        if market.blocked[at] == other:
            market.blocked[at] = market.blocked[end - 1]
            market.blocked_to[row] = end - 1
            return
