"""The JSON API of pairs under ``/api/matching/v1``: the same commands that the pages give."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from chassis.errors import InvalidError, PreconditionError
from chassis.web.http import IdempotencyKey, IfMatch, set_etag
from chassis.web.identity import SignedIn
from contracts.matching import Outcome, Side, Status
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from matching.commands import Commands
from matching.domain.agreement import Agreement, Intent
from matching.domain.mentorship import LIVE, UNANSWERED, Mentorship

PREFIX: Final = "/api/matching/v1"
PAGE: Final = 50
Item = TypeVar("Item")


class SessionView(BaseModel):
    """A session as both sides see it."""

    id: str
    day: str
    outcome: Outcome
    disputed: bool


class MentorshipView(BaseModel):
    """A mentorship as one of its two people sees it: never who said what."""

    id: str
    programme: str
    status: Status
    you: Side
    you_said_yes: bool
    mentor: str
    mentee: str
    delegate: str | None
    areas: tuple[str, ...]
    direction: str
    proposed_at: str
    expires_at: str
    started_at: str | None
    planned_end: str | None
    agreement: Agreement | None
    sessions: list[SessionView]

    @classmethod
    def of(cls, pair: Mentorship, side: Side) -> "MentorshipView":
        """What one side may see."""
        return cls(
            id=pair.id,
            programme=pair.programme,
            status=pair.status,
            you=side,
            you_said_yes=side in pair.yes,
            mentor=pair.mentor,
            mentee=pair.mentee,
            delegate=pair.delegate,
            areas=pair.terms.areas,
            direction=pair.direction,
            proposed_at=pair.proposed_at,
            expires_at=pair.expires_at,
            started_at=pair.started_at,
            planned_end=pair.planned_end,
            agreement=pair.agreement,
            sessions=[
                SessionView(id=each.id, day=each.day, outcome=each.outcome, disputed=each.disputed)
                for each in pair.sessions
            ],
        )


class MentorshipList(BaseModel):
    """One page of a list; `next` continues it."""

    items: list[MentorshipView]
    next: str | None = None


class Confirmation(BaseModel):
    """Which version of the agreement is confirmed."""

    model_config = ConfigDict(extra="forbid")
    version: int


class SessionLog(BaseModel):
    """What became of a day's session."""

    model_config = ConfigDict(extra="forbid")
    day: dt.date
    outcome: Outcome


Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]


def router(commands: Commands) -> APIRouter:
    """The routes of the API."""
    api = APIRouter(prefix=PREFIX, tags=["matching"])
    _add_mentorships(api, commands)
    _add_commands(api, commands)
    return api


def _add_mentorships(api: APIRouter, commands: Commands) -> None:
    @api.get("/proposals")
    async def proposals(caller: SignedIn, after: Cursor = None, limit: Limit = PAGE) -> MentorshipList:
        """My open proposals, newest first."""
        pairs = await commands.store.of_member(caller.tenant, caller.member, UNANSWERED)
        return _page(pairs, caller.member, after, limit)

    @api.get("/mentorships")
    async def mentorships(caller: SignedIn, after: Cursor = None, limit: Limit = PAGE) -> MentorshipList:
        """My accepted and running mentorships, newest first."""
        standing = [status for status in LIVE if status not in UNANSWERED]
        pairs = await commands.store.of_member(caller.tenant, caller.member, standing)
        return _page(pairs, caller.member, after, limit)

    @api.get("/mentorships/{mentorship}")
    async def mentorship(caller: SignedIn, mentorship: str, response: Response) -> MentorshipView:
        """One of mine; its ETag is the version of the agreement."""
        pair, side = await commands.pair(caller, mentorship)
        return _answer(pair, side, response)


def _add_commands(api: APIRouter, commands: Commands) -> None:
    @api.post("/proposals/{mentorship}/accept")
    async def accept(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Say yes."""
        return view_of(await commands.accept(caller, mentorship, key), caller.member)

    @api.post("/proposals/{mentorship}/decline")
    async def decline(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Say "not now"."""
        return view_of(await commands.decline(caller, mentorship, key), caller.member)

    @api.put("/mentorships/{mentorship}/agreement")
    async def edit(
        *, caller: SignedIn, mentorship: str, key: IdempotencyKey, seen: IfMatch, intent: Intent, response: Response
    ) -> MentorshipView:
        """Edit the agreement; `If-Match` names the version that was read."""
        if seen is None or not seen.isdigit():
            raise PreconditionError("Send If-Match with the ETag of the mentorship that you read.")
        pair = await commands.save_agreement(caller, mentorship, key, int(seen), intent, confirm=False)
        return _answer(pair, _side(pair, caller.member), response)

    @api.post("/mentorships/{mentorship}/agreement/confirmations")
    async def confirm(caller: SignedIn, mentorship: str, key: IdempotencyKey, body: Confirmation) -> MentorshipView:
        """Confirm a version; the second confirmation starts the mentorship."""
        return view_of(await commands.confirm(caller, mentorship, key, body.version), caller.member)

    @api.post("/mentorships/{mentorship}/sessions")
    async def log(caller: SignedIn, mentorship: str, key: IdempotencyKey, body: SessionLog) -> MentorshipView:
        """Log a day's session as held or cancelled."""
        return view_of(await commands.log_session(caller, mentorship, key, body.day, body.outcome), caller.member)

    @api.post("/mentorships/{mentorship}/pause")
    async def pause(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Stop for a while, without a reason; what was arranged is called off."""
        return view_of(await commands.pause(caller, mentorship, key), caller.member)

    @api.post("/mentorships/{mentorship}/resume")
    async def resume(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Go on; either side may."""
        return view_of(await commands.resume(caller, mentorship, key), caller.member)

    @api.post("/mentorships/{mentorship}/end")
    async def end(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Leave, without a reason."""
        return view_of(await commands.end(caller, mentorship, key), caller.member)


def page_of(
    items: Sequence[Item], ids: Sequence[str], after: str | None, limit: int
) -> tuple[Sequence[Item], str | None]:
    """One page of a list whose items have these ids, and with what the next one goes on.

    Raises:
        InvalidError: what stood last on the page before is not in the list any more.
    """
    if after is not None and after not in ids:
        raise InvalidError("The list has changed since: begin again without `after`.")
    begin = 0 if after is None else ids.index(after) + 1
    end = begin + limit
    return items[begin:end], ids[end - 1] if end < len(ids) else None


def _page(pairs: list[Mentorship], member: str, after: str | None, limit: int) -> MentorshipList:
    shown, following = page_of(pairs, [pair.id for pair in pairs], after, limit)
    return MentorshipList(items=[view_of(pair, member) for pair in shown], next=following)


def view_of(pair: Mentorship, member: str) -> MentorshipView:
    """A pair as one of its two people sees it."""
    return MentorshipView.of(pair, _side(pair, member))


def _side(pair: Mentorship, member: str) -> Side:
    return Side.MENTOR if member == pair.mentor else Side.MENTEE


def _answer(pair: Mentorship, side: Side, response: Response) -> MentorshipView:
    if pair.agreement is not None:
        set_etag(response, str(pair.agreement.version))
    return MentorshipView.of(pair, side)
