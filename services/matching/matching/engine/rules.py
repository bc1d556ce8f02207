"""What a programme's lead decides: hard rules first, then weights. The format in which programmes are stored.

Two rules cannot be switched off and so are no fields: nobody is paired with anyone in their own management chain,
nor with somebody who has the same manager.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_AREAS = 64

MOST_POINTS = 10_000

EXPERIENCE_GAP = "experience-gap"
"""How `Rule.LEVEL` is told where experience makes somebody senior."""

Points = Annotated[int, Field(ge=0, le=MOST_POINTS)]
AreaCode = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Rule(StrEnum):
    """A hard rule that a pair can fail; the order is the one in which failures are told."""

    LEVEL = "level-gap"
    AREAS = "common-area"
    HOURS = "common-hours"
    LANGUAGE = "common-language"
    UNIT = "different-unit"
    CHAIN = "management-chain"
    MANAGER = "same-manager"
    PAST = "not-available"
    TOGETHER = "already-together"
    TENURE = "tenure"
    NEW_JOINER = "new-joiner"


class Direction(StrEnum):
    """What makes one of two the senior one, so that mentoring them is reverse mentoring."""

    LEVEL = "level"
    EXPERIENCE = "experience"
    """The year of joining: who has been here longer."""


class Term(StrEnum):
    """A part of a score. The parts of a pair always add up to its score."""

    AREAS = "areas"
    MENTEE_CHOICE = "mentee-choice"
    MENTOR_CHOICE = "mentor-choice"
    HOURS = "hours"
    UNIT = "other-unit"
    COUNTRY = "other-country"
    FUNCTION = "other-function"
    LEVEL = "level"
    MENTEE_WISH = "mentee-wish"
    MENTOR_WISH = "mentor-wish"
    IN_PERSON = "in-person"
    MENTEE_WAITING = "mentee-waiting"
    MENTOR_WAITING = "mentor-waiting"


class Weights(BaseModel):
    """How much each good thing about a pair is worth, in whole points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: Points = Field(400, description="Each of the three rarest areas that the two share.")
    rarity: Points = Field(260, description="On top, for every halving of the share of mentors who offer the area.")
    rarity_limit: Points = Field(1_200, description="The most that rarity adds for one area.")
    mentee_choice: Points = Field(
        600, description="The mentee's first choice is shared; later choices count three, two and one quarter."
    )
    mentor_choice: Points = Field(
        400, description="The mentor's first offer is shared; later offers count three, two and one quarter."
    )
    hours: Points = Field(600, description="Four or more common working hours; fewer count in proportion.")
    other_unit: Points = Field(700, description="The two work in different units.")
    other_country: Points = Field(400, description="The two work in different countries.")
    other_function: Points = Field(300, description="The two work in different functions, where both are known.")
    wish: Points = Field(600, description="One is of a function that the other would like to meet; for each of them.")
    in_person: Points = Field(
        300, description="Both would rather meet in person, and work at the same site of one country."
    )
    level: Points = Field(
        80, description="Each level, or year, between the two beyond the least gap, at most four of them."
    )
    waiting: Points = Field(5, description="Each day that a person has waited, at most 90 days, on both sides.")
    reach: int = Field(
        100,
        ge=0,
        le=100,
        description="How much scarcity counts, in percent: 100 finds somebody for most people; "
        "0 gives each other to the two who fit best, although somebody else then has nobody.",
    )
    open_proposal: Points = Field(
        100,
        description="How much better a new proposal must be than one that nobody has answered yet, to replace it.",
    )
    further_pair: Points = Field(
        400, description="How much better a second pair of a person must be than a first pair of somebody else."
    )


class Rules(BaseModel):
    """Who may be paired at all, how many proposals a person gets, and what makes a pair good."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Direction = Field(
        Direction.LEVEL,
        description="What makes one of the two the senior one: the level, or experience, which is the year of joining.",
    )
    level_gap: int = Field(
        2, ge=0, le=11, description="The least number of levels between the two; of years where experience counts."
    )
    reverse_only: bool = Field(True, description="The mentee must be the senior one.")
    areas: tuple[AreaCode, ...] = Field(
        (), max_length=MOST_AREAS, description="The areas that count; none means every area that people name."
    )
    common_minutes: int = Field(60, ge=0, le=1_440, description="The least common working time of a day, in minutes.")
    common_language: bool = Field(True, description="The two must share a language.")
    different_unit: bool = Field(True, description="The two must work in different units.")
    mentor_tenure: int = Field(0, ge=0, le=600, description="The least months since a mentor joined.")
    new_joiner_months: int = Field(
        0,
        ge=0,
        le=600,
        description="Mentors are new joiners: the most months since a mentor joined, when they are proposed. "
        "0 is no limit.",
    )
    mentee_tenure: int = Field(0, ge=0, le=600, description="The least months since a mentee joined.")
    unknown_chains: bool = Field(
        False, description="People may be paired although the directory does not tell who is above them."
    )
    proposals_per_person: int = Field(
        3, ge=1, le=10, description="The most open proposals a person has at one time on one side, places permitting."
    )
    moved_per_change: int = Field(
        2,
        ge=0,
        le=20,
        description="The most unanswered proposals of others that give way when one person changes.",
    )
    expiry_days: int = Field(10, ge=1, le=90, description="Days until an unanswered proposal expires.")
    weights: Weights = Weights()

    @model_validator(mode="after")
    def _agree_with_each_other(self) -> Self:
        if self.reverse_only and self.level_gap == 0:
            raise ValueError(
                "reverse_only asks for a mentee above the mentor, but level_gap 0 allows equals: "
                "set level_gap to 1 or more, or reverse_only to false."
            )
        if self.settled(self.mentor_tenure):
            raise ValueError(
                f"mentor_tenure asks for mentors who joined at least {self.mentor_tenure} months ago, but "
                f"new_joiner_months for at most {self.new_joiner_months}: lower the first or raise the second."
            )
        if len(set(self.areas)) != len(self.areas):
            raise ValueError("areas names an area twice: name each area once.")
        return self

    def settled(self, tenure: int) -> bool:
        """Whether somebody who joined so many months ago is no new joiner any more, where mentors have to be."""
        return 0 < self.new_joiner_months < tenure

    def code(self, rule: Rule) -> str:
        """A rule as it is told under these rules: a gap in years has other words than one in levels."""
        by_experience = rule is Rule.LEVEL and self.direction is Direction.EXPERIENCE
        return EXPERIENCE_GAP if by_experience else rule.value


def schema() -> dict[str, Any]:
    """The JSON Schema of a rules file, defaults included."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Rules.model_json_schema()}


def schema_text() -> str:
    """The schema as it is published in `rules.schema.json` beside this module."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
