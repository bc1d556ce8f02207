"""Matching's pages for the two people of a pair: what is next, proposals, and one mentorship."""

from typing import Final

from chassis.errors import ConflictError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, after, redirect
from contracts.matching import Outcome, Side, Status
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from chassis import clock
from matching import mentorship_pages
from matching.agenda import next_meeting, next_steps
from matching.commands import Commands
from matching.domain.mentorship import LIVE, UNANSWERED, Mentorship
from matching.invitations import pages as invitation_pages
from matching.invitations.commands import Invitations
from matching.labels import Labels
from matching.programmes import lead_pages, review_pages
from matching.programmes import pages as programme_pages
from matching.programmes.commands import ProgrammeCommands
from matching.programmes.reach import Crowd
from matching.requests import pages as request_pages
from matching.requests.commands import Requests
from matching.requests.discovery import Discovery
from matching.sessions import delegate_pages
from matching.sessions import pages as session_pages
from matching.sessions.delegates import Delegates
from matching.sessions.pages import Plans, Refused
from matching.settings import MatchingSettings
from matching.wording import area_label, customs_words, sentences

_OPEN_STEPS: Final = {
    Status.PROPOSED: 0,
    Status.HALF_ACCEPTED: 1,
    Status.ACCEPTED: 2,
    Status.STARTED: 3,
    Status.PAUSED: 3,
    Status.ENDED: 5,
    Status.CLOSED: 5,
}


class Views:
    """Everything that drawing a page needs."""

    def __init__(self, commands: Commands, pages: Pages, cards: Cards, labels: Labels) -> None:
        self.commands = commands
        self.pages = pages
        self.cards = cards
        self.labels = labels
        self.plans = Plans(commands)

    async def home(self, request: Request, caller: Caller) -> HTMLResponse:
        """What is next for the caller."""
        pairs = await self.commands.store.of_member(caller.tenant, caller.member, LIVE)
        programmes = await self.commands.programmes(caller)
        steps = next_steps(pairs, caller.member, clock.now())
        people = await self.cards.of(caller, [caller.member, *(step.other for step in steps)])
        return self.pages.render(
            request,
            "home.html",
            caller=caller,
            me=people[caller.member],
            people=people,
            steps=steps,
            led=[programme for programme in programmes if programme.led_by(caller.member)],
            focus=await self._focus(pairs),
            plans=await self.plans.of_all(caller, pairs),
            arranged=await self.commands.store.arranged_by(caller.tenant, caller.member),
        )

    async def proposals(self, request: Request, caller: Caller) -> HTMLResponse:
        """The caller's open proposals with the reasons for them."""
        pairs = await self.commands.store.of_member(caller.tenant, caller.member, UNANSWERED)
        steps = next_steps(pairs, caller.member, clock.now())
        people = await self.cards.of(caller, [caller.member, *(step.other for step in steps)])
        areas = await self.labels.areas()
        why = {step.pair.id: sentences(step.pair.terms.reasons_for(step.side), areas) for step in steps}
        return self.pages.render(
            request,
            "proposals.html",
            caller=caller,
            people=people,
            steps=steps,
            why=why,
            focus=await self._focus(pairs),
        )

    async def mentorship(
        self, request: Request, caller: Caller, mentorship: str, refused: Refused | None = None
    ) -> HTMLResponse:
        """One of the caller's pairs, whatever its state; with what was typed where that was refused."""
        pair, side = await self.commands.pair(caller, mentorship)
        other = pair.member_on(Side.MENTEE if side is Side.MENTOR else Side.MENTOR)
        areas = await self.labels.areas()
        offered = pair.terms.areas
        people = await self.cards.of(caller, [pair.mentor, pair.mentee, *([pair.delegate] if pair.delegate else [])])
        return self.pages.render(
            request,
            "mentorship.html",
            caller=caller,
            status=422 if refused else 200,
            pair=pair,
            side=side,
            people=people,
            other=other,
            delegate=people[pair.delegate] if pair.delegate else None,
            arranges_for=None,
            step=_OPEN_STEPS[pair.status],
            why=sentences(pair.terms.reasons_for(side), areas),
            focus=await self._focus([pair]),
            area_options=[(code, area_label(areas, code)) for code in offered],
            words=_words(),
            notes=await self.commands.notes(caller, mentorship),
            plan=await self.plans.of(caller, pair, side),
            refused=refused or Refused(),
            reflections=await self.commands.reflections(caller, pair),
            next_meeting=next_meeting(pair, clock.now()),
            held=sum(session.outcome is Outcome.HELD for session in pair.sessions),
        )

    async def _focus(self, pairs: list[Mentorship]) -> dict[str, list[str]]:
        areas = await self.labels.areas()
        return {
            pair.id: [
                area_label(areas, code)
                for code in (pair.agreement.intent.areas if pair.agreement else pair.terms.areas)[:5]
            ]
            for pair in pairs
        }


