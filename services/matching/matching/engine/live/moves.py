"""What one change leads to: proposals for whom it concerns, and at most a few others who move for them.

Whoever seeks looks for the best person to be had. When that person's places are full, their least proposal gives way,
and its other side seeks in turn: a chain of moves, as in an auction, but no longer than the rules allow. Wherever it
could end it is known what everybody together gains; it ends where that is most, and what went beyond is undone.
Nobody's proposal only goes: a chain ends with a free place for the last who moved.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.live.index import Index
from matching.engine.live.slots import (
    MENTEES,
    MENTORS,
    NOBODY,
    NOT_TO_BE_HAD,
    Slots,
    further,
    join,
    least,
    part,
    refresh,
    worth,
)
from matching.engine.packed.candidates import Ask, veil
from matching.engine.packed.records import Ints, Market, Words
from matching.engine.packed.searching import Scratch, search

JOINED: Final = 0
MOVED: Final = 1
"""Gave way to something better."""
LOST: Final = 2
"""No longer holds: a rule forbids it, or somebody takes no part any more."""


class Live(NamedTuple):
    """Everything that the kernels change."""

    market: Market
    slots: Slots
    mentors: Index
    mentees: Index
    compatible: Ints
    how_many: Ints
    known_days: Ints
    """[1] of the working days in `Market.hours`, those that anybody has."""
    bits: int
    budget: int
    """Entries looked at for one search."""
    sticky: int
    """How much better everybody together must be off for each proposal that moves."""
    room: Scratch
    best: Words
    """[2] room for what a search finds."""
    log: Words
    """[l, 4] what happened: `JOINED`, `MOVED` or `LOST`, the mentor, the mentee, the price."""
    logged: Words
    """[2] how much of the log is written, and how many proposals of others may still move."""


@kernel
def answer(live: Live, row: int) -> None:
    """Take in that one person's record is another: what holds no more goes, what is better comes."""
    begin = live.logged[0]
    _drop(live, row)
    lost = live.logged[0]
    for side in (MENTEES, MENTORS):
        fill(live, side, row)
        _better(live, side, row)
    _comfort(live, row, begin, lost)


@kernel
def check(live: Live, row: int) -> None:
    """Let go what holds no more of somebody whose record is another only by what others did."""
    begin = live.logged[0]
    _drop(live, row)
    lost = live.logged[0]
    for side in (MENTEES, MENTORS):
        if lost > begin:
            fill(live, side, row)
    _comfort(live, row, begin, lost)


@kernel
def _comfort(live: Live, row: int, begin: int, end: int) -> None:
    """Look for somebody else for those whom a change of another took a pair from; the log says who they are."""
    for at in range(begin, end):
        mentor, mentee = live.log[at, 1], live.log[at, 2]
        if mentor == row:
            fill(live, MENTEES, mentee)
        else:
            fill(live, MENTORS, mentor)


@kernel
def _drop(live: Live, row: int) -> None:
    """Take apart what a rule forbids, or what is more than somebody's places; say anew what the rest is worth."""
    market, slots = live.market, live.slots
    for side in (MENTORS, MENTEES):
        at = slots.count[side, row]
        while at > 0:
            at -= 1
            partner = slots.partner[side, row, at]
            mentor, mentee = (row, partner) if side == MENTORS else (partner, row)
            if worth(market, mentor, mentee) < 0:
                _part(live, mentor, mentee, LOST)
        while slots.count[side, row] > slots.places[side, row]:
            partner = least(market, slots, side, row)[0]
            mentor, mentee = (row, partner) if side == MENTORS else (partner, row)
            _part(live, mentor, mentee, LOST)
    for side in (MENTORS, MENTEES):
        refresh(market, slots, side, row)
        for at in range(slots.count[side, row]):
            refresh(market, slots, 1 - side, slots.partner[side, row, at])


@kernel
def _better(live: Live, side: int, row: int) -> None:
    """Replace the proposals of somebody who has no free place, the least first, as long as everybody gains by it."""
    slots = live.slots
    if slots.count[side, row] < slots.places[side, row]:
        return
    for _ in range(slots.count[side, row]):
        if live.logged[1] <= 0:
            return
        partner = least(live.market, slots, side, row)[0]
        mentor, mentee = (row, partner) if side == MENTORS else (partner, row)
        begin, may_move = live.logged[0], live.logged[1]
        before = worth(live.market, mentor, mentee)
        _part(live, mentor, mentee, MOVED)
        live.logged[1] -= 1
        owed = before - further(live.market, slots, side, row) + live.sticky
        owed -= further(live.market, slots, 1 - side, partner)
        if not _seek(live, side, row, begin, -owed):
            _undo(live, begin, may_move)
            return
        fill(live, 1 - side, partner)


