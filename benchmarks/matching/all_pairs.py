"""Every pair of a market scored with numpy, block by block, as a careful engineer would do it without the engine.

`python -m benchmarks.matching.all_pairs` does the whole thing once: all pairs, scipy's assignment over places, and the
judge's verdict on the result.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.matching import peers
from benchmarks.matching.judge import judge
from benchmarks.matching.population import Market, population
from matching.engine.packed.profiles import Profiles
from matching.engine.rules import Direction, Rules

Ints = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_DAY: Final = 24 * 60
_CHOICES: Final = 4
_BEST_AREAS: Final = 3
_ENOUGH_MINUTES: Final = 240
_MOST_LEVELS: Final = 4
_MOST_WAITING: Final = 90
_BLOCK: Final = 64
"""Mentees at a time: a block of them with all mentors of a large market is some tens of MB."""
_MENTEES_OWN: Final = ("areas", "mentee-choice", "hours", "mentee-wish", "in-person")
_MENTORS_OWN: Final = ("areas", "mentor-choice", "hours", "mentor-wish", "in-person")


def numpy_all_pairs(profiles: Profiles, rules: Rules) -> peers.Graph:
    """All feasible pairs with their scores, mentee by mentee."""
    columns = Columns.of(profiles, rules)
    found = [(mentees, mentors, columns.scores(mentors, mentees)) for mentees, mentors in _feasible(columns)]
    none = np.zeros(0, np.int32)
    mentees, mentors, scores = (np.concatenate([none, *(each[part] for each in found)]) for part in range(3))
    most = rules.proposals_per_person
    return peers.Graph(
        mentees.astype(np.int32),
        mentors.astype(np.int32),
        scores,
        np.minimum(profiles.mentee_capacity, most),
        np.minimum(profiles.mentor_capacity, most),
        rules.weights.further_pair,
    )


def private_utilities(profiles: Profiles, rules: Rules, graph: peers.Graph) -> tuple[Ints, Ints]:
    """What each edge is worth to the mentee, and to the mentor: the terms that they would name themselves.

    What a programme wants (other units, countries and functions, less waiting) is nobody's own wish.
    """
    columns = Columns.of(profiles, rules)
    terms = columns.terms(graph.mentors.astype(np.int64), graph.mentees.astype(np.int64))
    mentee, mentor = (sum((terms[name] for name in own), np.int32(0)) for own in (_MENTEES_OWN, _MENTORS_OWN))
    return np.asarray(mentee, np.int32), np.asarray(mentor, np.int32)


@dataclass(frozen=True, slots=True)
class Columns:
    """A market as arrays that pairs can be compared by."""

    profiles: Profiles
    rules: Rules
    offers: Masks  # [n] the rarest area is the lowest bit
    seeks: Masks
    offer_choices: Masks  # [4, n] the first choices, one bit each
    seek_choices: Masks
    area_points: Ints  # [65] by bit; nothing for the bit of an empty mask
    window: Rows  # [n] the number of the working day
    minutes: Ints  # [windows, windows] in common
    level: Ints  # [n] or what else makes somebody senior

    @classmethod
    def of(cls, profiles: Profiles, rules: Rules) -> "Columns":
        """Those of some people."""
        mentors = profiles.mentor_capacity > 0
        named = profiles.offers[mentors]
        offering = np.bincount(named[named >= 0], minlength=profiles.areas)
        rarest = np.argsort(offering, kind="stable")
        points = np.zeros(65, np.int32)
        points[: profiles.areas] = _points(rules, int(mentors.sum()), offering[rarest].tolist())
        bit = np.zeros(profiles.areas + 1, np.uint64)  # the last one is that of no area: -1
        bit[rarest] = np.uint64(1) << np.arange(profiles.areas, dtype=np.uint64)
        window, minutes = _windows(profiles)
        return cls(
            profiles,
            rules,
            np.bitwise_or.reduce(bit[profiles.offers], axis=1),
            np.bitwise_or.reduce(bit[profiles.seeks], axis=1),
            np.ascontiguousarray(bit[profiles.offers[:, :_CHOICES]].T),
            np.ascontiguousarray(bit[profiles.seeks[:, :_CHOICES]].T),
            points,
            window,
            minutes,
            profiles.level if rules.direction is Direction.LEVEL else -profiles.joined,
        )

    def scores(self, mentors: Rows, mentees: Rows) -> Ints:
        """The scores of pairs."""
        total = np.zeros(len(mentors), np.int32)
        for points in self.terms(mentors, mentees).values():
            total += points
        return total

    def terms(self, mentors: Rows, mentees: Rows) -> dict[str, Ints]:
        """The parts of the scores of pairs, by name."""
        people, weights = self.profiles, self.rules.weights
        shared = self.offers[mentors] & self.seeks[mentees]
        minutes = np.minimum(self.minutes[self.window[mentors], self.window[mentees]], _ENOUGH_MINUTES)
        function = people.function[mentors], people.function[mentees]
        known = (function[0] >= 0) & (function[1] >= 0)
        site = people.site[mentors]
        near = people.in_person[mentors] & people.in_person[mentees] & (site >= 0) & (site == people.site[mentees])
        levels = np.abs(self.level[mentees] - self.level[mentors]) - self.rules.level_gap
        waiting = np.minimum(people.waiting, _MOST_WAITING) * np.int32(weights.waiting)
        return {
            "areas": self._best_areas(shared),
            "mentee-choice": _choices(self.seek_choices, mentees, shared, weights.mentee_choice),
            "mentor-choice": _choices(self.offer_choices, mentors, shared, weights.mentor_choice),
            "hours": minutes * np.int32(weights.hours) // np.int32(_ENOUGH_MINUTES),
            "other-unit": (people.unit[mentors] != people.unit[mentees]) * np.int32(weights.other_unit),
            "other-country": (people.country[mentors] != people.country[mentees]) * np.int32(weights.other_country),
            "other-function": (known & (function[0] != function[1])) * np.int32(weights.other_function),
            "level": np.clip(levels, 0, _MOST_LEVELS) * np.int32(weights.level),
            "mentor-wish": _liked(people.likes[mentors], function[1]) * np.int32(weights.wish),
            "mentee-wish": _liked(people.likes[mentees], function[0]) * np.int32(weights.wish),
            "in-person": near * np.int32(weights.in_person),
            "mentee-waiting": waiting[mentees],
            "mentor-waiting": waiting[mentors],
        }

    def _best_areas(self, shared: Masks) -> Ints:
        points = np.zeros(len(shared), np.int32)
        left = shared.copy()
        for _ in range(_BEST_AREAS):
            below = left & (~left + np.uint64(1))
            left ^= below
            below -= np.uint64(1)  # of an empty mask all 64 bits, which are worth nothing
            points += self.area_points[np.bitwise_count(below)]
        return points


def _feasible(columns: Columns) -> Iterator[tuple[Rows, Rows]]:
    """The mentees and the mentors of all feasible pairs, block by block."""
    people, rules = columns.profiles, columns.rules
    newest = people.tenure <= (rules.new_joiner_months or np.iinfo(np.int32).max)
    mentors = np.flatnonzero((people.mentor_capacity > 0) & (people.tenure >= rules.mentor_tenure) & newest)
    mentees = np.flatnonzero((people.mentee_capacity > 0) & (people.tenure >= rules.mentee_tenure))
    excluded = _excluded(people, mentors)
    offers, languages, level = columns.offers[mentors], people.languages[mentors], columns.level[mentors]
    unit, manager, window = people.unit[mentors], people.manager[mentors], columns.window[mentors]
    known_manager = np.where(manager >= 0, manager, -3)  # equal to nobody's
    enough = columns.minutes >= rules.common_minutes
    for begin in range(0, len(mentees), _BLOCK):
        block = mentees[begin : begin + _BLOCK]
        above = columns.level[block, None] - level
        may = (above if rules.reverse_only else np.abs(above)) >= rules.level_gap
        may &= (columns.seeks[block, None] & offers) != 0
        may &= enough[columns.window[block]][:, window]
        if rules.common_language:
            may &= (people.languages[block, None] & languages) != 0
        if rules.different_unit:
            may &= people.unit[block, None] != unit
        may &= people.manager[block, None] != known_manager
        first, end = np.searchsorted(excluded[:, 1], [block[0], block[-1] + 1])
        may[np.searchsorted(block, excluded[first:end, 1]), excluded[first:end, 0]] = False
        at_mentee, at_mentor = np.nonzero(may)
        yield block[at_mentee], mentors[at_mentor]


def _excluded(people: Profiles, mentors: Rows) -> Rows:
    """Pairs that are excluded one by one: places among the mentors, and rows of mentees, ordered by these.

    They are a person with themselves, those who are blocked, and everybody with those above them.
    """
    rows = np.arange(len(people))
    pairs = [np.stack([rows, rows], axis=1), people.blocked]
    above = people.manager
    for _ in rows:  # mostly a dozen; more steps than people only lead round a circle
        below = np.flatnonzero((above >= 0) & (above < len(rows)))
        if not len(below):
            break
        pairs.append(np.stack([below, above[below]], axis=1))
        above = np.where((above >= 0) & (above < len(rows)), people.manager[above % len(rows)], np.int32(-1))
    either = np.concatenate(pairs)
    both_ways: Rows = np.concatenate([either, either[:, ::-1]])
    place = np.full(len(people), -1, np.int64)
    place[mentors] = np.arange(len(mentors))
    both_ways[:, 0] = place[both_ways[:, 0]]
    matter = (both_ways[:, 0] >= 0) & (people.mentee_capacity[both_ways[:, 1]] > 0)
    order = np.argsort(both_ways[matter, 1], kind="stable")
    ordered: Rows = both_ways[matter][order]
    return ordered


def _windows(people: Profiles) -> tuple[Rows, Ints]:
    """The number of everybody's working day, and how many minutes any two of them have in common."""
    length = (people.work_to - people.work_from) * 60 % _DAY
    length[length == 0] = _DAY
    begin = (people.work_from * 60 - people.utc_offset) % _DAY
    distinct, window = np.unique(begin.astype(np.int64) * (_DAY + 1) + length, return_inverse=True)
    begins, lengths = distinct // (_DAY + 1), distinct % (_DAY + 1)
    works = (np.arange(_DAY) - begins[:, None]) % _DAY < lengths[:, None]
    return window.astype(np.int64), (works.astype(np.float32) @ works.T.astype(np.float32)).astype(np.int32)


