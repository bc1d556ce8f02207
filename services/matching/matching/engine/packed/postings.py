"""An index from small sets of areas and working days to people, so that nobody has to be compared with everybody.

Half of all pairs share some area, so one area selects nothing. A posting therefore belongs to a set of one, two or
three areas that somebody names, and to a working day. Whoever seeks asks for each such set of their own areas, and
takes from its posting only those with whom exactly this set is "the best three common areas": each pair turns up once,
and its points for areas are known before anybody is looked at.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import allocating, kernel
from matching.engine.packed.bits import highest_bit, lowest_bit
from matching.engine.packed.records import (
    AREAS,
    ATTRIBUTES,
    COUNTRY_AT,
    FUNCTION,
    FUNCTION_AT,
    LANGUAGES,
    LEVEL,
    LEVEL_AT,
    LIKES,
    MORE_LANGUAGES,
    PLACE,
    RANKED,
    RANKS,
    UNIT,
    UNIT_AT,
    UNIT_BITS,
    WINDOW,
    Ints,
    Words,
)

MOST_SETS: Final = 298
"""Sets of one to three of twelve areas: 12 + 66 + 220."""

# An entry, from the highest bits: what the person costs, the first of their choices in the set, their country, their
# function, and who it is. Enough to know nearly what a pair gains without a look at the record.
COST_AT: Final = 42
COST_ZERO: Final = 1 << 20  # costs may be negative
CHOICE_OF_ENTRY, CHOICE_CODE = 38, 7
COUNTRY_OF_ENTRY, COUNTRY_CODE = 30, 0xFF
FUNCTION_OF_ENTRY: Final = 23
WHO: Final = (1 << 23) - 1

NEVER_CHEAP: Final = 1 << 30
"""Of a posting in which nobody is."""

# What stands in a line of `Postings.entries`.
TOLD: Final = 0
"""What is laid out above."""
NAMED: Final = 1
"""All areas of the person; none once they have gone."""
LIKED: Final = 2
"""All functions that they would like to meet."""
TRAITS: Final = 3
"""Languages, unit and level, as `traits_of` packs them."""
LINE: Final = 4

TRAIT_LANGUAGES: Final = 32
TRAIT_LEVEL_AT: Final = TRAIT_LANGUAGES + UNIT_BITS
LANGUAGE_TRAITS: Final = (1 << TRAIT_LANGUAGES) - 1
UNIT_TRAIT: Final = ((1 << UNIT_BITS) - 1) << TRAIT_LANGUAGES


class Postings(NamedTuple):
    """Entries of one side, by set and day. Postings that are built at once have the cheapest first."""

    begins: Ints
    """[sets * days] where each posting begins."""
    sorted_to: Ints
    """[sets * days] behind the last entry that stands in order."""
    ends: Ints
    """[sets * days] behind the last one."""
    entries: Words
    """[entries, `LINE`] side by side, for most of what costs time is to fetch the first of them."""
    cheapest: Ints
    """[sets] the least cost in any posting of the set."""
    cheapest_of: Ints
    """[sets * days] and in each posting: enough to know that most need not be looked into."""
    days: int
    functions: int
    """Those that anybody is of, one bit each."""
    any_likes: int
    """Those that anybody would like to meet."""


@kernel
def set_number(areas: int, bits: int) -> int:
    """The number of a set of one to three of so many areas: in the order of the combinatorial number system."""
    low = lowest_bit(areas)
    rest = areas & (areas - 1)
    if rest == 0:
        return low
    middle = lowest_bit(rest)
    rest &= rest - 1
    if rest == 0:
        return bits + middle * (middle - 1) // 2 + low
    high = lowest_bit(rest)
    pairs = bits * (bits - 1) // 2
    return bits + pairs + high * (high - 1) * (high - 2) // 6 + middle * (middle - 1) // 2 + low


@kernel
def sets_of(areas: int, found: Words) -> int:
    """Write every set of one to three areas of a mask; returns how many."""
    count = 0
    first = areas
    while first:
        one = first & -first
        first ^= one
        found[count] = one
        count += 1
        second = first
        while second:
            two = second & -second
            second ^= two
            found[count] = one | two
            count += 1
            third = second
            while third:
                three = third & -third
                third ^= three
                found[count] = one | two | three
                count += 1
    return count


@kernel
def up_to(areas: int) -> int:
    """All areas that are as rare as the commonest of a set of three, or rarer; every area for a smaller set."""
    rest = areas & (areas - 1)
    if (rest & (rest - 1)) == 0:
        return -1
    return (np.int64(2) << highest_bit(areas)) - 1


@allocating
def build(records: Words, order: Ints, costs: Ints, bits: int, days: int) -> Postings:
    """Index people in this order, which is the order within each posting.

    Args:
        records: [P, 8]
        order: [P] places, the cheapest first.
        costs: [P]
        bits: how many areas there are.
        days: how many working days.
    """
    sets = bits + bits * (bits - 1) // 2 + bits * (bits - 1) * (bits - 2) // 6
    starts = np.zeros(sets * days + 1, np.int32)
    mine = np.empty(MOST_SETS, np.int64)
    for who in order:
        day = records[who, PLACE] & WINDOW
        for number in range(sets_of(records[who, AREAS], mine)):
            starts[set_number(mine[number], bits) * days + day + 1] += 1
    for posting in range(sets * days):
        starts[posting + 1] += starts[posting]
    size = starts[sets * days]
    entries = np.empty((size, LINE), np.int64)
    cheapest, cheapest_of = np.full(sets, np.int32(NEVER_CHEAP)), np.full(sets * days, np.int32(NEVER_CHEAP))
    filled = starts.copy()
    functions, any_likes = np.int64(0), np.int64(0)
    for who in order:
        function = (records[who, ATTRIBUTES] >> FUNCTION_AT) & FUNCTION
        functions |= np.int64(1) << (function - 1) if function else np.int64(0)
        any_likes |= records[who, LIKES]
        day, entry, trait = records[who, PLACE] & WINDOW, entry_of(records, costs[who], who), traits_of(records, who)
        for number in range(sets_of(records[who, AREAS], mine)):
            group = set_number(mine[number], bits)
            at = filled[group * days + day]
            filled[group * days + day] += 1
            entries[at, TOLD] = entry | first_choice(records[who, RANKED], mine[number]) << CHOICE_OF_ENTRY
            entries[at, NAMED], entries[at, LIKED] = records[who, AREAS], records[who, LIKES]
            entries[at, TRAITS] = trait
            cheapest[group] = min(cheapest[group], costs[who])
            cheapest_of[group * days + day] = min(cheapest_of[group * days + day], costs[who])
    begins, ends = starts[:-1], starts[1:]
    return Postings(begins, ends, ends, entries, cheapest, cheapest_of, days, functions, any_likes)


@kernel
def entry_of(records: Words, cost: int, who: int) -> int:
    """An entry without the choice that depends on the set."""
    attributes = records[who, ATTRIBUTES]
    return (
        (np.int64(cost) + COST_ZERO) << COST_AT
        | ((attributes >> COUNTRY_AT) & COUNTRY_CODE) << COUNTRY_OF_ENTRY
        | ((attributes >> FUNCTION_AT) & FUNCTION) << FUNCTION_OF_ENTRY
        | np.int64(who)
    )


@kernel
def traits_of(records: Words, who: int) -> int:
    """The first 31 languages, one bit for all others, the unit and the level: what most often rules somebody out."""
    languages = records[who, LANGUAGES]
    others = languages >> (TRAIT_LANGUAGES - 1) != 0 or records[who, MORE_LANGUAGES] != 0
    known = languages & ((1 << (TRAIT_LANGUAGES - 1)) - 1)
    unit = (records[who, ATTRIBUTES] & UNIT) >> UNIT_AT
    level = (records[who, PLACE] >> LEVEL_AT) & LEVEL
    return known | np.int64(others) << (TRAIT_LANGUAGES - 1) | unit << TRAIT_LANGUAGES | level << TRAIT_LEVEL_AT


@kernel
def first_choice(ranked: int, areas: int) -> int:
    """Which of somebody's choices is the first that is in a mask: 0 to 3, or `RANKS` when none is."""
    for rank in range(RANKS):
        named = (ranked >> (8 * rank)) & 0xFF
        if named and (areas >> (named - 1)) & 1:
            return rank
    return RANKS


@allocating
def days_by_points(hours: Ints) -> tuple[Ints, Ints]:
    """For each working day, the days with enough in common, the best first; and how many they are."""
    days = len(hours)
    found, counts = np.zeros((days, days), np.int32), np.zeros(days, np.int32)
    for day in range(days):
        order = np.argsort(-hours[day], kind="mergesort")
        for other in order:
            if hours[day, other] >= 0:
                found[day, counts[day]] = other
                counts[day] += 1
    return found, counts
