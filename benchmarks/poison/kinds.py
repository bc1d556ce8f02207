"""Every kind of record that a consumer of facts can't handle and survives.

Four families: `envelope`, whose headers or key make no event; `body`, whose value is not what its type says; `bug`,
which the handler itself meets; `behind`, sound facts of a key that has a dead one ahead of them.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Final

from contracts.envelope import Envelope
from contracts.notifications import NoticeSent

from benchmarks.bus.load import TENANT, identifier

Header = tuple[str, bytes | None]

BUG: Final = "bug"  # the kind of notice that the handler can't take
FAMILIES: Final = ("envelope", "body", "bug", "behind")
_FAR: Final = 1_000_000  # a sequence that would fence off every later fact, if such a record were ever applied
_LARGE: Final = random.Random(4).randbytes(900_000)  # noqa: S311 - incompressible, nearly what the broker takes


@dataclass(frozen=True, slots=True)
class Poison:
    """One record as it is sent."""

    kind: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    compressed: bool = False


Change = Callable[[Poison], Poison]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is wrong, and how a sound record is spoilt."""

    name: str
    family: str
    spoil: Change


def sound(key: str, sequence: int, notice: str, kind: str = "match-proposed") -> Poison:
    """A fact with nothing wrong about it."""
    envelope = Envelope(
        id=identifier(f"event-{key}", sequence),
        source=f"/turnabout/{NoticeSent.topic.owner}",
        type=NoticeSent.event_type(),
        subject=key,
        time="2026-01-01T00:00:00Z",
        tenant=TENANT,
        sequence=sequence,
        partition_key=key,
        data_schema=f"urn:turnabout:{NoticeSent.event_type()}",
    )
    event = NoticeSent(notice=notice, member="member", thread=key, kind=kind)
    return Poison("", key.encode(), event.model_dump_json().encode(), tuple(envelope.to_headers()))


def _header(name: str, value: bytes | None) -> Change:
    def spoil(record: Poison) -> Poison:
        return replace(record, headers=tuple((each, value if each == name else text) for each, text in record.headers))

    return spoil


def _without(name: str) -> Change:
    return lambda record: replace(record, headers=tuple(each for each in record.headers if each[0] != name))


def _with(*headers: Header) -> Change:
    return lambda record: replace(record, headers=(*record.headers, *headers))


def _body(value: bytes, *, compressed: bool = False) -> Change:
    return lambda record: replace(record, value=value, compressed=compressed)


def _field(name: str, value: object) -> Change:
    """The value may be something that only Python's own JSON writes, NaN for one."""
    return lambda record: replace(record, value=json.dumps(json.loads(record.value or b"{}") | {name: value}).encode())


def _key(key: bytes | None) -> Change:
    return lambda record: replace(record, key=key)


def _nothing(record: Poison) -> Poison:
    return replace(record, key=None, value=None, headers=(("ce_id", None),))


def _structured(record: Poison) -> Poison:
    event = {"specversion": "1.0", "type": NoticeSent.event_type(), "data": json.loads(record.value or b"{}")}
    headers = (("content-type", b"application/cloudevents+json"),)
    return replace(record, value=json.dumps(event).encode(), headers=headers)


def _letter(record: Poison) -> Poison:
    """A dead letter that somebody copied back to the topic that it came from."""
    return _with(("dlq-reason", b"bad-body"), ("dlq-offset", b"7"))(_body(b"a letter")(record))


def _untouched(record: Poison) -> Poison:
    return record


_ENVELOPE: Final[dict[str, Change]] = {
    "no headers at all": lambda record: replace(record, headers=()),
    "a header that is not UTF-8": _header("ce_id", b"\xff\xfe"),
    "an optional header that is not UTF-8": _with(("ce_traceparent", b"\xff")),
    "a header that is null": _header("ce_id", None),
    "a header that is missing": _without("ce_type"),
    "a header that is empty": _header("ce_tenantid", b""),
    "another version of CloudEvents": _header("ce_specversion", b"0.3"),
    "a CloudEvent in structured mode": _structured,
    "sequence zero": _header("ce_sequence", b"0"),
    "a negative sequence": _header("ce_sequence", b"-1"),
    "a sequence in Arabic digits": _header("ce_sequence", "٣".encode()),
    "a sequence of 5,000 digits": _header("ce_sequence", b"9" * 5000),
    "a time without a zone": _header("ce_time", b"2026-01-01T00:00:00"),
    "no time at all": _header("ce_time", b"yesterday"),
    "a header of 200 kB": _header("ce_sequence", b"9" * 200_000),
    "no key": _key(None),
    "an empty key": _key(b""),
    "a key that is not UTF-8": _key(b"\xff\xfe\xfd"),
    "nothing: no key, no value": _nothing,
}
_BODY: Final[dict[str, Change]] = {
    "a body that is not JSON": _body(b"poison"),
    "a body that is not UTF-8": _body(b'{"notice": "\xff"}'),
    "a body that breaks off": lambda record: replace(record, value=(record.value or b"")[:-9]),
    "an empty body": _body(b""),
    "a body that is null": _body(b"null"),
    "a list": _body(b"[]"),
    "another codec": _body(b"\x00\x00\x00\x00\x07\x48member"),
    "a field that is missing": _body(b'{"notice": "n", "member": "m", "thread": "t"}'),
    "a field of another type": _field("member", 7),
    "a field that is null": _field("member", None),
    "a field that is too long": _field("member", "m" * 65),
    "a field that is empty": _field("member", ""),
    "not a number": _field("member", float("nan")),
    "a number beyond every float": _body(b'{"notice": 1e999}'),
    "a number of 5,000 digits": _body(b'{"notice": ' + b"9" * 5000 + b"}"),
    "half a surrogate pair": _field("member", "\ud800"),
    "100,000 levels": _body(b"[" * 100_000),
    "900 kB that can't be compressed": _body(_LARGE),
    "2 MB in a compressed batch": _body(b"0" * 2_000_000, compressed=True),
    "a letter copied back to its topic": _letter,
}
KINDS: Final = (
    *(Kind(name, "envelope", spoil) for name, spoil in _ENVELOPE.items()),
    *(Kind(name, "body", spoil) for name, spoil in _BODY.items()),
    Kind("a fact behind a dead body", "behind", _untouched),
    Kind("a key that the database refuses", "bug", _untouched),
    Kind("a fact that meets a bug", "bug", _field("kind", BUG)),
    Kind("a fact behind a bug", "behind", _untouched),
)
_REFUSED: Final = "a key that the database refuses"


def poison(name: str, count: int, neighbours: list[str], families: tuple[str, ...] = FAMILIES) -> Iterator[Poison]:
    """So many records, all kinds in turn.

    Records without a readable envelope come under the keys of `neighbours`, which have healthy facts: nothing proves
    that they belong to those, so nothing may wait behind them. All others have keys of their own.
    """
    kinds = [each for each in KINDS if each.family in families]
    key, sequence = "", 0
    for number, kind in enumerate(islice(cycle(kinds), count)):
        if kind.family == "envelope":
            record = sound(neighbours[number % len(neighbours)], _FAR, f"{name}-poison-{number}")
        elif kind.family == "behind" and key:
            sequence += 1
            record = sound(key, sequence, f"{name}-poison-{number}")
        else:
            key, sequence = identifier(f"poison-{name}", number), 1
            key = key[:8] + "\0" + key[8:] if kind.name == _REFUSED else key
            record = sound(key, sequence, f"{name}-poison-{number}")
        yield replace(kind.spoil(record), kind=kind.name)
