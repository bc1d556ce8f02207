"""What a place is worth when others want it too: the guide to good choices, and the limit of what a choice can reach.

Put a price on every mentor's place. Each mentee then takes the best that is left after prices, whether or not others
want the same: what they gain, plus the price of every place, is never less than the value of any real choice. So every
set of prices gives a bound; better prices, moved towards what is wanted too much, give a lower one. A pair of the best
choice is worth just what its two sides are promised, so pairs that fall short of that are better left to the end.
"""

from dataclasses import dataclass

import numpy as np
from contracts.matching import Side

from matching.engine.allocation import Points, Room
from matching.engine.market import Ints
from matching.engine.scoring import Rows

_STEPS = (1_024, 512, 256, 128, 64, 32, 16)
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Prices:
    """The best prices found.

    Attributes:
        claims: Per pair, its mentor's price and what its mentee would gain anyway: what the pair should be worth.
        bound: A value that no choice of these pairs within the free places exceeds.
    """

    claims: Points
    bound: int


def find(mentors: Rows, mentees: Rows, scores: Ints, room: Room) -> Prices:
    """Prices after a fixed number of steps, in whole points.

    Args:
        mentors: The mentor's row of each feasible pair.
        mentees: The mentee's row of each feasible pair.
        scores: The worth of each pair.
        room: The places that are free before the run.
    """
    if not len(scores):
        return Prices(np.zeros(0, np.int64), 0)
    by_mentee = np.argsort(mentees, kind="stable")
    grouped, whose, worth = mentees[by_mentee], mentors[by_mentee], scores[by_mentee].astype(np.int64)
    places = room.free[Side.MENTOR].astype(np.int64)
    prices = np.zeros(len(places), np.int64)
    bound, best, promised = int(worth.sum()), prices, np.zeros(len(places), np.int64)
    for step in np.repeat(_STEPS, _ROUNDS).tolist():
        wish = _favourites(grouped, worth - prices[whose], room.free[Side.MENTEE])
        total = wish.gain + int((prices * places).sum())
        if total < bound:
            bound, best, promised = total, prices, wish.promised
        wanted = np.bincount(whose[wish.taken], minlength=len(places))
        prices = np.maximum(prices + step * np.sign(wanted - places), 0)
    return Prices(best[mentors] + promised[mentees], bound)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What everybody would take at some prices: positions, their gain, and per row what a further place must beat."""

    taken: Rows
    gain: int
    promised: Points


def _favourites(mentees: Rows, left: Points, most: Ints) -> _Wish:
    """Each mentee's best pairs with a gain, as many as they have places.

    The pairs come grouped by mentee; each pass takes everybody's best that is still there, and clears it in `left`.
    """
    starts = np.flatnonzero(np.diff(mentees, prepend=-1))
    sizes = np.diff(starts, append=len(mentees))
    people = mentees[starts]
    places = most[people]
    promised = np.zeros(len(most), np.int64)
    taken = [np.zeros(0, np.int64)]
    gain = 0
    for place in range(int(places.max())):
        best = np.maximum(np.maximum.reduceat(left, starts), 0)
        last = places == place + 1
        promised[people[last]] = best[last]
        wants = (places > place) & (best > 0)
        tops = np.flatnonzero((left == np.repeat(best, sizes)) & np.repeat(wants, sizes))
        firsts = tops[np.diff(mentees[tops], prepend=-1) != 0]
        gain += int(left[firsts].sum())
        left[firsts] = 0
        taken.append(firsts)
    return _Wish(np.concatenate(taken), gain, promised)
