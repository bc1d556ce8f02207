"""One half of a pair: a service, healthy facts, and poison or none; then what has become of each record."""

import asyncio
import json
import math
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError
from chassis.consuming.bystander import bystander
from chassis.consuming.bystander import records as all_records
from chassis.consuming.dead_letters import PREFIX
from chassis.delivery import Delivery
from chassis.publishing.partitions import partition_of
from chassis.settings import Settings
from chassis.state.mongo import connect
from contracts.topics import DEAD_SETTINGS, NOTICE
from local.kafka import PARTITIONS
from local.places import ROOT

from benchmarks.bus.load import TENANT
from benchmarks.bus.servers import Servers
from benchmarks.poison import healthy, shelf
from benchmarks.poison.kinds import Poison

DEAD: Final = NOTICE.dead(shelf.GROUP)
_WARM: Final = 200
_SETTLE_SECONDS: Final = 60.0
_LIMIT_BYTES: Final = 4 * 1024 * 1024
Place = tuple[int, int]  # partition, offset of the notices' topic


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one poisonous record."""

    kind: str
    reasons: tuple[str, ...]  # of its letters: none when it has not come to the dead-letter topic
    equal: bool  # key, value and headers of all its letters are those that were sent


@dataclass(slots=True)
class Half:
    """What one half came to."""

    late: list[float]  # seconds from the send to the stored effect, of facts of keys without any poison
    waiting: int  # healthy facts without an effect
    disordered: int  # keys whose effects are not in the order of their facts
    settled: bool  # the group has committed everything in time
    fates: list[Fate] = field(default_factory=list)


async def half(servers: Servers, name: str, poison: Sequence[Poison]) -> Half:
    """Run it; `poison` is spread over its whole time."""
    ends = await _ends(servers, DEAD)
    moments = servers.folder / f"{name}.json"
    service = await _service(servers, moments, "serve")
    try:
        await _send_all(servers.kafka, healthy.facts(f"{name}-warm", _WARM))
        await _settled(servers)
        begin, places = await _load(servers, name, poison)
        settled = await _settled(servers)
    finally:
        service.send_signal(signal.SIGTERM)
        await service.wait()
    stored: dict[str, float] = json.loads(moments.read_text())
    letters = await _letters(servers, ends)
    fates = [_fate(record, letters.get(place, [])) for record, place in zip(poison, places, strict=True)]
    waiting, disordered = await _effects(servers, name)
    return Half(_late(name, begin, stored), waiting, disordered, settled, fates)


async def prepare(servers: Servers) -> None:
    """Create the topics, with the settings that the stack gives them, and the service's indexes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        wanted = {NOTICE.name: NOTICE.settings(), DEAD: DEAD_SETTINGS}
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=each) for name, each in wanted.items()])
    finally:
        await admin.close()
    await (await _service(servers, servers.folder / "none", "migrate")).wait()


async def _service(servers: Servers, moments: Path, role: str) -> Process:
    command = ["-m", "benchmarks.poison.shelf", role, servers.kafka, servers.mongo, str(moments)]
    with (servers.folder / "service.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stderr=log)


async def _load(servers: Servers, name: str, poison: Sequence[Poison]) -> tuple[float, list[Place]]:
    """Send both; returns when the first healthy fact was due, and where each poisonous record stands."""
    command = ["-m", "benchmarks.poison.healthy", servers.kafka, name]
    load = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=PIPE)
    output = load.stdout
    assert output is not None
    begin = float(await output.readline())
    places = await _send_all(servers.kafka, poison, begin, healthy.SECONDS)
    if await load.wait():
        raise SystemExit("the healthy facts could not be sent")
    return begin, places


async def _send_all(servers: str, records: Sequence[Poison], begin: float = 0.0, seconds: float = 0.0) -> list[Place]:
    """Send records as they are, evenly over so many seconds; order per key is that of the records."""
    options: dict[str, Any] = {"bootstrap_servers": servers, "acks": "all", "enable_idempotence": True}
    options |= {"max_batch_size": _LIMIT_BYTES, "max_request_size": _LIMIT_BYTES}
    places: list[Place] = []
    async with (
        AIOKafkaProducer(**options) as plain,
        AIOKafkaProducer(**options, compression_type="gzip") as packed,
    ):
        for number, record in enumerate(records):
            await asyncio.sleep(max(0.0, begin + number * seconds / len(records) - time.monotonic()))
            producer = packed if record.compressed else plain
            batch = producer.create_batch()  # `send` refuses a record of nothing
            batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
            batch.close()
            partition = partition_of(record.key, PARTITIONS) if record.key else number % PARTITIONS
            sent = await (await producer.send_batch(batch, NOTICE.name, partition=partition))
            places.append((partition, sent.offset))
    return places


