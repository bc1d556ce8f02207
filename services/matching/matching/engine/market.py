"""People packed into arrays once, one row a person, changed row by row afterwards."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from chassis.errors import InvalidError
from contracts.matching import Side

from matching.engine.chain import LOST, NOBODY, tour
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, UNKNOWN
from matching.engine.packed.rarity import area_points
from matching.engine.packed.records import DAY, MOST_WAITING, RANKS
from matching.engine.people import Person
from matching.engine.rules import MOST_AREAS, Rules

Ints = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]

MOST_FUNCTIONS = 64
_WORD = 64
_SPARE_ROWS = 64
_COLUMNS = (
    *("level", "unit", "country", "manager", "waiting", "window", "tenure", "function", "site", "in_person"),
    *("clock", "work_from", "work_to"),
    *("offers", "seeks", "scramble", "offer_ranks", "seek_ranks", "languages", "likes", "offer_list", "seek_list"),
)


class UnknownCodeError(Exception):
    """A new person names an area or language that the market has no bit for: it has to be packed again."""


class Market:
    """The arrays that rules and terms are computed from; row numbers stay while the market lives."""

    def __init__(self, rules: Rules, people: Iterable[Person]) -> None:
        everybody = sorted(people, key=lambda person: person.id)
        self._unknown_chains = rules.unknown_chains
        self.people: list[Person | None] = []
        self.row: dict[str, int] = {}
        self._number_areas(rules, everybody)
        languages = sorted({language for person in everybody for language in person.languages})
        self._language_bit = {language: bit for bit, language in enumerate(languages)}
        self._units: dict[str, int] = {}
        self._countries: dict[str, int] = {}
        self._managers: dict[str, int] = {}
        self._functions: dict[str, int] = {}
        self._sites: dict[str, int] = {}
        self._window_of: dict[tuple[int, int], int] = {}
        self._allocate(len(everybody) + _SPARE_ROWS, len(languages) // _WORD + 1)
        for person in everybody:
            if person.id in self.row:
                raise InvalidError(f"Two people have the id {person.id}: each id must stand for one person.")
            self._pack(person)
        self._tie_chain()

    def put(self, person: Person) -> bool:
        """Add a person, or replace what was known of them; says whether the management chain is another now.

        Raises:
            UnknownCodeError: The market has to be built again to know this person's areas or languages.
        """
        row = self.row.get(person.id)
        before = None if row is None else self.people[row]
        self._pack(person)
        moved = before is None or before.manager != person.manager
        if moved:
            self._tie_chain()
        return moved

    def remove(self, member: str) -> None:
        """Forget a person; their row stays empty."""
        row = self.row.pop(member)
        self.people[row] = None
        for side in Side:
            self.capacity[side][row] = 0
        self._tie_chain()

    def open_rows(self, side: Side) -> npt.NDArray[np.int64]:
        """The rows of everybody who takes part on one side.

        They are open, have a capacity, name an area that counts, and their management chain is known if it has to be.
        """
        return np.flatnonzero(self._names_area(side) & (self.capacity[side] > 0) & ~self.waits)

    def silent(self, side: Side) -> int:
        """How many are open on one side and name no area that counts."""
        return int(((self.capacity[side] > 0) & ~self._names_area(side)).sum())

    @property
    def waits(self) -> npt.NDArray[np.bool_]:
        """Who cannot be paired until it is known who is above them."""
        return np.zeros_like(self.adrift) if self._unknown_chains else self.adrift

    def unsettled(self) -> set[str]:
        """The ids of those who wait for that."""
        return {self.known(row).id for row in np.flatnonzero(self.waits).tolist()}

    def _names_area(self, side: Side) -> npt.NDArray[np.bool_]:
        named: npt.NDArray[np.bool_] = (self.offers if side is Side.MENTOR else self.seeks) != 0
        return named

    def known(self, row: int) -> Person:
        """The person of a row that is not empty."""
        person = self.people[row]
        if person is None:
            raise LookupError(row)
        return person

    def under(self, member: str) -> list[str]:
        """A person and everybody below them."""
        row = self.row[member]
        rows = np.flatnonzero((self.enter >= self.enter[row]) & (self.enter < self.leave[row]))
        return [person.id for person in map(self.people.__getitem__, rows.tolist()) if person]

    def spread(self, counts: Mapping[str, int]) -> Ints:
        """Figures by member as a column; members who are not here are left out."""
        column = np.zeros(len(self.level), np.int32)
        for member, count in counts.items():
            if member in self.row:
                column[self.row[member]] = count
        return column

    def bits(self, areas: Sequence[str]) -> int:
        """The areas that count, as one mask; the rarest area is the lowest bit."""
        mask = 0
        for area in areas:
            mask |= 1 << self.area_bit[area] if area in self.area_bit else 0
        return mask

    def _number_areas(self, rules: Rules, everybody: list[Person]) -> None:
        offered = dict.fromkeys(rules.areas, 0)
        mentors = 0
        for person in everybody:
            mentors += person.capacity(Side.MENTOR) > 0
            for area in (*dict.fromkeys(person.offers), *person.seeks):
                if not rules.areas:
                    offered.setdefault(area, 0)
            for area in dict.fromkeys(person.offers):
                if area in offered and person.capacity(Side.MENTOR):
                    offered[area] += 1
        if len(offered) > MOST_AREAS:
            raise InvalidError(
                f"A programme can weigh at most {MOST_AREAS} areas: name the ones that count in its rules."
            )
        self.any_area = not rules.areas
        self.areas = tuple(sorted(offered, key=lambda area: (offered[area], area)))
        self.area_bit = {area: bit for bit, area in enumerate(self.areas)}
        self.area_points = np.zeros(_WORD + 1, np.int32)
        for area, bit in self.area_bit.items():
            self.area_points[bit] = area_points(rules, mentors, offered[area])

    def _allocate(self, rows: int, language_words: int) -> None:
        self.level, self.unit, self.country, self.manager, self.waiting, self.window = (
            np.zeros(rows, np.int32) for _ in range(6)
        )
        self.tenure, self.function, self.site = (np.zeros(rows, np.int32) for _ in range(3))
        self.clock, self.work_from, self.work_to = (np.zeros(rows, np.int32) for _ in range(3))
        self.in_person = np.zeros(rows, np.bool_)
        self.offers, self.seeks, self.scramble, self.likes = (np.zeros(rows, np.uint64) for _ in range(4))
        self.offer_list, self.seek_list = (np.full((rows, MOST_NAMED), NO_AREA, np.int8) for _ in range(2))
        self.offer_ranks, self.seek_ranks = (np.zeros((rows, RANKS), np.uint64) for _ in range(2))
        self.languages = np.zeros((rows, language_words), np.uint64)
        self.capacity = {side: np.zeros(rows, np.int32) for side in Side}
        self.common_minutes: Ints = np.zeros((0, 0), np.int32)

    def _grow(self) -> None:
        """Twice as many rows, so that newcomers rarely cost more than themselves."""
        for name in _COLUMNS:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.capacity = {
            side: np.concatenate([column, np.zeros_like(column)]) for side, column in self.capacity.items()
        }

    def _pack(self, person: Person) -> None:
        self._refuse_unknown(person)
        row = self.row.get(person.id)
        if row is None:
            row = self.row[person.id] = len(self.people)
            self.people.append(None)
            if row == len(self.level):
                self._grow()
        self.people[row] = person
        self.level[row] = person.level
        self.unit[row] = self._units.setdefault(person.unit, len(self._units))
        self.country[row] = self._countries.setdefault(person.country, len(self._countries))
        self.manager[row] = (
            NOBODY if person.manager is None else self._managers.setdefault(person.manager, len(self._managers))
        )
        self.waiting[row] = min(max(person.waiting_days, 0), MOST_WAITING)
        self.window[row] = self._window(person)
        self.clock[row], self.work_from[row], self.work_to[row] = person.utc_offset, person.work_from, person.work_to
        self.tenure[row], self.in_person[row] = max(person.tenure, 0), person.in_person
        self.function[row], self.site[row] = self._function(person.function), self._site(person.site)
        self.likes[row] = sum({1 << self._function(function) for function in person.likes if function})
        self.offers[row], self.seeks[row] = self.bits(person.offers), self.bits(person.seeks)
        self.offer_list[row], self.seek_list[row] = self._listed(person.offers), self._listed(person.seeks)
        self.offer_ranks[row], self.seek_ranks[row] = self._ranks(person.offers), self._ranks(person.seeks)
        self.languages[row] = self._language_words(person)
        for side in Side:
            self.capacity[side][row] = person.capacity(side)
        self.scramble[row] = int.from_bytes(hashlib.blake2b(person.id.encode(), digest_size=8).digest(), "big")

    def _refuse_unknown(self, person: Person) -> None:
        new_area = self.any_area and any(area not in self.area_bit for area in (*person.offers, *person.seeks))
        if new_area or any(language not in self._language_bit for language in person.languages):
            raise UnknownCodeError

    def _ranks(self, areas: Sequence[str]) -> list[int]:
        """The mask of each of the first choices among the areas that count."""
        masks = [1 << self.area_bit[area] for area in dict.fromkeys(areas) if area in self.area_bit][:RANKS]
        return masks + [0] * (RANKS - len(masks))

    def _listed(self, areas: Sequence[str]) -> list[int]:
        """The bits of the areas that count, in their order."""
        bits = [self.area_bit[area] for area in dict.fromkeys(areas) if area in self.area_bit]
        if len(bits) > MOST_NAMED:
            raise InvalidError(f"A person can offer or seek at most {MOST_NAMED} areas.")
        return bits + [NO_AREA] * (MOST_NAMED - len(bits))

    def _function(self, function: str) -> int:
        if not function:
            return UNKNOWN
        number = self._functions.setdefault(function, len(self._functions))
        if number >= MOST_FUNCTIONS:
            raise InvalidError(f"A market can tell at most {MOST_FUNCTIONS} functions apart.")
        return number

    def _site(self, site: str) -> int:
        return self._sites.setdefault(site, len(self._sites)) if site else UNKNOWN

    def _language_words(self, person: Person) -> list[int]:
        mask = 0
        for language in person.languages:
            mask |= 1 << self._language_bit[language]
        return [mask >> (_WORD * word) & (2**_WORD - 1) for word in range(self.languages.shape[1])]

    def _window(self, person: Person) -> int:
        """The number of this working day in UTC; few exist, so common hours are one small table."""
        length = (person.work_to - person.work_from) * 60 % DAY or DAY
        key = ((person.work_from * 60 - person.utc_offset) % DAY, length)
        if key not in self._window_of:
            self._window_of[key] = len(self._window_of)
            self.common_minutes = _common_minutes(list(self._window_of))
        return self._window_of[key]

    def _tie_chain(self) -> None:
        managers = [
            NOBODY if person is None or person.manager is None else self.row.get(person.manager, LOST)
            for person in self.people
        ]
        self.above = np.array(managers, np.int32)
        chain = tour(self.above)
        self.enter, self.leave = chain.enter, chain.leave
        self.adrift = np.zeros(len(self.level), np.bool_)
        self.adrift[: len(managers)] = chain.adrift
        self.circular = tuple(self.known(row).id for row in chain.circular)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """People whose manager is not in the directory."""
        return tuple(
            person.id for person in self.people if person and person.manager and person.manager not in self.row
        )


def _common_minutes(windows: list[tuple[int, int]]) -> Ints:
    begin = np.array([start for start, _ in windows], np.int32)
    end = begin + np.array([length for _, length in windows], np.int32)
    total = np.zeros((len(windows), len(windows)), np.int32)
    for shift in (-DAY, 0, DAY):
        overlap = np.minimum(end[:, None], end + shift) - np.maximum(begin[:, None], begin + shift)
        total += np.maximum(overlap, 0)
    return total
