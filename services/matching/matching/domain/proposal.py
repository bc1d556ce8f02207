"""What is put before two people: who they are at that moment, what they share, and why."""

from enum import StrEnum
from typing import Annotated

from contracts.matching import PersonBands, Side
from pydantic import BaseModel, ConfigDict, Field


class Origin(StrEnum):
    """Who began."""

    ENGINE = "engine"
    MENTOR = "mentor"
    MENTEE = "mentee"
    LEAD = "lead"


class Term(BaseModel):
    """One part of a score; the terms of a proposal add up to it exactly."""

    model_config = ConfigDict(frozen=True)

    code: str
    points: int


class Reason(BaseModel):
    """A sentence to be: its code and what fills its gaps. Area and language codes get their labels when it is shown."""

    model_config = ConfigDict(frozen=True)

    code: str
    values: dict[str, str | int] = Field(default_factory=dict)


class Terms(BaseModel):
    """What a proposal says about a pair, besides who it is. Each side reads its own reasons, a lead the points."""

    model_config = ConfigDict(frozen=True)

    areas: Annotated[tuple[str, ...], Field(min_length=1, max_length=12)]
    score: int = 0
    points: tuple[Term, ...] = ()
    price: int = 0
    """What others wanted the mentor's place for when this was proposed; the rest of the score is the mentee's."""
    for_mentor: tuple[Reason, ...] = ()
    for_mentee: tuple[Reason, ...] = ()
    origin: Origin = Origin.ENGINE

    def reasons_for(self, side: Side) -> tuple[Reason, ...]:
        """What one side reads."""
        return self.for_mentor if side is Side.MENTOR else self.for_mentee


class Partner(BaseModel):
    """One side of a new pair with the bands that are frozen now."""

    model_config = ConfigDict(frozen=True)

    member: str
    bands: PersonBands


def life_key(tenant: str, mentor: str, mentee: str, lives_before: int) -> str:
    """Names one life of a pair for ever: the number of those before it only grows when one is over."""
    return f"{tenant}:{mentor}:{mentee}:{lives_before}"
