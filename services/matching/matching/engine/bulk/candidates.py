"""Searches: who might be good for somebody, without prices by sample, and with prices exactly.

Exact lists of the best make everybody want the same few people, and whoever is left out of all lists stays alone. A
sample that begins at another place of each posting for each person finds people who are nearly as good, and different
ones for everybody; what it misses is found by the search with prices, which looks only for what beats the present gain.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.bulk.bits import mixed
from matching.engine.bulk.packing import (
    AREAS,
    ATTRIBUTES,
    COUNTRY_AT,
    FUNCTION,
    FUNCTION_AT,
    IN_PERSON,
    IN_PERSON_AT,
    LIKES,
    MENTEE_CHOICE,
    MENTOR_CHOICE,
    MOST_LEVELS,
    OTHER_COUNTRY,
    OTHER_FUNCTION,
    OTHER_UNIT,
    PER_LEVEL,
    PLACE,
    RANKED,
    RANKS,
    WINDOW,
    WISH,
    Ints,
    Market,
    Words,
)
from matching.engine.bulk.pairs import best_areas, choice, points_of
from matching.engine.bulk.postings import (
    CHOICE_CODE,
    CHOICE_OF_ENTRY,
    COST_AT,
    COST_ZERO,
    COUNTRY_CODE,
    COUNTRY_OF_ENTRY,
    FUNCTION_OF_ENTRY,
    MOST_SETS,
    WHO,
    Postings,
    set_number,
    sets_of,
    up_to,
)
from matching.engine.compiled import inlined, kernel

SET_BITS: Final = 9


@kernel
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


class Ask(NamedTuple):
    """What a search looks through, the same for everybody."""

    market: Market
    postings: Postings
    """Of the side that is looked for."""
    compatible: Ints
    """[W, W] for each working day, the days with enough in common, the best first."""
    how_many: Ints
    """[W] of them."""
    bits: int
    """How many areas there are."""
    budget: int
    """Entries looked at for one person."""


@kernel
def sample(ask: Ask, mentees_seek: bool, cap: int, first: int, last: int, found: Words, counts: Ints) -> None:
    """Lists for the people from `first` to `last` of one side, among the other.

    Args:
        ask: the postings may stand in any order.
        mentees_seek: the lists are for mentees.
        cap: entries looked at in one posting.
        first: the first person.
        last: behind the last one.
        found: [P, k] written: entries of `keep`.
        counts: [P] written.
    """
    sets, ranks = np.empty(MOST_SETS, np.int64), np.empty(MOST_SETS, np.int64)
    for person in range(first, last):
        counts[person] = _sample_for(ask, mentees_seek, cap, person, found[person], sets, ranks)


@kernel
def _sample_for(ask: Ask, mentees_seek: bool, cap: int, person: int, best: Words, sets: Words, ranks: Words) -> int:
    mentors, mentees, hours, weights = ask.market.mentors, ask.market.mentees, ask.market.hours, ask.market.weights
    blocked_from, blocked, compatible = ask.market.blocked_from, ask.market.blocked, ask.compatible
    starts, entries, named = ask.postings.starts, ask.postings.entries, ask.postings.areas
    seekers = mentees if mentees_seek else mentors
    mine, day = seekers[person, AREAS], seekers[person, PLACE] & WINDOW
    number = sets_of(mine, sets)
    for at in range(number):
        ranks[at] = best_areas(sets[at], weights) << SET_BITS | at
    highest_first(ranks, number)
    left, kept = ask.budget, 0
    for rank in ranks[:number]:
        areas = sets[rank & (1 << SET_BITS) - 1]
        whole = up_to(areas) & mine
        group = set_number(areas, ask.bits) * ask.postings.days
        for place in range(ask.how_many[day]):
            if left <= 0:
                return kept
            posting = group + compatible[day, place]
            begin, end = np.int64(starts[posting]), np.int64(starts[posting + 1])
            # Everybody begins at another place, so that not all find the same few.
            at = begin + ((mixed(person * 1_000_003 + posting) & 0xFFFFFFFF) * (end - begin) >> 32)
            for _ in range(min(end - begin, cap)):
                left -= 1
                if named[at] & whole == areas:
                    who = entries[at] & WHO
                    mentor, mentee = (who, person) if mentees_seek else (person, who)
                    points = points_of(mentors, mentees, hours, weights, blocked_from, blocked, mentor, mentee)
                    if points >= 0:
                        kept = keep(points, who, best, kept)
                at = at + 1 if at + 1 < end else begin
    return kept


@kernel
def improve(ask: Ask, costs: Ints, least: Ints, first: int, last: int, found: Words, counts: Ints, cut: Ints) -> None:
    """For mentees, the mentors of whom the gain at present prices is more than `least`; the best of all there are.

    Args:
        ask: the postings of the mentors, the cheapest first in each.
        costs: [M] what a mentor costs: the price, less what they add to each of their pairs.
        least: [E] the gain to beat.
        first: the first mentee.
        last: behind the last one.
        found: [E, k] written: entries of `keep` with the gain in place of the points.
        counts: [E] written.
        cut: [E] written: no mentor who was not looked at could give more than this.
    """
    sets, ranks = np.empty(MOST_SETS, np.int64), np.empty(MOST_SETS, np.int64)
    for person in range(first, last):
        counts[person], cut[person] = _improve_for(ask, costs, person, least[person], found[person], sets, ranks)


@kernel
def _improve_for(
    ask: Ask, costs: Ints, person: int, least: int, best: Words, sets: Words, ranks: Words
) -> tuple[int, int]:
    mentors, mentees, hours, weights = ask.market.mentors, ask.market.mentees, ask.market.hours, ask.market.weights
    blocked_from, blocked, compatible = ask.market.blocked_from, ask.market.blocked, ask.compatible
    starts, entries, offered, liked = ask.postings.starts, ask.postings.entries, ask.postings.areas, ask.postings.likes
    mine, day = mentees[person, AREAS], mentees[person, PLACE] & WINDOW
    seen = _seen(ask.market, person)
    number = _rank_sets(ask, person, mine, seen.most, sets, ranks)
    kept, left, limit, missed = 0, ask.budget, np.int64(least), np.int64(least)
    for rank in ranks[:number]:
        if (rank >> SET_BITS) <= limit:
            break  # nor can any set behind it
        areas = sets[rank & (1 << SET_BITS) - 1]
        whole, any_choice = up_to(areas) & mine, up_to(areas) != -1
        kind = set_number(areas, ask.bits)
        sure = _sure(ask, person, areas)
        for place in range(ask.how_many[day]):
            posting = kind * ask.postings.days + compatible[day, place]
            bound = sure + hours[day, compatible[day, place]]
            for at in range(starts[posting], starts[posting + 1]):
                entry = entries[at]
                bare = bound - ((entry >> COST_AT) - COST_ZERO)
                if bare + seen.most <= limit:
                    break
                if left <= 0:
                    missed = max(missed, bare + seen.most)
                    break
                left -= 1
                if (
                    offered[at] & whole == areas
                    and bare + _at_most(seen, weights, entry, liked[at], any_choice) > limit
                ):
                    who = entry & WHO
                    points = points_of(mentors, mentees, hours, weights, blocked_from, blocked, who, person)
                    gain = points + ask.market.mentee_points[person] - costs[who]
                    if points >= 0 and gain > limit:
                        kept = keep(gain, who, best, kept)
                        limit = max(limit, best[0] >> 32) if kept == len(best) else limit
    return kept, missed


class _Seen(NamedTuple):
    """What of a mentee meets the codes of an entry."""

    function: int
    country: int
    likes: int
    meets: int
    most: int
    """What all of it together can add at most."""


@kernel
def _seen(market: Market, person: int) -> _Seen:
    weights, attributes = market.weights, market.mentees[person, ATTRIBUTES]
    meets = weights[IN_PERSON] if (attributes >> IN_PERSON_AT) & 1 else np.int64(0)
    most = weights[OTHER_FUNCTION] + 2 * weights[WISH] + max(weights[OTHER_COUNTRY], meets)
    return _Seen(
        (attributes >> FUNCTION_AT) & FUNCTION,
        (attributes >> COUNTRY_AT) & COUNTRY_CODE,
        market.mentees[person, LIKES],
        meets,
        most + weights[OTHER_UNIT] + weights[MENTOR_CHOICE],
    )


@inlined
def _at_most(seen: _Seen, weights: Words, entry: int, liked: int, any_choice: bool) -> int:
    """What the codes of an entry can add: never less than what they do."""
    theirs = (entry >> FUNCTION_OF_ENTRY) & FUNCTION
    points = np.int64(0)
    if theirs:
        points += weights[OTHER_FUNCTION] if seen.function and theirs != seen.function else 0
        points += weights[WISH] if (seen.likes >> (theirs - 1)) & 1 else 0
    if seen.function:
        points += weights[WISH] if (liked >> (seen.function - 1)) & 1 else 0
    points += seen.meets if (entry >> COUNTRY_OF_ENTRY) & COUNTRY_CODE == seen.country else weights[OTHER_COUNTRY]
    points += weights[OTHER_UNIT]
    choice_code = (entry >> CHOICE_OF_ENTRY) & CHOICE_CODE
    if any_choice:
        points += weights[MENTOR_CHOICE]  # a commoner area that both name may be an earlier choice
    elif choice_code < RANKS:
        points += weights[MENTOR_CHOICE + choice_code]
    return points


@kernel
def _sure(ask: Ask, person: int, areas: int) -> int:
    """The most that a pair gains whose best common areas are these, without hours, price and what `_at_most` sees."""
    weights, mentees = ask.market.weights, ask.market.mentees
    common = areas if up_to(areas) == -1 else mentees[person, AREAS]
    points = best_areas(areas, weights) + choice(mentees[person, RANKED], common, weights, MENTEE_CHOICE)
    return points + MOST_LEVELS * weights[PER_LEVEL] + ask.market.mentee_points[person]


@kernel
def _rank_sets(ask: Ask, person: int, mine: int, most: int, sets: Words, ranks: Words) -> int:
    """The sets of somebody's areas by the most that a pair of them could gain, the highest first; returns how many."""
    day = ask.market.mentees[person, PLACE] & WINDOW
    if ask.how_many[day] == 0:
        return 0
    best_day = ask.market.hours[day, ask.compatible[day, 0]]
    number = sets_of(mine, sets)
    for at in range(number):
        cheapest = ask.postings.cheapest[set_number(sets[at], ask.bits)]
        ranks[at] = (_sure(ask, person, sets[at]) + best_day + most - np.int64(cheapest)) << SET_BITS | at
    highest_first(ranks, number)
    return number


@kernel
def highest_first(words: Words, number: int) -> None:
    """Sort the first so many words, which are few."""
    for end in range(1, number):
        word, at = words[end], end
        while at > 0 and words[at - 1] < word:
            words[at] = words[at - 1]
            at -= 1
        words[at] = word
