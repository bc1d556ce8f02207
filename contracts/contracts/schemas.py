"""Two JSON Schemas of one model: closed for who writes, open for who reads.

The *writer* schema says exactly what a producer sends: every field present, nothing else. The *reader* schema says
what a consumer must cope with: unknown fields pass, unknown enum values pass, fields with a default may be missing.
"""

from copy import deepcopy
from typing import Any, Final, Literal

from contracts.envelope import Event

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def writer(event: type[Event]) -> Schema:
    """What a producer sends, closed."""
    return _finish(event, "serialization")


def reader(event: type[Event]) -> Schema:
    """What a consumer accepts, open."""
    return _finish(event, "validation")


def branches(schema: Schema) -> list[Schema]:
    """The schema itself, or its alternatives without null."""
    return [branch for branch in schema.get("anyOf", [schema]) if branch.get("type") != "null"]


def _finish(event: type[Event], mode: Literal["validation", "serialization"]) -> Schema:
    topic, closed = event.topic, mode == "serialization"
    return {
        "$schema": DIALECT,
        "$id": f"urn:turnabout:{event.event_type()}" + ("" if closed else ":reader"),
        "x-topic": topic.name,
        "x-audience": topic.audience.value,
        "x-kind": topic.kind.value,
        **_walk(_inline(event.model_json_schema(mode=mode)), closed=closed),
    }


def _inline(schema: Schema) -> Schema:
    """Put every definition where it is used: one file then says everything."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            beside = {name: value for name, value in node.items() if name != "$ref"}
            return resolve({**deepcopy(definitions[node["$ref"].rpartition("/")[2]]), **beside})
        # A title repeats the field's name; properties may themselves be called title.
        resolved = {
            name: {key: resolve(value) for key, value in value.items()} if name == "properties" else resolve(value)
            for name, value in node.items()
            if not (name == "title" and isinstance(value, str))
        }
        return _lift(resolved)

    resolved: Schema = resolve(schema)
    return resolved


def _lift(node: Schema) -> Schema:
    """Say the description and data class of an optional field once, on the field."""
    inner = [branch for branch in node.get("anyOf", ()) if branch.get("type") != "null"]
    if len(inner) == 1:
        for name in ("description", "x-data-class"):
            if name in inner[0] and name not in node:
                node[name] = inner[0][name]
            if node.get(name) == inner[0].get(name):
                inner[0].pop(name, None)
    return node


def _walk(node: Any, *, closed: bool) -> Any:
    if isinstance(node, list):
        return [_walk(item, closed=closed) for item in node]
    if not isinstance(node, dict):
        return node
    walked = {
        name: {key: _walk(value, closed=closed) for key, value in value.items()}
        if name == "properties"
        else _walk(value, closed=closed)
        for name, value in node.items()
        if name != "default"
    }
    if "properties" in walked and closed:
        walked["required"] = list(walked["properties"])
        walked["additionalProperties"] = False
    if "enum" in walked and not closed:
        walked["x-known-values"] = walked.pop("enum")
    return walked
