"""What is counted: people by how far they came, and sessions, as of the close of a calendar month.

Pure. A figure counts each person once, at the furthest stage that any of their mentorships reached by the
close of the month. The stages are nested, so a later one never exceeds an earlier one in any group.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from analytics import waiting
from analytics.cadence import AskedFor, asked_for
from analytics.months import Period, close_of
from analytics.waiting import Waits, Way

Row = Mapping[str, Any]

BANDS: Final = ((1, 3), (4, 6), (7, 9), (10, 12))
UNKNOWN: Final = "unknown"
EVERYONE: Final = ""


class Stage(StrEnum):
    """How far a person came; each stage includes all later ones."""

    ELIGIBLE = "eligible"
    ENROLLED = "enrolled"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    STARTED = "started"
    MET = "met"


STAGES: Final = tuple(Stage)


class Dimension(StrEnum):
    """What people are grouped by."""

    ALL = "all"
    LEVEL = "level"
    UNIT = "unit"
    WAIT = "wait"  # of those who wait for a start: how long they have been waiting


class Cell(NamedTuple):
    """One figure: how many people of one group reached one stage."""

    stage: Stage
    dimension: Dimension
    group: str

    def __str__(self) -> str:
        return f"{self.stage}|{self.dimension}|{self.group}"

    @classmethod
    def parse(cls, text: str) -> "Cell":
        """Read what `str` wrote; a group may itself hold the separator."""
        stage, dimension, group = text.split("|", 2)
        return cls(Stage(stage), Dimension(dimension), group)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of one month that ended one way, and how many pairs they belong to."""

    count: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The true figures of one month. They never leave the service: `disclosure` decides what does."""

    period: Period
    people: Mapping[Cell, int]
    held: Sessions
    cancelled: Sessions
    waiting: Mapping[Cell, int]
    """Enrolled people who wait for a start: a table of its own, with its own total."""
    asked: AskedFor
    waits: Mapping[Cell, Waits]
    """How long it takes to come to a stage; the start is the only one that is measured."""


class _Bands(NamedTuple):
    level: int
    unit: str


def first_month(mentorships: Iterable[Row], people: Iterable[Row]) -> Period | None:
    """The month in which the first of these rows came to be known; None when there are none."""
    months = [str(row["proposed_at"])[:7] for row in mentorships] + [str(row["month"]) for row in people]
    return min(months, default=None)


def band_of(level: int) -> str:
    """The label of a level's band, for example ``4-6``."""
    return next((f"{low}-{high}" for low, high in BANDS if low <= level <= high), UNKNOWN)


def count(
    period: Period, mentorships: Sequence[Row], directory: Sequence[Row], earlier: Sequence[Period] = ()
) -> Counts:
    """Count one month as of its close, and hold it against earlier ones.

    Mentorships and enrolments carry their own times, so they are counted exactly as they stood at the close. Directory
    rows hold only the newest state, so who is eligible is counted as known when this runs.
    """
    furthest = _furthest_stages(period, mentorships)
    bands = {str(row["_id"]): _Bands(row["level"], row["unit"]) for row in directory}
    ways = waiting.ways(period, mentorships, directory)
    for member in bands:
        furthest.setdefault(member, Stage.ENROLLED if member in ways else Stage.ELIGIBLE)
    bands |= _frozen_bands(period, mentorships)
    people: Counter[Cell] = Counter()
    for member, stage in furthest.items():
        groups = _groups(bands[member])
        for reached in STAGES[: STAGES.index(stage) + 1]:
            people.update(Cell(reached, dimension, group) for dimension, group in groups)
    before = {month: waiting.ways(month, mentorships, directory) for month in earlier}
    return Counts(
        period=period,
        people=_filled(people),
        held=_sessions(period, mentorships, "held"),
        cancelled=_sessions(period, mentorships, "cancelled"),
        waiting=_waiting(period, ways.values()),
        asked=asked_for(period, mentorships, earlier),
        waits=_waits(period, ways, before, bands),
    )


