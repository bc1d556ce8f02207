"""The relay: publishes what documents owe, one sender per document.

The instance named in a document's ``relay_owner`` sends its whole pending list in order, and clears the list and
its mark in one update guarded by the revision it read. Entries that this process has acknowledged and not yet
cleared are remembered, so a document that changes in between is not sent twice.

An instance takes over its own leftovers at start and those of an instance whose heartbeat stopped. Compaction keeps
the last record of a key, so a late old state must never be the last one: the document itself carries ``heal_at``, the
moment at which its newest states are published once more. It is set by a take-over, by a send whose fate is not known,
and by an owner whose clearing finds that somebody else has taken the document; whoever sweeps next does it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from chassis import clock, logs, metrics
from chassis.ids import new_id
from chassis.mongo import IN_LIMIT, Collection, Raw
from chassis.outbox import Entry, Pending
from chassis.producer import Producer

HEAL_MS: Final = 60_000  # later than any send of a dead or doubtful sender can arrive
SWEEP: Final = 2_000  # documents taken at once: a backlog of a million waits in the database, not in memory
_CLEARED: Final[Raw] = {
    "$set": {"events": [], "unsent": [], "work": [], "relay_owner": None},
    "$unset": {"pending": "", "healing": ""},
}
# Published, with work that can't be done at the moment: what was sent need not stay in the document until then.
_SENT: Final[Raw] = {"$set": {"events": [], "unsent": []}}
log = logs.get()


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

    async def publish(self, raws: Sequence[Raw]) -> set[str]:
        """Send what the documents owe; returns the ids of those that are acknowledged in full."""
        owed: list[tuple[str, str, Entry]] = []
        for raw in raws:
            known, healing = self._acknowledged.setdefault(raw["_id"], set()), raw.get("healing", "")
            owed += [
                (raw["_id"], entry.id + healing, entry)
                for entry in Pending.of(raw).entries
                if entry.id + healing not in known
            ]
        if not owed:
            return {raw["_id"] for raw in raws}
        sent: set[int] = set()
        failed: set[str] = set()
        try:
            sent = await self._producer.send([entry for _, _, entry in owed])
        finally:
            for place, (document_id, name, _) in enumerate(owed):
                if place in sent:
                    self._acknowledged[document_id].add(name)
                else:
                    failed.add(document_id)
            metrics.RELAY_PUBLISHED.inc(len(sent))
        doubtful = [raw["_id"] for raw in raws if raw["_id"] in failed and raw.get("slots") and "heal_at" not in raw]
        await self._heal_at(doubtful, clock.real_ms() + HEAL_MS)
        return {raw["_id"] for raw in raws} - failed

    async def clear(self, batch: dict[str, str]) -> set[str]:
        """Clear the documents that are still at the revision that was published and worked off.

        Args:
            batch: document id → revision, at most 100.

        Returns:
            The ids that moved on meanwhile under this instance's mark and must be read again.
        """
        matched = await self._collection.update_all(self._unchanged(batch), _CLEARED)
        left = set() if matched == len(batch) else await self._after_conflict(batch)
        for document_id in batch.keys() - left:
            self._acknowledged.pop(document_id, None)
        return left

    async def clear_sent(self, batch: dict[str, str]) -> None:
        """Drop the published entries of documents whose work has to wait; the mark stays."""
        await self._collection.update_all(self._unchanged(batch), _SENT)

    def _unchanged(self, batch: dict[str, str]) -> Raw:
        return {
            "_id": {"$in": list(batch)},
            "revision": {"$in": list(batch.values())},
            "relay_owner": self._instance,
        }

    async def _after_conflict(self, batch: dict[str, str]) -> set[str]:
        """Tell the documents that moved on under this instance's mark from those that somebody took over."""
        shape = {"relay_owner": 1, "revision": 1, "pending": 1}
        now = await self._collection.sweep({"_id": {"$in": list(batch)}}, limit=IN_LIMIT, projection=shape)
        mine = {raw["_id"] for raw in now if raw.get("relay_owner") == self._instance}
        lost = [raw["_id"] for raw in now if raw["_id"] not in mine and raw["revision"] != batch[raw["_id"]]]
        if lost:
            await self._heal_at(lost, clock.real_ms())
            await self.heal_due()
        return mine

    async def _heal_at(self, ids: Iterable[str], moment: int) -> None:
        pool = list(ids)
        for start in range(0, len(pool), IN_LIMIT):
            chunk = {"_id": {"$in": pool[start : start + IN_LIMIT]}}
            await self._collection.update_all(chunk, {"$set": {"heal_at": moment}})

    async def heal_due(self) -> set[str]:
        """Let the documents whose moment has come owe their newest states again; returns the ids to publish."""
        due = {"heal_at": {"$gt": 0, "$lte": clock.real_ms()}}
        return {raw["_id"] for raw in await self._collection.sweep(due, limit=SWEEP) if await self._heal(raw)}

    async def _heal(self, raw: Raw) -> bool:
        owner = raw.get("relay_owner")
        guard = {"_id": raw["_id"], "revision": raw["revision"], "relay_owner": owner, "heal_at": raw["heal_at"]}
        owes: Raw = {"revision": new_id()}
        if raw.get("slots"):
            owes |= {"unsent": sorted(raw["slots"]), "healing": new_id(), "relay_owner": owner or self._instance}
            if owner is None:
                owes["pending"] = clock.real_ms()
            metrics.RELAY_HEALED.inc()
        healed = await self._collection.update(guard, {"$set": owes, "$unset": {"heal_at": ""}})
        return bool(healed) and "healing" in owes and owes["relay_owner"] == self._instance

    async def leftovers(self, alive: set[str], *, older_than_ms: int) -> set[str]:
        """Ids of forgotten documents of this instance, after taking over those of instances that are not alive.

        With an age of 0, as at start, the own ones are what an earlier process of the same name left: they are taken
        over like any other's, because that process may be frozen and not dead.
        """
        due = {"pending": {"$gt": 0, "$lte": clock.real_ms() - older_than_ms}}
        found = await self._collection.sweep(due, limit=SWEEP, projection={"relay_owner": 1, "pending": 1})
        oldest = min((raw["pending"] for raw in found), default=clock.real_ms())
        metrics.PENDING_OLDEST_SECONDS.labels(collection=self._collection.name).set((clock.real_ms() - oldest) / 1000)
        mine = {raw["_id"] for raw in found if raw.get("relay_owner") == self._instance}
        living = alive if older_than_ms else alive - {self._instance}
        orphans: dict[str | None, list[str]] = {}
        for raw in found:
            if raw.get("relay_owner") not in living:
                orphans.setdefault(raw.get("relay_owner"), []).append(raw["_id"])
        for owner, ids in orphans.items():
            mine |= await self._adopt(owner, ids)
        return mine

    async def _adopt(self, owner: str | None, ids: list[str]) -> set[str]:
        taken = {"relay_owner": self._instance, "heal_at": clock.real_ms() + HEAL_MS}
        for start in range(0, len(ids), IN_LIMIT):
            chunk = {"_id": {"$in": ids[start : start + IN_LIMIT]}, "relay_owner": owner}
            await self._collection.update_all(chunk, {"$set": taken})
        log.info("relay.adopted", owner=owner, count=len(ids))
        return set(ids)  # whichever were faster in another instance's hands are not read: `read` asks for the mark


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