async def _ends(servers: Servers, topic: str) -> dict[TopicPartition, int]:
    async with bystander(Settings(kafka=servers.kafka), [topic]) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(sorted(consumer.assignment()))
        return ends


async def _settled(servers: Servers) -> bool:
    """Wait until the group has given every record its outcome; False when that takes too long."""
    wanted = await _ends(servers, NOTICE.name)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        async with asyncio.timeout(_SETTLE_SECONDS):
            while True:
                with suppress(GroupCoordinatorNotAvailableError):  # the first group of a broker
                    offsets = await admin.list_consumer_group_offsets(shelf.GROUP)
                    done = {place: offset.offset for place, offset in offsets.items()}
                    if all(done.get(place, 0) >= end for place, end in wanted.items()):
                        return True
                await asyncio.sleep(0.2)
    except TimeoutError:
        return False
    finally:
        await admin.close()


async def _letters(servers: Servers, starts: dict[TopicPartition, int]) -> dict[Place, list[Any]]:
    """The raw records of the dead-letter topic since `starts`, by the place that they came from."""
    found: dict[Place, list[Any]] = {}
    async with bystander(Settings(kafka=servers.kafka), [DEAD]) as consumer:
        async for record in all_records(consumer, starts):
            found.setdefault((int(_told(record, "partition")), int(_told(record, "offset"))), []).append(record)
    return found


def _told(letter: Any, name: str) -> str:
    """The last of this name: the record may have come with one of its own."""
    text: bytes = [text for each, text in letter.headers if each == PREFIX + name][-1]
    return text.decode()


def _fate(record: Poison, letters: Sequence[Any]) -> Fate:
    reasons = tuple(_told(each, "reason") for each in letters)
    return Fate(record.kind, reasons, equal=all(_equal(record, each) for each in letters))


def _equal(record: Poison, letter: Any) -> bool:
    """Whether the letter is the record, with nothing but its origin behind the headers."""
    own, added = letter.headers[: len(record.headers)], letter.headers[len(record.headers) :]
    same = (letter.key, letter.value, tuple(own)) == (record.key, record.value, record.headers)
    return same and all(name.startswith(PREFIX) for name, _ in added)


async def _effects(servers: Servers, name: str) -> tuple[int, int]:
    """How many healthy facts have no effect in the database, and how many keys have theirs out of order."""
    told: dict[str, list[str]] = {key: [] for key in healthy.keys(name)}
    expected: dict[str, list[str]] = {key: [] for key in told}
    settings = shelf.settings(servers.kafka, servers.mongo)
    async with connect(settings, shelf.SERVICE) as database:
        found = await shelf.jars(Delivery(settings, shelf.SERVICE, database)).find_ids(TENANT, list(told))
    told |= {key: jar.told for key, jar in found.items()}
    for number, key in _places(name):
        expected[key].append(healthy.notice(name, number))
    waiting = sum(len(set(expected[key]) - set(told[key])) for key in told)
    disordered = sum(told[key] != [each for each in expected[key] if each in set(told[key])] for key in told)
    return waiting, disordered


def _places(name: str) -> list[tuple[int, str]]:
    """Number and key of each healthy fact."""
    keys = healthy.keys(name)
    return [(number, keys[number % len(keys)]) for number in range(healthy.RATE * healthy.SECONDS)]


def _late(name: str, begin: float, stored: dict[str, float]) -> list[float]:
    """What has no effect is later than everything else."""
    neighbours = set(healthy.keys(name)[: healthy.NEIGHBOURS])
    return [
        stored.get(healthy.notice(name, number), math.inf) - (begin + number / healthy.RATE)
        for number, key in _places(name)
        if key not in neighbours
    ]
