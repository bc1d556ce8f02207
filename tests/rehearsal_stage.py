"""A folder with a roster of few people and rules, on which `rehearse` is run."""

import json
from pathlib import Path
from typing import Any

from matching.rehearsal import command
from typer.testing import CliRunner, Result

HEADER = "employee_id,email,name,title,manager_id,level,unit,country,time_zone,languages,joined"
DEFAULTS = {
    "email": "xenia@example.org",
    "name": "Xenia Xylander",
    "title": "Xylographer",
    "level": "2",
    "unit": "shops",
    "country": "GB",
    "time_zone": "Europe/London",
    "languages": "en",
    "joined": "2020-01",
    "enrolled": "yes",
}
Row = dict[str, str]


def junior(member: str, offers: str = "cloud", **cells: str) -> Row:
    """Somebody to learn from."""
    return DEFAULTS | {"employee_id": member, "offers": offers} | cells


def senior(member: str, seeks: str = "cloud", **cells: str) -> Row:
    """Somebody who wants to learn."""
    return DEFAULTS | {"employee_id": member, "seeks": seeks, "level": "9", "unit": "board"} | cells


class Stage:
    """A folder with a roster and rules, and the command run on them."""

    def __init__(self, folder: Path) -> None:
        self.people, self.rules = folder / "people.csv", folder / "rules.json"
        self.other, self.out = folder / "other.json", folder / "proposals.csv"
        self.rules.write_text("{}")

    def write(self, *rows: Row) -> None:
        """A roster of these people; its columns are the required ones and those that a row uses."""
        columns = list(dict.fromkeys([*HEADER.split(","), *(column for row in rows for column in row)]))
        lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows)]
        self.people.write_text("\n".join(lines) + "\n")

    def run(self, *more: str) -> Result:
        """The command."""
        files = ("--people", str(self.people), "--rules", str(self.rules), "--out", str(self.out))
        return CliRunner().invoke(command.app, [*files, "--on", "2026-11-27", *more])

    def told(self, *more: str) -> str:
        """What it says when all is well."""
        result = self.run(*more)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def summary(self, *more: str) -> Any:
        """The same as JSON."""
        return json.loads(self.told("--json", *more))

    def refused(self, *more: str) -> str:
        """What it says when it ends with 2."""
        result = self.run(*more)
        assert result.exit_code == 2, result.output
        return str(result.stderr).strip()
