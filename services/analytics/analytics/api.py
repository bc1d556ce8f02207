"""The participation report for machines: JSON and CSV, from the same published figures as the page."""

from collections.abc import Sequence
from typing import Annotated, Any

from chassis.errors import InvalidError, NotFoundError
from chassis.translation import gettext as _
from chassis.web.identity import Caller, SignedIn
from chassis.web.policy import Resource
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from analytics import participation
from analytics.disclosure import PERCENTAGE_BASE, K, Report
from analytics.exporting import as_csv
from analytics.inference import ROUNDING
from analytics.measures import STAGES
from analytics.participation import Group, Participation, Way
from analytics.policy import POLICY, READ
from analytics.publishing import Publisher
from analytics.standing import Time

router = APIRouter(prefix="/api/analytics/v1")
Wanted = Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}$", description="A closed month; the newest by default.")]
Count = Annotated[int | None, Field(description="People, rounded to 5; null is fewer than 5 or protected.")]
Sessions = Annotated[int | None, Field(description="Sessions, rounded to 5; null is fewer than 5 or protected.")]
Percent = Annotated[int | None, Field(description="Whole percent; null when the base is under 20 or a part is null.")]


class FunnelStep(BaseModel):
    """One stage, with its meaning."""

    stage: str
    label: str
    definition: str
    people: Count
    percent_of_eligible: Percent
    percent_of_previous: Percent


class GroupFigures(BaseModel):
    """One group: people per stage, and started per eligible."""

    group: str
    label: str
    people: dict[str, Count]
    participation_percent: Percent


class MonthFigures(BaseModel):
    """One month of the course over time."""

    period: str
    participants: Count
    sessions_held: Sessions
    sessions_cancelled: Sessions
    sessions_asked_for: Sessions
    percent_held: Percent


class AgreedFigures(BaseModel):
    """Sessions held, of those that running agreements asked for, over all months that show both."""

    asked_for_definition: str = Field(default_factory=lambda: _(participation.ASKED))
    percent_definition: str = Field(default_factory=lambda: _(participation.KEPT))
    sessions_asked_for: Sessions
    sessions_held: Sessions
    percent_held: Percent


class TimeFigure(BaseModel):
    """A time in whole weeks. Not reached yet: too few people have started for it to be known."""

    reached: Annotated[bool | None, Field(description="Null is protected.")]
    weeks: Annotated[int | None, Field(description="Within so many weeks; null unless it was reached.")]


class WayFigures(BaseModel):
    """How long one group takes from enrolling to a first mentorship; the base is its enrolled people."""

    group: str
    label: str
    enrolled: Count
    started: Count
    median: TimeFigure
    ninetieth: TimeFigure


class WaitFigures(BaseModel):
    """How many enrolled people have been waiting so long."""

    weeks: str
    label: str
    people: Count
    percent_of_enrolled: Percent


class TimeToMatch(BaseModel):
    """From enrolling to the start of a first mentorship, those who still wait included."""

    median_definition: str = Field(default_factory=lambda: _(participation.MEDIAN))
    ninetieth_definition: str = Field(default_factory=lambda: _(participation.NINETIETH))
    groups: list[WayFigures]
    waiting_definition: str = Field(default_factory=lambda: _(participation.WAITING))
    waiting: Count
    waiting_since: list[WaitFigures]


class Protection(BaseModel):
    """How the figures are protected."""

    least_group: int = K
    rounded_to: int = ROUNDING
    percentages_need: int = PERCENTAGE_BASE


class ParticipationReport(BaseModel):
    """What was published about one closed month."""

    period: str
    periods: list[str]
    protection: Protection
    funnel: list[FunnelStep]
    levels: list[GroupFigures]
    units: list[GroupFigures]
    months: list[MonthFigures]
    agreed: AgreedFigures
    time_to_match: TimeToMatch


async def published(request: Request, caller: Caller) -> list[Report]:
    """The reports that the caller may see.

    Raises:
        ForbiddenError: the caller is neither analyst nor operator.
    """
    POLICY.require(caller, READ, Resource(tenant=caller.tenant))
    publisher: Publisher = request.app.state.publisher
    return await publisher.reports(caller.tenant)


def chosen(reports: Sequence[Report], period: str | None) -> Participation:
    """The view of the wanted month, or of the newest.

    Raises:
        NotFoundError: that month has no report, because it is still running or lies before the first one.
    """
    if not reports:
        raise NotFoundError(_("There is no report yet: the first month has to close first."))
    wanted = period or reports[-1].period
    if wanted not in {report.period for report in reports}:
        raise NotFoundError(_("That month has no report. Choose one of the closed months."))
    return participation.view(reports, wanted)


@router.get("/reports/participation", responses={200: {"content": {"text/csv": {}}}})
async def read_participation(
    request: Request,
    caller: SignedIn,
    period: Wanted = None,
    form: Annotated[str, Query(alias="format", description="json or csv.")] = "json",
) -> Any:
    """Participants and funnel of one closed month, by level and by unit."""
    if form not in {"json", "csv"}:
        raise InvalidError(_("The format is json or csv."))
    reports = await published(request, caller)
    seen = chosen(reports, period)
    if form == "csv":
        name = f"participation-{seen.period}.csv"
        return Response(
            as_csv(seen), media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )
    return as_model(seen, [report.period for report in reports])


def as_model(seen: Participation, periods: list[str]) -> ParticipationReport:
    """The report as JSON."""
    return ParticipationReport(
        period=seen.period,
        periods=periods,
        protection=Protection(),
        funnel=[
            FunnelStep(
                stage=step.stage,
                label=step.label,
                definition=step.definition,
                people=step.people,
                percent_of_eligible=step.of_eligible,
                percent_of_previous=step.of_previous,
            )
            for step in seen.funnel
        ],
        levels=[_group(group) for group in seen.levels],
        units=[_group(group) for group in seen.units],
        months=[
            MonthFigures(
                period=month.period,
                participants=month.participants,
                sessions_held=month.held,
                sessions_cancelled=month.cancelled,
                sessions_asked_for=month.asked,
                percent_held=month.kept,
            )
            for month in seen.months
        ],
        agreed=AgreedFigures(
            sessions_asked_for=seen.so_far.asked, sessions_held=seen.so_far.held, percent_held=seen.so_far.kept
        ),
        time_to_match=_time_to_match(seen),
    )


def _time_to_match(seen: Participation) -> TimeToMatch:
    return TimeToMatch(
        groups=[_way(way) for way in seen.ways],
        waiting=seen.waiting.people,
        waiting_since=[
            WaitFigures(weeks=wait.key, label=wait.label, people=wait.people, percent_of_enrolled=wait.of_enrolled)
            for wait in seen.waits
        ],
    )


def _way(way: Way) -> WayFigures:
    return WayFigures(
        group=way.key,
        label=way.label,
        enrolled=way.enrolled,
        started=way.started,
        median=_time(way.median),
        ninetieth=_time(way.ninetieth),
    )


def _time(time: Time) -> TimeFigure:
    return TimeFigure(reached=time.weeks is not None if time.shown else None, weeks=time.weeks)


def _group(group: Group) -> GroupFigures:
    return GroupFigures(
        group=group.key,
        label=group.label,
        people={str(stage): count for stage, count in zip(STAGES, group.people, strict=True)},
        participation_percent=group.participation,
    )
