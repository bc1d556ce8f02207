"""Evidence from a system that runs: its topics from offset 0 to their ends, its databases, its committed offsets.

Nothing stops while it is collected, so the order matters: offsets first, then databases, then topics. What a document
had published by then, and what a group had handled, is on the topics that are read later. The opposite, an event
whose document was read a moment too early, can't be told from a ghost by one look; `verify` looks twice and reports
what both show.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from chassis.broker import client_options
from chassis.consuming.bystander import named_broker_faults, records
from chassis.errors import TransientError
from chassis.settings import Settings
from chassis.state.mongo import connect

from operations.checker.checks import check
from operations.checker.evidence import Evidence
from operations.checker.model import Breach, Consumption, Document, Partition, TopicRecord
from operations.checker.topology import PRODUCT, Topology

_MOST_DOCUMENTS: Final = 10_000_000


async def collect(settings: Settings, topology: Topology = PRODUCT, *, settled: bool = False) -> Evidence:
    """What the system has left behind up to now.

    Args:
        settings: where broker and databases are.
        topology: which topics, groups and services there are.
        settled: nothing is under way any more, so what is unfinished counts as a breach.

    Raises:
        TransientError: the broker or a database does not answer.
    """
    async with named_broker_faults(settings):
        committed = await _offsets(settings, topology)
    documents = await _documents(settings, topology)
    async with named_broker_faults(settings):
        records, partitions = await _records(settings, topology)
    return Evidence(
        topology,
        records=records,
        partitions=partitions,
        documents=documents,
        consumption=[
            Consumption(
                each.group, place.topic, place.partition, committed.get((each.group, place.topic, place.partition))
            )
            for each in topology.subscriptions
            for place in partitions
            if place.topic == each.topic
        ],
        settled=settled,
    )


async def verify(
    settings: Settings, topology: Topology = PRODUCT, *, settled: bool = False, seconds: float = 2.0
) -> tuple[Evidence, list[Breach]]:
    """Check a running system: the evidence of the last look, and the breaches that two looks show.

    Args:
        settings: where broker and databases are.
        topology: which topics, groups and services there are.
        settled: nothing is under way any more.
        seconds: between the looks; the second is left out when the first shows nothing.

    Raises:
        TransientError: the broker or a database does not answer.
    """
    evidence = await collect(settings, topology, settled=settled)
    breaches = check(evidence)
    if not breaches:
        return evidence, []
    before = {_name(breach) for breach in breaches}
    await asyncio.sleep(seconds)
    evidence = await collect(settings, topology, settled=settled)
    return evidence, [breach for breach in check(evidence) if _name(breach) in before]


def _name(breach: Breach) -> tuple[str, ...]:
    """What makes a breach the same one in another look: notes may tell newer numbers."""
    return (breach.invariant, breach.rule, *(item.name for item in breach.witness))


async def _offsets(settings: Settings, topology: Topology) -> dict[tuple[str, str, int], int]:
    """Committed offsets by group, topic and partition, of those that were committed at all."""
    found = {}
    async with _admin(settings) as admin:
        for group in sorted({each.group for each in topology.subscriptions}):
            for place, stand in (await admin.list_consumer_group_offsets(group)).items():
                if stand.offset >= 0:
                    found[group, place.topic, place.partition] = stand.offset
    return found


async def _documents(settings: Settings, topology: Topology) -> list[Document]:
    services = {each.service for each in topology.streams} | {each.service for each in topology.subscriptions}
    found = []
    for service in sorted(services):
        async with connect(settings, service) as database:
            await database.ping()
            for name in await database.names():
                raws = await database.collection(name).sweep({}, limit=_MOST_DOCUMENTS)
                found += [Document(service, name, raw) for raw in raws]
    return found


async def _records(settings: Settings, topology: Topology) -> tuple[list[TopicRecord], list[Partition]]:
    places = await _partitions(settings, topology)
    async with _consumer(settings) as consumer:
        consumer.assign(places)
        starts = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        found = [
            _record(each)
            async for each in records(consumer, starts)
            if each.offset < ends[TopicPartition(each.topic, each.partition)]
        ]
        return found, [Partition(place.topic, place.partition, starts[place], ends[place]) for place in places]


async def _partitions(settings: Settings, topology: Topology) -> list[TopicPartition]:
    """Every partition of the streams, and of the dead-letter topics that there are.

    Raises:
        TransientError: a stream has no topic (yet), and checking without it would prove nothing.
    """
    streams = {each.topic for each in topology.streams}
    async with _admin(settings) as admin:
        there = set(await admin.list_topics())
        if streams - there:
            raise TransientError(f"broker: no topic {', '.join(sorted(streams - there))}")
        dead = {each.dead for each in topology.subscriptions} & there
        described = await admin.describe_topics(sorted(streams | dead))
    return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **client_options(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="none"
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def _record(record: Any) -> TopicRecord:
    headers = tuple((name, value) for name, value in record.headers)
    return TopicRecord(record.topic, record.partition, record.offset, record.key, record.value, headers)
