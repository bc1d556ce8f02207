"""The JSON API of notifications: one's own notices, and marks that they were read."""

from collections.abc import Sequence
from typing import Annotated, Final

from chassis.web.identity import Caller, SignedIn
from chassis.web.policy import Grant, Policy, Resource
from contracts.matching import Side, Status
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from notifications.domain.notice import Kind
from notifications.domain.thread import Thread
from notifications.parts import HasParts, Parts
from notifications.store import Told
from notifications.words import link

router = APIRouter(prefix="/api/notifications/v1")
MOST_SHOWN: Final = 100

# Everybody reads their own inbox; a thread is known to nobody but those who are told something in it.
POLICY: Final = Policy({"thread.mark": Grant(relations={"participant"})})

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class NoticeTold(BaseModel):
    """One thing that the caller was told."""

    id: str
    thread: str = Field(description="The mentorship, or the invitation, that it is about.")
    kind: Kind
    role: Side | None = Field(description="The caller's side in that mentorship; null for a delegate.")
    partner: str = Field(
        description="Member id of the other side; the lead in an invitation; for a delegate, whose times they arrange."
    )
    areas: list[str] = Field(description="Codes of the focus areas; none for a delegate.")
    status: Status | None = Field(description="Where the mentorship stands now; null for a delegate.")
    at: str
    read_at: str | None
    link: str = Field(description="The page that it leads to.")

    @classmethod
    def of(cls, told: Told) -> "NoticeTold":
        """As the member whom it was told to sees it."""
        thread, notice = told.thread, told.notice
        side = thread.role_of(notice.member)
        return cls(
            id=notice.id,
            thread=thread.id,
            kind=notice.kind,
            role=side,
            partner=thread.partner_of(notice.member),
            areas=thread.focus_of(notice.member),
            status=thread.status if side else None,
            at=notice.at,
            read_at=notice.read_at,
            link=link(notice.kind, thread.id),
        )


class NoticesAnswer(BaseModel):
    """A stretch of one's inbox, newest first."""

    notices: list[NoticeTold]
    next: str | None = Field(description="Cursor of the rest; null at the end.")
    unread: int


class SeenNotice(BaseModel):
    """Names one notice."""

    model_config = ConfigDict(extra="forbid")

    thread: Id
    notice: Id


class Seen(BaseModel):
    """What the caller has seen."""

    model_config = ConfigDict(extra="forbid")

    notices: list[SeenNotice] = Field(min_length=1, max_length=MOST_SHOWN)


@router.get("/notices")
async def notices(
    caller: SignedIn,
    parts: HasParts,
    cursor: Annotated[str | None, Query(max_length=120)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = 20,
) -> NoticesAnswer:
    """One's own notices, newest first."""
    inbox = await parts.store.inbox(caller.tenant, caller.member)
    shown, rest = inbox.after(cursor, limit=limit)
    return NoticesAnswer(notices=[NoticeTold.of(told) for told in shown], next=rest, unread=len(inbox.unread))


@router.post("/notices/read", status_code=204)
async def read(seen: Seen, caller: SignedIn, parts: HasParts) -> Response:
    """Mark notices as read; marking them again changes nothing."""
    await mark_read(parts, caller, seen.notices)
    return Response(status_code=204)


async def mark_read(parts: Parts, caller: Caller, seen: Sequence[SeenNotice]) -> dict[str, Thread]:
    """Mark notices as read, all or none; returns their threads as they were.

    Raises:
        NotFoundError: a thread does not exist, or is other people's.
    """
    notices: dict[str, set[str]] = {}
    for each in seen:
        notices.setdefault(each.thread, set()).add(each.notice)
    threads = {name: await parts.store.threads.load(caller.tenant, name) for name in notices}
    for thread in threads.values():
        mine = frozenset({"participant"} if caller.member in thread.participants else ())
        POLICY.require(caller, "thread.mark", Resource(tenant=thread.tenant, relations=mine, secret=True))
    await parts.store.mark_read(caller.member, notices, threads.values())
    parts.streams.nudge(caller.tenant, caller.member)
    return threads
