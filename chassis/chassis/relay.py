"""The relay: publishes what documents owe, one sender per document.

The instance named in a document's ``relay_owner`` sends its whole pending list in order, and clears the list and
its mark in one update guarded by the revision it read. Entries that this process has acknowledged and not yet
cleared are remembered, so a document that changes in between is not sent twice.

An instance takes over its own leftovers at start and those of an instance whose heartbeat stopped. Compaction keeps
the last record of a key, so a late old state must never be the last one: after a take-over, and whenever a clearing
finds that somebody else has taken the document, the newest state is published once more.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumber

from chassis import clock, logs, metrics
from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.mongo import IN_LIMIT, Collection, Raw
from chassis.outbox import Entry, Pending

SEND_SECONDS: Final = 30.0
HEAL_SECONDS: Final = 60.0
_CLEARED: Final[Raw] = {
    "$set": {"events": [], "unsent": [], "work": [], "relay_owner": None},
    "$unset": {"pending": "", "healing": ""},
}
log = logs.get()
Key = tuple[str, str]  # collection, document id


class Producer:
    """An idempotent, `acks=all` Kafka producer that is built anew when it sticks."""

    def __init__(self, servers: str, client_id: str) -> None:
        self._servers = servers
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Connect; raises aiokafka's KafkaConnectionError while the broker is away."""
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    compression_type="lz4",
                    request_timeout_ms=int(SEND_SECONDS * 500),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer

    async def send(self, entries: Iterable[Entry]) -> int:
        """Send in order; returns how many of the leading entries were acknowledged before the first failure."""
        acknowledged = 0
        try:
            await self.start()
            if (producer := self._producer) is None:
                return 0
            async with asyncio.timeout(SEND_SECONDS):
                futures = [
                    await producer.send(entry.topic, entry.value, key=entry.key.encode(), headers=entry.headers)
                    for entry in entries
                ]
                for future in futures:
                    await future
                    acknowledged += 1
        except (KafkaError, TimeoutError) as error:
            log.warning("relay.send-failed", error=type(error).__name__)
            if isinstance(error, OutOfOrderSequenceNumber | MessageSizeTooLargeError | TimeoutError):
                await self.rebuild()
        return acknowledged

    async def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: list[Any]) -> None:
        """Send one record and wait for the acknowledgement.

        Raises:
            TransientError: the broker did not take it.
        """
        try:
            await self.start()
            if (producer := self._producer) is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    await producer.send_and_wait(topic, value, key=key, headers=headers)
        except (KafkaError, TimeoutError) as error:
            await self.rebuild()
            raise TransientError(f"broker: {type(error).__name__}") from error

    async def rebuild(self) -> None:
        """Drop the producer: one refused record leaves an idempotent one failing on its partition for ever."""
        async with self._lock:
            stuck, self._producer = self._producer, None
        if stuck is not None:
            await _stop(stuck)

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self.rebuild()


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(5):
            await producer.stop()
    except (KafkaError, TimeoutError) as error:
        log.warning("relay.stop-failed", error=type(error).__name__)


