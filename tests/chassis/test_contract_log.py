"""One specification of the log for the fake and for the real broker, through the chassis's own producer."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from chassis.consuming.records import Record
from chassis.publishing.producer import Header, Producer
from chassis.settings import Settings
from chassis.state.outbox import Entry
from fakes.log import MemoryLog, MemoryProducer

pytestmark = pytest.mark.connected

PARTITIONS: Final = 3
COMPACTED: Final = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "100",
}
LAST: Final = b"written so that what stands before it may be cleaned"

# The murmur2 hashes that Kafka's own tests state for these keys, without their sign bit, modulo three partitions:
# -973932308, -790332482, 479470107, -985981536, -1486304829, and 275646681 for a key of no bytes.
PLACES: Final = {
    "21": 0,
    "foobar": 0,
    "abc": 0,
    "a-little-bit-long-string": 2,
    "a-little-bit-longer-string": 2,
}
FIRST, OTHER, THIRD = b"21", b"foobar", b"abc"
ELSEWHERE: Final = b"a-little-bit-long-string"


class Stage(Protocol):
    """What the specification needs of an implementation; `topic` has three partitions."""

    topic: str
    producer: Producer

    async def read(self, partition: int, *, start: int = 0) -> Sequence[Record]:
        """The records of a partition from an offset to its end."""

    async def end(self, partition: int) -> int:
        """The offset that the next record gets."""

    async def commit(self, group: str, partition: int, offset: int) -> None:
        """Remember where a group goes on."""

    async def committed(self, group: str, partition: int) -> int | None:
        """Where a group goes on."""

    async def compact(self) -> None:
        """Have the topic compacted; returns when it is."""


class MemoryStage:
    """The fake."""

    topic = "contract"

    def __init__(self) -> None:
        self._log = MemoryLog()
        self._log.create(self.topic, PARTITIONS)
        self.producer: Producer = MemoryProducer(self._log)

    async def read(self, partition: int, *, start: int = 0) -> Sequence[Record]:
        return self._log.read(self.topic, partition, start)

    async def end(self, partition: int) -> int:
        return self._log.end(self.topic, partition)

    async def commit(self, group: str, partition: int, offset: int) -> None:
        self._log.commit(group, {(self.topic, partition): offset})

    async def committed(self, group: str, partition: int) -> int | None:
        return self._log.committed(group, self.topic, partition)

    async def compact(self) -> None:
        self._log.compact(self.topic)


class KafkaStage:
    """The real broker."""

    def __init__(self, servers: str) -> None:
        self.topic = f"contract-{uuid.uuid4().hex[:8]}"
        self.producer = Producer(Settings(kafka=servers, instance="contract"))
        self._servers = servers

    async def open(self) -> None:
        async with self._admin() as admin:
            await admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])

    async def read(self, partition: int, *, start: int = 0) -> Sequence[Record]:
        place = TopicPartition(self.topic, partition)
        found: list[Record] = []
        async with self._consumer() as consumer:
            consumer.assign([place])
            consumer.seek(place, start)
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found

    async def end(self, partition: int) -> int:
        place = TopicPartition(self.topic, partition)
        async with self._consumer() as consumer:
            return int((await consumer.end_offsets([place]))[place])

    async def commit(self, group: str, partition: int, offset: int) -> None:
        place = TopicPartition(self.topic, partition)
        async with self._consumer(f"{self.topic}-{group}") as consumer:
            consumer.assign([place])
            await consumer.commit({place: offset})

    async def committed(self, group: str, partition: int) -> int | None:
        place = TopicPartition(self.topic, partition)
        async with self._consumer(f"{self.topic}-{group}") as consumer:
            consumer.assign([place])
            offset: int | None = await consumer.committed(place)
            return offset

    async def compact(self) -> None:
        """A new segment begins with the first record after `segment.ms`; the cleaner takes only closed ones."""
        topic = ConfigResource(ConfigResourceType.TOPIC, self.topic, COMPACTED)
        # The cleaner looks every 15 s otherwise.
        cleaner = ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "100"})
        async with self._admin() as admin:
            await admin.alter_configs([topic, cleaner])
        await asyncio.sleep(0.2)
        producer = AIOKafkaProducer(bootstrap_servers=self._servers)
        await producer.start()
        for partition in range(PARTITIONS):
            await producer.send_and_wait(self.topic, b"", key=LAST, partition=partition)
        await producer.stop()
        async with asyncio.timeout(60):
            while not all([await self._is_compact(partition) for partition in range(PARTITIONS)]):
                await asyncio.sleep(0.2)

    async def _is_compact(self, partition: int) -> bool:
        keys = [record.key for record in await self.read(partition)]
        return len(keys) == len(set(keys))

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _consumer(self, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


@pytest.fixture(params=["memory", "kafka"])
async def stage(request: pytest.FixtureRequest, kafka: str) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield MemoryStage()
        return
    real = KafkaStage(kafka)
    await real.open()
    yield real
    await real.producer.stop()


def _entry(stage: Stage, key: str, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> Entry:
    return Entry(f"{key}:{value!r}", stage.topic, key, value, headers or [])


async def _all(stage: Stage) -> list[Record]:
    return [record for partition in range(PARTITIONS) for record in await stage.read(partition)]


async def test_records_of_a_key_stand_in_the_order_in_which_they_were_sent(stage: Stage) -> None:
    """Thirty records of five keys in one call and in ten more: every one acknowledged, none out of order."""
    sent = [(f"key-{number % 5}", number) for number in range(60)]
    first, *later = [sent[:30], *(sent[start : start + 3] for start in range(30, 60, 3))]
    for lot in (first, *later):
        entries = [_entry(stage, key, str(number).encode()) for key, number in lot]
        assert await stage.producer.send(entries) == set(range(len(lot)))
    for key in {key for key, _ in sent}:
        found = [int(record.value or b"") for record in await _all(stage) if record.key == key.encode()]
        assert found == [number for of, number in sent if of == key]


async def test_offsets_count_from_zero_in_each_partition(stage: Stage) -> None:
    """Two records in partition 0 get 0 and 1, one in partition 2 gets 0; reading can start between them."""
    for key, value in ((FIRST, b"a"), (OTHER, b"b"), (ELSEWHERE, b"c")):
        await stage.producer.send_raw(stage.topic, key, value, [])
    found = [(record.topic, record.partition, record.offset, record.value) for record in await _all(stage)]
    assert found == [(stage.topic, 0, 0, b"a"), (stage.topic, 0, 1, b"b"), (stage.topic, 2, 0, b"c")]
    assert [record.value for record in await stage.read(0, start=1)] == [b"b"]
    assert [await stage.end(partition) for partition in range(PARTITIONS)] == [2, 0, 1]


async def test_a_key_has_one_partition_however_it_is_sent(stage: Stage) -> None:
    """Kafka's own placing, whether in a batch or alone."""
    await stage.producer.send([_entry(stage, key, b"") for key in PLACES])
    for key in PLACES:
        await stage.producer.send_raw(stage.topic, key.encode(), b"", [])
    found = [(record.key, record.partition) for record in await _all(stage)]
    assert sorted(found) == sorted((key.encode(), place) for key, place in PLACES.items() for _ in range(2))


