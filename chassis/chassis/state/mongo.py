"""The database behind one door: driver choice, tenant scope, faults by name.

Motor is the default driver and `pymongo.AsyncMongoClient` one setting away; both offer the calls named in
`Driver` with the same results. A service never sees a raw collection: `Collection` puts the tenant into every
filter, and cross-tenant sweeps exist only inside the chassis (`Collection.raw`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, ReplaceOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.write_concern import WriteConcern

from chassis import metrics
from chassis.errors import TransientError
from chassis.settings import Settings

Filter = Mapping[str, Any]
Raw = dict[str, Any]

OPERATION_SECONDS: Final = 10
IN_LIMIT: Final = 100  # more values in one `$in` leave the index on the embedded server
DUPLICATE_KEY: Final = 11000
_CLOSE_SECONDS: Final = 5.0
_POOL: Final = 8  # the embedded server serves no more at once; the semaphore keeps waiting fair
_FAULTS = (ConnectionFailure, NetworkTimeout, ServerSelectionTimeoutError, ExecutionTimeout)


class Driver(Protocol):
    """The calls of a collection that both drivers share; see PyMongo's documentation of each."""

    # ruff: noqa: D102 - names and meaning are the drivers' own

    def find(self, filter_: Filter, projection: Any = None, /) -> Any: ...
    async def find_one(self, filter_: Filter, projection: Any = None, /) -> Raw | None: ...
    async def insert_one(self, document: Raw) -> Any: ...
    async def insert_many(self, documents: Sequence[Raw], *, ordered: bool) -> Any: ...
    async def update_one(self, filter_: Filter, update: Filter, /, *, upsert: bool = False) -> Any: ...
    async def update_many(self, filter_: Filter, update: Filter, /) -> Any: ...
    async def delete_many(self, filter_: Filter, /) -> Any: ...
    async def bulk_write(self, requests: Sequence[Any], *, ordered: bool) -> Any: ...
    async def count_documents(self, filter_: Filter, /) -> int: ...
    async def create_index(self, keys: Any, **options: Any) -> str: ...
    async def rename(self, new_name: str, **options: Any) -> Any: ...


@contextmanager
def named_faults() -> Iterator[None]:
    """Turn the driver's infrastructure faults into `TransientError`; duplicates and bugs pass through."""
    try:
        yield
    except (DuplicateKeyError, BulkWriteError):
        raise
    except _FAULTS as error:
        raise TransientError(f"database: {type(error).__name__}") from error
    except PyMongoError as error:
        if error.timeout:
            raise TransientError(f"database: {type(error).__name__}") from error
        raise


@dataclass(frozen=True, slots=True)
class Index:
    """An index that `migrate` creates."""

    fields: tuple[tuple[str, int], ...]
    unique: bool = False
    sparse: bool = False


