"""Postings that people come to and go from: built with room behind each, and moved to the end when that is used up.

Somebody who goes leaves an entry that names no area, which no search takes for a match. Prices move on while the order
within a posting stays: it says where to look first, what somebody costs now is looked up.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import allocating, kernel
from matching.engine.packed.postings import (
    CHOICE_OF_ENTRY,
    COST_AT,
    MOST_SETS,
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


@allocating
def _spread(dense: Postings, costs: Ints) -> Index:
    """The same postings with room behind each one that has anybody."""
    postings = len(dense.begins)
    begins, ends, room_to = np.empty(postings, np.int32), np.empty(postings, np.int32), np.empty(postings, np.int32)
    used = 0
    for posting in range(postings):
        size = dense.ends[posting] - dense.begins[posting]
        begins[posting], ends[posting] = used, used + size
        used += size + (size // 8 + 1 if size else 0)
        room_to[posting] = used
    capacity = used + used // 8 + _SPARE
    entries, areas = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    likes, traits = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    for posting in range(postings):
        there = slice(dense.begins[posting], dense.ends[posting])
        here = slice(begins[posting], ends[posting])
        entries[here], areas[here] = dense.entries[there], dense.areas[there]
        likes[here], traits[here] = dense.likes[there], dense.traits[there]
    spread = Postings(
        begins,
        ends.copy(),
        ends,
        entries,
        areas,
        likes,
        traits,
        dense.cheapest,
        dense.cheapest_of,
        dense.days,
        dense.functions,
        dense.any_likes,
    )
    return Index(spread, room_to, np.full(1, used, np.int32), costs.copy(), np.empty(MOST_SETS, np.int64))


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
        if postings.ends[posting] == index.room_to[posting] and not _move(index, posting):
            return False
        end = postings.ends[posting]
        postings.entries[end] = entry | first_choice(records[who, RANKED], mine[at]) << CHOICE_OF_ENTRY
        postings.areas[end], postings.traits[end] = records[who, AREAS], trait
        postings.likes[end] = records[who, LIKES]
        postings.ends[posting] = end + 1
        postings.cheapest[group] = min(postings.cheapest[group], cost)
        postings.cheapest_of[posting] = min(postings.cheapest_of[posting], cost)
    return True


@kernel
def _move(index: Index, posting: int) -> bool:
    """Give a posting twice the room, at the end of all."""
    postings = index.postings
    begin, end = postings.begins[posting], postings.ends[posting]
    room, to = 2 * (end - begin) + 4, index.used[0]
    if to + room > len(postings.entries):
        return False
    for words in (postings.entries, postings.areas, postings.likes, postings.traits):
        for at in range(end - begin):
            words[to + at] = words[begin + at]
    postings.sorted_to[posting] += to - begin
    postings.begins[posting], postings.ends[posting] = to, to + end - begin
    index.room_to[posting] = index.used[0] = to + room
    return True


@kernel
def remove(index: Index, records: Words, who: int, bits: int) -> None:
    """Take somebody out, whose record is still as it was when they were put in."""
    postings, mine = index.postings, index.sets
    wanted = _key(entry_of(records, index.stands_at[who], who))
    for at in range(sets_of(records[who, AREAS], mine)):
        posting = set_number(mine[at], bits) * postings.days + (records[who, PLACE] & WINDOW)
        found = _find(postings, posting, wanted)
        if found >= 0:
            postings.areas[found] = 0


@kernel
def _key(entry: int) -> int:
    """What entries of a posting are ordered by: the cost, among equals the row."""
    return (entry >> COST_AT) << COST_AT | entry & WHO


@kernel
def _find(postings: Postings, posting: int, wanted: int) -> int:
    """Where somebody's entry is that still names areas, or -1."""
    low, high = postings.begins[posting], postings.sorted_to[posting]
    while low < high:
        middle = (low + high) >> 1
        if _key(postings.entries[middle]) < wanted:
            low = middle + 1
        else:
            high = middle
    if low < postings.sorted_to[posting] and _key(postings.entries[low]) == wanted and postings.areas[low] != 0:
        return low
    for at in range(postings.sorted_to[posting], postings.ends[posting]):
        if _key(postings.entries[at]) == wanted and postings.areas[at] != 0:
            return at
    return -1
