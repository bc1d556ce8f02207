"""What one change leads to: proposals for whom it concerns, and at most a few others who move for them.

Whoever seeks looks for the best person to be had. When that person's places are full, their least proposal gives way,
and its other side seeks in turn: a chain of moves, as in an auction, but no longer than the rules allow. Wherever it
could end it is known what everybody together gains; it ends where that is most, and what went beyond is undone.
It ends with a free place for the last who moved, and no mentee who is moved goes without.
"""

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.live.looking import Options, look_free, options_of
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
from matching.engine.live.state import CROWDED, JOINED, LOST, MOVED, Live, stand
from matching.engine.packed.records import FURTHER, Market, Words


@kernel
def answer(live: Live, rows: Words, checked: Words) -> None:
    """Take in that the records of people are others: what holds no more goes, what is better comes.

    First all lets go what holds no more, so that nobody moves for a pair that is none; of those `checked` nothing else
    is asked. Then the `rows` look for something better, and then whoever lost somebody by it.
    """
    begin = live.logged[0]
    for row in checked:
        _drop(live, row)
    for row in rows:
        _drop(live, row)
    lost = live.logged[0]
    for row in rows:
        for side in (MENTEES, MENTORS):
            fill(live, side, row)
            _better(live, side, row)
    for at in range(begin, lost):
        fill(live, MENTEES, live.log[at, 2])
        fill(live, MENTORS, live.log[at, 1])
    _stand_anew(live, begin)
    for people in (rows, checked):
        for row in people:
            stand(live, MENTORS, row)
            stand(live, MENTEES, row)


@kernel
def propose(live: Live, row: int) -> None:
    """Fill somebody's free places; nobody has changed."""
    begin = live.logged[0]
    for side in (MENTEES, MENTORS):
        fill(live, side, row)
    _stand_anew(live, begin)


@kernel
def _stand_anew(live: Live, begin: int) -> None:
    """Put those who have become cheaper where a search looks early enough."""
    for at in range(begin, live.logged[0]):
        stand(live, MENTORS, live.log[at, 1])
        stand(live, MENTEES, live.log[at, 2])


@kernel
def _drop(live: Live, row: int) -> None:
    """Take apart what a rule forbids, or what is more than somebody's places; say anew what the rest is worth."""
    market, slots = live.market, live.slots
    for side in (MENTORS, MENTEES):
        at = slots.count[side, row]
        while at > 0:
            at -= 1
            partner = np.int64(slots.partner[side, row, at])
            mentor, mentee = (row, partner) if side == MENTORS else (partner, row)
            if worth(market, mentor, mentee) < 0:
                _part(live, mentor, mentee, LOST)
        while slots.count[side, row] > slots.places[side, row]:
            partner = _worst(live, side, row)
            mentor, mentee = (row, partner) if side == MENTORS else (partner, row)
            _part(live, mentor, mentee, CROWDED + side)
    for side in (MENTORS, MENTEES):
        refresh(market, slots, side, row)
        for at in range(slots.count[side, row]):
            refresh(market, slots, 1 - side, np.int64(slots.partner[side, row, at]))


@kernel
def _worst(live: Live, side: int, row: int) -> int:
    """The partner whom everybody together would miss least: a pair counts less for whom it is not the first."""
    partner, points = NOBODY, NOT_TO_BE_HAD
    for at in range(live.slots.count[side, row]):
        other = np.int64(live.slots.partner[side, row, at])
        missed = _score(live.market, side, row, other) - _last_further(live.market, live.slots, 1 - side, other)
        if missed < points:
            partner, points = other, missed
    return partner


@kernel
def _better(live: Live, side: int, row: int) -> None:
    """Replace the proposals of somebody who has no free place, the least first, as long as everybody gains by it."""
    market, slots = live.market, live.slots
    if slots.count[side, row] < slots.places[side, row]:
        return
    for _ in range(slots.count[side, row]):
        if live.logged[1] <= 0:
            return
        partner = least(market, slots, side, row)[0]
        begin, may_move = live.logged[0], live.logged[1]
        owed = _score(market, side, row, partner) + live.sticky
        owed -= _last_further(market, slots, side, row) + _last_further(market, slots, 1 - side, partner)
        # Nearly always nobody is better, which is known before anything is taken apart.
        options = options_of(live, side, row, owed + _last_further(market, slots, side, row), may_move)
        if options.free.row == NOBODY and options.full.row == NOBODY:
            return
        _apart(live, side, row, partner)
        live.logged[1] -= 1
        had = slots.count[1 - side, partner]
        if not _seek(live, side, row, begin, -owed, options):
            _undo(live, begin, may_move)
            return
        fill(live, 1 - side, partner)
        if side == MENTORS and slots.count[MENTEES, partner] <= had:
            _undo(live, begin, may_move)  # a mentee would only lose
            return


@kernel
def _last_further(market: Market, slots: Slots, side: int, row: int) -> int:
    """How many points somebody's last pair counts less than a first one."""
    return market.weights[FURTHER] * np.int64(slots.load[side, row] + slots.count[side, row] - 1)


@kernel
def fill(live: Live, side: int, row: int) -> None:
    """Give somebody proposals as long as there are any and they have places."""
    market, slots = live.market, live.slots
    while slots.count[side, row] < slots.places[side, row]:
        options = options_of(live, side, row, further(market, slots, side, row), live.logged[1])
        if not _seek(live, side, row, live.logged[0], np.int64(0), options):
            # A further pair is not worth what it should be, but an empty place helps nobody.
            free = look_free(live, side, row, -NOT_TO_BE_HAD // 2)
            if free.row == NOBODY:
                return
            _together(live, side, row, free.row, np.int64(0))


@kernel
def _seek(live: Live, side: int, row: int, begin: int, gained: int, options: Options) -> bool:
    """One more pair for somebody with a free place, by a chain of moves; false when nothing is better than nothing.

    Args:
        live: what changes.
        side: on which they seek.
        row: who seeks.
        begin: where in the log the chain begins; it is undone from there.
        gained: what everybody together has gained by it so far.
        options: whom they like best.
    """
    market, slots = live.market, live.slots
    best, best_at, best_moves = np.int64(0), begin, live.logged[1]
    end, end_row, bid = NOBODY, NOBODY, np.int64(0)
    own = further(market, slots, side, row)
    while True:
        free, full = options
        if free.row != NOBODY and gained + free.gain - own > best:
            best, best_at, best_moves = gained + free.gain - own, live.logged[0], live.logged[1]
            end, end_row, bid = free.row, row, free.gain - max(free.second, own)
        if full.row == NOBODY or live.logged[1] <= 0 or full.gain - own <= max(best - gained, 0):
            break
        loser = least(market, slots, 1 - side, full.row)[0]
        after = _last_further(market, slots, side, loser)
        gained += _score(market, side, row, full.row) - own - _score(market, side, loser, full.row)
        gained += after - live.sticky
        # Whether the one who would give way finds anybody is known before anything is taken apart.
        options = options_of(live, side, loser, after + best - gained, live.logged[1] - 1)
        if options.free.row == NOBODY and options.full.row == NOBODY:
            break
        _apart(live, side, loser, full.row)
        live.logged[1] -= 1
        _together(live, side, row, full.row, full.gain - max(full.second, own))
        row, own = loser, after
    _undo(live, best_at, best_moves)
    if end == NOBODY:
        return False
    _together(live, side, end_row, end, bid)
    return True


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
