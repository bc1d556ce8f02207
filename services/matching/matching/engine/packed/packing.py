"""Profiles packed for the kernels: one record of eight words a person and side, and the tables that pairs look up.

A record fits one cache line, since a search meets people in no order. Areas are numbered by rarity: the rarest that a
mentor offers is bit 0, so "the three rarest common areas" are the three lowest bits of one `and`.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from chassis.errors import InvalidError

from matching.engine.chain import Chain, tour
from matching.engine.compiled import kernel
from matching.engine.packed.bits import mixed
from matching.engine.packed.profiles import NO_AREA, Masks, Profiles
from matching.engine.packed.rarity import MOST_AREAS, by_rarity
from matching.engine.rules import Rules

Words = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Areas = npt.NDArray[np.int8]

RANKS: Final = 4
"""Choices after the fourth count as shared, but not as chosen."""
MOST_WAITING: Final = 90
ENOUGH_MINUTES: Final = 240
MOST_LEVELS: Final = 4
DAY: Final = 1_440
_HOUR: Final = 60
_LONGEST: Final = 25  # hours of a working day, and one
_MOST_POINTS: Final = 1_000_000
_MOST_HALVINGS: Final = 32
_MOST_PLACES: Final = 10

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
UNIT: Final = ((1 << UNIT_BITS) - 1) << UNIT_AT

# Where the parts of `PLACE` begin: the manager's code, one higher; the level; the number of the working day.
MANAGER_AT: Final = 32
LEVEL_AT: Final = 16
LEVEL: Final = 0xFF
WINDOW: Final = 0xFFFF


# Behind the areas in `Market.weights`: the points of four choices of either side, single points, and rules.
MENTEE_CHOICE, MENTOR_CHOICE = 64, 68
OTHER_UNIT, OTHER_COUNTRY, OTHER_FUNCTION, WISH, IN_PERSON, PER_LEVEL, FURTHER = range(72, 79)
GAP, REVERSE, NEED_LANGUAGE, NEED_UNIT = range(79, 83)
_WEIGHTS: Final = 83


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


def pack(
    profiles: Profiles,
    rules: Rules,
    *,
    mentor: Places | None = None,
    mentee: Places | None = None,
    known_points: list[int] | None = None,
) -> Market:
    """The market of a programme.

    Args:
        profiles: everybody, `n` rows.
        rules: of the programme.
        mentor: how full they are as mentors; nobody has a pair when it is not said.
        mentee: the same as mentees.
        known_points: of each area, where they are settled and areas are numbered by rarity already.

    Raises:
        InvalidError: the columns hold more than a record can; the sentence says what.
    """
    _refuse_too_many(profiles)
    _refuse_too_much(rules)
    bit, points = (np.arange(MOST_AREAS), known_points) if known_points else by_rarity(profiles, rules)
    window, minutes = _windows(profiles)
    hours = np.minimum(minutes, ENOUGH_MINUTES) * rules.weights.hours // ENOUGH_MINUTES
    shared = _Shared(profiles, rules, tour(profiles.manager), window, bit)
    mentors = _side(shared, profiles.offers, profiles.mentor_capacity, mentor, rules.mentor_tenure)
    mentees = _side(shared, profiles.seeks, profiles.mentee_capacity, mentee, rules.mentee_tenure)
    waited = np.minimum(np.maximum(profiles.waiting, 0), MOST_WAITING) * np.int32(rules.weights.waiting)
    blocked_from, blocked = _blocked(profiles.blocked, mentors.rows, mentees.rows, len(profiles))
    return Market(
        mentors=mentors.records,
        mentees=mentees.records,
        mentor_points=waited[mentors.rows],
        mentee_points=waited[mentees.rows],
        mentor_rows=mentors.rows,
        mentee_rows=mentees.rows,
        mentor_places=mentors.places,
        mentee_places=mentees.places,
        mentor_load=mentors.load,
        mentee_load=mentees.load,
        hours=np.where(minutes < rules.common_minutes, -1, hours).astype(np.int32),
        weights=_weights(rules, points),
        blocked_from=blocked_from[:-1],
        blocked_to=blocked_from[1:],
        blocked=blocked,
    )


class _Shared(NamedTuple):
    profiles: Profiles
    rules: Rules
    chain: Chain
    window: Ints
    bit: Words


class _Side(NamedTuple):
    records: Words
    rows: Ints
    places: Ints
    load: Ints


def _side(shared: _Shared, named: Areas, capacity: Ints, places: Places | None, tenure: int) -> _Side:
    """Those who take part: a free place, an area that counts, long enough here, and known who is above them."""
    profiles, rules = shared.profiles, shared.rules
    if places is None:
        places = Places(np.zeros(len(profiles), np.int32), np.minimum(capacity, rules.proposals_per_person))
    there = (places.free > 0) & (capacity > 0) & (profiles.tenure >= tenure) & (named[:, 0] != NO_AREA)
    if not rules.unknown_chains:
        there &= ~shared.chain.adrift
    rows = _scattered(np.flatnonzero(there).astype(np.int32), profiles.key)
    records = _records(profiles, rows, shared.chain, shared.window)
    _name_areas(records, named, shared.bit, rows)
    return _Side(records, rows, places.free[rows].astype(np.int32), places.load[rows].astype(np.int32))


def _refuse_too_many(profiles: Profiles) -> None:
    for what, codes, bits in (
        ("units", profiles.unit, UNIT_BITS),
        ("countries", profiles.country, COUNTRY_BITS),
        ("sites", profiles.site + 1, SITE_BITS),
        ("functions", profiles.function, 6),
    ):
        if len(codes) and int(codes.max()) >= 1 << bits:
            raise InvalidError(f"A market can tell at most {1 << bits} {what} apart.")
    if profiles.areas > MOST_AREAS:
        raise InvalidError(f"A programme can weigh at most {MOST_AREAS} areas: name the ones that count in its rules.")


def _weights(rules: Rules, area_points: list[int]) -> Words:
    found = np.zeros(_WEIGHTS, np.int64)
    found[: len(area_points)] = area_points
    weights = rules.weights
    for begin, weight in ((MENTEE_CHOICE, weights.mentee_choice), (MENTOR_CHOICE, weights.mentor_choice)):
        found[begin : begin + RANKS] = [weight * (RANKS - rank) // RANKS for rank in range(RANKS)]
    for place, value in (
        (OTHER_UNIT, weights.other_unit),
        (OTHER_COUNTRY, weights.other_country),
        (OTHER_FUNCTION, weights.other_function),
        (WISH, weights.wish),
        (IN_PERSON, weights.in_person),
        (PER_LEVEL, weights.level),
        (FURTHER, weights.further_pair),
        (GAP, rules.level_gap),
        (REVERSE, rules.reverse_only),
        (NEED_LANGUAGE, rules.common_language),
        (NEED_UNIT, rules.different_unit),
    ):
        found[place] = value
    return found


def _refuse_too_much(rules: Rules) -> None:
    """Prices share a word with other things, so what a pair can be worth has a limit."""
    weights = rules.weights
    most = 3 * (weights.area + min(weights.rarity * _MOST_HALVINGS, weights.rarity_limit))
    most += weights.mentee_choice + weights.mentor_choice + weights.hours + weights.other_unit + weights.other_country
    most += weights.other_function + 2 * weights.wish + weights.in_person + MOST_LEVELS * weights.level
    most += 2 * MOST_WAITING * weights.waiting + 2 * _MOST_PLACES * weights.further_pair
    if most > _MOST_POINTS:
        raise InvalidError(
            f"By these weights a pair could be worth {most:,} points; {_MOST_POINTS:,} is the most: divide all by ten."
        )


def _windows(profiles: Profiles) -> tuple[Ints, Ints]:
    """The number of each person's working day in UTC, and the minutes that each two days have in common."""
    codes = _day_codes(profiles.utc_offset, profiles.work_from, profiles.work_to)
    there = np.zeros(DAY * _LONGEST, np.bool_)
    there[codes] = True
    days = np.flatnonzero(there)
    if len(days) > WINDOW:
        raise InvalidError(f"A market can tell at most {WINDOW} working days apart.")
    number = np.zeros(len(there), np.int32)
    number[days] = np.arange(len(days))
    begin, length = days // _LONGEST, days % _LONGEST * _HOUR
    end = begin + length
    common = np.zeros((len(days), len(days)), np.int32)
    for shift in (-DAY, 0, DAY):
        common += np.maximum(
            np.minimum(end[:, None], end + shift) - np.maximum(begin[:, None], begin + shift), 0
        ).astype(np.int32)
    return number[codes], common


