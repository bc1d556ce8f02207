"""Suspects: a batch in front of which the process dies again and again is set aside unread.

A compressed batch is inflated as a whole when it is fetched, before any code of ours sees a record of it; a hostile
one can end the process by its size alone. So every start writes down where each partition stands, a clean stop says
so, and after three unclean deaths at the same committed position the batch there is tried in a process with little
memory (`chassis.inflate`). If that fails it is skipped by reference: its header alone is read, and the bytes stay in
the source topic.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch

from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.inflate import inflates
from chassis.mongo import Collection, Index, Raw

COLLECTION: Final = "positions"
INDEXES: Final = (Index((("group", 1),)),)
DEATHS: Final = 3
_LIMIT: Final = 10_000
_WAIT_MS: Final = 500
_LAST_OFFSET_DELTA: Final = 23  # after base offset, length, leader epoch, magic, checksum and attributes
_BASE_TIMESTAMP: Final = 27
_ONE_BATCH: Final = 1  # bytes; a broker always answers with at least one whole batch


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a partition stands when a member gets it: the committed position and the topic's end."""

    topic: str
    partition: int
    position: int
    end: int


class Suspects:
    """Unclean deaths by committed position, of one consumer group."""

    def __init__(self, collection: Collection, group: str) -> None:
        self._collection = collection
        self._group = group
        self._process = new_id()
        self._open: list[str] = []

    async def opened(self, stands: list[Stand]) -> list[Stand]:
        """Write down where the partitions stand; returns those whose next batch has killed three processes."""
        known = {raw["_id"]: raw for raw in await self._collection.sweep({"group": self._group}, limit=_LIMIT)}
        guilty = []
        for stand in stands:
            name = self._id(stand.topic, stand.partition)
            deaths = deaths_at(known.get(name), stand, self._process)
            if deaths >= DEATHS:
                guilty.append(stand)
            state: Raw = {
                "group": self._group,
                "position": stand.position,
                "deaths": deaths,
                "running": True,
                "process": self._process,
            }
            if known.get(name) != {"_id": name, **state}:
                await self._collection.update({"_id": name}, {"$set": state}, upsert=True)
            self._open.append(name)
        return guilty

    async def closed(self) -> None:
        """The partitions were given back, or the process ends, in good order."""
        names, self._open = self._open, []
        for name in names:
            await self._collection.update({"_id": name}, {"$set": {"running": False}})

    def _id(self, topic: str, partition: int) -> str:
        return f"{self._group}|{topic}|{partition}"


def deaths_at(before: Raw | None, stand: Stand, process: str) -> int:
    """How many processes have died with the group at this position and a record waiting there.

    What this process wrote itself, before a fault made it look again, is no other one's death.
    """
    if before is None or not before["running"] or stand.position >= stand.end:
        return 0
    earlier = int(before["deaths"]) if before["position"] == stand.position else 0
    return earlier if before.get("process") == process else earlier + 1


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
