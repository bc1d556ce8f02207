"""A programme: what it is called, whom it is for, its rules, its window and its leads."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self
from uuid import UUID, uuid5

from chassis.errors import ConflictError
from chassis.state.aggregate import Aggregate
from contracts.matching import ProgrammePublished
from pydantic import BaseModel, ConfigDict, Field, model_validator

from matching.domain.agreement import Customs
from matching.engine.rules import Rules

AREAS_AT_MOST: Final = 12
LEADS_AT_MOST: Final = 20
_NAMESPACE: Final = UUID("5d0f7b6e-52a5-4f0a-9b7a-6f0f3c1d2e84")


class Scheme(StrEnum):
    """How an organisation speaks of it; the word for the whole, and what it promises both sides."""

    REVERSE = "reverse"
    RECIPROCAL = "reciprocal"
    MUTUAL = "mutual"


class Stage(StrEnum):
    """How far a programme is."""

    DRAFT = "draft"
    """Only its leads know of it."""
    OPEN = "open"
    CLOSED = "closed"
    """Nobody is proposed any more; what runs goes on."""


class Plan(BaseModel):
    """A programme as its file describes it; leads are e-mail addresses there, member ids here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=120)]
    about: Annotated[str, Field(max_length=2000)] = ""
    """What it is for, in the lead's words; members read it, and it stays in this service."""
    scheme: Scheme = Scheme.REVERSE
    opens_on: date
    closes_on: date
    open: bool = True
    review: bool = False
    """A lead looks over what a run has found before anybody hears of it."""
    leads: Annotated[tuple[str, ...], Field(max_length=LEADS_AT_MOST)] = ()
    rules: Rules
    customs: Customs = Customs()
    """What an agreement begins with."""

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
    begun: bool = False
    """What a run found has gone out at least once."""

    @classmethod
    def draft(cls, id_: str, tenant: str, plan: Plan) -> "Programme":
        """A programme that was not published yet."""
        return cls(id=id_, tenant=tenant, plan=plan)

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if not self.rules_version:
            return Stage.DRAFT
        return Stage.OPEN if self.plan.open else Stage.CLOSED

    def edit(self, plan: Plan) -> bool:
        """Change the plan: of a draft for its leads alone, of a published programme for everybody at once."""
        if self.stage is not Stage.DRAFT:
            return self.publish(plan)
        changed, self.plan = plan != self.plan, plan
        return changed

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

    def turn(self, *, open_: bool) -> bool:
        """Open it to proposals, which publishes a draft, or close it; what runs goes on.

        Raises:
            ConflictError: a draft cannot be closed.
        """
        if self.stage is Stage.DRAFT and not open_:
            raise ConflictError("This programme was never opened. Go on editing it, or leave it as it is.")
        return self.publish(self.plan.model_copy(update={"open": open_}))

    @property
    def patience(self) -> timedelta:
        """How long a proposal may wait for answers."""
        return timedelta(days=self.plan.rules.expiry_days)

    def running(self, today: date) -> bool:
        """Proposals may be made on this day."""
        return self.stage is Stage.OPEN and self.plan.opens_on <= today <= self.plan.closes_on

    def answers_alone(self, today: date) -> bool:
        """Whoever changes is proposed to at once: where leads look runs over, only after the first of them."""
        return self.running(today) and (self.begun or not self.plan.review)

    def begin(self) -> bool:
        """Remember that proposals have gone out."""
        before, self.begun = self.begun, True
        return not before

    def led_by(self, member: str) -> bool:
        """Whether a member runs this programme."""
        return member in self.plan.leads


def programme_id(tenant: str, code: str) -> str:
    """The id of the programme whose file carries this code: loading twice meets the same one, and ids tell nothing."""
    return str(uuid5(_NAMESPACE, f"{tenant}/{code}"))
