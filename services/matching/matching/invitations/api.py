"""The part of the JSON API with which leads invite, and the invited read why and may say no.

A lead reads what the page shows, so that no answer of this API tells what somebody answered.
"""

import datetime as dt
from typing import Annotated, Self

from chassis.errors import InvalidError
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey
from chassis.web.identity import SignedIn
from contracts.matching import InvitationReason
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from matching.api import PAGE, PREFIX, Cursor, Limit, page_of
from matching.commands import Commands
from matching.domain.invitation import MOST_AT_ONCE
from matching.invitations.commands import Invitations, Opened
from matching.invitations.suggesting import Suggested
from matching.invitations.words import for_invited, for_lead


class InvitableView(BaseModel):
    """Somebody who could be invited, and why."""

    member: str
    reasons: tuple[InvitationReason, ...]
    why: list[str] = Field(description="The reasons in your language.")

    @classmethod
    def of(cls, suggested: Suggested) -> Self:
        """As a lead sees them."""
        return cls(
            member=suggested.member, reasons=suggested.reasons, why=[for_lead(each) for each in suggested.reasons]
        )


class InvitableList(BaseModel):
    """One page of those who could be invited, one of each unit before a second of any; `next` continues it."""

    items: list[InvitableView]
    in_all: int
    sampled: bool = Field(description="Counted among some people of a large organisation.")
    next: str | None = None


class RoundView(BaseModel):
    """Whom a lead has picked at one time: how many they are, and for how many it is done."""

    model_config = ConfigDict(from_attributes=True)

    count: int
    done: int


class InvitationsView(BaseModel):
    """How far invitations to a programme have come. Who said no, and how many did, is told to nobody."""

    invited: int
    enrolled: int | None = Field(
        description="At least so many of them take part since, in steps of five; null while that is not told yet."
    )
    under_way: RoundView | None = Field(description="What is being sent; null when nothing is.")


class Picked(BaseModel):
    """Whom a lead invites: these, or the first so many of those who are suggested."""

    model_config = ConfigDict(extra="forbid")

    members: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...] | None, Field(min_length=1, max_length=MOST_AT_ONCE)
    ] = None
    first: Annotated[int | None, Field(ge=1, le=MOST_AT_ONCE)] = None


class InvitationView(BaseModel):
    """An invitation as the one who has it sees it."""

    id: str
    programme: str
    title: str
    areas: tuple[str, ...]
    by: str = Field(description="Member id of the lead who invites you.")
    reasons: tuple[InvitationReason, ...]
    why: list[str] = Field(description="The reasons in your language.")
    invited_at: str
    until: dt.date
    open: bool
    you_take_part: bool
    you_said_no: bool = Field(description="Nobody else is told, and you can still change your mind.")
    enrol: str | None = Field(
        description="Where you say yes: the page of your profile with the areas ticked, which you save yourself. "
        "Saving a profile that offers one of them is the same yes. Null when there is nothing to answer."
    )

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """For its reader alone."""
        invitation, plan = opened.invitation, opened.programme.plan
        return cls(
            id=invitation.id,
            programme=invitation.programme,
            title=plan.title,
            areas=plan.rules.areas,
            by=invitation.by,
            reasons=invitation.reasons,
            why=[for_invited(each) for each in invitation.reasons],
            invited_at=invitation.invited_at,
            until=plan.closes_on,
            open=opened.running,
            you_take_part=opened.joined,
            you_said_no=invitation.declined_at is not None,
            enrol=opened.enrol if opened.running and not opened.joined else None,
        )


def router(commands: Commands, invitations: Invitations) -> APIRouter:
    """The routes of invitations."""
    api = APIRouter(prefix=PREFIX, tags=["invitations"])
    _add_inviting(api, commands, invitations)
    _add_answering(api, invitations)
    return api


def _add_inviting(api: APIRouter, commands: Commands, invitations: Invitations) -> None:
    @api.get("/programmes/{programme}/invitations")
    async def progress(caller: SignedIn, programme: str) -> InvitationsView:
        """How many are invited, how many of them take part since, and what is being sent."""
        found = await commands.programme(caller, programme)
        tally, under_way = await invitations.tally(found), await invitations.under_way(found)
        return InvitationsView(
            invited=tally.invited,
            enrolled=tally.enrolled,
            under_way=RoundView.model_validate(under_way) if under_way else None,
        )

    @api.get("/programmes/{programme}/invitations/suggested")
    async def suggested(caller: SignedIn, programme: str, after: Cursor = None, limit: Limit = PAGE) -> InvitableList:
        """Who could be invited now, and why; nobody while the programme is not open."""
        found = await commands.programme(caller, programme)
        could = await invitations.suggested(found)
        shown, following = page_of(could, [each.member for each in could], after, limit)
        return InvitableList(
            items=[InvitableView.of(each) for each in shown],
            in_all=len(could),
            sampled=invitations.sampled(found),
            next=following,
        )

    @api.post("/programmes/{programme}/invitations", status_code=202)
    async def send(caller: SignedIn, programme: str, key: IdempotencyKey, picked: Picked) -> RoundView:
        """Invite those whom you name, or the first so many; who can't be invited any more is passed over."""
        if (picked.members is None) == (picked.first is None):
            raise InvalidError(_("Send either `members`, whom you invite, or `first`, how many of those suggested."))
        round_ = await invitations.send(caller, key, programme, picked=picked.members or (), first=picked.first or 0)
        return RoundView.model_validate(round_)


def _add_answering(api: APIRouter, invitations: Invitations) -> None:
    @api.get("/invitations/{invitation}")
    async def invitation(caller: SignedIn, invitation: str) -> InvitationView:
        """An invitation of yours; the notice of it names it as its thread."""
        return InvitationView.of(await invitations.mine(caller, invitation))

    @api.post("/invitations/{invitation}/decline")
    async def decline(caller: SignedIn, invitation: str) -> InvitationView:
        """Say that it is not for you; nobody is told, and nobody else invites you for a year."""
        await invitations.decline(caller, invitation)
        return InvitationView.of(await invitations.mine(caller, invitation))