def _points(rules: Rules, mentors: int, offering: list[int]) -> list[int]:
    """What each area is worth."""
    sixteenths = [((mentors + 1) ** 16 // (count + 1) ** 16).bit_length() - 1 for count in offering]
    weights = rules.weights
    return [weights.area + min(weights.rarity * each // 16, weights.rarity_limit) for each in sixteenths]


def _choices(choices: Masks, rows: Rows, shared: Masks, weight: int) -> Ints:
    points = np.zeros(len(rows), np.int32)
    for rank in reversed(range(_CHOICES)):
        points[(choices[rank][rows] & shared) != 0] = weight * (_CHOICES - rank) // _CHOICES
    return points


def _liked(likes: Masks, function: Ints) -> Flags:
    liked: Flags = (likes >> np.maximum(function, 0).astype(np.uint64)) & np.uint64(1) != 0
    return liked & (function >= 0)


def main(people: int, market: Market, seed: int) -> None:
    """Measure once, and print."""
    profiles, rules = population(people, market, seed)
    started = time.process_time()
    graph = numpy_all_pairs(profiles, rules)
    scored = time.process_time() - started
    print(f"{market}, {people:,} people: {len(graph):,} feasible pairs in {scored:.1f} CPU s", flush=True)
    found = peers.run(peers.dense_assignment, graph)
    edges = found.picks.edges
    pairs = np.stack([graph.mentors[edges], graph.mentees[edges], graph.scores[edges]], axis=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"linear_sum_assignment over places: {found.cpu_seconds:.1f} CPU s, {len(edges):,} pairs, "
        f"{found.picks.twice:,} of them booked twice; peak {peak:.1f} GiB"
    )
    print(judge(profiles, rules, pairs))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching.all_pairs")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--market", choices=get_args(Market), default="tight")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    main(given.people, given.market, given.seed)
