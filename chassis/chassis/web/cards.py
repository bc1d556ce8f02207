"""Names and faces for pages: asked from profiles with the viewer's own token, kept in memory for a minute at most.

Only profiles stores who people are; the other services hold opaque ids and ask when they draw a page. When profiles
is away, a page shows "a member" rather than nothing.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol, Self

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis import telemetry
from chassis.translation import gettext as _
from chassis.trust import trusted
from chassis.web.identity import Caller

SECONDS_KEPT: Final = 60.0
_MOST_KEPT: Final = 20_000
_MOST_ASKED: Final = 200
_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)
_PATH: Final = "/api/profiles/v1/cards"


class CardsSettings(Protocol):
    """The settings that cards need."""

    @property
    def profiles_url(self) -> str:
        """Where profiles answers."""


class Card(BaseModel):
    """What one member may know about another at a glance."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    member: str
    name: str
    title: str = ""
    unit: str = ""
    level: int = 0
    level_name: str = ""
    country: str = ""

    @property
    def initials(self) -> str:
        """One or two letters for the circle beside the name."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


class _Answer(BaseModel):
    cards: list[Card]


def unknown(member: str) -> Card:
    """The card of somebody whom we cannot look up right now."""
    return Card(member=member, name=_("a member"))


class Cards:
    """Cards by member id, kept per tenant of the viewer."""

    def __init__(self, settings: CardsSettings, *, seconds_kept: float = SECONDS_KEPT) -> None:
        self._seconds_kept = seconds_kept
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=_TIMEOUT, verify=trusted())
        self._kept: dict[tuple[str, str], Card] = {}

    async def of(self, caller: Caller, members: Iterable[str]) -> dict[str, Card]:
        """A card for every id, in the order asked; never fails."""
        wanted = list(dict.fromkeys(members))
        found = {member: card for member in wanted if (card := self._kept.get((caller.tenant, member)))}
        missing = [member for member in wanted if member not in found]
        for start in range(0, len(missing), _MOST_ASKED):
            found |= await self._ask(caller, missing[start : start + _MOST_ASKED])
        return {member: found.get(member) or unknown(member) for member in wanted}

    async def _ask(self, caller: Caller, members: list[str]) -> dict[str, Card]:
        try:
            with telemetry.span("call profiles cards", kind="client"):
                headers = {
                    "Authorization": f"Bearer {caller.token}",
                    "traceparent": telemetry.current_traceparent() or "",
                }
                response = await self._client.post(_PATH, json={"members": members}, headers=headers)
            response.raise_for_status()
            answer = _Answer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError):
            return {}
        self._keep(caller.tenant, answer.cards)
        return {card.member: card for card in answer.cards}

    def _keep(self, tenant: str, cards: list[Card]) -> None:
        room = max(0, _MOST_KEPT - len(self._kept))
        kept = {(tenant, card.member): card for card in cards[:room]}
        self._kept |= kept
        # Forgotten by the clock and not at the next look-up: a name must leave memory though nobody asks again.
        asyncio.get_running_loop().call_later(self._seconds_kept, self._forget, kept)

    def _forget(self, kept: dict[tuple[str, str], Card]) -> None:
        for key, card in kept.items():
            if self._kept.get(key) is card:
                del self._kept[key]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()
