"""The relay: publishes what documents owe, one sender per document.

The process named in a document's ``relay_owner`` sends its whole pending list in order, and clears the list and its
mark in one update guarded by the revision it read. Entries that it has acknowledged and not yet cleared are
remembered, so a document that changes in between is not sent twice.

A process takes over what earlier processes of its name left at start, and later what owners leave whose heartbeat
stopped. Compaction keeps the last record of a key, so a late old state must never be the last one: the newest states
are published once more, "healed", a minute after a take-over or a send whose fate is not known (the document carries
the moment, ``heal_at``, and whoever sweeps then does it), and at once by a process that has sent for a document which
somebody else took over meanwhile, even if it came back (``hands`` counts how often). `tests/relay_model` explores why
each of these is needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chassis import clock, logs, metrics
from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.publishing.producer import Producer
from chassis.state.mongo import IN_LIMIT, Collection, Raw
from chassis.state.outbox import Entry, Pending

HEAL_MS: Final = 60_000  # later than any send of a dead or doubtful sender can arrive
_HEAL_TRIES: Final = 8
_OWNERS: Final = 10_000
_DAY_MS: Final = 86_400_000
SWEEP: Final = 2_000  # documents taken at once: a backlog of a million waits in the database, not in memory
_CLEARED: Final[Raw] = {
    "$set": {"events": [], "unsent": [], "work": [], "relay_owner": None},
    "$unset": {"pending": "", "healing": ""},
}
# Published, with work that can't be done at the moment: what was sent need not stay in the document until then.
_SENT: Final[Raw] = {"$set": {"events": [], "unsent": []}}
log = logs.get()


@dataclass(slots=True)
class _Sent:
    """What this process has sent of one document since its last clearing, and how often it had been adopted then."""

    hands: int
    names: set[str] = field(default_factory=set)


class Relay:
    """Publishes for the documents of one collection that this process owns."""

    def __init__(self, collection: Collection, producer: Producer, owner: str) -> None:
        self._collection = collection
        self._producer = producer
        self._owner = owner
        self._sent: dict[str, _Sent] = {}

    async def read(self, ids: Iterable[str]) -> list[Raw]:
        """The given documents, as far as this process owns them and they owe something.

        One that it has sent for and that is now somebody else's is healed: what was sent may have come too late.
        """
        pool = list(ids)
        found: list[Raw] = []
        for start in range(0, len(pool), IN_LIMIT):
            chunk = {"_id": {"$in": pool[start : start + IN_LIMIT]}, "relay_owner": self._owner}
            found += await self._collection.sweep(chunk, limit=IN_LIMIT)
        await self._lost({*pool} - {raw["_id"] for raw in found})
        return found

    async def publish(self, raws: Sequence[Raw]) -> set[str]:
        """Send what the documents owe; returns the ids of those that are acknowledged in full."""
        owed: list[tuple[str, str, Entry]] = []
        for raw in raws:
            sent, healing = self._sent.setdefault(raw["_id"], _Sent(raw.get("hands", 0))), raw.get("healing", "")
            owed += [
                (raw["_id"], entry.id + healing, entry)
                for entry in Pending.of(raw).entries
                if entry.id + healing not in sent.names
            ]
        acknowledged = await self._send([entry for _, _, entry in owed]) if owed else set()
        failed: set[str] = set()
        for place, (document_id, name, _) in enumerate(owed):
            if place not in acknowledged:
                failed.add(document_id)
            elif document_id in self._sent:
                self._sent[document_id].names.add(name)
        if acknowledged:
            metrics.RELAY_PUBLISHED.inc(len(acknowledged))
            metrics.RELAY_ACKNOWLEDGED.set(clock.real_ms() / 1000)
        await self._doubt([raw for raw in raws if raw["_id"] in failed])
        await self._returned(raws)
        return {raw["_id"] for raw in raws} - failed

    async def _send(self, entries: list[Entry]) -> set[int]:
        try:
            return await self._producer.send(entries)
        except TransientError as error:
            log.warning("relay.waiting", error=error)
        except Exception as error:  # whatever it was, nobody knows what the broker holds of it
            log.exception("relay.failed", error=type(error).__name__)
        return set()

    async def clear(self, batch: dict[str, str]) -> set[str]:
        """Clear the documents that are still at the revision that was published and worked off.

        Args:
            batch: document id → revision, at most 100.

        Returns:
            The ids that moved on meanwhile under this process's mark and must be read again.
        """
        matched = await self._collection.update_all(self._unchanged(batch), _CLEARED)
        left = set() if matched == len(batch) else await self._moved_on(batch)
        for document_id in batch.keys() - left:
            self._sent.pop(document_id, None)
        return left

    async def clear_sent(self, batch: dict[str, str]) -> None:
        """Drop the published entries of documents whose work has to wait; the mark stays."""
        await self._collection.update_all(self._unchanged(batch), _SENT)

    def _unchanged(self, batch: dict[str, str]) -> Raw:
        return {
            "_id": {"$in": list(batch)},
            "revision": {"$in": list(batch.values())},
            "relay_owner": self._owner,
        }

    async def _moved_on(self, batch: dict[str, str]) -> set[str]:
        """Tell the documents that moved on under this process's mark from those that somebody took over."""
        shape = {"relay_owner": 1, "revision": 1}
        now = await self._collection.sweep({"_id": {"$in": list(batch)}}, limit=IN_LIMIT, projection=shape)
        mine = {raw["_id"] for raw in now if raw.get("relay_owner") == self._owner}
        await self._lost({raw["_id"] for raw in now if raw["revision"] != batch[raw["_id"]]} - mine)
        return mine

    # --- healing ----------------------------------------------------------------------------------------------

    async def _lost(self, ids: set[str]) -> None:
        """Documents that are not this process's any more: heal those that it has sent for, and forget them."""
        late = [document_id for document_id in ids if document_id in self._sent and self._sent[document_id].names]
        await self._heal_now(late)
        for document_id in ids:
            self._sent.pop(document_id, None)

    async def _returned(self, raws: Sequence[Raw]) -> None:
        """Documents that went through other hands and came back since something was sent for them."""
        back = [raw for raw in raws if self._sent[raw["_id"]].hands != raw.get("hands", 0)]
        await self._heal_now([raw["_id"] for raw in back])
        for raw in back:
            self._sent[raw["_id"]].hands = raw["hands"]

    async def _heal_now(self, ids: list[str]) -> None:
        """Let the newest states be sent once more at once, and beside it leave any later healing as it is."""
        left = set(ids)
        for _ in range(_HEAL_TRIES):
            if not left:
                return
            raws = await self._collection.sweep({"_id": {"$in": sorted(left)[:IN_LIMIT]}}, limit=IN_LIMIT)
            left -= set(sorted(left)[:IN_LIMIT]) - {raw["_id"] for raw in raws if not await self._heal(raw, {})}
        await self._heal_at(left, clock.real_ms())

    async def _doubt(self, raws: list[Raw]) -> None:
        """What became of a send is not known: the newest state follows once it can't arrive any more.

        The moment is set further off than needed, so that repeated failures write once a minute and still postpone it.
        """
        now = clock.real_ms()
        due = [raw["_id"] for raw in raws if raw.get("slots") and raw.get("heal_at", 0) < now + HEAL_MS]
        await self._heal_at(due, now + 2 * HEAL_MS)

    async def _heal_at(self, ids: Iterable[str], moment: int) -> None:
        pool = list(ids)
        for start in range(0, len(pool), IN_LIMIT):
            chunk = {"_id": {"$in": pool[start : start + IN_LIMIT]}}
            await self._collection.update_all(chunk, {"$set": {"heal_at": moment}})

    async def heal_due(self) -> set[str]:
        """Let the documents whose moment has come owe their newest states again; returns the ids to publish."""
        due = {"heal_at": {"$gt": 0, "$lte": clock.real_ms()}}
        found = await self._collection.sweep(due, limit=SWEEP)
        return {
            raw["_id"]
            for raw in found
            if await self._heal(raw, {"heal_at": raw["heal_at"]}) and raw.get("relay_owner") in (None, self._owner)
        }

    async def _heal(self, raw: Raw, due: Raw) -> bool:
        """One compare-and-set; `due` is the moment that it settles, if it does."""
        owner = raw.get("relay_owner")
        change: Raw = {"$set": {"revision": new_id()}}
        if raw.get("slots"):
            owes = {"unsent": sorted(raw["slots"]), "healing": new_id(), "relay_owner": owner or self._owner}
            change["$set"] |= owes if owner else owes | {"pending": clock.real_ms()}
            metrics.RELAY_HEALED.inc()
        if due:
            change["$unset"] = {"heal_at": ""}
        guard = {"_id": raw["_id"], "revision": raw["revision"], "relay_owner": owner, **due}
        return bool(await self._collection.update(guard, change))

    # --- taking over ------------------------------------------------------------------------------------------

    async def leftovers(self, alive: set[str], *, older_than_ms: int) -> set[str]:
        """Ids of forgotten documents of this process, after taking over those of owners that are not alive."""
        due = {"pending": {"$gt": 0, "$lte": clock.real_ms() - older_than_ms}}
        found = await self._collection.sweep(due, limit=SWEEP, projection={"relay_owner": 1, "pending": 1})
        oldest = min((raw["pending"] for raw in found), default=clock.real_ms())
        metrics.PENDING_OLDEST_SECONDS.labels(collection=self._collection.name).set((clock.real_ms() - oldest) / 1000)
        mine = {raw["_id"] for raw in found if raw.get("relay_owner") == self._owner}
        orphans: dict[str | None, list[str]] = {}
        for raw in found:
            if raw.get("relay_owner") not in alive:
                orphans.setdefault(raw.get("relay_owner"), []).append(raw["_id"])
        for owner, ids in orphans.items():
            mine |= await self._adopt(owner, ids)
        return mine

    async def _adopt(self, owner: str | None, ids: list[str]) -> set[str]:
        taken = {"$set": {"relay_owner": self._owner, "heal_at": clock.real_ms() + HEAL_MS}, "$inc": {"hands": 1}}
        for start in range(0, len(ids), IN_LIMIT):
            chunk = {"_id": {"$in": ids[start : start + IN_LIMIT]}, "relay_owner": owner}
            await self._collection.update_all(chunk, taken)
        log.info("relay.adopted", owner=owner, count=len(ids))
        return set(ids)  # whichever were faster in another process's hands are not read: `read` asks for the mark


