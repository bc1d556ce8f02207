"""The service that is operated on."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.envelope import Event
from contracts.topics import Topic

from chassis.consuming import dead_letters, parking, suspects
from chassis.consuming.dead_letters import DeadLetters
from chassis.consuming.handlers import Group
from chassis.consuming.letters import Letters
from chassis.consuming.upkeep import Upkeep
from chassis.delivery import Delivery
from chassis.publishing.producer import Producer
from chassis.settings import Settings
from chassis.state.documents import PENDING_INDEX
from chassis.state.mongo import Database

Groups = Mapping[str, frozenset[type[Event]]]
Json = dict[str, Any]


class RefusedError(Exception):
    """What was asked makes no sense here; the message says why."""


class Composed(Protocol):
    """The part of `chassis.app.Service` that a redrive needs."""

    settings: Settings

    @property
    def groups(self) -> Mapping[str, Group[Any]]:
        """Its consumer groups by their name on the wire."""

    def opened(self) -> AbstractAsyncContextManager[tuple[Delivery, Any]]:
        """Its delivery and its store."""


@dataclass(frozen=True, slots=True)
class Target:
    """One service as far as reading it needs."""

    service: str
    settings: Settings
    groups: Groups
    database: Database

    def topics(self, group: str) -> list[Topic]:
        """What the group reads."""
        return sorted({event.topic for event in self.groups[group]}, key=lambda topic: topic.name)

    def letters(self, group: str) -> Letters:
        """The group's dead letters and parked keys."""
        sender = Producer(self.settings)  # connects when it sends, and nothing here does
        upkeep = Upkeep(
            letters=DeadLetters(sender, self.database.collection(dead_letters.COLLECTION)),
            parked=self.database.collection(parking.COLLECTION),
            positions=self.database.collection(suspects.COLLECTION),
        )
        return Letters(self.settings, group, self.topics(group), upkeep)

    async def documents(self) -> list[str]:
        """The collections whose documents can owe something."""
        index = "_".join(f"{field}_{order}" for field, order in PENDING_INDEX.fields)
        return await self.database.indexed(index)

    def chosen(self, group: str | None) -> list[str]:
        """The groups meant by a name, which may go without the service; all without one.

        Raises:
            RefusedError: this service has no such group.
        """
        if group is None:
            return sorted(self.groups)
        for name in (group, f"{self.service}.{group}"):
            if name in self.groups:
                return [name]
        known = ", ".join(sorted(self.groups)) or "none"
        raise RefusedError(f"{self.service} has no consumer group {group}. Its groups: {known}.")
