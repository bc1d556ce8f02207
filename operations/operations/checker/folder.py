"""Evidence in a folder: JSON lines, one object a line; a file that is absent holds nothing.

``history.jsonl``
    ``{"type": "invoke", "command", "aggregate", "trace"?, "effects"?: [[sink, id]],
    "leads_to"?: [{"topic", "type", "key", "fields"?}]}``, and later ``{"type": "ok" or "fail" or "info", "command"}``.
    A command without a later line is of unknown fate, as *info*.
``topics.jsonl``
    ``{"topic", "partition", "offset", "key", "value", "headers": [[name, value]]}``; bytes are base64, or null.
``partitions.jsonl``
    ``{"topic", "partition", "start", "end"}``: first kept offset, and the one after the last.
``documents.jsonl``
    ``{"service", "collection", "document"}``; bytes inside are ``{"$bytes": base64}``; later lines of an id are later
    versions.
``sinks.jsonl``
    ``{"sink", "id", "accepted"?, "event"?, "trace"?}``, one a delivery.
``consumption.jsonl``
    ``{"group", "topic", "partition", "committed"?, "outcomes"?, "consumed"?, "restarts"?}``.
``about.json``
    One object, ``{"settled"?, "traced"?, "versions"?}``: see `Evidence`.

The topology is not part of it: it is the product's, or the caller's.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from operations.checker.evidence import Evidence
from operations.checker.model import (
    Command,
    Consumption,
    Document,
    Effect,
    Ending,
    Expected,
    Headers,
    Partition,
    Raw,
    TopicRecord,
)
from operations.checker.topology import PRODUCT, Topology

_BYTES: Final = "$bytes"
_ABOUT: Final = "about.json"


class UnreadableEvidenceError(Exception):
    """A file of the folder is not what it should be; the message says which line of which."""


def read(folder: Path, topology: Topology = PRODUCT) -> Evidence:
    """The evidence in a folder.

    Raises:
        UnreadableEvidenceError: the folder is absent or empty, or a line of it can't be read.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        raise UnreadableEvidenceError(f"{folder} is no folder with evidence")
    about = json.loads((folder / _ABOUT).read_text()) if (folder / _ABOUT).exists() else {}
    return Evidence(
        topology,
        commands=_commands(_lines(folder / "history.jsonl")),
        records=[_record(line) for line in _lines(folder / "topics.jsonl")],
        partitions=[Partition(**line) for line in _lines(folder / "partitions.jsonl")],
        documents=[
            Document(line["service"], line["collection"], _thaw(line["document"]))
            for line in _lines(folder / "documents.jsonl")
        ],
        effects=[Effect(**line) for line in _lines(folder / "sinks.jsonl")],
        consumption=[Consumption(**line) for line in _lines(folder / "consumption.jsonl")],
        **about,
    )


def write(evidence: Evidence, folder: Path) -> None:
    """Write evidence so that `read` finds it; files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / "history.jsonl", (line for command in evidence.commands for line in _history(command)))
    _put(folder / "topics.jsonl", map(_of_record, evidence.records))
    _put(folder / "partitions.jsonl", map(_slots, evidence.partitions))
    _put(
        folder / "documents.jsonl",
        ({"service": d.service, "collection": d.collection, "document": _freeze(d.raw)} for d in evidence.documents),
    )
    _put(folder / "sinks.jsonl", map(_slots, evidence.effects))
    _put(folder / "consumption.jsonl", map(_slots, evidence.consumption))
    about = {"settled": evidence.settled, "traced": evidence.traced, "versions": evidence.versions}
    (folder / _ABOUT).write_text(json.dumps(about) + "\n")


def _lines(path: Path) -> Iterator[Any]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise UnreadableEvidenceError(f"{path.name}, line {number}: {error}") from error


def _put(path: Path, lines: Iterable[Raw]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)


def _slots(piece: Any) -> Raw:
    return {name: getattr(piece, name) for name in piece.__slots__ if getattr(piece, name) is not None}


# --- history ------------------------------------------------------------------------------------------------------


def _commands(lines: Iterable[Raw]) -> list[Command]:
    begun: dict[str, Raw] = {}
    endings: dict[str, Ending] = {}
    for line in lines:
        if line["type"] == "invoke":
            begun[line["command"]] = line
        else:
            endings[line["command"]] = Ending(line["type"])
    return [_command(line, endings.get(name, Ending.INFO)) for name, line in begun.items()]


def _command(line: Raw, ending: Ending) -> Command:
    return Command(
        id=line["command"],
        aggregate=line["aggregate"],
        ending=ending,
        leads_to=tuple(
            Expected(each["topic"], each["type"], each["key"], tuple((each.get("fields") or {}).items()))
            for each in line.get("leads_to") or ()
        ),
        effects=tuple((sink, name) for sink, name in line.get("effects") or ()),
        trace=line.get("trace"),
    )


def _history(command: Command) -> Iterator[Raw]:
    yield {
        "type": "invoke",
        "command": command.id,
        "aggregate": command.aggregate,
        "trace": command.trace,
        "leads_to": [
            {"topic": each.topic, "type": each.type, "key": each.key, "fields": dict(each.fields)}
            for each in command.leads_to
        ],
        "effects": list(command.effects),
    }
    yield {"type": command.ending.value, "command": command.id}


# --- bytes --------------------------------------------------------------------------------------------------------


def _encode(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _decode(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnreadableEvidenceError(f"{text!r} is not base64") from error


def _record(line: Raw) -> TopicRecord:
    headers: Headers = tuple((name, _decode(value)) for name, value in line.get("headers") or ())
    return TopicRecord(
        line["topic"], line["partition"], line["offset"], _decode(line["key"]), _decode(line["value"]), headers
    )


def _of_record(record: TopicRecord) -> Raw:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": _encode(record.key),
        "value": _encode(record.value),
        "headers": [[name, _encode(value)] for name, value in record.headers],
    }


def _freeze(value: Any) -> Any:
    """JSON for a stored value, bytes marked as such."""
    if isinstance(value, bytes):
        return {_BYTES: _encode(value)}
    if isinstance(value, dict):
        return {name: _freeze(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_freeze(item) for item in value]
    return value


def _thaw(value: Any) -> Any:
    if isinstance(value, dict):
        return _decode(value[_BYTES]) if value.keys() == {_BYTES} else {k: _thaw(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_thaw(item) for item in value]
    return value
