"""A programme with its rules, and the runs that fill it with proposals."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self
from uuid import UUID, uuid5

from chassis.state.aggregate import Aggregate
from contracts.matching import ProgrammePublished, Side
from pydantic import BaseModel, ConfigDict, Field, model_validator

from matching.domain.proposal import Reason
from matching.engine.rules import Rules

UNMATCHED_KEPT: Final = 2000
AREAS_AT_MOST: Final = 12
_NAMESPACE: Final = UUID("5d0f7b6e-52a5-4f0a-9b7a-6f0f3c1d2e84")


class Plan(BaseModel):
    """A programme as its file describes it; leads are e-mail addresses there, member ids here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=120)]
    opens_on: date
    closes_on: date
    open: bool = True
    leads: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    rules: Rules

    @model_validator(mode="after")
    def _is_a_programme(self) -> Self:
        if self.closes_on < self.opens_on:
            raise ValueError("the programme closes before it opens: check opens_on and closes_on")
        if not 1 <= len(self.rules.areas) <= AREAS_AT_MOST:
            raise ValueError(f"a programme names between 1 and {AREAS_AT_MOST} areas, under rules.areas")
        return self


class Programme(Aggregate):
    """A scheme with areas, rules, window and leads."""

    plan: Plan
    rules_version: int = 0

    @classmethod
    def draft(cls, id_: str, tenant: str, plan: Plan) -> "Programme":
        """A programme that was not published yet."""
        return cls(id=id_, tenant=tenant, plan=plan)

    def publish(self, plan: Plan) -> bool:
        """Make a plan the one that counts; the same plan again changes nothing."""
        if self.rules_version and plan == self.plan:
            return False
        self.plan, self.rules_version = plan, self.rules_version + 1
        self.say(
            ProgrammePublished(
                programme=self.id,
                areas=plan.rules.areas,
                open=plan.open,
                opens_on=plan.opens_on.isoformat(),
                closes_on=plan.closes_on.isoformat(),
                rules_version=self.rules_version,
            )
        )
        return True

    def running(self, today: date) -> bool:
        """Proposals may be made on this day."""
        return self.plan.open and self.plan.opens_on <= today <= self.plan.closes_on

    def led_by(self, member: str) -> bool:
        """Whether a member runs this programme."""
        return member in self.plan.leads


def programme_id(tenant: str, code: str) -> str:
    """The id of the programme whose file carries this code: loading twice meets the same one, and ids tell nothing."""
    return str(uuid5(_NAMESPACE, f"{tenant}/{code}"))


def run_id(programme: str, number: int) -> str:
    """The id of a programme's first, second, … run."""
    return f"{programme}-{number:06d}"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE: Final = (RunState.QUEUED, RunState.RUNNING)


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

    def give_up(self, engine: str, at: str) -> None:
        """Record that it was cancelled midway, or could not be done: the programme is not open today."""
        if self.state is RunState.RUNNING and self.claimed_by == engine:
            self._finish(RunState.CANCELLED if self.stop else RunState.FAILED, at)

    def _finish(self, state: RunState, at: str) -> None:
        self.state, self.finished_at, self.step = state, at, state.value
        if state is RunState.DONE:
            self.progress = 100
