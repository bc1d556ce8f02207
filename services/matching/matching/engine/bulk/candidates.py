"""Searches: who might be good for somebody, without prices by sample, and with prices exactly.

Exact lists of the best make everybody want the same few people, and whoever is left out of all lists stays alone. A
sample that begins at another place of each posting for each person finds people who are nearly as good, and different
ones for everybody; what it misses is found by the search with prices, which looks only for what beats the present gain.
"""

from typing import Final

import numpy as np
from numba import njit

from matching.engine.bulk.packing import (
    AREAS,
    ATTRIBUTES,
    COUNTRY,
    COUNTRY_AT,
    FUNCTION,
    FUNCTION_AT,
    IN_PERSON_AT,
    LIKES,
    PLACE,
    RANKED,
    WINDOW,
    Ints,
    Market,
    Words,
)
from matching.engine.bulk.pairs import best_areas, choice, edge
from matching.engine.bulk.postings import (
    COST_AT,
    COST_ZERO,
    COUNTRY_OF_ENTRY,
    FUNCTION_OF_ENTRY,
    WHO,
    Postings,
    mixed,
    set_number,
    sets_of,
    up_to,
)

NOBODY: Final = -1
_MOST_SETS: Final = 300


@njit(cache=True, nogil=True)
def keep(points: int, who: int, best: Words, count: int) -> int:
    """Put somebody into a list of the best, a heap with the worst on top; returns how many are in it.

    An entry is ``points << 32 | complement of who``, so that equal points have an order of their own.
    """
    entry = np.int64(points) << 32 | (0x7FFFFFFF - np.int64(who))
    if count < len(best):
        at = count
        while at > 0 and best[(at - 1) >> 1] > entry:
            best[at] = best[(at - 1) >> 1]
            at = (at - 1) >> 1
        best[at] = entry
        return count + 1
    if entry <= best[0]:
        return count
    at, size = 0, len(best)
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and best[child + 1] < best[child]:
            child += 1
        if best[child] >= entry:
            break
        best[at] = best[child]
        at = child
    best[at] = entry
    return count


@njit(cache=True, nogil=True)
def sample(
    market: Market,
    postings: Postings,
    days: tuple[Ints, Ints],
    mentees_seek: bool,
    bits: int,
    budget: int,
    cap: int,
    first: int,
    last: int,
    found: Words,
    counts: Ints,
) -> None:
    """Lists for the people from `first` to `last` of one side, among the other.

    Args:
        market: the market.
        postings: of the other side, in any order.
        days: working days by what they are worth together.
        mentees_seek: the lists are for mentees.
        bits: how many areas there are.
        budget: entries looked at for one person.
        cap: entries looked at in one posting.
        first: the first person.
        last: behind the last one.
        found: [P, k] written: entries of `keep`.
        counts: [P] written.
    """
    sets = np.empty(_MOST_SETS, np.int64)
    order = np.empty(_MOST_SETS, np.int64)
    seekers = market.mentees if mentees_seek else market.mentors
    others = market.mentors if mentees_seek else market.mentees
    compatible, how_many = days
    for person in range(first, last):
        record = seekers[person]
        number = sets_of(record[AREAS], sets)
        for at in range(number):
            order[at] = best_areas(sets[at], market.area_points) << 20 | at
        ranked = np.sort(order[:number])
        left, kept = budget, 0
        day = record[PLACE] & WINDOW
        for at in range(number - 1, -1, -1):
            if left <= 0:
                break
            areas = sets[ranked[at] & 0xFFFFF]
            whole = up_to(areas) & record[AREAS]
            group = set_number(areas, bits) * postings.days
            for place in range(how_many[day]):
                posting = group + compatible[day, place]
                begin, size = postings.starts[posting], postings.starts[posting + 1] - postings.starts[posting]
                if size == 0:
                    continue
                turn = mixed(person * 1_000_003 + posting) % size
                for step in range(min(size, cap)):
                    who = postings.entries[begin + (turn + step) % size] & WHO
                    left -= 1
                    if others[who, AREAS] & whole != areas:
                        continue
                    points = edge(market, who, person) if mentees_seek else edge(market, person, who)
                    if points >= 0:
                        kept = keep(points, who, found[person], kept)
                if left <= 0:
                    break
        counts[person] = kept


