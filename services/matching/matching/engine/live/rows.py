"""One row of the live market written anew: its records on both sides, and where it stands in the indexes."""

from typing import NamedTuple

import numpy as np

from matching.engine.compiled import allocating, kernel
from matching.engine.live.index import insert, remove
from matching.engine.live.slots import MENTEES, MENTORS, further, refresh
from matching.engine.live.state import Live, stand
from matching.engine.packed.records import PLACE, WORDS, Areas, Facts, Ints, Words, name_areas, write


class Columns(NamedTuple):
    """What is known of everybody, by row: what the records are written from."""

    facts: Facts
    offers: Areas
    seeks: Areas


@allocating
def rewrite(live: Live, columns: Columns, row: int, points: int, places: Ints, kept_out: Words) -> bool:
    """Bring a row up to date.

    Args:
        live: what changes.
        columns: where what is true now stands.
        row: whose.
        points: what they add to each of their pairs.
        places: [2] how many open proposals they may have on each side; 0 where they take no part.
        kept_out: [2] what `barred` tells of them.

    Returns:
        False when an index has no room left, and all has to be built anew.
    """
    fresh, first, rows = np.zeros((2, WORDS), np.int64), np.zeros(1, np.int32), np.full(1, row, np.int32)
    write(fresh, first, columns.facts, rows)
    fresh[1] = fresh[0]
    bit = np.arange(64)
    name_areas(fresh[:1], first, columns.offers, bit, rows)
    name_areas(fresh[1:], first, columns.seeks, bit, rows)
    live.market.mentor_points[row] = live.market.mentee_points[row] = points
    well = True
    for side in (MENTORS, MENTEES):
        fresh[side, PLACE] |= kept_out[side]
        well &= _replace(live, side, row, fresh, places[side])
    return well


@kernel
def _replace(live: Live, side: int, row: int, fresh: Words, places: int) -> bool:
    slots, bits = live.slots, live.bits
    records, index = (live.market.mentors, live.mentors) if side == MENTORS else (live.market.mentees, live.mentees)
    was, will = slots.places[side, row] > 0, places > 0
    same = was == will
    for word in range(WORDS):
        same &= records[row, word] == fresh[side, word]
    if was and not same:
        remove(index, records, row, bits)
    slots.places[side, row] = places
    for word in range(WORDS):
        records[row, word] = fresh[side, word]
    refresh(live.market, slots, side, row)
    if will and not same:
        return insert(index, records, row, standing(live, side, row), bits)
    stand(live, side, row)
    return True


@kernel
def standing(live: Live, side: int, row: int) -> int:
    """The cost with which somebody is put into an index: as if they had no open proposal."""
    own = live.market.mentor_points[row] if side == MENTORS else live.market.mentee_points[row]
    return further(live.market, live.slots, side, row) - own
