"""Lag: how many records a group has before it, and how long the oldest of them has waited."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from chassis import clock
from chassis.broker import client_options
from chassis.consuming.batches import began_at, first_batch
from chassis.consuming.bystander import bystander, named_broker_faults
from chassis.errors import TransientError
from chassis.ops.target import Json, Target
from chassis.settings import Settings

_ELECTING: Final = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
_TRIES: Final = 50
_PAUSE_SECONDS: Final = 0.2


class Standing(NamedTuple):
    """Where a group stands in its topics, and who reads for it."""

    committed: dict[TopicPartition, int]
    members: int
    state: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """First kept and next offset of a partition."""

    start: int
    end: int


async def lag(target: Target) -> Json:
    """Per group and partition: committed, end, lag in records, and seconds that the oldest one has waited."""
    names = {topic.name for group in target.groups for topic in target.topics(group)}
    standings = await standing(target.settings, target.groups)
    async with bystander(target.settings, sorted(names)) as consumer:
        bounds = await bounds_of(consumer)
        groups = await asyncio.gather(
            *(_group(target, consumer, bounds, group, stands) for group, stands in standings.items())
        )
    return {"groups": groups}


async def standing(settings: Settings, groups: Iterable[str]) -> dict[str, Standing]:
    """Committed offsets and members of some groups.

    Raises:
        TransientError: the broker does not answer, or refuses.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    async with named_broker_faults(settings):
        try:
            await admin.start()
            names = sorted(groups)
            found = await asyncio.gather(*(_standing(admin, name) for name in names))
            return dict(zip(names, found, strict=True))
        finally:
            await admin.close()


async def _standing(admin: AIOKafkaAdminClient, group: str) -> Standing:
    offsets, (answer,) = await asyncio.gather(
        _settled(lambda: admin.list_consumer_group_offsets(group)),
        _settled(lambda: admin.describe_consumer_groups([group])),
    )
    _, _, state, _, _, members, *_ = answer.groups[0]
    committed = {partition: each.offset for partition, each in offsets.items() if each.offset >= 0}
    return Standing(committed, len(members), state or "Dead")


async def _settled(action: Callable[[], Awaitable[Any]]) -> Any:
    """Wait a moment for a broker that is electing who coordinates the group, as one does that was just started."""
    for _ in range(_TRIES):
        try:
            return await action()
        except _ELECTING:
            await asyncio.sleep(_PAUSE_SECONDS)
    return await action()


async def bounds_of(consumer: AIOKafkaConsumer) -> dict[TopicPartition, Bounds]:
    """First and next offset of everything that is assigned."""
    partitions = sorted(consumer.assignment())
    if not partitions:
        return {}
    starts, ends = await asyncio.gather(consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
    return {partition: Bounds(starts[partition], ends[partition]) for partition in partitions}


async def _group(
    target: Target, consumer: AIOKafkaConsumer, bounds: dict[TopicPartition, Bounds], group: str, stands: Standing
) -> Json:
    mine = {topic.name for topic in target.topics(group)}
    partitions = await asyncio.gather(
        *(
            _partition(consumer, partition, each, stands.committed.get(partition))
            for partition, each in bounds.items()
            if partition.topic in mine
        )
    )
    return {
        "group": group,
        "members": stands.members,
        "state": stands.state,
        "lag": sum(each["lag"] for each in partitions),
        "seconds": max((each["seconds"] for each in partitions), default=0.0),
        "partitions": partitions,
    }


async def _partition(
    consumer: AIOKafkaConsumer, partition: TopicPartition, bounds: Bounds, committed: int | None
) -> dict[str, Any]:
    first = bounds.start if committed is None else max(committed, bounds.start)
    waiting = max(bounds.end - first, 0)
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "committed": committed,
        "end": bounds.end,
        "lag": waiting,
        "seconds": await _waited(consumer, partition, first) if waiting else 0.0,
    }


async def _waited(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> float:
    """Age of the batch that is next, by its header alone: the batch may be what kills whoever inflates it."""
    try:
        batch = await first_batch(consumer._client, partition, offset)  # noqa: SLF001 - a consumer would inflate it
    except TransientError:
        return 0.0  # compaction has taken everything that was left before the end
    return round(max(clock.real_ms() - began_at(batch), 0) / 1000, 1)
