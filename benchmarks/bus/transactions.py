"""The stricter producer: a transactional id per instance, with consumers that read only what is committed.

It would let the broker refuse the late send of an instance that somebody has taken over from. Measured beside the
plain idempotent producer: what a lot of events costs, and how long one event takes from its send to a consumer.
"""

import asyncio
import json
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from chassis.state.outbox import Entry

from benchmarks.bus.load import PARTITIONS, lots, proposals
from benchmarks.bus.servers import create_topics

SAMPLES = 200
LOTS = ((1, 300), (20, 4_000), (500, 30_000))  # events a lot, events in all


def _producer(kafka: str, name: str | None) -> AIOKafkaProducer:
    options = {"transactional_id": name} if name else {"enable_idempotence": True}
    return AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", compression_type="lz4", max_batch_size=512 * 1024, **options
    )


async def _publish(producer: AIOKafkaProducer, lot: Sequence[Entry], *, transactional: bool) -> None:
    async with producer.transaction() if transactional else nullcontext():
        await asyncio.gather(
            *[await producer.send(each.topic, each.value, key=each.key.encode(), headers=each.headers) for each in lot]
        )


async def cost(kafka: str, topic: str, size: int, count: int, *, transactional: bool) -> tuple[float, float]:
    """Microseconds of processor time an event, and events a second."""
    every = list(lots(proposals(count, 1_000, topic), size))
    async with _producer(kafka, f"cost-{uuid.uuid4().hex}" if transactional else None) as producer:
        await _publish(producer, every[0], transactional=transactional)
        cpu, wall = time.process_time(), time.perf_counter()
        for lot in every:
            await _publish(producer, lot, transactional=transactional)
        return (time.process_time() - cpu) / count * 1e6, count / (time.perf_counter() - wall)


async def latency(kafka: str, topic: str, *, transactional: bool) -> list[float]:
    """Milliseconds from the send of one event to the consumer that waits for it."""
    found = []
    isolation = "read_committed" if transactional else "read_uncommitted"
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(
            _producer(kafka, f"latency-{uuid.uuid4().hex}" if transactional else None)
        )
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka, isolation_level=isolation, auto_offset_reset="latest")
        await stack.enter_async_context(consumer)
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        for entry in proposals(SAMPLES + 10, 200, topic):
            began = time.perf_counter()
            await _publish(producer, [entry], transactional=transactional)
            await asyncio.wait_for(consumer.getone(), 30)
            found.append(1000 * (time.perf_counter() - began))
    return found[10:]


async def fenced(kafka: str, topic: str) -> bool:
    """Whether the broker refuses an instance after another has begun under its transactional id."""
    name = f"fence-{uuid.uuid4().hex}"
    entry = next(proposals(1, 1, topic))
    zombie = _producer(kafka, name)
    await zombie.start()
    try:
        await _publish(zombie, [entry], transactional=True)
        async with _producer(kafka, name):
            try:
                await asyncio.wait_for(_publish(zombie, [entry], transactional=True), 20)
            except ProducerFenced:
                return True
            except (KafkaError, TimeoutError):
                return False
    finally:
        await asyncio.wait([asyncio.create_task(zombie.stop())], timeout=5)
    return False


async def main(kafka: str) -> None:
    """Both forms, alternating; the last line is JSON."""
    topic = f"bench-{uuid.uuid4().hex[:12]}"
    await create_topics(kafka, [topic], PARTITIONS)
    costs: dict[str, list[float]] = {}
    for size, count in LOTS:
        for _ in range(3):
            for kind in (False, True):
                key = f"{'transactional' if kind else 'idempotent'}, lots of {size}"
                cpu, rate = await cost(kafka, topic, size, count, transactional=kind)
                least, best = costs.get(key, [cpu, rate])
                costs[key] = [min(least, cpu), max(best, rate)]
    waits: dict[str, list[float]] = {}
    for kind in (False, True):
        found = sorted(await latency(kafka, topic, transactional=kind))
        waits["transactional" if kind else "idempotent"] = [statistics.median(found), found[int(0.99 * len(found))]]
    print(json.dumps({"costs": costs, "waits": waits, "fenced": await fenced(kafka, topic)}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
