"""The import of one roster as a document, so that any replica can tell how far it is."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from chassis.errors import ConflictError
from chassis.state.aggregate import Aggregate
from chassis.translation import gettext as _
from pydantic import BaseModel, ConfigDict

from profiles.rosters.columns import Columns

KEPT_ERRORS: Final = 1000  # an array in a document is bounded; the count is not
_SILENT_SECONDS: Final = 60


class JobStatus(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"  # its file is there, and somebody is to say which column tells what
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"  # the file as a whole could not be read
    INTERRUPTED = "interrupted"  # its process ended; importing the same file again finishes it


class Problem(BaseModel):
    """One cell that kept its row out, as the page shows it."""

    model_config = ConfigDict(frozen=True)

    line: int
    column: str
    reason: str


class Wish(BaseModel):
    """How a roster is to be imported."""

    model_config = ConfigDict(frozen=True)

    trial: bool = False
    """Look at everything and change nothing."""
    most_leavers: int = 0
    """People who are missing from the file are taken out, if they are no more than this."""
    columns: Columns | None = None
    """What its columns tell; nothing where they have the documented names."""


class Counts(BaseModel):
    """What the rows came to."""

    model_config = ConfigDict(frozen=True)

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    missing: int = 0
    """People of the directory who are not in the file."""
    left: int = 0
    """Those of them who were taken out, or would be."""

    @property
    def imported(self) -> int:
        """Rows that stand in the directory now."""
        return self.created + self.updated + self.unchanged


class ImportJob(Aggregate):
    """One roster on its way into the directory."""

    started_at: str
    touched_at: str
    status: JobStatus = JobStatus.RUNNING
    percent: int = 0
    counts: Counts = Counts()
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    wish: Wish = Wish()
    by: str = ""
    """The member who asked for it; nobody for a service."""

    def begin(self, wish: Wish, at: str) -> None:
        """The columns are settled.

        Raises:
            ConflictError: it has begun already, from another window.
        """
        if self.status is not JobStatus.WAITING:
            raise ConflictError(_("This import has begun already. Look below how far it is."))
        self.status, self.wish, self.touched_at = JobStatus.RUNNING, wish, at

    def told(self, column: str) -> str:
        """How a reader of the file finds one of our columns in it."""
        return self.wish.columns.told(column) if self.wish.columns else column

    def advance(self, percent: int, counts: Counts, at: str) -> None:
        """The work goes on."""
        self.percent, self.counts, self.touched_at = percent, counts, at

    def finish(self, counts: Counts, problems: list[Problem], at: str) -> None:
        """Every row was looked at."""
        self.status, self.percent, self.counts, self.touched_at = JobStatus.DONE, 100, counts, at
        self.problems = tuple(problems[:KEPT_ERRORS])

    def refuse(self, reason: str, at: str) -> None:
        """The file could not be read; nothing was imported."""
        self.status, self.reason, self.touched_at = JobStatus.REFUSED, reason, at

    def seen_at(self, now: datetime) -> JobStatus:
        """The status as a reader should understand it: a job that fell silent was interrupted."""
        silent = (now - datetime.fromisoformat(self.touched_at)).total_seconds() > _SILENT_SECONDS
        return JobStatus.INTERRUPTED if self.status is JobStatus.RUNNING and silent else self.status
