"""Dead letters: the record's key, value and headers untouched, with its origin beside them.

The dead-letter topic is the truth about what died; which of its letters were dealt with since, by a redrive or by an
operator's decision, stands in the service's database under the letter's origin.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from chassis import clock
from chassis.consuming.outcomes import DeadLetter
from chassis.consuming.records import Record
from chassis.state.mongo import IN_LIMIT, Collection, Filter, Index, Raw

PREFIX: Final = "dlq-"
COLLECTION: Final = "settled_letters"
INDEXES: Final = (Index((("group", 1),)),)
_LIMIT: Final = 1_000_000


class Sender(Protocol):
    """The part of the producer that letters need."""

    async def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Any) -> None:
        """Send one record and wait for the acknowledgement; raises TransientError."""


class DeadLetters:
    """Writes letters, and which of them are settled."""

    def __init__(self, producer: Sender, settled: Collection) -> None:
        self._producer = producer
        self._settled = settled

    async def bury(self, record: Record, group: str, why: DeadLetter) -> None:
        """Write the record to ``<topic>.<group>.dead`` and wait for the broker to have it.

        Raises:
            TransientError: the broker did not take it; the source offset must not be committed.
        """
        headers = [*record.headers, *origin(record.topic, record.partition, record.offset, group, why)]
        await self._producer.send_raw(_topic(record.topic, group), record.key, record.value, headers)

    async def bury_reference(self, topic: str, partition: int, offsets: range, group: str, why: DeadLetter) -> None:
        """Say where records stand that must not be read; they stay in the source topic.

        Raises:
            TransientError: the broker did not take it.
        """
        headers = origin(topic, partition, offsets.start, group, why)
        headers.append((PREFIX + "last-offset", str(offsets.stop - 1).encode()))
        await self._producer.send_raw(_topic(topic, group), None, None, headers)

    async def settle(self, records: Iterable[Record], group: str, how: str) -> None:
        """Write down that letters, named by the place of their origin, need nothing more: redriven, discarded."""
        for record in records:
            mark: Raw = {"group": group, "how": how, "at": clock.timestamp()}
            await self._settled.update({"_id": name_of(record, group)}, {"$set": mark}, upsert=True)

    async def settled(self, group: str) -> dict[str, str]:
        """When the group's letters were settled, by `name_of`."""
        return await self._settled_at({"group": group}, _LIMIT)

    async def settled_of(self, names: Sequence[str]) -> dict[str, str]:
        """When these letters were settled, as far as they were; for few of them."""
        found: dict[str, str] = {}
        for start in range(0, len(names), IN_LIMIT):
            found |= await self._settled_at({"_id": {"$in": names[start : start + IN_LIMIT]}}, IN_LIMIT)
        return found

    async def _settled_at(self, wanted: Filter, limit: int) -> dict[str, str]:
        found = await self._settled.sweep(wanted, limit=limit, projection={"at": 1})
        return {raw["_id"]: raw["at"] for raw in found}


def _topic(topic: str, group: str) -> str:
    return f"{topic}.{group}.dead"  # as `contracts.topics.Topic.dead` says


def name_of(record: Record, group: str) -> str:
    """Under which the database says that a letter is settled: the place that the record had in its source topic."""
    return f"{group}|{record.topic}|{record.partition}|{record.offset}"


def origin(topic: str, partition: int, offset: int, group: str, why: DeadLetter) -> list[tuple[str, bytes | None]]:
    """The headers that a letter has beside the record's own."""
    facts = {
        "reason": why.reason,
        "error": why.error[:500],
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "group": group,
        "attempts": str(why.attempts),
        "at": clock.timestamp(),
    }
    return [(PREFIX + name, text.encode()) for name, text in facts.items()]
