"""How far each consumer group is, and who reads for it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from chassis.broker import client_options
from chassis.consuming.bystander import bystander, named_broker_faults
from chassis.consuming.lag import Bounds, ahead, bounds_of
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


async def lag(target: Target) -> Json:
    """Per group and partition: committed, end, lag in records, and seconds that the oldest one has waited."""
    names = {topic.name for group in target.groups for topic in target.topics(group)}
    standings = await standing(target.settings, target.groups)
    async with bystander(target.settings, sorted(names)) as consumer:
        bounds = await bounds_of(consumer, consumer.assignment())
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


async def _group(
    target: Target, consumer: AIOKafkaConsumer, bounds: dict[TopicPartition, Bounds], group: str, stands: Standing
) -> Json:
    mine = {topic.name for topic in target.topics(group)}
    wanted = {partition: each for partition, each in bounds.items() if partition.topic in mine}
    waiting = await ahead(consumer, wanted, stands.committed)
    return {
        "group": group,
        "members": stands.members,
        "state": stands.state,
        "lag": sum(each.records for each in waiting.values()),
        "seconds": max((each.seconds for each in waiting.values()), default=0.0),
        "partitions": [
            {
                "topic": partition.topic,
                "partition": partition.partition,
                "committed": stands.committed.get(partition),
                "end": bounds[partition].end,
                "lag": each.records,
                "seconds": each.seconds,
            }
            for partition, each in waiting.items()
        ],
    }
