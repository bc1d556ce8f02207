"""Document = state + fence + pending. One command changes one document by one compare-and-set.

A stored document holds, beside the aggregate's own fields:

- ``revision``  a fresh random token per change: guards the compare-and-set, and serves as ETag
- ``sequences`` highest sequence said per stream;  ``fences`` highest sequence applied per heard stream and key
- ``events``    facts still to publish, in order;  ``slots`` the newest state per stream, ``unsent`` those to publish
- ``work``      effects on other documents still to do
- ``relay_owner`` the one instance that may publish for it;  ``pending`` unix ms since when, absent when nothing is owed
- ``hands``     how often another process took it over
- ``heal_at``   unix ms at which the newest states are published once more (by the relay);  ``healing`` which time

The compare-and-set also names ``relay_owner`` as it was read: a relay that clears its mark in between makes the
command try again and become the owner itself, so no entry is ever left without one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from pymongo.errors import DuplicateKeyError

from chassis import clock
from chassis.errors import ConflictError, NotFoundError, PreconditionError, StaleError
from chassis.ids import new_id
from chassis.state.aggregate import Aggregate, Uncommitted
from chassis.state.mongo import IN_LIMIT, Collection, Filter, Index, Raw
from chassis.state.outbox import Additions, additions

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")

RESERVED: Final = frozenset(
    {"revision", "sequences", "fences", "events", "slots", "unsent", "work"}
    | {"relay_owner", "pending", "healing", "heal_at", "hands"}
)
_ATTEMPTS: Final = 16
_LONGEST_PAUSE: Final = 0.2  # seconds
PENDING_INDEX: Final = Index((("pending", 1),), sparse=True)
HEAL_INDEX: Final = Index((("heal_at", 1),), sparse=True)


class AlreadyExistsError(ConflictError):
    """A document with this id, or with this value in a unique field, is there already."""

    title = "This exists already"


@dataclass(frozen=True, slots=True)
class Fence:
    """Names one heard event for the document that it changes."""

    stream: str
    key: str
    sequence: int

    @property
    def label(self) -> str:
        """Field name under ``fences``; dots and dollars would be read as paths."""
        return f"{self.stream}:{self.key}".replace(".", "·").replace("$", "§")


class Owner(Protocol):
    """Who publishes and works for the documents that this process commits."""

    service: str
    instance: str

    def wake(self, collection: Collection, document_id: str) -> None:
        """A commit of this instance left something pending."""

    async def settle(self, collection: Collection, document_id: str, *, seconds: float) -> bool:
        """Wait until the document has no work left; False when that takes longer."""


class Documents(Generic[A]):
    """The aggregates of one collection."""

    def __init__(self, collection: Collection, model: type[A], owner: Owner, indexes: Sequence[Index] = ()) -> None:
        self.collection = collection
        self._model = model
        self._owner = owner
        self._indexes = (PENDING_INDEX, HEAL_INDEX, *indexes)

    async def migrate(self) -> None:
        """Create the indexes; idempotent."""
        await self.collection.create_indexes(self._indexes)

    async def get(self, tenant: str, document_id: str) -> A | None:
        """The aggregate, or None."""
        raw = await self.collection.find_one(tenant, {"_id": document_id})
        return None if raw is None else self._read(raw)

    async def load(self, tenant: str, document_id: str) -> A:
        """The aggregate.

        Raises:
            NotFoundError: there is none of this id in this tenant.
        """
        if (found := await self.get(tenant, document_id)) is None:
            raise NotFoundError("We could not find that. It may have been removed.")
        return found

    async def find(self, tenant: str, filter_: Filter, *, limit: int = 1000) -> list[A]:
        """At most `limit` aggregates that match equality, a range or a short `$in` on indexed fields, in no order."""
        return [self._read(raw) for raw in await self.collection.find(tenant, filter_, limit=limit)]

    async def find_ids(self, tenant: str, document_ids: Sequence[str]) -> dict[str, A]:
        """The aggregates of these ids, read 100 at a time."""
        found: dict[str, A] = {}
        unique = list(dict.fromkeys(document_ids))
        for start in range(0, len(unique), IN_LIMIT):
            chunk = unique[start : start + IN_LIMIT]
            found |= {each.id: each for each in await self.find(tenant, {"_id": {"$in": chunk}}, limit=IN_LIMIT)}
        return found

    async def count(self, tenant: str, filter_: Filter) -> int:
        """How many match."""
        return await self.collection.count(tenant, filter_)

    async def insert(self, aggregate: A) -> None:
        """Store a new aggregate with what it said.

        Raises:
            AlreadyExistsError: its id or a unique field is taken.
        """
        document, owes = self._new_document(aggregate)
        try:
            await self.collection.insert(document)
        except DuplicateKeyError as error:
            raise AlreadyExistsError("This has been created already.") from error
        if owes:
            self._owner.wake(self.collection, aggregate.id)

    async def insert_many(self, aggregates: Sequence[A]) -> set[str]:
        """Store new aggregates, unordered; returns the ids that were refused because they exist."""
        made = [(each, *self._new_document(each)) for each in aggregates]
        refused = set(await self.collection.insert_many([document for _, document, _ in made]))
        for aggregate, _, owes in made:
            if owes and aggregate.id not in refused:
                self._owner.wake(self.collection, aggregate.id)
        return refused

    async def change(
        self,
        tenant: str,
        document_id: str,
        decide: Callable[[A], R],
        *,
        fence: Fence | None = None,
        create: Callable[[], A] | None = None,
        if_match: str | None = None,
    ) -> R:
        """Let `decide` change the aggregate and commit it; on a conflict read again and decide again.

        Args:
            tenant: the tenant of the document.
            document_id: its key.
            decide: pure and synchronous; changes the aggregate, may raise a `TurnaboutError`.
            fence: the heard event that causes the change.
            create: makes the aggregate when there is none.
            if_match: the revision that the caller has seen.

        Raises:
            StaleError: `fence` was applied before.
            PreconditionError: the document is no longer at `if_match`.
            NotFoundError: there is none, and no `create`.
            ConflictError: too many others changed it at the same time.
        """
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(clock.jittered(min(0.005 * 2**attempt, _LONGEST_PAUSE), least=0))
            raw = await self.collection.find_one(tenant, {"_id": document_id})
            if raw is None and create is None:
                raise NotFoundError("We could not find that. It may have been removed.")
            _check(raw, fence, if_match)
            aggregate = create() if raw is None and create is not None else self._read(raw or {})
            before = {} if raw is None else _fields(aggregate)
            result = decide(aggregate)
            if await self._commit(raw, before, aggregate, fence):
                return result
        raise ConflictError("Many people changed this at the same moment. Please try again.")

    async def settle(self, tenant: str, document_id: str, *, seconds: float = 2.0) -> A:
        """The aggregate once the work that it asked for is done, or as it is after `seconds`."""
        await self._owner.settle(self.collection, document_id, seconds=seconds)
        return await self.load(tenant, document_id)

    async def _commit(self, raw: Raw | None, before: Raw, aggregate: A, fence: Fence | None) -> bool:
        """True when the change is stored or there was nothing to store; False when somebody was faster."""
        if raw is None:
            document, owes = self._new_document(aggregate, fence)
            revision = document["revision"]
            try:
                await self.collection.insert(document)
            except DuplicateKeyError as error:
                if await self.collection.find_one(aggregate.tenant, {"_id": aggregate.id}):
                    return False
                raise AlreadyExistsError("This has been created already.") from error
        else:
            update, owes = self._update(raw, before, aggregate, fence)
            if not update:
                return True
            revision = update["$set"]["revision"]
            guard = {"_id": raw["_id"], "revision": raw["revision"], "relay_owner": raw.get("relay_owner")}
            try:
                if not await self.collection.update(guard, update):
                    return False
            except DuplicateKeyError as error:
                raise AlreadyExistsError("This has been created already.") from error
        aggregate.remember_etag(revision)
        if owes:
            self._owner.wake(self.collection, aggregate.id)
        return True

    def _update(self, raw: Raw, before: Raw, aggregate: A, fence: Fence | None) -> tuple[Raw, bool]:
        stored = raw.get("sequences") or {}
        added = self._additions(aggregate, aggregate.take_uncommitted(), stored)
        changed: Raw = {
            name: value for name, value in _fields(aggregate).items() if name not in before or before[name] != value
        }
        if fence is not None:
            changed[f"fences.{fence.label}"] = fence.sequence
        if not changed and not added:
            return {}, False
        changed["revision"] = new_id()
        changed |= {f"sequences.{stream}": sequence for stream, sequence in added.sequences.items()}
        changed |= {f"slots.{stream}": entry for stream, entry in added.slots.items()}
        if added.slots:
            changed["unsent"] = sorted({*(raw.get("unsent") or ()), *added.slots})
        if added and raw.get("relay_owner") is None:
            changed |= {"relay_owner": self._owner.instance, "pending": clock.real_ms()}
        update: Raw = {"$set": changed}
        push = {name: {"$each": items} for name, items in (("events", added.events), ("work", added.work)) if items}
        if push:
            update["$push"] = push
        return update, bool(added)

    def _new_document(self, aggregate: A, fence: Fence | None = None) -> tuple[Raw, bool]:
        added = self._additions(aggregate, aggregate.take_uncommitted(), {})
        document: Raw = {
            "_id": aggregate.id,
            **_fields(aggregate),
            "revision": new_id(),
            "sequences": added.sequences,
            "fences": {} if fence is None else {fence.label: fence.sequence},
            "events": added.events,
            "slots": added.slots,
            "unsent": sorted(added.slots),
            "work": added.work,
            "relay_owner": self._owner.instance if added else None,
        }
        if added:
            document["pending"] = clock.real_ms()
        return document, bool(added)

    def _additions(self, aggregate: A, said: Uncommitted, stored: dict[str, int]) -> Additions:
        return additions(self._owner.service, aggregate.tenant, aggregate.id, said, stored)

    def _read(self, raw: Raw) -> A:
        aggregate = self._model.model_validate(raw)
        aggregate.remember_etag(raw["revision"])
        return aggregate


def _check(raw: Raw | None, fence: Fence | None, if_match: str | None) -> None:
    if raw is None:
        return
    if fence is not None and (raw.get("fences") or {}).get(fence.label, 0) >= fence.sequence:
        raise StaleError
    if if_match is not None and if_match != raw["revision"]:
        raise PreconditionError("Reload the page, look at the newer version, and make your change again.")


def _fields(aggregate: Aggregate) -> Raw:
    """The aggregate's own fields in stored form: JSON values, so both drivers and all services read alike."""
    return aggregate.model_dump(mode="json", exclude={"id"}, by_alias=False)