@kernel
def _day_codes(utc_offset: Ints, work_from: Ints, work_to: Ints) -> Ints:
    codes = np.empty(len(utc_offset), np.int32)
    for row in range(len(codes)):
        length = (work_to[row] - work_from[row]) % 24
        begin = (work_from[row] * _HOUR - utc_offset[row]) % DAY
        codes[row] = begin * _LONGEST + (length if length > 0 else 24)
    return codes


def _records(profiles: Profiles, rows: Ints, chain: Chain, window: Ints) -> Words:
    """[P, 8] what is the same on both sides."""

    def wide(column: npt.NDArray[Any]) -> Words:
        found: Words = column[rows].astype(np.int64)
        return found

    records = np.zeros((len(rows), WORDS), np.int64)
    records[:, LANGUAGES] = profiles.languages.view(np.int64)[rows]
    if profiles.more_languages is not None:
        records[:, MORE_LANGUAGES] = profiles.more_languages.view(np.int64)[rows]
    records[:, ATTRIBUTES] = (
        (wide(profiles.site) + 1)
        | (wide(profiles.function) + 1) << FUNCTION_AT
        | wide(profiles.country) << COUNTRY_AT
        | wide(profiles.unit) << UNIT_AT
        | wide(profiles.in_person) << IN_PERSON_AT
    )
    records[:, CHAIN] = wide(chain.enter) << 32 | wide(chain.leave)
    above = np.maximum(wide(profiles.manager) + 1, 0)
    records[:, PLACE] = above << MANAGER_AT | wide(profiles.level) << LEVEL_AT | wide(window)
    records[:, LIKES] = profiles.likes.view(np.int64)[rows]
    return records


