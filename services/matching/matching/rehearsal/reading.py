"""A roster file becomes people for the engine, with a sentence for each row that can't be used.

The file is read as a stream, line by line. Of names, addresses and titles nothing outlives its line.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from chassis.errors import InvalidError
from chassis.translation import gettext as _

from matching.engine.people import Person
from matching.rehearsal import cells as cell
from matching.rehearsal.cells import Column, Reader, Wrong

REQUIRED: Final = (
    *("employee_id", "email", "name", "title", "manager_id", "level", "unit", "country", "time_zone"),
    *("languages", "joined"),
)
OPTIONAL: Final = (
    *("work_from", "work_to", "function", "site", "offers", "seeks", "likes", "in_person"),
    *("mentor_capacity", "mentee_capacity", "enrolled", "roles"),
)
OWN: Final = ("waiting_days",)
"""Read by the rehearsal, ignored by the import: in the running system people wait by themselves."""
COLUMNS: Final = REQUIRED + OPTIONAL + OWN

_TOLD_EVERY: Final = 2_000

Progress = Callable[[float], None]


class FileError(InvalidError):
    """A file as a whole cannot be used; one sentence says why."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that keeps its row out of the rehearsal."""

    line: int
    column: str
    reason: str
    person: str = ""
    """The id in the row, where it can be told."""

    def told(self) -> str:
        """The sentence for it."""
        text = _("line {line}, {column} {reason}.") if self.column else _("line {line} {reason}.")
        return text.format(line=self.line, column=self.column, reason=self.reason)


@dataclass(slots=True)
class Roster:
    """What a file holds."""

    people: list[Person] = field(default_factory=list)
    refused: list[RowError] = field(default_factory=list)
    enrolled: int = 0
    tells_waiting: bool = False
    line_of: dict[str, int] = field(default_factory=dict)


def read_roster(path: Path, day: date, progress: Progress) -> Roster:
    """Everybody in a roster.

    Args:
        path: of the CSV file.
        day: for time zones, and up to which months since joining are counted.
        progress: told the share of the file that is read.

    Raises:
        FileError: it can't be read, is empty, not UTF-8 or not CSV, or its columns are not the documented ones.
    """
    try:
        with path.open("rb") as file:
            return _read(_lines(file, max(1, path.stat().st_size), progress), day)
    except OSError as error:
        raise FileError(_("We could not read {path}: {why}.").format(path=path, why=error.strerror)) from error


def _read(lines: Iterator[str], day: date) -> Roster:
    reader = csv.reader(lines, strict=True)
    try:
        header = _header(next(reader, []))
        rows = _Rows(header, day)
        for cells in reader:
            if any(cells) and any(cell.strip() for cell in cells):
                rows.add(reader.line_num, cells)
    except csv.Error as error:
        raise FileError(
            _("The people file is not readable as CSV near line {line}: {why}.").format(line=reader.line_num, why=error)
        ) from error
    return rows.roster


def _lines(file: Any, size: int, progress: Progress) -> Iterator[str]:
    position = 0
    for number, line in enumerate(file, start=1):
        position += len(line)
        if number % _TOLD_EVERY == 0:
            progress(min(1.0, position / size))
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise FileError(
                _("The people file is not UTF-8 text (line {line}). Save it as 'CSV UTF-8' and try again.").format(
                    line=number
                )
            ) from error
        if "\x00" in text:
            raise FileError(_("Line {line} is not text. Save the file as 'CSV UTF-8'.").format(line=number))
        yield text
    progress(1.0)


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if not any(names):
        raise FileError(
            _("The people file is empty. Its first line names the columns: {columns}.").format(
                columns=", ".join(REQUIRED)
            )
        )
    complaints = []
    if missing := [name for name in REQUIRED if name not in names]:
        complaints.append(_("these columns are missing: {columns}").format(columns=", ".join(missing)))
    if doubled := sorted({name for name in names if name in COLUMNS and names.count(name) > 1}):
        complaints.append(_("these columns stand there twice: {columns}").format(columns=", ".join(doubled)))
    if complaints:
        raise FileError(
            _("Line 1 of the people file: {complaints}. Columns are separated by commas.").format(
                complaints="; ".join(complaints)
            )
        )
    return names


