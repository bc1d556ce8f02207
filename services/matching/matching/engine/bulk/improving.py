"""Whom mentees would rather have than what the auction gave them: what the sample missed is found here.

What is found bounds what any choice can be worth, as a by-product.
"""

from typing import Final

import numpy as np

from matching.engine.compiled import allocating
from matching.engine.packed.candidates import Ask
from matching.engine.packed.records import Ints, Words
from matching.engine.packed.searching import scratch, search

_MENTEES_SEEK: Final = np.bool_(True)


@allocating
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
        counts[person], cut[person] = search(
            ask, _MENTEES_SEEK, costs, person, np.int64(least[person]), found[person], room
        )
