"""Matching's pages for leads: a programme's run, its coverage, its pairs explained, and who has nobody and why."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode

from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, after, redirect
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis import clock
from matching.commands import Commands
from matching.domain.mentorship import LIVE
from matching.domain.programme import Programme, Stage
from matching.domain.run import ACTIVE, Run
from matching.labels import Labels
from matching.policy import sets_up
from matching.programmes.lead_rows import PAIRS, pair_row
from matching.programmes.lead_words import Standing, nobody
from matching.programmes.ranking import BEYOND, Order, Ranking
from matching.programmes.reach import Crowd
from matching.programmes.reach_words import ReachTold, tell
from matching.programmes.report import COUNTED, report_of
from matching.programmes.review_pages import review_of
from matching.wording import area_label

ROWS: Final = 25


class Asked(BaseModel):
    """What a lead wants to see of a programme: which pairs in which order, behind which one, and how many without."""

    model_config = ConfigDict(frozen=True)

    stands: Standing | None = None
    order: Order = Order.STRONGEST
    after: str | None = Field(default=None, max_length=64)
    rank: int = Field(default=1, ge=1, le=1_000_000)
    shown: int = Field(default=ROWS, ge=ROWS, le=2000)

    def address(self, programme: str, part: str, **changes: object) -> str:
        """The page with something changed; a change of pairs begins with the first of them."""
        asked = self.model_copy(update=({"after": None} if part == "pairs" else {}) | changes)
        query = urlencode(asked.model_dump(mode="json", exclude_defaults=True))
        return f"/programmes/{programme}{'?' if query else ''}{query}#{part}"


class Choice(NamedTuple):
    """A link to the same page with other pairs on it."""

    label: str
    href: str
    chosen: bool
    pairs: int | None = None


class LeadViews:
    """Everything that drawing a lead's page needs."""

    def __init__(self, commands: Commands, crowd: Crowd, pages: Pages, cards: Cards, labels: Labels) -> None:
        self.commands = commands
        self.crowd = crowd
        self.pages = pages
        self.cards = cards
        self.labels = labels

    async def programmes(self, request: Request, caller: Caller) -> HTMLResponse:
        """Every programme; the caller's own lead further."""
        programmes = await self.commands.programmes(caller)
        areas = await self.labels.areas()
        return self.pages.render(
            request,
            "programmes.html",
            caller=caller,
            programmes=sorted(programmes, key=lambda each: not each.led_by(caller.member)),
            areas={each.id: [area_label(areas, code) for code in each.plan.rules.areas] for each in programmes},
            running={each.id: each.running(clock.today()) for each in programmes},
            left=await self._left(caller),
            may_set_up=sets_up(caller),
        )

    async def part(self, request: Request, caller: Caller, programme: str) -> HTMLResponse:
        """What it means to take no part in a programme, or to take part again; profiles keeps the choice."""
        found = await self.commands.known_programme(caller, programme)
        left = await self._left(caller)
        return self.pages.render(
            request, "programme_part.html", caller=caller, programme=found, takes_part=found.id not in left
        )

    async def _left(self, caller: Caller) -> tuple[str, ...]:
        me = await self.commands.store.members.get(caller.tenant, caller.member)
        return me.directory.left if me and me.directory else ()

    async def programme(self, request: Request, caller: Caller, programme: str, asked: Asked) -> HTMLResponse:
        """One programme for its lead."""
        found = await self.commands.programme(caller, programme)
        run = await self.commands.store.newest_run(caller.tenant, programme)
        done = await self.commands.store.newest_result(run)
        unpaired = done.result.unpaired[: asked.shown] if done and done.result else []
        pairs = await self._pairs(found, asked)
        review = await review_of(self.commands.store, self.labels, run, asked.rank)
        members = [member for row in (*pairs["rows"], *review.rows) for member in (row.mentor, row.mentee)]
        areas = await self.labels.areas()
        report = report_of(await self.commands.store.scored(found, COUNTED, 0, BEYOND))
        return self.pages.render(
            request,
            "programme.html",
            caller=caller,
            programme=found,
            running=found.running(clock.today()),
            reach=await self._reach(found) if found.stage is Stage.DRAFT else None,
            later=False,
            report=report if report.started else None,
            report_areas=[area_label(areas, code) for code, _count in report.areas],
            run=run,
            active=run is not None and run.state in ACTIVE,
            step=_step(run),
            review=review if review.waiting else None,
            done=done,
            unpaired=[(each, nobody(each)) for each in unpaired],
            more_unpaired=asked.address(programme, "without", shown=min(asked.shown + ROWS, 2000)),
            shown=asked.shown,
            people=await self.cards.of(caller, [*members, *(each.member for each in unpaired)]),
            area_names=[area_label(areas, code) for code in found.plan.rules.areas],
            **pairs,
        )

    async def _reach(self, programme: Programme) -> ReachTold:
        return tell(await self.crowd.reach(programme.tenant, programme.plan.rules))

    async def _pairs(self, programme: Programme, asked: Asked) -> dict[str, Any]:
        """The pairs that are asked for, and what else there is to ask for."""
        store = self.commands.store
        living = Ranking(store, programme, LIVE)
        ranking = living if asked.stands is None else Ranking(store, programme, asked.stands.statuses)
        after = await store.mentorships.get(programme.tenant, asked.after) if asked.after else None
        if after is not None and after.programme != programme.id:
            after = None
        best = await living.best()
        page = await ranking.page(asked.order, after, PAIRS, best)
        counts = {each: await Ranking(store, programme, each.statuses).count() for each in Standing}
        areas = await self.labels.areas()
        return {
            "rows": [pair_row(pair, best, areas) for pair in page.pairs],
            "pairs_in_all": sum(counts.values()),
            "standings": _standings(programme, asked, counts),
            "orders": _orders(programme, asked),
            "first_pairs": asked.address(programme.id, "pairs") if after else None,
            "next_pairs": asked.address(programme.id, "pairs", after=page.pairs[-1].id) if page.more else None,
        }

    async def progress(self, request: Request, caller: Caller, programme: str) -> Response:
        """The part of the page that moves while a run is under way; a finished run reloads the page."""
        found = await self.commands.programme(caller, programme)
        run = await self.commands.store.newest_run(caller.tenant, programme)
        if run is None or run.state not in ACTIVE:
            return Response(status_code=204, headers={"HX-Refresh": "true"})
        return self.pages.fragment(
            request, "run_progress.html", caller=caller, programme=found, run=run, step=_step(run)
        )


