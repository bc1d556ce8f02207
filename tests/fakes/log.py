"""Kafka in memory: partitions of records, committed offsets, compaction, and a producer whose sends can go wrong.

One `MemoryLog` is the broker; every `MemoryProducer` is a process's connection to it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner
from chassis.errors import TransientError
from chassis.publishing.producer import Header, Producer
from chassis.settings import Settings
from chassis.state.outbox import Entry

from chassis import clock
from fakes.database import Point, nothing

Place = tuple[str, int]

_route: Final = DefaultPartitioner()


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A `chassis.consuming.records.Record`: what a consumer reads, with the fields that aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    timestamp: int  # unix milliseconds


@dataclass(slots=True)
class _Partition:
    records: list[MemoryRecord] = field(default_factory=list)
    end: int = 0


class MemoryLog:
    """The broker's topics; outlives the processes that are connected to it."""

    def __init__(self) -> None:
        self._topics: dict[str, list[_Partition]] = {}
        self._committed: dict[tuple[str, Place], int] = {}

    def create(self, topic: str, partitions: int = 3) -> None:
        """Create a topic, unless it is there."""
        self._topics.setdefault(topic, [_Partition() for _ in range(partitions)])

    def partition_for(self, topic: str, key: bytes | None) -> int:
        """Where Kafka's own clients put a key, and the chassis's producer a record without one."""
        numbers = list(range(len(self._partitions(topic))))
        return int(_route(key or b"", numbers, numbers))

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[Header],
        *,
        partition: int | None = None,
    ) -> MemoryRecord:
        """Write one record at the end of its partition.

        Raises:
            UnknownTopicOrPartitionError: there is no such topic or partition.
        """
        number = self.partition_for(topic, key) if partition is None else partition
        place = self._partition(topic, number)
        stored = tuple((name, content) for name, content in headers)
        record = MemoryRecord(topic, number, place.end, key, value, stored, clock.real_ms())
        place.records.append(record)
        place.end += 1
        return record

    def read(self, topic: str, partition: int, offset: int = 0, limit: int | None = None) -> list[MemoryRecord]:
        """Records from an offset on; offsets that compaction emptied are passed over."""
        found = [record for record in self._partition(topic, partition).records if record.offset >= offset]
        return found[:limit]

    def records(self, topic: str) -> list[MemoryRecord]:
        """Everything there is, partition after partition."""
        return [record for partition in self._partitions(topic) for record in partition.records]

    def end(self, topic: str, partition: int) -> int:
        """The offset that the next record gets."""
        return self._partition(topic, partition).end

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        return len(self._partitions(topic))

    def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Remember per partition the offset at which the group goes on; an earlier one is taken too."""
        for (topic, partition), offset in offsets.items():
            self._partition(topic, partition)
            self._committed[group, (topic, partition)] = offset

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Where the group goes on; None when it never committed there."""
        return self._committed.get((group, (topic, partition)))

    def compact(self, topic: str) -> None:
        """Keep the last record of each key, tombstones included; offsets stay.

        Kafka's cleaner spares the records of the segment that is being written. Here none is spared: the most that
        it can ever remove while tombstones are kept.
        """
        for partition in self._partitions(topic):
            last = {record.key: record.offset for record in partition.records}
            partition.records = [record for record in partition.records if last[record.key] == record.offset]

    def _partitions(self, topic: str) -> list[_Partition]:
        if topic not in self._topics:
            raise UnknownTopicOrPartitionError(topic)
        return self._topics[topic]

    def _partition(self, topic: str, number: int) -> _Partition:
        partitions = self._partitions(topic)
        if not 0 <= number < len(partitions):
            raise UnknownTopicOrPartitionError(f"{topic}-{number}")
        return partitions[number]


class Fate(Enum):
    """What becomes of one batch that a producer sends."""

    TAKEN = auto()
    """Written and acknowledged."""
    UNCONFIRMED = auto()
    """Written, but the sender hears of a failure."""
    REFUSED = auto()
    """Not written; the sender hears of a failure."""
    LATE = auto()
    """The sender hears of a failure; written when the simulation calls `MemoryProducer.arrive`."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record on its way."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records for one partition, which the broker takes as a whole or not at all."""

    topic: str
    partition: int
    records: tuple[Outgoing, ...]


async def taken(_: Batch) -> Fate:
    """The fate of everything while nothing goes wrong."""
    return Fate.TAKEN


class MemoryProducer(Producer):
    """Sends like the real producer: batch after batch per partition, up to the first that fails.

    `point` is awaited around each batch, for example at ``producer.matching.mentorship.v1-0.before``; an error that
    it raises is the death of the process. `fate` says what becomes of each batch, and may take its time.
    """

    def __init__(
        self,
        log: MemoryLog,
        point: Point = nothing,
        fate: Callable[[Batch], Awaitable[Fate]] = taken,
        *,
        batch_records: int = 1000,
    ) -> None:
        super().__init__(Settings.model_construct(instance="memory", kafka="memory", kafka_user=None))
        self.late: list[Batch] = []
        self._log = log
        self._point = point
        self._fate = fate
        self._batch_records = batch_records

    async def start(self) -> None:
        """Connect."""
        await self._point("producer.start")

    async def send(self, entries: Sequence[Entry]) -> set[int]:
        """Send many records, in order per partition; returns the places that were acknowledged."""
        acknowledged: set[int] = set()
        lots: dict[Place, list[int]] = {}
        for place, entry in enumerate(entries):
            partition = self._log.partition_for(entry.topic, entry.key.encode())
            lots.setdefault((entry.topic, partition), []).append(place)
        for (topic, partition), places in lots.items():
            for start in range(0, len(places), self._batch_records):
                some = places[start : start + self._batch_records]
                records = tuple(_outgoing(entries[place]) for place in some)
                if not await self._send(Batch(topic, partition, records)):
                    break
                acknowledged.update(some)
        return acknowledged

    async def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        """Send one record as it is; key and value may both be missing.

        Raises:
            TransientError: it was not acknowledged.
        """
        batch = Batch(topic, self._log.partition_for(topic, key), (Outgoing(key, value, tuple(headers)),))
        if not await self._send(batch):
            raise TransientError("broker: as the simulation wished")

    async def rebuild(self, failed: object = None) -> None:  # noqa: ARG002 - the real one drops this producer only
        """Drop the connection; what is late is on its way already."""
        await self._point("producer.rebuild")

    async def stop(self) -> None:
        """Disconnect."""
        await self._point("producer.stop")

    def arrive(self) -> None:
        """Let everything that is late be written, in the order in which it was sent."""
        late, self.late = self.late, []
        for batch in late:
            self._write(batch)

    async def _send(self, batch: Batch) -> bool:
        """Let one batch meet its fate; returns whether it is acknowledged."""
        name = f"producer.{batch.topic}-{batch.partition}"
        await self._point(f"{name}.before")
        fate = await self._fate(batch)
        if fate in {Fate.TAKEN, Fate.UNCONFIRMED}:
            self._write(batch)
        elif fate is Fate.LATE:
            self.late.append(batch)
        await self._point(f"{name}.after")
        return fate is Fate.TAKEN

    def _write(self, batch: Batch) -> None:
        for record in batch.records:
            self._log.append(batch.topic, record.key, record.value, record.headers, partition=batch.partition)


def _outgoing(entry: Entry) -> Outgoing:
    return Outgoing(entry.key.encode(), entry.value, tuple(entry.headers))
