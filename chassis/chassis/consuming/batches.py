"""Record batches as the broker keeps them (format v2: Kafka's documentation, "Record Batch").

aiokafka reads batches while it hands their records out. One that it can't read ends the fetch of every partition, the
same again each time, and what was in hand is lost; so whoever reads topics asks here which batch it is, and goes back.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch

from chassis import logs, metrics
from chassis.consuming.inflate import inflates
from chassis.errors import TransientError

log = logs.get()
_WAIT_MS: Final = 500
_LAST_OFFSET_DELTA: Final = 23  # after base offset, length, leader epoch, magic, checksum and attributes
_BASE_TIMESTAMP: Final = 27
_ONE_BATCH: Final = 1  # bytes; a broker always answers with at least one whole batch


async def getmany_readable(consumer: Any, positions: dict[TopicPartition, int], **options: Any) -> list[Any]:
    """The next records for a consumer without a group: batches that can't be read are passed over and counted.

    Args:
        consumer: assigned to all of `positions` and no other partition.
        positions: the offset at which each partition stands; moved along.
        options: of `getmany`.

    Raises:
        KafkaError: as from `getmany`.
        TransientError: the broker did not answer.
    """
    try:
        found = _lot(await consumer.getmany(**options), positions)
    except (KafkaError, ConsumerStoppedError):
        raise
    except Exception as error:  # a header whose name is not UTF-8, say
        log.exception("reader.unreadable", error=type(error).__name__)
        await go_back(consumer, positions)
        found = await _up_to_the_unreadable(consumer, positions, options)
    return found


async def _up_to_the_unreadable(
    consumer: Any, positions: dict[TopicPartition, int], options: dict[str, Any]
) -> list[Any]:
    """One record at a time, so that nothing is in hand when it fails again; then pass over what stands there."""
    found: list[Any] = []
    try:
        while lot := _lot(await consumer.getmany(**options | {"max_records": 1}), positions):
            found += lot
    except (KafkaError, ConsumerStoppedError):
        raise
    except Exception:
        hostile = await unreadable(consumer, positions)
        if not hostile:
            raise
        for partition, offsets in hostile.items():
            positions[partition] = offsets.stop
            consumer.seek(partition, offsets.stop)
            metrics.CONSUMED.labels(group="reader", outcome="unreadable").inc()
    return found


def _lot(fetched: dict[TopicPartition, list[Any]], positions: dict[TopicPartition, int]) -> list[Any]:
    positions |= {partition: records[-1].offset + 1 for partition, records in fetched.items()}
    return [record for records in fetched.values() for record in records]


async def go_back(consumer: Any, positions: Mapping[TopicPartition, int]) -> None:
    """After a failed fetch: aiokafka moved on past records that it never handed out, of other partitions too.

    Args:
        consumer: any; a partition that is not in `positions` goes back to where its group has committed it.
        positions: the next record to hand out of each partition.

    Raises:
        KafkaError: the broker did not answer.
    """
    for partition in consumer.assignment():
        position = positions[partition] if partition in positions else await consumer.committed(partition)
        if position is None:
            position = (await consumer.beginning_offsets([partition]))[partition]
        consumer.seek(partition, position)


async def unreadable(consumer: Any, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, range]:
    """The batches that come next for the consumer and can't be read: their offsets, from its position on.

    Raises:
        TransientError: the broker did not answer.
    """
    found = {}
    for partition in partitions:
        position = await consumer.position(partition)
        if (await consumer.end_offsets([partition]))[partition] <= position:
            continue
        batch = await first_batch(client_of(consumer), partition, position)
        if not is_readable(batch):
            found[partition] = offsets_of(batch, position)
    return found


def client_of(consumer: Any) -> Any:
    """The client of a consumer, for what aiokafka lets a consumer itself ask only within a group, or inflated."""
    return consumer._client  # noqa: SLF001 - it is handed out by no other way


async def batch_at(client: Any, partition: TopicPartition, offset: int) -> range | None:
    """The offsets of the batch that holds `offset`, if it can't be inflated; None when it is harmless.

    Args:
        client: the consumer's aiokafka client.
        partition: where it stands.
        offset: an offset in it.

    Raises:
        TransientError: the broker did not answer with it.
    """
    batch = await first_batch(client, partition, offset)
    return None if await inflates(batch) else offsets_of(batch, offset)


def is_readable(batch: bytes) -> bool:
    """Whether aiokafka can read every record of a batch, which is known to inflate to a bearable size."""
    try:
        for _ in DefaultRecordBatch(batch):
            pass
    except Exception:  # noqa: BLE001 - whatever it is about these bytes
        return False
    return True


async def first_batch(client: Any, partition: TopicPartition, offset: int) -> bytes:
    """The batch that holds `offset`, or the next one, as the broker keeps it: nothing is inflated.

    Raises:
        TransientError: the broker did not answer with it.
    """
    wanted = [(partition.topic, [(partition.partition, offset, _ONE_BATCH)])]
    try:
        leader = client.cluster.leader_for_partition(partition)
        answer = await client.send(leader, FetchRequest(_WAIT_MS, 1, _ONE_BATCH, 0, wanted, rack_id=""))
    except KafkaError as error:
        raise TransientError(f"broker: {type(error).__name__}") from error
    _, code, *_, data = answer.topics[0][1][0]
    if code or not data:
        raise TransientError(f"broker: no batch, code {code}")
    return bytes(data)


def offsets_of(batch: bytes, offset: int) -> range:
    """The offsets from `offset` to the end of a record batch (format v2: Kafka's documentation, "Record Batch")."""
    (base,) = struct.unpack_from(">q", batch, 0)
    (last_delta,) = struct.unpack_from(">i", batch, _LAST_OFFSET_DELTA)
    return range(offset, base + last_delta + 1)


def began_at(batch: bytes) -> int:
    """When the first record of a batch was produced, in unix milliseconds."""
    (at,) = struct.unpack_from(">q", batch, _BASE_TIMESTAMP)
    return int(at)
