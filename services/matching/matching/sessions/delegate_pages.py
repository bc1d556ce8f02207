"""Where a mentee says who arranges their times, and where such a delegate arranges them."""

from typing import Annotated

from chassis.errors import ConflictError, InvalidError, UnavailableError
from chassis.translation import gettext as _
from chassis.web.cards import Cards
from chassis.web.http import IdempotencyKey
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, redirect
from contracts.matching import Status
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from matching.commands import Commands
from matching.domain.mentorship import Mentorship
from matching.sessions.delegates import Delegates
from matching.sessions.pages import Plan, Plans, Refused, Shown, add_plan


class DelegateViews:
    """Everything that drawing a delegate's pages needs. Nothing of an agreement reaches them but the length."""

    def __init__(self, commands: Commands, delegates: Delegates, pages: Pages, cards: Cards) -> None:
        self.commands = commands
        self.delegates = delegates
        self._pages = pages
        self._cards = cards
        self._plans = Plans(commands)

    async def every(self, request: Request, caller: Caller) -> HTMLResponse:
        """The pairs whose times the caller arranges."""
        pairs = await self.delegates.arranged(caller)
        plans = await self._plans.of_all(caller, pairs)
        return self._pages.render(
            request,
            "arranging.html",
            caller=caller,
            pairs=sorted(pairs, key=lambda pair: _waits(pair, plans[pair.id])),
            plans=plans,
            people=await self._cards.of(caller, [member for pair in pairs for member in (pair.mentor, pair.mentee)]),
        )

    async def one(
        self, request: Request, caller: Caller, mentorship: str, refused: Refused | None = None
    ) -> HTMLResponse:
        """The times of one pair; with what was typed where that was refused."""
        pair, side = await self.commands.pair(caller, mentorship, "session.arrange")
        people = await self._cards.of(caller, [pair.mentor, pair.mentee])
        return self._pages.render(
            request,
            "arranging_pair.html",
            caller=caller,
            status=422 if refused else 200,
            pair=pair,
            people=people,
            arranges_for=people[pair.mentee],
            minutes=pair.agreement.intent.minutes if pair.agreement else 0,
            plan=await self._plans.of(caller, pair, side),
            refused=refused or Refused(),
        )


def add(routes: APIRouter, views: DelegateViews, show: Shown) -> None:
    """Add the routes; `show` draws the page of a mentorship for its two people."""
    _add_arranging(routes, views)
    _add_naming(routes, views.delegates, show)


def _add_arranging(routes: APIRouter, views: DelegateViews) -> None:
    @routes.get("/arranging")
    async def every(request: Request, caller: SignedIn) -> HTMLResponse:
        """Whose times I arrange."""
        return await views.every(request, caller)

    @routes.get("/arranging/{mentorship}")
    async def one(request: Request, caller: SignedIn, mentorship: str) -> Response:
        """The times of one pair; its two people have a page of their own."""
        pair, _side = await views.commands.pair(caller, mentorship, "session.arrange")
        if pair.side_of(caller.member) is not None:
            return redirect(f"/mentorships/{mentorship}")
        return await views.one(request, caller, mentorship)

    @routes.post("/arranging/{mentorship}/step-down")
    async def step_down(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Stop arranging the times of one pair."""
        await views.delegates.step_down(caller, mentorship, key)
        notice = _("You do not arrange these times any more. The person for whom you did is told so.")
        return redirect("/arranging", notice=notice, kind="info")

    add_plan(routes, "/arranging", views.commands, views.one)


def _add_naming(routes: APIRouter, delegates: Delegates, show: Shown) -> None:
    @routes.post("/mentorships/{mentorship}/delegate")
    async def name(
        request: Request,
        caller: SignedIn,
        mentorship: str,
        key: IdempotencyKey,
        email: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        """Let somebody arrange my times; an address that is refused comes back as it was typed."""
        try:
            await delegates.name(caller, mentorship, key, email)
        except (ConflictError, InvalidError, UnavailableError) as refusal:
            return await show(request, caller, mentorship, Refused(refusal.detail, address=email))
        notice = _("They arrange your times from now on, and are told so.")
        return redirect(f"/mentorships/{mentorship}#delegate", notice=notice)

    @routes.post("/mentorships/{mentorship}/delegate/dismiss")
    async def dismiss(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> Response:
        """Arrange them myself again."""
        await delegates.dismiss(caller, mentorship, key)
        notice = _("You arrange your times yourself again.")
        return redirect(f"/mentorships/{mentorship}#delegate", notice=notice, kind="info")


def _waits(pair: Mentorship, plan: Plan) -> int:
    """Where a pair stands in the list: what waits for the delegate comes first."""
    if pair.status is not Status.STARTED:
        return 3
    if plan.proposed:
        return 2 if plan.mine else 0
    return 2 if plan.session else 1
