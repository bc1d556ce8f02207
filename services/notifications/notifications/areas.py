"""Labels of areas, asked from profiles and kept until it says that they changed; a code reads well without."""

import time
from typing import Final

import httpx
from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.errors import UnavailableError
from chassis.settings import Settings
from chassis.trust import trusted
from chassis.web.identity import ServiceSettings, ServiceTokens
from contracts.profiles import TaxonomyPublished
from pydantic import BaseModel, ValidationError

from chassis import telemetry, translation

PURPOSE: Final = "taxonomy"
"""What our token is for."""
_PATH: Final = "/api/profiles/v1/taxonomy"
_FRESH_SECONDS: Final = 300.0
_RETRY_SECONDS: Final = 10.0
_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)


class _Answer(BaseModel):
    areas: dict[str, str]


class Areas:
    """Labels by language and code, of areas that are no longer offered too."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=_TIMEOUT, verify=trusted())
        self._tokens = ServiceTokens(settings, PURPOSE)
        self._labels: dict[str, dict[str, str]] = {}
        self._ask_at: dict[str, float] = {}
        self._changes = 0

    async def labels(self, codes: list[str]) -> list[str]:
        """The labels of these areas in the current language, in the same order; never fails."""
        language = translation.current().tag
        if time.monotonic() >= self._ask_at.get(language, 0.0):
            await self._ask(language)
        known = self._labels.get(language, {})
        return [known.get(code) or code.replace("-", " ") for code in codes]

    def reader(self, settings: Settings) -> TopicReader:
        """Follows the taxonomy from now on."""
        return TopicReader(settings, [TaxonomyPublished], self.changed, from_now=True)

    def changed(self, _event: Received[TaxonomyPublished]) -> None:
        """The taxonomy has a new version: ask for it when a label is needed next."""
        self._changes += 1
        self._ask_at.clear()

    async def _ask(self, language: str) -> None:
        changes = self._changes
        try:
            headers = {"Accept-Language": language} | await self._tokens.headers()
            with telemetry.span("call profiles taxonomy", kind="client"):
                response = await self._client.get(_PATH, headers=headers)
            response.raise_for_status()
            self._labels[language] = _Answer.model_validate_json(response.content).areas
            kept = _FRESH_SECONDS if changes == self._changes else 0.0  # it changed while we asked
        except (httpx.HTTPError, ValidationError, UnavailableError):
            kept = _RETRY_SECONDS
        self._ask_at[language] = time.monotonic() + kept

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._tokens.aclose()
