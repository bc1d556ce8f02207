"""The search with prices: whom a mentee would rather have than what the auction gave them; exact, of all there are.

What the sample missed is found here, and nothing else: only what beats the present gain counts. Postings begin with the
cheapest, so most of them end at their first entry. What is found bounds what any choice can be worth, as a by-product.
"""

from typing import NamedTuple

import numpy as np

from matching.engine.bulk.candidates import SET_BITS, Ask, highest_first, keep
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
    set_number,
    sets_of,
    up_to,
)
from matching.engine.compiled import kernel


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
def _learn(market: Market, person: int, room: Scratch) -> int:
    """Fill the tables for a mentee; returns the most that they, wishes and country can add together."""
    weights, likes = market.weights, market.mentees[person, LIKES]
    attributes = market.mentees[person, ATTRIBUTES]
    mine = (attributes >> FUNCTION_AT) & FUNCTION
    best = np.int64(0)
    for theirs in range(1, 65):
        points = weights[OTHER_FUNCTION] if mine and theirs != mine else 0
        points += weights[WISH] if (likes >> (theirs - 1)) & 1 else 0
        room.by_function[theirs] = points
        best = max(best, points)
    for rank in range(RANKS):
        room.by_choice[rank] = weights[MENTOR_CHOICE + rank]
    meets = weights[IN_PERSON] if (attributes >> IN_PERSON_AT) & 1 else np.int64(0)
    most = best + weights[MENTOR_CHOICE] + max(weights[OTHER_COUNTRY], meets)
    return most + (weights[WISH] if mine else 0)


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
    attributes = mentees[person, ATTRIBUTES]
    country, function = (attributes >> COUNTRY_AT) & COUNTRY_CODE, (attributes >> FUNCTION_AT) & FUNCTION
    here = weights[IN_PERSON] if (attributes >> IN_PERSON_AT) & 1 else np.int64(0)
    abroad, wish = weights[OTHER_COUNTRY], weights[WISH] if function else np.int64(0)
    most = _learn(ask.market, person, room)
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
            for at in range(starts[posting], starts[posting + 1]):
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
                if bare > limit and offered[at] & whole == areas:
                    who = entry & WHO
                    points = points_of(mentors, mentees, hours, weights, blocked_from, blocked, who, person)
                    gain = points + ask.market.mentee_points[person] - costs[who]
                    if points >= 0 and gain > limit:
                        kept = keep(gain, who, best, kept)
                        limit = max(limit, best[0] >> 32) if kept == len(best) else limit
    return kept, missed


@kernel
def _sure(ask: Ask, person: int, areas: int) -> int:
    """The most that a pair gains whose best common areas are these, without hours, price and what `_learn` counts."""
    weights, mentees = ask.market.weights, ask.market.mentees
    common = areas if up_to(areas) == -1 else mentees[person, AREAS]
    points = best_areas(areas, weights) + choice(mentees[person, RANKED], common, weights, MENTEE_CHOICE)
    points += weights[OTHER_UNIT] + MOST_LEVELS * weights[PER_LEVEL]
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
