"""The life of one service process: connect, migrate, consume, serve, and stop without losing anything.

HTTP serves from the first moment; consumers, relay and readers wait for a broker or database that is away.
"""

import argparse
import asyncio
import gc
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final, Generic, TypeVar

import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis import clock, logs, telemetry
from chassis.broker import Refusal, client_options
from chassis.consuming.consumer import Consumer
from chassis.consuming.handlers import Group, Handlers
from chassis.consuming.reader import TopicReader
from chassis.consuming.upkeep import Upkeep
from chassis.consuming.watch import Watch
from chassis.delivery import Delivery
from chassis.errors import TransientError
from chassis.probes import Probes
from chassis.settings import Settings
from chassis.state.mongo import connect
from chassis.state.timers import Timer
from chassis.state.works import Works

S = TypeVar("S")
log = logs.get()
STOP_SECONDS: Final = 20
_REFUSED_SECONDS: Final = 5
_SASL: Final = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}


class Service(Generic[S]):
    """One service, composed. Everything it needs is named here; nothing is global.

    Args:
        settings: what the process read from its environment.
        name: the service; also the name of its database.
        store_factory: builds the store from the delivery, which hands out documents and collections.
        app_factory: builds the HTTP application; a role without one serves the probes alone.
        handlers: which events call which function.
        works: which pending work calls which function.
        timers: the timers of a store.
        readers: the whole-topic readers of a store.
        background: endless coroutines that end with the process.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        store_factory: Callable[[Delivery], S],
        app_factory: Callable[[S], FastAPI] | None = None,
        handlers: Handlers[S] | None = None,
        works: Works[S] | None = None,
        timers: Callable[[S], Sequence[Timer[Any]]] = lambda _: (),
        readers: Callable[[S], Sequence[TopicReader]] = lambda _: (),
        background: Callable[[S], Sequence[Callable[[], Awaitable[None]]]] = lambda _: (),
    ) -> None:
        self.settings = settings
        self.name = name
        self._store_factory = store_factory
        self._app_factory = app_factory or (lambda _: FastAPI(title=name, openapi_url=None))
        self._handlers: Handlers[S] = handlers or Handlers(name)
        self._works: Works[S] = works or Works()
        self._timers = timers
        self._readers = readers
        self._background = background
        self._consumers: list[Consumer[S]] = []
        self._consuming = False
        self._refusal = Refusal(settings, "read")

    @property
    def groups(self) -> Mapping[str, Group[S]]:
        """Its consumer groups by their name on the wire."""
        return {group.name: group for group in self._handlers.groups.values()}

    def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        self._configure()
        collect_rarely()
        uvloop.run(self.serve())

    def migrate(self) -> None:
        """Create the indexes; waits for the database, idempotent."""
        self._configure()
        asyncio.run(self._migrate())

    def describe(self) -> None:
        """Write the OpenAPI document of the JSON API. No route is called, so nothing has to be there."""
        sys.stdout.write(json.dumps(asyncio.run(self._described()), indent=2, ensure_ascii=False) + "\n")

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """`python -m <service> [migrate | openapi]` for services without commands of their own."""
        asks = "Operators ask with `ops`: lag, pending, dead, parked, why."
        parser = argparse.ArgumentParser(prog=f"python -m {self.name}", epilog=asks)
        parser.add_argument("command", nargs="?", choices=["serve", "migrate", "openapi"], default="serve")
        self.carry_out(parser.parse_args(arguments).command)

    def carry_out(self, command: str | None) -> None:
        """One of the commands that every service has: migrate, openapi, or else serve."""
        {"migrate": self.migrate, "openapi": self.describe}.get(command or "", self.run)()

    def _configure(self) -> None:
        logs.configure(self.settings, self.name)
        clock.configure(self.settings)
        telemetry.start(self.settings, self.name)

    async def _migrate(self) -> None:
        async with self.opened(relaying=False) as (delivery, _):
            Upkeep.of(delivery)
            await _until_there(delivery.migrate)

    async def _described(self) -> dict[str, Any]:
        async with connect(self.settings, self.name) as database:
            return self._app_factory(self._store_factory(Delivery(self.settings, self.name, database))).openapi()

    @asynccontextmanager
    async def opened(self, *, relaying: bool = True) -> AsyncIterator[tuple[Delivery, S]]:
        """The delivery and the store, for a command that is not a server; drains what it committed."""
        async with connect(self.settings, self.name) as database:
            delivery = Delivery(self.settings, self.name, database)
            store = self._store_factory(delivery)
            delivery.use(self._works, store)
            task = asyncio.create_task(delivery.run()) if relaying else None
            try:
                yield delivery, store
                if relaying and not await delivery.drain(seconds=60):
                    log.warning("delivery.not-drained")  # stored; a running replica publishes it
            finally:
                if task is not None:
                    await _ended(task)
                    await delivery.stop()

    async def serve(self) -> None:
        """Serve until a signal, or until a part of the process dies: then the whole process does."""
        async with connect(self.settings, self.name) as database:
            delivery = Delivery(self.settings, self.name, database)
            store = self._store_factory(delivery)
            delivery.use(self._works, store)
            app = self._app_factory(store)
            readers = list(self._readers(store))
            probes = Probes(delivery, readers, self._refusal, lambda: (self._consuming, self._consumers))
            probes.add_to(app)
            server = _Server(_uvicorn_config(app, self.settings))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, server.stop)
            async with AsyncExitStack() as stack:
                for reader in readers:
                    await stack.enter_async_context(reader)
                parts = self._parts(delivery, store, readers, probes)
                tasks = [asyncio.create_task(part) for part in parts]
                serving = asyncio.create_task(server.serve())
                try:
                    await asyncio.wait([*tasks, serving], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    server.should_exit = True
                    await asyncio.gather(serving, return_exceptions=True)
                    await self._stop(tasks, delivery)
            telemetry.stop()

    def _parts(self, delivery: Delivery, store: S, readers: Sequence[TopicReader], probes: Probes) -> list[Any]:
        read = {name: {event.topic for event in group.handlers} for name, group in self.groups.items()}
        watch = Watch(self.settings, read, Upkeep.of(delivery), lambda: self._consumers, readers)
        return [
            delivery.run(),
            watch.run(probes.look),
            self._consume(delivery, store),
            *(reader.watch() for reader in readers),
            *(timer.run() for timer in self._timers(store)),
            *(part() for part in self._background(store)),
        ]

    async def _stop(self, tasks: list[asyncio.Task[Any]], delivery: Delivery) -> None:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await delivery.stop()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _consume(self, delivery: Delivery, store: S) -> None:
        """Start every consumer group once the broker is there, and stop at a record boundary when cancelled."""
        while await self._refusal.at_the_door():  # noqa: ASYNC110 - the broker says by no event that it was told otherwise
            await asyncio.sleep(_REFUSED_SECONDS)
        if not self._handlers.groups:
            self._consuming = True
            await asyncio.Event().wait()
        while True:
            broker = self._broker(delivery, store)
            try:
                await broker.start()
                for consumer in self._consumers:
                    consumer.read_carefully()
                self._consuming = True
                self._refusal.over()
                await asyncio.Event().wait()
            except KafkaError as error:
                if await self._refusal.heard(error):
                    await asyncio.sleep(_REFUSED_SECONDS)
                else:
                    log.warning("consumers.waiting", error=type(error).__name__)
                    await asyncio.sleep(1)
            finally:
                await self._stop_consumers(broker)

    def _broker(self, delivery: Delivery, store: S) -> KafkaBroker:
        broker = KafkaBroker(
            self.settings.kafka.split(","),
            security=_security(self.settings),
            client_id=self.settings.instance,
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=STOP_SECONDS,
            logger=logging.getLogger("turnabout.faststream"),
            log_level=logging.DEBUG,
        )
        upkeep = Upkeep.of(delivery)
        self._consumers = [Consumer(group, store, upkeep, self.settings) for group in self._handlers.groups.values()]
        for consumer in self._consumers:
            consumer.subscribe(broker)
        return broker

    async def _stop_consumers(self, broker: KafkaBroker) -> None:
        self._consuming = False
        for consumer in self._consumers:
            consumer.stop_soon()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await broker.stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("consumers.stop-failed", error=type(error).__name__)
        for consumer in self._consumers:
            await consumer.stopped()


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals alone: its own way ends the process before consumers and relay have stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Finish open requests and return from `serve`."""
        self.should_exit = True


def collect_rarely() -> None:
    """Keep the garbage collector from going through all of the program's code and a batch's events all the time.

    What is imported stays for good, and a batch makes thousands of objects that die together without any cycle: with
    the defaults a third of the time of a batch handler's events goes into looking at both.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


async def _until_there(action: Callable[[], Awaitable[None]]) -> None:
    delay = 0.1
    while True:
        try:
            return await action()
        except TransientError as error:
            log.warning("migrate.waiting", error=error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 3.0)


def _security(settings: Settings) -> BaseSecurity:
    """The same as `client_options` in FastStream's own words."""
    options = client_options(settings)
    context = options["ssl_context"]
    if "sasl_mechanism" not in options:
        return BaseSecurity(ssl_context=context, use_ssl=settings.kafka_tls)
    user, password = options["sasl_plain_username"], options["sasl_plain_password"]
    return _SASL[settings.kafka_mechanism](user, password, ssl_context=context, use_ssl=settings.kafka_tls)


def _uvicorn_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
        date_header=True,
    )


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: a driver may swallow a cancel that meets it in the middle of an operation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
    if not task.cancelled():
        task.exception()  # seen, so that nobody reports it as forgotten
