"""Rows and companies for the tests of analytics, with readable defaults."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.measures import STAGES, Cell, Counts, Dimension, Sessions, Stage

Row = dict[str, Any]
NO_SESSIONS = Sessions(count=0, pairs=0)


def a_pair(number: int, **changes: Any) -> Row:
    """A mentorship row that was proposed in October 2026 between two people of its own."""
    row: Row = {
        "_id": f"pair-{number}",
        "mentor": f"mentor-{number}",
        "mentee": f"mentee-{number}",
        "mentor_bands": {"level": 2, "unit": "retail"},
        "mentee_bands": {"level": 8, "unit": "head-office"},
        "proposed_at": "2026-10-05T09:00:00.000Z",
        "accepted_at": None,
        "started_at": None,
        "sessions": [],
    }
    return row | changes


def a_profile(member: str, *, enrolled: bool = True) -> Row:
    """A profile row."""
    return {"_id": member, "enrolled": enrolled, "month": "2026-10"}


def an_entry(member: str, level: int = 2, unit: str = "retail") -> Row:
    """A directory row."""
    return {"_id": member, "level": level, "unit": unit, "month": "2026-10"}


@dataclass(slots=True)
class Person:
    """A person of a made-up company, for counting without rows."""

    level: str
    unit: str
    stage: Stage


def counts_of(period: str, people: Sequence[Person]) -> Counts:
    """The true figures of a month; people are counted at each stage up to their own."""
    counted: Counter[Cell] = Counter()
    groups = {(Dimension.ALL, "")}
    for person in people:
        own = {(Dimension.ALL, ""), (Dimension.LEVEL, person.level), (Dimension.UNIT, person.unit)}
        groups |= own
        for stage in STAGES[: STAGES.index(person.stage) + 1]:
            counted.update(Cell(stage, dimension, group) for dimension, group in own)
    cells = {Cell(stage, *group): 0 for group in sorted(groups) for stage in STAGES}
    return Counts(period, cells | dict(counted), NO_SESSIONS, NO_SESSIONS)
