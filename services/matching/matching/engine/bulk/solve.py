"""The bulk run: start lists by sample, then auction and search with prices in turn, then how good it is at least."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NamedTuple, Self

import numpy as np

from matching.engine.bulk.auction import MOST_CANDIDATES, Lists, Outcome, add, empty_lists, sell
from matching.engine.bulk.improving import improve
from matching.engine.bulk.sampling import sample
from matching.engine.compiled import allocating, kernel
from matching.engine.packed.bits import lowest_bit
from matching.engine.packed.candidates import Ask, veil
from matching.engine.packed.pairs import edge
from matching.engine.packed.postings import build, days_by_points
from matching.engine.packed.records import FURTHER, Ints, Market, Words

_CHUNK: Final = 256
_CROWDED: Final = 2
_UNLIMITED: Final = 2**31 - 1


Watch = Callable[[float], None]


def _nobody_watches(_: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard a run tries."""

    mentee_list: int
    mentor_list: int
    budget: int
    cap: int
    rounds: tuple[int, ...]
    """How many candidates each search with prices may add for a mentee."""
    steps: tuple[int, ...]
    """Of the auctions: one more than rounds."""
    search: int = _UNLIMITED
    """Entries that a search with prices looks at for one mentee."""
    enough: int = 0
    """Stop when what is missing to the bound is less than so many millionths of it."""


FULL: Final = Effort(16, 8, 150, 4, rounds=(16,) * 20, steps=(1,) * 21)
"""Until no search finds anything better: as good as an auction over every feasible pair."""
FILL: Final = replace(FULL, mentor_list=0, rounds=(16,) * 6, steps=(1,) * 7, search=3_000)
"""For places that are left: whoever could have nobody would otherwise be held against everybody, again and again."""
SMALL: Final = Effort(12, 4, 60, 4, rounds=(12,) * 12, steps=(10, *(1,) * 12), enough=80)
LARGE: Final = Effort(12, 4, 60, 4, rounds=(12, 8, 8, 8, 8), steps=(30, 30, 10, 10, 10, 10), enough=4_500)
HUGE: Final = Effort(12, 4, 60, 4, rounds=(8,) * 5, steps=(100, 50, 30, 30, 10, 10), search=30_000, enough=13_000)


_SMALL_MARKET: Final = 20_000
_LARGE_MARKET: Final = 300_000


def effort_for(people: int) -> Effort:
    """How hard to try for so many people: exactly as long as that takes no time, then as well as can be waited for."""
    if people <= _SMALL_MARKET:
        return SMALL
    return LARGE if people <= _LARGE_MARKET else HUGE


class OpenPairs(NamedTuple):
    """Proposals that nobody has answered, side by side."""

    mentors: Ints
    """Places in the market."""
    mentees: Ints
    bonus: int
    """Points that something else must be better by."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What a run found: places of mentors and mentees side by side, and what no choice can exceed."""

    mentors: Ints
    mentees: Ints
    scores: Ints
    value: int
    bound: int
    prices: Ints
    """[M] of each mentor's cheapest place."""
    gains: Ints
    """[E] what a further pair of a mentee would have to gain at these prices."""
    lists: Lists
    """Who was considered for whom."""


def solve(
    market: Market,
    areas: int,
    effort: Effort,
    *,
    open_pairs: OpenPairs | None = None,
    threads: int | None = None,
    watch: Watch = _nobody_watches,
) -> Solution:
    """Pairs for everybody.

    Args:
        market: of the programme.
        areas: how many there are.
        effort: how hard to try.
        open_pairs: what is proposed already, and stays unless something is better by their bonus.
        threads: as many as there are cores, eight at most, unless said; the answer does not depend on it.
        watch: told now and then which share of the work is done, from 0 to 1; what it raises ends the run.
    """
    crew = _Crew(threads or min(os.cpu_count() or 1, 8), watch, 2 + len(effort.rounds))
    lists = empty_lists(len(market.mentees), open_pairs.bonus if open_pairs else 0)
    with crew:
        if open_pairs:
            _add_open(market, lists, open_pairs.mentors, open_pairs.mentees)
        _start(market, areas, effort, lists, crew)
        outcome = sell(market, lists, effort.steps[0])
        bound = _UNLIMITED * len(market.mentees)
        value = _value(market, lists, outcome)
        for room, before, step in zip(effort.rounds, effort.steps, effort.steps[1:], strict=False):
            found, counts, cut = _search(market, areas, effort.search, outcome.prices, outcome.gains, room, crew)
            bound = min(bound, _bound(market, lists, outcome, found, counts, cut))
            fresh = _add_found(lists, outcome.prices, outcome.held, found, counts)
            if bound - value <= bound * effort.enough // 1_000_000 or (not fresh and step == before):
                break
            outcome = sell(market, lists, step)
            value = _value(market, lists, outcome)
    mentors, mentees, scores = _pairs(lists, outcome)
    return Solution(mentors, mentees, scores, value, int(bound), outcome.prices, outcome.gains, lists)


