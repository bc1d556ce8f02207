"""The search with prices: whom a mentee would rather have than what the auction gave them; exact, of all there are.

What the sample missed is found here, and nothing else: only what beats the present gain counts. Postings begin with the
cheapest, so most of them end at their first entry. What is found bounds what any choice can be worth, as a by-product.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.bulk.candidates import SET_BITS, Ask, highest_first, keep, veil
from matching.engine.bulk.packing import (
    AREAS,
    ATTRIBUTES,
    COUNTRY_AT,
    FUNCTION,
    FUNCTION_AT,
    GAP,
    IN_PERSON,
    IN_PERSON_AT,
    LIKES,
    MENTEE_CHOICE,
    MENTOR_CHOICE,
    MOST_LEVELS,
    NEED_LANGUAGE,
    OTHER_COUNTRY,
    OTHER_FUNCTION,
    OTHER_UNIT,
    PER_LEVEL,
    PLACE,
    RANKED,
    RANKS,
    REVERSE,
    WINDOW,
    WISH,
    Ints,
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
    LANGUAGE_TRAITS,
    MOST_SETS,
    TRAIT_LEVEL_AT,
    UNIT_TRAIT,
    WHO,
    set_number,
    sets_of,
    traits_of,
    up_to,
)
from matching.engine.compiled import inlined, kernel

_NEVER: Final = -(1 << 40)


class Scratch(NamedTuple):
    """Room of one thread, filled anew for each person."""

    sets: Words
    ranks: Words
    by_function: Words
    """[128] what a mentor of each function adds for this mentee."""
    by_choice: Words
    """[8] what the first of the mentor's choices that is in the set adds; from the fifth on for "any"."""


@kernel
def scratch() -> Scratch:
    """Room for a thread."""
    return Scratch(
        np.empty(MOST_SETS, np.int64), np.empty(MOST_SETS, np.int64), np.zeros(128, np.int64), np.zeros(8, np.int64)
    )


@kernel
def _learn(ask: Ask, person: int, room: Scratch) -> tuple[int, int, int, int, int]:
    """Fill the tables for a mentee.

    Returns:
        The most that all that entries tell can add together; the mentee's country and function; what it adds to be in
        the same country, and to be somebody whom the mentor would like to meet.
    """
    weights, likes = ask.market.weights, ask.market.mentees[person, LIKES]
    attributes = ask.market.mentees[person, ATTRIBUTES]
    mine = (attributes >> FUNCTION_AT) & FUNCTION
    best = np.int64(0)
    for theirs in range(1, 65):
        points = weights[OTHER_FUNCTION] if mine and theirs != mine else 0
        points += weights[WISH] if (likes >> (theirs - 1)) & 1 else 0
        room.by_function[theirs] = points
        if (ask.postings.functions >> (theirs - 1)) & 1:
            best = max(best, points)
    for rank in range(RANKS):
        room.by_choice[rank] = weights[MENTOR_CHOICE + rank]
    here = weights[IN_PERSON] if (attributes >> IN_PERSON_AT) & 1 else np.int64(0)
    most = best + weights[MENTOR_CHOICE] + max(weights[OTHER_COUNTRY], here)
    most += weights[OTHER_UNIT] + MOST_LEVELS * weights[PER_LEVEL]
    most += weights[WISH] if mine and (ask.postings.any_likes >> (mine - 1)) & 1 else 0
    return most, (attributes >> COUNTRY_AT) & COUNTRY_CODE, mine, here, weights[WISH] if mine else np.int64(0)


@kernel
def same_cost(entries: Words, begin: int, end: int) -> int:
    """Behind the last entry of a posting that costs as much as its first."""
    if begin == end:
        return end
    cost, low = entries[begin] >> COST_AT, begin
    while end - low > 1:
        middle = (low + end) >> 1
        if entries[middle] >> COST_AT == cost:
            low = middle
        else:
            end = middle
    return end


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
    room = scratch()
    for person in range(first, last):
        counts[person], cut[person] = _improve_for(ask, costs, person, least[person], found[person], room)