@kernel
def _scattered(rows: Ints, keys: Masks) -> Ints:
    """Rows in an order that follows from the ids alone, whatever the roster's was: it decides between equals."""
    scattered = np.empty(len(rows), np.int64)
    for place, row in enumerate(rows):
        scattered[place] = mixed(keys[row])
    return rows[np.argsort(scattered, kind="mergesort")]


@kernel
def _name_areas(records: Words, named: Areas, bit: Words, rows: Ints) -> None:
    """Write the words about areas."""
    for place, row in enumerate(rows):
        mask, ranked = np.int64(0), np.int64(0)
        for rank in range(named.shape[1]):
            area = named[row, rank]
            if area < 0:
                break
            mask |= np.int64(1) << bit[area]
            if rank < RANKS:
                ranked |= (bit[area] + 1) << (8 * rank)
        records[place, AREAS], records[place, RANKED] = mask, ranked


def _blocked(pairs: Words, mentors: Ints, mentees: Ints, people: int) -> tuple[Ints, Ints]:
    """For each mentee, the places of the mentors that they are never paired with."""
    mentor_at = np.full(people, -1, np.int32)
    mentor_at[mentors] = np.arange(len(mentors))
    mentee_at = np.full(people, -1, np.int32)
    mentee_at[mentees] = np.arange(len(mentees))
    both = np.concatenate([pairs, pairs[:, ::-1]]) if len(pairs) else np.zeros((0, 2), np.int64)
    mentor, mentee = mentor_at[both[:, 0]], mentee_at[both[:, 1]]
    here = (mentor >= 0) & (mentee >= 0)
    mentor, mentee = mentor[here], mentee[here]
    order = np.argsort(mentee, kind="stable")
    begins = np.searchsorted(mentee[order], np.arange(len(mentees) + 1)).astype(np.int32)
    return begins, mentor[order].astype(np.int32)
