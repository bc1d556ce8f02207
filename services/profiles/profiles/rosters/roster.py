"""Reading a roster: a CSV file becomes checked rows, and one reason for each cell that is not right.

The file is read as a stream, twice: once to check every row and to settle what only the whole file can tell
(doubles, missing managers, circles), once to hand out the rows that stand. Memory holds four short strings a row.
"""

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from contracts.codes import COUNTRIES, LANGUAGES

from chassis import zones
from profiles.domain import MAX_AREAS, MAX_CAPACITY, MAX_WISHES, Contact, Directory, Profile, Role, RosterRow
from profiles.rosters.columns import REQUIRED, Columns, Layout, layout_of
from profiles.rosters.file import RosterFile
from profiles.taxonomy.areas import Areas

_MOST_DIGITS: Final = 4  # of a number, so that none takes long to read
_MOST_SHOWN: Final = 40  # letters of a cell, so that a reason stays one line
_LONGEST: Final = {"employee_id": 64, "email": 254, "name": 120, "title": 120, "unit": 80, "function": 80, "site": 80}
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s.,;<>\"]+")
_MONTH: Final = re.compile(r"(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])(?:-\d\d)?")
_DOTTED: Final = re.compile(r"\d{1,2}\.(?P<month>0?[1-9]|1[0-2])\.(?P<year>(?:19|20)\d\d)")
_FORMULA: Final = ("=", "+", "-", "@")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that keeps its row from being imported."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class _Cells:
    """The cells of one row, with the errors met while reading them."""

    line: int
    values: Mapping[str, str]
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, column: str, reason: str) -> None:
        self.errors.append(RowError(self.line, column, reason))

    def take(self, column: str, read: Callable[[str], T], default: T) -> T:
        """The cell as `read` understands it; an error and the default when it does not."""
        text = self.values.get(column, "")
        if not text:
            if column in REQUIRED and column != "manager_id":
                self.refuse(column, "is empty")
            return default
        if text.startswith(_FORMULA):
            self.refuse(column, f"begins with {text[0]!r}, which a spreadsheet runs as a formula; write plain text")
            return default
        try:
            return read(text)
        except ValueError as error:
            self.refuse(column, str(error))
            return default

    def take_all(self, column: str, read: Callable[[str], T], most: int = 20) -> tuple[T, ...]:
        """The values of a cell that holds several, each once, in their order."""
        nothing: tuple[T, ...] = ()
        return self.take(column, _listed(read, most), nothing)


@dataclass(slots=True)
class Roster:
    """The people of a file. Columns are read as somebody chose, or where nobody did, by the documented names."""

    path: Path
    areas: Areas
    columns: Columns | None = None
    _file: RosterFile = field(init=False)

    def __post_init__(self) -> None:
        self._file = RosterFile(self.path)

    @property
    def share(self) -> float:
        """How much of the file the current reading has behind it, from 0 to 1."""
        return self._file.position / max(1, self._file.total)

    def rows(self) -> Iterator[RosterRow | list[RowError]]:
        """Each row of the file, checked by itself.

        Raises:
            RosterError: the file is empty, not UTF-8, not CSV, or its columns are not those that were chosen; where
                nobody chose, the documented ones.
        """
        cells = self._file.cells()
        _number, header = next(cells, (1, []))
        layout = layout_of(header, self.columns)
        for number, row in cells:
            if any(cell.strip() for cell in row):
                yield read_row(number, layout, row, self.areas.known)


def read_row(line: int, layout: Layout, cells: list[str], areas: Container[str]) -> RosterRow | list[RowError]:
    """One row, or everything that is wrong with it; whether its areas are still offered depends on who it is."""
    if len(cells) != layout.width:
        return [RowError(line, "", f"has {len(cells)} cells, but line 1 names {layout.width} columns")]
    row = _Cells(line, layout.values(cells))
    found = RosterRow(
        line=line,
        contact=Contact(
            employee_id=row.take("employee_id", _text("employee_id"), ""),
            email=row.take("email", _email, ""),
            name=row.take("name", _text("name"), ""),
            title=row.take("title", _text("title"), ""),
        ),
        manager_id=row.take("manager_id", _text("employee_id"), ""),
        directory=_directory(row),
        profile=_profile(row, areas),
        roles=row.take_all("roles", _role),
    )
    return row.errors or found


def _directory(row: _Cells) -> Directory:
    directory = Directory(
        level=row.take("level", _number(1, 12), 1),
        unit=row.take("unit", _text("unit"), ""),
        country=row.take("country", _country, ""),
        time_zone=row.take("time_zone", _zone, "UTC"),
        work_from=row.take("work_from", _number(0, 23), 9),
        work_to=row.take("work_to", _number(1, 24), 17),
        languages=row.take_all("languages", _language),
        joined=row.take("joined", _month, ""),
        function=row.take("function", _text("function"), ""),
        site=row.take("site", _text("site"), ""),
    )
    if directory.work_from >= directory.work_to:
        row.refuse("work_to", "is not after work_from; both are local hours of the same day")
    return directory


