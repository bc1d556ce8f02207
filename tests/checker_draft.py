"""Evidence that can be spoiled: the lists of a world's evidence, and the handles by which bugs take hold of them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from checker_world import World, evidence_of, world
from operations.checker.evidence import Evidence, Said
from operations.checker.model import Command, Consumption, Document, Effect, Partition, Raw, TopicRecord
from operations.checker.topology import PRODUCT


class Draft:
    """The evidence of one world, to be changed."""

    def __init__(self, seed: int) -> None:
        evidence = evidence_of(seed)
        self.world: World = world(seed)
        self.commands: list[Command] = list(evidence.commands)
        self.records: list[TopicRecord] = list(evidence.records)
        self.partitions: list[Partition] = list(evidence.partitions)
        self.documents: list[Document] = copy.deepcopy(list(evidence.documents))
        self.effects: list[Effect] = list(evidence.effects)
        self.consumption: list[Consumption] = list(evidence.consumption)
        self.topology = PRODUCT

    def evidence(self) -> Evidence:
        """What the checker gets to see."""
        return Evidence(
            self.topology,
            commands=self.commands,
            records=self.records,
            partitions=self.partitions,
            documents=self.documents,
            effects=self.effects,
            consumption=self.consumption,
            traced=True,
            versions=True,
        )

    # --- topics ---------------------------------------------------------------------------------------------------

    def said(self, topic: str, key: str) -> list[Said]:
        """The first record of each event of a key, by sequence."""
        found = Evidence(records=self.records).by_key[topic, key]
        return [said for _, said in sorted({each.sequence: each for each in reversed(found)}.items())]

    def copies(self, said: Said) -> list[TopicRecord]:
        """Every record of the same event."""
        name = ("ce_id", said.envelope.id.encode())
        return [record for record in self.records if name in record.headers and not record.topic.endswith(".dead")]

    def remove(self, *records: TopicRecord) -> None:
        self.records = [record for record in self.records if record not in records]

    def change(self, record: TopicRecord, *, headers: dict[str, bytes] | None = None, **parts: Any) -> None:
        """Put a record in place of another; named headers get new values."""
        changed = tuple((name, (headers or {}).get(name, value)) for name, value in record.headers)
        self.records[self.records.index(record)] = replace(record, headers=changed, **parts)

    def change_event(self, said: Said, *, headers: dict[str, bytes] | None = None, **parts: Any) -> None:
        """Change every record of an event alike."""
        for record in self.copies(said):
            self.change(record, headers=headers, **parts)

    def append(self, like: TopicRecord, *, headers: dict[str, bytes] | None = None, **parts: Any) -> TopicRecord:
        """Write one more record to a partition; whoever reads the topic has read it, as a duplicate."""
        partition = parts.get("partition", like.partition)
        [place] = [each for each in self.partitions if (each.topic, each.partition) == (like.topic, partition)]
        changed = tuple((name, (headers or {}).get(name, value)) for name, value in like.headers)
        record = replace(like, offset=place.end, headers=changed, **parts)
        self.records.append(record)
        self.partitions[self.partitions.index(place)] = replace(place, end=place.end + 1)
        for reading in self.readings(record):
            counted = {**(reading.outcomes or {}), "duplicate": (reading.outcomes or {}).get("duplicate", 0) + 1}
            self.read(reading, committed=place.end + 1, outcomes=counted, consumed=(reading.consumed or 0) + 1)
        return record

    def renumbered(self, said: Said, add: int, **changes: bytes) -> dict[str, bytes]:
        """Headers of another event of the same key."""
        return {"ce_id": b"e-new", "ce_sequence": str(said.sequence + add).encode(), **changes}

    # --- the rest -------------------------------------------------------------------------------------------------

    def document(self, service: str, collection: str, name: str) -> Raw:
        """The last version of a document, to be changed."""
        return self.versions(service, collection, name)[-1].raw

    def versions(self, service: str, collection: str, name: str) -> list[Document]:
        place = (service, collection, name)
        return [each for each in self.documents if (each.service, each.collection, each.id) == place]

    def add_version(self, document: Document, **fields: Any) -> None:
        self.documents.append(Document(document.service, document.collection, {**document.raw, **fields}))

    def readings(self, record: TopicRecord, group: str = "") -> list[Consumption]:
        """What groups did with the partition of a record."""
        return [
            each
            for each in self.consumption
            if (each.topic, each.partition) == record.place and each.group.startswith(group)
        ]

    def read(self, reading: Consumption, **parts: Any) -> None:
        self.consumption[self.consumption.index(reading)] = replace(reading, **parts)

    def recount(self, reading: Consumption, before: str, after: str, count: int = 1) -> None:
        """Let records have had another outcome."""
        outcomes = dict(reading.outcomes or {})
        outcomes[before] -= count
        outcomes[after] = outcomes.get(after, 0) + count
        self.read(reading, outcomes=outcomes)

    def letters(self, reason: str, group: str = "notifications.threads") -> list[TopicRecord]:
        """The dead letters of a group; of the stuck pair unless the envelope is bad."""
        key = b"stranger" if reason == "bad-envelope" else self.world.stuck.encode()
        wanted = [("dlq-reason", reason.encode()), ("dlq-group", group.encode())]
        return [r for r in self.records if r.key == key and all(header in r.headers for header in wanted)]

    def command(self, said: Said) -> Command:
        """The command that said an event."""
        return next(each for each in self.commands if each.trace == said.trace)

    def amend(self, command: Command, **parts: Any) -> None:
        self.commands[self.commands.index(command)] = replace(command, **parts)


@dataclass(frozen=True)
class Bug:
    """A planted bug: what the checker must call it, and how many things show it."""

    name: str
    spoil: Callable[[Draft], None]
    invariant: str
    rule: str
    witness: int
    also: frozenset[str]
    """Rules that it breaks inevitably as well."""


BUGS: Final[dict[str, Bug]] = {}


def bug(invariant: str, rule: str, witness: int, *also: str) -> Callable[[Callable[[Draft], None]], None]:
    """Plant a bug under the name of the function."""

    def plant(spoil: Callable[[Draft], None]) -> None:
        name = spoil.__name__.replace("_", "-")
        BUGS[name] = Bug(name, spoil, invariant, rule, witness, frozenset(also))

    return plant
