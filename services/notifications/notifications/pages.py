"""The inbox: what is new first, kept fresh by a stream of server-sent events, usable without any script."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from chassis.errors import InvalidError
from chassis.translation import gettext
from chassis.web.cards import Card
from chassis.web.identity import Caller, SignedIn, Visitor
from chassis.web.pages import Pages, redirect
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from notifications import api, words
from notifications.api import SeenNotice
from notifications.domain.notice import Notice
from notifications.parts import HasParts, Parts
from notifications.store import Told

router = APIRouter(include_in_schema=False)
pages: Final = Pages("notifications")
SHOWN: Final = 20
PING_SECONDS: Final = 20
RETRY_MS: Final = 1_000
MOST_NEW: Final = 100


def _seen(seen: Annotated[list[str], Form(min_length=1, max_length=MOST_NEW)]) -> list[SeenNotice]:
    """Notices that a form names, each as ``thread~notice``."""
    try:
        return [
            SeenNotice(thread=thread, notice=notice) for thread, _, notice in (each.partition("~") for each in seen)
        ]
    except ValidationError as error:
        raise InvalidError(gettext("Reload your inbox and try again.")) from error


FormSeen = Annotated[list[SeenNotice], Depends(_seen)]


@dataclass(frozen=True, slots=True)
class Row:
    """A notice in the words of its reader."""

    notice: Notice
    name: str  # as forms name it
    line: str
    role: str
    areas: list[str]
    partner: Card
    step: str
    over: str


@router.get("/inbox")
async def inbox(
    request: Request, caller: SignedIn, parts: HasParts, after: Annotated[str | None, Query(max_length=120)] = None
) -> HTMLResponse:
    """The inbox, or older notices behind a cursor."""
    return pages.render(request, "inbox.html", caller=caller, after=after, **await _content(parts, caller, after))


@router.get("/inbox/list")
async def inbox_list(request: Request, caller: SignedIn, parts: HasParts) -> HTMLResponse:
    """The newest notices, for a page that is open."""
    return await _fresh_list(request, caller, parts)


@router.get("/inbox/count")
async def inbox_count(request: Request, caller: SignedIn, parts: HasParts) -> HTMLResponse:
    """How many are unread, for the navigation of every page."""
    unread = len((await parts.store.inbox(caller.tenant, caller.member)).unread)
    return pages.fragment(request, "inbox_count.html", caller=caller, unread=unread)


@router.get("/inbox/stream")
@router.get("/inbox/events")
async def inbox_stream(caller: Visitor, parts: HasParts) -> Response:
    """Wake-ups for open pages; nobody signed in gets the answer that stops a browser from asking again."""
    if caller is None:
        return Response(status_code=204)
    return EventSourceResponse(
        _events(parts, caller), ping=PING_SECONDS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


@router.post("/inbox/read")
async def mark_read(request: Request, caller: SignedIn, parts: HasParts, seen: FormSeen) -> Response:
    """Mark what the page showed as read: one notice, or all new ones."""
    await api.mark_read(parts, caller, seen)
    if "hx-request" in request.headers:
        return await _fresh_list(request, caller, parts)
    return redirect("/inbox")


@router.post("/inbox/open")
async def open_notice(caller: SignedIn, parts: HasParts, seen: FormSeen) -> Response:
    """Mark a notice as read and go where it leads."""
    threads = await api.mark_read(parts, caller, seen)
    thread = threads[seen[0].thread]
    notice = thread.notice(seen[0].notice)
    return redirect(words.link(notice.kind, thread.id) if notice else "/inbox")


async def _events(parts: Parts, caller: Caller) -> AsyncIterator[ServerSentEvent]:
    async for event in parts.streams.follow(caller.tenant, caller.member):
        yield ServerSentEvent(event=event, data="", retry=RETRY_MS)


async def _fresh_list(request: Request, caller: Caller, parts: Parts) -> HTMLResponse:
    content = await _content(parts, caller, None)
    return pages.fragment(request, "inbox_fresh.html", caller=caller, after=None, **content)


async def _content(parts: Parts, caller: Caller, after: str | None) -> dict[str, Any]:
    """What is new, on the first page only, and a stretch of what was read."""
    found = await parts.store.inbox(caller.tenant, caller.member)
    new = [] if after else found.unread[:MOST_NEW]
    earlier, rest = found.read.after(after, limit=SHOWN)
    rows = await _rows(parts, caller, [*new, *earlier])
    return {"new": rows[: len(new)], "earlier": rows[len(new) :], "rest": rest, "unread": len(found.unread)}


async def _rows(parts: Parts, caller: Caller, shown: list[Told]) -> list[Row]:
    partners = [told.thread.partner_of(caller.member) for told in shown]
    cards = await parts.cards.of(caller, partners)
    return [
        Row(
            notice=told.notice,
            name=f"{told.thread.id}~{told.notice.id}",
            line=words.line(told.notice.kind, told.thread.role_of(caller.member), cards[partner].name),
            role=words.role(told.thread.role_of(caller.member), told.notice.kind),
            areas=await parts.areas.labels(told.thread.focus_of(caller.member)),
            partner=cards[partner],
            step=words.next_step(told.notice.kind),
            over=words.over(told.thread, told.notice),
        )
        for told, partner in zip(shown, partners, strict=True)
    ]
