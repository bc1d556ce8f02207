"""The pages on which a lead sets a programme up, changes it, opens it and closes it."""

from typing import Final

from chassis.errors import InvalidError, PreconditionError, TurnaboutError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey, IfMatch
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, after, redirect
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from matching.domain.programme import AREAS_AT_MOST, Plan, Programme
from matching.labels import Labels
from matching.policy import may_set_up
from matching.programmes.commands import ProgrammeCommands, usual_plan
from matching.programmes.form import ProgrammeForm
from matching.programmes.reach import Crowd
from matching.programmes.reach_words import ReachTold, tell
from matching.wording import customs_words, direction_words, scheme_words

_CHECK: Final = "check"


class ProgrammeViews:
    """Everything that drawing the form needs."""

    def __init__(self, commands: ProgrammeCommands, crowd: Crowd, pages: Pages, cards: Cards, labels: Labels) -> None:
        self.commands = commands
        self._crowd = crowd
        self._pages = pages
        self._cards = cards
        self._labels = labels

    async def read(self, request: Request, programme: Programme | None = None) -> ProgrammeForm:
        """The form that was sent; a programme keeps areas that are no longer offered, and takes none of them on."""
        kept = programme.plan.rules.areas if programme else ()
        return ProgrammeForm.read(
            await request.form(), await self._labels.areas(), {*await self._labels.offered(), *kept}
        )

    async def form(
        self,
        request: Request,
        caller: Caller,
        form: ProgrammeForm,
        programme: Programme | None,
        *,
        problem: str = "",
        status: int = 200,
        etag: str | None = None,
    ) -> HTMLResponse:
        """The form, with what is wrong and how far its rules reach."""
        labels, offered = await self._labels.areas(), await self._labels.offered()
        return self._pages.render(
            request,
            "programme_form.html",
            caller=caller,
            status=status,
            form=form,
            programme=programme,
            etag=etag,
            problem=problem or (_("Some fields need another look.") if form.errors else ""),
            families=await self._labels.families(),
            other_areas=[
                (code, labels.get(code, code)) for code in _others(form, programme) if labels and code not in offered
            ],
            most_areas=AREAS_AT_MOST,
            schemes=scheme_words(),
            directions=direction_words(),
            words=customs_words(),
            leads=await self._cards.of(caller, list(form.keep)),
            # Worked out behind an empty form once it shows: that takes longer than a page may.
            reach=await self.reach(caller, form) if request.method == "POST" else None,
            later=request.method == "GET",
        )

    async def reach(self, caller: Caller, form: ProgrammeForm) -> ReachTold | None:
        """How far the rules of a form reach; nothing as long as they cannot be read."""
        rules = form.rules
        return None if rules is None else tell(await self._crowd.reach(caller.tenant, rules))

    async def fragment(self, request: Request, caller: Caller, form: ProgrammeForm) -> HTMLResponse:
        """The part of the form that tells the reach."""
        reach = await self.reach(caller, form)
        return self._pages.fragment(request, "programme_reach.html", caller=caller, reach=reach, later=False)

    async def plan(self, form: ProgrammeForm, before: Plan) -> Plan:
        """The plan of a form without errors.

        Raises:
            InvalidError: an address is nobody's.
            UnavailableError: profiles could not be asked.
        """
        if form.entered is None:
            raise InvalidError(_("Some fields need another look."))
        leads = (*form.keep, *await self.commands.leads(form.addresses))
        return form.entered.plan(before, tuple(dict.fromkeys(leads)))


def add(routes: APIRouter, views: ProgrammeViews) -> None:
    """Add the routes."""
    _add_setting_up(routes, views)
    _add_changing(routes, views)


