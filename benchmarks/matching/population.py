"""A made-up company as a market: who is above whom, what they offer and seek, and who takes part.

Everything follows from the seed. The shares of people and places are those of the two markets that all figures of the
benchmark are of, so a population that has drifted away from them is refused: figures of another market compare with
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.matching import geography
from benchmarks.matching.judge import Judge
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, UNKNOWN, Profiles
from matching.engine.rules import Rules, Weights

Market = Literal["wide", "tight"]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shares:
    """Who takes part, and with how many places, as shares of all people."""

    mentors: float
    mentor_slots: float
    mentees: float
    mentee_slots: float


MARKETS: Final[dict[Market, Shares]] = {
    "wide": Shares(0.423867, 0.602, 0.122404, 0.189),
    "tight": Shares(0.169847, 0.241, 0.134712, 0.208),
}
FEASIBLE: Final = (0.14, 0.23)
"""The share of mentor and mentee pairs that break no rule."""
_OFF: Final = 0.05
_SAMPLE: Final = 20_000

RULES: Final = Rules(
    level_gap=3,
    reverse_only=True,
    common_minutes=60,
    common_language=True,
    different_unit=False,
    proposals_per_person=3,
    weights=Weights(
        area=400,
        rarity=260,
        rarity_limit=1_200,
        mentee_choice=600,
        mentor_choice=400,
        hours=1_200,
        other_function=700,
        other_country=400,
        other_unit=300,
        wish=600,
        in_person=500,
        level=0,
        waiting=5,
        further_pair=400,
    ),
)

FUNCTIONS: Final = 12
AREAS: Final = 40
_ZIPF: Final = 1.05
_TILT: Final = 0.7
_JUNIOR, _SENIOR = 6, 6  # the highest level of mentors, the lowest of mentees
_LEVEL_SHARES: Final = (0.20, 0.19, 0.16, 0.12, 0.085, 0.093, 0.06, 0.04, 0.025, 0.015, 0.008, 0.004)
_OFFERED: Final = ((2, 3, 4, 5, 6), (0.25, 0.3, 0.22, 0.14, 0.09))
_WANTED: Final = ((1, 2, 3, 4, 5), (0.25, 0.3, 0.25, 0.13, 0.07))
_CHUNK: Final = 65_536
_TOP_LAYERS: Final = 2  # the highest layers of the tree: everybody in them is a manager
_LEADS: Final = 0.4  # of the people below those
_FEWEST, _PARETO, _MOST = 3.0, 1.8, 120  # reports of a manager
_LIKED, _LIKES = 3, 0.5  # functions that one may like to meet, and how likely each is
_IN_PERSON: Final = 0.25
_THIS_YEAR: Final = 2_026


def population(people: int, market: Market, seed: int) -> tuple[Profiles, Rules]:
    """A company of so many people, and the rules of its programme; the same for the same arguments."""
    rng = np.random.default_rng([seed, people, sorted(MARKETS).index(market)])
    tree = _Tree.grown(rng, people)
    level, tenure = _careers(rng, tree)
    function = tree.inherit(rng, lambda count: rng.integers(0, FUNCTIONS, count), fresh_until=3, moves=0.03)
    site = tree.inherit(rng, lambda count: rng.choice(geography.SITES, count, p=geography.site_shares()), 2, moves=0.3)
    country = geography.SITE_COUNTRY[site]
    shift = np.array(geography.SHIFTS, np.int32)[rng.choice(len(geography.SHIFTS), people, p=geography.SHIFT_SHARES)]
    offers, seeks = _areas(rng, function)
    shares = MARKETS[market]
    mentor = _capacity(rng, level <= _JUNIOR, round(shares.mentors * people), shares.mentor_slots / shares.mentors)
    mentee = _capacity(rng, level >= _SENIOR, round(shares.mentees * people), shares.mentee_slots / shares.mentees)
    profiles = Profiles(
        key=rng.integers(0, 2**64, people, np.uint64),
        level=level,
        unit=tree.inherit(rng, np.arange, fresh_until=1, moves=0.0),
        function=_forget(rng, function, 0.01),
        country=country,
        site=_forget(rng, site, 0.03),
        manager=tree.manager,
        tenure=tenure,
        joined=_THIS_YEAR - tenure // 12,
        utc_offset=geography.SITE_CLOCK[site],
        work_from=np.ascontiguousarray(shift[:, 0]),
        work_to=np.ascontiguousarray(shift[:, 1]),
        languages=geography.speakers(rng, country),
        offers=offers,
        seeks=seeks,
        likes=_likes(rng, people),
        in_person=rng.random(people) < _IN_PERSON,
        mentor_capacity=mentor,
        mentee_capacity=mentee,
        waiting=rng.integers(0, 91, people, np.int32),
        areas=AREAS,
        blocked=_blocked(rng, mentor, mentee),
    )
    return profiles, RULES


@dataclass(frozen=True, slots=True)
class Description:
    """What kind of market a population is."""

    mentors: int
    mentor_slots: int
    mentees: int
    mentee_slots: int
    feasible: float


def describe(profiles: Profiles, rules: Rules) -> Description:
    """Count, and measure on a random sample of pairs of a mentor and a mentee how many break no rule."""
    mentors, mentees = (np.flatnonzero(each) for each in (profiles.mentor_capacity, profiles.mentee_capacity))
    rng = np.random.default_rng(0)
    sample = zip(rng.choice(mentors, _SAMPLE).tolist(), rng.choice(mentees, _SAMPLE).tolist(), strict=True)
    judge = Judge(profiles, rules)
    feasible = sum(not judge.broken(mentor, mentee) for mentor, mentee in sample)
    most = rules.proposals_per_person
    return Description(
        len(mentors),
        int(np.minimum(profiles.mentor_capacity, most).sum()),
        len(mentees),
        int(np.minimum(profiles.mentee_capacity, most).sum()),
        feasible / _SAMPLE,
    )


def refuse_if_off(found: Description, people: int, market: Market) -> None:
    """Do nothing about a population of the wanted kind.

    Raises:
        ValueError: Its figures would be figures of another market.
    """
    shares = MARKETS[market]
    for name in ("mentors", "mentor_slots", "mentees", "mentee_slots"):
        wanted, is_there = getattr(shares, name) * people, getattr(found, name)
        if abs(is_there - wanted) > _OFF * wanted:
            raise ValueError(
                f"The {market} market of {people:,} people has {is_there:,} {name.replace('_', ' ')} "
                f"instead of {wanted:,.0f}: more than {_OFF:.0%} off."
            )
    least, most = FEASIBLE[0] * (1 - _OFF), FEASIBLE[1] * (1 + _OFF)
    if not least <= found.feasible <= most:
        raise ValueError(
            f"In the {market} market of {people:,} people {found.feasible:.1%} of the pairs break no rule "
            f"instead of {least:.1%} to {most:.1%}."
        )


@dataclass(frozen=True, slots=True)
class _Tree:
    """Who is above whom, breadth first: rows of one depth lie side by side, and managers before their reports."""

    manager: Ints
    layers: tuple[tuple[int, int], ...]  # first row and end of each depth

    @classmethod
    def grown(cls, rng: np.random.Generator, people: int) -> "_Tree":
        """Spans are Pareto: 7 reports on average, 38 or more for one in a hundred, 120 at most."""
        manager = np.full(people, -1, np.int32)
        layers = [(0, 1)]
        while layers[-1][1] < people:
            begin, end = layers[-1]
            drawn = _FEWEST * rng.random(end - begin) ** (-1 / _PARETO)
            spans = np.minimum(1 + np.floor(drawn), _MOST).astype(np.int64)
            if len(layers) > _TOP_LAYERS:
                spans[rng.random(end - begin) >= _LEADS] = 0
            if len(layers) == 1 or not spans.any():
                spans[0] = FUNCTIONS
            reports = np.repeat(np.arange(begin, end), spans)[: people - end]
            manager[end : end + len(reports)] = reports
            layers.append((end, end + len(reports)))
        return cls(manager, tuple(layers))

    def inherit(
        self, rng: np.random.Generator, draw: Callable[[int], npt.NDArray[np.int64]], fresh_until: int, moves: float
    ) -> Ints:
        """What people have from their manager: drawn down to one depth, and again for the few who moved."""
        value = np.zeros(len(self.manager), np.int32)
        for depth, (begin, end) in enumerate(self.layers):
            drawn = draw(end - begin)
            if depth > fresh_until:
                drawn = np.where(rng.random(end - begin) < moves, drawn, value[self.manager[begin:end]])
            value[begin:end] = drawn
        return value


def _careers(rng: np.random.Generator, tree: _Tree) -> tuple[Ints, Ints]:
    """Levels and months since joining: high in the tree, with many reports or for long is senior."""
    people = len(tree.manager)
    depth = np.repeat(np.arange(len(tree.layers)), [end - begin for begin, end in tree.layers])
    spans = np.bincount(tree.manager[1:], minlength=people)
    experience = rng.standard_normal(people)
    order = np.argsort(-depth + 0.5 * np.log2(1 + spans) + 0.7 * experience, kind="stable")
    level = np.empty(people, np.int32)
    level[order] = 1 + np.searchsorted(np.cumsum(_LEVEL_SHARES)[:-1], (np.arange(people) + 0.5) / people)
    months = 48 * np.exp(0.6 * experience + 0.5 * rng.standard_normal(people))
    return level, np.minimum(months, 480).astype(np.int32)


def _areas(rng: np.random.Generator, function: Ints) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """What people offer and what they seek: some areas are everybody's, the others depend on the function."""
    usual = 1 / np.arange(1, AREAS + 1) ** _ZIPF
    tilts = _TILT * rng.standard_normal((2, FUNCTIONS, AREAS))
    # No area is favoured by all functions: how many pairs share one would then differ from seed to seed.
    offered, wanted = usual * np.exp(tilts - tilts.mean(axis=1, keepdims=True))
    return _named(rng, function, offered, *_OFFERED), _named(rng, function, wanted, *_WANTED)


