"""Producing: the same records with the same promises (`acks=all`, idempotent); only the way to the broker differs.

Each measurement writes a topic of its own and reads it back: the events of a key must stand there in order.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from chassis.publishing.producer import Producer
from chassis.settings import Settings
from chassis.state.outbox import Entry
from contracts.envelope import Envelope

from benchmarks.bus.load import PARTITIONS, lots, proposals
from benchmarks.bus.meter import Addresses, Meter
from benchmarks.bus.servers import create_topics

_LOT = 500  # documents that the relay publishes together
_KEYS = 1_000
_BATCH_BYTES = 512 * 1024  # as the chassis has it; aiokafka's own default is dearer
Send = Callable[[Sequence[Entry]], Awaitable[None]]


async def send_and_wait(at: Addresses, meter: Meter) -> None:
    """One after the other, each acknowledged before the next."""
    producer = _plain(at)

    async def send(lot: Sequence[Entry]) -> None:
        for each in lot:
            await producer.send_and_wait(each.topic, each.value, key=each.key.encode(), headers=each.headers)

    async with producer:
        await _measure(at, meter, send)


async def send_gathered(at: Addresses, meter: Meter) -> None:
    """`send()` for each, all acknowledgements awaited together."""
    producer = _plain(at)

    async def send(lot: Sequence[Entry]) -> None:
        pending = [
            await producer.send(each.topic, each.value, key=each.key.encode(), headers=each.headers) for each in lot
        ]
        await asyncio.gather(*pending)

    async with producer:
        await _measure(at, meter, send)


async def relay_step(at: Addresses, meter: Meter) -> None:
    """What the relay does: batches per partition."""
    producer = Producer(Settings(kafka=at.kafka, instance="bench"))

    async def send(lot: Sequence[Entry]) -> None:
        if len(await producer.send(lot)) != len(lot):
            raise RuntimeError("the broker did not acknowledge everything")

    await producer.start()
    try:
        await _measure(at, meter, send)
    finally:
        await producer.stop()


def _plain(at: Addresses) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=at.kafka,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=_BATCH_BYTES,
    )


async def _measure(at: Addresses, meter: Meter, send: Send) -> None:
    topic = f"bench-{uuid.uuid4().hex[:12]}"
    await create_topics(at.kafka, [topic], PARTITIONS)
    every = list(lots(proposals(meter.events, _KEYS, topic), _LOT))  # made before, not measured
    meter.add(0)
    for lot in every:
        await send(lot)
        meter.add(len(lot))
    await _check_order(at, topic, meter.events)


async def _check_order(at: Addresses, topic: str, count: int) -> None:
    """Read everything back; the sequences of each key count from 1 without a gap.

    Raises:
        RuntimeError: they don't.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        newest: dict[bytes, int] = {}
        while count:
            batches = await consumer.getmany(timeout_ms=5_000)
            if not batches:
                raise RuntimeError(f"{count} records are missing")
            for record in (each for records in batches.values() for each in records):
                count -= 1
                sequence = Envelope.from_headers(record.headers).sequence
                if sequence != newest.get(record.key, 0) + 1:
                    raise RuntimeError(f"sequence {sequence} follows {newest.get(record.key, 0)}")
                newest[record.key] = sequence
    finally:
        await consumer.stop()


PRODUCERS: dict[str, Callable[[Addresses, Meter], Awaitable[None]]] = {
    "send-and-wait": send_and_wait,
    "send": send_gathered,
    "relay-step": relay_step,
}