def widen(market: Market, areas: int, solution: Solution, percent: int) -> None:
    """Put on everybody's list whom they would rather have if prices were only so many percent of what they are."""
    prices = (solution.prices.astype(np.int64) * percent // 100).astype(np.int32)
    nothing = np.zeros(len(market.mentees), np.int32)
    with _Crew(1, _nobody_watches, 1) as crew:
        found, counts, _ = _search(market, areas, _UNLIMITED, prices, nothing, MOST_CANDIDATES // 4, crew)
    _add_found(solution.lists, prices, np.zeros(len(market.mentees), np.int64), found, counts)


class _Crew:
    """Threads that share a loop over people: kernels let go of the interpreter's lock."""

    def __init__(self, threads: int, watch: Watch, loops: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._watch = watch
        self._loops = loops
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def over(self, people: int, work: Callable[..., None], *written: Any) -> None:
        """Call ``work(first, last, *written)`` for stretches of people until all are through."""
        stretches = [(first, min(first + _CHUNK, people)) for first in range(0, people, _CHUNK)]
        for number, _ in enumerate(self._pool.map(lambda stretch: work(*stretch, *written), stretches)):
            self._watch((self._done + number / len(stretches)) / self._loops)
        self._done += 1


def _start(market: Market, areas: int, effort: Effort, lists: Lists, crew: _Crew) -> None:
    """Give everybody a list by sample: mentees of mentors, and mentors of mentees."""
    for mentees_seek, size in ((True, effort.mentee_list), (False, effort.mentor_list)):
        seekers = market.mentees if mentees_seek else market.mentors
        others = market.mentors if mentees_seek else market.mentees
        if not size or (not mentees_seek and len(seekers) > _CROWDED * len(others)):
            continue  # where mentors are many, most have no chance, and a list for each is wasted
        order, costs = np.arange(len(others), dtype=np.int32), np.zeros(len(others), np.int32)
        postings = build(others, order, costs, areas, len(market.hours))
        found, counts = _rows(len(seekers), size)
        crew.over(
            len(seekers),
            partial(
                sample,
                Ask(market, postings, *days_by_points(market.hours), areas, effort.budget),
                mentees_seek,
                effort.cap,
            ),
            found,
            counts,
        )
        _add_sampled(market, lists, mentees_seek, found, counts)


def _search(
    market: Market, areas: int, budget: int, prices: Ints, least: Ints, room: int, crew: _Crew
) -> tuple[Words, Ints, Ints]:
    """What everybody would rather have at these prices: written by `improve`."""
    costs = prices - market.mentor_points
    order = np.argsort(costs, kind="stable").astype(np.int32)
    postings = build(market.mentors, order, costs, areas, len(market.hours))
    found, counts = _rows(len(market.mentees), room)
    cut = np.zeros(len(market.mentees), np.int32)
    ask = Ask(market, postings, *days_by_points(market.hours), areas, budget)
    crew.over(len(market.mentees), partial(improve, ask, costs, least), found, counts, cut)
    return found, counts, cut


def _rows(people: int, room: int) -> tuple[Words, Ints]:
    return np.zeros((people, room), np.int64), np.zeros(people, np.int32)


@allocating
def _add_sampled(market: Market, lists: Lists, mentees_seek: bool, found: Words, counts: Ints) -> None:
    prices = np.zeros(len(market.mentors), np.int32)
    for person in range(len(found)):
        mask = veil(person)
        for at in range(counts[person]):
            other = (found[person, at] & 0xFFFFFFFF) ^ mask
            mentee, mentor = (person, other) if mentees_seek else (other, person)
            points = (found[person, at] >> 32) + market.mentor_points[mentor] + market.mentee_points[mentee]
            add(lists, mentee, mentor, points, prices, np.int64(0))


@kernel
def _add_open(market: Market, lists: Lists, mentors: Ints, mentees: Ints) -> None:
    for pair in range(len(mentors)):
        mentor, mentee = mentors[pair], mentees[pair]
        points = edge(market, mentor, mentee)
        if points >= 0 and lists.counts[mentee] < MOST_CANDIDATES:
            lists.dear[mentee] |= np.int64(1) << lists.counts[mentee]
            points += market.mentor_points[mentor] + market.mentee_points[mentee]
            add(lists, mentee, mentor, points, market.mentor_points, np.int64(0))


@kernel
def _add_found(lists: Lists, prices: Ints, held: Words, found: Words, counts: Ints) -> int:
    fresh = 0
    for mentee in range(len(found)):
        mask = veil(mentee)
        for at in range(counts[mentee]):
            mentor = (found[mentee, at] & 0xFFFFFFFF) ^ mask
            points = (found[mentee, at] >> 32) + prices[mentor]
            fresh += add(lists, mentee, mentor, points, prices, held[mentee])
    return fresh


@allocating
def _bound(market: Market, lists: Lists, outcome: Outcome, found: Words, counts: Ints, cut: Ints) -> int:
    """What no choice of pairs can be worth more than (Lagrangian duality: every set of prices gives such a bound).

    Each mentee takes the best there is after prices, whether or not others want the same; mentors get their prices.
    """
    total = np.int64(0)
    for mentor in range(len(market.mentor_places)):
        for slot in range(market.mentor_places[mentor]):
            reserve = market.weights[FURTHER] * (market.mentor_load[mentor] + slot)
            total += max(outcome.prices[mentor] - reserve, 0)
    gains = np.empty(found.shape[1] + 64, np.int64)
    for mentee in range(len(found)):
        number, mask = 0, veil(mentee)
        for at in range(counts[mentee]):
            mentor = (found[mentee, at] & 0xFFFFFFFF) ^ mask
            if not _holds(lists, outcome.held[mentee], mentee, mentor):
                gains[number] = found[mentee, at] >> 32
                number += 1
        mine = outcome.held[mentee]
        while mine:
            at = lowest_bit(mine)
            mine &= mine - 1
            gains[number] = np.int64(lists.points[mentee, at]) - outcome.prices[lists.who[mentee, at]]
            number += 1
        best = np.sort(gains[:number])
        for place in range(market.mentee_places[mentee]):
            gain = np.int64(0)
            if place < number:
                gain = best[number - 1 - place]
            if cut[mentee] > outcome.gains[mentee]:
                gain = max(gain, cut[mentee])
            total += max(gain - market.weights[FURTHER] * (market.mentee_load[mentee] + place), 0)
    return total


@kernel
def _holds(lists: Lists, held: int, mentee: int, mentor: int) -> bool:
    while held:
        at = lowest_bit(held)
        held &= held - 1
        if lists.who[mentee, at] == mentor:
            return True
    return False


@allocating
def _pairs(lists: Lists, outcome: Outcome) -> tuple[Ints, Ints, Ints]:
    number = 0
    for held in outcome.held:
        while held:
            held &= held - 1
            number += 1
    mentors, mentees, scores = np.empty(number, np.int32), np.empty(number, np.int32), np.empty(number, np.int32)
    number = 0
    for mentee in range(len(outcome.held)):
        held = outcome.held[mentee]
        while held:
            at = lowest_bit(held)
            held &= held - 1
            mentors[number], mentees[number] = lists.who[mentee, at], mentee
            scores[number] = lists.points[mentee, at]
            number += 1
    return mentors, mentees, scores


def _value(market: Market, lists: Lists, outcome: Outcome) -> int:
    """The scores of what is held, less what further pairs of one person have to be better by."""
    mentors, mentees, scores = _pairs(lists, outcome)
    total = int(scores.sum(dtype=np.int64))
    for whose, load in ((mentors, market.mentor_load), (mentees, market.mentee_load)):
        pairs = np.bincount(whose, minlength=len(load)).astype(np.int64)
        total -= int(market.weights[FURTHER]) * int((pairs * load + pairs * (pairs - 1) // 2).sum())
    return total
