"""Matching's pages for leads: a programme's run, its coverage, its proposals, and who has nobody and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from chassis.errors import ConflictError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, redirect
from contracts.matching import Status
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from chassis import clock
from matching.commands import Commands
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.programme import ACTIVE, Programme, Run
from matching.labels import Labels
from matching.wording import area_label, sentences

ROWS: Final = 25
_STRONG: Final = 0.75
_GOOD: Final = 0.5

Shown = Annotated[int, Query(ge=ROWS, le=2000)]


@dataclass(frozen=True, slots=True)
class Row:
    """A pair as a lead sees it: open, agreed or running. What came to nothing is nobody's to list."""

    pair: Mentorship
    band: str
    stands: str


class LeadViews:
    """Everything that drawing a lead's page needs."""

    def __init__(self, commands: Commands, pages: Pages, cards: Cards, labels: Labels) -> None:
        self.commands = commands
        self.pages = pages
        self.cards = cards
        self.labels = labels

    async def programmes(self, request: Request, caller: Caller) -> HTMLResponse:
        """Every programme; the caller's own lead further."""
        programmes = await self.commands.store.all_programmes(caller.tenant)
        areas = await self.labels.areas()
        return self.pages.render(
            request,
            "programmes.html",
            caller=caller,
            programmes=sorted(programmes, key=lambda each: not each.led_by(caller.member)),
            areas={each.id: [area_label(areas, code) for code in each.plan.rules.areas] for each in programmes},
            running={each.id: each.running(clock.today()) for each in programmes},
        )

    async def programme(self, request: Request, caller: Caller, programme: str, shown: int) -> HTMLResponse:
        """One programme for its lead."""
        found = await self.commands.programme(caller, programme)
        rows = await self._rows(found)
        runs = await self.commands.store.runs_of(caller.tenant, programme)
        done = next((run for run in runs if run.result), None)
        unpaired = done.result.unpaired[:shown] if done and done.result else []
        members = [member for row in rows[:shown] for member in (row.pair.mentor, row.pair.mentee)]
        areas = await self.labels.areas()
        return self.pages.render(
            request,
            "programme.html",
            caller=caller,
            programme=found,
            running=found.running(clock.today()),
            run=runs[0] if runs else None,
            active=bool(runs) and runs[0].state in ACTIVE,
            step=_step(runs[0] if runs else None),
            done=done,
            rows=rows,
            shown=shown,
            more=shown + ROWS,
            unpaired=[(each, sentences(each.why, areas)) for each in unpaired],
            people=await self.cards.of(caller, [*members, *(each.member for each in unpaired)]),
            area_names=[area_label(areas, code) for code in found.plan.rules.areas],
            focus=self._focus(rows[:shown], areas),
        )

    async def progress(self, request: Request, caller: Caller, programme: str) -> Response:
        """The part of the page that moves while a run is under way; a finished run reloads the page."""
        found = await self.commands.programme(caller, programme)
        runs = await self.commands.store.runs_of(caller.tenant, programme)
        run = runs[0] if runs else None
        if run is None or run.state not in ACTIVE:
            return Response(status_code=204, headers={"HX-Refresh": "true"})
        return self.pages.fragment(
            request, "run_progress.html", caller=caller, programme=found, run=run, step=_step(run)
        )

    async def _rows(self, programme: Programme) -> list[Row]:
        pairs = [
            pair
            for pair in await self.commands.store.of_programme(programme.tenant, programme.id)
            if pair.status in LIVE
        ]
        best = max((pair.terms.score for pair in pairs), default=0)
        pairs.sort(key=lambda pair: (-pair.terms.score, pair.id))
        return [Row(pair, band(pair.terms.score, best), _stands(pair.status)) for pair in pairs]

    def _focus(self, rows: list[Row], areas: Mapping[str, str]) -> dict[str, str]:
        return {row.pair.id: ", ".join(area_label(areas, code) for code in row.pair.terms.areas[:3]) for row in rows}


def add(routes: APIRouter, commands: Commands, pages: Pages, cards: Cards, labels: Labels) -> None:
    """Add the routes of the lead's pages."""
    views = LeadViews(commands, pages, cards, labels)

    @routes.get("/programmes")
    async def programmes(request: Request, caller: SignedIn) -> HTMLResponse:
        """Every programme."""
        return await views.programmes(request, caller)

    @routes.get("/programmes/{programme}")
    async def programme(request: Request, caller: SignedIn, programme: str, shown: Shown = ROWS) -> HTMLResponse:
        """One programme, for its lead."""
        return await views.programme(request, caller, programme, shown)

    @routes.get("/programmes/{programme}/progress")
    async def progress(request: Request, caller: SignedIn, programme: str) -> Response:
        """How far the run is."""
        return await views.progress(request, caller, programme)

    @routes.post("/programmes/{programme}/runs")
    async def run(caller: SignedIn, programme: str) -> Response:
        """Let the engine propose for everybody; while a run is under way there is no second one."""
        try:
            await commands.request_run(caller, programme)
        except ConflictError as refusal:
            return redirect(f"/programmes/{programme}", notice=refusal.detail, kind="problem")
        return redirect(f"/programmes/{programme}")

    @routes.post("/programmes/{programme}/runs/{run}/cancel")
    async def cancel(caller: SignedIn, programme: str, run: str) -> Response:
        """Stop a run."""
        await commands.cancel_run(caller, run)
        return redirect(f"/programmes/{programme}", notice=_("The run stops. Proposals made so far stay."), kind="info")


def band(score: int, best: int) -> str:
    """How a pair compares with the best one of its programme: strong, good or fair."""
    share = score / best if best else 0.0
    return "strong" if share >= _STRONG else "good" if share >= _GOOD else "fair"


def _stands(status: Status) -> str:
    """A lead sees that answers are awaited, never from whom."""
    match status:
        case Status.ACCEPTED:
            return _("Settling the agreement")
        case Status.STARTED:
            return _("Running")
        case _:
            return _("Waiting for answers")


def _step(run: Run | None) -> str:
    words = {
        "waiting": _("Waiting for an engine"),
        "listening": _("Reading the latest profiles"),
        "weighing": _("Weighing every possible pair"),
        "proposing": _("Sending the proposals"),
    }
    return words.get(run.step, "") if run else ""