def _waiting(period: Period, ways: Iterable[Way]) -> dict[Cell, int]:
    bands = Counter(waiting.band_of(way, close_of(period)) for way in ways if way.waiting)
    total = {Cell(Stage.ENROLLED, Dimension.ALL, EVERYONE): bands.total()}
    return total | {Cell(Stage.ENROLLED, Dimension.WAIT, band): bands[band] for band in waiting.WAITS}


def _waits(
    period: Period, ways: Mapping[str, Way], before: Mapping[Period, Mapping[str, Way]], bands: Mapping[str, _Bands]
) -> dict[Cell, Waits]:
    """The times of everybody and of each level; people are grouped the same in all months that are compared."""
    groups: dict[Cell, set[str]] = {}
    for member in {*ways, *(member for earlier in before.values() for member in earlier)}:
        for dimension, group in _groups(bands[member]):
            if dimension in {Dimension.ALL, Dimension.LEVEL}:
                groups.setdefault(Cell(Stage.STARTED, dimension, group), set()).add(member)
    return {
        cell: waiting.estimate(
            period, _only(members, ways), {month: _only(members, earlier) for month, earlier in before.items()}
        )
        for cell, members in sorted(groups.items(), key=lambda each: (each[0].dimension, _order(each[0].group)))
    }


def _only(members: set[str], ways: Mapping[str, Way]) -> dict[str, Way]:
    return {member: ways[member] for member in members & ways.keys()}


def _furthest_stages(period: Period, mentorships: Iterable[Row]) -> dict[str, Stage]:
    furthest: dict[str, Stage] = {}
    for row in mentorships:
        if (stage := _stage_of(period, row)) is None:
            continue
        for member in (row["mentor"], row["mentee"]):
            before = furthest.get(member, stage)
            furthest[member] = max(before, stage, key=STAGES.index)
    return furthest


def _stage_of(period: Period, row: Row) -> Stage | None:
    if any(part["outcome"] == "held" and part["month"] <= period for part in row["sessions"]):
        return Stage.MET
    for stage, field in (
        (Stage.STARTED, "started_at"),
        (Stage.ACCEPTED, "accepted_at"),
        (Stage.PROPOSED, "proposed_at"),
    ):
        if row[field] and row[field][:7] <= period:
            return stage
    return None


def _frozen_bands(period: Period, mentorships: Iterable[Row]) -> dict[str, _Bands]:
    """Where each participant stood at their first proposal, so that a later move changes no earlier figure."""
    bands: dict[str, _Bands] = {}
    for row in sorted(mentorships, key=lambda row: (row["proposed_at"], row["_id"])):
        if _stage_of(period, row) is None:
            continue
        for side in ("mentor", "mentee"):
            frozen = row[f"{side}_bands"]
            bands.setdefault(row[side], _Bands(frozen["level"], frozen["unit"]))
    return bands


def _groups(bands: _Bands) -> tuple[tuple[Dimension, str], ...]:
    return (
        (Dimension.ALL, EVERYONE),
        (Dimension.LEVEL, band_of(bands.level)),
        (Dimension.UNIT, bands.unit or UNKNOWN),
    )


def _filled(people: Counter[Cell]) -> dict[Cell, int]:
    """Every stage of every group that occurs, zeros included, in a fixed order."""
    groups = sorted({(cell.dimension, cell.group) for cell in people}, key=lambda pair: (pair[0], _order(pair[1])))
    return {
        Cell(stage, dimension, group): people[Cell(stage, dimension, group)]
        for dimension, group in groups
        for stage in STAGES
    }


def _order(group: str) -> tuple[int, str]:
    """Bands by their first level, other groups by name."""
    return (int(group.split("-", maxsplit=1)[0]) if group and group in _BAND_LABELS else 0, group)


_BAND_LABELS: Final = frozenset(f"{low}-{high}" for low, high in BANDS)


def _sessions(period: Period, mentorships: Iterable[Row], outcome: str) -> Sessions:
    sums = [
        sum(part["count"] for part in row["sessions"] if part["outcome"] == outcome and part["month"] == period)
        for row in mentorships
    ]
    return Sessions(count=sum(sums), pairs=sum(1 for total in sums if total))