@njit(cache=True, nogil=True)
def improve(
    market: Market,
    postings: Postings,
    days: tuple[Ints, Ints],
    costs: Ints,
    least: Ints,
    bits: int,
    budget: int,
    first: int,
    last: int,
    found: Words,
    counts: Ints,
    cut: Ints,
) -> None:
    """For mentees, the mentors of whom the gain at present prices is more than `least`; the best of all there are.

    Args:
        market: the market.
        postings: of the mentors, the cheapest first.
        days: working days by what they are worth together.
        costs: [M] what a mentor costs: the price, less what they add to each of their pairs.
        least: [E] the gain to beat.
        bits: how many areas there are.
        budget: entries looked at for one person.
        first: the first mentee.
        last: behind the last one.
        found: [E, k] written: entries of `keep` with the gain in place of the points.
        counts: [E] written.
        cut: [E] written: no mentor who was not looked at could give more than this.
    """
    sets = np.empty(_MOST_SETS, np.int64)
    compatible, how_many = days
    for person in range(first, last):
        record, best = market.mentees[person], found[person]
        room = len(best)
        kept, left, limit, missed = 0, budget, np.int64(least[person]), np.int64(least[person])
        day = record[PLACE] & WINDOW
        country = (record[ATTRIBUTES] & COUNTRY) >> COUNTRY_AT
        function = (record[ATTRIBUTES] >> FUNCTION_AT) & FUNCTION
        meets = market.in_person if (record[ATTRIBUTES] >> IN_PERSON_AT) & 1 else 0
        rest = market.unit + market.mentor_choice[0] + market.wish + 4 * market.level + market.mentee_points[person]
        most = market.function + market.wish + max(market.country, meets)
        for number in range(sets_of(record[AREAS], sets)):
            areas = sets[number]
            kind = set_number(areas, bits)
            whole = up_to(areas) & record[AREAS]
            common = areas if up_to(areas) == -1 else record[AREAS]
            sure = best_areas(areas, market.area_points) + choice(record[RANKED], common, market.mentee_choice) + rest
            best_day = market.hours[day, compatible[day, 0]] if how_many[day] else 0
            if sure + best_day + most - postings.cheapest[kind] <= limit:
                continue
            for place in range(how_many[day]):
                other_day = compatible[day, place]
                posting = kind * postings.days + other_day
                bound = sure + market.hours[day, other_day]
                for at in range(postings.starts[posting], postings.starts[posting + 1]):
                    entry = postings.entries[at]
                    bare = bound - ((entry >> COST_AT) - COST_ZERO)
                    if bare + most <= limit:
                        break
                    if left <= 0:
                        missed = max(missed, bare + most)
                        break
                    left -= 1
                    theirs = (entry >> FUNCTION_OF_ENTRY) & FUNCTION
                    if theirs:
                        if theirs != function and function:
                            bare += market.function
                        if (record[LIKES] >> (theirs - 1)) & 1:
                            bare += market.wish
                    bare += meets if (entry >> COUNTRY_OF_ENTRY) & 0xFFF == country else market.country
                    if bare <= limit:
                        continue
                    who = entry & WHO
                    if market.mentors[who, AREAS] & whole != areas:
                        continue
                    points = edge(market, who, person)
                    if points < 0:
                        continue
                    gain = points + market.mentee_points[person] - costs[who]
                    if gain > limit:
                        kept = keep(gain, who, best, kept)
                        if kept == room:
                            limit = max(limit, best[0] >> 32)
        counts[person] = kept
        cut[person] = missed
