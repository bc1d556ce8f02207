"""The database in memory: one `Storage` is the server, each `MemoryDatabase` a process's connection to it.

Every single-document step is atomic, as on the server. A `point` is awaited before and after each operation and, in
those that touch several documents, between them: there a simulation lets others run, raises a driver's error, or
lets the process crash.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Self

from bson import ObjectId
from chassis.state.mongo import Database, Filter
from pymongo import ReplaceOne, UpdateOne
from pymongo.common import validate_ok_for_replace, validate_ok_for_update
from pymongo.errors import BulkWriteError, OperationFailure, WriteError
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from fakes.bson_updates import checked, from_filter, updated
from fakes.bson_values import Canonical, Raw, canonical, copied, matches, projector
from fakes.table import MemoryIndex, Table

Point = Callable[[str], Awaitable[None]]

_NO_SOURCE: Final = 26
_TARGET_EXISTS: Final = 48


async def nothing(_: str) -> None:
    """The point that does nothing."""


class Cursor:
    """What `find` returns: the query is asked when it is read."""

    def __init__(self, driver: "MemoryDriver", filter_: Filter, shape: Any) -> None:
        self._driver = driver
        self._filter = filter_
        self._shape = shape
        self._limit = 0

    def limit(self, most: int) -> Self:
        """At most this many; 0 for all."""
        self._limit = most
        return self

    async def to_list(self, length: int | None = None) -> list[Raw]:
        """Read."""
        driver = self._driver
        await driver.point("find.before")
        shaped = projector(self._shape)
        found = [copied(document) for _, document in driver.table.matching(copied(self._filter))]
        most = min(self._limit or len(found), len(found) if length is None else length)
        result = [shaped(document) for document in found[:most]]
        await driver.point("find.after")
        return result


class MemoryDriver:
    """One collection; implements `chassis.state.mongo.Driver` for the filters and updates that this code base uses."""

    # ruff: noqa: A002 - names, arguments and meaning are the drivers' own

    def __init__(self, storage: "Storage", name: str, point: Point) -> None:
        self._storage = storage
        self._name = name
        self._point = point

    @property
    def table(self) -> Table:
        """The server's documents; an empty table of nobody's while the collection does not exist."""
        return self._storage.tables.get(self._name) or Table()

    @property
    def _created(self) -> Table:
        """The server's documents, after creating the collection if need be."""
        return self._storage.tables.setdefault(self._name, Table())

    async def point(self, moment: str) -> None:
        """Let the simulation in, for example at ``people.update_one.before``."""
        await self._point(f"{self._name}.{moment}")

    def find(self, filter: Filter, projection: Any = None) -> Cursor:
        return Cursor(self, filter, projection)

    async def find_one(self, filter: Filter, projection: Any = None) -> Raw | None:
        await self.point("find_one.before")
        shaped = projector(projection)
        found = self.table.first(copied(filter))
        result = None if found is None else shaped(copied(found[1]))
        await self.point("find_one.after")
        return result

    async def count_documents(self, filter: Filter) -> int:
        await self.point("count_documents.before")
        count = sum(1 for _ in self.table.matching(copied(filter)))
        await self.point("count_documents.after")
        return count

    async def insert_one(self, document: Raw) -> InsertOneResult:
        document.setdefault("_id", ObjectId())
        await self.point("insert_one.before")
        self._created.put(copied(document))
        await self.point("insert_one.after")
        return InsertOneResult(document["_id"], acknowledged=True)

    async def insert_many(self, documents: Sequence[Raw], *, ordered: bool) -> InsertManyResult:
        for document in documents:
            document.setdefault("_id", ObjectId())

        def put(document: Raw) -> Mapping[str, int]:
            self._created.put(copied(document))
            return {"nInserted": 1}

        await self._many("insert_many", documents, put, ordered=ordered)
        return InsertManyResult([document["_id"] for document in documents], acknowledged=True)

    async def update_one(self, filter: Filter, update: Filter, *, upsert: bool = False) -> UpdateResult:
        validate_ok_for_update(update)
        await self.point("update_one.before")
        result = self._update(filter, update, upsert=upsert)
        await self.point("update_one.after")
        return UpdateResult(result, acknowledged=True)

    async def update_many(self, filter: Filter, update: Filter) -> UpdateResult:
        validate_ok_for_update(update)
        await self.point("update_many.before")
        update = checked(update)
        update = checked(update)
        matched = modified = 0
        for key, _ in list(self.table.matching(copied(filter))):
            if matched:
                await self.point("update_many.between")
            # Somebody else may have changed or deleted it since: the server looks again at each document.
            document = self.table.documents.get(key)
            if document is not None and matches(document, copied(filter)):
                matched += 1
                modified += self._change(key, document, update)
        await self.point("update_many.after")
        return UpdateResult({"n": matched, "nModified": modified}, acknowledged=True)

    async def delete_many(self, filter: Filter) -> DeleteResult:
        await self.point("delete_many.before")
        removed = 0
        for key, _ in list(self.table.matching(copied(filter))):
            if removed:
                await self.point("delete_many.between")
            document = self.table.documents.get(key)
            if document is not None and matches(document, copied(filter)):
                self.table.remove(key)
                removed += 1
        await self.point("delete_many.after")
        return DeleteResult({"n": removed}, acknowledged=True)

    async def bulk_write(self, requests: Sequence[Any], *, ordered: bool) -> BulkWriteResult:
        return BulkWriteResult(await self._many("bulk_write", requests, self._request, ordered=ordered), True)

    async def create_index(self, keys: Any, **options: Any) -> str:
        if unknown := options.keys() - {"unique", "sparse"}:
            raise NotImplementedError(f"the fake does not know the index options {sorted(unknown)}")
        fields = ((keys, 1),) if isinstance(keys, str) else tuple(keys)
        name = "_".join(f"{path}_{direction}" for path, direction in fields)
        await self.point("create_index.before")
        self._created.add_index(name, MemoryIndex(fields, bool(options.get("unique")), bool(options.get("sparse"))))
        await self.point("create_index.after")
        return name

    async def rename(self, new_name: str, **options: Any) -> Raw:
        await self.point("rename.before")
        tables = self._storage.tables
        if self._name not in tables:
            raise OperationFailure("Source collection does not exist", _NO_SOURCE)
        if new_name in tables and not options.get("dropTarget"):
            raise OperationFailure("target namespace exists", _TARGET_EXISTS)
        tables[new_name] = tables.pop(self._name)
        await self.point("rename.after")
        return {"ok": 1.0}

    # --- steps, each atomic -----------------------------------------------------------------------------------

    async def _many(
        self, operation: str, items: Sequence[Any], step: Callable[[Any], Mapping[str, Any]], *, ordered: bool
    ) -> Raw:
        """Do a step per item; what was refused is told at the end, the rest is done."""
        totals = {"nInserted": 0, "nUpserted": 0, "nMatched": 0, "nModified": 0, "nRemoved": 0}
        errors: list[Raw] = []
        await self.point(f"{operation}.before")
        for place, item in enumerate(items):
            if place:
                await self.point(f"{operation}.between")
            try:
                for name, count in step(item).items():
                    totals[name] += count
            except WriteError as error:
                errors.append({"index": place, "code": error.code, "errmsg": str(error), "op": item})
                if ordered:
                    break
        await self.point(f"{operation}.after")
        result: Raw = {**totals, "writeErrors": errors, "writeConcernErrors": [], "upserted": []}
        if errors:
            raise BulkWriteError(result)
        return result

    def _request(self, request: Any) -> Mapping[str, int]:
        filter_, change, upsert = request._filter, request._doc, bool(request._upsert)
        if isinstance(request, ReplaceOne):
            validate_ok_for_replace(change)
            result = self._replace(filter_, change, upsert=upsert)
        elif isinstance(request, UpdateOne):
            validate_ok_for_update(change)
            result = self._update(filter_, change, upsert=upsert)
        else:
            raise NotImplementedError(f"the fake does not know {type(request).__name__}")
        if "upserted" in result:
            return {"nUpserted": 1}
        return {"nMatched": result["n"], "nModified": result["nModified"]}

    def _update(self, filter_: Filter, update: Filter, *, upsert: bool) -> Raw:
        filter_, update = copied(filter_), checked(update)
        if (found := self.table.first(filter_)) is not None:
            return {"n": 1, "nModified": self._change(*found, update)}
        return self._upserted(updated(from_filter(filter_), update)) if upsert else _UNMATCHED

    def _replace(self, filter_: Filter, replacement: Raw, *, upsert: bool) -> Raw:
        filter_ = copied(filter_)
        if (found := self.table.first(filter_)) is not None:
            document = {"_id": found[1]["_id"], **copied(replacement)}
            return {"n": 1, "nModified": self._store(*found, document)}
        identity = {name: value for name, value in from_filter(filter_).items() if name == "_id"}
        return self._upserted(identity | copied(replacement)) if upsert else _UNMATCHED

    def _change(self, key: Canonical, document: Raw, update: Filter) -> int:
        return self._store(key, document, updated(copied(document), update))

    def _store(self, key: Canonical, before: Raw, after: Raw) -> int:
        """Put a changed document in place; returns how many changed: 0 when it is equal."""
        if canonical(before) == canonical(after):
            return 0
        self.table.put(after, replacing=key)
        return 1

    def _upserted(self, document: Raw) -> Raw:
        document = {"_id": document.pop("_id", None) or ObjectId(), **document}
        self._created.put(document)
        return {"n": 1, "nModified": 0, "upserted": document["_id"]}


_UNMATCHED: Final[Raw] = {"n": 0, "nModified": 0}


class Storage:
    """What the server holds of one database; outlives the processes that are connected to it."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}


class _Raw:
    """The part of a driver's database object that `chassis.state.mongo.Database` uses."""

    name: Final = "memory"

    def __init__(self, storage: Storage, point: Point) -> None:
        self._storage = storage
        self._point = point
        self.client = self

    def get_collection(self, name: str, **_: Any) -> MemoryDriver:
        return MemoryDriver(self._storage, name, self._point)

    async def command(self, name: str) -> None:
        await self._point(f"database.{name}.before")
        await self._point(f"database.{name}.after")

    async def drop_database(self, _: str) -> None:
        await self._point("database.drop.before")
        self._storage.tables.clear()
        await self._point("database.drop.after")


class MemoryDatabase(Database):
    """A process's connection; several share one storage."""

    def __init__(self, storage: Storage | None = None, point: Point = nothing) -> None:
        self.storage = storage or Storage()
        super().__init__(_Raw(self.storage, point))
