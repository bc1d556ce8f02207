"""What must hold once everything is quiet, compared as sets: nothing lost, doubled, or out of order.

The facts on the topics, the documents, the effects outside and the clients' own history are read independently of
each other; every breach is a sentence that names the order or the command.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.envelope import Envelope
from contracts.matching import ProgrammePublished, SessionLogged
from contracts.notifications import NoticeSent
from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from operations.checker.model import Breach

from faults_world import sink
from faults_world.load import Command
from faults_world.orders import AFTER, NEXT, read_session
from faults_world.world import GROUPS, World

DEAD: Final = tuple(topic.dead(group) for topic, group in GROUPS.items())


@dataclass(frozen=True, slots=True)
class Said:
    """One record of a topic, as far as it matters here."""

    key: str
    sequence: int
    event_id: str
    body: str
    digest: str


@dataclass(slots=True)
class Seen:
    """Everything that was found at the end."""

    history: Sequence[Command]
    topics: dict[str, list[Said]]
    orders: dict[str, dict[str, Any]]
    tallies: dict[str, dict[str, Any]]
    parcels: dict[str, dict[str, Any]]
    effects: Sequence[sink.Line]


@dataclass(slots=True)
class Breaches:
    """What does not hold."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    illegal: list[str] = field(default_factory=list)

    def add(self, others: Iterable[Breach]) -> None:
        """Take in what the general checker found."""
        places = {"I1": self.lost, "I7": self.lost, "I3": self.doubled}
        for breach in others:
            witness = "; ".join(f"{item.kind} {item.name} {item.note}" for item in breach.witness)
            places.get(breach.invariant, self.illegal).append(f"{breach.rule}: {breach.summary} ({witness})")

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.illegal)

    def __str__(self) -> str:
        return "\n".join(
            f"{name}: {text}"
            for name, texts in (("lost", self.lost), ("doubled", self.doubled), ("illegal", self.illegal))
            for text in texts[:20]
        )


def check(seen: Seen) -> Breaches:
    """Compare everything with everything."""
    found = Breaches()
    facts = _first(MENTORSHIP.name, seen.topics[MENTORSHIP.name], found)
    notices = _first(NOTICE.name, seen.topics[NOTICE.name], found)
    _commands(seen, facts, found)
    _walks(facts, found)
    for order, document in seen.orders.items():
        _order(seen, order, document, found)
        _complete(f"facts of {order}", _steps(facts[order]), document["step"], found)
        _complete(f"notices of {order}", _steps(notices[order]), document["step"], found)
    _effects(seen, found)
    _states(seen, found)
    for topic in DEAD:
        letters = seen.topics[topic]
        found.lost += [f"a dead letter of {said.key or 'a batch'} on {topic}: {said.body}" for said in letters]
    return found


def _first(topic: str, records: Iterable[Said], found: Breaches) -> dict[str, list[str]]:
    """First occurrences per key, which must count from 1; a repeat must be the same bytes."""
    known: dict[tuple[str, int], Said] = {}
    highest: dict[str, int] = defaultdict(int)
    bodies: dict[str, list[str]] = defaultdict(list)
    for said in records:
        before = known.setdefault((said.key, said.sequence), said)
        if before is not said:
            if before.digest != said.digest:
                found.illegal.append(f"{topic}: {said.key} #{said.sequence} was said twice in different words")
            continue
        if said.sequence != highest[said.key] + 1:
            found.illegal.append(f"{topic}: {said.key} #{said.sequence} follows #{highest[said.key]}")
        highest[said.key] = max(said.sequence, highest[said.key])
        bodies[said.key].append(said.body)
    return bodies


def _commands(seen: Seen, facts: dict[str, list[str]], found: Breaches) -> None:
    carried = Counter(read_session(name)[2] for names in facts.values() for name in names)
    found.doubled += [f"command {key} was carried out {count} times" for key, count in carried.items() if count > 1]
    known = {command.key for command in seen.history}
    found.illegal += [f"command {key} was never given" for key in carried if key not in known]
    for command in seen.history:
        if command.outcome == "ok" and not carried[command.key]:
            found.lost.append(f"command {command.key} on {command.order} was answered and has no fact")
        if command.outcome == "fail" and carried[command.key]:
            found.illegal.append(f"command {command.key} on {command.order} was refused and has a fact")


