"""Suspects: a batch in front of which the process dies again and again is set aside unread.

A compressed batch is inflated as a whole when it is fetched, before any code of ours sees a record of it; a hostile
one can end the process by its size alone. So every start writes down where each partition stands, a clean stop says
so, and after three unclean deaths at the same committed position the batch there is tried in a process with little
memory (`chassis.consuming.inflate`). If that fails it is skipped by reference: its header alone is read, and the bytes
stay in the source topic.
"""

from dataclasses import dataclass
from typing import Final

from chassis.ids import new_id
from chassis.state.mongo import Collection, Index, Raw

COLLECTION: Final = "positions"
INDEXES: Final = (Index((("group", 1),)),)
DEATHS: Final = 3
_LIMIT: Final = 10_000


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
