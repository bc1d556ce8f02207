"""A small consumer of notices that meets poison; used by the tests in one process, and as a process of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.ids import new_id
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from contracts.notifications import NoticeSent
from contracts.topics import DEAD_SETTINGS, NOTICE
from topic_records import said

TENANT = "acme"
GROUP = "shelf.jars"


class Jar(Aggregate):
    """Remembers the kinds of the notices that it was told, in order."""

    told: list[str] = []


@dataclass
class Store:
    """The jars, and what goes wrong with them."""

    jars: Documents[Jar]
    broken: set[str] = field(default_factory=set)
    fault: Exception | None = None


handlers: Handlers[Store] = Handlers("shelf")


@handlers.on(NoticeSent, group="jars")
async def tell(event: Received[NoticeSent], store: Store) -> None:
    """Add one notice; a kind in `broken` meets a bug."""
    if store.fault is not None:
        raise store.fault
    kind = event.data.kind if event.data else "gone"
    if store.broken & {kind, "everything"}:
        raise ValueError

    def add(jar: Jar) -> None:
        jar.told = [*jar.told, kind]

    def create() -> Jar:
        return Jar(id=event.key, tenant=event.tenant)

    await store.jars.change(event.tenant, event.key, add, fence=event.fence, create=create)


def make_store(delivery: Delivery) -> Store:
    """The store of this service."""
    return Store(delivery.documents(Jar, "jars"))


def service(settings: Settings) -> Service[Store]:
    """The service, composed."""
    return Service(settings, "shelf", store_factory=make_store, handlers=handlers)


async def create_topics(kafka: str) -> None:
    """The notices' topic and its dead letters, if they are not there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        wanted = {NOTICE.name: NOTICE.settings(), NOTICE.dead(GROUP): DEAD_SETTINGS}
        new = [NewTopic(name, 3, 1, topic_configs=config) for name, config in wanted.items() if name not in there]
        if new:
            await admin.create_topics(new)
    finally:
        await admin.close()


def notice(key: str, sequence: int, kind: str) -> dict[str, Any]:
    """One record, ready to be sent."""
    return said(NoticeSent(notice=new_id(), member="m", thread=key, kind=kind), key, sequence, TENANT)


async def send(kafka: str, *records: dict[str, Any], **options: Any) -> None:
    """Send records in order, one after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, **options)
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(NOTICE.name, **record)
    finally:
        await producer.stop()


async def settings(kafka: str, database: str) -> Settings:
    """Of a service with a database of its own, whose topics are there."""
    await create_topics(kafka)
    return Settings(kafka=kafka, mongo=database, database_prefix=f"t{uuid.uuid4().hex[:8]}", instance="shelf-0", port=0)


@asynccontextmanager
async def consuming(settings: Settings) -> AsyncIterator[Store]:
    """The store of a service that consumes in this process; whatever went wrong is mended before it stops."""
    running = service(settings)
    await running._migrate()
    stores: list[Store] = []

    def remember(delivery: Delivery) -> Store:
        stores.append(make_store(delivery))
        return stores[-1]

    running._store_factory = remember
    task = asyncio.create_task(running.serve())
    try:
        while not stores:
            await asyncio.sleep(0.02)
        yield stores[0]
    finally:
        for store in stores:
            store.broken, store.fault = set(), None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    """Until the check holds; fails by time-out."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.1)


def told(store: Store, key: str, *kinds: str) -> Callable[[], Awaitable[bool]]:
    """Whether the jar was told exactly this."""

    async def check() -> bool:
        jar = await store.jars.get(TENANT, key)
        return jar is not None and jar.told == list(kinds)

    return check


if __name__ == "__main__":
    asyncio.run(service(Settings()).serve())
