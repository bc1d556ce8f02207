"""A member's own language and time zone: the page, the API, and the cookies by which every service's pages know them.

The choice wins over the roster, for mails and on topics, and over the browser. A cookie carries it to the pages of the
other services, so a browser learns of it when the member saves the choice there or signs in.
"""

import re
from typing import Annotated, Final

from chassis.errors import InvalidError, TurnaboutError, VersionNeededError
from chassis.translation import LANGUAGE_COOKIE, own_name
from chassis.translation import gettext as _
from chassis.web.http import IfMatch, set_etag
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, redirect
from chassis.web.policy import Resource
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from chassis import zones
from profiles.api import own
from profiles.domain import Member, Regional
from profiles.parts import HasParts, Parts
from profiles.policy import POLICY
from profiles.settings import ProfilesSettings
from profiles.signin import set_cookie

router = APIRouter()
pages: Final = Pages("profiles")
_PATH: Final = "/api/profiles/v1/me/regional"
_PAGE: Final = "/profile/language"
_YEAR_SECONDS: Final = 365 * 24 * 3600
_PLACES: Final = re.compile(r"(Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/")


class RegionalChange(BaseModel):
    """What the member chooses; null leaves it to the roster and the browser."""

    model_config = ConfigDict(extra="forbid")

    language: str | None = Field(max_length=20)
    time_zone: str | None = Field(max_length=64)


class RegionalAnswer(BaseModel):
    """What the member chose, and what follows from it."""

    language: str | None
    time_zone: str | None
    languages: tuple[str, ...] = Field(description="Those that can be chosen.")
    mail_language: str = Field(description="What mail is written in as things stand.")
    mail_time_zone: str = Field(description="The zone in which mail tells times as things stand.")


class RegionalForm(BaseModel):
    """The choice as the page sends it; an empty word leaves it to the roster and the browser."""

    language: str = Field(default="", max_length=20)
    time_zone: str = Field(default="", max_length=64)


@router.get(_PATH)
async def regional(caller: SignedIn, parts: HasParts, response: Response) -> RegionalAnswer:
    """One's own language and time zone, with the version of one's entry as ETag."""
    return _told(await own(parts, caller), parts, response)


@router.put(_PATH)
async def change_regional(
    change: RegionalChange, caller: SignedIn, parts: HasParts, if_match: IfMatch, response: Response
) -> RegionalAnswer:
    """Choose one's own language and time zone, based on the version named in If-Match."""
    if if_match is None:
        raise VersionNeededError(_("Send If-Match with the ETag that you read, so that no other edit is lost."))
    chosen = Regional(language=change.language or None, time_zone=change.time_zone or None)
    member = await _choose(chosen, caller, parts, if_match)
    remember(response, parts.settings, member)
    return _told(member, parts, response)


@router.get(_PAGE, include_in_schema=False)
async def regional_page(request: Request, caller: SignedIn, parts: HasParts) -> HTMLResponse:
    """The page on which a member chooses both."""
    member = await own(parts, caller)
    return _page(request, caller, parts, member, member.regional)


@router.post(_PAGE, include_in_schema=False)
async def save_regional(
    request: Request, caller: SignedIn, parts: HasParts, if_match: IfMatch, form: Annotated[RegionalForm, Form()]
) -> Response:
    """Saves the choice; when it cannot be so, the page shows it again with the reason."""
    entered = Regional(language=form.language or None, time_zone=form.time_zone or None)
    try:
        member = await _choose(entered, caller, parts, if_match)
    except TurnaboutError as refusal:
        return _page(request, caller, parts, await own(parts, caller), entered, refusal=refusal)
    response = redirect(_PAGE, notice=_("Saved."))
    remember(response, parts.settings, member)
    return response


def remember(response: Response, settings: ProfilesSettings, member: Member) -> None:
    """Let this browser's pages follow the member; a language that they did not choose stays the browser's."""
    kept = {LANGUAGE_COOKIE: member.regional.language, zones.ZONE_COOKIE: member.entry.time_zone}
    for name, value in kept.items():
        if value:
            set_cookie(response, settings, name, value, _YEAR_SECONDS)
        else:
            response.delete_cookie(name, path="/")


async def _choose(chosen: Regional, caller: Caller, parts: Parts, if_match: str | None) -> Member:
    POLICY.require(caller, "profile.edit", Resource(caller.tenant, relations=frozenset({"self"})))
    if chosen.language and chosen.language not in parts.languages:
        raise InvalidError(_("Turnabout does not speak this language yet. Choose one from the list."))
    if chosen.time_zone and chosen.time_zone not in zones.known():
        raise InvalidError(_("There is no such time zone. Choose one from the list."))
    await parts.store.change_member(
        caller.tenant, caller.member, lambda member: member.choose_regional(chosen), if_match=if_match
    )
    return await own(parts, caller)


def _told(member: Member, parts: Parts, response: Response) -> RegionalAnswer:
    set_etag(response, member.etag)
    return RegionalAnswer(
        **member.regional.model_dump(),
        languages=parts.languages,
        mail_language=member.language,
        mail_time_zone=member.entry.time_zone,
    )


def _page(
    request: Request,
    caller: Caller,
    parts: Parts,
    member: Member,
    chosen: Regional,
    *,
    refusal: TurnaboutError | None = None,
) -> HTMLResponse:
    return pages.render(
        request,
        "language.html",
        caller=caller,
        status=refusal.status if refusal else 200,
        problem=refusal.detail if refusal else None,
        chosen=chosen,
        etag=member.etag,
        languages=[(tag, own_name(tag)) for tag in parts.languages],
        zones=[(name, name.replace("_", " ")) for name in _offered(chosen.time_zone)],
        roster_zone=member.directory.time_zone.replace("_", " "),
    )


def _offered(chosen: str | None) -> list[str]:
    """Zones named by a place, and whatever else was chosen."""
    places = {name for name in zones.known() if _PLACES.match(name)}
    return sorted(places | {"UTC"} | ({chosen} if chosen in zones.known() and chosen else set()))
