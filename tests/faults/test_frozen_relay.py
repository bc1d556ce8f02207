"""A relay is frozen between read and send, another takes over, and the first one sends its old state late."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import faults_replica
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.ids import new_id
from chassis.settings import Settings
from contracts.envelope import Envelope
from contracts.profiles import ProfileUpdated
from contracts.topics import PROFILE
from faults_replica import TENANT, Dial
from local.kafka import PARTITIONS

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]

FROZEN_SECONDS = 20


async def test_the_newest_state_is_the_last_of_its_key(kafka: str, database: str) -> None:
    """Whatever a frozen owner sends late, a reader from offset 0 ends with the state that the database holds."""
    prefix, dial = f"t{uuid.uuid4().hex[:8]}", new_id()
    settings = Settings(kafka=kafka, mongo=database, database_prefix=prefix, instance="dial-1", port=0)
    async with faults_replica.service(settings).opened() as (delivery, store):
        await delivery.migrate()
        first = _replica(settings, dial)
        try:
            await _until_stopped(first.pid)
            await store.dials.change(TENANT, dial, Dial.turn)
            await asyncio.sleep(FROZEN_SECONDS)
            taken_over = await _records(kafka, dial)
            first.send_signal(signal.SIGCONT)
            late = await _until_more(kafka, dial, len(taken_over))
            stored = await store.dials.load(TENANT, dial)
        finally:
            first.kill()
            first.wait()
    assert [sequence for sequence, _ in taken_over] == [2]
    assert (1, 1) in late  # the fault really happened: the old state came after the new one
    assert late[-1] == (2, 2)
    assert stored.value == 2


def _replica(settings: Settings, dial: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "TURNABOUT_KAFKA": settings.kafka,
        "TURNABOUT_MONGO": settings.mongo,
        "TURNABOUT_DATABASE_PREFIX": settings.database_prefix,
        "TURNABOUT_INSTANCE": "dial-0",
    }
    return subprocess.Popen([sys.executable, faults_replica.__file__, dial], env=environment)


async def _until_stopped(pid: int) -> None:
    """Until the kernel says that the process is stopped."""
    async with asyncio.timeout(30):
        while not _stopped(pid):
            await asyncio.sleep(0.05)


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


async def _records(kafka: str, key: str) -> list[tuple[int, int]]:
    """(sequence, value) of the key's records so far, from offset 0."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    found: list[tuple[int, int]] = []
    try:
        partitions = [TopicPartition(PROFILE.name, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [
                    (
                        Envelope.from_headers(record.headers).sequence,
                        ProfileUpdated.model_validate_json(record.value).mentor_capacity,
                    )
                    for record in records
                    if record.key.decode() == key
                ]
    finally:
        await consumer.stop()
    return found


async def _until_more(kafka: str, key: str, count: int) -> list[tuple[int, int]]:
    """The key's records once the late one and the one that heals it have come."""
    async with asyncio.timeout(40):
        while len(found := await _records(kafka, key)) < count + 2:
            await asyncio.sleep(0.5)
    return found
