"""The parts of pages on which people arrange sessions, and the page on which each of the two reflects on one alone."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from chassis.errors import ConflictError, InvalidError, NotFoundError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, after, redirect
from contracts.matching import Side
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from chassis import clock
from matching.agenda import next_meeting, unlogged, waits_for_pick
from matching.commands import Commands
from matching.domain.agreement import LONGEST_REFLECTION, Intent
from matching.domain.mentorship import Mentorship
from matching.domain.times import LONGEST_AHEAD, ArrangedSession, rfc3339
from matching.sessions.commands import SessionCommands, local_now
from matching.sessions.words import Told, Zones

_LONGEST_TYPED: Final = 1000


class TimesForm(BaseModel):
    """Times and a link as they were typed: what is wrong with them is said beside them, and nothing is lost."""

    time_1: str = Field(default="", max_length=_LONGEST_TYPED)
    time_2: str = Field(default="", max_length=_LONGEST_TYPED)
    time_3: str = Field(default="", max_length=_LONGEST_TYPED)
    link: str = Field(default="", max_length=_LONGEST_TYPED)

    def walls(self) -> list[dt.datetime]:
        """The times by the clock of whoever typed them.

        Raises:
            InvalidError: one of them can't be read.
        """
        typed = [each.strip() for each in (self.time_1, self.time_2, self.time_3) if each.strip()]
        try:
            walls = [dt.datetime.fromisoformat(each) for each in typed]
        except ValueError as error:
            raise InvalidError(
                _("Write each time as year-month-day and hour, for example 2026-03-29 14:30.")
            ) from error
        if any(wall.tzinfo is not None for wall in walls):
            raise InvalidError(_("Leave the time zone out: times are by your own clock."))
        return walls


@dataclass(frozen=True, slots=True)
class Refused:
    """What a form of the page was refused for, and what was typed: times, a delegate's address, an agreement."""

    why: str = ""
    typed: TimesForm | None = None
    address: str | None = None
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one side reads about the sessions of a pair."""

    zone: str
    session: ArrangedSession | None
    when: Told | None
    ahead: bool
    """The session has not begun, so it can still move or be cancelled."""
    proposed: tuple[Told, ...]
    mine: bool
    """The reader proposed these times; the other side picks."""
    link: str
    """What a new proposal begins with: many have one room for all their calls."""
    unlogged: ArrangedSession | None
    next_day: dt.date | None
    earliest: str
    latest: str


class Plans:
    """Reads what a page shows of plans."""

    def __init__(self, commands: Commands) -> None:
        self._sessions = SessionCommands(commands)

    async def of(self, caller: Caller, pair: Mentorship, side: Side) -> Plan:
        """The plan of one pair as one side reads it, or the delegate on that side."""
        mine = await self._sessions.zone(caller.tenant, caller.member)
        others = [member for member in (pair.mentor, pair.mentee) if member != caller.member]
        return _plan(pair, side, Zones(mine, {each: await self._sessions.zone(caller.tenant, each) for each in others}))

    async def of_all(self, caller: Caller, pairs: Iterable[Mentorship]) -> dict[str, Plan]:
        """The plans of pairs in which the caller arranges times, by the caller's own clock and by pair."""
        mine = await self._sessions.zone(caller.tenant, caller.member)
        sides = [(pair, side) for pair in pairs if (side := pair.arranges(caller.member)) is not None]
        return {pair.id: _plan(pair, side, Zones(mine)) for pair, side in sides}


def _plan(pair: Mentorship, side: Side, zones: Zones) -> Plan:
    now = clock.now()
    at = rfc3339(now)
    session, times = pair.session_standing(at), pair.times
    shown = times.times if times is not None and times.open(at) else ()
    here = local_now(zones.mine, now)
    return Plan(
        zone=zones.mine.replace("_", " "),
        session=session,
        when=zones.told(session.time.at) if session else None,
        ahead=session is not None and session.ahead(at),
        proposed=tuple(zones.told(time.at) for time in shown if time.at > at),
        mine=not waits_for_pick(pair, side, now),
        link=times.link if times is not None and shown else pair.arranged[-1].link if pair.arranged else "",
        unlogged=unlogged(pair, now),
        next_day=next_meeting(pair, now),
        earliest=here.isoformat(timespec="minutes"),
        latest=(here + LONGEST_AHEAD).isoformat(timespec="minutes"),
    )


