"""The participation report for machines: JSON and CSV, from the same published figures as the page."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

from chassis.errors import InvalidError, NotFoundError
from chassis.translation import gettext as _
from chassis.web.identity import Caller, SignedIn
from chassis.web.policy import Resource
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from analytics import participation
from analytics.disclosure import PERCENTAGE_BASE, K, Report
from analytics.inference import ROUNDING
from analytics.measures import STAGES
from analytics.participation import Group, Participation
from analytics.policy import POLICY, READ
from analytics.publishing import Publisher

router = APIRouter(prefix="/api/analytics/v1")
PROTECTED: Final = "fewer than 5 or protected"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Wanted = Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}$", description="A closed month; the newest by default.")]
Count = Annotated[int | None, Field(description="People, rounded to 5; null is fewer than 5 or protected.")]
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
    sessions_held: Count
    sessions_cancelled: Count


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
            )
            for month in seen.months
        ],
    )


def _group(group: Group) -> GroupFigures:
    return GroupFigures(
        group=group.key,
        label=group.label,
        people={str(stage): count for stage, count in zip(STAGES, group.people, strict=True)},
        participation_percent=group.participation,
    )


def as_csv(seen: Participation) -> str:
    """The report as one long table: period, breakdown, group, figure, value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["period", "breakdown", "group", "figure", "value"])
    for step in seen.funnel:
        writer.writerow([seen.period, "all", "", step.stage, _cell(step.people)])
    for breakdown, groups in (("level", seen.levels), ("unit", seen.units)):
        for group in groups:
            for stage, people in zip(STAGES, group.people, strict=True):
                writer.writerow([seen.period, breakdown, _plain(group.key), stage, _cell(people)])
    for month in seen.months:
        writer.writerow([month.period, "all", "", "sessions held", _cell(month.held)])
        writer.writerow([month.period, "all", "", "sessions cancelled", _cell(month.cancelled)])
    return text.getvalue()


def _cell(figure: int | None) -> str:
    return PROTECTED if figure is None else str(figure)


def _plain(text: str) -> str:
    """A group's name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
