"""How rare areas are among those who offer them, and what they are worth for that."""

from typing import Final

import numpy as np
import numpy.typing as npt

from matching.engine.compiled import allocating
from matching.engine.packed.profiles import Ints, Profiles
from matching.engine.rules import Rules

Words = npt.NDArray[np.int64]
Areas = npt.NDArray[np.int8]

MOST_AREAS: Final = 64


def by_rarity(profiles: Profiles, rules: Rules) -> tuple[Words, list[int]]:
    """The bit of each area, the rarest first, and the points by bit."""
    offered = _offered(profiles.offers, profiles.mentor_capacity)
    rarest = np.argsort(offered[: profiles.areas], kind="stable")
    bit = np.zeros(MOST_AREAS, np.int64)
    bit[rarest] = np.arange(profiles.areas)
    mentors = int((profiles.mentor_capacity > 0).sum())
    return bit, [area_points(rules, mentors, int(offered[area])) for area in rarest]


def area_points(rules: Rules, mentors: int, offering: int) -> int:
    """What one common area is worth when so many of the mentors offer it: more for every halving, in sixteenths."""
    weights = rules.weights
    sixteenths = ((mentors + 1) ** 16 // (offering + 1) ** 16).bit_length() - 1
    return weights.area + min(weights.rarity * sixteenths // 16, weights.rarity_limit)


@allocating
def _offered(offers: Areas, capacity: Ints) -> Words:
    """[64] how many mentors offer each area."""
    found = np.zeros(MOST_AREAS, np.int64)
    for row in range(len(capacity)):
        if capacity[row] > 0:
            for area in offers[row]:
                if area >= 0:
                    found[area] += 1
    return found
