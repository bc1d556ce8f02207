"""What can't be handled stops nobody else, loses nothing, and is handled in order once it can be."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import poison_shelf
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.record.util import calc_crc32c
from chassis.consuming import pipeline
from chassis.consuming.bystander import bystander, records
from chassis.consuming.consumer import RESUME_SECONDS
from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.consuming.redrive import Letter, Redrive
from chassis.consuming.upkeep import Upkeep
from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.publishing.partitions import partition_of
from chassis.settings import Settings
from contracts.notifications import NoticeSent
from contracts.topics import NOTICE
from poison_shelf import GROUP, TENANT, Store, eventually, handlers, notice, send, told

from chassis import metrics

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]


@pytest.fixture
async def settings(kafka: str, database: str) -> Settings:
    """A database of this test alone."""
    return await poison_shelf.settings(kafka, database)


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Store]:
    """The store of a service that consumes in this process."""
    async with poison_shelf.consuming(settings) as store:
        yield store


async def test_later_facts_wait_behind_a_dead_one_until_it_is_redriven(shelf: Store, settings: Settings) -> None:
    """Other keys flow; after the redrive the key has had all of its facts, in their order, and flows again."""
    shelf.broken = {"poison"}
    sick, well = new_id(), new_id()
    await send(
        settings.kafka,
        notice(sick, 1, "one"),
        notice(sick, 2, "poison"),
        notice(sick, 3, "three"),
        notice(well, 1, "one"),
        notice(sick, 4, "four"),
        notice(well, 2, "two"),
    )
    await eventually(told(shelf, well, "one", "two"))
    await eventually(told(shelf, sick, "one"))
    service = poison_shelf.service(settings.model_copy(update={"instance": "shelf-command"}))
    async with service.opened() as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))

        async def waiting() -> bool:
            found = [(letter.reason, letter.attempts) for letter in await ops.letters(of(sick))]
            return found == [("handler-failed", 3), ("parked", 0), ("parked", 0)]

        await eventually(waiting)
        assert [each.key for each in await ops.parked() if each.key == sick] == [sick]

        store.broken = {"poison"}
        failed = (await ops.run(of(sick))).failed
        assert [(letter.offset, why) for letter, why in failed] == [(failed[0][0].offset, "handler-failed: ValueError")]
        assert await told(shelf, sick, "one")()

        store.broken, shelf.broken = set(), set()
        report = await ops.run(of(sick))
        assert [letter.reason for letter in report.handled] == ["handler-failed", "parked", "parked"]
        assert len(report.released) == 1
        assert await ops.letters(of(sick)) == []
    await send(settings.kafka, notice(sick, 5, "five"))
    await eventually(told(shelf, sick, "one", "poison", "three", "four", "five"))


def of(key: str) -> Callable[[Letter], bool]:
    return lambda letter: letter.key_text == key


async def test_facts_that_arrive_during_a_redrive_are_not_left_behind(shelf: Store, settings: Settings) -> None:
    """While letters are fed through, newer facts of the key keep arriving: all come, in order."""
    shelf.broken = {"poison"}
    key = new_id()
    await send(settings.kafka, notice(key, 1, "poison"), *(notice(key, n, f"{n}") for n in range(2, 30)))
    service = poison_shelf.service(settings.model_copy(update={"instance": "shelf-command"}))
    async with service.opened() as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))

        async def many() -> bool:
            return len(await ops.letters(of(key))) >= 20

        await eventually(many)
        shelf.broken = set()
        later = asyncio.create_task(send(settings.kafka, *(notice(key, n, f"{n}") for n in range(30, 130))))
        await ops.run(of(key))
        await later
        await ops.run(of(key))
    await eventually(told(shelf, key, "poison", *(f"{n}" for n in range(2, 130))))


async def test_a_record_of_nothing_at_all_becomes_a_letter(shelf: Store, settings: Settings) -> None:
    """No key, no value: aiokafka's own `send` refuses such a record, and the partition still goes on behind it."""
    well = new_id()
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=[("ce_id", None)])
    batch.close()
    await (await producer.send_batch(batch, NOTICE.name, partition=0))
    await producer.stop()
    await send(settings.kafka, notice(well, 1, "one"))
    await eventually(told(shelf, well, "one"))
    service = poison_shelf.service(settings.model_copy(update={"instance": "shelf-command"}))
    async with service.opened() as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))

        async def buried() -> bool:
            found = await ops.letters(lambda letter: letter.key is None and letter.value is None)
            return ((("ce_id", None),), "bad-envelope") in [(letter.headers, letter.reason) for letter in found]

        await eventually(buried)


@pytest.mark.usefixtures("shelf")
async def test_the_largest_record_that_a_broker_takes_becomes_a_letter(settings: Settings) -> None:
    """With its origin added it is larger than any record elsewhere may be; refused, it would hold up its partition."""
    key = new_id()
    largest = 1_048_588 - 61 - 30 - len(key)  # the broker's default for a batch, less the headers of batch and record
    record = {"key": key.encode(), "value": b"\xff" * largest, "headers": []}
    await send(settings.kafka, record, max_request_size=2 * 1024 * 1024)
    async with poison_shelf.service(settings).opened(relaying=False) as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))

        async def buried() -> bool:
            return [len(letter.value or b"") for letter in await ops.letters(of(key))] == [largest]

        await eventually(buried)