@kernel
def fill(live: Live, side: int, row: int) -> None:
    """Give somebody proposals as long as there are any and they have places."""
    slots = live.slots
    while slots.count[side, row] < slots.places[side, row]:
        if not _seek(live, side, row, live.logged[0], 0):
            # A further pair is not worth what it should be, but an empty place helps nobody.
            found, _, _ = _look(live, side, row, slots.free_cost[1 - side], -NOT_TO_BE_HAD // 2)
            if found == NOBODY:
                return
            _together(live, side, row, found, 0)


@kernel
def _seek(live: Live, side: int, row: int, begin: int, gained: int) -> bool:
    """One more pair for somebody with a free place, by a chain of moves; false when nothing is better than nothing.

    Args:
        live: what changes.
        side: on which they seek.
        row: who seeks.
        begin: where in the log the chain begins; it is undone from there.
        gained: what everybody together has gained by it so far.
    """
    market, slots = live.market, live.slots
    best, best_at, best_moves = np.int64(0), begin, live.logged[1]
    end, end_row, bid = NOBODY, NOBODY, np.int64(0)
    while True:
        own = further(market, slots, side, row)
        found, gain, second = _look(live, side, row, slots.free_cost[1 - side], own + best - gained)
        if found != NOBODY:
            best, best_at, best_moves = gained + gain - own, live.logged[0], live.logged[1]
            end, end_row, bid = found, row, gain - max(second, own)
        if live.logged[1] <= 0:
            break
        found, gain, second = _look(live, side, row, slots.cost[1 - side], own + max(best - gained, 0))
        if found == NOBODY or slots.free_cost[1 - side, found] < NOT_TO_BE_HAD:
            break
        loser = least(market, slots, 1 - side, found)[0]
        gained -= _score(market, side, loser, found) + live.sticky
        _apart(live, side, loser, found)
        live.logged[1] -= 1
        gained += _score(market, side, row, found) - own + further(market, slots, side, loser)
        _together(live, side, row, found, gain - max(second, own))
        row = loser
    _undo(live, best_at, best_moves)
    if end == NOBODY:
        return False
    _together(live, side, end_row, end, bid)
    return True


@kernel
def _look(live: Live, side: int, row: int, costs: Ints, enough: int) -> tuple[int, int, int]:
    """Who gives somebody most, how much that is, and what the next best would give; nobody when it is not enough."""
    index = live.mentees if side == MENTORS else live.mentors
    ask = Ask(live.market, index.postings, live.compatible, live.how_many, live.bits, live.budget)
    number, _ = search(ask, side == MENTEES, costs, row, enough, live.best, live.room)
    if number == 0:
        return NOBODY, np.int64(0), np.int64(0)
    first, second = live.best[0], np.int64(enough)
    if number > 1:
        one, other = live.best[0], live.best[1]
        first, second = (one, other >> 32) if one > other else (other, one >> 32)
    return (first & 0xFFFFFFFF) ^ veil(row), first >> 32, second


@kernel
def _score(market: Market, side: int, row: int, other: int) -> int:
    return worth(market, row, other) if side == MENTORS else worth(market, other, row)


@kernel
def _apart(live: Live, side: int, row: int, other: int) -> None:
    mentor, mentee = (row, other) if side == MENTORS else (other, row)
    _part(live, mentor, mentee, MOVED)


@kernel
def _together(live: Live, side: int, row: int, other: int, bid: int) -> None:
    """Make a pair; what the seeker bids goes to the other: a mentor's price rises, a mentee's gain."""
    market, slots = live.market, live.slots
    mentor, mentee = (row, other) if side == MENTORS else (other, row)
    if side == MENTEES:
        price = slots.cost[MENTORS, mentor] + market.mentor_points[mentor] + bid
    else:
        price = worth(market, mentor, mentee) - (slots.cost[MENTEES, mentee] + market.mentee_points[mentee] + bid)
    price = max(price, further(market, slots, MENTORS, mentor))
    join(market, slots, mentor, mentee, price)
    _log(live, JOINED, mentor, mentee, price)


@kernel
def _part(live: Live, mentor: int, mentee: int, why: int) -> None:
    _log(live, why, mentor, mentee, part(live.market, live.slots, mentor, mentee))


@kernel
def _log(live: Live, what: int, mentor: int, mentee: int, price: int) -> None:
    entry = live.log[live.logged[0]]
    entry[0], entry[1], entry[2], entry[3] = what, mentor, mentee, price
    live.logged[0] += 1


@kernel
def _undo(live: Live, to: int, may_move: int) -> None:
    """Take back what the log says from here on, the last first."""
    while live.logged[0] > to:
        live.logged[0] -= 1
        entry = live.log[live.logged[0]]
        if entry[0] == JOINED:
            part(live.market, live.slots, entry[1], entry[2])
        else:
            join(live.market, live.slots, entry[1], entry[2], entry[3])
    live.logged[1] = may_move