def add(routes: APIRouter, views: LeadViews) -> None:
    """Add the routes of the lead's pages."""
    commands = views.commands

    @routes.get("/programmes")
    async def programmes(request: Request, caller: SignedIn) -> HTMLResponse:
        """Every programme."""
        return await views.programmes(request, caller)

    @routes.get("/programmes/{programme}")
    async def programme(
        request: Request, caller: SignedIn, programme: str, asked: Annotated[Asked, Query()]
    ) -> HTMLResponse:
        """One programme, for its lead."""
        return await views.programme(request, caller, programme, asked)

    @routes.get("/programmes/{programme}/part")
    async def part(request: Request, caller: SignedIn, programme: str) -> HTMLResponse:
        """Whether one takes part in a programme."""
        return await views.part(request, caller, programme)

    @routes.get("/programmes/{programme}/progress")
    async def progress(request: Request, caller: SignedIn, programme: str) -> Response:
        """How far the run is."""
        return await views.progress(request, caller, programme)

    @routes.post("/programmes/{programme}/runs")
    async def run(caller: SignedIn, programme: str) -> Response:
        """Let the engine propose for everybody; while a run is under way there is no second one."""
        return await after(commands.request_run(caller, programme), f"/programmes/{programme}")

    @routes.post("/programmes/{programme}/runs/{run}/cancel")
    async def cancel(caller: SignedIn, programme: str, run: str) -> Response:
        """Stop a run."""
        await commands.cancel_run(caller, run)
        return redirect(f"/programmes/{programme}", notice=_("The run stops. Proposals made so far stay."), kind="info")


def _standings(programme: Programme, asked: Asked, counts: Mapping[Standing, int]) -> list[Choice]:
    words = [(None, _("All"), sum(counts.values())), *((each, each.words, counts[each]) for each in Standing)]
    return [
        Choice(label, asked.address(programme.id, "pairs", stands=each), each is asked.stands, count)
        for each, label, count in words
    ]


def _orders(programme: Programme, asked: Asked) -> list[Choice]:
    words = {Order.STRONGEST: _("Strongest first"), Order.WEAKEST: _("Weakest first")}
    return [
        Choice(label, asked.address(programme.id, "pairs", order=order), order is asked.order)
        for order, label in words.items()
    ]


def _step(run: Run | None) -> str:
    words = {
        "waiting": _("Waiting for an engine"),
        "listening": _("Reading the latest profiles"),
        "weighing": _("Weighing every possible pair"),
        "suggesting": _("Writing down what it found"),
        "proposing": _("Sending the proposals"),
    }
    return words.get(run.step, "") if run else ""
