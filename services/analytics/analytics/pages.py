"""The insights page: what was published about one closed month, each figure with its meaning and its base."""

from importlib.resources import files
from typing import Any, Final

from chassis.translation import gettext as _
from chassis.translation import ngettext
from chassis.web.identity import SignedIn
from chassis.web.pages import Pages, day, number, percent
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from analytics import api, charts, months, participation
from analytics.charts import Bar
from analytics.participation import Group, Participation
from analytics.standing import Time
from chassis import clock

router = APIRouter()
pages = Pages("analytics")
_STYLE: Final = (files("analytics") / "static" / "insights.css").read_bytes()


@router.get("/insights", include_in_schema=False)
async def insights(request: Request, caller: SignedIn, period: api.Wanted = None) -> HTMLResponse:
    """Participants and funnel of one closed month."""
    reports = await api.published(request, caller)
    context: dict[str, Any] = {
        "running": months.month_of(clock.today()),
        "shown": shown,
        "share": share,
        "within": within,
        "defined": participation,
    }
    if not reports:
        return pages.render(request, "insights.html", caller=caller, seen=None, **context)
    seen = api.chosen(reports, period)
    return pages.render(
        request,
        "insights.html",
        caller=caller,
        seen=seen,
        periods=[report.period for report in reversed(reports)],
        funnel_chart=_funnel_chart(seen),
        level_chart=_group_chart("levels", _("Participation by level"), seen.levels),
        course_chart=_course_chart(seen),
        kept_chart=_kept_chart(seen),
        wait_chart=_wait_chart(seen),
        **context,
    )


@router.get("/insights/insights.css", include_in_schema=False)
async def style() -> Response:
    """How the charts of this page look."""
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "no-cache"})


def shown(figure: int | None) -> str:
    """A count in words: protected ones say so."""
    return _("fewer than 5 or protected") if figure is None else number(figure)


def share(figure: int | None) -> str:
    """A percentage in words: those without a base that is large enough say so."""
    return _("protected") if figure is None else percent(figure / 100)


def within(time: Time) -> str:
    """A time in words: not reached is one of them."""
    if not time.shown:
        return _("protected")
    if time.weeks is None:
        return _("not reached yet")
    return ngettext("%(num)s week", "%(num)s weeks", time.weeks) % {"num": number(time.weeks)}


def _funnel_chart(seen: Participation) -> Markup:
    bars = [Bar(step.label, step.people, _short(step.people)) for step in seen.funnel]
    described = ", ".join(f"{bar.label} {bar.value}" for bar in bars)
    return charts.bars("funnel", _("From eligible to the first session, in people"), described, bars)


def _group_chart(name: str, title: str, groups: tuple[Group, ...]) -> Markup:
    bars = [Bar(group.label, group.participation, share(group.participation)) for group in groups]
    described = ", ".join(f"{bar.label} {bar.value}" for bar in bars)
    return charts.bars(name, title, described, bars, top=100)


def _course_chart(seen: Participation) -> Markup:
    bars = [
        Bar(day(f"{month.period}-01", "MMM yyyy"), month.participants, _short(month.participants))
        for month in seen.months
    ]
    described = ", ".join(f"{bar.label} {bar.value}" for bar in bars)
    return charts.bars("course", _("Participants at the close of each month"), described, bars)


def _kept_chart(seen: Participation) -> Markup:
    bars = [Bar(day(f"{month.period}-01", "MMM yyyy"), month.kept, share(month.kept)) for month in seen.months]
    described = ", ".join(f"{bar.label} {bar.value}" for bar in bars)
    top = max(100, *(month.kept or 0 for month in seen.months))
    return charts.bars("kept", _("Sessions held, of those agreed, month by month"), described, bars, top=top)


def _wait_chart(seen: Participation) -> Markup:
    bars = [Bar(wait.label, wait.people, _short(wait.people)) for wait in seen.waits]
    described = ", ".join(f"{bar.label} {bar.value}" for bar in bars)
    return charts.bars("waiting", _("People who wait, by how long"), described, bars)


def _short(figure: int | None) -> str:
    """A count beside a bar, where there is little room."""
    return _("protected") if figure is None else number(figure)
