"""Consumers: one FastStream subscriber a group, with our pipeline in place of FastStream's own delivery.

FastStream fetches batches and dispatches; its acknowledgement, parsing and decoding are replaced, because the
defaults commit what failed, drop a batch for one bad record and choke on a header that is not UTF-8.

A partition's way: assigned → opened (what is parked, whether a batch there kills processes) → fetched → committed as
far as `Pipeline.process` came. A lasting fault pauses it at the record that waits, so the member keeps its place in
the group; it is tried again a moment later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from types import MethodType
from typing import Any, Final, Generic, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from chassis import logs, metrics
from chassis.broker import Refusal
from chassis.consuming.batches import batch_at, client_of, go_back, unreadable
from chassis.consuming.handlers import Group
from chassis.consuming.lag import Ahead, ahead, bounds_of
from chassis.consuming.offsets import firsts
from chassis.consuming.outcomes import DeadLetter
from chassis.consuming.pipeline import Pipeline, Progress
from chassis.consuming.records import Record
from chassis.consuming.suspects import Stand
from chassis.consuming.untouched import keep_records, parse_nothing
from chassis.consuming.upkeep import Upkeep
from chassis.errors import TransientError
from chassis.settings import Settings

S = TypeVar("S")
log = logs.get()

MAX_RECORDS: Final = 500
_REPORT_SECONDS: Final = 0.05
RESUME_SECONDS: Final = {"fault": 2.0, "breaker": 30.0, "failed": 30.0}


class Consumer(Generic[S]):
    """One group's member in this process."""

    def __init__(self, group: Group[S], store: S, upkeep: Upkeep, settings: Settings) -> None:
        self.group = group.name
        self._settings = settings
        self.refusal = Refusal(settings, "read")
        self._letters = upkeep.letters
        self._parking = upkeep.parking(group.name)
        self._suspects = upkeep.suspects(group.name)
        self._pipeline = Pipeline(group, store, self._letters, self._parking, later=self._report_soon)
        self._subscriber: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reporting = False
        self._careful = False
        self._committing = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._paused: dict[str, set[TopicPartition]] = {why: set() for why in ("opening", *RESUME_SECONDS)}
        self._count_paused()

    def subscribe(self, broker: KafkaBroker) -> None:
        """Register with FastStream: batches, manual acknowledgement, our own parser and decoder."""
        self._subscriber = broker.subscriber(
            *(topic.name for topic in self._pipeline.words.topics),
            batch=True,
            group_id=self.group,
            group_instance_id=f"{self.group}-{self._settings.instance}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=MAX_RECORDS,
            batch_timeout_ms=10,
            session_timeout_ms=15_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=600_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            listener=_Rebalances(self),
            parser=parse_nothing,
            decoder=keep_records,
            no_reply=True,
        )
        self._subscriber(self._consume)

    @property
    def assigned(self) -> bool:
        """Ready: the group has given this member its partitions."""
        consumer = getattr(self._subscriber, "consumer", None)
        return consumer is not None and bool(consumer.assignment())

    async def behind(self) -> list[Ahead]:
        """What stands before the group in each of this member's partitions, whatever holds it up.

        Raises:
            KafkaError: the broker does not answer.
        """
        consumer = getattr(self._subscriber, "consumer", None)
        if consumer is None:
            return []
        mine = consumer.assignment()
        reached = {partition: await consumer.committed(partition) for partition in mine}
        return [*(await ahead(consumer, await bounds_of(consumer, mine), reached)).values()]

    def stop_soon(self) -> None:
        """Stop at the next record boundary."""
        self._pipeline.stop_soon()

    async def stopped(self) -> None:
        """After the subscriber has stopped: say that it was in good order."""
        for task in self._tasks:
            task.cancel()
        await self.closed()

    async def closed(self) -> None:
        """The partitions are given back in good order: whoever gets them next must not think that we died."""
        try:
            await self._suspects.closed()
        except TransientError:
            log.warning("consumer.not-closed", group=self.group)

    async def drained(self, *, seconds: float = 30.0) -> None:
        """Until the batch in hand and what was set aside is finished and committed."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
                await self._pipeline.settled()
        except TimeoutError:
            log.warning("consumer.drain-timeout", group=self.group)
        await self._advance()

    # --- partitions that come ----------------------------------------------------------------------------------

    def open(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing is fetched from new partitions until it is known what is parked and what is suspect there."""
        come = list(partitions)
        if come:
            self.read_carefully()
            self._pipeline.offsets.forget({(each.topic, each.partition) for each in come})
            self._pause(come, "opening")
            self._spawn(self._open(come))

    async def _open(self, partitions: list[TopicPartition]) -> None:
        await _until_there(lambda: self._look(partitions))
        self._resume(partitions, "opening")

    async def _look(self, partitions: list[TopicPartition]) -> None:
        await self._parking.load()
        consumer = self._subscriber.consumer
        try:
            here = [partition for partition in partitions if partition in consumer.assignment()]
            ends = await consumer.end_offsets(here) if here else {}
            stands = [
                Stand(partition.topic, partition.partition, await consumer.position(partition), end)
                for partition, end in ends.items()
            ]
        except (KafkaError, IllegalStateError) as error:
            raise TransientError(f"broker: {type(error).__name__}") from error
        for stand in await self._suspects.opened(stands):
            partition = TopicPartition(stand.topic, stand.partition)
            # As the broker keeps it: a consumer would inflate it.
            offsets = await batch_at(client_of(consumer), partition, stand.position)
            if offsets is None:
                log.warning("consumer.suspect-harmless", group=self.group, topic=stand.topic)
            else:
                await self._quarantine(partition, offsets, "the process died in front of this batch")

    async def _quarantine(self, partition: TopicPartition, offsets: range, why: str) -> None:
        if not await self._commit({partition: offsets.start}):
            return  # whoever was frozen while it looked, and has been replaced, accuses nobody
        letter = DeadLetter("quarantined", why, attempts=0)
        await self._letters.bury_reference(partition.topic, partition.partition, offsets, self.group, letter)
        self._pipeline.offsets.pass_over((partition.topic, partition.partition), offsets.stop)
        await self._commit({partition: offsets.stop})
        self._subscriber.consumer.seek(partition, offsets.stop)
        metrics.QUARANTINED.labels(group=self.group).inc()
        log.error("consumer.quarantined", group=self.group, topic=partition.topic, partition=partition.partition)

    # --- records that aiokafka can't read ----------------------------------------------------------------------

    def read_carefully(self) -> None:
        """Let a fetch that aiokafka fails to read end in a quarantine, and hear what the broker refuses.

        FastStream would fetch the same for ever, and says neither.
        """
        consumer = self._subscriber.consumer
        fetch = consumer.getmany
        if isinstance(fetch, MethodType):  # not yet replaced
            consumer.getmany = partial(self._fetch, fetch)

    async def _fetch(self, fetch: Callable[..., Awaitable[Any]], **options: Any) -> Any:
        """Fetch; after a failure one record at a time, so that nothing stands between us and what can't be read."""
        try:
            fetched = await fetch(**options | ({"max_records": 1} if self._careful else {}))
        except KafkaError as error:
            await self.refusal.heard(error)
            raise
        except ConsumerStoppedError:
            raise
        except Exception as error:  # a header whose name is not UTF-8, say
            log.exception("consumer.unreadable", group=self.group, error=type(error).__name__)
            try:
                await self._set_unreadable_aside()
            except (TransientError, KafkaError, IllegalStateError):
                log.warning("consumer.waiting", group=self.group)
            await asyncio.sleep(1)
            return {}
        else:
            self.refusal.got_through()
            return fetched

    async def _set_unreadable_aside(self) -> None:
        """First go back, for aiokafka has lost what it had in hand; then quarantine what comes next, if it is that."""
        consumer, offsets = self._subscriber.consumer, self._pipeline.offsets
        await self._pipeline.settled()
        await self._advance()
        self._careful, found_again = not self._careful, self._careful
        await go_back(consumer, {TopicPartition(*place): offset for place, offset in offsets.reached().items()})
        if found_again:
            here = consumer.assignment() - {TopicPartition(*place) for place in offsets.again()}
            for partition, batch in (await unreadable(consumer, here)).items():
                await self._quarantine(partition, batch, "its records can't be read")

    # --- batches ----------------------------------------------------------------------------------------------

    async def _consume(self, records: list[Any]) -> None:
        self._idle.clear()
        try:
            await self.process(records)
        finally:
            records.clear()
            self._idle.set()

    async def process(self, records: Sequence[Record]) -> None:
        """Give every record its outcome, then commit the finished prefix of each partition."""
        try:
            await self._pipeline.process(records)
        except Exception as error:  # a bug of ours: going on would commit past records without an outcome
            log.exception("consumer.failed", group=self.group, error=type(error).__name__)
            self._wait(Progress(again=firsts(records), why="failed"))
        await self._advance()

    def _report_soon(self) -> None:
        """Some of what was set aside has its outcomes: commit them together with those that follow in a moment."""
        if not self._reporting:
            self._reporting = True
            self._spawn(self._report())

    async def _report(self) -> None:
        await asyncio.sleep(_REPORT_SECONDS)
        self._reporting = False
        await self._advance()

    async def _advance(self) -> None:
        """Commit as far as the pipeline came; one at a time, for an older commit must not overtake a newer one."""
        async with self._committing:
            progress = self._pipeline.progress()
            if progress.why in RESUME_SECONDS:
                self._wait(progress)
            await self._commit({TopicPartition(*place): offset for place, offset in progress.commit.items()})

    def _wait(self, progress: Progress) -> None:
        """Stand still at the records that can't be handled at the moment; polling goes on, so the group keeps us."""
        consumer = self._subscriber.consumer
        waiting = {}
        for place, offset in progress.again.items():
            partition = TopicPartition(*place)
            if partition in consumer.assignment():
                consumer.seek(partition, offset)
                waiting[partition] = offset
        self._pause([*waiting], progress.why)
        self._spawn(self._go_on(waiting, progress.why))
        log.warning("consumer.paused", group=self.group, reason=progress.why)

    async def _go_on(self, waiting: dict[TopicPartition, int], why: str) -> None:
        await asyncio.sleep(RESUME_SECONDS[why])
        # Not at once: what had been fetched before is through by now, or its batch has begun.
        self._pipeline.offsets.set_back({(each.topic, each.partition): offset for each, offset in waiting.items()})
        self._resume([*waiting], why)

    async def _commit(self, offsets: dict[TopicPartition, int]) -> bool:
        """Commit those of partitions that are still this member's; False when none were, or the broker refused."""
        consumer = self._subscriber.consumer
        mine = {partition: offset for partition, offset in offsets.items() if partition in consumer.assignment()}
        if not mine:
            return False
        try:
            await consumer.commit(mine)
        except (KafkaError, IllegalStateError) as error:
            # The next owner of the partition gets these records again, and the fences skip them.
            log.warning("consumer.commit-failed", group=self.group, error=type(error).__name__)
            return False
        return True

    # --- pausing ----------------------------------------------------------------------------------------------

    def _pause(self, partitions: list[TopicPartition], why: str) -> None:
        self._subscriber.consumer.pause(*partitions)
        self._paused[why].update(partitions)
        self._count_paused()

    def _resume(self, partitions: list[TopicPartition], why: str) -> None:
        consumer = self._subscriber.consumer
        consumer.resume(*(partition for partition in partitions if partition in consumer.assignment()))
        self._paused[why].difference_update(partitions)
        self._count_paused()

    def _count_paused(self) -> None:
        for why, partitions in self._paused.items():
            metrics.CONSUMER_PAUSED.labels(group=self.group, why=why).set(len(partitions))

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Holds a rebalance until the batch in hand is finished, so that no other member starts it meanwhile."""

    def __init__(self, consumer: Consumer[Any]) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, _revoked: Any) -> None:
        await self._consumer.drained()
        await self._consumer.closed()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer.open(assigned)


async def _until_there(action: Callable[[], Awaitable[None]]) -> None:
    delay = 0.1
    while True:
        try:
            return await action()
        except TransientError as error:
            log.warning("consumer.opening", error=error)
        except Exception as error:  # a bug must show, and not leave the partition paused for ever
            log.exception("consumer.opening-failed", error=type(error).__name__)
        await asyncio.sleep(delay)
        delay = min(delay * 2, 3.0)
