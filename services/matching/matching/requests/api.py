"""The part of the JSON API with which somebody looks for another by themselves, asks, and takes it back."""

from typing import Annotated

from chassis.errors import ConflictError
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey
from chassis.web.identity import SignedIn
from contracts.matching import Side
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis import clock
from matching.api import PREFIX, MentorshipView, view_of
from matching.commands import Commands
from matching.labels import Labels
from matching.requests.commands import Requests
from matching.requests.discovery import Discovery
from matching.wording import sentences


class Look(BaseModel):
    """What somebody looks for."""

    model_config = ConfigDict(frozen=True)

    side: Side = Field(default=Side.MENTEE, alias="as", description="On which side you would be.")
    programme: str = Field(max_length=64)
    area: str | None = Field(default=None, max_length=40, description="What the two must share, if it matters.")


class Wanted(BaseModel):
    """Whom somebody asks, in which programme, and on which side they would be."""

    model_config = ConfigDict(extra="forbid")

    member: str = Field(max_length=64)
    programme: str = Field(max_length=64)
    side: Side = Field(alias="as")


class FoundView(BaseModel):
    """Somebody who could be asked."""

    member: str
    areas: tuple[str, ...]
    why: list[str] = Field(description="Your side's reasons, in your language.")


class DiscoverView(BaseModel):
    """Who could be asked now, the best first; nobody while you have no place on that side."""

    items: list[FoundView]


def router(commands: Commands, discovery: Discovery, requests: Requests, labels: Labels) -> APIRouter:
    """The routes of requests."""
    api = APIRouter(prefix=PREFIX, tags=["requests"])

    @api.get("/discover")
    async def discover(caller: SignedIn, look: Annotated[Look, Query()]) -> DiscoverView:
        """People who could be asked, as the rules of a programme have it."""
        programme = await commands.known_programme(caller, look.programme)
        if not programme.running(clock.today()):
            raise ConflictError(_("This programme is not open today."))
        me = await commands.store.members.get(caller.tenant, caller.member)
        found = await discovery.around(programme, me, look.side, look.area) if me else []
        areas = await labels.areas()
        items = [
            FoundView(
                member=each.member, areas=each.terms.areas, why=sentences(each.terms.reasons_for(look.side), areas)
            )
            for each in found
        ]
        return DiscoverView(items=items)

    @api.post("/requests", status_code=201)
    async def ask(caller: SignedIn, key: IdempotencyKey, wanted: Wanted) -> MentorshipView:
        """Ask somebody to mentor you, or offer to mentor them; you have said yes by it."""
        pair = await requests.ask(caller, key, wanted.programme, wanted.member, wanted.side)
        return view_of(pair, caller.member)

    @api.post("/proposals/{mentorship}/take-back")
    async def take_back(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Take a request of yours back, as long as nobody has answered it."""
        return view_of(await requests.take_back(caller, mentorship, key), caller.member)

    return api
