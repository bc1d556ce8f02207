"""What a market is packed into: one record a person and side, and the tables that pairs look up.

A record fits one cache line, since a search meets people in no order. Areas are numbered by rarity: the rarest that a
mentor offers is bit 0, so "the three rarest common areas" are the three lowest bits of one `and`.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from matching.engine.compiled import kernel
from matching.engine.packed.profiles import Masks

Words = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Areas = npt.NDArray[np.int8]

RANKS: Final = 4
"""Choices after the fourth count as shared, but not as chosen."""
MOST_WAITING: Final = 90
ENOUGH_MINUTES: Final = 240
MOST_LEVELS: Final = 4
DAY: Final = 1_440

# Words of a record.
AREAS: Final = 0
LANGUAGES: Final = 1
ATTRIBUTES: Final = 2
CHAIN: Final = 3
PLACE: Final = 4
LIKES: Final = 5
RANKED: Final = 6
MORE_LANGUAGES: Final = 7
WORDS: Final = 8

# Where the parts of `ATTRIBUTES` begin, and how many bits they have; codes of functions and sites are one higher there.
SITE_BITS: Final = 20
FUNCTION_AT, FUNCTION_BITS = 20, 7
COUNTRY_AT, COUNTRY_BITS = 27, 8
UNIT_AT, UNIT_BITS = 35, 20
IN_PERSON_AT: Final = 55
SITE: Final = (1 << SITE_BITS) - 1
FUNCTION: Final = (1 << FUNCTION_BITS) - 1
COUNTRY: Final = ((1 << COUNTRY_BITS) - 1) << COUNTRY_AT
HERE: Final = SITE | COUNTRY
"""Where two can meet: a code that two countries use is two sites."""
UNIT: Final = ((1 << UNIT_BITS) - 1) << UNIT_AT

# Where the parts of `PLACE` begin: the manager's code, one higher; a bit each for who joined too long ago
# and too lately for this side; the level, or what else ranks people; the number of the working day.
MANAGER_AT: Final = 32
TOO_LONG_AT: Final = 25
TOO_NEW_AT: Final = 24
LEVEL_AT: Final = 16
LEVEL: Final = 0xFF
LOW: Final = 0xFFFFFFFF
WINDOW: Final = 0xFFFF


# Behind the areas in `Market.weights`: the points of four choices of either side, single points, and rules.
MENTEE_CHOICE, MENTOR_CHOICE = 64, 68
OTHER_UNIT, OTHER_COUNTRY, OTHER_FUNCTION, WISH, IN_PERSON, PER_LEVEL, FURTHER = range(72, 79)
GAP, REVERSE, NEED_LANGUAGE, NEED_UNIT = range(79, 83)
WEIGHTS: Final = 83


class Market(NamedTuple):
    """What the kernels read. `M` mentors and `E` mentees: those who take part and have a free place."""

    mentors: Words
    """[M, 8]"""
    mentees: Words
    """[E, 8]"""
    mentor_points: Ints
    """[M] what a person adds to each of their pairs: waiting."""
    mentee_points: Ints
    mentor_rows: Ints
    """[M] rows in the profiles."""
    mentee_rows: Ints
    mentor_places: Ints
    """[M] how many pairs may be added."""
    mentee_places: Ints
    mentor_load: Ints
    """[M] pairs that a person has already; each makes the next one cost more."""
    mentee_load: Ints
    hours: Ints
    """[W, W] points of two working days, or -1 when they have too little in common."""
    weights: Words
    """[83] points of the areas by their bits, then what the names below say."""
    blocked_from: Ints
    """[E] where the mentors of `blocked` begin that a mentee is never paired with."""
    blocked_to: Ints
    """[E] and behind the last of them."""
    blocked: Ints


class Places(NamedTuple):
    """How full people are on one side."""

    load: Ints
    """[n] live pairs of each person."""
    free: Ints
    """[n] how many may be added."""


class Facts(NamedTuple):
    """The columns that a record is made of on either side; [n] each, one row a person."""

    rank: Ints
    """The level, or what else makes one of two the senior one."""
    unit: Ints
    function: Ints
    country: Ints
    site: Ints
    manager: Ints
    """Codes from 0, the same for all who have the same manager; -1 at the top."""
    languages: Masks
    more_languages: Masks
    likes: Masks
    in_person: npt.NDArray[np.bool_]
    window: Ints
    """Numbers of working days."""
    enter: Ints
    leave: Ints
    """Intervals of the management chain."""


@kernel
def write(records: Words, places: Ints, facts: Facts, rows: Ints) -> None:
    """Write what is the same on both sides into the records at these places, for the people of these rows."""
    languages, more, likes = facts.languages, facts.more_languages, facts.likes
    site, function, country, unit = facts.site, facts.function, facts.country, facts.unit
    in_person, enter, leave, window = facts.in_person, facts.enter, facts.leave, facts.window
    manager, rank = facts.manager, facts.rank
    for number in range(len(rows)):
        at, row = places[number], rows[number]
        records[at, LANGUAGES], records[at, MORE_LANGUAGES] = np.int64(languages[row]), np.int64(more[row])
        records[at, ATTRIBUTES] = (
            np.int64(site[row] + 1)
            | np.int64(function[row] + 1) << FUNCTION_AT
            | np.int64(country[row]) << COUNTRY_AT
            | np.int64(unit[row]) << UNIT_AT
            | np.int64(in_person[row]) << IN_PERSON_AT
        )
        records[at, CHAIN] = np.int64(enter[row]) << 32 | np.int64(leave[row])
        above = np.int64(max(manager[row] + 1, 0))
        records[at, PLACE] = above << MANAGER_AT | np.int64(rank[row]) << LEVEL_AT | np.int64(window[row])
        records[at, LIKES] = np.int64(likes[row])


@kernel
def name_areas(records: Words, places: Ints, named: Areas, bit: Words, rows: Ints) -> None:
    """Write the words about areas: of what people offer, or of what they seek; `bit` [64] is the number of each."""
    for number in range(len(rows)):
        at, row = places[number], rows[number]
        mask, ranked = np.int64(0), np.int64(0)
        for rank in range(named.shape[1]):
            area = named[row, rank]
            if area < 0:
                break
            mask |= np.int64(1) << bit[area]
            if rank < RANKS:
                ranked |= (bit[area] + 1) << (8 * rank)
        records[at, AREAS], records[at, RANKED] = mask, ranked
