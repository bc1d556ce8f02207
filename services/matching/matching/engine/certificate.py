"""How good a run can be at most, so that it can say how good it is at least.

Put a price on every mentor's place. Each mentee then takes the best that is left after prices, whether or not others
want the same: what they gain, plus the price of every place, is never less than the value of any real choice. So every
set of prices gives a bound; better prices, moved towards what is wanted too much, give a lower one.
"""

import numpy as np
import numpy.typing as npt
from contracts.matching import Side

from matching.engine.allocation import Room
from matching.engine.market import Ints
from matching.engine.scoring import Rows

_STEPS = (1_024, 512, 256, 128, 64, 32, 16)
_ROUNDS = 6


def bound(mentors: Rows, mentees: Rows, scores: Ints, room: Room) -> int:
    """A value that no choice of these pairs within these places exceeds.

    Args:
        mentors: The mentor's row of each feasible pair.
        mentees: The mentee's row of each feasible pair.
        scores: The worth of each pair.
        room: The places that are free before the run.
    """
    if not len(scores):
        return 0
    by_mentee = np.argsort(mentees, kind="stable")
    mentors, mentees, worth = mentors[by_mentee], mentees[by_mentee], scores[by_mentee].astype(np.int64)
    places = room.free[Side.MENTOR].astype(np.int64)
    wanted_at_most = room.free[Side.MENTEE]
    prices = np.zeros(len(places), np.int64)
    lowest = int(worth.sum())
    for step in _STEPS:
        for _ in range(_ROUNDS):
            taken, gain = _favourites(mentees, worth - prices[mentors], wanted_at_most)
            lowest = min(lowest, gain + int((prices * places).sum()))
            wanted = np.bincount(mentors[taken], minlength=len(places))
            prices = np.maximum(prices + step * np.sign(wanted - places), 0)
    return lowest


def _favourites(mentees: Rows, left: npt.NDArray[np.int64], most: Ints) -> tuple[Rows, int]:
    """Each mentee's best pairs with a gain, as many as they have places, and the gain of them all.

    The pairs come grouped by mentee; each pass takes everybody's best that is still there.
    """
    starts = np.flatnonzero(np.diff(mentees, prepend=-1))
    sizes = np.diff(starts, append=len(mentees))
    places = most[mentees[starts]]
    taken: list[Rows] = []
    gain = 0
    for place in range(int(places.max())):
        best = np.maximum.reduceat(left, starts)
        wants = (places > place) & (best > 0)
        if not wants.any():
            break
        tops = np.flatnonzero((left == np.repeat(best, sizes)) & np.repeat(wants, sizes))
        firsts = tops[np.diff(mentees[tops], prepend=-1) != 0]
        gain += int(left[firsts].sum())
        left[firsts] = 0
        taken.append(firsts)
    return np.concatenate([np.zeros(0, np.int64), *taken]), gain
