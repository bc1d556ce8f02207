"""Everything that a live market's kernels read and change, and where people stand in its indexes."""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.live.index import LOWEST_COST, Index, insert, remove
from matching.engine.live.slots import MENTORS, Slots
from matching.engine.packed.records import Ints, Market, Words
from matching.engine.packed.searching import Scratch

JOINED: Final = np.int64(0)
MOVED: Final = np.int64(1)
"""Gave way to something better."""
LOST: Final = np.int64(2)
"""No longer holds: a rule forbids it, or somebody takes no part any more."""
CROWDED: Final = np.int64(3)
"""One too many for the mentor's places; the next number says the same of the mentee's."""


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
    """[l, 4] what happened: `JOINED`, `MOVED`, `LOST` or `CROWDED`, the mentor, the mentee, the price."""
    full: Words
    """[1] not 0 when an index had no room for somebody, and all has to be built anew."""
    logged: Words
    """[2] how much of the log is written, and how many proposals of others may still move."""


@kernel
def stand(live: Live, side: int, row: int) -> None:
    """Put somebody who has become cheaper where a search looks early enough, and those they have proposals with."""
    slots = live.slots
    _move_up(live, side, row)
    for at in range(slots.count[side, row]):
        _move_up(live, 1 - side, np.int64(slots.partner[side, row, at]))


@kernel
def _move_up(live: Live, side: int, row: int) -> None:
    index, records = (live.mentors, live.market.mentors) if side == MENTORS else (live.mentees, live.market.mentees)
    cost = max(np.int64(live.slots.cost[side, row]), LOWEST_COST)
    if live.slots.places[side, row] > 0 and cost < index.stands_at[row]:
        remove(index, records, row, live.bits)
        if not insert(index, records, row, cost, live.bits):
            live.full[0] = 1
