"""Parking: facts of a key wait behind the one that could not be handled, and other keys flow.

One document a parked key stands in the service's own database; the records themselves are in the dead-letter topic,
in order. Only the member that has a partition parks keys of it, so what it loaded when it got the partition, and what
it parked since, is complete; the release by a redrive is noticed by the guarded update.

States are not parked: a newer state makes the one before it superfluous, and the fence skips that one later.
"""

from dataclasses import dataclass
from typing import Final

from contracts.topics import Kind, Topic

from chassis import clock
from chassis.consuming.records import Record
from chassis.ids import new_id
from chassis.state.mongo import Collection, Index, Raw

COLLECTION: Final = "parked_keys"
INDEXES: Final = (Index((("group", 1),)),)
_LIMIT: Final = 100_000
Place = tuple[str, bytes]  # topic, key


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """One key that waits. `token` changes with every record that is parked behind it."""

    id: str
    group: str
    topic: str
    key: str
    reason: str
    since: str
    token: str


class Parking:
    """The parked keys of one consumer group."""

    def __init__(self, collection: Collection, group: str) -> None:
        self._collection = collection
        self._group = group
        self._held: set[Place] = set()

    async def load(self) -> None:
        """Learn what is parked, also by members that had the partitions before."""
        self._held = {(each.topic, each.key.encode()) for each in await self.all()}

    async def all(self) -> list[ParkedKey]:
        """Every parked key of the group, longest first."""
        found = await self._collection.sweep({"group": self._group}, limit=_LIMIT)
        keys = [ParkedKey(id=raw.pop("_id"), **raw) for raw in found]
        return sorted(keys, key=lambda each: each.since)

    def holds(self, record: Record) -> bool:
        """Whether the record's key is parked, as far as this process knows."""
        return bool(self._held) and (record.topic, record.key) in self._held

    async def park(self, topic: Topic, record: Record, reason: str) -> None:
        """Let later facts of the record's key wait; called once the record itself is in the dead-letter topic."""
        if topic.kind is Kind.STATE or not record.key:
            return
        changes: Raw = {
            "group": self._group,
            "topic": record.topic,
            "key": record.key.decode(),
            "reason": reason,
            "since": clock.timestamp(),
            "token": new_id(),
        }
        await self._collection.update({"_id": self._id(record)}, {"$set": changes}, upsert=True)
        self._held.add((record.topic, record.key))

    async def stays(self, record: Record) -> bool:
        """After the record was put behind the others: False when a redrive released the key meanwhile."""
        if await self._collection.update({"_id": self._id(record)}, {"$set": {"token": new_id()}}):
            return True
        self._held.discard((record.topic, record.key or b""))
        return False

    async def release(self, key: ParkedKey) -> bool:
        """Let the key flow again; False when a record was parked behind it since `key` was read."""
        return await self._collection.remove({"_id": key.id, "token": key.token}) == 1

    def _id(self, record: Record) -> str:
        return f"{self._group}|{record.topic}|{(record.key or b'').decode()}"
