"""What searches among postings share: what they look through, and the list of the best that they keep."""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import kernel
from matching.engine.packed.bits import mixed
from matching.engine.packed.postings import Postings
from matching.engine.packed.records import Ints, Market, Words

SET_BITS: Final = 9
"""Of a word that ranks a set: its number among those of one person."""


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
def veil(person: int) -> int:
    """What `who` is combined with (exclusive or) in somebody's list, so that equals have an order of their own there.

    Otherwise everybody would prefer the same of those who are equally good for all, and only they would be wanted.
    """
    return mixed(person + 1) & 0x7FFFFFFF


@kernel
def keep(points: int, who: int, best: Words, count: int) -> int:
    """Put somebody into a list of the best, a heap with the worst on top; returns how many are in it.

    An entry is ``points << 32 | who``, with `who` under the veil of the person whose list it is.
    """
    entry = np.int64(points) << 32 | np.int64(who)
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


@kernel
def highest_first(words: Words, number: int) -> None:
    """Sort the first so many words, which are few."""
    for end in range(1, number):
        word, at = words[end], end
        while at > 0 and words[at - 1] < word:
            words[at] = words[at - 1]
            at -= 1
        words[at] = word
