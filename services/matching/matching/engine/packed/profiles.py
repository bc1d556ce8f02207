"""What a bulk run is given: everybody of a market as columns, one row a person."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_NAMED: Final = 12
"""Areas that one person offers, or seeks."""
NO_AREA: Final = -1
UNKNOWN: Final = -1
"""A function or site that nobody has told."""

Ints = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Profiles:
    """`n` people; codes of units, countries, sites and areas count from 0 and mean nothing but themselves."""

    key: Masks
    """[n] 64 bits of each id: equal pairs are put in order by it, so that no order of rows favours anyone."""
    level: Ints
    """[n] 1 is the most junior."""
    unit: Ints
    function: Ints
    """[n] 0 to 63, or `UNKNOWN`."""
    country: Ints
    site: Ints
    """[n] or `UNKNOWN`."""
    manager: Ints
    """[n] the manager's row, `chain.NOBODY` at the top; `chain.LOST` or a number from `n` on: not in the directory."""
    tenure: Ints
    """[n] months."""
    joined: Ints
    """[n] years."""
    utc_offset: Ints
    """[n] minutes east."""
    work_from: Ints
    work_to: Ints
    """[n] local hours; the end may be before the begin."""
    languages: Masks
    """[n] one bit a language."""
    offers: npt.NDArray[np.int8]
    seeks: npt.NDArray[np.int8]
    """[n, 12] area numbers, most important first, filled up with `NO_AREA`."""
    likes: Masks
    """[n] the functions that a person would like to meet, one bit each."""
    in_person: npt.NDArray[np.bool_]
    """[n] would rather meet in person."""
    mentor_capacity: Ints
    mentee_capacity: Ints
    """[n] pairs at one time; 0 on a side on which the person takes no part."""
    waiting: Ints
    """[n] days."""
    areas: int
    """How many area numbers there are, at most 64."""
    blocked: npt.NDArray[np.int64]
    """[k, 2] rows of two people who are never proposed to each other, whichever way round."""
    more_languages: Masks | None = None
    """[n] languages from the 65th on, where there are so many."""

    def __len__(self) -> int:
        return len(self.level)
