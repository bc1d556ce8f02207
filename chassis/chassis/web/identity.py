"""Who calls: signed tokens that profiles issues and everybody else only checks.

Claims of a member's token: ``sub`` member id, ``tid`` tenant, ``roles`` tenant-wide roles. Claims of a service's
token: ``sub`` service name, ``purpose`` the one thing it may be used for; it has no ``tid``. Both carry ``iss`` (the
public address), ``aud`` ``turnabout``, ``iat`` and ``exp``, are signed with ES256 and name their key by ``kid``. Their
times are the machine's: a token does not age when a local stack shifts its clock.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import httpx
from fastapi import Depends, FastAPI, Request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from chassis import clock, telemetry
from chassis.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from chassis.translation import gettext as _
from chassis.trust import trusted
from chassis.web.jwks import REFETCH_SECONDS, KeyCache

ALGORITHM: Final = "ES256"
AUDIENCE: Final = "turnabout"
SESSION_COOKIE: Final = "turnabout_session"
JWKS_PATH: Final = "/.well-known/jwks.json"
SERVICE_TOKENS_PATH: Final = "/api/profiles/v1/service-tokens"
LEEWAY_SECONDS: Final = 60

_LONGEST_TOKEN: Final = 8192
_RENEW_SECONDS_BEFORE: Final = 60
_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)


class IdentitySettings(Protocol):
    """The settings that checking a token needs."""

    @property
    def public_url(self) -> str:
        """Issuer of every token."""

    @property
    def profiles_url(self) -> str:
        """Where profiles publishes its keys."""


class ServiceSettings(IdentitySettings, Protocol):
    """The settings that getting a service token needs."""

    @property
    def instance(self) -> str:
        """Name of this replica, which begins with the name of its service."""

    @property
    def service_secret(self) -> SecretStr:
        """Proves to profiles that a service of ours asks."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in member."""

    member: str
    tenant: str
    roles: frozenset[str]
    token: str

    def __repr__(self) -> str:
        return f"Caller(member={self.member!r}, tenant={self.tenant!r}, roles={sorted(self.roles)!r})"


@dataclass(frozen=True, slots=True)
class CallingService:
    """One of our services, calling for one purpose."""

    service: str
    purpose: str


class _Claims(BaseModel):
    """Claims as they must look; anything else is refused."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sub: str = Field(min_length=1, max_length=200)
    tid: str | None = Field(default=None, min_length=1, max_length=200)
    roles: list[str] = []
    purpose: str | None = Field(default=None, min_length=1, max_length=100)


class Verifier:
    """Checks tokens against the keys of profiles."""

    def __init__(
        self,
        settings: IdentitySettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        refetch_seconds: float = REFETCH_SECONDS,
    ) -> None:
        self._keys = KeyCache(
            settings.profiles_url.rstrip("/") + JWKS_PATH, transport=transport, refetch_seconds=refetch_seconds
        )
        self._issuer = settings.public_url

    async def member(self, token: str) -> Caller:
        """The member whose token this is.

        Raises:
            UnauthenticatedError: it is not a valid token of a member.
        """
        claims = await self._claims(token)
        if claims.tid is None or claims.purpose is not None:
            raise _not_signed_in()
        return Caller(member=claims.sub, tenant=claims.tid, roles=frozenset(claims.roles), token=token)

    async def service(self, token: str) -> CallingService:
        """The service whose token this is.

        Raises:
            UnauthenticatedError: it is not a valid token of a service.
        """
        claims = await self._claims(token)
        if claims.purpose is None or claims.tid is not None:
            raise _not_signed_in()
        return CallingService(service=claims.sub, purpose=claims.purpose)

    async def _claims(self, token: str) -> _Claims:
        if len(token) > _LONGEST_TOKEN:
            raise _not_signed_in()
        try:
            header = jws.extract_compact(token.encode()).headers()
            kid = header.get("kid")
            key = await self._keys.key(kid) if isinstance(kid, str) and header.get("alg") == ALGORITHM else None
            if key is None:
                raise _not_signed_in()
            decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
            self._registry().validate(decoded.claims)
            return _Claims.model_validate(decoded.claims)
        except (JoseError, ValidationError, ValueError) as error:
            raise _not_signed_in() from error

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=clock.real_ms() // 1000,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._keys.aclose()


def _not_signed_in() -> UnauthenticatedError:
    return UnauthenticatedError(_("Please sign in to go on."))


def install(api: FastAPI, settings: IdentitySettings, *, transport: httpx.AsyncBaseTransport | None = None) -> Verifier:
    """Let the dependencies of this module work in `api`; profiles hands in a transport to itself."""
    verifier = Verifier(settings, transport=transport)
    api.state.verifier = verifier
    return verifier


def token_of(request: Request) -> str | None:
    """The token that a request carries: a bearer token if there is one, else the session cookie."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return request.cookies.get(SESSION_COOKIE)


