"""A look at topics from outside every consumer group: for what operators ask; nothing is committed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.broker import client_options, fault
from chassis.consuming.batches import getmany_readable
from chassis.settings import Settings

_LOT: Final = 2000  # records taken at once
_WAIT_MS: Final = 200
_FETCH_WAIT_MS: Final = 10  # of the broker, for more to come; other questions on the connection wait as long


@asynccontextmanager
async def named_broker_faults(settings: Settings) -> AsyncIterator[None]:
    """Turn aiokafka's errors into `TransientError`, and refusals into `DeniedError`."""
    try:
        yield
    except KafkaError as error:
        raise await fault(settings, error) from error


@asynccontextmanager
async def bystander(
    settings: Settings, topics: Iterable[str], *, wait_ms: int = _FETCH_WAIT_MS
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group that has every partition of those of the topics that exist.

    Args:
        settings: how to reach the broker.
        topics: their names.
        wait_ms: how long the broker may hold a fetch until more comes; whoever stays asks less often by it.

    Raises:
        TransientError: the broker does not answer, or refuses; also for what is asked of the consumer inside.
    """
    consumer = AIOKafkaConsumer(
        **client_options(settings), group_id=None, enable_auto_commit=False, fetch_max_wait_ms=wait_ms
    )
    async with named_broker_faults(settings):
        try:
            await consumer.start()
            there = await consumer.topics()
            if names := [topic for topic in topics if topic in there]:
                consumer.subscribe(names)  # so that the client learns their partitions, which `assign` doesn't see to
                while not consumer.assignment():  # noqa: ASYNC110 - aiokafka says it by no event
                    await asyncio.sleep(0.01)
            yield consumer
        finally:
            await consumer.stop()


async def records(consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int] | None = None) -> AsyncIterator[Any]:
    """What the partitions hold now, each partition in its order: from `starts`, or from their beginning."""
    partitions = sorted(consumer.assignment())
    if not partitions:
        return
    ends = await consumer.end_offsets(partitions)
    positions = dict(await consumer.beginning_offsets(partitions)) | dict(starts or {})
    for partition, first in positions.items():
        consumer.seek(partition, first)
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        for record in await getmany_readable(consumer, positions, timeout_ms=_WAIT_MS, max_records=_LOT):
            yield record
