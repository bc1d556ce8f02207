"""A small consumer of notices that meets poison; used by the tests in one process, and as a process of its own."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.aggregate import Aggregate
from chassis.app import Service
from chassis.consumer import Handlers
from chassis.delivery import Delivery
from chassis.documents import Documents
from chassis.ids import new_id
from chassis.records import Received
from chassis.settings import Settings
from contracts.envelope import Envelope
from contracts.notifications import NoticeSent
from contracts.topics import NOTICE

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
        wanted = {NOTICE.name: NOTICE.settings(), NOTICE.dead(GROUP): {}}
        new = [NewTopic(name, 3, 1, topic_configs=config) for name, config in wanted.items() if name not in there]
        if new:
            await admin.create_topics(new)
    finally:
        await admin.close()


def notice(key: str, sequence: int, kind: str) -> dict[str, Any]:
    """One record, ready to be sent."""
    envelope = Envelope(
        id=new_id(),
        source="/turnabout/notifications",
        type=NoticeSent.event_type(),
        subject=key,
        time="2026-01-01T00:00:00Z",
        tenant=TENANT,
        sequence=sequence,
        partition_key=key,
        data_schema="urn:x",
    )
    body = NoticeSent(notice=new_id(), member="m", thread=key, kind=kind).model_dump_json().encode()
    return {"key": key.encode(), "value": body, "headers": list(envelope.to_headers())}


async def send(kafka: str, *records: dict[str, Any], **options: Any) -> None:
    """Send records in order, one after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, **options)
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(NOTICE.name, **record)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(service(Settings()).serve())
