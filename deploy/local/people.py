"""Whom one can sign in as: the fixed people of the demo company, or some that are found in one's own roster."""

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_PROGRAMME: Final = Path(__file__).with_name("programme.json")
_ENCODING: Final = "utf-8-sig"
_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Someone:
    """One person whom the sign-in page offers."""

    email: str
    role: str


DEMO: Final = (
    Someone("junior@demo.example", "a junior who has something to offer"),
    Someone("director@demo.example", "a director who wants to learn"),
    Someone("lead@demo.example", "lead of the demo programme"),
    Someone("analyst@demo.example", "analyst: insights"),
    Someone("operator@demo.example", "operator: roster import, operations"),
)


def of_roster(path: Path) -> list[Someone]:
    """A junior, a director, a lead, an analyst and an operator of somebody's own roster, as far as it has them."""
    with path.open(encoding=_ENCODING, errors="replace", newline="") as file:
        rows = [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(file)]
    rows = [row for row in rows if "@" in row.get("email", "")]
    taking_part = [row for row in rows if row.get("enrolled", "").strip().lower() == "yes"]
    picked = (
        (_most([row for row in taking_part if row.get("offers")], lambda row: -_level(row)), DEMO[0].role),
        (_most([row for row in taking_part if row.get("seeks")], _level), DEMO[1].role),
        (_lead(rows), DEMO[2].role),
        (_most([row for row in rows if "analyst" in row.get("roles", "")], _level), DEMO[3].role),
        (_most([row for row in rows if "operator" in row.get("roles", "")], _level), DEMO[4].role),
    )
    return [Someone(row["email"].strip().lower(), role) for row, role in picked if row is not None]


def programme_for(people: list[Someone], folder: Path) -> Path:
    """The demo programme's file, led by the lead among these people."""
    lead = next((person for person in people if person.role == DEMO[2].role), None)
    if lead is None or lead == DEMO[2]:
        return _PROGRAMME
    programme = json.loads(_PROGRAMME.read_text())
    file = folder / _PROGRAMME.name
    file.write_text(json.dumps(programme | {"leads": [lead.email]}, indent=2))
    return file


def patient_programme(days: int, folder: Path) -> Path:
    """The demo programme's file with another number of days for an answer."""
    programme = json.loads(_PROGRAMME.read_text())
    file = folder / _PROGRAMME.name
    file.write_text(json.dumps(programme | {"rules": programme["rules"] | {"expiry_days": days}}, indent=2))
    return file


def remember(people: list[Someone], folder: Path) -> None:
    """Keep them for later starts, which are given no roster."""
    (folder / "people.json").write_text(json.dumps([asdict(person) for person in people], indent=2))


def remembered(folder: Path) -> list[Someone]:
    """Those of the first start; the demo company's before it."""
    file = folder / "people.json"
    return [Someone(**person) for person in json.loads(file.read_text())] if file.exists() else list(DEMO)


def _lead(rows: list[_Row]) -> _Row | None:
    """An organiser runs the programme; without one an operator does, or else the person at the top."""
    organisers, operators = (
        [row for row in rows if role in row.get("roles", "")] for role in ("organiser", "operator")
    )
    return _most(organisers, _level) or _most(operators, _level) or _most(rows, _level)


def _most(rows: list[_Row], key: Callable[[_Row], int]) -> _Row | None:
    return max(rows, key=key, default=None)


def _level(row: _Row) -> int:
    try:
        return int(row.get("level", ""))
    except ValueError:
        return 0
