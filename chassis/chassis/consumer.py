"""The consumer pipeline: parse → fence → handle by key lanes → outcome → commit exact offsets.

FastStream fetches batches and dispatches; its acknowledgement, parsing and decoding are replaced, because the
defaults commit what failed, drop a batch for one bad record and choke on a header that is not UTF-8. An offset is
committed only when every record up to it has an outcome.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from contracts.envelope import Event
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from chassis import clock, logs, metrics, telemetry
from chassis.dead_letters import bury
from chassis.errors import StaleError, TransientError
from chassis.outcomes import DeadLetter, Done, Duplicate, Outcome, Skipped
from chassis.producer import Producer
from chassis.records import Received, Record, Vocabulary
from chassis.settings import Settings

S = TypeVar("S")
Handler = Callable[[Received[Any], S], Awaitable[Outcome | None]]
BatchHandler = Callable[[list[Received[Any]], S], Awaitable[None]]
log = logs.get()

ATTEMPTS: Final = 3
LANES: Final = 16
MAX_RECORDS: Final = 500
_LONGEST_WAIT: Final = 5.0


@dataclass(slots=True)
class Group(Generic[S]):
    """One consumer group: which events call which function."""

    name: str
    handlers: dict[type[Event], Handler[S]] = field(default_factory=dict)
    batch: BatchHandler[S] | None = None


class Handlers(Generic[S]):
    """The table of a service's handlers. The group on the wire is ``<service>.<group>``."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.groups: dict[str, Group[S]] = {}

    def on(self, *events: type[Event], group: str) -> Callable[[Handler[S]], Handler[S]]:
        """Call the function for each of these events, in order per key."""

        def register(handler: Handler[S]) -> Handler[S]:
            table = self.groups.setdefault(group, Group(f"{self.service}.{group}"))
            table.handlers |= dict.fromkeys(events, handler)
            return handler

        return register

    def batch(self, *events: type[Event], group: str) -> Callable[[BatchHandler[S]], BatchHandler[S]]:
        """Call the function once for all these events of a fetched batch, in order per key."""

        async def alone(event: Received[Any], store: S) -> Outcome | None:
            table = self.groups[group].batch
            if table is not None:
                await table([event], store)
            return None

        def register(handler: BatchHandler[S]) -> BatchHandler[S]:
            table = self.groups.setdefault(group, Group(f"{self.service}.{group}"))
            table.batch = handler
            table.handlers |= dict.fromkeys(events, alone)
            return handler

        return register