async def test_a_bug_of_the_pipeline_itself_commits_nothing(
    shelf: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the consumer's own code raises, the batch is taken again later, and no record is skipped."""
    monkeypatch.setitem(RESUME_SECONDS, "failed", 0.5)
    original, failures = pipeline.Pipeline._lane, [RuntimeError("a bug"), RuntimeError("a bug")]

    async def fails_twice(self: pipeline.Pipeline[Store], *arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await original(self, *arguments)

    monkeypatch.setattr(pipeline.Pipeline, "_lane", fails_twice)
    key = new_id()
    for number in (1, 2, 3):
        await send(settings.kafka, notice(key, number, f"{number}"))
        await asyncio.sleep(0.1)
    await eventually(told(shelf, key, "1", "2", "3"))


async def test_a_bug_of_the_pipeline_beside_a_dead_letter_loses_neither(
    shelf: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record that was set aside is fetched again, and those behind it wait: a letter, and one that is parked."""
    monkeypatch.setitem(RESUME_SECONDS, "failed", 0.5)
    original, failures = pipeline.Pipeline._outcome, [RuntimeError("a bug"), RuntimeError("a bug")]

    async def fails_twice(self: pipeline.Pipeline[Store], *arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await original(self, *arguments)

    monkeypatch.setattr(pipeline.Pipeline, "_outcome", fails_twice)
    shelf.broken = {"poison"}
    key = new_id()
    await send(settings.kafka, notice(key, 1, "poison"), notice(key, 2, "two"))
    async with poison_shelf.service(settings).opened(relaying=False) as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))

        async def buried() -> bool:
            return [letter.reason for letter in await ops.letters(of(key))] == ["handler-failed", "parked"]

        await eventually(buried)
    assert failures == []


async def test_a_bad_deploy_stops_instead_of_filling_the_dead_letters(
    shelf: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything fails: a handful of letters, then the group stands still; once mended the rest is handled."""
    monkeypatch.setitem(RESUME_SECONDS, "breaker", 1.0)
    shelf.broken = {"everything"}
    keys = [new_id() for _ in range(60)]
    await send(settings.kafka, *(notice(key, 1, "one") for key in keys))

    async def open_() -> bool:
        return bool(metrics.CONSUMER_PAUSED.labels(group=GROUP, why="breaker")._value.get())

    await eventually(open_)
    shelf.broken = set()

    async def handled() -> bool:
        return len(await shelf.jars.find_ids(TENANT, keys)) >= len(keys) - pipeline.LANES - 10

    await eventually(handled)


async def test_a_lasting_fault_pauses_the_partition_and_keeps_the_order(
    shelf: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for longer than anybody waits in place; afterwards each fact is handled once, in order."""
    monkeypatch.setattr(pipeline, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setitem(RESUME_SECONDS, "fault", 0.5)
    shelf.fault = TransientError("away")
    key = new_id()
    await send(settings.kafka, *(notice(key, number, f"{number}") for number in range(1, 8)))

    async def paused() -> bool:
        return bool(metrics.CONSUMER_PAUSED.labels(group=GROUP, why="fault")._value.get())

    await eventually(paused)
    await asyncio.sleep(3)
    shelf.fault = None
    await eventually(told(shelf, key, *(f"{number}" for number in range(1, 8))))


_OUT_OF_MEMORY = 400 * 1024 * 1024  # bytes


@pytest.fixture
async def swept(kafka: str) -> AsyncIterator[None]:
    """Takes what can't be read off the topic afterwards: whoever reads it from the beginning would stumble over it."""
    yield
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await admin.start()
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(NOTICE.name, number) for number in range(3)])
        await admin.delete_records({place: RecordsToDelete(before_offset=end) for place, end in ends.items()})
    finally:
        await consumer.stop()
        await admin.close()


@pytest.mark.usefixtures("swept")
async def test_a_bomb_is_set_aside_after_three_deaths(settings: Settings) -> None:
    """A batch of half a megabyte inflates to 300: the process dies three times, then what follows it is handled."""
    service = poison_shelf.service(settings)
    await service._migrate()
    key, after = new_id(), new_id()
    bomb = notice(key, 1, "bomb") | {"value": b"0" * 300_000_000}
    await send(settings.kafka, bomb, compression_type="gzip", max_request_size=400_000_000, max_batch_size=400_000_000)
    await send(settings.kafka, notice(key, 2, "after the bomb"), notice(after, 1, "elsewhere"))
    deaths = 0
    async with poison_shelf.service(settings.model_copy(update={"instance": "reader"})).opened() as (_, store):
        both = [told(store, key, "after the bomb"), told(store, after, "elsewhere")]
        for _ in range(5):
            deaths += await _dies(settings, lambda: _all(both))
            if await _all(both):
                break
        assert await _all(both)
    assert deaths == 3


async def _all(checks: list[Callable[[], Awaitable[bool]]]) -> bool:
    return all([await check() for check in checks])


async def _dies(settings: Settings, finished: Callable[[], Awaitable[bool]]) -> bool:
    """Run the service as a process that is killed when it takes too much memory, as a container would be."""
    environment = os.environ | {
        "TURNABOUT_KAFKA": settings.kafka,
        "TURNABOUT_MONGO": settings.mongo,
        "TURNABOUT_DATABASE_PREFIX": settings.database_prefix,
        "TURNABOUT_INSTANCE": settings.instance,
        "TURNABOUT_PORT": "0",
    }
    process = subprocess.Popen([sys.executable, poison_shelf.__file__], env=environment)  # noqa: ASYNC220 - polled below
    try:
        async with asyncio.timeout(60):
            while not await finished():
                if _resident(process.pid) > _OUT_OF_MEMORY:
                    return True
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    return False


def _resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.usefixtures("swept")
async def test_a_header_name_that_is_no_text_stops_nobody_else(shelf: Store, settings: Settings) -> None:
    """Kafka takes it and aiokafka can't read it: the batch is set aside by reference, and what follows is handled."""
    key = new_id()
    await send(settings.kafka, notice(key, 1, "one"))
    await eventually(told(shelf, key, "one"))
    partition, offset = await _send_unreadable(settings.kafka, key)
    await send(settings.kafka, notice(key, 2, "two"))
    await eventually(told(shelf, key, "one", "two"))
    async with poison_shelf.service(settings).opened(relaying=False) as (delivery, store):
        ops = Redrive(settings, handlers.groups["jars"], store, Upkeep.of(delivery))
        found = [each for each in await ops.letters() if (each.partition, each.offset) == (partition, offset)]
    assert [(each.reason, each.last_offset) for each in found] == [("quarantined", offset)]


@pytest.mark.usefixtures("swept")
async def test_records_fetched_together_with_an_unreadable_one_are_not_lost(settings: Settings, kafka: str) -> None:
    """All of it waits when the group begins: facts before and behind it, in its partition and in the others."""
    await poison_shelf.service(settings)._migrate()
    sick, others = new_id(), [new_id() for _ in range(12)]
    for key in others:
        await send(kafka, notice(key, 1, "one"))
    await send(kafka, notice(sick, 1, "one"))
    await _send_unreadable(kafka, sick)
    await send(kafka, notice(sick, 2, "two"), *(notice(key, 2, "two") for key in others))
    async with poison_shelf.consuming(settings) as store:
        for key in (sick, *others):
            await eventually(told(store, key, "one", "two"))


@pytest.mark.usefixtures("swept")
async def test_readers_without_a_group_pass_over_what_cannot_be_read(kafka: str, settings: Settings) -> None:
    """A live inbox's reader, started before or after it, and an operator's question get what stands around it."""
    key = new_id()
    live: list[str] = []
    late: list[str] = []
    async with TopicReader(settings, [NoticeSent], _kinds_of(key, live), from_now=True) as reader:
        await reader.caught_up()
        await send(kafka, notice(key, 1, "one"))
        await _send_unreadable(kafka, key)
        await send(kafka, notice(key, 2, "two"))
        await eventually(_holds(live, "one", "two"))
        async with TopicReader(settings, [NoticeSent], _kinds_of(key, late)) as second:
            await second.caught_up()
        assert late == ["one", "two"]
    async with bystander(Settings(kafka=kafka), [NOTICE.name]) as consumer:
        sequences = [dict(each.headers)["ce_sequence"] async for each in records(consumer) if each.key == key.encode()]
    assert sequences == [b"1", b"2"]


def _kinds_of(key: str, into: list[str]) -> Callable[[Received[NoticeSent]], None]:
    def hear(event: Received[NoticeSent]) -> None:
        if event.key == key and event.data is not None:
            into.append(event.data.kind)

    return hear


def _holds(found: list[str], *wanted: str) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return found == [*wanted]

    return holds


async def _send_unreadable(servers: str, key: str) -> tuple[int, int]:
    """One record with a header whose name is no text; returns its partition and offset."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        batch = producer.create_batch()
        batch.append(key=key.encode(), value=b"{}", timestamp=None, headers=[("NAME", b"x")])
        batch.close()
        hostile = _renamed(bytes(batch._build()))
        batch._build = lambda: bytearray(hostile)
        partition = partition_of(key.encode(), len(await producer.partitions_for(NOTICE.name)))
        place = await (await producer.send_batch(batch, NOTICE.name, partition=partition))
    return partition, place.offset


def _renamed(batch: bytes) -> bytes:
    """The batch with a header name that is not UTF-8, its checksum put right (it covers the bytes from 21 on)."""
    changed = bytearray(batch.replace(b"NAME", b"\xff\xfe\xfd\xff"))
    changed[17:21] = calc_crc32c(bytes(changed[21:])).to_bytes(4, "big")
    return bytes(changed)
