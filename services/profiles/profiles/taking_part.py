"""Taking part in one programme or not: a member's choice, which no lead sees and which ends nothing that runs."""

from typing import Annotated, Final, Literal

from chassis.errors import TurnaboutError
from chassis.translation import gettext as _
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import redirect
from chassis.web.policy import Resource
from fastapi import APIRouter, Form, Path, Response
from pydantic import BaseModel

from profiles.parts import HasParts, Parts
from profiles.policy import POLICY

router = APIRouter()
_PATH: Final = "/api/profiles/v1/me/programmes/{programme}"

ProgrammeId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f-]+$")]


class Part(BaseModel):
    """Whether a member takes part in a programme."""

    take_part: bool


class PartForm(BaseModel):
    """The same as the page sends it."""

    take_part: Literal["yes", "no"]


@router.put(_PATH)
async def change_part(programme: ProgrammeId, part: Part, caller: SignedIn, parts: HasParts) -> Part:
    """Take part in a programme, or take no part; saying the same again changes nothing."""
    await _choose(programme, caller, parts, part=part.take_part)
    return part


@router.post("/profile/programmes/{programme}", include_in_schema=False)
async def save_part(
    programme: ProgrammeId, form: Annotated[PartForm, Form()], caller: SignedIn, parts: HasParts
) -> Response:
    """Keeps the choice and says what follows from it."""
    part = form.take_part == "yes"
    try:
        await _choose(programme, caller, parts, part=part)
    except TurnaboutError as refusal:
        return redirect("/profile", notice=refusal.detail, kind="warning")
    if part:
        return redirect("/profile", notice=_("You take part in that programme again."))
    return redirect(
        "/profile",
        notice=_("You take no part in that programme any more. Its open proposals go; what runs goes on."),
    )


async def _choose(programme: str, caller: Caller, parts: Parts, *, part: bool) -> None:
    POLICY.require(caller, "profile.edit", Resource(caller.tenant, relations=frozenset({"self"})))
    await parts.store.change_member(caller.tenant, caller.member, lambda member: member.take_part(programme, part=part))
