"""The documents and indexes of one collection, as the server holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from chassis.state.mongo import Filter
from pymongo.errors import DuplicateKeyError, OperationFailure

from fakes.bson_values import MISSING, Canonical, Raw, at, canonical, is_operators, matches

_DUPLICATE: Final = 11000
_INDEX_CONFLICT: Final = 86


@dataclass(slots=True)
class MemoryIndex:
    """One index; a unique one knows which document owns each entry."""

    fields: tuple[tuple[str, int], ...]
    unique: bool
    sparse: bool
    owners: dict[tuple[Canonical, ...], Canonical] = field(default_factory=dict)

    def entries(self, document: Raw) -> set[tuple[Canonical, ...]]:
        """What the index holds of a document: one entry per element of an array, None for what is missing."""
        values = [at(document, path) for path, _ in self.fields]
        if self.sparse and all(value is MISSING for value in values):
            return set()
        each = [
            {canonical(item) for item in value}
            if isinstance(value, list) and value
            else {canonical(None if value is MISSING else value)}
            for value in values
        ]
        return set(product(*each))


class Table:
    """The documents of one collection and its indexes, in the order in which they came."""

    def __init__(self) -> None:
        self.documents: dict[Canonical, Raw] = {}
        self.indexes: dict[str, MemoryIndex] = {}

    def matching(self, filter_: Filter) -> Iterator[tuple[Canonical, Raw]]:
        """The stored documents that fit; `_id` is looked up, anything else scanned."""
        wanted = filter_.get("_id", MISSING)
        if wanted is MISSING:
            keys = list(self.documents)
        elif not is_operators(wanted):
            keys = [canonical(wanted)]
        elif "$in" in wanted:
            keys = list(dict.fromkeys(canonical(each) for each in wanted["$in"]))
        else:
            keys = list(self.documents)
        for key in keys:
            if (document := self.documents.get(key)) is not None and matches(document, filter_):
                yield key, document

    def first(self, filter_: Filter) -> tuple[Canonical, Raw] | None:
        """Any one that fits."""
        return next(self.matching(filter_), None)

    def put(self, document: Raw, *, replacing: Canonical | None = None) -> None:
        """Store an own copy; raises DuplicateKeyError when `_id` or a unique field belongs to another."""
        key = canonical(document["_id"])
        if replacing is None and key in self.documents:
            raise duplicate("_id_", {"_id": document["_id"]})
        unique = {name: index for name, index in self.indexes.items() if index.unique}
        for name, index in unique.items():
            for entry in index.entries(document):
                if index.owners.get(entry, key) != key:
                    raise duplicate(name, {path: at(document, path) for path, _ in index.fields})
        if replacing is not None:
            self._forget(replacing)
        for index in unique.values():
            index.owners |= dict.fromkeys(index.entries(document), key)
        self.documents[key] = document

    def remove(self, key: Canonical) -> None:
        """Delete one."""
        self._forget(key)
        del self.documents[key]

    def _forget(self, key: Canonical) -> None:
        for index in self.indexes.values():
            for entry in index.entries(self.documents[key]) if index.unique else ():
                index.owners.pop(entry, None)

    def add_index(self, name: str, index: MemoryIndex) -> None:
        """Create an index, or find it there."""
        if (there := self.indexes.get(name)) is not None:
            if (there.fields, there.unique, there.sparse) != (index.fields, index.unique, index.sparse):
                raise OperationFailure("An existing index has the same name", _INDEX_CONFLICT)
            return
        if index.unique:
            for key, document in self.documents.items():
                for entry in index.entries(document):
                    if index.owners.setdefault(entry, key) != key:
                        raise duplicate(name, {path: at(document, path) for path, _ in index.fields})
        self.indexes[name] = index


def duplicate(index: str, values: Mapping[str, Any]) -> DuplicateKeyError:
    """The driver's error for a value that another document has."""
    shown = {name: None if value is MISSING else value for name, value in values.items()}
    message = f"E11000 duplicate key error index: {index} dup key: {shown}"
    return DuplicateKeyError(message, _DUPLICATE, {"index": 0, "code": _DUPLICATE, "errmsg": message})