def _profile(row: _Cells, areas: Container[str]) -> Profile:
    offers = row.take_all("offers", _area(areas), MAX_AREAS)
    seeks = row.take_all("seeks", _area(areas), MAX_AREAS)
    mentor_capacity = row.take("mentor_capacity", _number(0, MAX_CAPACITY), 1)
    mentee_capacity = row.take("mentee_capacity", _number(0, MAX_CAPACITY), 1)
    return Profile(
        offers=offers,
        seeks=seeks,
        mentor_capacity=mentor_capacity,
        mentee_capacity=mentee_capacity,
        open_to_mentor=bool(offers) and mentor_capacity > 0,
        open_to_be_mentored=bool(seeks) and mentee_capacity > 0,
        enrolled=row.take("enrolled", _yes_or_no, default=False),
        wishes=row.take_all("likes", _text("function"), MAX_WISHES),
        in_person=row.take("in_person", _yes_or_no, default=False),
    )


def _text(kind: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > _LONGEST[kind]:
            raise ValueError(f"is longer than {_LONGEST[kind]} characters")
        if not text.isprintable():
            raise ValueError("holds a line break or another control character")
        return text

    return read


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and lowest <= int(text) <= highest):
            raise ValueError(f"is {_shown(text)}, but must be a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _listed(read: Callable[[str], T], most: int) -> Callable[[str], tuple[T, ...]]:
    def read_all(text: str) -> tuple[T, ...]:
        values = tuple(dict.fromkeys(read(part.strip()) for part in text.split(";") if part.strip()))
        if len(values) > most:
            raise ValueError(f"names {len(values)} values, but at most {most} are kept")
        return values

    return read_all


def _email(text: str) -> str:
    address = _text("email")(text).lower()
    if not _EMAIL.fullmatch(address):
        raise ValueError(f"is {_shown(text)}, which is not an e-mail address")
    return address


def _area(areas: Container[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in areas:
            raise ValueError(f"names {_shown(text)}, which is not an area; areas are separated by ';'")
        return text

    return read


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise ValueError(f"names {_shown(text)}, but roles are {', '.join(Role)}") from None


def _country(text: str) -> str:
    if text.upper() not in COUNTRIES:
        raise ValueError(f"is {_shown(text)}, which is not a two-letter country code such as DE")
    return text.upper()


def _language(text: str) -> str:
    if text.lower() not in LANGUAGES:
        raise ValueError(f"names {_shown(text)}, which is not a two-letter language code such as en")
    return text.lower()


def _zone(text: str) -> str:
    if text not in zones.known():
        raise ValueError(f"is {_shown(text)}, which is not a time zone such as Europe/Berlin")
    return text


def _month(text: str) -> str:
    """A month, or a day of which the month is kept. Days with slashes mean two things, so they are refused."""
    if (found := _MONTH.fullmatch(text) or _DOTTED.fullmatch(text)) is None:
        raise ValueError(f"is {_shown(text)}, but must be a month such as 2024-03, or a day such as 2024-03-18")
    return f"{found['year']}-{found['month']:0>2}"


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"yes", "no"}:
        raise ValueError(f"is {_shown(text)}, but must be yes or no")
    return text.lower() == "yes"


def _shown(text: str) -> str:
    short = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    return f"{short!r}"


def unfit_managers(rows: Mapping[str, str], stored: Mapping[str, str | None]) -> dict[str, str]:
    """Why a row cannot stand because of its manager, by employee id.

    Args:
        rows: employee id → manager's employee id ("" at the top) of the rows that are right by themselves.
        stored: the same for the people the directory holds, where the file may or may not name them again.

    Returns:
        A reason for each refused row. A refused row leaves the stored manager in place, which can close a new
        circle; so the check runs until nothing more is refused.
    """
    refused: dict[str, str] = {}
    while True:
        standing = {person: manager for person, manager in rows.items() if person not in refused}
        found = _missing(standing, stored) or _circular(standing, {**stored, **standing})
        if not found:
            return refused
        refused |= found


def _missing(standing: Mapping[str, str], stored: Mapping[str, str | None]) -> dict[str, str]:
    reports: dict[str, list[str]] = {}
    for person, manager in standing.items():
        reports.setdefault(manager, []).append(person)
    known = standing.keys() | stored.keys()
    lost = [person for person, manager in standing.items() if manager and manager not in known]
    found: dict[str, str] = {}
    for person in lost:  # grows: whoever reports to a refused person has no known chain either
        found[person] = (
            f"{_shown(standing[person])} is not in the directory, and no row of this file that can be imported has it"
        )
        if person not in stored:
            lost.extend(reports.get(person, ()))
    return found


def _circular(standing: Collection[str], manager_of: Mapping[str, str | None]) -> dict[str, str]:
    settled: set[str] = set()
    found: dict[str, str] = {}
    for start in standing:
        path: dict[str, int] = {}
        person: str | None = start
        while person and person not in settled and person not in path:
            path[person] = len(path)
            person = manager_of.get(person)
        if person in path and person is not None:
            for member in (each for each, depth in path.items() if depth >= path[person] and each in standing):
                found[member] = "is part of a circle: following the managers leads back to the same person"
        settled.update(path)
    return found
