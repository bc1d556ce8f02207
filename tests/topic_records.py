"""Records as they stand on a topic: made as a producer makes them, and read as by a subscriber that begins today."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.broker import client_options
from chassis.consuming.records import Record
from chassis.ids import new_id
from chassis.settings import Settings
from contracts.envelope import Envelope, Event
from contracts.topics import Topic
from local.kafka import PARTITIONS


def said(event: Event, key: str, sequence: int, tenant: str) -> dict[str, Any]:
    """One fact of long ago as the arguments of aiokafka's `send`, so that nobody is mailed about it."""
    envelope = Envelope(
        id=new_id(),
        source=f"/turnabout/{event.topic.owner}",
        type=event.event_type(),
        subject=key,
        time="2026-01-01T00:00:00Z",
        tenant=tenant,
        sequence=sequence,
        partition_key=key,
        data_schema="urn:x",
    )
    return {"key": key.encode(), "value": event.model_dump_json().encode(), "headers": list(envelope.to_headers())}


async def all_records(settings: Settings, topic: Topic) -> list[Record]:
    """What a reader without a group gets up to the ends of now; of one key in the order of its partition."""
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=None, auto_offset_reset="none")
    await consumer.start()
    found: list[Record] = []
    try:
        partitions = [TopicPartition(topic.name, each) for each in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += records
    finally:
        await consumer.stop()
    return found
