"""Evidence: everything that a run left behind, with the lookups that several checks share.

The lookups are computed once and only when asked for; the pieces themselves are never changed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from contracts.envelope import BadEnvelopeError, Envelope

from operations.checker.letter import Letter, read_letter
from operations.checker.model import Command, Consumption, Document, Effect, Item, Partition, Place, Raw, TopicRecord
from operations.checker.topology import PRODUCT, Stream, Subscription, Topology

_DEAD: Final = ".dead"
_PARKED: Final = "parked_keys"
_SETTLED: Final = "settled_letters"


class Said(NamedTuple):
    """A record of a stream whose envelope can be read."""

    record: TopicRecord
    envelope: Envelope
    key: str

    @property
    def sequence(self) -> int:
        """Its number within stream and key."""
        return self.envelope.sequence

    @property
    def trace(self) -> str | None:
        """Its trace id."""
        return trace_of(self.envelope.traceparent)

    def body(self) -> Raw:
        """Its JSON body; empty for a tombstone or a body that is no JSON object."""
        return body_of(self.record.value)


class Owed(NamedTuple):
    """An entry that a document has not published, or the newest state of one of its streams."""

    topic: str
    sequence: int
    id: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, eq=False)
class Evidence:
    """All pieces. Those of a kind that was not recorded are empty, and nothing is concluded from that."""

    topology: Topology = PRODUCT
    commands: Sequence[Command] = ()
    records: Sequence[TopicRecord] = ()
    partitions: Sequence[Partition] = ()
    documents: Sequence[Document] = ()
    effects: Sequence[Effect] = ()
    consumption: Sequence[Consumption] = ()
    settled: bool = True
    """Faults have stopped, and everything had its time: what is unfinished stays so."""
    traced: bool = False
    """Every command was sent with a trace id, and nothing else began a trace."""
    versions: bool = False
    """`documents` holds every version that was ever written, in order."""

    @cached_property
    def by_place(self) -> dict[tuple[str, int, int], TopicRecord]:
        """Every record by topic, partition and offset."""
        return {(each.topic, each.partition, each.offset): each for each in self.records}

    @cached_property
    def by_partition(self) -> dict[Place, list[TopicRecord]]:
        """Every record in the order of its partition."""
        found: dict[Place, list[TopicRecord]] = {}
        for record in self.records:
            found.setdefault(record.place, []).append(record)
        for records in found.values():
            records.sort(key=lambda each: each.offset)
        return found

    @cached_property
    def bounds(self) -> dict[Place, Partition]:
        """First kept and next offset of each partition; as far as the records show where nobody asked the broker."""
        found = {
            (topic, partition): Partition(topic, partition, 0, records[-1].offset + 1)
            for (topic, partition), records in self.by_partition.items()
        }
        return found | {(each.topic, each.partition): each for each in self.partitions}

    def complete(self, topic: str) -> bool:
        """Whether nothing of the topic has expired yet."""
        return all(each.start == 0 for place, each in self.bounds.items() if place[0] == topic)

    @cached_property
    def said(self) -> dict[tuple[str, int, int], Said]:
        """The records of streams that can be read, by place, in the order of their partitions."""
        found = {}
        for place, records in self.by_partition.items():
            if self.topology.stream(place[0]) is None:
                continue
            for record in records:
                try:
                    said = Said(record, Envelope.from_headers(record.headers), (record.key or b"").decode())
                except (BadEnvelopeError, UnicodeDecodeError):
                    continue
                if said.key:
                    found[(*place, record.offset)] = said
        return found

    @cached_property
    def by_key(self) -> dict[tuple[str, str], list[Said]]:
        """What was said on a topic under a key, in the order of offsets."""
        found: dict[tuple[str, str], list[Said]] = {}
        for said in self.said.values():
            found.setdefault((said.record.topic, said.key), []).append(said)
        return found

    @cached_property
    def latest(self) -> dict[tuple[str, str, str], Document]:
        """The last version of each document by service, collection and id."""
        return {(each.service, each.collection, each.id): each for each in self.documents}

    @cached_property
    def services(self) -> set[str]:
        """Services whose database was read."""
        return {each.service for each in self.documents}

    @cached_property
    def owners(self) -> dict[tuple[str, str], Document]:
        """Who says a key of a topic: the document that counts its sequence."""
        names = {(stream.service, stream.name): stream.topic for stream in self.topology.streams}
        return {
            (topic, document.id): document
            for (service, *_), document in self.latest.items()
            for name in document.raw.get("sequences") or {}
            if (topic := names.get((service, name))) is not None
        }

    @cached_property
    def fences(self) -> dict[tuple[str, str], tuple[int, Document]]:
        """Highest sequence applied and the document that says so, by service and fence label."""
        found: dict[tuple[str, str], tuple[int, Document]] = {}
        for (service, *_), document in self.latest.items():
            for label, sequence in (document.raw.get("fences") or {}).items():
                if found.get((service, label), (0, document))[0] <= sequence:
                    found[service, label] = (sequence, document)
        return found

    def fence(self, subscription: Subscription, key: str) -> tuple[int, Document | None]:
        """How far a group has applied a key; 0 and None when it never did."""
        stream = self.topology.stream(subscription.topic)
        label = f"{stream.name if stream else ''}:{key}".replace(".", "·").replace("$", "§")
        return self.fences.get((subscription.service, label), (0, None))

    @cached_property
    def letters(self) -> list[Letter]:
        """The dead letters that say where they came from, in the order of their partitions."""
        return [
            letter
            for (topic, _), records in self.by_partition.items()
            if topic.endswith(_DEAD)
            for record in records
            if (letter := read_letter(record)) is not None
        ]

    @cached_property
    def dead(self) -> dict[tuple[str, str, int, int], Letter]:
        """The letter of a group about an offset: group, topic, partition, offset."""
        return {
            (letter.group, letter.topic, letter.partition, offset): letter
            for letter in reversed(self.letters)
            for offset in letter.offsets
        }

    @cached_property
    def settlements(self) -> dict[str, str]:
        """How letters were dealt with, by ``group|topic|partition|offset``."""
        return {
            document.id: str(document.raw.get("how"))
            for (_, collection, _), document in self.latest.items()
            if collection == _SETTLED
        }

    @cached_property
    def parked(self) -> list[Document]:
        """The parked keys of all groups."""
        return [document for (_, collection, _), document in self.latest.items() if collection == _PARKED]

    def excused(self, subscription: Subscription, record: TopicRecord) -> bool:
        """Whether a letter stands for the record's effect: it waits, or an operator gave it up."""
        if (subscription.group, *record.place, record.offset) not in self.dead:
            return False
        name = f"{subscription.group}|{record.topic}|{record.partition}|{record.offset}"
        return self.settlements.get(name) in {None, "discarded"}

    def waits(self, letter: Letter) -> bool:
        """Whether nobody has dealt with the letter yet."""
        return "|".join(map(str, letter.origin)) not in self.settlements

    @cached_property
    def committed(self) -> dict[tuple[str, str, int], int]:
        """The offset that a group has committed for a partition; 0 where it committed nothing."""
        return {(each.group, each.topic, each.partition): each.committed or 0 for each in self.consumption}

    def passed(self, subscription: Subscription, record: TopicRecord) -> bool:
        """Whether the group has committed past the record, and so never reads it again."""
        return record.offset < self.committed.get((subscription.group, *record.place), 0)

    def handles(self, subscription: Subscription, said: Said) -> bool:
        """Whether the record is for the group: its type is known, or it ends a compacted key."""
        stream = self.topology.stream(said.record.topic)
        if said.record.value is None:
            return stream is not None and stream.compacted
        return said.envelope.type in subscription.types

    def owes(self, document: Document) -> list[Owed]:
        """The facts and states that the document has still to publish."""
        raw = document.raw
        states = {stream: (raw.get("slots") or {}).get(stream) for stream in raw.get("unsent") or ()}
        return [
            owed
            for entry in [*(raw.get("events") or ()), *states.values()]
            if entry and (owed := self.entry(document.service, entry))
        ]

    def entry(self, service: str, entry: Raw) -> Owed | None:
        """A stored entry; None when it names no stream of the service or can't be read."""
        stream = self.topology.stream(entry["t"])
        headers = tuple((str(name), bytes(value)) for name, value in entry["h"])
        try:
            envelope = Envelope.from_headers(headers)
        except BadEnvelopeError:
            return None
        if stream is None or stream.service != service:
            return None
        value = None if entry["v"] is None else bytes(entry["v"])
        return Owed(stream.topic, envelope.sequence, entry["id"], entry["k"], value, headers)

    @property
    def facts(self) -> list[Stream]:
        """The streams of which every event counts."""
        return [stream for stream in self.topology.streams if not stream.compacted]

    @property
    def states(self) -> list[Stream]:
        """The compacted streams."""
        return [stream for stream in self.topology.streams if stream.compacted]


def trace_of(traceparent: str | None) -> str | None:
    """The trace id of a W3C traceparent; None when there is none or it is malformed."""
    parts = (traceparent or "").split("-")
    lengths = tuple(map(len, parts))
    return parts[1] if lengths == (2, 32, 16, 2) else None


def body_of(value: bytes | None) -> Raw:
    """A JSON body; empty for a tombstone or a body that is no JSON object."""
    try:
        body: Any = json.loads(value or b"{}")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def of_record(record: TopicRecord, note: str = "") -> Item:
    """A record as a witness."""
    return Item("record", f"{record.topic}[{record.partition}]@{record.offset}", note)


def of_said(said: Said, note: str = "") -> Item:
    """A readable record as a witness, with the numbers by which a person finds it."""
    about = f"id {said.envelope.id}, key {said.key}, sequence {said.sequence}"
    return of_record(said.record, f"{about}; {note}" if note else about)


def of_document(document: Document, note: str = "") -> Item:
    """A document as a witness."""
    return Item("document", f"{document.service}.{document.collection}/{document.id}", note)


def of_group(group: str, place: Place, note: str = "") -> Item:
    """What a group did with a partition, as a witness."""
    return Item("group", f"{group} on {place[0]}[{place[1]}]", note)
