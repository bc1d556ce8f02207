"""The tokens that profiles signs: a member's session, a service's purpose, and a sign-in under way.

The machine's clock dates them, never the local stack's shifted one: a token does not age because a demo jumps months.
"""

import time
from datetime import UTC, datetime
from typing import Any, Final

from chassis.ids import new_id
from chassis.web.identity import ALGORITHM, AUDIENCE
from joserfc import jws, jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis import clock
from profiles.domain import Member
from profiles.keys import KEY_SET_ID, KeySet, new_key
from profiles.settings import ProfilesSettings
from profiles.store import Store

SESSION_SECONDS: Final = 8 * 3600
SERVICE_SECONDS: Final = 900
ATTEMPT_SECONDS: Final = 600
_KEPT_SECONDS: Final = 60.0
_ATTEMPT_AUDIENCE: Final = "turnabout-sign-in"


class Attempt(BaseModel):
    """A sign-in that left for the identity provider; it travels in the browser's own cookie."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: str
    nonce: str
    verifier: str
    next: str


class Tokens:
    """Signs with the key set that all replicas share."""

    def __init__(self, store: Store, settings: ProfilesSettings) -> None:
        self._store = store
        self._issuer = settings.public_url
        self._tenant = settings.tenant
        self._keys: KeySet | None = None
        self._read_at = -_KEPT_SECONDS

    async def keys(self) -> KeySet:
        """The key set, at most a minute old; makes and rotates keys when due."""
        if self._keys is None or time.monotonic() - self._read_at > _KEPT_SECONDS:
            found = await self._store.keys.get(self._tenant, KEY_SET_ID)
            self._keys = found if found and not found.due(_now()) else await self._rotate()
            self._read_at = time.monotonic()
        return self._keys

    async def _rotate(self) -> KeySet:
        def rotate(keys: KeySet) -> KeySet:
            keys.rotate(new_key(new_id(), _now()), _now())
            return keys

        return await self._store.keys.change(
            self._tenant, KEY_SET_ID, rotate, create=lambda: KeySet.empty(self._tenant)
        )

    async def session(self, member: Member) -> str:
        """A signed-in member's token."""
        roles = [role.value for role in member.roles]
        return await self._sign(
            {"aud": AUDIENCE, "sub": member.id, "tid": member.tenant, "roles": roles}, SESSION_SECONDS
        )

    async def service(self, service: str, purpose: str) -> str:
        """A service's token for one purpose."""
        return await self._sign({"aud": AUDIENCE, "sub": service, "purpose": purpose}, SERVICE_SECONDS)

    async def seal(self, attempt: Attempt) -> str:
        """The cookie of a sign-in under way."""
        return await self._sign({"aud": _ATTEMPT_AUDIENCE, "sub": "-", **attempt.model_dump()}, ATTEMPT_SECONDS)

    async def unseal(self, token: str) -> Attempt | None:
        """The sign-in that the cookie belongs to; None when it is old or not ours."""
        registry = jwt.JWTClaimsRegistry(
            now=clock.real_ms() // 1000,
            aud={"essential": True, "value": _ATTEMPT_AUDIENCE},
            exp={"essential": True},
        )
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            key = next((key for key in (await self.keys()).all() if key.kid == kid), None)
            if key is None:
                return None
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
            registry.validate(claims)
            return Attempt.model_validate(claims)
        except (JoseError, ValidationError, ValueError):
            return None

    async def _sign(self, claims: dict[str, Any], seconds: int) -> str:
        key = (await self.keys()).signing()
        at = clock.real_ms() // 1000
        dated = {"iss": self._issuer, "iat": at, "exp": at + seconds, "jti": new_id(), **claims}
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, dated, key, algorithms=[ALGORITHM])


def _now() -> datetime:
    return datetime.fromtimestamp(clock.real_ms() / 1000, UTC)