class Relay:
    """Publishes for the documents of one collection that this instance owns."""

    def __init__(self, collection: Collection, producer: Producer, instance: str) -> None:
        self._collection = collection
        self._producer = producer
        self._instance = instance
        self._acknowledged: dict[str, set[str]] = {}

    async def read(self, ids: Iterable[str]) -> list[Raw]:
        """The given documents, as far as this instance owns them and they owe something."""
        found: list[Raw] = []
        pool = list(ids)
        for start in range(0, len(pool), IN_LIMIT):
            chunk = {"_id": {"$in": pool[start : start + IN_LIMIT]}, "relay_owner": self._instance}
            found += await self._collection.sweep(chunk, limit=IN_LIMIT)
        return found

    async def publish(self, raw: Raw) -> bool:
        """Send what the document owes; True when all of it is acknowledged."""
        known = self._acknowledged.setdefault(raw["_id"], set())
        healing = raw.get("healing", "")
        entries = [entry for entry in Pending.of(raw).entries if entry.id + healing not in known]
        if not entries:
            return True
        sent = await self._producer.send(entries)
        known.update(entry.id + healing for entry in entries[:sent])
        metrics.RELAY_PUBLISHED.inc(sent)
        return sent == len(entries)

    async def clear(self, batch: dict[str, str]) -> set[str]:
        """Clear the documents that are still at the revision that was published and worked off.

        Args:
            batch: document id → revision, at most 100.

        Returns:
            The ids that moved on meanwhile under this instance's mark and must be read again.
        """
        guard = {
            "_id": {"$in": list(batch)},
            "revision": {"$in": list(batch.values())},
            "relay_owner": self._instance,
        }
        matched = await self._collection.update_all(guard, _CLEARED)
        left = set() if matched == len(batch) else await self._after_conflict(batch)
        for document_id in batch.keys() - left:
            self._acknowledged.pop(document_id, None)
        return left

    async def _after_conflict(self, batch: dict[str, str]) -> set[str]:
        """Tell the documents that moved on under this instance's mark from those that somebody took over."""
        shape = {"relay_owner": 1, "revision": 1, "pending": 1}
        now = await self._collection.sweep({"_id": {"$in": list(batch)}}, limit=IN_LIMIT, projection=shape)
        mine = {raw["_id"] for raw in now if raw.get("relay_owner") == self._instance}
        for raw in now:
            if raw["_id"] not in mine and raw["revision"] != batch[raw["_id"]]:
                await self.heal(raw["_id"])
        return mine

    async def heal(self, document_id: str) -> None:
        """Owe the newest states once more, so that whatever was sent late is not the last of its key."""
        for raw in await self._collection.sweep({"_id": document_id}, limit=1):
            if not raw.get("slots"):
                return
            owner = raw.get("relay_owner")
            owes: Raw = {"unsent": sorted(raw["slots"]), "revision": new_id(), "healing": new_id()}
            owes["relay_owner"] = owner or self._instance
            if owner is None:
                owes["pending"] = clock.real_ms()
            guard = {"_id": document_id, "revision": raw["revision"], "relay_owner": owner}
            await self._collection.update(guard, {"$set": owes})
            metrics.RELAY_HEALED.inc()

    async def leftovers(self, heartbeat: "Heartbeat", *, older_than_ms: int) -> set[str]:
        """Ids of this instance's own forgotten documents, after taking over those of dead instances."""
        due = {"pending": {"$gt": 0, "$lte": clock.real_ms() - older_than_ms}}
        shape = {"relay_owner": 1, "pending": 1}
        mine: set[str] = set()
        alive = await heartbeat.alive()
        found = await self._collection.sweep(due, limit=10_000, projection=shape)
        oldest = min((raw["pending"] for raw in found), default=clock.real_ms())
        metrics.PENDING_OLDEST_SECONDS.set((clock.real_ms() - oldest) / 1000)
        for raw in found:
            owner = raw.get("relay_owner")
            if owner == self._instance or (owner not in alive and await self._adopt(raw["_id"], owner)):
                mine.add(raw["_id"])
        return mine

    async def _adopt(self, document_id: str, owner: str | None) -> bool:
        guard = {"_id": document_id, "relay_owner": owner}
        if not await self._collection.update(guard, {"$set": {"relay_owner": self._instance}}):
            return False
        log.info("relay.adopted", owner=owner)
        asyncio.get_running_loop().call_later(HEAL_SECONDS, self._heal_later, document_id)
        return True

    def _heal_later(self, document_id: str) -> None:
        task = asyncio.ensure_future(self.heal(document_id))
        task.add_done_callback(_log_failure)


def _log_failure(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("relay.heal-failed", error=type(error).__name__)


class Heartbeat:
    """Says that this instance lives, and knows which others do."""

    def __init__(self, collection: Collection, instance: str, *, dead_after_ms: int = 10_000) -> None:
        self._collection = collection
        self._instance = instance
        self._dead_after_ms = dead_after_ms

    async def beat(self) -> None:
        """Write the time."""
        await self._collection.update({"_id": self._instance}, {"$set": {"beat": clock.real_ms()}}, upsert=True)

    async def alive(self) -> set[str]:
        """Instances that wrote lately, this one included."""
        found = await self._collection.sweep({}, limit=1000)
        limit = clock.real_ms() - self._dead_after_ms
        return {raw["_id"] for raw in found if raw.get("beat", 0) >= limit} | {self._instance}
