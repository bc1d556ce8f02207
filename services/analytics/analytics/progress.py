"""Whether the rows hold everything that was said up to now: nothing is published from half a projection."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from chassis.broker import client_options
from chassis.settings import Settings
from contracts.topics import Topic

from chassis import logs

log = logs.get()
_LOOK_EVERY_SECONDS: Final = 0.1


class Progress:
    """Follows this service's consumer groups from outside; it neither joins nor commits."""

    def __init__(self, settings: Settings, groups: Mapping[str, Iterable[Topic]]) -> None:
        self._settings = settings
        self._groups = {name: [topic.name for topic in topics] for name, topics in groups.items()}

    async def reached_now(self, *, seconds: float) -> bool:
        """Wait until every group has committed what its topics hold now; False when that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                for group, topics in self._groups.items():
                    await self._reached(group, topics)
        except (KafkaError, OSError, TimeoutError) as error:
            log.info("reports.waiting", error=type(error).__name__)
            return False
        return True

    async def _reached(self, group: str, topics: list[str]) -> None:
        partitions = await self._partitions(topics)
        consumer = AIOKafkaConsumer(**client_options(self._settings), group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(partitions)
            starts = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            waiting = {partition for partition in partitions if ends[partition] > starts[partition]}
            while waiting:
                for partition in list(waiting):
                    if (await consumer.committed(partition) or 0) >= ends[partition]:
                        waiting.discard(partition)
                await asyncio.sleep(_LOOK_EVERY_SECONDS if waiting else 0)
        finally:
            await consumer.stop()

    async def _partitions(self, topics: list[str]) -> list[TopicPartition]:
        """Asked from the broker: a consumer that has not subscribed knows of none."""
        admin = AIOKafkaAdminClient(**client_options(self._settings))
        await admin.start()
        try:
            described = await admin.describe_topics(topics)
        finally:
            await admin.close()
        found = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
        if {partition.topic for partition in found} != set(topics):
            raise UnknownTopicOrPartitionError
        return found
