"""The pages of profiles: sign-in, one's own profile, and the import for operators."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

from chassis.errors import InvalidError, PreconditionError, TurnaboutError
from chassis.translation import current
from chassis.translation import gettext as _
from chassis.web.http import IfMatch
from chassis.web.identity import SESSION_COOKIE, Caller, SignedIn, Visitor
from chassis.web.pages import Pages, own_path, redirect
from chassis.web.policy import Resource
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from chassis import clock
from profiles import regional
from profiles.api import AreaCode, Capacity, FunctionCode, card_of, own
from profiles.domain import MAX_AREAS, MAX_CAPACITY, MAX_WISHES, Member, Profile
from profiles.functions import function_label
from profiles.parts import HasParts, Parts
from profiles.policy import POLICY
from profiles.signin import ATTEMPT_COOKIE, CALLBACK, set_cookie, sign_in
from profiles.taxonomy.areas import Areas
from profiles.tokens import ATTEMPT_SECONDS, SESSION_SECONDS

router = APIRouter(include_in_schema=False)
pages: Final = Pages("profiles")
_HISTORY: Final = 20
_DIGITS: Final = 6


# --- Signing in -------------------------------------------------------------------------------------------------------


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    visitor: Visitor,
    parts: HasParts,
    *,
    target: Annotated[str, Query(alias="next")] = "/",
    go: str = "",
    afresh: str = "",
) -> Response:
    """The way in: a page with one button, which leads to the organisation's identity provider."""
    target = own_path(target)
    if go:
        address, attempt = await parts.provider.begin(target, afresh=bool(afresh))
        response: Response = RedirectResponse(address, status_code=303)
        set_cookie(response, parts.settings, ATTEMPT_COOKIE, await parts.tokens.seal(attempt), ATTEMPT_SECONDS)
        return response
    if visitor is not None:
        return redirect(target)
    return _sign_in_page(request, parts, target, afresh=bool(afresh))


@router.get(CALLBACK)
async def signed_in(request: Request, parts: HasParts, code: str = "", state: str = "", error: str = "") -> Response:
    """Back from the identity provider: everything is checked, then the session begins."""
    attempt = await parts.tokens.unseal(request.cookies.get(ATTEMPT_COOKIE, ""))
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
        problem = _("This sign-in took too long or began in another window. Please start again.")
        return _sign_in_page(request, parts, "/", problem=problem, status=400)
    if error or not code:
        problem = _("Signing in was not finished. Nothing has happened; you can try again.")
        return _sign_in_page(request, parts, attempt.next, problem=problem, status=400, afresh=True)
    try:
        identity = await parts.provider.finish(code, attempt)
        member = await sign_in(parts.store, parts.settings.tenant, identity)
    except TurnaboutError as refusal:
        # Whoever cannot go on with this account must be able to choose another one.
        return _sign_in_page(request, parts, attempt.next, problem=refusal.detail, status=refusal.status, afresh=True)
    response = RedirectResponse(own_path(attempt.next), status_code=303)
    set_cookie(response, parts.settings, SESSION_COOKIE, await parts.tokens.session(member), SESSION_SECONDS)
    regional.remember(response, parts.settings, member)
    response.delete_cookie(ATTEMPT_COOKIE, path="/")
    return response