def _add_setting_up(routes: APIRouter, views: ProgrammeViews) -> None:
    @routes.get("/programmes/new")
    async def new(request: Request, caller: SignedIn) -> HTMLResponse:
        """An empty form with the usual rules."""
        may_set_up(caller)
        return await views.form(request, caller, ProgrammeForm.of(usual_plan()), None)

    @routes.post("/programmes/new/reach")
    async def reach(request: Request, caller: SignedIn) -> HTMLResponse:
        """How far the rules of a new programme would reach."""
        may_set_up(caller)
        return await views.fragment(request, caller, await views.read(request))

    @routes.post("/programmes")
    async def set_up(request: Request, caller: SignedIn, key: IdempotencyKey) -> Response:
        """Keep a draft."""
        may_set_up(caller)
        form = await views.read(request)
        if form.entered is None or form["do"] == _CHECK:
            return await views.form(request, caller, form, None, status=422 if form.errors else 200)
        try:
            made = await views.commands.set_up(caller, key, await views.plan(form, usual_plan()))
        except TurnaboutError as refusal:
            form = form.wrong("new_leads", refusal.detail)
            return await views.form(request, caller, form, None, status=refusal.status)
        notice = _("Your draft is kept. Nobody else sees it until you open the programme.")
        return redirect(f"/programmes/{made.id}", notice=notice)


def _add_changing(routes: APIRouter, views: ProgrammeViews) -> None:
    @routes.get("/programmes/{programme}/edit")
    async def form(request: Request, caller: SignedIn, programme: str) -> HTMLResponse:
        """The form of a programme as it is."""
        found = await views.commands.led(caller, programme)
        return await views.form(request, caller, ProgrammeForm.of(found.plan), found, etag=found.etag)

    @routes.post("/programmes/{programme}/reach")
    async def reach(request: Request, caller: SignedIn, programme: str) -> HTMLResponse:
        """How far other rules of a programme would reach."""
        found = await views.commands.led(caller, programme)
        return await views.fragment(request, caller, await views.read(request, found))

    @routes.post("/programmes/{programme}/edit")
    async def edit(request: Request, caller: SignedIn, programme: str, seen: IfMatch) -> Response:
        """Change it; when somebody else did meanwhile, the page shows what was entered and says so."""
        found = await views.commands.led(caller, programme)
        form = await views.read(request, found)
        if form.entered is None or form["do"] == _CHECK:
            return await views.form(request, caller, form, found, etag=seen, status=422 if form.errors else 200)
        try:
            changed = await views.commands.edit(caller, programme, await views.plan(form, found.plan), seen)
        except PreconditionError as refusal:
            problem = _("Somebody else changed this programme. This is what you entered: look it over and save again.")
            return await views.form(
                request, caller, form, found, problem=problem, etag=found.etag, status=refusal.status
            )
        except TurnaboutError as refusal:
            form = form.wrong("new_leads", refusal.detail)
            return await views.form(request, caller, form, found, etag=seen, status=refusal.status)
        notice = _("Saved.") if changed else _("Saved. Nothing was different.")
        return redirect(f"/programmes/{programme}", notice=notice)

    @routes.post("/programmes/{programme}/open")
    async def open_(caller: SignedIn, programme: str) -> Response:
        """Let people be proposed."""
        await views.commands.turn(caller, programme, open_=True)
        return redirect(
            f"/programmes/{programme}", notice=_("The programme is open. Run it to propose the first pairs.")
        )

    @routes.post("/programmes/{programme}/close")
    async def close(caller: SignedIn, programme: str) -> Response:
        """Propose nobody any more."""
        notice = _("The programme is closed: nobody is proposed any more, and what runs goes on.")
        return await after(
            views.commands.turn(caller, programme, open_=False), f"/programmes/{programme}", notice=notice
        )


def _others(form: ProgrammeForm, programme: Programme | None) -> tuple[str, ...]:
    """Areas that the form shows although they may no longer be offered: those ticked, and those of the programme."""
    return tuple(dict.fromkeys((*form["areas"], *(programme.plan.rules.areas if programme else ()))))
