"""The labels of areas, from profiles' taxonomy."""

import time
from collections.abc import Mapping
from typing import Final

import httpx
from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.errors import UnavailableError
from chassis.settings import Settings
from chassis.translation import current
from chassis.trust import trusted
from chassis.web.identity import ServiceSettings, ServiceTokens
from contracts.profiles import TaxonomyPublished
from pydantic import BaseModel, ValidationError

from chassis import telemetry

PURPOSE: Final = "taxonomy"
"""What our token is for."""
_SECONDS_KEPT: Final = 300.0
_RETRY_SECONDS: Final = 5.0


Family = tuple[str, str, list[tuple[str, str]]]
"""A family's code, its label, and its areas by code and label."""


class _Area(BaseModel):
    code: str
    label: str
    retired: bool = False


class _Family(BaseModel):
    code: str
    label: str
    areas: list[_Area]


class _Taxonomy(BaseModel):
    families: list[_Family] = []
    areas: dict[str, str] = {}


class Labels:
    """Area labels, asked from profiles and kept until it says that they changed.

    A reader of the topic may be behind, so they are asked for anew after five minutes in any case. Without profiles a
    code reads as plain words.
    """

    def __init__(self, settings: ServiceSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=settings.profiles_url, timeout=2.0, transport=transport, verify=trusted()
        )
        self._tokens = ServiceTokens(settings, PURPOSE)
        self._known: dict[str, _Taxonomy] = {}
        self._until: dict[str, float] = {}
        self._changes = 0

    async def areas(self) -> Mapping[str, str]:
        """Labels by code in the language of the request, of areas that are no longer offered too."""
        return (await self._taxonomy()).areas

    async def families(self) -> list[Family]:
        """The families of areas to choose from, in the language of the request."""
        found = [
            (family.code, family.label, [(area.code, area.label) for area in family.areas if not area.retired])
            for family in (await self._taxonomy()).families
        ]
        return [family for family in found if family[2]]

    async def offered(self) -> set[str]:
        """Codes of the areas to choose from."""
        return {code for _family, _label, areas in await self.families() for code, _name in areas}

    def reader(self, settings: Settings) -> TopicReader:
        """Follows the taxonomy from now on."""
        return TopicReader(settings, [TaxonomyPublished], self.changed, from_now=True)

    def changed(self, _event: Received[TaxonomyPublished]) -> None:
        """The taxonomy has a new version: ask for it when somebody looks next."""
        self._changes += 1
        self._until.clear()

    async def _taxonomy(self) -> _Taxonomy:
        language = current().tag
        if time.monotonic() >= self._until.get(language, 0.0):
            changes = self._changes
            try:
                self._known[language] = await self._asked(language)
                kept = _SECONDS_KEPT if changes == self._changes else 0.0  # it changed while we asked
            except (httpx.HTTPError, ValidationError, UnavailableError):
                kept = _RETRY_SECONDS
            self._until[language] = time.monotonic() + kept
        return self._known.get(language, _Taxonomy())

    async def _asked(self, language: str) -> _Taxonomy:
        headers = {"Accept-Language": language} | await self._tokens.headers()
        with telemetry.span("call profiles taxonomy", kind="client"):
            answer = await self._client.get("/api/profiles/v1/taxonomy", headers=headers)
        answer.raise_for_status()
        return _Taxonomy.model_validate_json(answer.content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._tokens.aclose()
