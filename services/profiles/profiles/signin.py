"""Sign-in through the organisation's identity provider: OpenID Connect code flow with PKCE.

The provider proves a verified e-mail address; the roster says whose it is. The first sign-in ties the member to the
provider's subject, so an address that later passes to somebody else does not open the old profile.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
from chassis.errors import ForbiddenError, UnavailableError
from chassis.translation import gettext as _
from chassis.trust import trusted
from fastapi import Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis import clock
from profiles.domain import Member
from profiles.settings import ProfilesSettings
from profiles.store import Store
from profiles.tokens import Attempt

ATTEMPT_COOKIE: Final = "turnabout_signin"
CALLBACK: Final = "/signed-in"
_ALGORITHMS: Final = ["RS256", "PS256", "ES256"]
_LEEWAY_SECONDS: Final = 60
_KEPT_SECONDS: Final = 600.0
_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for."""

    subject: str
    email: str


class _Discovered(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None


class _Grant(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id_token: str
    access_token: str


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    sub: str
    email: str | None = None
    email_verified: bool = False


class Provider:
    """The organisation's identity provider, as a client sees it."""

    def __init__(self, settings: ProfilesSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._redirect = settings.public_url.rstrip("/") + CALLBACK
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport, verify=trusted())
        self._known: tuple[_Discovered, dict[str, Any]] | None = None
        self._asked_at = 0.0

    async def begin(self, next_path: str, *, afresh: bool) -> tuple[str, Attempt]:
        """Where to send the browser, and what to remember until it comes back.

        Args:
            next_path: the page of ours to return to.
            afresh: ask the provider to let the person sign in again, as after signing out.
        """
        attempt = Attempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=next_path,
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._redirect,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | ({"prompt": "login"} if afresh else {})
        discovered, _keys = await self._discover()
        return f"{discovered.authorization_endpoint}?{urlencode(query)}", attempt

    async def finish(self, code: str, attempt: Attempt) -> Identity:
        """Exchange the code and check everything that the provider says.

        Raises:
            ForbiddenError: the provider does not vouch for a verified address.
            UnavailableError: the provider cannot be reached or does not play by the protocol.
        """
        discovered, _keys = await self._discover()
        try:
            grant = _Grant.model_validate_json((await self._exchange(discovered, code, attempt)).content)
            claims = await self._checked(grant.id_token, attempt.nonce)
            if claims.email is None and discovered.userinfo_endpoint:
                claims = await self._userinfo(discovered.userinfo_endpoint, grant.access_token, claims.sub)
        except (httpx.HTTPError, JoseError, ValidationError, ValueError) as error:
            raise _unusable() from error
        if claims.email is None or not claims.email_verified:
            raise ForbiddenError(
                _("Your organisation has not confirmed an e-mail address for you, so we cannot tell who you are.")
            )
        return Identity(f"{discovered.issuer}|{claims.sub}", claims.email.strip().lower())

    async def _exchange(self, discovered: _Discovered, code: str, attempt: Attempt) -> httpx.Response:
        secret = self._settings.oidc_client_secret.get_secret_value()
        response = await self._client.post(
            discovered.token_endpoint,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect,
                "code_verifier": attempt.verifier,
            },
            auth=(quote(self._settings.oidc_client_id, safe=""), quote(secret, safe="")),
        )
        return response.raise_for_status()

    async def _checked(self, id_token: str, nonce: str) -> _Claims:
        client_id = self._settings.oidc_client_id
        token = await self._decoded(id_token)
        jwt.JWTClaimsRegistry(
            now=clock.real_ms() // 1000,
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._settings.oidc_issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(token.claims)
        if token.claims.get("azp", client_id) != client_id:
            raise ValueError("the token was made for another client")
        return _Claims.model_validate(token.claims)

    async def _decoded(self, id_token: str) -> jwt.Token:
        _discovered, keys = await self._discover()
        try:
            return jwt.decode(id_token, KeySet.import_key_set(_for_signing(keys)), algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may have changed its keys since we asked.
            self._known = None
            _discovered, keys = await self._discover()
            return jwt.decode(id_token, KeySet.import_key_set(_for_signing(keys)), algorithms=_ALGORITHMS)

    async def _userinfo(self, endpoint: str, access_token: str, subject: str) -> _Claims:
        response = await self._client.get(endpoint, headers={"Authorization": f"Bearer {access_token}"})
        claims = _Claims.model_validate_json(response.raise_for_status().content)
        if claims.sub != subject:
            raise ValueError("userinfo speaks of somebody else")
        return claims

    async def _discover(self) -> tuple[_Discovered, dict[str, Any]]:
        if self._known is None or time.monotonic() - self._asked_at > _KEPT_SECONDS:
            issuer = self._settings.oidc_issuer
            try:
                found = await self._client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                discovered = _Discovered.model_validate_json(found.raise_for_status().content)
                keys = (await self._client.get(discovered.jwks_uri)).raise_for_status().json()
            except (httpx.HTTPError, ValidationError, ValueError) as error:
                raise _unusable() from error
            if discovered.issuer != issuer:
                raise _unusable()
            self._known, self._asked_at = (discovered, keys), time.monotonic()
        return self._known

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _for_signing(keys: dict[str, Any]) -> Any:
    return {"keys": [key for key in keys.get("keys", []) if key.get("use", "sig") == "sig"]}


def _unusable() -> UnavailableError:
    return UnavailableError(_("Your organisation's sign-in does not answer as it should. Please try again shortly."))


async def sign_in(store: Store, tenant: str, identity: Identity) -> Member:
    """The member whom the verified address belongs to, tied to the provider's subject from the first time on.

    Raises:
        ForbiddenError: nobody in the directory has this address, or somebody else's sign-in holds it.
    """
    member = (await store.by_email(tenant, [identity.email])).get(identity.email)
    if member is None or member.removed:
        raise ForbiddenError(
            _("You are signed in with your organisation, but its mentoring directory does not list you yet.")
        )
    if member.identity == identity.subject:
        return member
    if not await store.change_member(tenant, member.id, lambda each: each.link(identity.subject)):
        raise ForbiddenError(_("Another sign-in already uses this profile. Ask the people who run the directory."))
    return member


def set_cookie(response: Response, settings: ProfilesSettings, name: str, value: str, seconds: int) -> None:
    """Keep something in the person's browser, out of reach of scripts."""
    secure = settings.public_url.startswith("https:")
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")
