"""Handlers: the table in which a service says which events of which consumer group call which function."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from contracts.envelope import Event

from chassis.consuming.outcomes import Outcome
from chassis.consuming.records import Received

S = TypeVar("S")
Handler = Callable[[Received[Any], S], Awaitable[Outcome | None]]
BatchHandler = Callable[[list[Received[Any]], S], Awaitable[None]]


@dataclass(slots=True)
class Group(Generic[S]):
    """One consumer group: which events call which function."""

    name: str
    handlers: dict[type[Event], Handler[S]] = field(default_factory=dict)
    batch: BatchHandler[S] | None = None


class Handlers(Generic[S]):
    """The table of a service's handlers. The group on the wire is ``<service>.<group>``."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.groups: dict[str, Group[S]] = {}

    def on(self, *events: type[Event], group: str) -> Callable[[Handler[S]], Handler[S]]:
        """Call the function for each of these events, in order per key."""

        def register(handler: Handler[S]) -> Handler[S]:
            table = self.groups.setdefault(group, Group(f"{self.service}.{group}"))
            table.handlers |= dict.fromkeys(events, handler)
            return handler

        return register

    def batch(self, *events: type[Event], group: str) -> Callable[[BatchHandler[S]], BatchHandler[S]]:
        """Call the function once for all these events of a fetched batch, in order per key."""

        async def alone(event: Received[Any], store: S) -> Outcome | None:
            table = self.groups[group].batch
            if table is not None:
                await table([event], store)
            return None

        def register(handler: BatchHandler[S]) -> BatchHandler[S]:
            table = self.groups.setdefault(group, Group(f"{self.service}.{group}"))
            table.batch = handler
            table.handlers |= dict.fromkeys(events, alone)
            return handler

        return register
