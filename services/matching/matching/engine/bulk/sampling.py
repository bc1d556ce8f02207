"""The first search, without prices: a sample of who might be good for somebody.

Exact lists of the best make everybody want the same few people, and whoever is left out of all lists stays alone. A
sample that begins at another place of each posting for each person finds people who are nearly as good, and different
ones for everybody.
"""

import numpy as np

from matching.engine.compiled import allocating, kernel
from matching.engine.packed.bits import mixed
from matching.engine.packed.candidates import SET_BITS, Ask, highest_first, keep, veil
from matching.engine.packed.pairs import best_areas, points_of
from matching.engine.packed.postings import MOST_SETS, NAMED, TOLD, WHO, set_number, sets_of, up_to
from matching.engine.packed.records import AREAS, PLACE, WINDOW, Ints, Words


@allocating
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
    blocked_from, blocked_to, blocked = ask.market.blocked_from, ask.market.blocked_to, ask.market.blocked
    begins, ends, compatible = ask.postings.begins, ask.postings.ends, ask.compatible
    entries = ask.postings.entries
    seekers = mentees if mentees_seek else mentors
    mine, day = seekers[person, AREAS], seekers[person, PLACE] & WINDOW
    number = sets_of(mine, sets)
    for at in range(number):
        ranks[at] = best_areas(sets[at], weights) << SET_BITS | at
    highest_first(ranks, number)
    left, kept, mask = ask.budget, 0, veil(person)
    for rank in ranks[:number]:
        areas = sets[rank & (1 << SET_BITS) - 1]
        whole = up_to(areas) & mine
        group = set_number(areas, ask.bits) * ask.postings.days
        for place in range(ask.how_many[day]):
            if left <= 0:
                return kept
            posting = group + compatible[day, place]
            begin, end = np.int64(begins[posting]), np.int64(ends[posting])
            # Everybody begins at another place, so that not all find the same few.
            at = begin + ((mixed(person * 1_000_003 + posting) & 0xFFFFFFFF) * (end - begin) >> 32)
            for _ in range(min(end - begin, cap)):
                if entries[at, NAMED] & whole == areas:
                    left -= 1
                    who = entries[at, TOLD] & WHO
                    mentor, mentee = (who, person) if mentees_seek else (person, who)
                    points = points_of(
                        mentors, mentees, hours, weights, blocked_from, blocked_to, blocked, mentor, mentee
                    )
                    if points >= 0:
                        kept = keep(points, who ^ mask, best, kept)
                at = at + 1 if at + 1 < end else begin
    return kept
