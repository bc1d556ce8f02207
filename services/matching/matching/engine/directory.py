"""People packed into arrays once, one row a person, changed row by row afterwards."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from chassis.errors import InvalidError
from contracts.matching import Side

from matching.engine.chain import LOST, NOBODY
from matching.engine.codes import MOST_UNITS, Codes, OutgrownError
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, Profiles
from matching.engine.packed.records import MOST_WAITING
from matching.engine.packed.seniority import ranks
from matching.engine.people import Person
from matching.engine.rules import Rules
from matching.engine.tree import Tree

Ints = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

_SPARE_ROWS = 64
_SPARE_PART = 8
_COLUMNS = (
    *("level", "unit", "country", "manager", "waiting", "window", "tenure", "function", "site", "in_person"),
    *("clock", "work_from", "work_to", "joined", "rank"),
    *("offers", "seeks", "scramble", "languages", "more_languages", "likes"),
)


class Directory:
    """Columns from which records are written; row numbers stay while the directory lives."""

    def __init__(self, rules: Rules, people: Iterable[Person]) -> None:
        everybody = sorted(people, key=lambda person: person.id)
        self._rules = rules
        self._unknown_chains = rules.unknown_chains
        self.people: list[Person | None] = []
        self.row: dict[str, int] = {}
        self.codes = Codes(rules, everybody)
        rows = len(everybody) + len(everybody) // _SPARE_PART + _SPARE_ROWS
        self._allocate(rows)
        for person in everybody:
            if person.id in self.row:
                raise InvalidError(f"Two people have the id {person.id}: each id must stand for one person.")
            try:
                self._pack(person)
            except OutgrownError as error:
                raise InvalidError(str(error)) from error
        self._plant()

    def put(self, person: Person) -> tuple[int, bool]:
        """Add a person, or replace what was known of them.

        Returns:
            Their row, and whether others stand elsewhere in the management chain now.

        Raises:
            OutgrownError: The directory has to be made again to know this person.
        """
        row = self.row.get(person.id)
        before = None if row is None else self.people[row]
        row = self._pack(person)
        if before is not None and before.manager == person.manager:
            return row, False
        if len(self.tree.above) < len(self.level):
            smaller = self.tree
            self._plant()
            self.tree.follow(smaller)
            return row, True
        renumbered = self.tree.hang(row, self._row_of_manager(person))
        if before is None and (waiting := self._whose_manager(person.id, LOST)).size:
            self.tree.adopt(waiting, row)
            renumbered = True
        return row, renumbered

    def remove(self, member: str) -> tuple[int, bool]:
        """Forget a person; their row stays empty. The answer is that of `put`."""
        row = self.row.pop(member)
        self.people[row] = None
        for side in Side:
            self.capacity[side][row] = 0
        reports = self._whose_manager(member, row)
        reports = reports[reports != row]
        renumbered = self.tree.hang(row, NOBODY)
        if reports.size:
            self.tree.adopt(reports, LOST)
            renumbered = True
        return row, renumbered

    def open_rows(self, side: Side) -> Rows:
        """The rows of everybody who takes part on one side.

        They are open, have a capacity, name an area that counts, and their management chain is known if it has to be.
        """
        everybody = np.arange(len(self.people))
        return everybody[self.takes_part(side, everybody)]

    def takes_part(self, side: Side, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of these rows are such people."""
        named = self.offers if side is Side.MENTOR else self.seeks
        there: npt.NDArray[np.bool_] = (named[rows, 0] != NO_AREA) & (self.capacity[side][rows] > 0)
        return there if self._unknown_chains else there & ~self.tree.adrift[rows]

    def takes_part_alone(self, side: Side, row: int) -> bool:
        """The same for one row, without the cost of columns."""
        named = self.offers[row] if side is Side.MENTOR else self.seeks[row]
        settled = self._unknown_chains or not self.tree.adrift[row]
        return bool(named[0] != NO_AREA and self.capacity[side][row] > 0 and settled)

    def silent(self, side: Side) -> int:
        """How many are open on one side and name no area that counts."""
        return int(((self.capacity[side] > 0) & ~self._names_area(side)).sum())

    @property
    def waits(self) -> npt.NDArray[np.bool_]:
        """Who cannot be paired until it is known who is above them."""
        return np.zeros_like(self.tree.adrift) if self._unknown_chains else self.tree.adrift

    def unsettled(self) -> set[str]:
        """The ids of those who wait for that."""
        return {self.known(row).id for row in np.flatnonzero(self.waits).tolist()}

    def _names_area(self, side: Side) -> npt.NDArray[np.bool_]:
        named: npt.NDArray[np.bool_] = (self.offers if side is Side.MENTOR else self.seeks)[:, 0] != NO_AREA
        return named

    def known(self, row: int) -> Person:
        """The person of a row that is not empty."""
        person = self.people[row]
        if person is None:
            raise LookupError(row)
        return person

    def turned(self) -> list[int]:
        """Rows of those who may be paired only now or no more, because of who is above them; since last asked."""
        rows = self.tree.turned()
        return [] if self._unknown_chains else rows

    def under(self, row: int) -> list[int]:
        """The rows of a person and of everybody below them."""
        return [each for each in self.tree.under(row).tolist() if each < len(self.people) and self.people[each]]

    def profiles(self, blocked: Rows) -> Profiles:
        """Everybody as columns of their own; who has left takes no part. `blocked` [k, 2] are rows of two people."""
        people, tree = len(self.people), self.tree
        # A manager who is not in the directory is nobody's row, and yet the same for all who have them.
        above = tree.above[:people]
        manager = np.where(above == LOST, people + self.manager[:people], above).astype(np.int32)
        return Profiles(
            key=self.scramble[:people].copy(),
            level=self.level[:people].copy(),
            unit=self.unit[:people].copy(),
            function=self.function[:people].copy(),
            country=self.country[:people].copy(),
            site=self.site[:people].copy(),
            manager=manager,
            tenure=self.tenure[:people].copy(),
            joined=self.joined[:people].copy(),
            utc_offset=self.clock[:people].copy(),
            work_from=self.work_from[:people].copy(),
            work_to=self.work_to[:people].copy(),
            languages=self.languages[:people].copy(),
            more_languages=self.more_languages[:people].copy(),
            offers=self.offers[:people].copy(),
            seeks=self.seeks[:people].copy(),
            likes=self.likes[:people].copy(),
            in_person=self.in_person[:people].copy(),
            mentor_capacity=self.capacity[Side.MENTOR][:people].copy(),
            mentee_capacity=self.capacity[Side.MENTEE][:people].copy(),
            waiting=self.waiting[:people].copy(),
            areas=len(self.codes.areas),
            blocked=blocked,
        )

    def spread(self, counts: Mapping[str, int]) -> Ints:
        """Figures by member as a column; members who are not here are left out."""
        column = np.zeros(len(self.level), np.int32)
        for member, count in counts.items():
            if member in self.row:
                column[self.row[member]] = count
        return column

    def _allocate(self, rows: int) -> None:
        self.level, self.unit, self.country, self.manager, self.waiting, self.window = (
            np.zeros(rows, np.int32) for _ in range(6)
        )
        self.tenure, self.function, self.site = (np.zeros(rows, np.int32) for _ in range(3))
        self.clock, self.work_from, self.work_to = (np.zeros(rows, np.int32) for _ in range(3))
        self.joined, self.rank = (np.zeros(rows, np.int32) for _ in range(2))
        self.in_person = np.zeros(rows, np.bool_)
        self.scramble, self.likes = (np.zeros(rows, np.uint64) for _ in range(2))
        self.offers, self.seeks = (np.full((rows, MOST_NAMED), NO_AREA, np.int8) for _ in range(2))
        self.languages, self.more_languages = (np.zeros(rows, np.uint64) for _ in range(2))
        self.capacity = {side: np.zeros(rows, np.int32) for side in Side}

    def _grow(self) -> None:
        """Twice as many rows, so that newcomers rarely cost more than themselves."""
        for name in _COLUMNS:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.capacity = {
            side: np.concatenate([column, np.zeros_like(column)]) for side, column in self.capacity.items()
        }

    def _pack(self, person: Person) -> int:
        codes = self.codes
        # Whatever may be refused comes first, so that nothing is taken in by halves.
        offers, seeks = codes.listed(person.offers), codes.listed(person.seeks)
        unit, country = codes.number("unit", person.unit, MOST_UNITS), codes.country(person.country)
        function, site = codes.function(person.function), codes.site(person.site)
        likes, languages = codes.functions(person.likes), codes.languages(person.languages)
        row = self.row.get(person.id)
        if row is None:
            row = self._append(person.id)
        self.people[row] = person
        self.level[row], self.tenure[row], self.joined[row] = person.level, max(person.tenure, 0), person.joined
        self.rank[row] = ranks(self._rules, self.level[row], self.joined[row])
        self.unit[row], self.country[row], self.function[row], self.site[row] = unit, country, function, site
        self.manager[row] = NOBODY if person.manager is None else codes.number("manager", person.manager)
        self.waiting[row] = min(max(person.waiting_days, 0), MOST_WAITING)
        self.window[row] = codes.window(person)
        self.clock[row], self.work_from[row], self.work_to[row] = person.utc_offset, person.work_from, person.work_to
        self.likes[row], self.in_person[row] = likes, person.in_person
        self.offers[row], self.seeks[row] = offers, seeks
        self.languages[row], self.more_languages[row] = languages
        for side in Side:
            self.capacity[side][row] = person.capacity(side)
        return row

    def _append(self, member: str) -> int:
        row = self.row[member] = len(self.people)
        self.people.append(None)
        if row == len(self.level):
            self._grow()
        self.scramble[row] = int.from_bytes(hashlib.blake2b(member.encode(), digest_size=8).digest(), "big")
        return row

    def _plant(self) -> None:
        above = np.full(len(self.level), NOBODY, np.int32)
        for row, person in enumerate(self.people):
            above[row] = NOBODY if person is None else self._row_of_manager(person)
        self.tree = Tree(above)

    def _row_of_manager(self, person: Person) -> int:
        return NOBODY if person.manager is None else self.row.get(person.manager, LOST)

    def _whose_manager(self, member: str, above: int) -> npt.NDArray[np.int64]:
        """Rows of those who name somebody as their manager, and have stood below this row so far."""
        code = self.codes.numbered("manager", member)
        if code is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero((self.manager == code) & (self.tree.above == above))

    @property
    def circular(self) -> tuple[str, ...]:
        """The ids of those who manage each other in a circle."""
        return tuple(self.known(row).id for row in sorted(self.tree.circular))

    @property
    def unreachable(self) -> tuple[str, ...]:
        """People whose manager is not in the directory."""
        return tuple(
            person.id for person in self.people if person and person.manager and person.manager not in self.row
        )
