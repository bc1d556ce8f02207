"""The best fits first, for a lead who wants scarcity to count less: whoever then has nobody.

A person's second pair must beat somebody else's first by `further_pair` points, the third by twice as much, so that
places go round before they pile up. Equal pairs are put in order by a fixed scramble of both, so that neither the
alphabet nor the order of the roster favours anyone, and the same people always give the same proposals.
"""

import heapq

import numpy as np

from matching.engine.bulk.solve import Solution
from matching.engine.compiled import allocating
from matching.engine.packed.bits import mixed
from matching.engine.packed.records import FURTHER, Ints, Market, Words


def best_fits(market: Market, solution: Solution, reach: int) -> tuple[Ints, Ints, Ints]:
    """Mentors, mentees and scores of what is taken from everybody's lists when scarcity counts `reach` percent."""
    lists = solution.lists
    there = np.arange(lists.who.shape[1]) < lists.counts[:, None]
    mentors, scores = lists.who[there], lists.points[there]
    mentees = np.repeat(np.arange(len(lists.counts), dtype=np.int32), lists.counts)
    claims = solution.prices[mentors].astype(np.int64) + solution.gains[mentees]
    dear = ((lists.dear[:, None] >> np.arange(lists.who.shape[1])) & 1)[there]
    worth = scores + lists.bonus * dear - claims * reach // 100
    order = np.lexsort((_scramble(mentors, mentees), -scores, -worth))
    taken = order[_take(market, mentors[order], mentees[order], worth[order])]
    return mentors[taken], mentees[taken], scores[taken]


@allocating
def _scramble(mentors: Ints, mentees: Ints) -> Words:
    found = np.empty(len(mentors), np.int64)
    for pair in range(len(found)):
        found[pair] = mixed(np.int64(mentors[pair]) << 32 | mentees[pair])
    return found


@allocating
def _take(market: Market, mentors: Ints, mentees: Ints, worth: Words) -> Words:
    """Positions of the chosen pairs among those given best first.

    A pair whose people already have others is put back with what is left of its worth, and looked at again when
    nothing better is left: loads only grow, so what is left only shrinks, and each look is final or lowers it.
    """
    mentor_load, mentee_load = market.mentor_load.copy(), market.mentee_load.copy()
    mentor_free, mentee_free = market.mentor_places.copy(), market.mentee_places.copy()
    chosen, number, fresh = np.empty(len(mentors), np.int64), 0, 0
    postponed = [(np.int64(2**62), np.int64(0))]  # the last of all, and what the list is of
    while fresh < len(mentors) or len(postponed) > 1:
        if fresh < len(mentors) and (-worth[fresh], np.int64(fresh)) < postponed[0]:
            thought, position = worth[fresh], np.int64(fresh)
            fresh += 1
        else:
            negative, position = heapq.heappop(postponed)
            thought = -negative
        mentor, mentee = mentors[position], mentees[position]
        if mentor_free[mentor] <= 0 or mentee_free[mentee] <= 0:
            continue
        now = worth[position] - market.weights[FURTHER] * np.int64(mentor_load[mentor] + mentee_load[mentee])
        if now < thought:
            heapq.heappush(postponed, (now * -1, position))
            continue
        mentor_load[mentor] += 1
        mentee_load[mentee] += 1
        mentor_free[mentor] -= 1
        mentee_free[mentee] -= 1
        chosen[number] = position
        number += 1
    return chosen[:number]
