"""Labels of areas, asked from profiles and kept for a while; a code reads well enough when profiles is away."""

import time
from typing import Final, Protocol

import httpx
from pydantic import BaseModel, ValidationError

from chassis import telemetry, translation

_PATH: Final = "/api/profiles/v1/taxonomy"
_FRESH_SECONDS: Final = 300.0
_RETRY_SECONDS: Final = 10.0
_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)


class AreaSettings(Protocol):
    """The settings that labels need."""

    @property
    def profiles_url(self) -> str:
        """Where profiles answers."""


class _Answer(BaseModel):
    areas: dict[str, str]


class Areas:
    """Labels by language and code."""

    def __init__(self, settings: AreaSettings) -> None:
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=_TIMEOUT)
        self._labels: dict[str, dict[str, str]] = {}
        self._ask_at: dict[str, float] = {}

    async def labels(self, codes: list[str]) -> list[str]:
        """The labels of these areas in the current language, in the same order; never fails."""
        language = translation.current().tag
        if time.monotonic() >= self._ask_at.get(language, 0.0):
            await self._ask(language)
        known = self._labels.get(language, {})
        return [known.get(code) or code.replace("-", " ") for code in codes]

    async def _ask(self, language: str) -> None:
        try:
            with telemetry.span("call profiles taxonomy", kind="client"):
                response = await self._client.get(_PATH, headers={"Accept-Language": language})
            response.raise_for_status()
            self._labels[language] = _Answer.model_validate_json(response.content).areas
            self._ask_at[language] = time.monotonic() + _FRESH_SECONDS
        except (httpx.HTTPError, ValidationError):
            self._ask_at[language] = time.monotonic() + _RETRY_SECONDS

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
