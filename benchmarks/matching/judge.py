"""What pairs are worth and what they break, in plain Python: slow, and written apart from the engine.

Of the engine it only knows how people and rules are told. Where the engine has intervals, tables and masks, this walks
from manager to manager, counts minutes one by one and looks areas up in lists, so that a mistake in one of them isn't a
mistake in both.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from matching.engine.chain import NOBODY
from matching.engine.packed.profiles import Profiles
from matching.engine.rules import Direction, Rules

_DAY: Final = 24 * 60
_HOUR: Final = 60
_BEST_AREAS: Final = 3
_CHOICES: Final = 4
_ENOUGH_MINUTES: Final = 240
_MOST_LEVELS: Final = 4
_MOST_WAITING: Final = 90
_FIRST_LANGUAGES: Final = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the pairs of a run come to. A pair that is given twice counts once in the value and in the capacities."""

    value: int
    rules_broken: int  # by how many pairs, times the rules that each breaks
    capacities_exceeded: int  # people and sides
    pairs_twice: int  # pairs beyond the first of the same two people in the same roles
    wrong_scores: int  # pairs whose stated score is not the sum of their terms

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong, whatever the value."""
        return not (self.rules_broken or self.capacities_exceeded or self.pairs_twice or self.wrong_scores)


def terms(profiles: Profiles, rules: Rules, mentor: int, mentee: int) -> dict[str, int]:
    """The parts of a pair's score by name, those that are nothing included. For many pairs see `Judge`."""
    return Judge(profiles, rules).terms(mentor, mentee)


def broken(profiles: Profiles, rules: Rules, mentor: int, mentee: int) -> list[str]:
    """The names of the hard rules that a pair breaks. For many pairs see `Judge`."""
    return Judge(profiles, rules).broken(mentor, mentee)


def judge(profiles: Profiles, rules: Rules, pairs: npt.ArrayLike) -> Verdict:
    """The verdict over all pairs of a run: rows of a mentor, a mentee and the score that the run states."""
    return Judge(profiles, rules).verdict(pairs)


