"""Evidence of a real little service: the checker finds nothing in what it leaves, and finds what is broken then."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.errors import TransientError
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from chassis.state.mongo import connect
from contracts.envelope import Envelope
from contracts.matching import MatchClosed
from contracts.notifications import NoticeSent
from contracts.topics import DEAD_SETTINGS, MENTORSHIP, NOTICE
from local.kafka import PARTITIONS
from operations.checker.checks import check
from operations.checker.evidence import Evidence
from operations.checker.topology import Marks, Stream, Subscription, Topology
from operations.evidence import collect, verify

pytestmark = pytest.mark.connected

TENANT: Final = "acme"
GROUP: Final = "till.jars"
TOPOLOGY: Final = Topology(
    streams=(
        Stream(MENTORSHIP.name, "till", MENTORSHIP.stream, compacted=False),
        Stream(NOTICE.name, "elsewhere", NOTICE.stream, compacted=False),
    ),
    subscriptions=(Subscription(GROUP, NOTICE.name, (NoticeSent.event_type(),)),),
    marks=(Marks("till", "jars", "seen", group=GROUP),),
)


class Jar(Aggregate):
    """Says one fact for each event that it hears."""

    seen: list[str] = []

    def hear(self, event_id: str) -> None:
        self.seen.append(event_id)
        self.say(MatchClosed(mentorship=self.id))


@dataclass
class Store:
    jars: Documents[Jar]


handlers: Handlers[Store] = Handlers("till")


@handlers.on(NoticeSent, group="jars")
async def remember(event: Received[NoticeSent], store: Store) -> None:
    if event.data is not None and event.data.kind == "poison":
        raise ValueError
    await store.jars.change(
        event.tenant,
        event.key,
        lambda jar: jar.hear(event.id),
        fence=event.fence,
        create=lambda: Jar(id=event.key, tenant=event.tenant),
    )


async def _swept(kafka: str, admin: AIOKafkaAdminClient) -> None:
    """Take other tests' notices off the topic: this group would begin with their poison."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(NOTICE.name, number) for number in range(PARTITIONS)])
    finally:
        await consumer.stop()
    await admin.delete_records({place: RecordsToDelete(before_offset=end) for place, end in ends.items()})


@pytest.fixture
async def settings(kafka: str, database: str) -> AsyncIterator[Settings]:
    """Of a service that has a database of its own; its topics are everybody's."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    chosen = Settings(kafka=kafka, mongo=database, database_prefix=prefix, instance="till-0", port=0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if NOTICE.dead(GROUP) not in await admin.list_topics():
            await admin.create_topics([NewTopic(NOTICE.dead(GROUP), 3, 1, topic_configs=DEAD_SETTINGS)])
        await _swept(kafka, admin)
    finally:
        await admin.close()
    yield chosen
    async with connect(chosen, "till") as opened:
        await opened.drop()


def _own(evidence: Evidence, keys: set[str]) -> Evidence:
    """Without what other tests wrote to the same topics."""
    return replace(evidence, records=[each for each in evidence.records if (each.key or b"").decode() in keys])


async def _say(kafka: str, key: str, kinds: list[str]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for sequence, kind in enumerate(kinds, 1):
            body = NoticeSent(notice=f"{key}-{sequence}", member="m1", thread=key, kind=kind)
            envelope = Envelope(
                id=f"{key}-{sequence}",
                source="/turnabout/elsewhere",
                type=NoticeSent.event_type(),
                subject=key,
                time="2026-11-25T08:30:00.000Z",
                tenant=TENANT,
                sequence=sequence,
                partition_key=key,
                data_schema="",
            )
            value = body.model_dump_json().encode()
            await producer.send_and_wait(NOTICE.name, value, key=key.encode(), headers=envelope.to_headers())
    finally:
        await producer.stop()


async def test_a_real_service_leaves_evidence_without_a_breach(settings: Settings) -> None:
    """A key that is handled, and one whose second event is poison, so that its third waits behind it.

    Then the fence of the first is set back, as if its effects were lost: its offsets are ahead of its effects.
    """
    fine, poisoned = f"f{uuid.uuid4().hex}", f"p{uuid.uuid4().hex}"
    await _say(settings.kafka, fine, ["a", "b", "c"])
    await _say(settings.kafka, poisoned, ["a", "poison", "c"])

    def store(delivery: Delivery) -> Store:
        return Store(delivery.documents(Jar, "jars"))

    serving = asyncio.create_task(Service(settings, "till", store_factory=store, handlers=handlers).serve())
    try:
        evidence = await _until_done(settings, {fine, poisoned})
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert check(evidence) == []
    mine = [(letter.reason, letter.record.key) for letter in evidence.letters]
    assert mine == [("handler-failed", poisoned.encode()), ("parked", poisoned.encode())]

    async with connect(settings, "till") as database:
        await database.collection("jars").update({"_id": fine}, {"$set": {f"fences.notice:{fine}": 2}})
    _, breaches = await verify(settings, TOPOLOGY, seconds=0.1)
    [lost] = [each for each in breaches if each.rule == "unaccounted"]
    assert lost.invariant == "I7"
    assert f"key {fine}, sequence 3" in lost.witness[0].note


async def _until_done(settings: Settings, keys: set[str]) -> Evidence:
    """The first evidence in which nothing is unfinished."""
    async with asyncio.timeout(60):
        while True:
            with suppress(TransientError):  # a new broker has no coordinator of groups yet
                evidence = _own(await collect(settings, TOPOLOGY, settled=True), keys)
                unfinished = {each.rule for each in check(evidence)} & {"behind", "still-owed"}
                if len(evidence.letters) == 2 and not unfinished:
                    return evidence
            await asyncio.sleep(0.3)
