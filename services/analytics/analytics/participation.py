"""The participation report as readers get it: published figures and what follows from them, each with its meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.translation import gettext as _
from chassis.translation import mark

from analytics.disclosure import Figure, Report, percentage
from analytics.measures import EVERYONE, STAGES, UNKNOWN, Cell, Dimension, Stage
from analytics.months import Period
from analytics.standing import Time
from analytics.waiting import WAITS

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
    Stage.ENROLLED: mark(
        "Eligible people who had enrolled by the close of the month, or were proposed for a mentorship; whether or not "
        "they still take part."
    ),
    Stage.PROPOSED: mark("People for whom at least one mentorship was proposed by the close of the month."),
    Stage.ACCEPTED: mark("People with at least one mentorship that both sides accepted by the close of the month."),
    Stage.STARTED: mark(
        "Participants: people with at least one mentorship that had started by the close of the month."
    ),
    Stage.MET: mark("People with at least one mentorship in which a session was held by the close of the month."),
}
WAIT_LABELS: Final = {
    "0-4": mark("Up to 4 weeks"),
    "5-12": mark("5 to 12 weeks"),
    "13-": mark("13 weeks or more"),
}
ASKED: Final = mark(
    "Sessions that running agreements asked for: a weekly one asks for a session every 7 days, a fortnightly one every "
    "14, a monthly one once a month. Of a month that a pair ran in part, that part counts; pauses do not."
)
HELD: Final = mark("Sessions that were held in the month, by all pairs.")
CANCELLED: Final = mark("Sessions that were cancelled in the month, by all pairs.")
KEPT: Final = mark(
    "Sessions held, of those asked for; more than a hundred percent when pairs meet more often than they agreed."
)
MEDIAN: Final = mark(
    "The time from enrolling within which half of the people come to the start of a first mentorship. Those who still "
    "wait, or have stopped taking part, count in it for as long as they waited. Those who have left the organisation "
    "do not count."
)
NINETIETH: Final = mark("The same for nine in ten people.")
WAITING: Final = mark(
    "Enrolled people who take part at the close of the month and have had no mentorship that started, by the weeks "
    "that have begun since they enrolled."
)


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
    asked: int | None
    kept: int | None
    """Held, of asked for, in percent."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was asked for and held over all months that show both."""

    asked: int | None
    held: int | None
    kept: int | None


@dataclass(frozen=True, slots=True)
class Way:
    """How long the people of one group take to come to a first mentorship."""

    key: str
    label: str
    enrolled: int | None
    started: int | None
    median: Time
    ninetieth: Time

    @property
    def told(self) -> bool:
        """Whether any time may be shown."""
        return self.median.shown or self.ninetieth.shown


@dataclass(frozen=True, slots=True)
class Wait:
    """How many enrolled people have been waiting so long."""

    key: str
    label: str
    people: int | None
    of_enrolled: int | None


@dataclass(frozen=True, slots=True)
class Participation:
    """One month, and the months up to it."""

    period: Period
    funnel: tuple[Step, ...]
    levels: tuple[Group, ...]
    units: tuple[Group, ...]
    months: tuple[Month, ...]
    so_far: Agreed
    ways: tuple[Way, ...]
    waiting: Wait
    """Everybody who waits."""
    waits: tuple[Wait, ...]


def view(reports: Sequence[Report], period: Period) -> Participation:
    """The report of one of these months, with its past and nothing later."""
    chosen = next(report for report in reports if report.period == period)
    months = tuple(_month(report) for report in reports if report.period <= period)
    return Participation(
        period=period,
        funnel=_funnel(chosen),
        levels=_groups(chosen, Dimension.LEVEL),
        units=_groups(chosen, Dimension.UNIT),
        months=months,
        so_far=_so_far(months),
        ways=_ways(chosen),
        waiting=_wait(chosen, Dimension.ALL, EVERYONE, _("All who wait")),
        waits=tuple(_wait(chosen, Dimension.WAIT, band, _(WAIT_LABELS[band])) for band in WAITS),
    )


def _month(report: Report) -> Month:
    return Month(
        period=report.period,
        participants=_shown(report, Stage.STARTED),
        held=report.held,
        cancelled=report.cancelled,
        asked=report.asked.shown,
        kept=percentage(report.held, report.asked.shown, most=None),
    )


def _so_far(months: Sequence[Month]) -> Agreed:
    """Sums of shown figures, so they tell no more than these do."""
    both = [(month.asked, month.held) for month in months if month.asked is not None and month.held is not None]
    if not both:
        return Agreed(None, None, None)
    asked, held = sum(asked for asked, _held in both), sum(held for _asked, held in both)
    return Agreed(asked, held, percentage(held, asked, most=None))


def _ways(report: Report) -> tuple[Way, ...]:
    return tuple(
        Way(
            key=cell.group,
            label=_("Everybody") if cell.dimension is Dimension.ALL else _label(cell.dimension, cell.group),
            enrolled=_shown(report, Stage.ENROLLED, cell.dimension, cell.group),
            started=_shown(report, Stage.STARTED, cell.dimension, cell.group),
            median=times.median,
            ninetieth=times.ninetieth,
        )
        for cell, times in report.times.items()
    )


def _wait(report: Report, dimension: Dimension, group: str, label: str) -> Wait:
    people = report.waiting.figures.get(Cell(Stage.ENROLLED, dimension, group), Figure()).shown
    return Wait(group, label, people, percentage(people, _shown(report, Stage.ENROLLED)))


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
