"""Consuming: the same records, the same fence, the same commit; only what stands between differs.

The baseline is what somebody would write by hand on aiokafka with the guarantee of the chassis: read the envelope,
validate the body, skip what was applied, commit exactly the finished offsets of each batch. The store does nothing,
so that what is measured is the way to it. The stock variants read no envelope and keep no fence, which favours them.
"""

import asyncio
import os
import signal
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.app import Service, collect_rarely
from chassis.consuming.consumer import MAX_RECORDS
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.errors import StaleError
from chassis.settings import Settings
from contracts.matching import MatchProposed
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from benchmarks.bus.load import PROPOSALS
from benchmarks.bus.meter import Addresses, Meter
from chassis import logs, telemetry


@dataclass(slots=True)
class NoStore:
    """Remembers the fence of each key and nothing else."""

    meter: Meter
    fences: dict[str, int] = field(default_factory=dict)

    def apply(self, key: str, sequence: int) -> bool:
        """False when the event was applied before."""
        if self.fences.get(key, 0) >= sequence:
            return False
        self.fences[key] = sequence
        return True


async def raw_tuned(at: Addresses, meter: Meter) -> None:
    """By hand on aiokafka, with the chassis's settings of the garbage collector."""
    collect_rarely()
    await raw(at, meter)


async def raw(at: Addresses, meter: Meter) -> None:
    """By hand on aiokafka."""
    store, types = NoStore(meter), {MatchProposed.event_type(): MatchProposed}
    consumer = AIOKafkaConsumer(
        PROPOSALS,
        bootstrap_servers=at.kafka,
        group_id=_fresh("raw"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        while not meter.finished.is_set():
            batches = await consumer.getmany(timeout_ms=100, max_records=MAX_RECORDS)
            ends: dict[TopicPartition, int] = {}
            for partition, records in batches.items():
                for record in records:
                    _handle(record, types, store)
                ends[partition] = records[-1].offset + 1
            if ends:
                await consumer.commit(ends)
                meter.add(sum(map(len, batches.values())))
    finally:
        await consumer.stop()


def _handle(record: Any, types: dict[str, type[MatchProposed]], store: NoStore) -> tuple[Any, ...] | None:
    headers = dict(record.headers)
    kind = types[headers["ce_type"].decode()]
    sequence, key = int(headers["ce_sequence"]), record.key.decode()
    event = kind.model_validate_json(record.value)
    if not store.apply(key, sequence):
        return None
    trace = headers["ce_traceparent"].decode() if "ce_traceparent" in headers else None
    return headers["ce_id"].decode(), headers["ce_tenantid"].decode(), trace, event


async def chassis_batch(at: Addresses, meter: Meter) -> None:
    """The chassis with a handler that takes a batch."""
    handlers: Handlers[NoStore] = Handlers(_fresh("batch"))

    @handlers.batch(MatchProposed, group="bench")
    async def handle(events: list[Received[MatchProposed]], store: NoStore) -> None:
        for event in events:
            store.apply(event.key, event.sequence)
        store.meter.add(len(events))

    await _chassis(at, meter, handlers)


async def chassis_lanes(at: Addresses, meter: Meter) -> None:
    """The chassis with a handler that takes one event, lanes by key."""
    handlers: Handlers[NoStore] = Handlers(_fresh("lanes"))

    @handlers.on(MatchProposed, group="bench")
    async def handle(event: Received[MatchProposed], store: NoStore) -> None:
        if not store.apply(event.key, event.sequence):
            raise StaleError
        store.meter.add()

    await _chassis(at, meter, handlers)


async def chassis_lanes_traced(at: Addresses, meter: Meter) -> None:
    """The same with a span around each event, as a service records them."""
    with NamedTemporaryFile(suffix=".jsonl") as spans:
        telemetry.start(Settings(spans_file=Path(spans.name)), "bench")
        await chassis_lanes(at, meter)


async def _chassis(at: Addresses, meter: Meter, handlers: Handlers[NoStore]) -> None:
    """A whole service, as it runs: HTTP, heartbeat and relay are there and have nothing to do."""
    settings = Settings(kafka=at.kafka, mongo=at.mongo, instance="bench", port=0, log_level="WARNING")
    logs.configure(settings, handlers.service)
    collect_rarely()
    service = Service(settings, handlers.service, store_factory=lambda _: NoStore(meter), handlers=handlers)
    serving = asyncio.create_task(service.serve())
    finished = asyncio.create_task(meter.finished.wait())
    await asyncio.wait([serving, finished], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    os.kill(os.getpid(), signal.SIGTERM)
    await serving


async def stock_single(at: Addresses, meter: Meter) -> None:
    """FastStream as its documentation shows it, acknowledging each event after it is handled."""
    await _stock_single(at, meter, AckPolicy.ACK)


async def stock_single_default(at: Addresses, meter: Meter) -> None:
    """As above with the default policy, under which a crash loses what was fetched."""
    await _stock_single(at, meter, AckPolicy.ACK_FIRST)


async def _stock_single(at: Addresses, meter: Meter, policy: AckPolicy) -> None:
    broker = KafkaBroker(at.kafka, logger=None)

    @broker.subscriber(PROPOSALS, group_id=_fresh("single"), auto_offset_reset="earliest", ack_policy=policy)
    async def handle(event: MatchProposed) -> None:  # noqa: ARG001 - validated, which is the point
        meter.add()

    await _until_finished(broker, meter)


async def stock_batch(at: Addresses, meter: Meter) -> None:
    """FastStream with a list of models, acknowledging each batch."""
    broker = KafkaBroker(at.kafka, logger=None)

    @broker.subscriber(
        PROPOSALS,
        group_id=_fresh("stock-batch"),
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        batch=True,
        max_records=MAX_RECORDS,
    )
    async def handle(events: list[MatchProposed]) -> None:
        meter.add(len(events))

    await _until_finished(broker, meter)


async def _until_finished(broker: KafkaBroker, meter: Meter) -> None:
    await broker.start()
    try:
        await meter.finished.wait()
    finally:
        await broker.stop()


def _fresh(name: str) -> str:
    """A group that has read nothing yet."""
    return f"bench-{name}-{uuid.uuid4().hex[:8]}"


CONSUMERS: dict[str, Callable[[Addresses, Meter], Awaitable[None]]] = {
    "raw": raw,
    "raw-tuned": raw_tuned,
    "chassis-batch": chassis_batch,
    "chassis-lanes": chassis_lanes,
    "chassis-lanes-traced": chassis_lanes_traced,
    "stock-batch": stock_batch,
    "stock-single-default": stock_single_default,
    "stock-single": stock_single,
}