@router.post("/sign-out")
async def sign_out() -> Response:
    """Ends the session in this browser; the next sign-in asks for the account again."""
    response = RedirectResponse("/sign-in?afresh=yes", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def _sign_in_page(
    request: Request, parts: Parts, target: str, *, problem: str | None = None, status: int = 200, afresh: bool = False
) -> HTMLResponse:
    query = {"go": "yes", "next": target} | ({"afresh": "yes"} if afresh else {})
    return pages.render(
        request,
        "sign_in.html",
        status=status,
        organisation=parts.settings.organisation,
        problem=problem,
        address=f"/sign-in?{urlencode(query)}",
    )


# --- One's own profile ------------------------------------------------------------------------------------------------


class ProfileForm(BaseModel):
    """The profile as the page sends it: a box that is not ticked is not sent."""

    offers: list[AreaCode] = Field(default=[], max_length=100)
    seeks: list[AreaCode] = Field(default=[], max_length=100)
    mentor_capacity: Capacity = 1
    mentee_capacity: Capacity = 1
    open_to_mentor: bool = False
    open_to_be_mentored: bool = False
    enrolled: bool = False
    wishes: list[FunctionCode] = Field(default=[], max_length=100)
    in_person: bool = False

    def profile(self, before: Profile) -> Profile:
        """What was sent; areas that were chosen before keep their order of importance."""
        return Profile(
            **self.model_dump(exclude={"offers", "seeks", "wishes"}),
            offers=_in_order(self.offers, before.offers),
            seeks=_in_order(self.seeks, before.seeks),
            wishes=_in_order(self.wishes, before.wishes),
        )


@router.get("/profile")
async def profile_page(
    request: Request,
    caller: SignedIn,
    parts: HasParts,
    offer: Annotated[tuple[AreaCode, ...], Query(max_length=MAX_AREAS)] = (),
) -> HTMLResponse:
    """One's own profile; an invitation leads here with what it is about ticked, which nobody has saved yet."""
    member = await own(parts, caller)
    profile = _invited(member.profile, offer) if offer else member.profile
    choice = await _choice(parts, caller)
    return _profile_page(request, caller, member, profile, choice, invited=profile != member.profile)


@router.post("/profile")
async def save_profile(
    request: Request, caller: SignedIn, parts: HasParts, if_match: IfMatch, form: Annotated[ProfileForm, Form()]
) -> Response:
    """Saves the profile; when it changed meanwhile or cannot be so, the page shows what was entered and why."""
    POLICY.require(caller, "profile.edit", Resource(caller.tenant, relations=frozenset({"self"})))
    before = (await own(parts, caller)).profile
    entered, choice, at = form.profile(before), await _choice(parts, caller), clock.timestamp()
    try:
        await parts.store.change_member(
            caller.tenant,
            caller.member,
            lambda member: member.edit_profile(entered, at, choice.areas, choice.functions),
            if_match=if_match,
        )
    except PreconditionError as refusal:
        problem = _(
            "Your profile was changed elsewhere meanwhile. This is what you entered: look it over and save again."
        )
        return await _again(request, caller, parts, entered, problem=problem, status=refusal.status)
    except InvalidError as refusal:
        return await _again(request, caller, parts, entered, problem=refusal.detail, status=refusal.status)
    if entered == before:
        return redirect("/profile", notice=_("Saved. Nothing was different."), kind="info")
    return redirect("/profile", notice=_("Saved. New proposals follow from it by themselves."))


async def _again(
    request: Request, caller: Caller, parts: Parts, entered: Profile, *, problem: str, status: int
) -> HTMLResponse:
    member, choice = await own(parts, caller), await _choice(parts, caller)
    return _profile_page(request, caller, member, entered, choice, problem=problem, status=status)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What can be chosen: areas, and functions whose people may be wished for."""

    areas: Areas
    functions: tuple[str, ...]

    def families(self) -> list[tuple[str, list[tuple[str, str]], list[tuple[str, str]]]]:
        """The label of each family that holds something, its areas, and what those are about as far as it is said."""
        language, found = current().tag, []
        for family in self.areas.families:
            if areas := self.areas.in_family(family.code):
                told = [(area.words.label(language), area.words.sentence(language)) for area in areas]
                options = [(area.code, label) for area, (label, _about) in zip(areas, told, strict=True)]
                found.append((family.words.label(language), options, [each for each in told if each[1]]))
        return found

    def retired(self, chosen: tuple[str, ...]) -> list[tuple[str, str]]:
        """Areas that stand on a profile and are no longer offered."""
        return [
            (area.code, area.words.label(current().tag))
            for area in self.areas.areas
            if area.retired and area.code in chosen
        ]


async def _choice(parts: Parts, caller: Caller) -> _Choice:
    areas, functions = await parts.store.taxonomy_of(caller.tenant), await parts.store.functions_of(caller.tenant)
    return _Choice(areas.now, functions.held)


def _profile_page(
    request: Request,
    caller: Caller,
    member: Member,
    profile: Profile,
    choice: _Choice,
    *,
    problem: str | None = None,
    status: int = 200,
    invited: bool = False,
) -> HTMLResponse:
    return pages.render(
        request,
        "profile.html",
        caller=caller,
        status=status,
        me=card_of(member),
        member=member,
        profile=profile,
        etag=member.etag,
        families=choice.families(),
        retired={"offers": choice.retired(member.profile.offers), "seeks": choice.retired(member.profile.seeks)},
        functions=sorted(((code, function_label(code)) for code in choice.functions), key=lambda one: one[1].lower()),
        most_areas=MAX_AREAS,
        most_wishes=MAX_WISHES,
        most_people=MAX_CAPACITY,
        problem=problem,
        invited=invited,
        missing=_missing(profile),
    )


def _invited(profile: Profile, offer: Sequence[str]) -> Profile:
    """A profile as it would be if they took part and shared these areas, too."""
    return profile.model_copy(
        update={
            "enrolled": True,
            "open_to_mentor": True,
            "mentor_capacity": max(profile.mentor_capacity, 1),
            "offers": tuple(dict.fromkeys([*profile.offers, *offer]))[:MAX_AREAS],
        }
    )


def _missing(profile: Profile) -> str | None:
    """Why nobody can be proposed yet to somebody who takes part."""
    if not profile.enrolled:
        return None
    mentor = profile.open_to_mentor and profile.offers and profile.mentor_capacity
    mentee = profile.open_to_be_mentored and profile.seeks and profile.mentee_capacity
    if mentor or mentee:
        return None
    return _("You take part, but nobody can be proposed yet: open one of the two sides below and choose an area there.")


def _in_order(chosen: list[str], before: tuple[str, ...]) -> tuple[str, ...]:
    kept = [code for code in before if code in chosen]
    return tuple(dict.fromkeys([*kept, *chosen]))
