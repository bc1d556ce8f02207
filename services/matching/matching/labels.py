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


Family = tuple[str, str, list[tuple[str, str]]]
"""A family's code, its label, and its areas by code and label."""


class _Labelled(BaseModel):
    code: str
    label: str


class _Family(_Labelled):
    areas: list[_Labelled]


class _Taxonomy(BaseModel):
    families: list[_Family] = []
    areas: dict[str, str] = {}


class Labels:
    """Area labels, asked from profiles and kept for five minutes; without profiles a code reads as plain words."""

    def __init__(self, settings: CardsSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=2.0, transport=transport)
        self._known: dict[str, _Taxonomy] = {}
        self._until: dict[str, float] = {}

    async def areas(self) -> Mapping[str, str]:
        """Labels by code in the language of the request."""
        return (await self._taxonomy()).areas

    async def families(self) -> list[Family]:
        """The families of areas to choose from, in the language of the request."""
        return [
            (family.code, family.label, [(area.code, area.label) for area in family.areas])
            for family in (await self._taxonomy()).families
        ]

    async def _taxonomy(self) -> _Taxonomy:
        language = current().tag
        if time.monotonic() >= self._until.get(language, 0.0):
            try:
                with telemetry.span("call profiles taxonomy", kind="client"):
                    answer = await self._client.get(
                        "/api/profiles/v1/taxonomy", headers={"Accept-Language": language, **_trace()}
                    )
                answer.raise_for_status()
                self._known[language] = _Taxonomy.model_validate_json(answer.content)
                self._until[language] = time.monotonic() + _SECONDS_KEPT
            except (httpx.HTTPError, ValidationError):
                self._until[language] = time.monotonic() + _RETRY_SECONDS
        return self._known.get(language, _Taxonomy())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _trace() -> dict[str, str]:
    traceparent = telemetry.current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}
