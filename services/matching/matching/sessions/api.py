"""The part of the JSON API that arranges sessions, and the calendar entry that notifications asks for."""

from typing import Annotated, Final

from chassis.errors import ForbiddenError
from chassis.translation import gettext as _
from chassis.web import calendar
from chassis.web.http import IdempotencyKey
from chassis.web.identity import ServiceCaller, SignedIn
from contracts.matching import Side, Status
from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime

from chassis import clock
from matching.api import PREFIX
from matching.commands import Commands
from matching.domain.agreement import LONGEST_REFLECTION, Medium
from matching.domain.mentorship import Mentorship
from matching.domain.times import MOST_TIMES, ArrangedSession, LocalTime, rfc3339
from matching.labels import Labels
from matching.sessions.commands import SessionCommands
from matching.sessions.words import entry_of

CALENDAR: Final = "calendar"
"""The purpose of the token with which notifications asks."""

Id = Annotated[str, Field(min_length=1, max_length=64)]


class Times(BaseModel):
    """One to three times, by the clocks of whoever proposes them."""

    model_config = ConfigDict(extra="forbid")
    times: Annotated[list[NaiveDatetime], Field(min_length=1, max_length=MOST_TIMES)]
    link: Annotated[str, Field(max_length=1000, description="Of a video call; an https address.")] = ""


class Pick(BaseModel):
    """Which of the proposed times."""

    model_config = ConfigDict(extra="forbid")
    at: Annotated[AwareDatetime, Field(description="The moment, as it was read.")]


class ReflectionText(BaseModel):
    """What one keeps about a session; nobody else reads it."""

    text: Annotated[str, Field(max_length=LONGEST_REFLECTION)]


class ProposedView(BaseModel):
    """Times that wait for one side to pick one."""

    by: Side
    times: tuple[LocalTime, ...]
    link: str


class ArrangedView(BaseModel):
    """A session that is ahead or under way."""

    id: str
    time: LocalTime
    minutes: int
    link: str
    medium: Annotated[Medium | None, Field(description="As agreed; not for a delegate.")]


class PlanView(BaseModel):
    """What two people have arranged and proposed."""

    session: ArrangedView | None
    proposed: ProposedView | None

    @classmethod
    def of(cls, pair: Mentorship, member: str) -> "PlanView":
        """What stands now, for one of the two or the mentee's delegate."""
        now = clock.timestamp()
        session, times = pair.session_standing(now), pair.times
        return cls(
            session=_arranged(pair, session, member) if session and pair.status is Status.STARTED else None,
            proposed=ProposedView(**times.model_dump()) if times and times.open(now) else None,
        )


class EntryAsked(BaseModel):
    """Whose calendar entry of which session."""

    model_config = ConfigDict(extra="forbid")
    tenant: Id
    mentorship: Id
    session: Id
    member: Id


class EntryTold(BaseModel):
    """A session's calendar entry as it is now, in the language that was asked for."""

    version: int
    called_off: bool
    over: bool
    uid: str
    time: LocalTime
    minutes: int
    summary: str
    description: str
    page: str
    place: str
    reader_zone: str


def router(commands: Commands, labels: Labels, public_url: str) -> APIRouter:
    """The routes of sessions."""
    api = APIRouter(prefix=PREFIX, tags=["sessions"])
    sessions = SessionCommands(commands)
    _add_plan(api, commands, sessions)
    _add_file(api, sessions, labels, public_url)
    _add_entries(api, sessions, labels, public_url)
    _add_reflections(api, commands)
    return api


def _add_plan(api: APIRouter, commands: Commands, sessions: SessionCommands) -> None:
    @api.get("/mentorships/{mentorship}/plan")
    async def plan(caller: SignedIn, mentorship: str) -> PlanView:
        """What is arranged and proposed."""
        pair, _side = await commands.pair(caller, mentorship, "session.arrange")
        return PlanView.of(pair, caller.member)

    @api.post("/mentorships/{mentorship}/plan/times")
    async def propose(caller: SignedIn, mentorship: str, key: IdempotencyKey, body: Times) -> PlanView:
        """Propose times by your own clocks, in place of what was proposed."""
        pair = await sessions.propose(caller, mentorship, key, body.times, body.link)
        return PlanView.of(pair, caller.member)

    @api.post("/mentorships/{mentorship}/plan/pick")
    async def pick(caller: SignedIn, mentorship: str, key: IdempotencyKey, body: Pick) -> PlanView:
        """Pick one of the times that the other side proposed."""
        return PlanView.of(await sessions.pick(caller, mentorship, key, rfc3339(body.at)), caller.member)

    @api.post("/mentorships/{mentorship}/plan/call-off")
    async def call_off(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> PlanView:
        """Cancel the session that is ahead, without a reason."""
        return PlanView.of(await sessions.call_off(caller, mentorship, key), caller.member)


def _add_file(api: APIRouter, sessions: SessionCommands, labels: Labels, public_url: str) -> None:
    @api.get("/mentorships/{mentorship}/session.ics", response_class=Response)
    async def file(caller: SignedIn, mentorship: str) -> Response:
        """The arranged session as a file for one's calendar."""
        pair, session = await sessions.standing(caller, mentorship)
        entry = entry_of(pair, session, caller.member, await labels.areas(), public_url)
        headers = {"Content-Disposition": 'attachment; filename="session.ics"', "Cache-Control": "no-store"}
        return Response(calendar.as_file(entry, clock.now()), media_type="text/calendar", headers=headers)


def _add_entries(api: APIRouter, sessions: SessionCommands, labels: Labels, public_url: str) -> None:
    @api.post("/calendar-entries")
    async def entry(service: ServiceCaller, asked: EntryAsked) -> EntryTold | None:
        """A session's calendar entry as it is now, for notifications alone; null when it is no longer known."""
        if service.purpose != CALENDAR:
            raise ForbiddenError(_("This token is meant for another purpose."))
        pair = await sessions.store.mentorships.get(asked.tenant, asked.mentorship)
        if pair is None or pair.side_of(asked.member) is None:
            return None
        if (session := pair.arranged_session(asked.session)) is None:
            return None
        entry = entry_of(pair, session, asked.member, await labels.areas(), public_url)
        return EntryTold(
            version=session.version,
            called_off=session.called_off,
            over=session.over(clock.timestamp()),
            uid=entry.uid,
            time=session.time,
            minutes=session.minutes,
            summary=entry.summary,
            description=entry.description,
            page=entry.page,
            place=entry.place,
            reader_zone=await sessions.zone(asked.tenant, asked.member),
        )


def _add_reflections(api: APIRouter, commands: Commands) -> None:
    @api.get("/mentorships/{mentorship}/sessions/{session}/reflection")
    async def reflection(caller: SignedIn, mentorship: str, session: str) -> ReflectionText:
        """What I keep about a logged session."""
        pair, _side = await commands.pair(caller, mentorship, "reflection.keep")
        return ReflectionText(text=(await commands.reflections(caller, pair)).get(session, ""))

    @api.put("/mentorships/{mentorship}/sessions/{session}/reflection", status_code=204)
    async def keep(caller: SignedIn, mentorship: str, session: str, body: ReflectionText) -> Response:
        """Keep a text about a logged session; nobody else reads it."""
        await commands.keep_reflection(caller, mentorship, session, body.text)
        return Response(status_code=204)


def _arranged(pair: Mentorship, session: ArrangedSession, member: str) -> ArrangedView:
    medium = pair.started_agreement().intent.medium if pair.side_of(member) else None
    return ArrangedView(id=session.id, time=session.time, minutes=session.minutes, link=session.link, medium=medium)
