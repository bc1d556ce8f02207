"""The JSON API of preferences, and the address to which a mail program sends its one click."""

from typing import Annotated, Final

from chassis.errors import ConflictError, InvalidError, NotFoundError, VersionNeededError
from chassis.translation import gettext as _
from chassis.web.http import IfMatch, set_etag
from chassis.web.identity import SignedIn
from chassis.web.pages import redirect
from fastapi import APIRouter, Form, Path, Response
from pydantic import BaseModel, Field

from notifications.domain.notice import Kind
from notifications.kinds import PREFERENCES_PAGE, name_of
from notifications.parts import HasParts
from notifications.preferences import SWITCHABLE, Channel, Choice, Preferences
from notifications.unsubscribe import ONE_CLICK, PATH

router = APIRouter()
_PREFERENCES: Final = "/api/notifications/v1/preferences"

Token = Annotated[str, Path(min_length=1, max_length=2000)]


class KindTold(BaseModel):
    """One kind of notice."""

    kind: Kind
    name: str
    can_be_off: list[Channel] = Field(description="The channels by which the caller may switch it off.")


class PreferencesAnswer(BaseModel):
    """What the caller chose, and what can be chosen."""

    choice: Choice
    kinds: list[KindTold]

    @classmethod
    def of(cls, preferences: Preferences) -> "PreferencesAnswer":
        """With every kind that there is."""
        kinds = [
            KindTold(kind=kind, name=name_of(kind), can_be_off=[each for each in Channel if kind in SWITCHABLE[each]])
            for kind in Kind
        ]
        return cls(choice=preferences.choice, kinds=kinds)


@router.get(_PREFERENCES)
async def preferences(caller: SignedIn, parts: HasParts, response: Response) -> PreferencesAnswer:
    """One's own preferences, with their version as ETag."""
    found = await parts.store.preferences_of(caller.tenant, caller.member)
    set_etag(response, found.version)
    return PreferencesAnswer.of(found)


@router.put(_PREFERENCES)
async def choose(
    choice: Choice, caller: SignedIn, parts: HasParts, if_match: IfMatch, response: Response
) -> PreferencesAnswer:
    """Choose anew, based on the version named in If-Match; what is not named is on."""
    if if_match is None:
        raise VersionNeededError(_("Send If-Match with the ETag that you read, so that no other edit is lost."))
    await parts.store.change_preferences(
        caller.tenant, caller.member, lambda each: each.choose(choice), if_match=if_match
    )
    parts.streams.nudge(caller.tenant, caller.member)
    return await preferences(caller, parts, response)


@router.get(f"{PATH}/{{token}}")
async def show(token: Token, parts: HasParts) -> Response:
    """Where a browser comes out that opens the address: the page where one decides. Nothing changes by looking."""
    permission = parts.seal.opened(token)
    return redirect(f"{PREFERENCES_PAGE}?kind={permission.kind.value}" if permission else PREFERENCES_PAGE)


@router.post(f"{PATH}/{{token}}", status_code=204)
async def unsubscribe(
    token: Token, parts: HasParts, click: Annotated[str, Form(alias="List-Unsubscribe", max_length=40)]
) -> Response:
    """Switch off the mail of the one kind that the token names; again changes nothing (RFC 8058)."""
    if click != ONE_CLICK:
        raise InvalidError(_("Send the form field List-Unsubscribe with the value One-Click."))
    if (permission := parts.seal.opened(token)) is None:
        raise NotFoundError(_("This link is not one of ours. Choose on the page Preferences which mails you get."))
    if not await parts.store.change_preferences(
        permission.tenant, permission.member, lambda each: each.unsubscribe(permission.kind, permission.round)
    ):
        raise ConflictError(
            _("You have switched this mail on again since. To end it, choose so on the page Preferences.")
        )
    return Response(status_code=204)