Shown = Callable[[Request, Caller, str, Refused], Awaitable[HTMLResponse]]


def add(routes: APIRouter, commands: Commands, pages: Pages, cards: Cards, show: Shown) -> None:
    """The routes; `show` draws the page of a mentorship."""
    add_plan(routes, "/mentorships", commands, show)
    _add_reflection(routes, commands, pages, cards)


def add_plan(routes: APIRouter, base: str, commands: Commands, show: Shown) -> None:
    """The commands of a page that arranges times: one of the two has theirs, a delegate another."""
    sessions = SessionCommands(commands)

    @routes.post(f"{base}/{{mentorship}}/times")
    async def propose(
        request: Request, caller: SignedIn, mentorship: str, key: IdempotencyKey, form: Annotated[TimesForm, Form()]
    ) -> Response:
        """Propose times; what is refused comes back as it was typed."""
        try:
            await sessions.propose(caller, mentorship, key, form.walls(), form.link)
        except (ConflictError, InvalidError) as refusal:
            return await show(request, caller, mentorship, Refused(refusal.detail, form))
        notice = _("Your times are proposed. The other side picks one, or proposes others.")
        return redirect(f"{base}/{mentorship}", notice=notice)

    @routes.post(f"{base}/{{mentorship}}/times/pick")
    async def pick(
        caller: SignedIn, mentorship: str, key: IdempotencyKey, at: Annotated[str, Form(max_length=40)]
    ) -> Response:
        """Pick a time."""
        notice = _("The session is arranged. Mentor and mentee get it for their calendars by mail.")
        return await after(sessions.pick(caller, mentorship, key, at), f"{base}/{mentorship}", notice=notice)

    @routes.post(f"{base}/{{mentorship}}/call-off")
    async def call_off(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Cancel the session that is ahead."""
        notice = _("The session is cancelled. Mentor and mentee are told, without a reason.")
        called_off = sessions.call_off(caller, mentorship, key)
        return await after(called_off, f"{base}/{mentorship}", notice=notice, kind="info")


def _add_reflection(routes: APIRouter, commands: Commands, pages: Pages, cards: Cards) -> None:
    async def show(request: Request, caller: Caller, mentorship: str, session: str, typed: str | None) -> HTMLResponse:
        pair, side = await commands.pair(caller, mentorship, "reflection.keep")
        if (logged := pair.logged(session)) is None:
            raise NotFoundError(_("We could not find that. It may have been removed."))
        other = pair.member_on(Side.MENTEE if side is Side.MENTOR else Side.MENTOR)
        kept = (await commands.reflections(caller, pair)).get(session, "")
        return pages.render(
            request,
            "reflection.html",
            caller=caller,
            status=200 if typed is None else 422,
            pair=pair,
            session=logged,
            other=(await cards.of(caller, [other]))[other],
            text=kept if typed is None else typed,
            too_long=typed is not None,
            longest=LONGEST_REFLECTION,
        )

    @routes.get("/mentorships/{mentorship}/sessions/{session}")
    async def reflection(request: Request, caller: SignedIn, mentorship: str, session: str) -> HTMLResponse:
        """What I keep about a session."""
        return await show(request, caller, mentorship, session, None)

    @routes.post("/mentorships/{mentorship}/sessions/{session}")
    async def keep(
        request: Request, caller: SignedIn, mentorship: str, session: str, text: Annotated[str, Form()] = ""
    ) -> Response:
        """Keep it; what is too long comes back as it was typed."""
        written = text.replace("\r\n", "\n").strip()
        if len(written) > LONGEST_REFLECTION:
            return await show(request, caller, mentorship, session, written)
        await commands.keep_reflection(caller, mentorship, session, written)
        return redirect(f"/mentorships/{mentorship}", notice=_("Your reflection is kept. Only you can read it."))
