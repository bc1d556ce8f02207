"""Golden examples: records as they are on the wire, written by hand and kept for ever.

A file in ``contracts/examples`` is one record: ``topic``, ``key``, ``headers`` as text, and ``body``, which is null for
a tombstone. Other teams can run their code over them; ours must read every one as long as the major version lives.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.catalogue import CATALOGUE, Entry
from contracts.envelope import CONTENT_TYPE, BadEnvelopeError, Envelope, Event
from contracts.topics import TOPICS, Kind, Topic


@dataclass(frozen=True, slots=True)
class Example:
    """One record."""

    name: str
    topic: str
    key: str
    headers: dict[str, str]
    body: dict[str, Any] | None

    @property
    def type(self) -> str:
        """Its ``ce_type``."""
        return self.headers.get("ce_type", "")

    @property
    def envelope(self) -> Envelope:
        """Its envelope, read as a consumer reads it."""
        return Envelope.from_headers([(name, value.encode()) for name, value in self.headers.items()])

    @property
    def value(self) -> bytes | None:
        """Its body as bytes."""
        return None if self.body is None else json.dumps(self.body).encode()


def load(folder: Path) -> list[Example]:
    """All examples of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.json")):
        raw = json.loads(path.read_text())
        found.append(Example(path.name.removesuffix(".json"), raw["topic"], raw["key"], raw["headers"], raw["body"]))
    return found


def entry_of(example: Example) -> Entry | None:
    """The catalogue's entry for an example; None for a tombstone or an unknown type."""
    return next((entry for entry in CATALOGUE if entry.type == example.type), None)


def topic_of(example: Example) -> Topic | None:
    """Where the record would be, tombstones included."""
    if (entry := entry_of(example)) is not None:
        return entry.topic
    return next((topic for topic in TOPICS if topic.kind is Kind.STATE and topic.removed == example.type), None)


def read(example: Example) -> Event | None:
    """The event in the example as our own consumers read it; None for a tombstone."""
    entry = entry_of(example)
    return entry.event.model_validate_json(example.value) if entry and example.value is not None else None


def problems(example: Example) -> list[str]:
    """What is wrong with one example; empty when it is a record that our producers could have sent."""
    topic = topic_of(example)
    if topic is None:
        return [f"{example.type!r} is neither an event of the catalogue nor a tombstone of a compacted topic"]
    try:
        envelope = example.envelope
    except BadEnvelopeError as error:
        return [str(error)]
    entry, found = entry_of(example), [] if example.topic == topic.name else [f"its topic is {topic.name}"]
    expected = {
        "ce_source": f"/turnabout/{topic.owner}",
        "ce_subject": example.key,
        "ce_partitionkey": example.key,
        "ce_dataschema": f"urn:turnabout:{example.type}",
        "content-type": CONTENT_TYPE,
    }
    found += [f"{name} must be {value}" for name, value in expected.items() if example.headers.get(name) != value]
    if {name: text.decode() for name, text in envelope.to_headers()} != example.headers:
        found.append("the headers are not those that the envelope writes")
    if (entry is None) != (example.body is None):
        found.append("a tombstone has no body, and everything else has one")
    if entry is not None and example.body is not None and example.body.get(entry.key) != example.key:
        found.append(f"{entry.key} in the body must be the key")
    return found
