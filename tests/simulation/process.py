"""One process: real delivery and real consumers over a connection to the in-memory servers, until it dies."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from random import Random
from typing import Any, Final, Protocol

from aiokafka import TopicPartition
from chassis.consuming.consumer import Consumer, _Rebalances
from chassis.consuming.upkeep import Upkeep
from chassis.delivery import Delivery
from chassis.settings import Settings
from fakes.database import MemoryDatabase, Storage
from fakes.log import Batch, Fate, MemoryProducer

from simulation import services
from simulation.broker import Connection, GroupOnBroker, SimulatedLog
from simulation.loop import OWNER, Owner, SimulatedLoop, State

HEARTBEAT_SECONDS: Final = 3.0


class Surroundings(Protocol):
    """What a process needs of its world."""

    loop: SimulatedLoop
    random: Random
    log: SimulatedLog
    storages: dict[str, Storage]
    groups: dict[str, GroupOnBroker]

    def tell(self, what: str) -> None:
        """Write down what happened."""

    async def reached(self, process: "Process", name: str) -> None:
        """The process is at a point: faults happen here."""

    async def fate(self, process: "Process", batch: Batch) -> Fate:
        """What becomes of a batch."""

    def ended(self, process: "Process", task: "asyncio.Task[Any]") -> None:
        """Something endless in the process has ended."""

    def outside(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run something in no process: on a server."""

    def trouble(self, process: "Process", what: str) -> None:
        """Raises what a handler's bug raises, or nothing."""


class Process(Owner):
    """One start of one instance. `name` is stable over starts, `number` counts them over the world."""

    def __init__(self, world: Surroundings, service: str, name: str, number: int) -> None:
        super().__init__()
        self.world = world
        self.service, self.name, self.number = service, name, number
        self.struck = False
        self.context = copy_context()
        self.context.run(OWNER.set, self)
        self.producer: MemoryProducer = MemoryProducer(world.log, self._point, self._fate, batch_records=3)
        self.settings: Settings
        self.delivery: Delivery
        self.store: services.Store
        self.consumers: list[tuple[str, Consumer[services.Store], Connection]] = []

    def __str__(self) -> str:
        return f"{self.name}#{self.number}"

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something in this process: it dies and freezes with it."""
        return self.world.loop.create_task(coroutine, context=self.context.copy())

    async def _point(self, name: str) -> None:
        await self.world.reached(self, name)

    async def _fate(self, batch: Batch) -> Fate:
        return await self.world.fate(self, batch)

    def start(self, main: Callable[["Process"], Coroutine[Any, Any, None]]) -> None:
        """Compose the service as `chassis.app` does, and run it with `main` beside it."""
        self.context.run(self._compose)
        self._endless(self.delivery.run())
        self.spawn(main(self))

    def _endless(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.spawn(coroutine).add_done_callback(lambda task: self.world.ended(self, task))

    def _compose(self) -> None:
        self.settings = Settings.model_construct(
            instance=self.name, kafka="memory", kafka_user=None, heartbeat_seconds=HEARTBEAT_SECONDS
        )
        database = MemoryDatabase(self.world.storages[self.service], self._point)
        self.delivery = Delivery(self.settings, self.service, database)
        self.delivery._producer = self.producer
        self.store = services.opened(self.service, self.delivery, lambda what: self.world.trouble(self, what))
        self.delivery.use(services.works, self.store)
        self.upkeep = Upkeep.of(self.delivery)
        self._consume()

    def _consume(self) -> None:
        for group in services.TABLES[self.service].groups.values():
            consumer = Consumer(group, self.store, self.upkeep, self.settings)
            connection = Connection(self.world.groups[group.name], self, self._point, self.world.random)
            connection.listener = _Rebalances(consumer)
            consumer._subscriber = _Subscriber(connection)
            self.consumers.append((group.name, consumer, connection))
            self._endless(_fetching(consumer, connection))
            self.world.outside(self.world.groups[group.name].join(self.name, connection))

    async def stop(self) -> None:
        """End in good order, as `chassis.app` does on SIGTERM."""
        for _, consumer, _ in self.consumers:
            consumer.stop_soon()
        for _, consumer, _ in self.consumers:
            await consumer.drained()
            await consumer.stopped()
        await self.delivery.stop()
        self.state = State.DEAD


class _Subscriber:
    """The part of FastStream's subscriber that the consumer reaches through."""

    def __init__(self, connection: Connection) -> None:
        self.consumer = connection


async def _fetching(consumer: Consumer[Any], connection: Connection) -> None:
    """FastStream's loop: batch after batch, each handled before the next is fetched."""
    while True:
        await consumer._consume(await connection.getmany())


async def batch_at(_client: Any, _partition: TopicPartition, offset: int) -> range | None:
    """In place of `chassis.consuming.batches.batch_at`, which reads bytes: every suspect is one hostile record."""
    return range(offset, offset + 1)
