"""The gate for changes of events: within a major version everybody must be able to read everybody.

Two judgements for each released revision of an event. What is written now must fit what old consumers accept, or
they stop when we deploy. What was written then must fit what we accept now, or a replay stops. Both are decided on
the schemas, for all bodies at once.
"""

from typing import Any, Final

from jsonsubschema import isSubschema

from contracts import schemas
from contracts.catalogue import Entry
from contracts.schemas import Schema

FIXED: Final = {
    "x-topic": "the topic",
    "x-kind": "facts or state",
    "x-key": "the key",
    "x-audience": "the audience",
}
_SAYS_NOTHING_ABOUT_BODIES: Final = ("$schema", "$id", "description", "title", "default")


def projections(entry: Entry) -> dict[str, Schema]:
    """The writer and the reader schema of one event, as they are committed."""
    return {
        "writer": {**schemas.writer(entry.event), "x-key": entry.key},
        "reader": {**schemas.reader(entry.event), "x-key": entry.key},
    }


def breaks(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Why `new` may not follow `old` within one major version; empty when it may.

    Args:
        old: the projections of a released revision.
        new: the projections of the event as it is now.
    """
    found = [
        f"{meaning} changed from {old['writer'].get(name)} to {new['writer'].get(name)}"
        for name, meaning in FIXED.items()
        if old["writer"].get(name) != new["writer"].get(name)
    ]
    found += _reclassified(old["writer"], new["writer"], "")
    if not fits(new["writer"], old["reader"]):
        found.append("consumers of the released revision can't read what would be written now")
    if not fits(old["writer"], new["reader"]):
        found.append("what is already on the topic could not be read any more")
    return found


def fits(written: Schema, accepted: Schema) -> bool:
    """Whether every body that `written` describes is one that `accepted` accepts."""
    return bool(isSubschema(_bare(written), _bare(accepted)))


def _reclassified(old: Any, new: Any, path: str) -> list[str]:
    """Fields whose data class changed: rules for keeping and erasing followed from the old one."""
    found: list[str] = []
    for name in old.get("properties", {}).keys() & new.get("properties", {}).keys():
        before, after = old["properties"][name], new["properties"][name]
        was, now = before.get("x-data-class"), after.get("x-data-class")
        if was != now:
            found.append(f"the data class of {path}{name} changed from {was} to {now}")
        for one, other in zip(schemas.branches(before), schemas.branches(after), strict=False):
            found += _reclassified(one, other, f"{path}{name}.")
            found += _reclassified(one.get("items", {}), other.get("items", {}), f"{path}{name}[].")
    return sorted(found)


def _bare(schema: Any) -> Any:
    """Only what decides about bodies: the judge reads nothing else, and some of it would confuse it."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: _bare(value) for key, value in content.items()} if name == "properties" else _bare(content)
        for name, content in schema.items()
        if name not in _SAYS_NOTHING_ABOUT_BODIES and not name.startswith("x-")
    }
