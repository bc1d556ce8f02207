"""The one Kafka producer of a process: idempotent, `acks=all`, and built anew when it sticks.

Records are packed per partition into batches of their own (`create_batch`, `send_batch`), which costs less than half
of the processor time that one `send` a record does. Batches of one partition follow each other, so a record is never
acknowledged before one that stands ahead of it on its partition.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis import logs
from chassis.broker import Refusal, client_options
from chassis.errors import DeniedError, TransientError
from chassis.publishing.partitions import partition_of
from chassis.settings import Settings
from chassis.state.outbox import Entry

SEND_SECONDS: Final = 30.0
_BATCH_BYTES: Final = 512 * 1024  # half of the broker's default limit; one largest body always fits
_RECORD_BYTES: Final = 1024 * 1024  # a broker's default limit
_REQUEST_BYTES: Final = 4 * 1024 * 1024  # a dead letter is its record with an origin added
log = logs.get()
Header = tuple[str, bytes | None]


class Producer:
    """Sends what is already serialised."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.refusal = Refusal(settings, "write to")
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Connect; raises aiokafka's KafkaConnectionError while the broker is away."""
        await self._started()

    async def send(self, entries: Sequence[Entry]) -> set[int]:
        """Send many records, in order per partition.

        Returns:
            The places in `entries` that the broker acknowledged. Of one partition they are always the leading ones;
            whether it holds any of the others is not known.
        """
        acknowledged: set[int] = set()
        producer = None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                producer = await self._started()
                lots = await _by_partition(producer, entries)
                results = await asyncio.gather(
                    *(_send_lot(producer, *place, lot, acknowledged) for place, lot in lots.items()),
                    return_exceptions=True,
                )
        except (KafkaError, TimeoutError) as error:
            results = [error]
        failures = [each for each in results if isinstance(each, BaseException)]
        for failure in failures:
            if not isinstance(failure, KafkaError | TimeoutError | asyncio.CancelledError):
                raise failure
        if failures:
            if not await self.refusal.heard(failures[0]):
                log.warning("relay.send-failed", error=type(failures[0]).__name__)
            await self.rebuild(producer)
        elif entries:
            self.refusal.got_through()
        return acknowledged

    async def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        """Send one record as it is and wait for the acknowledgement; key and value may both be missing.

        Raises:
            TransientError: the broker did not take it.
        """
        producer = None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                producer = await self._started()
                count = len(await producer.partitions_for(topic))
                # Compressing what can't be compressed would hold up everything else for 14 ms. Larger records than a
                # broker takes came here compressed.
                small = len(value or b"") <= _RECORD_BYTES
                batch = BatchBuilder(_BATCH_BYTES, compression_type=0) if small else producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
                batch.close()
                partition = partition_of(key or b"", count)
                await (await producer.send_batch(batch, topic, partition=partition))
        except (KafkaError, TimeoutError) as error:
            await self.rebuild(producer)
            if await self.refusal.heard(error):
                raise DeniedError(self.refusal.sentence) from error
            raise TransientError(f"broker: {type(error).__name__}") from error
        except asyncio.CancelledError as error:
            # Somebody else's failure had this producer rebuilt, which cancels what is under way through it.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise TransientError("broker: interrupted") from error

    async def rebuild(self, failed: AIOKafkaProducer | None) -> None:
        """Drop the producer that failed: one refused record leaves an idempotent one failing on its partition for ever.

        One that somebody else's failure has built meanwhile stays.
        """
        async with self._lock:
            if failed is None or failed is not self._producer:
                return
            self._producer = None
        await _stop(failed)

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self.rebuild(self._producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **client_options(self._settings),
                    client_id=self._settings.instance,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    compression_type="lz4",
                    max_batch_size=_BATCH_BYTES,
                    max_request_size=_REQUEST_BYTES,
                    request_timeout_ms=int(SEND_SECONDS * 500),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


async def _by_partition(
    producer: AIOKafkaProducer, entries: Sequence[Entry]
) -> dict[tuple[str, int], list[tuple[int, bytes, Entry]]]:
    """Give every record the partition that Kafka's own clients would choose by its key."""
    counts = {topic: len(await producer.partitions_for(topic)) for topic in {each.topic for each in entries}}
    lots: dict[tuple[str, int], list[tuple[int, bytes, Entry]]] = {}
    for place, entry in enumerate(entries):
        key = entry.key.encode()
        partition = partition_of(key, counts[entry.topic])
        lots.setdefault((entry.topic, partition), []).append((place, key, entry))
    return lots


async def _send_lot(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    lot: list[tuple[int, bytes, Entry]],
    acknowledged: set[int],
) -> None:
    """Send the records of one partition, batch after batch; stops at the first that fails."""
    rest = lot
    while rest:
        batch = producer.create_batch()
        size = 0
        for _, key, entry in rest:
            if batch.append(key=key, value=entry.value, timestamp=None, headers=entry.headers) is None:
                break
            size += 1
        batch.close()
        await (await producer.send_batch(batch, topic, partition=partition))
        acknowledged.update(place for place, _, _ in rest[:size])
        rest = rest[size:]


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(5):
            await producer.stop()
    except (KafkaError, TimeoutError) as error:
        log.warning("relay.stop-failed", error=type(error).__name__)
