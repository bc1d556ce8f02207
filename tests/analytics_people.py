"""Rows and companies for the tests of analytics, with readable defaults."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.cadence import AskedFor
from analytics.measures import STAGES, Cell, Counts, Dimension, Sessions, Stage
from analytics.waiting import WAITS

Row = dict[str, Any]
NO_SESSIONS = Sessions(count=0, pairs=0)
NOTHING_ASKED = AskedFor()
WAITING = (Stage.ENROLLED, Stage.PROPOSED, Stage.ACCEPTED)


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
        "ended_at": None,
        "cadence": None,
        "paused": [],
        "paused_on": None,
        "sessions": [],
    }
    return row | changes


def an_entry(
    member: str,
    level: int = 2,
    unit: str = "retail",
    *,
    enrolled_on: str | None = None,
    enrolled_until: str | None = None,
) -> Row:
    """A directory row."""
    days = {"enrolled_on": enrolled_on, "enrolled_until": enrolled_until}
    return {"_id": member, "level": level, "unit": unit, "month": "2026-10"} | days


@dataclass(slots=True)
class Person:
    """A person of a made-up company, for counting without rows."""

    level: str
    unit: str
    stage: Stage
    wait: str | None = "0-4"
    """How long they have been waiting, if they are: enrolled, without a start. None stopped taking part before one."""


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
    waits = Counter(person.wait for person in people if person.wait and person.stage in WAITING)
    waiting = {Cell(Stage.ENROLLED, Dimension.ALL, ""): waits.total()}
    waiting |= {Cell(Stage.ENROLLED, Dimension.WAIT, band): waits[band] for band in WAITS}
    return Counts(period, cells | dict(counted), NO_SESSIONS, NO_SESSIONS, waiting, NOTHING_ASKED, {})
