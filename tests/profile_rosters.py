"""Rosters for the tests: a readable default row, overridden by keyword."""

from pathlib import Path

from profiles.rosters.columns import COLUMNS

DEFAULTS = {
    "manager_id": "",
    "title": "Specialist",
    "level": "3",
    "unit": "sales",
    "country": "DE",
    "time_zone": "Europe/Berlin",
    "languages": "de;en",
    "joined": "2021-05",
    "offers": "ai-tools;cloud",
    "seeks": "generations",
    "enrolled": "yes",
}


def a_row(employee_id: str, /, **cells: str) -> dict[str, str]:
    """One row as a mapping of column to cell."""
    named = {"employee_id": employee_id, "email": f"{employee_id.lower()}@demo.example", "name": f"Name {employee_id}"}
    return {**DEFAULTS, **named, **cells}


def a_file(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write the rows as a roster without any quoting, so cells stay as the test wrote them."""
    lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