def router(
    settings: MatchingSettings,
    commands: Commands,
    labels: Labels,
    *,
    crowd: Crowd,
    discovery: Discovery,
    delegates: Delegates,
    invitations: Invitations,
) -> APIRouter:
    """The routes of all pages of matching."""
    routes = APIRouter(include_in_schema=False)
    pages, cards = Pages("matching"), Cards(settings)
    views = Views(commands, pages, cards, labels)
    request_pages.add(
        routes,
        request_pages.DiscoverViews(commands, discovery, pages, cards, labels),
        Requests(commands, discovery),
    )
    _add_reading(routes, views)
    _add_answers(routes, commands)
    mentorship_pages.add(routes, commands, views.mentorship)
    session_pages.add(routes, commands, pages, cards, views.mentorship)
    delegate_pages.add(routes, delegate_pages.DelegateViews(commands, delegates, pages, cards), views.mentorship)
    programmes = ProgrammeCommands(settings, commands)
    programme_pages.add(routes, programme_pages.ProgrammeViews(programmes, crowd, pages, cards, labels))
    review_pages.add(routes, commands)
    invitation_pages.add(routes, invitation_pages.InvitationViews(commands, invitations, pages, cards, labels))
    lead_pages.add(routes, lead_pages.LeadViews(commands, crowd, pages, cards, labels))
    return routes


def _add_reading(routes: APIRouter, views: Views) -> None:
    @routes.get("/")
    async def home(request: Request, caller: SignedIn) -> HTMLResponse:
        """What is next for me."""
        return await views.home(request, caller)

    @routes.get("/proposals")
    async def proposals(request: Request, caller: SignedIn) -> HTMLResponse:
        """My proposals."""
        return await views.proposals(request, caller)

    @routes.get("/mentorships/{mentorship}")
    async def mentorship(request: Request, caller: SignedIn, mentorship: str) -> HTMLResponse:
        """One of my mentorships."""
        return await views.mentorship(request, caller, mentorship)


def _add_answers(routes: APIRouter, commands: Commands) -> None:
    @routes.post("/proposals/{mentorship}/accept")
    async def accept(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Say yes, and go to where it leads."""
        try:
            pair = await commands.accept(caller, mentorship, key)
        except ConflictError as refusal:
            return redirect("/proposals", notice=refusal.detail, kind="problem")
        return _after_yes(pair)

    @routes.post("/proposals/{mentorship}/decline")
    async def decline(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Say "not now"."""
        notice = _("Done. They are only told that you are not available.")
        return await after(commands.decline(caller, mentorship, key), "/proposals", notice=notice, kind="info")


def _after_yes(pair: Mentorship) -> Response:
    match pair.status:
        case Status.ACCEPTED | Status.STARTED | Status.PAUSED:
            return redirect(
                f"/mentorships/{pair.id}", notice=_("You have both said yes. Now settle what you agree on.")
            )
        case Status.CLOSED | Status.ENDED:
            return redirect("/proposals", notice=_("This proposal is no longer available."), kind="info")
        case _ if pair.reserving:
            return redirect("/", notice=_("You have both said yes. It takes a moment to become final."), kind="info")
        case _:
            return redirect("/proposals", notice=_("Your yes is noted. We tell you when the other side answers."))


def _words() -> dict[str, dict[str, str]]:
    return customs_words() | {"outcome": {"held": _("Held"), "cancelled": _("Cancelled")}}
