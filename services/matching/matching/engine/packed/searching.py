"""The search with prices: whom somebody would rather have than what they have; exact, of all there are.

Only what beats the present gain counts. Postings begin with the cheapest, so most of them end at their first entry;
what was added later stands behind in no order, and is looked at one by one.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import allocating, inlined, kernel
from matching.engine.packed.candidates import SET_BITS, Ask, highest_first, keep, veil
from matching.engine.packed.pairs import best_areas, choice, points_of
from matching.engine.packed.postings import (
    CHOICE_CODE,
    CHOICE_OF_ENTRY,
    COST_AT,
    COST_ZERO,
    COUNTRY_CODE,
    COUNTRY_OF_ENTRY,
    FUNCTION_OF_ENTRY,
    LANGUAGE_TRAITS,
    LIKED,
    MOST_SETS,
    NAMED,
    TOLD,
    TRAIT_LEVEL_AT,
    TRAITS,
    UNIT_TRAIT,
    WHO,
    set_number,
    sets_of,
    traits_of,
    up_to,
)
from matching.engine.packed.records import (
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

_NEVER: Final = -(1 << 40)


class Scratch(NamedTuple):
    """Room of one thread, filled anew for each person."""

    sets: Words
    ranks: Words
    by_function: Words
    """[128] what a mentor of each function adds for this mentee."""
    by_choice: Words
    """[8] what the first of the mentor's choices that is in the set adds; from the fifth on for "any"."""


@allocating
def scratch() -> Scratch:
    """Room for a thread."""
    return Scratch(
        np.empty(MOST_SETS, np.int64), np.empty(MOST_SETS, np.int64), np.zeros(128, np.int64), np.zeros(8, np.int64)
    )


class Seeker(NamedTuple):
    """What a search asks again and again about the person who seeks."""

    areas: int
    day: int
    traits: int
    mask: int
    added: int
    """What they add to each of their pairs."""
    most: int
    """The most that all that entries tell can add together."""
    unseen: int
    """The most that unit and levels can add."""
    country: int
    function: int
    here: int
    """What it adds to be in the same country."""
    wish: int
    """And to be somebody whom the other would like to meet."""


@kernel
def _learn(ask: Ask, mentees_seek: bool, person: int, room: Scratch) -> Seeker:
    """Look at somebody once, and fill the tables for them."""
    seekers, weights = ask.market.mentees if mentees_seek else ask.market.mentors, ask.market.weights
    likes, attributes = seekers[person, LIKES], seekers[person, ATTRIBUTES]
    mine = (attributes >> FUNCTION_AT) & FUNCTION
    best = np.int64(0)
    for theirs in range(1, 65):
        points = weights[OTHER_FUNCTION] if mine and theirs != mine else 0
        points += weights[WISH] if (likes >> (theirs - 1)) & 1 else 0
        room.by_function[theirs] = points
        if (ask.postings.functions >> (theirs - 1)) & 1:
            best = max(best, points)
    their_choice = MENTOR_CHOICE if mentees_seek else MENTEE_CHOICE
    for rank in range(RANKS):
        room.by_choice[rank] = weights[their_choice + rank]
    here = weights[IN_PERSON] if (attributes >> IN_PERSON_AT) & 1 else np.int64(0)
    most = best + weights[their_choice] + max(weights[OTHER_COUNTRY], here)
    most += weights[OTHER_UNIT] + MOST_LEVELS * weights[PER_LEVEL]
    most += weights[WISH] if mine and (ask.postings.any_likes >> (mine - 1)) & 1 else 0
    return Seeker(
        seekers[person, AREAS],
        seekers[person, PLACE] & WINDOW,
        traits_of(seekers, person),
        veil(person),
        np.int64(ask.market.mentee_points[person] if mentees_seek else ask.market.mentor_points[person]),
        most,
        weights[OTHER_UNIT] + MOST_LEVELS * weights[PER_LEVEL],
        (attributes >> COUNTRY_AT) & COUNTRY_CODE,
        mine,
        here,
        weights[WISH] if mine else np.int64(0),
    )


