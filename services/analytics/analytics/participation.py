"""The participation report as readers get it: published figures and what follows from them, each with its meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.translation import gettext as _
from chassis.translation import mark

from analytics.disclosure import Figure, Report, percentage
from analytics.measures import EVERYONE, STAGES, UNKNOWN, Cell, Dimension, Period, Stage

STAGE_LABELS: Final = {
    Stage.ELIGIBLE: mark("Eligible"),
    Stage.ENROLLED: mark("Enrolled"),
    Stage.PROPOSED: mark("Proposed"),
    Stage.ACCEPTED: mark("Accepted"),
    Stage.STARTED: mark("Started"),
    Stage.MET: mark("First session held"),
}
DEFINITIONS: Final = {
    Stage.ELIGIBLE: mark("People in the directory when the report was made, and everybody who took part before."),
    Stage.ENROLLED: mark("Eligible people who take part in mentoring, or who were proposed for a mentorship before."),
    Stage.PROPOSED: mark("People for whom at least one mentorship was proposed by the close of the month."),
    Stage.ACCEPTED: mark("People with at least one mentorship that both sides accepted by the close of the month."),
    Stage.STARTED: mark(
        "Participants: people with at least one mentorship that had started by the close of the month."
    ),
    Stage.MET: mark("People with at least one mentorship in which a session was held by the close of the month."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel; percentages are of shown figures and None when their base is too small."""

    stage: Stage
    label: str
    definition: str
    people: int | None
    of_eligible: int | None
    of_previous: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """One group with its figure per stage; participation is started per eligible."""

    key: str
    label: str
    people: tuple[int | None, ...]
    participation: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """What one month adds to the course over time."""

    period: Period
    participants: int | None
    held: int | None
    cancelled: int | None


@dataclass(frozen=True, slots=True)
class Participation:
    """One month, and the months up to it."""

    period: Period
    funnel: tuple[Step, ...]
    levels: tuple[Group, ...]
    units: tuple[Group, ...]
    months: tuple[Month, ...]


def view(reports: Sequence[Report], period: Period) -> Participation:
    """The report of one of these months, with its past and nothing later."""
    chosen = next(report for report in reports if report.period == period)
    return Participation(
        period=period,
        funnel=_funnel(chosen),
        levels=_groups(chosen, Dimension.LEVEL),
        units=_groups(chosen, Dimension.UNIT),
        months=tuple(
            Month(each.period, _shown(each, Stage.STARTED), each.held, each.cancelled)
            for each in reports
            if each.period <= period
        ),
    )


def _shown(report: Report, stage: Stage, dimension: Dimension = Dimension.ALL, group: str = EVERYONE) -> int | None:
    return report.figures.get(Cell(stage, dimension, group), Figure()).shown


def _funnel(report: Report) -> tuple[Step, ...]:
    people = [_shown(report, stage) for stage in STAGES]
    return tuple(
        Step(
            stage=stage,
            label=_(STAGE_LABELS[stage]),
            definition=_(DEFINITIONS[stage]),
            people=people[position],
            of_eligible=percentage(people[position], people[0]),
            of_previous=percentage(people[position], people[position - 1]) if position else None,
        )
        for position, stage in enumerate(STAGES)
    )


def _groups(report: Report, dimension: Dimension) -> tuple[Group, ...]:
    keys = dict.fromkeys(cell.group for cell in report.figures if cell.dimension is dimension)
    groups = []
    for key in keys:
        people = tuple(_shown(report, stage, dimension, key) for stage in STAGES)
        started, eligible = people[STAGES.index(Stage.STARTED)], people[0]
        groups.append(Group(key, _label(dimension, key), people, percentage(started, eligible)))
    return tuple(groups)


def _label(dimension: Dimension, key: str) -> str:
    if key == UNKNOWN:
        return _("Not known")
    if dimension is Dimension.LEVEL:
        low, _dash, high = key.partition("-")
        return _("Levels %(low)s to %(high)s") % {"low": low, "high": high}
    return key
