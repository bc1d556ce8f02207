"""The public keys by which tokens are checked: fetched from profiles once for all waiters, and kept."""

import asyncio
import time
from typing import Any, Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel

from chassis.errors import UnavailableError
from chassis.translation import gettext as _
from chassis.trust import trusted

REFETCH_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.5
_FRESH_SECONDS: Final = 300.0
_USABLE_SECONDS: Final = 3600.0
_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)


class _KeyDocument(BaseModel):
    keys: list[dict[str, Any]]


class KeyCache:
    """The public keys of profiles: fetched once for all waiters, again when an unknown one shows up."""

    def __init__(
        self,
        address: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        refetch_seconds: float = REFETCH_SECONDS,
    ) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport, verify=trusted())
        self._address = address
        self._refetch_seconds = refetch_seconds
        self._keys: dict[str, ECKey] = {}
        self._fetched_at = -_USABLE_SECONDS
        self._try_again_at = 0.0
        self._fetching = asyncio.Lock()

    async def key(self, kid: str) -> ECKey | None:
        """The key of this id, or None when profiles does not know it either.

        Raises:
            UnavailableError: we have no keys and cannot get any.
        """
        if kid not in self._keys or self._age > _FRESH_SECONDS:
            await self._refresh(kid)
        if not self._keys or self._age > _USABLE_SECONDS:
            raise UnavailableError(_("We cannot check who you are at the moment. Please try again shortly."))
        return self._keys.get(kid)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    async def _refresh(self, kid: str) -> None:
        async with self._fetching:
            known_and_fresh = kid in self._keys and self._age <= _FRESH_SECONDS
            if known_and_fresh or time.monotonic() < self._try_again_at:
                return
            # Counted from the attempt, whatever comes of it: forged key ids must not turn into a load on profiles.
            self._try_again_at = time.monotonic() + self._refetch_seconds
            try:
                response = await self._client.get(self._address)
                response.raise_for_status()
                self._keys = _signing_keys(response.content)
                self._fetched_at = time.monotonic()
            except (httpx.HTTPError, JoseError, ValueError):
                # The keys we have stay usable for an hour: profiles being away signs nobody out. Without any, ask again
                # soon: at the start of a stack profiles may come up a moment after us.
                if not self._keys:
                    self._try_again_at = time.monotonic() + min(self._refetch_seconds, _RETRY_SECONDS)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _signing_keys(document: bytes) -> dict[str, ECKey]:
    """The EC keys of a key set document; others are not ours to use."""
    published = _KeyDocument.model_validate_json(document).keys
    keys = KeySet.import_key_set({"keys": [each for each in published if each.get("kty") == "EC"]}).keys
    return {key.kid: key for key in keys if isinstance(key, ECKey) and key.kid}
