"""Where a lead invites people who would not think of themselves, and where those answer."""

from typing import Annotated, Final

from chassis.errors import TurnaboutError
from chassis.translation import gettext as _
from chassis.translation import ngettext
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, number, redirect
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from chassis import clock
from matching.commands import Commands
from matching.domain.invitation import MOST_AT_ONCE
from matching.domain.programme import Programme
from matching.invitations.commands import Invitations
from matching.invitations.suggesting import Suggested
from matching.invitations.words import for_invited, for_lead
from matching.labels import Labels
from matching.wording import area_label

SHOWN: Final = 25
_FIRST: Final = 20
_PICKED: Final = "picked"


class Picked(BaseModel):
    """Whom a lead has ticked, or how many of the first they want; nothing else is sent along."""

    do: str = Field(default=_PICKED, max_length=16)
    member: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MOST_AT_ONCE)] = []
    first: str = Field(default="", max_length=16)
    page: int = Field(default=1, ge=1, le=1_000_000)


class InvitationViews:
    """Everything that drawing the pages needs."""

    def __init__(
        self, commands: Commands, invitations: Invitations, pages: Pages, cards: Cards, labels: Labels
    ) -> None:
        self.commands = commands
        self.invitations = invitations
        self._pages = pages
        self._cards = cards
        self._labels = labels

    async def suggestions(
        self,
        request: Request,
        caller: Caller,
        programme: Programme,
        place: int,
        *,
        chosen: Picked | None = None,
        problem: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        """Who could be invited, from a place on; what was chosen stands there again when it was refused."""
        found = await self.invitations.suggested(programme)
        shown: list[Suggested] = found[place - 1 : place - 1 + SHOWN]
        return self._pages.render(
            request,
            "programme_invitations.html",
            caller=caller,
            status=status,
            problem=problem,
            programme=programme,
            running=programme.running(clock.today()),
            under_way=await self.invitations.under_way(programme),
            tally=await self.invitations.tally(programme),
            shown=shown,
            in_all=len(found),
            sampled=self.invitations.sampled(programme),
            place=place,
            following=place + SHOWN if len(found) >= place + SHOWN else None,
            people=await self._cards.of(caller, [each.member for each in shown]),
            why={each.member: [for_lead(reason) for reason in each.reasons] for each in shown},
            ticked=chosen.member if chosen else [],
            first=chosen.first if chosen else min(_FIRST, len(found)),
            most=min(MOST_AT_ONCE, len(found)),
        )

    async def progress(self, request: Request, caller: Caller, programme: Programme) -> Response:
        """How far rounds are. The page around it stays as it is: somebody may be ticking people on it."""
        under_way = await self.invitations.under_way(programme)
        return self._pages.fragment(
            request, "invitation_progress.html", caller=caller, programme=programme, under_way=under_way
        )

    async def invitation(self, request: Request, caller: Caller, invitation: str) -> HTMLResponse:
        """An invitation for the one who has it."""
        opened = await self.invitations.mine(caller, invitation)
        found, programme = opened.invitation, opened.programme
        areas, lead = await self._labels.areas(), await self._cards.of(caller, [found.by])
        return self._pages.render(
            request,
            "invitation.html",
            caller=caller,
            invitation=found,
            programme=programme,
            running=opened.running,
            joined=opened.joined,
            lead=lead[found.by],
            why=[for_invited(reason) for reason in found.reasons],
            focus=[area_label(areas, code) for code in programme.plan.rules.areas],
            enrol=opened.enrol,
        )


def add(routes: APIRouter, views: InvitationViews) -> None:
    """Add the routes."""
    _add_inviting(routes, views)
    _add_answering(routes, views)


def _add_inviting(routes: APIRouter, views: InvitationViews) -> None:
    @routes.get("/programmes/{programme}/invitations")
    async def suggestions(
        request: Request,
        caller: SignedIn,
        programme: str,
        place: Annotated[int, Query(alias="from", ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        """Who could be invited."""
        return await views.suggestions(request, caller, await views.commands.programme(caller, programme), place)

    @routes.get("/programmes/{programme}/invitations/progress")
    async def progress(request: Request, caller: SignedIn, programme: str) -> Response:
        """How far a round is."""
        return await views.progress(request, caller, await views.commands.programme(caller, programme))

    @routes.post("/programmes/{programme}/invitations")
    async def send(
        request: Request, caller: SignedIn, programme: str, key: IdempotencyKey, chosen: Annotated[Picked, Form()]
    ) -> Response:
        """Invite those who are ticked, or the first so many."""
        found, here = await views.commands.programme(caller, programme), f"/programmes/{programme}/invitations"
        problem = _problem(chosen)
        if not problem:
            first = 0 if chosen.do == _PICKED else int(chosen.first)
            try:
                round_ = await views.invitations.send(caller, key, programme, picked=chosen.member, first=first)
            except TurnaboutError as refusal:
                return redirect(here, notice=refusal.detail, kind="problem")
            text = ngettext("One person is invited.", "{count} people are invited.", round_.count)
            return redirect(here, notice=text.format(count=number(round_.count)))
        return await views.suggestions(request, caller, found, chosen.page, chosen=chosen, problem=problem, status=422)


def _problem(chosen: Picked) -> str:
    """What is wrong with a choice; empty when nothing is."""
    if chosen.do == _PICKED:
        return "" if chosen.member else _("Tick at least one person, or invite the first of them.")
    if chosen.first.isascii() and chosen.first.isdigit() and 1 <= int(chosen.first) <= MOST_AT_ONCE:
        return ""
    return _("Enter a whole number from %(least)s to %(most)s.") % {"least": 1, "most": MOST_AT_ONCE}


def _add_answering(routes: APIRouter, views: InvitationViews) -> None:
    @routes.get("/invitations/{invitation}")
    async def invitation(request: Request, caller: SignedIn, invitation: str) -> HTMLResponse:
        """An invitation of mine."""
        return await views.invitation(request, caller, invitation)

    @routes.post("/invitations/{invitation}/decline")
    async def decline(caller: SignedIn, invitation: str) -> Response:
        """Not for me."""
        await views.invitations.decline(caller, invitation)
        notice = _("That is fine. Nobody is told, and nobody else invites you for a year.")
        return redirect(f"/invitations/{invitation}", notice=notice, kind="info")