class Heartbeat:
    """Says that this process lives, and knows which others do.

    An owner is one process: the instance's stable name and an id of this start, so that a process of the same name that
    froze and was replaced is another owner. At its start a process takes every other owner of its name for dead.
    """

    def __init__(self, collection: Collection, instance: str, *, dead_after_ms: int = 10_000) -> None:
        self.owner = f"{instance}#{new_id()}"
        self._collection = collection
        self._dead_after_ms = dead_after_ms

    async def beat(self) -> None:
        """Write the time."""
        await self._collection.update({"_id": self.owner}, {"$set": {"beat": clock.real_ms()}}, upsert=True)

    async def alive(self, *, at_start: bool = False) -> set[str]:
        """Owners that wrote lately, this one included; forgets those that have been silent for a day."""
        found = {raw["_id"]: raw.get("beat", 0) for raw in await self._collection.sweep({}, limit=_OWNERS)}
        now = clock.real_ms()
        for owner, beat in found.items():
            if beat < now - _DAY_MS:
                await self._collection.remove({"_id": owner, "beat": beat})
        alive = {owner for owner, beat in found.items() if beat >= now - self._dead_after_ms}
        if at_start:
            alive = {owner for owner in alive if _name(owner) != _name(self.owner)}
        return alive | {self.owner}


def _name(owner: str) -> str:
    return owner.rpartition("#")[0]
