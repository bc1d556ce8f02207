"""What a document owes the world: events to publish and work to do, in their stored form.

`Pending` is read from a stored document; `additions` turns what a command said and asked into the update that
the compare-and-set carries. Bodies are serialised here, once; the relay sends bytes.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from contracts.catalogue import CATALOGUE
from contracts.envelope import Envelope, Event
from contracts.topics import Kind, Topic

from chassis import clock, telemetry
from chassis.errors import InvalidError
from chassis.ids import new_id
from chassis.state.aggregate import Tombstone, Uncommitted

MAX_BODY: Final = 512 * 1024  # bytes; half of the broker's default limit for a record
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to publish. `value` None is a tombstone."""

    id: str
    topic: str
    key: str
    value: bytes | None
    headers: list[tuple[str, bytes]]

    @property
    def traceparent(self) -> str | None:
        """The trace of the command that said it; it goes out unchanged."""
        return next((text.decode() for name, text in self.headers if name == "traceparent"), None)

    def to_raw(self) -> Raw:
        """The stored form."""
        return {"id": self.id, "t": self.topic, "k": self.key, "v": self.value, "h": [list(h) for h in self.headers]}

    @classmethod
    def from_raw(cls, raw: Raw) -> Self:
        """Read the stored form."""
        value = None if raw["v"] is None else bytes(raw["v"])
        return cls(raw["id"], raw["t"], raw["k"], value, [(name, bytes(text)) for name, text in raw["h"]])


@dataclass(frozen=True, slots=True)
class Work:
    """One effect on another document, or on the outside; its handler is idempotent by `id` or `arguments`."""

    id: str
    kind: str
    arguments: Raw
    tenant: str
    document: str
    traceparent: str | None
    at: int  # unix milliseconds


@dataclass(slots=True)
class Pending:
    """Everything that one stored document still owes."""

    entries: list[Entry] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)

    @classmethod
    def of(cls, raw: Raw) -> Self:
        """Facts in order, then the newest unsent state of each stream."""
        slots = raw.get("slots") or {}
        unsent = [slots[stream] for stream in raw.get("unsent") or () if stream in slots]
        entries = [Entry.from_raw(entry) for entry in [*(raw.get("events") or ()), *unsent]]
        work = [
            Work(item["id"], item["kind"], item["arguments"], raw["tenant"], raw["_id"], item["trace"], item["at"])
            for item in raw.get("work") or ()
        ]
        return cls(entries, work)


@dataclass(slots=True)
class Additions:
    """What one command adds to a document's outbox."""

    events: list[Raw] = field(default_factory=list)
    slots: dict[str, Raw] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    work: list[Raw] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.events or self.slots or self.work)


def additions(service: str, tenant: str, key: str, said: Uncommitted, stored: dict[str, int]) -> Additions:
    """Number and serialise what a command said and asked.

    Args:
        service: name of the producer; `ce_source` becomes ``/turnabout/<service>``.
        tenant: the tenant of the document.
        key: the aggregate's id: subject, partition key and Kafka key.
        said: what the aggregate recorded.
        stored: highest sequence per stream so far.

    Raises:
        InvalidError: a body is larger than `MAX_BODY`.
    """
    result = Additions()
    trace = telemetry.current_traceparent()
    for item in said.said:
        stream = item.topic.stream
        sequence = result.sequences.get(stream, stored.get(stream, 0)) + 1
        result.sequences[stream] = sequence
        entry = _entry(service, tenant, key, item, sequence=sequence, trace=trace).to_raw()
        if item.topic.kind is Kind.STATE:
            result.slots[stream] = entry
        else:
            result.events.append(entry)
    at = int(clock.now().timestamp() * 1000)
    result.work = [
        {"id": new_id(), "kind": ask.kind, "arguments": ask.arguments, "trace": trace, "at": at} for ask in said.asked
    ]
    return result


def _entry(service: str, tenant: str, key: str, item: Event | Tombstone, *, sequence: int, trace: str | None) -> Entry:
    topic: Topic = item.topic
    if isinstance(item, Event):
        CATALOGUE.of(type(item))  # refuses what the catalogue, and so its data-class gate, does not know
        kind, body = item.event_type(), item.model_dump_json().encode()
    else:
        kind, body = topic.removed, None
    if body is not None and len(body) > MAX_BODY:
        raise InvalidError("That is too long to be stored. Please shorten it.")
    event_id = new_id()
    envelope = Envelope(
        id=event_id,
        source=f"/turnabout/{service}",
        type=kind,
        subject=key,
        time=clock.timestamp(),
        tenant=tenant,
        sequence=sequence,
        partition_key=key,
        data_schema=f"urn:turnabout:{kind}",
        traceparent=trace,
    )
    return Entry(event_id, topic.name, key, body, envelope.to_headers())