class _Rows:
    """Takes rows in, one after the other."""

    def __init__(self, header: list[str], day: date) -> None:
        self.roster = Roster(tells_waiting="waiting_days" in header)
        self._width = len(header)
        self._place = {name: place for place, name in enumerate(header)}
        codes = cell.words(cell.LONGEST_CODE)
        areas = cell.several(cell.area, cell.MOST_AREAS_NAMED)
        places = cell.number(0, cell.MOST_PLACES)
        self._level = self._column("level", cell.number(1, cell.HIGHEST_LEVEL), 1)
        self._unit = self._column("unit", codes, "")
        self._country = self._column("country", cell.country, "")
        self._offset = self._column("time_zone", cell.offset(day), 0)
        self._languages = self._column("languages", cell.several(cell.language), ())
        self._joined = self._column("joined", cell.joined(day), (0, 0))
        self._from = self._column("work_from", cell.number(0, 23), 9)
        self._to = self._column("work_to", cell.number(1, 24), 17)
        self._offers = self._column("offers", areas, ())
        self._seeks = self._column("seeks", areas, ())
        self._mentor_places = self._column("mentor_capacity", places, 1)
        self._mentee_places = self._column("mentee_capacity", places, 1)
        self._enrolled = self._column("enrolled", cell.yes_or_no, default=False)
        self._function = self._column("function", codes, "")
        self._site = self._column("site", codes, "")
        self._likes = self._column("likes", cell.several(codes, cell.MOST_WISHES), ())
        self._in_person = self._column("in_person", cell.yes_or_no, default=False)
        self._waiting = self._column("waiting_days", cell.number(0, cell.LONGEST_WAIT), 0)
        self._id = cell.words(cell.LONGEST_ID)

    def _column(self, name: str, read: Reader[Any], default: Any) -> Column[Any]:
        # A column that is not there reads the empty cell that stands behind each row.
        return Column(name, self._place.get(name, -1), read, default, name in REQUIRED, {})

    def add(self, line: int, cells: list[str]) -> None:
        """One row: a person more, or what is wrong."""
        if len(cells) != self._width:
            reason = _("has {cells} cells, but line 1 names {columns} columns")
            self.roster.refused.append(RowError(line, "", reason.format(cells=len(cells), columns=self._width)))
            return
        cells.append("")
        wrong: Wrong = []
        person = self._person(cells, wrong)
        if person.id in self.roster.line_of:
            first = self.roster.line_of[person.id]
            wrong.append(("employee_id", _("stands on line {first} already, and that line counts").format(first=first)))
        if wrong:
            self.roster.refused += [RowError(line, column, reason, person.id) for column, reason in wrong]
            return
        self.roster.line_of[person.id] = line
        self.roster.people.append(person)
        self.roster.enrolled += self._enrolled.take(cells, wrong)

    def _person(self, cells: list[str], wrong: Wrong) -> Person:
        work_from, work_to = self._from.take(cells, wrong), self._to.take(cells, wrong)
        if work_from >= work_to:
            wrong.append(("work_to", _("is not after work_from; both are local hours of the same day")))
        offers, seeks = self._offers.take(cells, wrong), self._seeks.take(cells, wrong)
        enrolled = self._enrolled.take(cells, wrong)
        tenure, joined = self._joined.take(cells, wrong)
        return Person(
            id=self._member("employee_id", cells, wrong),
            level=self._level.take(cells, wrong),
            unit=self._unit.take(cells, wrong),
            country=self._country.take(cells, wrong),
            manager=self._member("manager_id", cells, wrong) or None,
            utc_offset=self._offset.take(cells, wrong),
            work_from=work_from,
            work_to=work_to,
            languages=self._languages.take(cells, wrong),
            offers=offers,
            seeks=seeks,
            open_to_mentor=enrolled and bool(offers),
            open_to_be_mentored=enrolled and bool(seeks),
            mentor_capacity=self._mentor_places.take(cells, wrong),
            mentee_capacity=self._mentee_places.take(cells, wrong),
            waiting_days=self._waiting.take(cells, wrong),
            tenure=tenure,
            joined=joined,
            function=self._function.take(cells, wrong),
            site=self._site.take(cells, wrong),
            likes=self._likes.take(cells, wrong),
            in_person=self._in_person.take(cells, wrong),
        )

    def _member(self, column: str, cells: list[str], wrong: Wrong) -> str:
        text = cells[self._place[column]].strip()
        if not text:
            if column == "employee_id":
                wrong.append((column, _("is empty")))
            return ""
        try:
            return self._id(cell.plain(text))
        except ValueError as error:
            wrong.append((column, str(error)))
            return ""