async def test_bytes_of_key_value_and_headers_come_back_untouched(stage: Stage) -> None:
    """An empty value is no tombstone; headers repeat, stay in order, and hold bytes that are no text or nothing."""
    headers: list[Header] = [("ce_id", b"1"), ("raw", b"\xff\x00"), ("ce_id", b"2"), ("none", None), ("empty", b"")]
    sent: list[tuple[bytes, bytes | None, list[Header]]]
    sent = [(b"\xff\xfe", b"\x00\xff", headers), (FIRST, b"", []), (FIRST, None, [("ce_id", b"3")])]
    for key, value, some in sent:
        await stage.producer.send_raw(stage.topic, key, value, some)
    found = [(record.key, record.value, list(record.headers)) for record in await _all(stage)]
    assert sorted(found, key=str) == sorted(sent, key=str)


async def test_a_record_may_have_neither_key_nor_value(stage: Stage) -> None:
    """Its headers say all; it stands where a key of no bytes would."""
    for number in (b"1", b"2"):
        await stage.producer.send_raw(stage.topic, None, None, [("dlq-offset", number)])
    found = [(record.key, record.value, list(record.headers)) for record in await stage.read(0)]
    assert found == [(None, None, [("dlq-offset", b"1")]), (None, None, [("dlq-offset", b"2")])]


async def test_an_entry_keeps_its_headers_and_a_tombstone_is_sent_as_one(stage: Stage) -> None:
    """The relay's batches carry what the outbox holds."""
    entries = [_entry(stage, "k", b"{}", [("ce_id", b"1")]), _entry(stage, "k", None, [("ce_id", b"2")])]
    assert await stage.producer.send(entries) == {0, 1}
    found = [(record.value, list(record.headers)) for record in await _all(stage)]
    assert found == [(b"{}", [("ce_id", b"1")]), (None, [("ce_id", b"2")])]


async def test_a_group_goes_on_where_it_committed(stage: Stage) -> None:
    """Per group and partition; the last commit counts, even when it is an earlier place."""
    await stage.producer.send_raw(stage.topic, FIRST, b"", [])
    assert await stage.committed("one", 0) is None
    await stage.commit("one", 0, 1)
    await stage.commit("two", 0, 0)
    await stage.commit("one", 1, 5)
    assert [await stage.committed("one", partition) for partition in range(PARTITIONS)] == [1, 5, None]
    assert await stage.committed("two", 0) == 0
    await stage.commit("one", 0, 0)
    assert await stage.committed("one", 0) == 0


async def test_compaction_keeps_the_last_record_of_each_key_at_its_offset(stage: Stage) -> None:
    """Of a1 b1 a2 c1 c-tombstone a3 b2 stay the tombstone, a3 and b2; new records go on behind the old end."""
    a, b, c = FIRST, OTHER, THIRD
    for key, value in ((a, b"1"), (b, b"1"), (a, b"2"), (c, b"1"), (c, None), (a, b"3"), (b, b"2"), (ELSEWHERE, b"1")):
        await stage.producer.send_raw(stage.topic, key, value, [])
    await stage.compact()
    kept = [(record.offset, record.key, record.value) for record in await stage.read(0) if record.key != LAST]
    assert kept == [(4, c, None), (5, a, b"3"), (6, b, b"2")]
    assert [record.value for record in await stage.read(0, start=5) if record.key != LAST] == [b"3", b"2"]
    assert [record.value for record in await stage.read(2) if record.key != LAST] == [b"1"]
    behind = await stage.end(0)
    for value in (b"4", b"5"):
        await stage.producer.send_raw(stage.topic, a, value, [])
    new = [(record.offset, record.value) for record in await stage.read(0, start=behind)]
    assert new == [(behind, b"4"), (behind + 1, b"5")]
