"""Whole-topic readers: read topics without a group up to their end, and then live.

For what every replica needs in full: the engine's market, live inboxes, caches. Nothing is committed; a restart reads
again. Records that can't be read are counted and left out: their own consumer groups dead-letter them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from contracts.envelope import Event

from chassis import logs, metrics
from chassis.broker import Refusal, client_options
from chassis.consuming.batches import client_of, getmany_readable
from chassis.consuming.lag import Ahead, ahead, bounds_of
from chassis.consuming.records import Received, Vocabulary
from chassis.errors import TransientError
from chassis.settings import Settings

log = logs.get()
_BATCH: Final = 1000
OnEvent = Callable[[Received[Any]], Awaitable[None] | None]


class TopicReader:
    """Reads the topics of some events from the beginning, or from now."""

    def __init__(
        self, settings: Settings, events: Sequence[type[Event]], on_event: OnEvent, *, from_now: bool = False
    ) -> None:
        self._settings = settings
        self._words = Vocabulary(events)
        self._on_event = on_event
        self._from_now = from_now
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self.refusal = Refusal(settings, "read")

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """The end that the topics had at start has been reached."""
        return self._caught_up.is_set()

    async def watch(self) -> None:
        """Returns never; raises what ended the reading, so that its process can end too."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def behind(self) -> list[Ahead]:
        """What it has not told yet, by partition.

        Raises:
            KafkaError: the broker does not answer.
        """
        if self._consumer is None:
            return []
        bounds = await bounds_of(self._consumer, self._positions)
        return [*(await ahead(self._consumer, bounds, self._positions)).values()]

    async def caught_up(self) -> None:
        """Until `ready`."""
        await self._caught_up.wait()

    async def _run(self) -> None:
        delay = 0.2
        while True:
            try:
                await self._follow()
            except (KafkaError, TransientError, OSError) as error:
                if not await self.refusal.heard(error):
                    log.warning("reader.waiting", error=type(error).__name__)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            client_id=f"{self._settings.instance}-reader",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )
        await consumer.start()
        try:
            ends = await self._seek(consumer)
            self._consumer = consumer
            positions = dict(self._positions)  # of what has been fetched; the other, of what has been told
            while True:
                lot = await getmany_readable(consumer, positions, timeout_ms=50, max_records=_BATCH)
                self.refusal.got_through()
                for record in lot:
                    await self._tell(record)
                    self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
                if not self.ready and await _reached(consumer, ends):
                    self._caught_up.set()
        finally:
            self._consumer = None
            await consumer.stop()

    async def _seek(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Assign every partition, at the place where an earlier connection broke off; returns the present ends."""
        partitions: list[TopicPartition] = []
        for topic in self._words.topics:
            numbers = consumer.partitions_for_topic(topic.name)
            if numbers is None:
                await client_of(consumer).force_metadata_update()
                await consumer.topics()
                numbers = consumer.partitions_for_topic(topic.name) or await _asked_for(consumer, topic.name)
            partitions += [TopicPartition(topic.name, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        starts = ends if self._from_now else await consumer.beginning_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, self._positions.setdefault(partition, starts[partition]))
        return ends

    async def _tell(self, record: Any) -> None:
        item = self._words.parse(record)
        if not isinstance(item, Received):
            metrics.CONSUMED.labels(group="reader", outcome="skipped").inc()
            return
        answer = self._on_event(item)
        if answer is not None:
            await answer


async def _asked_for(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Partitions of a topic that is not among those we are shown: it is asked for by name, for then a refusal shows."""
    client = client_of(consumer)
    await client.add_topic(topic)
    if topic in client.cluster.unauthorized_topics:
        raise TopicAuthorizationFailedError(topic)
    return set(consumer.partitions_for_topic(topic) or ())


async def _reached(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    for partition, end in ends.items():
        if await consumer.position(partition) < end:
            return False
    return True