class Judge:
    """The same three questions for one market; what they share is prepared once."""

    def __init__(self, profiles: Profiles, rules: Rules) -> None:
        self._people = profiles
        self._rules = rules
        mentors = np.flatnonzero(profiles.mentor_capacity > 0)
        self._offering = Counter(area for row in profiles.offers[mentors] for area in _listed(row.tolist()))
        self._points = [_area_points(rules, len(mentors), self._offering[area]) for area in range(profiles.areas)]
        self._blocked = {frozenset(pair) for pair in profiles.blocked.tolist()}
        self._days: dict[tuple[int, int, int], int] = {}

    def terms(self, mentor: int, mentee: int) -> dict[str, int]:
        """The parts of a pair's score by name, those that are nothing included."""
        self._refuse_strangers(mentor, mentee)
        people, weights = self._people, self._rules.weights
        offers, seeks = self._offers(mentor), self._seeks(mentee)
        function = {row: int(people.function[row]) for row in (mentor, mentee)}
        here = people.site[mentor] == people.site[mentee] >= 0 and people.country[mentor] == people.country[mentee]
        beyond = abs(self._level(mentee) - self._level(mentor)) - self._rules.level_gap
        return {
            "areas": self._best_areas(set(offers) & set(seeks)),
            "mentee-choice": _choice(seeks, offers, weights.mentee_choice),
            "mentor-choice": _choice(offers, seeks, weights.mentor_choice),
            "hours": min(self._common_minutes(mentor, mentee), _ENOUGH_MINUTES) * weights.hours // _ENOUGH_MINUTES,
            "other-unit": weights.other_unit if people.unit[mentor] != people.unit[mentee] else 0,
            "other-country": weights.other_country if people.country[mentor] != people.country[mentee] else 0,
            "other-function": (
                weights.other_function if min(function.values()) >= 0 and function[mentor] != function[mentee] else 0
            ),
            "level": min(max(beyond, 0), _MOST_LEVELS) * weights.level,
            "mentor-wish": weights.wish if function[mentee] in _bits(people.likes[mentor]) else 0,
            "mentee-wish": weights.wish if function[mentor] in _bits(people.likes[mentee]) else 0,
            "in-person": (weights.in_person if people.in_person[mentor] and people.in_person[mentee] and here else 0),
            "mentee-waiting": min(int(people.waiting[mentee]), _MOST_WAITING) * weights.waiting,
            "mentor-waiting": min(int(people.waiting[mentor]), _MOST_WAITING) * weights.waiting,
        }

    def broken(self, mentor: int, mentee: int) -> list[str]:
        """The names of the hard rules that a pair breaks."""
        self._refuse_strangers(mentor, mentee)
        return [name for name, is_broken in self._tested(mentor, mentee) if is_broken]

    def verdict(self, pairs: npt.ArrayLike) -> Verdict:
        """The verdict over all pairs of a run: rows of a mentor, a mentee and the score that the run states."""
        given = [(int(mentor), int(mentee), int(score)) for mentor, mentee, score in np.asarray(pairs).tolist()]
        distinct = Counter((mentor, mentee) for mentor, mentee, _ in given)
        scores = {pair: sum(self.terms(*pair).values()) for pair in distinct}
        taken = Counter((side, row) for pair in distinct for side, row in enumerate(pair))
        further = sum(count * (count - 1) // 2 for count in taken.values())
        return Verdict(
            value=sum(scores.values()) - self._rules.weights.further_pair * further,
            rules_broken=sum(len(self.broken(*pair)) for pair in distinct),
            capacities_exceeded=sum(count > self._places(side, row) for (side, row), count in taken.items()),
            pairs_twice=len(given) - len(distinct),
            wrong_scores=sum(score != scores[mentor, mentee] for mentor, mentee, score in given),
        )

    def _tested(self, mentor: int, mentee: int) -> Iterator[tuple[str, bool]]:
        """Each rule, and whether the pair breaks it."""
        people, rules = self._people, self._rules
        above = self._level(mentee) - self._level(mentor)
        manager = {row: int(people.manager[row]) for row in (mentor, mentee)}
        yield "same-person", mentor == mentee
        yield "taking-part", people.mentor_capacity[mentor] <= 0 or people.mentee_capacity[mentee] <= 0
        yield "level-gap", (above if rules.reverse_only else abs(above)) < rules.level_gap
        yield "common-area", not set(self._offers(mentor)) & set(self._seeks(mentee))
        yield "common-hours", self._common_minutes(mentor, mentee) < rules.common_minutes
        yield "common-language", rules.common_language and self._spoken(mentor) & self._spoken(mentee) == 0
        yield "different-unit", rules.different_unit and people.unit[mentor] == people.unit[mentee]
        yield "management-chain", mentor in self._above(mentee) or mentee in self._above(mentor)
        yield "same-manager", manager[mentor] >= 0 and manager[mentor] == manager[mentee]
        yield "unknown-chain", not rules.unknown_chains and not (self._settled(mentor) and self._settled(mentee))
        yield "mentor-tenure", people.tenure[mentor] < rules.mentor_tenure
        yield "new-joiner", rules.new_joiner_months > 0 and people.tenure[mentor] > rules.new_joiner_months
        yield "mentee-tenure", people.tenure[mentee] < rules.mentee_tenure
        yield "blocked", frozenset((mentor, mentee)) in self._blocked

    def _refuse_strangers(self, *rows: int) -> None:
        """A negative row would silently be somebody at the other end."""
        for row in rows:
            if not 0 <= row < len(self._people):
                raise ValueError(f"Row {row} is nobody: the market has {len(self._people)} people.")

    def _level(self, row: int) -> int:
        """How senior somebody is: their level, or the year in which they joined, where earlier is higher."""
        if self._rules.direction is Direction.EXPERIENCE:
            return -int(self._people.joined[row])
        return int(self._people.level[row])

    def _offers(self, row: int) -> list[int]:
        return _listed(self._people.offers[row].tolist())

    def _seeks(self, row: int) -> list[int]:
        return _listed(self._people.seeks[row].tolist())

    def _places(self, side: int, row: int) -> int:
        capacity = (self._people.mentor_capacity, self._people.mentee_capacity)[side]
        return min(int(capacity[row]), self._rules.proposals_per_person)

    def _best_areas(self, common: set[int]) -> int:
        """The points of the common areas that the fewest mentors offer."""
        rarest = sorted(common, key=lambda area: (self._offering[area], area))
        return sum(self._points[area] for area in rarest[:_BEST_AREAS])

    def _above(self, row: int) -> set[int]:
        """Everybody above a person, as far as the directory tells."""
        found: set[int] = set()
        manager = int(self._people.manager[row])
        while 0 <= manager < len(self._people) and manager not in found:
            found.add(manager)
            manager = int(self._people.manager[manager])
        return found

    def _settled(self, row: int) -> bool:
        """Whether the directory tells everybody above a person, up to somebody who has no manager."""
        seen: set[int] = set()
        while 0 <= row < len(self._people) and row not in seen:
            seen.add(row)
            row = int(self._people.manager[row])
        return row == NOBODY

    def _spoken(self, row: int) -> int:
        """A person's languages: one bit each."""
        more = self._people.more_languages
        return int(self._people.languages[row]) | (int(more[row]) if more is not None else 0) << _FIRST_LANGUAGES

    def _common_minutes(self, mentor: int, mentee: int) -> int:
        return (self._working(mentor) & self._working(mentee)).bit_count()

    def _working(self, row: int) -> int:
        """The minutes of the day, in UTC, at which a person works: one bit each."""
        people = self._people
        told = (int(people.work_from[row]), int(people.work_to[row]), int(people.utc_offset[row]))
        if told not in self._days:
            self._days[told] = sum(1 << minute for minute in set(_minutes(*told)))
        return self._days[told]


def _minutes(work_from: int, work_to: int, utc_offset: int) -> Iterator[int]:
    """The minutes of a working day in UTC; it ends on the next day when its end is not after its begin."""
    begin, end = work_from * _HOUR, work_to * _HOUR
    while end <= begin:
        end += _DAY
    return ((minute - utc_offset) % _DAY for minute in range(begin, end))


def _listed(areas: Iterable[int]) -> list[int]:
    """Without what a list is filled up with."""
    return [area for area in areas if area >= 0]


def _choice(mine: list[int], theirs: list[int], weight: int) -> int:
    """What it is worth that the other one has one of my first choices; the earliest of them counts."""
    for rank, area in enumerate(mine[:_CHOICES]):
        if area in theirs:
            return weight * (_CHOICES - rank) // _CHOICES
    return 0


def _area_points(rules: Rules, mentors: int, offering: int) -> int:
    """What one common area is worth: more for every sixteenth of a halving of the share of mentors who offer it."""
    sixteenths = 0
    while (offering + 1) ** 16 * 2 ** (sixteenths + 1) <= (mentors + 1) ** 16:
        sixteenths += 1
    weights = rules.weights
    return weights.area + min(weights.rarity * sixteenths // 16, weights.rarity_limit)


def _bits(mask: np.uint64) -> set[int]:
    """The numbers of the bits that are set."""
    left = int(mask)
    return {bit for bit in range(left.bit_length()) if left >> bit & 1}
