"""Where people look for somebody by themselves, ask, offer, and take a request back."""

from collections.abc import Mapping
from typing import Annotated

from chassis.errors import TurnaboutError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, after, redirect
from contracts.matching import Side
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis import clock
from matching.commands import Commands
from matching.domain.members import Member
from matching.domain.programme import Programme
from matching.labels import Labels
from matching.requests.commands import Requests
from matching.requests.discovery import Discovery, Found
from matching.wording import area_label, sentences

_REASONS: int = 5


class Look(BaseModel):
    """What somebody looks for."""

    model_config = ConfigDict(frozen=True)

    side: Side = Field(default=Side.MENTEE, alias="as")
    programme: str | None = Field(default=None, max_length=64)
    area: str = Field(default="", max_length=40)
    """Any, when it is empty."""


class Wanted(BaseModel):
    """Whom somebody asks, in which programme, and on which side they would be."""

    member: str = Field(max_length=64)
    programme: str = Field(max_length=64)
    side: Side = Field(alias="as")


class DiscoverViews:
    """Everything that drawing the page needs."""

    def __init__(self, commands: Commands, discovery: Discovery, pages: Pages, cards: Cards, labels: Labels) -> None:
        self._commands = commands
        self._discovery = discovery
        self._pages = pages
        self._cards = cards
        self._labels = labels

    async def page(self, request: Request, caller: Caller, look: Look) -> HTMLResponse:
        """People who could be asked, each with what the two share and why."""
        today = clock.today()
        me = await self._commands.store.members.get(caller.tenant, caller.member)
        programmes = [
            each
            for each in await self._commands.programmes(caller)
            if each.running(today) and (me is None or me.takes_part_in(each.id))
        ]
        programme = next((each for each in programmes if each.id == look.programme), next(iter(programmes), None))
        found = await self._found(programme, me, look)
        areas = await self._labels.areas()
        return self._pages.render(
            request,
            "discover.html",
            caller=caller,
            side=look.side,
            area=look.area,
            programme=programme,
            programmes=programmes,
            open_to_it=me is not None and me.capacity(look.side) > 0,
            areas=[(code, area_label(areas, code)) for code in (programme.plan.rules.areas if programme else ())],
            found=found,
            people=await self._cards.of(caller, [each.member for each in found]),
            shared={each.member: [area_label(areas, code) for code in each.terms.areas] for each in found},
            why={each.member: self._why(each, look.side, areas) for each in found},
        )

    async def _found(self, programme: Programme | None, me: Member | None, look: Look) -> list[Found]:
        if programme is None or me is None or not me.capacity(look.side):
            return []
        return await self._discovery.around(programme, me, look.side, look.area or None)

    def _why(self, found: Found, side: Side, areas: Mapping[str, str]) -> list[str]:
        return sentences(found.terms.reasons_for(side), areas)[:_REASONS]


def add(routes: APIRouter, views: DiscoverViews, requests: Requests) -> None:
    """Add the routes."""

    @routes.get("/discover")
    async def discover(request: Request, caller: SignedIn, look: Annotated[Look, Query()]) -> HTMLResponse:
        """People who could be asked."""
        return await views.page(request, caller, look)

    @routes.post("/discover")
    async def ask(caller: SignedIn, key: IdempotencyKey, wanted: Annotated[Wanted, Form()]) -> Response:
        """Ask somebody, or offer oneself."""
        back = f"/discover?as={wanted.side.value}&programme={wanted.programme}"
        try:
            await requests.ask(caller, key, wanted.programme, wanted.member, wanted.side)
        except TurnaboutError as refusal:
            return redirect(back, notice=refusal.detail, kind="problem")
        return redirect(back, notice=_("Sent. They can say yes or “not now”; until then you can take it back."))

    @routes.post("/proposals/{mentorship}/take-back")
    async def take_back(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Take a request back."""
        notice = _("Taken back. You can ask again another time.")
        return await after(requests.take_back(caller, mentorship, key), "/proposals", notice=notice, kind="info")
