"""How the database compares values: by type first, None like a missing field, arrays by their elements too."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from bson import CodecOptions, ObjectId, decode, encode
from pymongo.errors import OperationFailure

Raw = dict[str, Any]
Canonical = tuple[str, Any]

MISSING: Final = object()
_CODEC: Final = CodecOptions[Raw](tz_aware=True)
_BAD_VALUE: Final = 2
_PATH_COLLISION: Final = 31250
_KINDS: Final = (
    (type(None), "null"),
    (bool, "bool"),  # before int, of which Python makes it a kind
    ((int, float), "number"),
    (str, "string"),
    (bytes, "binary"),
    (datetime, "date"),
    (ObjectId, "id"),
)
_ORDERED: Final = frozenset({"number", "string", "binary", "date", "id"})


def copied(document: Mapping[str, Any]) -> Raw:
    """The document as it comes back from the server: never an alias, refused when BSON has no form for it."""
    return decode(encode(document), _CODEC)


def canonical(value: Any) -> Canonical:
    """A hashable form; equal exactly when the database calls the values equal: True is not 1, but 1 is 1.0."""
    for type_, kind in _KINDS:
        if isinstance(value, type_):
            return (kind, value)
    if isinstance(value, Mapping):
        return ("object", tuple((name, canonical(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return ("array", tuple(canonical(item) for item in value))
    raise NotImplementedError(f"the fake does not compare {type(value).__name__}")


def at(document: Any, path: str) -> Any:
    """The value at a dotted path through objects, or `MISSING`."""
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return MISSING
        document = document[name]
    return document


def matches(document: Mapping[str, Any], filter_: Mapping[str, Any]) -> bool:
    """Whether the document fits every condition."""
    return all(_fits(document, path, condition) for path, condition in filter_.items())


def _fits(document: Mapping[str, Any], path: str, condition: Any) -> bool:
    if path.startswith("$"):
        raise NotImplementedError(f"the fake does not know the top-level operator {path}")
    found = list(_reached(document, path.split(".")))
    if is_operators(condition):
        return all(_operator(name)(found, operand) for name, operand in condition.items())
    return _equals(found, condition)


def is_operators(condition: Any) -> bool:
    """Whether a condition is `{"$in": …}` rather than a value to compare with."""
    return isinstance(condition, Mapping) and any(name.startswith("$") for name in condition)


def _reached(value: Any, names: list[str]) -> Iterator[Any]:
    """The values that a path reaches: through the elements of arrays as well, `MISSING` where it ends early."""
    if not names:
        yield value
        if isinstance(value, list):
            yield from value
    elif isinstance(value, Mapping):
        yield from _reached(value.get(names[0], MISSING), names[1:])
    elif isinstance(value, list):
        if names[0].isdigit() and int(names[0]) < len(value):
            yield from _reached(value[int(names[0])], names[1:])
        for item in value:
            if isinstance(item, Mapping):
                yield from _reached(item, names)
    else:
        yield MISSING


def _equals(found: list[Any], operand: Any) -> bool:
    if operand is None:
        return any(value is None or value is MISSING for value in found)
    wanted = canonical(operand)
    return any(value is not MISSING and canonical(value) == wanted for value in found)


def _in(found: list[Any], operands: Any) -> bool:
    return any(_equals(found, operand) for operand in operands)


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[list[Any], Any], bool]:
    """Order comparisons hold within one type only: no number is less than a string."""

    def holds(found: list[Any], operand: Any) -> bool:
        kind, bound = canonical(operand)
        if kind not in _ORDERED:
            raise NotImplementedError(f"the fake does not order by {kind}")
        values = (canonical(value) for value in found if value is not MISSING)
        return any(test(value, bound) for of, value in values if of == kind)

    return holds


_OPERATORS: Final[Mapping[str, Callable[[list[Any], Any], bool]]] = {
    "$eq": _equals,
    "$ne": lambda found, operand: not _equals(found, operand),
    "$in": _in,
    "$gt": _compared(lambda value, bound: value > bound),
    "$gte": _compared(lambda value, bound: value >= bound),
    "$lt": _compared(lambda value, bound: value < bound),
    "$lte": _compared(lambda value, bound: value <= bound),
}


def _operator(name: str) -> Callable[[list[Any], Any], bool]:
    if name not in _OPERATORS:
        raise OperationFailure(f"unknown operator: {name}", _BAD_VALUE)
    return _OPERATORS[name]


def projector(shape: Mapping[str, Any] | None) -> Callable[[Raw], Raw]:
    """Keeps the named fields and `_id` of a document; everything when nothing is named.

    Fields are named to be kept; only `_id` may be left out.

    Raises:
        OperationFailure: a path is named together with one below it.
    """
    if not shape:
        return lambda document: document
    keep = {name for name, wanted in shape.items() if wanted and name != "_id"}
    if any(not wanted for name, wanted in shape.items() if name != "_id"):
        raise NotImplementedError("the fake's projections name what to keep")
    if any(name.startswith(f"{other}.") for name in keep for other in keep):
        raise OperationFailure("Path collision", _PATH_COLLISION)
    paths = [name.split(".") for name in keep] + ([["_id"]] if shape.get("_id", True) else [])
    return lambda document: _kept(document, paths)


def _kept(document: Raw, paths: list[list[str]]) -> Raw:
    result: Raw = {}
    for name, value in document.items():
        below = [path[1:] for path in paths if path[0] == name]
        if any(not path for path in below):
            result[name] = value
        elif below and isinstance(value, dict):
            result[name] = _kept(value, below)
        elif below and isinstance(value, list):
            result[name] = _kept_of_each(value, below)
    return result


def _kept_of_each(items: list[Any], paths: list[list[str]]) -> list[Any]:
    return [
        _kept(item, paths) if isinstance(item, dict) else _kept_of_each(item, paths)
        for item in items
        if isinstance(item, dict | list)
    ]