@kernel
def _improve_for(ask: Ask, costs: Ints, person: int, least: int, best: Words, room: Scratch) -> tuple[int, int]:
    mentors, mentees, hours, weights = ask.market.mentors, ask.market.mentees, ask.market.hours, ask.market.weights
    blocked_from, blocked, compatible = ask.market.blocked_from, ask.market.blocked, ask.compatible
    starts, entries, offered, liked = ask.postings.starts, ask.postings.entries, ask.postings.areas, ask.postings.likes
    by_function, by_choice, sets = room.by_function, room.by_choice, room.sets
    mine, day = mentees[person, AREAS], mentees[person, PLACE] & WINDOW
    traits, mine_traits, mask = ask.postings.traits, traits_of(mentees, person), veil(person)
    most, country, function, here, wish = _learn(ask, person, room)
    abroad, unseen = weights[OTHER_COUNTRY], weights[OTHER_UNIT] + MOST_LEVELS * weights[PER_LEVEL]
    kept, left, limit, missed = 0, ask.budget, np.int64(least), np.int64(least)
    for rank in room.ranks[: _rank_sets(ask, person, mine, most, room)]:
        if (rank >> SET_BITS) <= limit:
            break  # nor can any set behind it
        areas = sets[rank & (1 << SET_BITS) - 1]
        whole = up_to(areas) & mine
        # A commoner area that both name may be an earlier choice of the mentor's, unless the set is all they share.
        any_choice = 0 if up_to(areas) == -1 else RANKS
        by_choice[RANKS:] = weights[MENTOR_CHOICE] if any_choice else 0
        kind, sure = set_number(areas, ask.bits), _sure(ask, person, areas)
        for place in range(ask.how_many[day]):
            posting = kind * ask.postings.days + compatible[day, place]
            bound = sure + hours[day, compatible[day, place]] + COST_ZERO
            begin, end = np.int64(starts[posting]), np.int64(starts[posting + 1])
            alike = same_cost(entries, begin, end)
            turn = (mask * (alike - begin)) >> 31
            for step in range(begin, end):
                at = turned(step, turn, begin, alike)
                entry = entries[at]
                bare = bound - (entry >> COST_AT)
                if bare + most <= limit:
                    break
                if left <= 0:
                    missed = max(missed, bare + most)
                    break
                left -= 1
                bare += by_function[(entry >> FUNCTION_OF_ENTRY) & FUNCTION]
                bare += by_choice[(entry >> CHOICE_OF_ENTRY) & CHOICE_CODE | any_choice]
                bare += wish * ((liked[at] >> (function - 1)) & 1)
                bare += here if (entry >> COUNTRY_OF_ENTRY) & COUNTRY_CODE == country else abroad
                if bare + unseen <= limit or offered[at] & whole != areas:
                    continue
                bare += traits_add(weights, mine_traits, traits[at])
                if bare > limit:
                    who = entry & WHO
                    points = points_of(mentors, mentees, hours, weights, blocked_from, blocked, who, person)
                    gain = points + ask.market.mentee_points[person] - costs[who]
                    if points >= 0 and gain > limit:
                        kept = keep(gain, who ^ mask, best, kept)
                        limit = max(limit, best[0] >> 32) if kept == len(best) else limit
    return kept, missed


@inlined
def turned(step: int, turn: int, begin: int, alike: int) -> int:
    """The same entries in an order of one's own: everybody begins elsewhere among those who cost the same."""
    if step >= alike:
        return step
    return step + turn if step + turn < alike else step + turn - alike + begin


@inlined
def traits_add(weights: Words, mine: int, theirs: int) -> int:
    """What unit and levels add for a mentee and a mentor, or far less than nothing when level or language forbid it."""
    above = (mine >> TRAIT_LEVEL_AT) - (theirs >> TRAIT_LEVEL_AT)
    apart = abs(above)
    speechless = weights[NEED_LANGUAGE] and mine & theirs & LANGUAGE_TRAITS == 0
    points = min(max(apart - weights[GAP], 0), MOST_LEVELS) * weights[PER_LEVEL]
    points += weights[OTHER_UNIT] if (mine ^ theirs) & UNIT_TRAIT else 0
    return _NEVER if speechless or (above if weights[REVERSE] else apart) < weights[GAP] else points


@kernel
def _sure(ask: Ask, person: int, areas: int) -> int:
    """The most that a pair gains whose best common areas are these, without hours, price and what `_learn` counts."""
    weights, mentees = ask.market.weights, ask.market.mentees
    common = areas if up_to(areas) == -1 else mentees[person, AREAS]
    points = best_areas(areas, weights) + choice(mentees[person, RANKED], common, weights, MENTEE_CHOICE)
    return points + ask.market.mentee_points[person]


@kernel
def _rank_sets(ask: Ask, person: int, mine: int, most: int, room: Scratch) -> int:
    """The sets of somebody's areas by the most that a pair of them could gain, the highest first; returns how many."""
    day = ask.market.mentees[person, PLACE] & WINDOW
    if ask.how_many[day] == 0:
        return 0
    best_day = ask.market.hours[day, ask.compatible[day, 0]]
    sets, ranks = room.sets, room.ranks
    number = sets_of(mine, sets)
    for at in range(number):
        cheapest = ask.postings.cheapest[set_number(sets[at], ask.bits)]
        ranks[at] = (_sure(ask, person, sets[at]) + best_day + most - np.int64(cheapest)) << SET_BITS | at
    highest_first(ranks, number)
    return number