class Consumer(Generic[S]):
    """One group's pipeline on one FastStream subscriber."""

    def __init__(self, group: Group[S], store: S, producer: Producer) -> None:
        self._group = group
        self._store = store
        self._producer = producer
        self._words = Vocabulary(group.handlers)
        self._by_topic = {event.topic.name: handler for event, handler in group.handlers.items()}
        self._by_type = {event.event_type(): handler for event, handler in group.handlers.items()}
        self._subscriber: Any = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False

    def subscribe(self, broker: KafkaBroker, settings: Settings) -> None:
        """Register with FastStream: batches, manual acknowledgement, our own parser and decoder."""
        self._subscriber = broker.subscriber(
            *(topic.name for topic in self._words.topics),
            batch=True,
            group_id=self._group.name,
            group_instance_id=f"{self._group.name}-{settings.instance}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=MAX_RECORDS,
            batch_timeout_ms=10,
            session_timeout_ms=15_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=600_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            listener=_Drain(self),
            parser=_parse_nothing,
            decoder=_keep_records,
            no_reply=True,
        )
        self._subscriber(self._consume)

    @property
    def assigned(self) -> bool:
        """Ready: the group has given this member its partitions."""
        consumer = getattr(self._subscriber, "consumer", None)
        return consumer is not None and bool(consumer.assignment())

    async def drained(self, *, seconds: float = 30.0) -> None:
        """Until the batch in hand is finished and committed."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("consumer.drain-timeout", group=self._group.name)

    def stop_soon(self) -> None:
        """Stop at the next record boundary."""
        self._stopping = True

    async def _consume(self, records: Any) -> None:
        self._idle.clear()
        try:
            await self.process(records)
        finally:
            self._idle.set()

    async def process(self, records: Sequence[Record]) -> None:
        """Give every record its outcome, then commit the finished prefix of each partition."""
        finished: set[tuple[str, int, int]] = set()
        parsed: list[tuple[Record, Any]] = [(record, self._words.parse(record)) for record in records]
        if self._group.batch is not None and await self._whole_batch([p for _, p in parsed if isinstance(p, Received)]):
            done = [(record, Done() if isinstance(p, Received) else p) for record, p in parsed]
        else:
            done = parsed
        lanes: dict[bytes | None, list[tuple[Record, Any]]] = {}
        for record, item in done:
            lanes.setdefault(record.key, []).append((record, item))
        gate = asyncio.Semaphore(LANES)
        await asyncio.gather(*(self._lane(lane, gate, finished) for lane in lanes.values()))
        await self._commit(records, finished)
        received = [item for _, item in parsed if isinstance(item, Received)]
        if received:
            lag = (clock.now() - received[-1].time).total_seconds()
            metrics.CONSUMER_LAG_SECONDS.labels(group=self._group.name).set(max(lag, 0))

    async def _whole_batch(self, events: list[Received[Any]]) -> bool:
        """Try the batch handler on everything; a bug in it leaves the records to be handled one by one."""
        if not events or self._group.batch is None:
            return False
        try:
            with telemetry.span(f"{self._group.name} batch", parent=events[0].traceparent):
                await self._patiently(lambda: self._group.batch(events, self._store))  # type: ignore[misc]  # set above
        except _StoppedError:
            return False
        except Exception as error:  # noqa: BLE001 - isolates the record that the handler can't take
            log.warning("consumer.batch-failed", group=self._group.name, error=type(error).__name__)
            return False
        return True

    async def _lane(
        self, lane: list[tuple[Record, Any]], gate: asyncio.Semaphore, finished: set[tuple[str, int, int]]
    ) -> None:
        async with gate:
            for record, item in lane:
                try:
                    outcome = await self._outcome(record, item)
                except _StoppedError:
                    return
                metrics.CONSUMED.labels(group=self._group.name, outcome=type(outcome).__name__.lower()).inc()
                finished.add((record.topic, record.partition, record.offset))

    async def _outcome(self, record: Record, item: Any) -> Outcome:
        outcome: Outcome = await self._handle(item) if isinstance(item, Received) else item
        match outcome:
            case DeadLetter():
                log.error("consumer.dead-letter", group=self._group.name, reason=outcome.reason, topic=record.topic)
                await self._patiently(lambda: bury(self._producer, record, self._group.name, outcome))
            case Skipped():
                log.info("consumer.skipped", group=self._group.name, reason=outcome.why)
            case Done() | Duplicate():
                pass
        return outcome

    async def _handle(self, event: Received[Any]) -> Outcome:
        """Handle one event: infrastructure faults wait in place, a bug is tried three times."""
        by_type = event.data is not None
        handler = self._by_type[event.envelope.type] if by_type else self._by_topic[event.topic.name]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with telemetry.span(f"{self._group.name} {event.topic.stream}", parent=event.traceparent):
                    return await self._patiently(lambda: handler(event, self._store)) or Done()
            except StaleError:
                return Duplicate()
            except _StoppedError:
                raise
            except Exception as error:  # a handler's bug must not stop the other keys
                log.warning(
                    "consumer.attempt-failed", group=self._group.name, error=type(error).__name__, exc_info=error
                )
                if attempt == ATTEMPTS:
                    return DeadLetter("handler-failed", type(error).__name__, attempts=attempt)
                await asyncio.sleep(0.05 * 2**attempt)
        raise AssertionError

    async def _patiently(self, action: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat until no infrastructure fault is met; order is kept because nothing behind it moves."""
        delay = 0.05
        while True:
            if self._stopping:
                raise _StoppedError
            try:
                return await action()
            except TransientError as error:
                log.warning("consumer.waiting", group=self._group.name, error=error)
                await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - jitter
                delay = min(delay * 2, _LONGEST_WAIT)

    async def _commit(self, records: Sequence[Record], finished: set[tuple[str, int, int]]) -> None:
        offsets: dict[TopicPartition, int] = {}
        broken: set[TopicPartition] = set()
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            if (record.topic, record.partition, record.offset) not in finished:
                broken.add(partition)
            if partition not in broken:
                offsets[partition] = record.offset + 1
        consumer = self._subscriber.consumer
        mine = {partition: offset for partition, offset in offsets.items() if partition in consumer.assignment()}
        if not mine:
            return
        try:
            await consumer.commit(mine)
        except (KafkaError, IllegalStateError) as error:
            # The next owner of the partition gets these records again, and the fences skip them.
            log.warning("consumer.commit-failed", group=self._group.name, error=type(error).__name__)


class _StoppedError(Exception):
    """The process is stopping; the record stays uncommitted for the next member."""


class _Drain(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Holds a rebalance until the batch in hand is finished, so that no other member starts it meanwhile."""

    def __init__(self, consumer: Consumer[Any]) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002 - aiokafka's signature
        await self._consumer.drained()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing to prepare: fences live in the documents."""


async def _parse_nothing(message: Any, _original: Any) -> KafkaMessage:
    """Hand the records on untouched: a poison header must not reach FastStream's own parser."""
    return KafkaMessage(body=b"", headers={}, raw_message=message, message_id="", consumer=FAKE_CONSUMER)


async def _keep_records(message: Any, _original: Any) -> Any:
    return message.raw_message
