"""Which column of a file tells what: by the documented names, or as somebody chose for a file with names of its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from chassis.errors import InvalidError
from pydantic import BaseModel, ConfigDict

REQUIRED: Final = (
    *("employee_id", "email", "name", "title", "manager_id", "level", "unit", "country", "time_zone"),
    *("languages", "joined"),
)
OPTIONAL: Final = (
    *("work_from", "work_to", "function", "site", "offers", "seeks", "likes", "in_person"),
    *("mentor_capacity", "mentee_capacity", "enrolled", "roles"),
)
COLUMNS: Final = REQUIRED + OPTIONAL
OWN: Final = frozenset({"employee_id", "email", "name", "manager_id", "roles"})
"""Columns for which one value for everybody makes no sense."""
JOINED: Final = frozenset({"name"})
"""Columns that a file may tell in two: first and last name."""

MOST_COLUMNS: Final = 200
LONGEST_NAME: Final = 120
_DELIMITERS: Final = (",", ";", "\t")
_QUOTED: Final = re.compile(r'"[^"]*"')
# How systems of personnel departments name these columns, in small letters and without spaces and signs.
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "employee_id": (
        "employeeid",
        "employeenumber",
        "staffid",
        "personnelnumber",
        "personalnummer",
        "mitarbeiternummer",
    ),
    "email": ("email", "emailaddress", "workemail", "mail", "emailadresse", "dienstlicheemail"),
    "name": ("name", "fullname", "displayname", "firstname", "givenname", "vorname"),
    "title": ("title", "jobtitle", "position", "stelle", "stellenbezeichnung", "funktionsbezeichnung"),
    "manager_id": ("managerid", "manageremployeeid", "supervisorid", "linemanagerid", "vorgesetztennummer"),
    "level": ("level", "joblevel", "grade", "careerlevel", "stufe", "karrierestufe"),
    "unit": ("unit", "department", "businessunit", "organisation", "abteilung", "bereich"),
    "country": ("country", "countrycode", "land", "laendercode"),
    "time_zone": ("timezone", "zeitzone"),
    "languages": ("languages", "language", "sprachen", "sprache"),
    "joined": ("joined", "hiredate", "startdate", "joindate", "eintrittsdatum", "eintritt"),
    "function": ("function", "jobfunction", "jobfamily", "funktion"),
    "site": ("site", "location", "office", "standort"),
}
_LAST_NAMES: Final = ("lastname", "surname", "familyname", "nachname")


class RosterError(InvalidError):
    """The file as a whole cannot be read; nothing was imported."""


class Source(BaseModel):
    """Where one of our columns comes from."""

    model_config = ConfigDict(frozen=True)

    columns: tuple[str, ...] = ()
    """Names on the file's first line; the texts of two are joined by a space."""
    otherwise: str = ""
    """What counts where the file says nothing."""


class Columns(BaseModel):
    """What somebody chose for files with this first line."""

    model_config = ConfigDict(frozen=True)

    header: tuple[str, ...]
    sources: dict[str, Source]

    @classmethod
    def suggested(cls, header: Sequence[str]) -> Self:
        """Our best guess for a file whose first line reads so."""
        plain = {re.sub(r"[^a-zäöüß0-9]", "", name.lower()): name for name in reversed(header)}
        sources = {}
        for ours in COLUMNS:
            usual = (ours.replace("_", ""), *_USUAL.get(ours, ()))
            found = [plain[name] for name in usual if name in plain][:1]
            if found and ours in JOINED:
                found += [plain[name] for name in _LAST_NAMES if name in plain][:1]
            sources[ours] = Source(columns=tuple(found))
        return cls(header=tuple(header), sources=sources)

    def unsettled(self) -> list[str]:
        """Required columns of which nobody has said where they come from."""
        return [name for name in REQUIRED if not self._settled(self.sources.get(name, Source()))]

    def told(self, ours: str) -> str:
        """How a reader of the file finds one of our columns in it."""
        return " + ".join(self.sources.get(ours, Source()).columns) or ours

    def _settled(self, source: Source) -> bool:
        return bool(source.columns or source.otherwise) and set(source.columns) <= set(self.header)


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the rows of one file."""

    width: int
    places: Mapping[str, tuple[int, ...]]
    otherwise: Mapping[str, str]

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """The texts of our columns in one row that is as wide as the first line."""
        texts = dict(self.otherwise)
        for ours, places in self.places.items():
            if text := " ".join(part for place in places if (part := cells[place].strip())):
                texts[ours] = text
        return texts


def documented(header: Sequence[str]) -> bool:
    """Whether a file with this first line needs nobody to say what its columns tell."""
    names = {name.lower() for name in header}
    return names.issuperset(REQUIRED)


def delimiter_of(line: str) -> str:
    """What separates the columns of a file with this first line."""
    bare = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=bare.count)


def layout_of(cells: Sequence[str], chosen: Columns | None) -> Layout:
    """How to read a file with this first line.

    Raises:
        RosterError: a required column is missing, or one stands there twice.
    """
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise RosterError("The file is empty. Its first line names the columns: " + ", ".join(REQUIRED) + ".")
    return _documented(names) if chosen is None else _as_chosen(names, chosen)


def _documented(names: list[str]) -> Layout:
    names = [name.lower() for name in names]
    complaints = []
    if missing := [name for name in REQUIRED if name not in names]:
        complaints.append("these columns are missing: " + ", ".join(missing))
    if doubled := sorted({name for name in names if name in COLUMNS and names.count(name) > 1}):
        complaints.append("these columns stand there twice: " + ", ".join(doubled))
    if complaints:
        raise RosterError(f"Line 1: {'; '.join(complaints)}. Columns are separated by commas, semicolons or tabs.")
    return Layout(len(names), {name: (names.index(name),) for name in COLUMNS if name in names}, {})


def _as_chosen(names: list[str], chosen: Columns) -> Layout:
    if tuple(names) != chosen.header:
        raise RosterError("Line 1 is not the one for which the columns were chosen. Choose them again.")
    places = {
        ours: tuple(names.index(name) for name in source.columns)
        for ours, source in chosen.sources.items()
        if source.columns
    }
    otherwise = {ours: source.otherwise for ours, source in chosen.sources.items() if source.otherwise}
    return Layout(len(names), places, otherwise)