@kernel
def same_cost(entries: Words, begin: int, end: int) -> int:
    """Behind the last entry of a posting that costs as much as its first."""
    if begin == end:
        return end
    cost, low = entries[begin, TOLD] >> COST_AT, begin
    while end - low > 1:
        middle = (low + end) >> 1
        if entries[middle, TOLD] >> COST_AT == cost:
            low = middle
        else:
            end = middle
    return end


@kernel
def search(
    ask: Ask, mentees_seek: bool, costs: Ints, person: int, least: int, best: Words, room: Scratch
) -> tuple[int, int]:
    """The people with whom somebody gains more than `least`, the best of all there are.

    `costs` are of the other side, whose postings are in `ask`: the price, less what somebody adds to each of their
    pairs. `best` [k] is written: entries of `keep` with the gain in place of the points. Returned are how many, and a
    gain that nobody who was not looked at could exceed.
    """
    mentors, mentees, hours, weights = ask.market.mentors, ask.market.mentees, ask.market.hours, ask.market.weights
    from_, to, blocked = ask.market.blocked_from, ask.market.blocked_to, ask.market.blocked
    begins, sorted_to, ends = ask.postings.begins, ask.postings.sorted_to, ask.postings.ends
    entries, compatible = ask.postings.entries, ask.compatible
    by_function, by_choice, cheapest = room.by_function, room.by_choice, ask.postings.cheapest_of
    seeker, kept, left = _learn(ask, mentees_seek, person, room), 0, ask.budget
    limit, missed = np.int64(least), np.int64(least)
    for rank in room.ranks[: _rank_sets(ask, mentees_seek, person, seeker, room)]:
        if (rank >> SET_BITS) <= limit:
            break  # nor can any set behind it
        areas = room.sets[rank & (1 << SET_BITS) - 1]
        whole, any_choice = up_to(areas) & seeker.areas, _prepare_choices(weights, mentees_seek, areas, by_choice)
        kind, sure = set_number(areas, ask.bits), _sure(ask, mentees_seek, person, areas) + seeker.added + COST_ZERO
        for place in range(ask.how_many[seeker.day]):
            day = compatible[seeker.day, place]
            posting, bound = kind * ask.postings.days + day, sure + hours[seeker.day, day]
            if bound - COST_ZERO - cheapest[posting] + seeker.most <= limit:
                continue
            step, tail, end = np.int64(begins[posting]), np.int64(sorted_to[posting]), np.int64(ends[posting])
            begin, alike, turn = _begin(entries, step, tail, seeker.mask)
            while step < end:
                at = turned(step, turn, begin, alike)
                entry, step = entries[at, TOLD], step + 1
                bare = bound - (entry >> COST_AT)
                if bare + seeker.most <= limit:
                    step = max(step, tail)
                    continue
                if left <= 0:
                    missed = max(missed, bare + seeker.most)
                    break
                left -= 1
                bare += _told(weights, seeker, by_function, by_choice, entry, entries[at, LIKED], any_choice)
                if bare + seeker.unseen <= limit or entries[at, NAMED] & whole != areas:
                    continue
                if bare + traits_add(weights, mentees_seek, seeker.traits, entries[at, TRAITS]) > limit:
                    who, beside = entry & WHO, seeker.added - costs[entry & WHO]
                    points = _points(mentors, mentees, hours, weights, from_, to, blocked, mentees_seek, person, who)
                    if points >= 0 and points + beside > limit:
                        kept = keep(points + beside, who ^ seeker.mask, best, kept)
                        limit = max(limit, best[0] >> 32) if kept == len(best) else limit
    return kept, missed


@inlined
def _points(
    mentors: Words,
    mentees: Words,
    hours: Ints,
    weights: Words,
    blocked_from: Ints,
    blocked_to: Ints,
    blocked: Ints,
    mentees_seek: bool,
    person: int,
    who: int,
) -> int:
    """`points_of` the one who seeks and another."""
    mentor, mentee = (who, person) if mentees_seek else (person, who)
    return points_of(mentors, mentees, hours, weights, blocked_from, blocked_to, blocked, mentor, mentee)


