"""What `$set`, `$unset`, `$inc`, `$push` and `$pull` do to a document, and the errors they meet."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pymongo.errors import WriteError

from fakes.bson_values import Raw, canonical, copied, is_operators, matches

_TYPE_MISMATCH: Final = 14
_BAD_VALUE: Final = 2
_PATH_NOT_VIABLE: Final = 28
_CONFLICT: Final = 40
_IMMUTABLE: Final = 66


def updated(document: Raw, update: Mapping[str, Any]) -> Raw:
    """Apply an update's operators in place, in the order of their paths; returns the document.

    Raises:
        WriteError: as the server would refuse it.
    """
    before = document.get("_id")
    steps = [(path, operator, operand) for operator, changes in update.items() for path, operand in changes.items()]
    for path, operator, operand in sorted(steps, key=lambda step: step[0].split(".")):
        _APPLY[operator](document, path, operand)
    if "_id" in document and before is not None and canonical(document["_id"]) != canonical(before):
        raise _refused("would modify the immutable field '_id'", _IMMUTABLE)
    return document


def from_filter(filter_: Mapping[str, Any]) -> Raw:
    """What an upsert starts from: the fields that its filter compares for equality."""
    document: Raw = {}
    for path, condition in filter_.items():
        if not is_operators(condition):
            _set(document, path, condition)
        elif "$eq" in condition:
            _set(document, path, condition["$eq"])
    return document


def checked(update: Mapping[str, Any]) -> Raw:
    """An own copy of an update, refused whether or not it meets a document.

    Raises:
        WriteError: a path is changed twice, or together with one below it.
    """
    if unknown := update.keys() - _APPLY.keys():
        raise NotImplementedError(f"the fake does not know {', '.join(sorted(unknown))}")
    paths = [path for changes in update.values() for path in changes]
    for place, path in enumerate(paths):
        for other in paths[:place]:
            if f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}."):
                raise _refused(f"Updating the path '{path}' would create a conflict at '{other}'", _CONFLICT)
    return copied(update)


def _holder(document: Raw, path: str, *, create: bool) -> tuple[Raw | None, str]:
    """The object that holds the last name of a path; None when there is none to be created."""
    *above, last = path.split(".")
    for name in above:
        if name not in document:
            if not create:
                return None, last
            document[name] = {}
        if not isinstance(document[name], dict):
            if isinstance(document[name], list):
                raise NotImplementedError("the fake does not update inside arrays")
            if not create:
                return None, last
            raise _refused(f"Cannot create field in element {name}", _PATH_NOT_VIABLE)
        document = document[name]
    return document, last


def _set(document: Raw, path: str, value: Any) -> None:
    holder, name = _holder(document, path, create=True)
    if holder is not None:
        holder[name] = value


def _unset(document: Raw, path: str, _: Any) -> None:
    holder, name = _holder(document, path, create=False)
    if holder is not None:
        holder.pop(name, None)


def _inc(document: Raw, path: str, amount: Any) -> None:
    holder, name = _holder(document, path, create=True)
    if holder is not None:
        present = holder.get(name, 0)
        if canonical(present)[0] != "number":
            raise _refused("Cannot apply $inc to a value of non-numeric type", _TYPE_MISMATCH)
        holder[name] = present + amount


def _push(document: Raw, path: str, operand: Any) -> None:
    items = [operand]
    if isinstance(operand, Mapping) and "$each" in operand:
        if operand.keys() != {"$each"}:
            raise NotImplementedError("the fake pushes at the end only")
        items = operand["$each"]
    holder, name = _holder(document, path, create=True)
    if holder is not None:
        holder[name] = [*_array(holder.get(name, []), name), *items]


def _pull(document: Raw, path: str, operand: Any) -> None:
    holder, name = _holder(document, path, create=False)
    if holder is not None and name in holder:
        holder[name] = [item for item in _array(holder[name], name) if not _pulled(item, operand)]


def _pulled(item: Any, operand: Any) -> bool:
    if is_operators(operand):
        return matches({"item": item}, {"item": operand})
    if isinstance(operand, Mapping):
        return isinstance(item, dict) and matches(item, operand)
    return canonical(item) == canonical(operand)


def _array(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _refused(f"The field '{name}' must be an array", _BAD_VALUE)
    return value


def _refused(why: str, code: int) -> WriteError:
    return WriteError(why, code, {"index": 0, "code": code, "errmsg": why})


_APPLY: Final[Mapping[str, Callable[[Raw, str, Any], None]]] = {
    "$set": _set,
    "$unset": _unset,
    "$inc": _inc,
    "$push": _push,
    "$pull": _pull,
}
