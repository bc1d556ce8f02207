"""The JSON API of profiles: one's own profile, other people's cards, and what other services and operators need."""

import hmac
from typing import Annotated, Any, Final

from chassis.errors import ForbiddenError, NotFoundError, UnauthenticatedError, VersionNeededError
from chassis.translation import gettext as _
from chassis.web import identity
from chassis.web.http import IfMatch, set_etag
from chassis.web.identity import Caller, CallingService, ServiceCaller, SignedIn
from chassis.web.policy import Resource
from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis import clock
from profiles.domain import MAX_AREAS, MAX_CAPACITY, MAX_WISHES, Directory, Member, Profile, Regional
from profiles.levels import LEVEL_NAMES
from profiles.parts import HasParts, Parts
from profiles.policy import POLICY, PURPOSES
from profiles.tokens import SERVICE_SECONDS

router = APIRouter()
V1: Final = "/api/profiles/v1"

ShortId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AreaCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
FunctionCode = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Capacity = Annotated[int, Field(ge=0, le=MAX_CAPACITY)]


class Me(BaseModel):
    """One's own entry."""

    member: str
    name: str
    email: str
    title: str
    roles: tuple[str, ...]
    directory: Directory
    profile: Profile
    regional: Regional


class ProfileChange(BaseModel):
    """Fields of the profile to change; the others stay."""

    model_config = ConfigDict(extra="forbid")

    offers: list[AreaCode] | None = Field(default=None, max_length=MAX_AREAS)
    seeks: list[AreaCode] | None = Field(default=None, max_length=MAX_AREAS)
    mentor_capacity: Capacity | None = None
    mentee_capacity: Capacity | None = None
    open_to_mentor: bool | None = None
    open_to_be_mentored: bool | None = None
    enrolled: bool | None = None
    wishes: list[FunctionCode] | None = Field(default=None, max_length=MAX_WISHES)
    in_person: bool | None = None

    def applied_to(self, profile: Profile) -> Profile:
        """The whole profile that results."""
        changes: dict[str, Any] = self.model_dump(exclude_none=True)
        for field in ("offers", "seeks", "wishes"):
            if field in changes:
                changes[field] = tuple(dict.fromkeys(changes[field]))
        return profile.model_copy(update=changes)


class MembersAsked(BaseModel):
    """Whom to tell about."""

    members: list[ShortId] = Field(max_length=200)


class EmailsAsked(BaseModel):
    """Whose ids to tell."""

    emails: list[Annotated[str, StringConstraints(min_length=3, max_length=254)]] = Field(max_length=200)


class PersonCard(BaseModel):
    """What colleagues see of each other."""

    member: str
    name: str
    title: str
    unit: str
    level: int
    level_name: str
    country: str


class CardsAnswer(BaseModel):
    """Cards of the members who exist, in the order asked."""

    cards: list[PersonCard]


class Address(BaseModel):
    """Where mail reaches a member."""

    member: str
    email: str
    name: str
    language: str
    time_zone: str


class AddressesAnswer(BaseModel):
    """Addresses of the members who exist."""

    addresses: list[Address]


class LookupAnswer(BaseModel):
    """Member ids by address, for addresses in the directory."""

    members: dict[str, str]


class TokenAnswer(BaseModel):
    """A service's token."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the kind of token, not one
    expires_in: int = SERVICE_SECONDS


@router.get(identity.JWKS_PATH, include_in_schema=False)
async def jwks(parts: HasParts, response: Response) -> dict[str, Any]:
    """The keys that verify our tokens."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return (await parts.tokens.keys()).published()


@router.get(f"{V1}/me")
async def me(caller: SignedIn, parts: HasParts, response: Response) -> Me:
    """One's own entry, with its version as ETag."""
    return _told(await own(parts, caller), response)


@router.patch(f"{V1}/me")
async def change_me(
    change: ProfileChange, caller: SignedIn, parts: HasParts, if_match: IfMatch, response: Response
) -> Me:
    """Change one's own profile, based on the version named in If-Match."""
    if if_match is None:
        raise VersionNeededError(_("Send If-Match with the ETag that you read, so that no other edit is lost."))
    POLICY.require(caller, "profile.edit", Resource(caller.tenant, relations=frozenset({"self"})))
    areas = (await parts.store.taxonomy_of(caller.tenant)).now
    functions, at = (await parts.store.functions_of(caller.tenant)).held, clock.timestamp()
    await parts.store.change_member(
        caller.tenant,
        caller.member,
        lambda member: member.edit_profile(change.applied_to(member.profile), at, areas, functions),
        if_match=if_match,
    )
    return _told(await own(parts, caller), response)


