"""Runs, which fill a programme with proposals: jobs that an engine claims, and what came of them."""

from enum import StrEnum
from typing import Final

from chassis.errors import ConflictError
from chassis.state.aggregate import Aggregate
from contracts.matching import Side
from pydantic import BaseModel, Field

from matching.domain.proposal import Reason

UNMATCHED_KEPT: Final = 2000


def run_id(programme: str, number: int) -> str:
    """The id of a programme's first, second, … run."""
    return f"{programme}-{number:06d}"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    REVIEW = "review"
    """It has found its pairs; a lead looks them over before anybody hears of them."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE: Final = (RunState.QUEUED, RunState.RUNNING)
UNFINISHED: Final = (*ACTIVE, RunState.REVIEW)


class Coverage(BaseModel):
    """How far one side is served."""

    people: int = 0
    paired: int = 0
    places: int = 0
    filled: int = 0


class Unpaired(BaseModel):
    """Somebody without a pair on a side, and what stands between them and one, the greatest obstacle first."""

    member: str
    side: Side
    why: tuple[Reason, ...] = ()


class Result(BaseModel):
    """What a run found. `certificate` counts hundredths of a percent of the best possible."""

    proposed: int = 0
    kept: int = 0
    withdrawn: int = 0
    certificate: int = 0
    mentors: Coverage = Coverage()
    mentees: Coverage = Coverage()
    unpaired: list[Unpaired] = Field(default_factory=list, max_length=UNMATCHED_KEPT)
    unpaired_in_all: int = 0


class Run(Aggregate):
    """A job that an engine claims. Its id counts a programme's runs: the next number exists once this one is over."""

    programme: str
    number: int
    asked_by: str
    asked_at: str
    state: RunState = RunState.QUEUED
    step: str = "waiting"
    progress: int = 0
    reviewed: bool = False
    """What it found was looked over and may go out."""
    claimed_by: str | None = None
    seen: int = 0
    stop: bool = False
    finished_at: str | None = None
    result: Result | None = None

    @classmethod
    def request(cls, tenant: str, programme: str, number: int, by: str, at: str) -> "Run":
        """Ask for a run; of two who ask at once, one finds the number taken."""
        return cls(
            id=run_id(programme, number), tenant=tenant, programme=programme, number=number, asked_by=by, asked_at=at
        )

    def claim(self, engine: str, seen: int, patience: int = 15) -> bool:
        """Take the job, or take it over from an engine that was silent for longer than `patience` seconds."""
        if self.state not in ACTIVE:
            return False
        silent = seen - self.seen > patience
        if self.state is RunState.RUNNING and self.claimed_by != engine and not silent:
            return False
        self.state, self.claimed_by, self.seen = RunState.RUNNING, engine, seen
        return True

    def advance(self, engine: str, seen: int, step: str, progress: int) -> bool:
        """Report progress; false tells the engine to stop, because of a cancel or because another took over."""
        if self.state is not RunState.RUNNING or self.claimed_by != engine or self.stop:
            return False
        self.step, self.progress, self.seen = step, progress, seen
        return True

    def cancel(self, at: str) -> None:
        """Ask for an end; proposals made so far stay."""
        if self.state is RunState.QUEUED:
            self._finish(RunState.CANCELLED, at)
        elif self.state is RunState.RUNNING:
            self.stop = True

    def finish(self, engine: str, result: Result, at: str) -> None:
        """Record what was found, unless another engine took over."""
        if self.state is RunState.RUNNING and self.claimed_by == engine:
            self.result = result
            self._finish(RunState.CANCELLED if self.stop else RunState.DONE, at)

    def hand_in(self, engine: str, result: Result, at: str) -> None:
        """Record what was found, for a lead to look over; nobody has heard of it."""
        if self.state is RunState.RUNNING and self.claimed_by == engine:
            self.result = result
            self._finish(RunState.CANCELLED if self.stop else RunState.REVIEW, at)

    def send(self) -> None:
        """Let what was looked over go out: the run is a job for an engine once more.

        Raises:
            ConflictError: there is nothing to send.
        """
        if self.reviewed:
            return
        if self.state is not RunState.REVIEW:
            raise ConflictError("This run has nothing to send any more. Look at the programme again.")
        self.reviewed, self.state, self.step, self.progress, self.claimed_by = True, RunState.QUEUED, "waiting", 0, None

    def discard(self, at: str) -> None:
        """Let what was found go, before anybody heard of it; afterwards it changes nothing."""
        if self.state is RunState.REVIEW:
            self._finish(RunState.CANCELLED, at)

    def give_up(self, engine: str, at: str) -> None:
        """Record that it was cancelled midway, or could not be done: the programme is not open today."""
        if self.state is RunState.RUNNING and self.claimed_by == engine:
            self._finish(RunState.CANCELLED if self.stop else RunState.FAILED, at)

    def _finish(self, state: RunState, at: str) -> None:
        self.state, self.finished_at, self.step = state, at, state.value
        if state is not RunState.REVIEW:
            self.ask("forget-suggestions")
        if state is RunState.DONE:
            self.progress = 100
