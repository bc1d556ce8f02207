"""Lag: how many records a group has before it, and how long the oldest of them has waited.

Asked of the broker from beside, by the record that comes next: a group that stands still can't tell about itself.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import clock
from chassis.consuming.batches import began_at, client_of, first_batch
from chassis.errors import TransientError


@dataclass(frozen=True, slots=True)
class Bounds:
    """First kept and next offset of a partition."""

    start: int
    end: int


class Ahead(NamedTuple):
    """What stands before a group in one partition."""

    records: int
    seconds: float


async def bounds_of(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Bounds]:
    """First and next offset of these.

    Raises:
        KafkaError: the broker does not answer.
    """
    wanted = sorted(partitions)
    if not wanted:
        return {}
    starts, ends = await asyncio.gather(consumer.beginning_offsets(wanted), consumer.end_offsets(wanted))
    return {partition: Bounds(starts[partition], ends[partition]) for partition in wanted}


async def ahead(
    consumer: AIOKafkaConsumer, bounds: Mapping[TopicPartition, Bounds], reached: Mapping[TopicPartition, int | None]
) -> dict[TopicPartition, Ahead]:
    """What stands before whoever has reached these offsets; where nothing was reached, everything does."""
    found = await asyncio.gather(
        *(_ahead(consumer, partition, each, reached.get(partition)) for partition, each in bounds.items())
    )
    return dict(zip(bounds, found, strict=True))


async def _ahead(consumer: AIOKafkaConsumer, partition: TopicPartition, bounds: Bounds, reached: int | None) -> Ahead:
    first = bounds.start if reached is None else max(reached, bounds.start)
    records = max(bounds.end - first, 0)
    return Ahead(records, await _waited(consumer, partition, first) if records else 0.0)


async def _waited(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> float:
    """Age of the batch that is next, by its header alone: the batch may be what kills whoever inflates it."""
    try:
        batch = await first_batch(client_of(consumer), partition, offset)
    except TransientError:
        return 0.0  # compaction has taken everything that was left before the end
    return round(max(clock.real_ms() - began_at(batch), 0) / 1000, 1)
