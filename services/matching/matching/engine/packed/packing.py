"""From everybody's columns to a market: those who take part, packed for the kernels."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from chassis.errors import InvalidError

from matching.engine.chain import Chain, tour
from matching.engine.compiled import allocating
from matching.engine.packed.bits import mixed
from matching.engine.packed.profiles import NO_AREA, Masks, Profiles
from matching.engine.packed.rarity import MOST_AREAS, by_rarity
from matching.engine.packed.records import (
    COUNTRY_BITS,
    DAY,
    ENOUGH_MINUTES,
    FURTHER,
    GAP,
    IN_PERSON,
    MENTEE_CHOICE,
    MENTOR_CHOICE,
    MOST_LEVELS,
    MOST_WAITING,
    NEED_LANGUAGE,
    NEED_UNIT,
    OTHER_COUNTRY,
    OTHER_FUNCTION,
    OTHER_UNIT,
    PER_LEVEL,
    RANKS,
    REVERSE,
    SITE_BITS,
    UNIT_BITS,
    WEIGHTS,
    WINDOW,
    WISH,
    WORDS,
    Areas,
    Facts,
    Ints,
    Market,
    Places,
    Words,
    name_areas,
    write,
)
from matching.engine.packed.seniority import barred, ranks
from matching.engine.rules import Rules

_HOUR: Final = 60
_LONGEST: Final = 25  # hours of a working day, and one
_MOST_POINTS: Final = 1_000_000
_MOST_HALVINGS: Final = 32
_MOST_PLACES: Final = 10


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
    refuse_too_much(rules)
    bit, points = (np.arange(MOST_AREAS), known_points) if known_points else by_rarity(profiles, rules)
    window, minutes = _windows(profiles)
    shared = _Shared(profiles, rules, tour(profiles.manager), window, bit)
    kept_out = barred(rules, profiles.tenure)
    mentors = _side(shared, profiles.offers, profiles.mentor_capacity, mentor, kept_out[0])
    mentees = _side(shared, profiles.seeks, profiles.mentee_capacity, mentee, kept_out[1])
    waited = waiting_points(profiles.waiting, rules)
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
        hours=hours_points(minutes, rules),
        weights=weights_of(rules, points),
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


def _side(shared: _Shared, named: Areas, capacity: Ints, places: Places | None, kept_out: Words) -> _Side:
    """Those who take part: a free place, an area that counts, joined when they should, and known who is above them."""
    profiles, rules = shared.profiles, shared.rules
    if places is None:
        places = Places(np.zeros(len(profiles), np.int32), np.minimum(capacity, rules.proposals_per_person))
    there = (places.free > 0) & (capacity > 0) & (kept_out == 0) & (named[:, 0] != NO_AREA)
    if not rules.unknown_chains:
        there &= ~shared.chain.adrift
    rows = _scattered(np.flatnonzero(there).astype(np.int32), profiles.key)
    records, at = np.zeros((len(rows), WORDS), np.int64), np.arange(len(rows), dtype=np.int32)
    write(records, at, _facts(shared), rows)
    name_areas(records, at, named, shared.bit, rows)
    return _Side(records, rows, places.free[rows].astype(np.int32), places.load[rows].astype(np.int32))


def _facts(shared: _Shared) -> Facts:
    profiles, chain = shared.profiles, shared.chain
    more = profiles.more_languages
    return Facts(
        rank=ranks(shared.rules, profiles.level, profiles.joined),
        unit=profiles.unit,
        function=profiles.function,
        country=profiles.country,
        site=profiles.site,
        manager=profiles.manager,
        languages=profiles.languages,
        more_languages=np.zeros(len(profiles), np.uint64) if more is None else more,
        likes=profiles.likes,
        in_person=profiles.in_person,
        window=shared.window,
        enter=chain.enter,
        leave=chain.leave,
    )


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


def weights_of(rules: Rules, area_points: list[int]) -> Words:
    """[83] what `Market.weights` holds."""
    found = np.zeros(WEIGHTS, np.int64)
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


def hours_points(minutes: Ints, rules: Rules) -> Ints:
    """[W, W] what `Market.hours` holds, from the minutes that each two working days have in common."""
    points = np.minimum(minutes, ENOUGH_MINUTES) * rules.weights.hours // ENOUGH_MINUTES
    return np.where(minutes < rules.common_minutes, -1, points).astype(np.int32)


def waiting_points(days: Ints, rules: Rules) -> Ints:
    """What people add to each of their pairs."""
    return np.minimum(np.maximum(days, 0), MOST_WAITING) * np.int32(rules.weights.waiting)


def refuse_too_much(rules: Rules) -> None:
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
    return number[codes], common_minutes(days // _LONGEST, days % _LONGEST * _HOUR)


def common_minutes(begin: npt.NDArray[np.int64], length: npt.NDArray[np.int64]) -> Ints:
    """[W, W] what each two working days have in common; days begin at a minute in UTC and last so many."""
    end = begin + length
    common = np.zeros((len(begin), len(begin)), np.int32)
    for shift in (-DAY, 0, DAY):
        common += np.maximum(
            np.minimum(end[:, None], end + shift) - np.maximum(begin[:, None], begin + shift), 0
        ).astype(np.int32)
    return common


@allocating
def _day_codes(utc_offset: Ints, work_from: Ints, work_to: Ints) -> Ints:
    codes = np.empty(len(utc_offset), np.int32)
    for row in range(len(codes)):
        length = (work_to[row] - work_from[row]) % 24
        begin = (work_from[row] * _HOUR - utc_offset[row]) % DAY
        codes[row] = begin * _LONGEST + (length if length > 0 else 24)
    return codes


@allocating
def _scattered(rows: Ints, keys: Masks) -> Ints:
    """Rows in an order that follows from the ids alone, whatever the roster's was: it decides between equals."""
    scattered = np.empty(len(rows), np.int64)
    for place, row in enumerate(rows):
        scattered[place] = mixed(keys[row])
    return rows[np.argsort(scattered, kind="mergesort")]


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