def _walks(facts: dict[str, list[str]], found: Breaches) -> None:
    for order, names in facts.items():
        status = "open"
        for name in names:
            _, move, _ = read_session(name)
            if NEXT[status] != move:
                found.illegal.append(f"{order} was {status} and took {name}")
            status = AFTER[move]


def _order(seen: Seen, order: str, document: dict[str, Any], found: Breaches) -> None:
    for what, kept in (("tally", seen.tallies), ("parcel", seen.parcels)):
        counted = kept.get(order, {"count": 0, "last": 0})
        if counted["count"] < document["step"]:
            found.lost.append(f"the {what} of {order} counts {counted['count']} of {document['step']} steps")
        if counted["count"] > document["step"]:
            found.doubled.append(f"the {what} of {order} counts {counted['count']} of {document['step']} steps")
        found.illegal += [f"the {what} of {order} saw {breach}" for breach in counted.get("breaches", ())]
    if document.get("pending"):
        found.lost.append(f"{order} still owes something")


def _steps(names: Iterable[str]) -> list[int]:
    return [read_session(name)[0] for name in names]


def _complete(what: str, steps: list[int], last: int, found: Breaches) -> None:
    counted = Counter(steps)
    found.lost += [f"{what}: step {step} is missing" for step in range(1, last + 1) if not counted[step]]
    found.doubled += [f"{what}: step {step} is there {count} times" for step, count in counted.items() if count > 1]
    found.illegal += [f"{what}: step {step} was never taken" for step in counted if step > last]


def _effects(seen: Seen, found: Breaches) -> None:
    by_order: dict[str, list[str]] = defaultdict(list)
    for line in seen.effects:
        if not line.again:
            by_order[line.order].append(line.name)
    for order, document in seen.orders.items():
        _complete(f"effects of {order}", _steps(by_order[order]), document["step"], found)
    found.illegal += [f"effects of {order}, which is not there" for order in by_order if order not in seen.orders]


def _states(seen: Seen, found: Breaches) -> None:
    """The compacted topic, read from the beginning, is the database; a healing still to come may correct the last."""
    last: dict[str, Said] = {}
    newest: dict[str, int] = defaultdict(int)
    for said in seen.topics[PROGRAMME.name]:
        last[said.key] = said
        newest[said.key] = max(newest[said.key], int(said.body))
    for order, document in seen.orders.items():
        step = document["step"]
        if newest[order] < step:
            found.lost.append(f"the newest state of {order} is {newest[order]}, not {step}")
        elif last and int(last[order].body) != step and "heal_at" not in document:
            found.illegal.append(f"the last state of {order} is {last[order].body}, not {step}")


# --- reading ----------------------------------------------------------------------------------------------------


async def look(world: World, history: Sequence[Command]) -> Seen:
    """Read the topics, the databases and the outside."""
    topics = {name: await _dump(world.kafka, name) for name in (MENTORSHIP.name, NOTICE.name, PROGRAMME.name, *DEAD)}
    return Seen(
        history,
        topics,
        {raw["_id"]: raw for raw in world.documents("orders", "orders")},
        {raw["_id"]: raw for raw in world.documents("orders", "tallies")},
        {raw["_id"]: raw for raw in world.documents("parcels", "parcels")},
        sink.read(world.sink)[0],
    )


async def _dump(servers: str, topic: str) -> list[Said]:
    """Every record of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Said] = []
    try:
        await consumer._client.force_metadata_update()  # aiokafka has no public way without a group
        await consumer.topics()
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                records = (await consumer.getmany(partition, timeout_ms=500)).get(partition, ())
                found += [_said(topic, record) for record in records]
    finally:
        await consumer.stop()
    return found


def _said(topic: str, record: Any) -> Said:
    if topic in DEAD:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        return Said((record.key or b"").decode(errors="replace"), 0, "", headers.get("dlq-reason", ""), "")
    envelope = Envelope.from_headers(record.headers)
    digest = hashlib.sha256(record.value + repr(record.headers).encode()).hexdigest()
    body = ""
    if topic == MENTORSHIP.name:
        body = SessionLogged.model_validate_json(record.value).session
    elif topic == NOTICE.name:
        body = NoticeSent.model_validate_json(record.value).notice
    elif topic == PROGRAMME.name:
        body = str(ProgrammePublished.model_validate_json(record.value).rules_version)
    return Said(record.key.decode(), envelope.sequence, envelope.id, body, digest)
