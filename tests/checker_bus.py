"""The machinery of a tiny correct world: documents with their outbox, a relay, topics, consumer groups, letters.

It keeps every promise of delivery, and does all that may happen on the way: a crash between sending and clearing, a
frozen sender's late record, a record read again, dead letters with what is parked behind them, compaction.
"""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from chassis.state.outbox import Entry
from contracts.envelope import Envelope, Event
from contracts.topics import TOPICS, Kind, Topic
from operations.checker.evidence import Evidence
from operations.checker.model import Command, Consumption, Document, Effect, Headers, Partition, Raw, TopicRecord
from operations.checker.topology import PRODUCT, Subscription

PARTITIONS: Final = 3
TENANT: Final = "acme"
NAMES: Final = {topic.name: topic for topic in TOPICS}
Owner = tuple[str, str, str]  # service, collection, id
Handler = Callable[[Subscription, TopicRecord, Envelope], None]


@dataclass
class Reading:
    """How far one group is with one partition."""

    position: int = 0
    committed: int = 0
    consumed: int = 0
    restarts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Bus:
    """Documents, topics and groups. Subclasses bring the commands and the handlers."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - the same world again for the same seed
        self.numbers = 0
        self.documents: dict[Owner, Raw] = {}
        self.versions: list[Document] = []
        self.topics: dict[str, list[list[TopicRecord]]] = {}
        self.readings: dict[tuple[str, str, int], Reading] = {}
        self.parked: set[tuple[str, str, bytes]] = set()
        self.commands: list[Command] = []
        self.effects: list[Effect] = []
        self.broken: set[str] = set()
        """Ids of events that their handler can't take."""
        self.trace = "0" * 32
        self.settled = False
        self.calm = False
        """Nothing fails, no process dies, and no answer is lost."""

    def new_id(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}{self.numbers:04}"

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    # --- documents ------------------------------------------------------------------------------------------------

    def commit(
        self,
        owner: Owner,
        fields: Raw,
        *,
        said: Sequence[Event | Topic] = (),
        work: Sequence[Raw] = (),
        fence: tuple[str, int] | None = None,
    ) -> list[Entry]:
        """One compare-and-set, as `chassis.state.documents` writes it; a topic stands for a tombstone."""
        raw = self.documents.get(owner)
        if raw is None:
            empty: Raw = {"sequences": {}, "fences": {}, "events": [], "slots": {}, "unsent": [], "work": []}
            raw = {"_id": owner[2], "tenant": TENANT, **empty, "relay_owner": None}
            self.documents[owner] = raw
        raw |= fields
        raw["revision"] = self.new_id("r")
        entries = [self._say(owner, raw, item) for item in said]
        raw["work"] += [{"id": self.new_id("w"), "trace": self.traceparent, **item} for item in work]
        if fence is not None:
            raw["fences"][fence[0]] = fence[1]
        if (said or work) and raw["relay_owner"] is None:
            raw |= {"relay_owner": f"{owner[0]}-0", "pending": 1}
        self.save(owner)
        return entries

    def save(self, owner: Owner) -> None:
        """Keep the present version."""
        self.versions.append(Document(owner[0], owner[1], copy.deepcopy(self.documents[owner])))

    def put(self, owner: Owner, raw: Raw) -> None:
        """Store a plain document that says nothing."""
        self.documents[owner] = {"_id": owner[2], **raw}
        self.save(owner)

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace}-00000000000000aa-01"

    def _say(self, owner: Owner, raw: Raw, item: Event | Topic) -> Entry:
        topic = item.topic if isinstance(item, Event) else item
        kind = item.event_type() if isinstance(item, Event) else topic.removed
        sequence = raw["sequences"].get(topic.stream, 0) + 1
        raw["sequences"][topic.stream] = sequence
        envelope = self.envelope(topic.owner, owner[2], kind, sequence)
        body = item.model_dump_json().encode() if isinstance(item, Event) else None
        entry = Entry(envelope.id, topic.name, owner[2], body, envelope.to_headers())
        if topic.kind is Kind.STATE:
            raw["slots"][topic.stream] = entry.to_raw()
            raw["unsent"] = sorted({*raw["unsent"], topic.stream})
        else:
            raw["events"].append(entry.to_raw())
        return entry

    def envelope(self, service: str, key: str, kind: str, sequence: int) -> Envelope:
        return Envelope(
            id=self.new_id("e"),
            source=f"/turnabout/{service}",
            type=kind,
            subject=key,
            time="2026-11-25T08:30:00.000Z",
            tenant=TENANT,
            sequence=sequence,
            partition_key=key,
            data_schema=f"urn:turnabout:{kind}",
            traceparent=self.traceparent,
        )

    # --- topics ---------------------------------------------------------------------------------------------------

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> TopicRecord:
        """Write one record where Kafka would: by its key."""
        partitions = self.topics.setdefault(topic, [[] for _ in range(PARTITIONS)])
        number = sum(key or b"") % PARTITIONS
        record = TopicRecord(topic, number, len(partitions[number]), key, value, headers)
        partitions[number].append(record)
        return record

    def _publish(self, raw: Raw) -> None:
        entry = Entry.from_raw(raw)
        self.append(entry.topic, entry.key.encode(), entry.value, tuple(entry.headers))

    def relay(self, owner: Owner) -> None:
        """Publish what a document owes, and clear it; now and then it takes a second sender."""
        raw = self.documents[owner]
        states = [raw["slots"][stream] for stream in raw["unsent"]]
        owed = copy.deepcopy([*raw["events"], *states])
        sent = self.random.randint(0, len(owed)) if self.maybe(0.2) else 0
        for entry in owed[:sent]:  # the first sender dies here
            self._publish(entry)
        for entry in owed:
            self._publish(entry)
        if sent and states:  # a frozen sender's state comes late, and the newest is said once more
            self._publish(states[0])
            for stream in raw["unsent"]:
                self._publish(raw["slots"][stream])
        raw |= {"events": [], "unsent": []}
        self._clear(owner)

    def do_work(self, owner: Owner) -> None:
        """Do the first piece of work of a document."""
        item = self.documents[owner]["work"][0]
        before, self.trace = self.trace, item["trace"].split("-")[1]
        self.work(owner, item)
        self.trace = before
        raw = self.documents[owner]
        raw["work"] = [each for each in raw["work"] if each["id"] != item["id"]]
        self._clear(owner)

    def _clear(self, owner: Owner) -> None:
        raw = self.documents[owner]
        if not (raw["events"] or raw["unsent"] or raw["work"]):
            raw["relay_owner"] = None
            raw.pop("pending", None)
        self.save(owner)

    def work(self, owner: Owner, item: Raw) -> None:
        """Do one piece of work; must be idempotent."""
        raise NotImplementedError

    # --- groups ---------------------------------------------------------------------------------------------------

    def consume(self, subscription: Subscription) -> bool:
        """Let a group take the next record of some partition; False when there is none."""
        ready = []
        for number, records in enumerate(self.topics.get(subscription.topic, [])):
            reading = self.readings.setdefault((subscription.group, subscription.topic, number), Reading())
            if reading.position < len(records):
                ready.append((reading, records))
        if not ready:
            return False
        reading, records = self.random.choice(ready)
        reading.outcomes[self._outcome(subscription, records[reading.position])] += 1
        reading.consumed += 1
        reading.position += 1
        if not self.calm and self.maybe(0.1):  # the process dies before it commits
            reading.position = reading.committed
            reading.restarts += 1
        elif self.calm or self.maybe(0.5):
            reading.committed = reading.position
        return True

    def commit_all(self) -> None:
        """Every group commits where it stands, as at a clean stop."""
        for reading in self.readings.values():
            reading.committed = reading.position

    def _outcome(self, subscription: Subscription, record: TopicRecord) -> str:
        try:
            envelope = Envelope.from_headers(record.headers)
        except ValueError:
            self._bury(subscription, record, "bad-envelope")
            return "deadletter"
        if (subscription.group, record.topic, record.key or b"") in self.parked:
            self._bury(subscription, record, "parked")
            return "parked"
        if record.value is not None and envelope.type not in subscription.types:
            return "skipped"
        if self._applied(subscription, record, envelope):
            return "duplicate"
        if envelope.id in self.broken:
            self._bury(subscription, record, "handler-failed")
            return "deadletter"
        self.apply(subscription, record, envelope)
        return "done"

    def _applied(self, subscription: Subscription, record: TopicRecord, envelope: Envelope) -> bool:
        label = f"{NAMES[record.topic].stream}:{envelope.subject}"
        return any(
            raw.get("fences", {}).get(label, 0) >= envelope.sequence
            for (service, *_), raw in self.documents.items()
            if service == subscription.service
        )

    def apply(self, subscription: Subscription, record: TopicRecord, envelope: Envelope) -> None:
        """Handle one event within the trace that it carries."""
        before, self.trace = self.trace, (envelope.traceparent or "").split("-")[1]
        self.handle(subscription, record, envelope)
        self.trace = before

    def handle(self, subscription: Subscription, record: TopicRecord, envelope: Envelope) -> None:
        """What the group does about the event."""
        raise NotImplementedError

    def _bury(self, subscription: Subscription, record: TopicRecord, reason: str) -> None:
        origin = {
            "reason": reason,
            "error": "",
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "group": subscription.group,
            "attempts": "0" if reason == "parked" else "3",
            "at": "2026-11-25T08:30:00.000Z",
        }
        headers = tuple((f"dlq-{name}", text.encode()) for name, text in origin.items())
        self.append(subscription.dead, record.key, record.value, (*record.headers, *headers))
        place = (subscription.group, record.topic, record.key or b"")
        if reason == "handler-failed" and NAMES[record.topic].kind is Kind.FACTS and place not in self.parked:
            self.parked.add(place)
            key = (record.key or b"").decode()
            name = f"{subscription.group}|{record.topic}|{key}"
            raw: Raw = {"group": subscription.group, "topic": record.topic, "key": key, "reason": reason}
            self.put((subscription.service, "parked_keys", name), raw)

    def redrive(self, subscription: Subscription, key: bytes) -> None:
        """Feed the letters of a key through its group, in order, and let the key flow."""
        waiting = sorted(
            {int(dict(each.headers)["dlq-offset"] or b""): each for each in self._letters(subscription, key)}.items()
        )
        for offset, letter in waiting:
            headers = tuple(header for header in letter.headers if not header[0].startswith("dlq-"))
            envelope = Envelope.from_headers(headers)
            if envelope.type in subscription.types and not self._applied_letter(subscription, letter, envelope):
                self.apply(subscription, _source(letter, headers), envelope)
            partition = (dict(letter.headers)["dlq-partition"] or b"").decode()
            name = f"{subscription.group}|{subscription.topic}|{partition}|{offset}"
            self.put((subscription.service, "settled_letters", name), {"group": subscription.group, "how": "redriven"})
        owner = (subscription.service, "parked_keys", f"{subscription.group}|{subscription.topic}|{key.decode()}")
        del self.documents[owner]
        self.versions = [each for each in self.versions if (each.service, each.collection, each.id) != owner]
        self.parked.discard((subscription.group, subscription.topic, key))

    def _letters(self, subscription: Subscription, key: bytes) -> list[TopicRecord]:
        return [
            letter
            for records in self.topics.get(subscription.dead, [])
            for letter in records
            if letter.key == key and dict(letter.headers)["dlq-reason"] != b"bad-envelope"
        ]

    def _applied_letter(self, subscription: Subscription, letter: TopicRecord, envelope: Envelope) -> bool:
        return self._applied(subscription, _source(letter, letter.headers), envelope)

    # --- what is left ---------------------------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """Everything as it stands."""
        partitions = [
            Partition(topic, number, 0, len(records))
            for topic, all_records in self.topics.items()
            for number, records in enumerate(all_records)
        ]
        consumption = [
            Consumption(*place, reading.committed, dict(reading.outcomes), reading.consumed, reading.restarts)
            for place, reading in self.readings.items()
        ]
        return Evidence(
            PRODUCT,
            commands=list(self.commands),
            records=[record for topic in self.topics for record in self._compacted(topic)],
            partitions=partitions,
            documents=list(self.versions),
            effects=list(self.effects),
            consumption=consumption,
            settled=self.settled,
            traced=True,
            versions=True,
        )

    def _compacted(self, topic: str) -> list[TopicRecord]:
        """What a cleaner left: of a compacted key always the last record, and some of the others."""
        found = [record for records in self.topics[topic] for record in records]
        if topic not in NAMES or NAMES[topic].kind is Kind.FACTS:
            return found
        last = {record.key: record for record in found}
        return [record for record in found if last[record.key] is record or self.maybe(0.5)]


def _source(letter: TopicRecord, headers: Headers) -> TopicRecord:
    facts: dict[str, Any] = dict(letter.headers)
    topic = facts["dlq-topic"].decode()
    return TopicRecord(topic, int(facts["dlq-partition"]), int(facts["dlq-offset"]), letter.key, letter.value, headers)
