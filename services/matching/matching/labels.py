"""The words for codes: areas from profiles' taxonomy, languages from the locale data."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

import httpx
from babel.core import Locale, UnknownLocaleError
from chassis.translation import current
from chassis.translation import gettext as _
from chassis.web.cards import CardsSettings
from pydantic import BaseModel, ValidationError

from chassis import telemetry
from matching.domain.proposal import Reason
from matching.engine.sentences import SENTENCES

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


def area_label(areas: Mapping[str, str], code: str) -> str:
    """An area's label, or its code as words."""
    return areas.get(code) or code.replace("-", " ")


def language_label(code: str) -> str:
    """A language's name in the language of the request."""
    try:
        return Locale.parse(code).get_display_name(current().locale) or code
    except (UnknownLocaleError, ValueError):
        return code


def sentences(reasons: Iterable[Reason], areas: Mapping[str, str]) -> list[str]:
    """Reasons in words; a code from a newer engine that we have no words for is left out."""
    told = []
    for reason in reasons:
        if (sentence := SENTENCES.get(reason.code)) is None:
            continue
        values = dict(reason.values)
        if "area" in values:
            values["area"] = area_label(areas, str(values["area"]))
        if "language" in values:
            values["language"] = language_label(str(values["language"]))
        told.append(_(sentence).format(**values))
    return told


def _trace() -> dict[str, str]:
    traceparent = telemetry.current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}