@inlined
def _told(
    weights: Words, seeker: Seeker, by_function: Words, by_choice: Words, entry: int, likes: int, any_choice: int
) -> int:
    """What an entry tells that a pair gains, beside its cost."""
    points = by_function[(entry >> FUNCTION_OF_ENTRY) & FUNCTION]
    points += by_choice[(entry >> CHOICE_OF_ENTRY) & CHOICE_CODE | any_choice]
    points += seeker.wish * ((likes >> (seeker.function - 1)) & 1)
    same_country = (entry >> COUNTRY_OF_ENTRY) & COUNTRY_CODE == seeker.country
    return points + (seeker.here if same_country else weights[OTHER_COUNTRY])


@kernel
def _prepare_choices(weights: Words, mentees_seek: bool, areas: int, by_choice: Words) -> int:
    """Say what it adds when none of the other's choices is in the set; returns what their code is combined with."""
    # A commoner area that both name may be an earlier choice of the other's, unless the set is all they share.
    any_choice = 0 if up_to(areas) == -1 else RANKS
    by_choice[RANKS:] = weights[MENTOR_CHOICE if mentees_seek else MENTEE_CHOICE] if any_choice else 0
    return any_choice


@inlined
def _begin(entries: Words, begin: int, tail: int, mask: int) -> tuple[int, int, int]:
    """Where a posting begins, where those end who cost as much as its first, and whose turn it is among them."""
    alike = same_cost(entries, begin, tail)
    return begin, alike, (mask * (alike - begin)) >> 31


@inlined
def turned(step: int, turn: int, begin: int, alike: int) -> int:
    """The same entries in an order of one's own: everybody begins elsewhere among those who cost the same."""
    if step >= alike:
        return step
    return step + turn if step + turn < alike else step + turn - alike + begin


@inlined
def traits_add(weights: Words, mentees_seek: bool, mine: int, theirs: int) -> int:
    """What unit and levels add for two people, or far less than nothing when level or language forbid it."""
    above = (mine >> TRAIT_LEVEL_AT) - (theirs >> TRAIT_LEVEL_AT)
    apart = abs(above)
    speechless = weights[NEED_LANGUAGE] and mine & theirs & LANGUAGE_TRAITS == 0
    points = min(max(apart - weights[GAP], 0), MOST_LEVELS) * weights[PER_LEVEL]
    points += weights[OTHER_UNIT] if (mine ^ theirs) & UNIT_TRAIT else 0
    upwards = above if mentees_seek else -above
    return _NEVER if speechless or (upwards if weights[REVERSE] else apart) < weights[GAP] else points


@kernel
def _sure(ask: Ask, mentees_seek: bool, person: int, areas: int) -> int:
    """The most that a pair gains whose best common areas are these, without hours, price, people, and `_learn`."""
    weights, seekers = ask.market.weights, ask.market.mentees if mentees_seek else ask.market.mentors
    common = areas if up_to(areas) == -1 else seekers[person, AREAS]
    my_choice = MENTEE_CHOICE if mentees_seek else MENTOR_CHOICE
    return best_areas(areas, weights) + choice(seekers[person, RANKED], common, weights, my_choice)


@kernel
def _rank_sets(ask: Ask, mentees_seek: bool, person: int, seeker: Seeker, room: Scratch) -> int:
    """The sets of somebody's areas by the most that a pair of them could gain, the highest first; returns how many."""
    if ask.how_many[seeker.day] == 0:
        return 0
    most = seeker.most + seeker.added + ask.market.hours[seeker.day, ask.compatible[seeker.day, 0]]
    number = sets_of(seeker.areas, room.sets)
    for at in range(number):
        areas = room.sets[at]
        cheapest = ask.postings.cheapest[set_number(areas, ask.bits)]
        room.ranks[at] = (_sure(ask, mentees_seek, person, areas) + most - np.int64(cheapest)) << SET_BITS | at
    highest_first(room.ranks, number)
    return number
