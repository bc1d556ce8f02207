"""What the two of a pair do on its page, times aside: agree, log a session, keep notes, pause, go on, end."""

import datetime as dt
from typing import Annotated, Final

from chassis.errors import ConflictError, InvalidError
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey
from chassis.web.identity import SignedIn
from chassis.web.pages import after, redirect
from contracts.matching import Outcome, Status
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from matching.commands import Commands
from matching.domain.agreement import LONGEST_GOALS, Cadence, Intent, Medium
from matching.sessions.pages import Refused, Shown

_MOST_TYPED: Final = 100_000


class AgreementForm(BaseModel):
    """The agreement as the page sends it."""

    version: int
    areas: list[str] = Field(default=[], max_length=5)
    goals: str = Field(default="", max_length=_MOST_TYPED)
    cadence: Cadence
    medium: Medium
    minutes: int = Field(ge=15, le=180)
    months: int = Field(ge=1, le=24)
    do: str = "agree"

    def typed(self, mentor: str) -> Intent:
        """What was sent, whether or not it can be agreed on."""
        return Intent.model_construct(
            mentor=mentor,
            areas=tuple(self.areas),
            goals=self.goals.replace("\r\n", "\n").strip(),
            cadence=self.cadence,
            medium=self.medium,
            minutes=self.minutes,
            months=self.months,
        )

    def intent(self, mentor: str) -> Intent:
        """What was sent.

        Raises:
            InvalidError: no area is ticked, or the goals are too long.
        """
        if not self.areas:
            raise InvalidError(_("Choose at least one area to focus on."))
        typed = self.typed(mentor)
        if len(typed.goals) > LONGEST_GOALS:
            raise InvalidError(
                "What you want to come of it has {count} characters. Shorten it to {most}.",
                count=len(typed.goals),
                most=LONGEST_GOALS,
            )
        return Intent(**typed.model_dump())


class SessionForm(BaseModel):
    """A session as the page sends it."""

    day: dt.date
    outcome: Outcome


def add(routes: APIRouter, commands: Commands, show: Shown) -> None:
    """The routes; `show` draws the page of a mentorship."""
    _add_agreement(routes, commands, show)
    _add_keeping(routes, commands)
    _add_leaving(routes, commands)


def _add_agreement(routes: APIRouter, commands: Commands, show: Shown) -> None:
    @routes.post("/mentorships/{mentorship}/agreement")
    async def agree(
        request: Request, caller: SignedIn, mentorship: str, key: IdempotencyKey, form: Annotated[AgreementForm, Form()]
    ) -> Response:
        """Save the agreement, and confirm it unless only saving was asked for; what is refused comes back as typed."""
        here, confirm = f"/mentorships/{mentorship}", form.do == "agree"
        pair, _side = await commands.pair(caller, mentorship)
        try:
            after_it = await commands.save_agreement(
                caller, mentorship, key, form.version, form.intent(pair.mentor), confirm=confirm
            )
        except (ConflictError, InvalidError) as refusal:
            return await show(request, caller, mentorship, Refused(refusal.detail, intent=form.typed(pair.mentor)))
        if after_it.status is Status.STARTED:
            return redirect(here, notice=_("You both agree: your mentorship has started."))
        if confirm:
            return redirect(
                here, notice=_("You have agreed. It starts when the other side agrees to the same version.")
            )
        return redirect(here, notice=_("Saved. Nobody has agreed to this version yet."))


def _add_keeping(routes: APIRouter, commands: Commands) -> None:
    @routes.post("/mentorships/{mentorship}/sessions")
    async def log(
        caller: SignedIn, mentorship: str, key: IdempotencyKey, form: Annotated[SessionForm, Form()]
    ) -> Response:
        """Log a session."""
        logged = commands.log_session(caller, mentorship, key, form.day, form.outcome)
        return await after(logged, f"/mentorships/{mentorship}", notice=_("The session is logged."))

    @routes.post("/mentorships/{mentorship}/notes")
    async def notes(caller: SignedIn, mentorship: str, text: Annotated[str, Form(max_length=8000)] = "") -> Response:
        """Keep the mentor's own notes."""
        await commands.keep_notes(caller, mentorship, text.replace("\r\n", "\n"))
        return redirect(f"/mentorships/{mentorship}", notice=_("Your notes are kept. Only you can read them."))


def _add_leaving(routes: APIRouter, commands: Commands) -> None:
    @routes.post("/mentorships/{mentorship}/pause")
    async def pause(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Stop for a while."""
        notice = _("It is paused. Either of you can go on at any time.")
        paused = commands.pause(caller, mentorship, key)
        return await after(paused, f"/mentorships/{mentorship}", notice=notice, kind="info")

    @routes.post("/mentorships/{mentorship}/resume")
    async def resume(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Go on."""
        notice = _("It goes on. Propose when to meet next.")
        return await after(commands.resume(caller, mentorship, key), f"/mentorships/{mentorship}", notice=notice)

    @routes.post("/mentorships/{mentorship}/end")
    async def end(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Leave, without a reason."""
        notice, here = _("It has ended. Nobody is told who ended it or why."), f"/mentorships/{mentorship}"
        ended = commands.end(caller, mentorship, key)
        return await after(ended, "/", notice=notice, kind="info", refused_to=here)