async def visitor(request: Request) -> Caller | None:
    """The signed-in member, or None: for pages that everybody may see."""
    if (token := token_of(request)) is None:
        return None
    verifier: Verifier | None = getattr(request.app.state, "verifier", None)
    try:
        return None if verifier is None else await verifier.member(token)
    except UnauthenticatedError:
        return None


async def caller(request: Request) -> Caller:
    """The signed-in member.

    Raises:
        UnauthenticatedError: nobody is signed in; a page turns this into a redirect to sign-in.
    """
    if (token := token_of(request)) is None:
        raise _not_signed_in()
    verifier: Verifier = request.app.state.verifier
    return await verifier.member(token)


async def calling_service(request: Request) -> CallingService:
    """The calling service; a cookie is never enough here.

    Raises:
        UnauthenticatedError: there is no valid service token.
    """
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _not_signed_in()
    verifier: Verifier = request.app.state.verifier
    return await verifier.service(token.strip())


SignedIn = Annotated[Caller, Depends(caller)]
Visitor = Annotated[Caller | None, Depends(visitor)]
ServiceCaller = Annotated[CallingService, Depends(calling_service)]


def needs_role(role: str) -> Any:
    """A dependency that lets through only members with this tenant-wide role: ``Depends(needs_role("analyst"))``."""

    async def check(signed_in: SignedIn) -> Caller:
        if role not in signed_in.roles:
            raise ForbiddenError(_("Your account does not allow this. Ask your administrator for access."))
        return signed_in

    return check


class ServiceTokens:
    """This service's own token for one purpose, renewed before it runs out."""

    def __init__(self, settings: ServiceSettings, purpose: str) -> None:
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=_TIMEOUT, verify=trusted())
        self._secret = settings.service_secret
        self._purpose = purpose
        self._service = settings.instance.partition("-")[0]
        self._token = ""
        self._renew_at = 0.0
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """A token that is valid for a while yet.

        Raises:
            UnavailableError: profiles cannot be asked right now.
        """
        async with self._fetching:
            if time.monotonic() >= self._renew_at:
                await self._renew()
            return self._token

    async def headers(self) -> dict[str, str]:
        """Headers for a call with this token, inside the current trace."""
        traceparent = telemetry.current_traceparent()
        return {"Authorization": f"Bearer {await self.token()}"} | ({"traceparent": traceparent} if traceparent else {})

    async def _renew(self) -> None:
        form = {
            "client_id": self._service,
            "client_secret": self._secret.get_secret_value(),
            "purpose": self._purpose,
        }
        try:
            with telemetry.span("call profiles service-tokens", kind="client"):
                response = await self._client.post(SERVICE_TOKENS_PATH, data=form)
            response.raise_for_status()
            answer = _TokenAnswer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise UnavailableError(_("A part of Turnabout is away. Please try again shortly.")) from error
        self._token = answer.access_token
        self._renew_at = time.monotonic() + max(1, answer.expires_in - _RENEW_SECONDS_BEFORE)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _TokenAnswer(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(gt=0)
