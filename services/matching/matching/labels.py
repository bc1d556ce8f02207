"""The labels of areas, from profiles' taxonomy."""

import time
from collections.abc import Mapping
from typing import Final

import httpx
from chassis.translation import current
from chassis.web.cards import CardsSettings
from pydantic import BaseModel, ValidationError

from chassis import telemetry

_SECONDS_KEPT: Final = 300.0
_RETRY_SECONDS: Final = 5.0


class _Taxonomy(BaseModel):
    areas: dict[str, str]


class Labels:
    """Area labels, asked from profiles and kept for five minutes; without profiles a code reads as plain words."""

    def __init__(self, settings: CardsSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=2.0, transport=transport)
        self._areas: dict[str, dict[str, str]] = {}
        self._until: dict[str, float] = {}

    async def areas(self) -> Mapping[str, str]:
        """Labels by code in the language of the request."""
        language = current().tag
        if time.monotonic() >= self._until.get(language, 0.0):
            try:
                with telemetry.span("call profiles taxonomy", kind="client"):
                    answer = await self._client.get(
                        "/api/profiles/v1/taxonomy", headers={"Accept-Language": language, **_trace()}
                    )
                answer.raise_for_status()
                self._areas[language] = _Taxonomy.model_validate_json(answer.content).areas
                self._until[language] = time.monotonic() + _SECONDS_KEPT
            except (httpx.HTTPError, ValidationError):
                self._until[language] = time.monotonic() + _RETRY_SECONDS
        return self._areas.get(language, {})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _trace() -> dict[str, str]:
    traceparent = telemetry.current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}