class Collection:
    """One collection, seen through the tenant of each call."""

    def __init__(self, name: str, raw: Driver, gate: asyncio.Semaphore) -> None:
        self.name = name
        self.raw = raw  # cross-tenant: for the chassis alone
        self.gate = gate
        self._writes = metrics.DATABASE_WRITES.labels(collection=name)

    async def find_one(self, tenant: str, filter_: Filter) -> Raw | None:
        """The document that matches, or None."""
        async with self.gate:
            with named_faults():
                return await self.raw.find_one({**filter_, "tenant": tenant})

    async def find(self, tenant: str, filter_: Filter, *, limit: int = 1000) -> list[Raw]:
        """At most `limit` documents that match, in no order; sort in Python (embedded servers don't push it down)."""
        return await self.sweep({**filter_, "tenant": tenant}, limit=limit)

    async def sweep(self, filter_: Filter, *, limit: int = 1000, projection: Any = None) -> list[Raw]:
        """Cross-tenant `find`, for relays and timers."""
        async with self.gate:
            with named_faults():
                found: list[Raw] = await self.raw.find(filter_, projection).limit(limit).to_list(limit)
                return found

    async def count(self, tenant: str, filter_: Filter) -> int:
        """How many documents match."""
        async with self.gate:
            with named_faults():
                return await self.raw.count_documents({**filter_, "tenant": tenant})

    async def insert(self, document: Raw) -> None:
        """Insert one; raises the driver's DuplicateKeyError."""
        async with self.gate:
            with named_faults():
                await self.raw.insert_one(document)
                self._writes.inc()

    async def insert_many(self, documents: Sequence[Raw]) -> list[str]:
        """Insert, unordered; returns the ids that a unique index refused."""
        if not documents:
            return []
        async with self.gate:
            with named_faults():
                self._writes.inc(len(documents))
                try:
                    await self.raw.insert_many(documents, ordered=False)
                except BulkWriteError as error:
                    problems = (error.details or {}).get("writeErrors", [])
                    if any(problem["code"] != DUPLICATE_KEY for problem in problems):
                        raise
                    return [documents[problem["index"]]["_id"] for problem in problems]
                except DuplicateKeyError:
                    # Some servers refuse the whole batch with one error and say nothing about the rest.
                    return [document["_id"] for document in documents if not await self._inserted(document)]
        return []

    async def _inserted(self, document: Raw) -> bool:
        try:
            await self.raw.insert_one(document)
        except DuplicateKeyError:
            # The batch may have stored it before it was refused as a whole; only a revision can tell whose it is.
            if "revision" not in document:
                return False
            return (await self.raw.find_one({"_id": document["_id"], "revision": document["revision"]})) is not None
        return True

    async def update(self, filter_: Filter, update: Filter, *, upsert: bool = False) -> int:
        """Update one document; returns how many matched. The filter names `_id`, which is unique over tenants."""
        async with self.gate:
            with named_faults():
                self._writes.inc()
                result = await self.raw.update_one(filter_, update, upsert=upsert)
                return int(result.matched_count)

    async def update_all(self, filter_: Filter, update: Filter) -> int:
        """The same update on every match; returns how many matched."""
        async with self.gate:
            with named_faults():
                result = await self.raw.update_many(filter_, update)
                self._writes.inc(result.matched_count)
                return int(result.matched_count)

    async def delete(self, tenant: str, filter_: Filter) -> None:
        """Delete every match of the tenant."""
        async with self.gate:
            with named_faults():
                await self.raw.delete_many({**filter_, "tenant": tenant})

    async def remove(self, filter_: Filter) -> int:
        """Delete the document whose `_id` the filter names, if it matches; returns how many did."""
        async with self.gate:
            with named_faults():
                self._writes.inc()
                result = await self.raw.delete_many(filter_)
                return int(result.deleted_count)

    async def replace_newest(self, rows: Sequence[Raw]) -> None:
        """Upsert read-model rows `{_id, tenant, sequence, …}`; an older or equal sequence changes nothing.

        A row that exists with a newer sequence makes the guarded upsert collide on `_id`, which is the answer
        "already newer" and no error.
        """
        if not rows:
            return
        requests = [
            ReplaceOne({"_id": row["_id"], "sequence": {"$lt": row["sequence"]}}, row, upsert=True) for row in rows
        ]
        async with self.gate:
            with named_faults():
                self._writes.inc(len(requests))
                try:
                    await self.raw.bulk_write(requests, ordered=False)
                except BulkWriteError as error:
                    problems = (error.details or {}).get("writeErrors", [])
                    if any(problem["code"] != DUPLICATE_KEY for problem in problems):
                        raise

    async def update_each(self, updates: Sequence[tuple[Filter, Filter]]) -> None:
        """Several different updates in one round trip, unordered."""
        if not updates:
            return
        async with self.gate:
            with named_faults():
                self._writes.inc(len(updates))
                await self.raw.bulk_write([UpdateOne(*update) for update in updates], ordered=False)

    async def create_indexes(self, indexes: Sequence[Index]) -> None:
        """Create what is missing; idempotent."""
        for index in indexes:
            options: dict[str, Any] = {"unique": True} if index.unique else {}
            if index.sparse:
                options["sparse"] = True
            async with self.gate:
                await self.raw.create_index(list(index.fields), **options)


class Database:
    """One service's database."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._gate = asyncio.Semaphore(_POOL)

    def collection(self, name: str) -> Collection:
        """A collection whose writes are `w=majority, j=true`."""
        raw = self._raw.get_collection(name, write_concern=WriteConcern(w="majority", j=True))
        return Collection(name, raw, self._gate)

    async def names(self) -> list[str]:
        """The collections that there are."""
        with named_faults():
            return sorted(await self._raw.list_collection_names())

    async def indexed(self, index: str) -> list[str]:
        """The collections that have an index of this name."""
        with named_faults():
            return [name for name in await self.names() if index in await self._raw[name].index_information()]

    async def ping(self) -> None:
        """Raises TransientError when the server does not answer."""
        with named_faults():
            await self._raw.command("ping")

    async def drop(self) -> None:
        """Forget everything; for tests."""
        await self._raw.client.drop_database(self._raw.name)


@asynccontextmanager
async def connect(settings: Settings, service: str) -> AsyncIterator[Database]:
    """Open the service's database with the driver that the settings name."""
    options: dict[str, Any] = {
        "maxPoolSize": _POOL,
        "serverSelectionTimeoutMS": 3_000,
        "connectTimeoutMS": 3_000,
        "socketTimeoutMS": OPERATION_SECONDS * 1_000,
        "retryWrites": False,  # retries belong to the documents, which carry revisions
        "tz_aware": True,
    }
    name = f"{settings.database_prefix}{service}"
    if settings.driver == "pymongo":
        client: Any = AsyncMongoClient(settings.mongo, **options)
        try:
            yield Database(client[name])
        finally:
            with suppress(TimeoutError):  # it waits for tasks of its own, which may have missed that they should end
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await client.close()
    else:
        client = AsyncIOMotorClient(settings.mongo, **options)
        try:
            yield Database(client[name])
        finally:
            client.close()
