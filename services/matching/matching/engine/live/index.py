"""Postings that people come to and go from: built with room behind each, and moved to the end when that is used up.

Somebody who goes leaves an entry that names no area, which no search takes for a match; a full posting drops it. Prices
move on while the order within a posting stays: it says where to look first, what somebody costs now is looked up.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.packed.postings import (
    CHOICE_OF_ENTRY,
    COST_AT,
    LIKED,
    LINE,
    MOST_SETS,
    NAMED,
    TOLD,
    TRAITS,
    WHO,
    Postings,
    build,
    entry_of,
    first_choice,
    set_number,
    sets_of,
    traits_of,
)
from matching.engine.packed.records import AREAS, LIKES, PLACE, RANKED, WINDOW, Ints, Words

_SPARE: Final = 1 << 14
LOWEST_COST: Final = np.int64(-(1 << 20))
HIGHEST_COST: Final = np.int64(1 << 21)
"""What an entry can tell."""


class Index(NamedTuple):
    """An index of one side that grows."""

    postings: Postings
    room_to: Ints
    """[sets * days] where the room of each posting ends."""
    used: Ints
    """[1] entries that belong to any posting."""
    stands_at: Ints
    """[P] the cost with which somebody stands in the index."""
    sets: Words
    """[`MOST_SETS`] room for the sets of one person's areas."""


def built(records: Words, rows: Ints, costs: Ints, bits: int, days: int) -> Index:
    """An index of the people of these rows, at their present costs [P]."""
    order = rows[np.argsort(costs[rows], kind="stable")].astype(np.int32)
    return _spread(build(records, order, costs, bits, days), costs)


def _spread(dense: Postings, costs: Ints) -> Index:
    """The same postings with room behind each one that has anybody."""
    sizes = dense.ends - dense.begins
    rooms = np.where(sizes > 0, sizes + sizes // 8 + 1, 0)
    room_to = np.cumsum(rooms).astype(np.int32)
    begins, used = (room_to - rooms).astype(np.int32), np.full(1, rooms.sum(), np.int32)
    ends = begins + sizes
    # Of what nobody has written to, the system lends no memory yet.
    entries = np.zeros((2 * int(used[0]) + _SPARE, LINE), np.int64)
    spread = dense._replace(begins=begins, sorted_to=ends.copy(), ends=ends, entries=entries)
    _copy(dense, spread)
    return Index(spread, room_to, used, costs.copy(), np.empty(MOST_SETS, np.int64))


@kernel
def _copy(dense: Postings, spread: Postings) -> None:
    for posting in range(len(dense.begins)):
        begin, to = dense.begins[posting], spread.begins[posting]
        for at in range(dense.ends[posting] - begin):
            for word in range(LINE):
                spread.entries[to + at, word] = dense.entries[begin + at, word]


@kernel
def insert(index: Index, records: Words, who: int, cost: int, bits: int) -> bool:
    """Put somebody into every posting that is theirs; false when no room is left, and all has to be built anew."""
    postings, mine = index.postings, index.sets
    number = sets_of(records[who, AREAS], mine)
    entry, trait = entry_of(records, cost, who), traits_of(records, who)
    index.stands_at[who] = cost
    for at in range(number):
        group = set_number(mine[at], bits)
        posting = group * postings.days + (records[who, PLACE] & WINDOW)
        if postings.ends[posting] == index.room_to[posting] and not _make_space(index, posting):
            return False
        end = postings.ends[posting]
        line = postings.entries[end]
        line[TOLD] = entry | first_choice(records[who, RANKED], mine[at]) << CHOICE_OF_ENTRY
        line[NAMED], line[LIKED], line[TRAITS] = records[who, AREAS], records[who, LIKES], trait
        postings.ends[posting] = end + 1
        postings.cheapest[group] = min(postings.cheapest[group], cost)
        postings.cheapest_of[posting] = min(postings.cheapest_of[posting], cost)
    return True


@kernel
def _make_space(index: Index, posting: int) -> bool:
    """Drop from a full posting who has gone; if they are few, give it twice the room, at the end of all."""
    postings = index.postings
    begin, tail, end = postings.begins[posting], postings.sorted_to[posting], postings.ends[posting]
    size, to = end - begin, index.used[0]
    postings.sorted_to[posting] = _close_up(postings, begin, tail, begin)
    postings.ends[posting] = _close_up(postings, tail, end, postings.sorted_to[posting])
    if postings.ends[posting] - begin <= size - size // 4 - 1:
        return True
    if to + 2 * size + 4 > len(postings.entries):
        return False
    postings.begins[posting] = to
    postings.ends[posting] = _close_up(postings, begin, postings.ends[posting], to)
    postings.sorted_to[posting] += to - begin
    index.room_to[posting] = index.used[0] = to + 2 * size + 4
    return True


@kernel
def _close_up(postings: Postings, begin: int, end: int, to: int) -> int:
    """Copy the entries of those who are still there, one behind the other; returns where they end."""
    for at in range(begin, end):
        if postings.entries[at, NAMED] != 0:
            for word in range(LINE):
                postings.entries[to, word] = postings.entries[at, word]
            to += 1
    return to


@kernel
def remove(index: Index, records: Words, who: int, bits: int) -> None:
    """Take somebody out, whose record is still as it was when they were put in."""
    postings, mine = index.postings, index.sets
    wanted = _key(entry_of(records, index.stands_at[who], who))
    for at in range(sets_of(records[who, AREAS], mine)):
        posting = set_number(mine[at], bits) * postings.days + (records[who, PLACE] & WINDOW)
        found = _find(postings, posting, wanted)
        if found >= 0:
            postings.entries[found, NAMED] = 0


@kernel
def _key(entry: int) -> int:
    """What entries of a posting are ordered by: the cost, among equals the row."""
    return (entry >> COST_AT) << COST_AT | entry & WHO


@kernel
def _find(postings: Postings, posting: int, wanted: int) -> int:
    """Where somebody's entry is that still names areas, or -1."""
    entries, tail = postings.entries, postings.sorted_to[posting]
    low, high = postings.begins[posting], tail
    while low < high:
        middle = (low + high) >> 1
        if _key(entries[middle, TOLD]) < wanted:
            low = middle + 1
        else:
            high = middle
    if low < tail and _key(entries[low, TOLD]) == wanted and entries[low, NAMED] != 0:
        return low
    for at in range(tail, postings.ends[posting]):
        if _key(entries[at, TOLD]) == wanted and entries[at, NAMED] != 0:
            return at
    return -1