@router.post(f"{V1}/cards")
async def cards(asked: MembersAsked, caller: SignedIn, parts: HasParts) -> CardsAnswer:
    """Names and places of colleagues; ids that are unknown are left out."""
    POLICY.require(caller, "cards.read", Resource(caller.tenant))
    return CardsAnswer(cards=[card_of(member) for member in await parts.store.present(caller.tenant, asked.members)])


@router.post(f"{V1}/addresses")
async def addresses(asked: MembersAsked, service: ServiceCaller, parts: HasParts) -> AddressesAnswer:
    """Where mail reaches members; for notifications alone."""
    require_purpose(service, "mail")
    found = await parts.store.present(parts.settings.tenant, asked.members)
    return AddressesAnswer(
        addresses=[
            Address(
                member=member.id,
                email=member.email,
                name=member.name,
                language=member.language,
                time_zone=member.entry.time_zone,
            )
            for member in found
        ]
    )


@router.post(f"{V1}/lookup")
async def lookup(asked: EmailsAsked, service: ServiceCaller, parts: HasParts) -> LookupAnswer:
    """Member ids of people whom a programme or a mentee names by address; for matching alone."""
    require_purpose(service, "lookup")
    wanted = {email.strip().lower(): email for email in asked.emails}
    found = await parts.store.by_email(parts.settings.tenant, wanted)
    return LookupAnswer(members={wanted[email]: member.id for email, member in found.items()})


@router.post(f"{V1}/service-tokens")
async def service_token(
    parts: HasParts,
    client_id: Annotated[str, Form(max_length=64)],
    client_secret: Annotated[str, Form(max_length=512)],
    purpose: Annotated[str, Form(max_length=64)],
) -> TokenAnswer:
    """A token for one of our own services and one purpose."""
    known = parts.settings.service_secret.get_secret_value()
    if not hmac.compare_digest(client_secret.encode(), known.encode()):
        raise UnauthenticatedError(_("The service's secret is not right."))
    if client_id not in PURPOSES.get(purpose, frozenset()):
        raise ForbiddenError(_("This service may not have a token for this purpose."))
    return TokenAnswer(access_token=await parts.tokens.service(client_id, purpose))


@router.delete(f"{V1}/members/{{member_id}}", status_code=204)
async def remove_member(member_id: str, caller: SignedIn, parts: HasParts) -> None:
    """Remove a member: their data is forgotten, their topics get tombstones."""
    POLICY.require(caller, "member.remove", Resource(caller.tenant))
    await parts.store.change_member(caller.tenant, member_id, Member.remove)


async def own(parts: Parts, caller: Caller) -> Member:
    """The caller's own entry.

    Raises:
        NotFoundError: it was removed since the session began.
    """
    member = await parts.store.members.load(caller.tenant, caller.member)
    if member.removed:
        raise NotFoundError(_("The directory does not list you any more."))
    return member


def card_of(member: Member) -> PersonCard:
    """What colleagues see of a member."""
    directory = member.directory
    return PersonCard(
        member=member.id,
        name=member.name,
        title=member.title,
        unit=directory.unit,
        level=directory.level,
        level_name=_(LEVEL_NAMES[directory.level]),
        country=directory.country,
    )


def _told(member: Member, response: Response) -> Me:
    set_etag(response, member.etag)
    return Me(
        member=member.id,
        name=member.name,
        email=member.email,
        title=member.title,
        roles=tuple(role.value for role in member.roles),
        directory=member.entry,
        profile=member.profile,
        regional=member.regional,
    )


async def member_or_service(request: Request, purpose: str) -> Caller | None:
    """The signed-in member, or none for a service with a token for this purpose.

    Raises:
        ForbiddenError: the service's token is for another one.
        UnauthenticatedError: it is neither.
    """
    scheme, _space, _token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            require_purpose(await identity.calling_service(request), purpose)
        except UnauthenticatedError:
            pass  # a member's own bearer token, which the check below reads
        else:
            return None
    return await identity.caller(request)


def require_purpose(service: CallingService, purpose: str) -> None:
    """Go on only with a token for this purpose.

    Raises:
        ForbiddenError: it is for another one.
    """
    if service.purpose != purpose:
        raise ForbiddenError(_("This token is meant for another purpose."))