def _named(
    rng: np.random.Generator, function: Ints, popular: Floats, counts: tuple[int, ...], shares: tuple[float, ...]
) -> npt.NDArray[np.int8]:
    """Areas drawn without repetition, each the likelier the more popular, as a race: the first to arrive are named."""
    named = np.full((len(function), MOST_NAMED), NO_AREA, np.int8)
    slowness = (1 / popular).astype(np.float32)
    most = max(counts)
    for begin in range(0, len(function), _CHUNK):
        part = function[begin : begin + _CHUNK]
        arrival = rng.standard_exponential((len(part), AREAS), np.float32) * slowness[part]
        first = np.argpartition(arrival, most, axis=1)[:, :most]
        order = np.argsort(np.take_along_axis(arrival, first, axis=1), axis=1)
        first = np.take_along_axis(first, order, axis=1)
        count = rng.choice(counts, len(part), p=shares)
        named[begin : begin + _CHUNK, :most] = np.where(np.arange(most) < count[:, None], first, NO_AREA)
    return named


def _capacity(rng: np.random.Generator, may: Flags, count: int, places: float) -> Ints:
    """Places of so many of those who may, one to three each: exact shares, so that small companies have them too."""
    capacity = np.zeros(len(may), np.int32)
    chosen = rng.permutation(np.flatnonzero(may))[:count]
    three = (places - 1) * 0.25  # of all places beyond the first, half are somebody's third
    two = places - 1 - 2 * three
    share = (np.arange(len(chosen)) + 0.5) / len(chosen)
    capacity[chosen] = 1 + (share < two + three).astype(np.int32) + (share < three)
    return capacity


def _likes(rng: np.random.Generator, people: int) -> npt.NDArray[np.uint64]:
    """Up to three functions that a person would like to meet, one bit each."""
    likes = np.zeros(people, np.uint64)
    for _ in range(_LIKED):
        bit = np.uint64(1) << rng.integers(0, FUNCTIONS, people).astype(np.uint64)
        likes |= np.where(rng.random(people) < _LIKES, bit, np.uint64(0))
    return likes


def _blocked(rng: np.random.Generator, mentor: Ints, mentee: Ints) -> npt.NDArray[np.int64]:
    """Pairs of somebody who mentors and somebody who is mentored, either of them first."""
    count = len(mentor) // 20
    sides = [rng.choice(np.flatnonzero(capacity), count) for capacity in (mentor, mentee)]
    pairs: npt.NDArray[np.int64] = rng.permuted(np.stack(sides, axis=1), axis=1)
    himself: Flags = pairs[:, 0] == pairs[:, 1]
    return pairs[~himself]


def _forget(rng: np.random.Generator, codes: Ints, share: float) -> Ints:
    """The same codes, some of them unknown."""
    return np.where(rng.random(len(codes)) < share, np.int32(UNKNOWN), codes)
