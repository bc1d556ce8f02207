"""Telling what the columns of one's own file mean, before it is tried out or imported."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chassis.errors import InvalidError
from chassis.translation import gettext as _
from chassis.translation import mark

from profiles.rosters import staging
from profiles.rosters.columns import COLUMNS, JOINED, OWN, REQUIRED, Columns, Source
from profiles.rosters.file import RosterFile
from profiles.rosters.jobs import ImportJob

_SHOWN_ROWS: Final = 3
_LONGEST: Final = 80
LABELS: Final = {
    "employee_id": mark("Employee number"),
    "email": mark("E-mail address"),
    "name": mark("Name"),
    "title": mark("Job title"),
    "manager_id": mark("Employee number of the manager"),
    "level": mark("Level, 1 (most junior) to 12"),
    "unit": mark("Unit"),
    "country": mark("Country, two letters"),
    "time_zone": mark("Time zone, such as Europe/Berlin"),
    "languages": mark("Languages, two letters each, separated by ;"),
    "joined": mark("Month or day of joining"),
    "work_from": mark("Working day from, hour"),
    "work_to": mark("Working day to, hour"),
    "function": mark("Function"),
    "site": mark("Site"),
    "offers": mark("Areas offered"),
    "seeks": mark("Areas sought"),
    "likes": mark("Functions whose people they would like to meet"),
    "in_person": mark("Would rather meet in person, yes or no"),
    "mentor_capacity": mark("Mentees at one time"),
    "mentee_capacity": mark("Mentors at one time"),
    "enrolled": mark("Takes part, yes or no"),
    "roles": mark("Roles"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One of our columns on the page, with where it comes from so far."""

    name: str
    label: str
    required: bool
    source: Source
    joined: bool
    """It may come from two columns."""
    own: bool
    """One value for everybody makes no sense."""


async def shown(job: ImportJob, chosen: Columns | None = None, problem: str = "") -> dict[str, Any]:
    """What the page shows of a file that waits: our columns, the file's, and its first lines."""
    columns = chosen or job.wish.columns or Columns(header=(), sources={})
    path = staging.kept(job.id)
    _header, rows = await asyncio.to_thread(RosterFile(path).beginning, _SHOWN_ROWS) if path else ((), [])
    return {
        "lines": [_line(name, columns.sources.get(name, Source())) for name in COLUMNS],
        "names": [("", _("nothing")), *((name, name) for name in dict.fromkeys(columns.header) if name)],
        "header": columns.header,
        "rows": rows,
        "problem": problem,
    }


def chosen(job: ImportJob, form: Mapping[str, Any]) -> Columns:
    """What the form says about the columns of this job's file."""
    header = job.wish.columns.header if job.wish.columns else ()
    return Columns(header=header, sources={name: _source(name, form) for name in COLUMNS})


def check(columns: Columns) -> None:
    """Go on only when each column that is needed comes from somewhere.

    Raises:
        InvalidError: says which one does not, or which text is too long.
    """
    if missing := columns.unsettled():
        labels = ", ".join(_(LABELS[name]) for name in missing)
        raise InvalidError(_("Say where these come from: %(columns)s.") % {"columns": labels})
    for name, source in columns.sources.items():
        if len(source.otherwise) > _LONGEST or not source.otherwise.isprintable():
            raise InvalidError(
                _("%(column)s: write at most %(most)s plain characters.")
                % {"column": _(LABELS[name]), "most": _LONGEST}
            )


def _line(name: str, source: Source) -> Line:
    return Line(name, _(LABELS[name]), name in REQUIRED, source, joined=name in JOINED, own=name in OWN)


def _source(name: str, form: Mapping[str, Any]) -> Source:
    fields = ("from", "and") if name in JOINED else ("from",)
    picked = (str(form.get(f"{field}-{name}") or "") for field in fields)
    otherwise = "" if name in OWN else str(form.get(f"otherwise-{name}") or "").strip()
    return Source(columns=tuple(dict.fromkeys(each for each in picked if each)), otherwise=otherwise)
