"""What must hold once everything is quiet: the checker's invariants, and what only this world knows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from chassis.consuming.suspects import DEATHS
from contracts.envelope import Envelope
from contracts.matching import ProgrammePublished, SessionLogged
from contracts.notifications import NoticeSent
from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from operations.checker.checks import check
from operations.checker.evidence import Evidence
from operations.checker.model import (
    Breach,
    Command,
    Consumption,
    Document,
    Effect,
    Ending,
    Expected,
    Partition,
    TopicRecord,
)
from operations.checker.topology import Marks, Stream, Subscription, Topology

from simulation import services

if TYPE_CHECKING:
    from simulation.clients import Given
    from simulation.world import World

TOPOLOGY: Final = Topology(
    streams=(
        Stream(MENTORSHIP.name, "orders", MENTORSHIP.stream, compacted=False),
        Stream(PROGRAMME.name, "orders", PROGRAMME.stream, compacted=True, mirrors=("rules_version",)),
        Stream(NOTICE.name, "parcels", NOTICE.stream, compacted=False),
    ),
    subscriptions=(
        Subscription("parcels.orders", MENTORSHIP.name, (SessionLogged.event_type(),)),
        Subscription("letters.notices", NOTICE.name, (NoticeSent.event_type(),), fences=False),
        Subscription(
            "letters.rows",
            PROGRAMME.name,
            (ProgrammePublished.event_type(),),
            fences=False,
            rows="rows",
            mirrors=("rules_version",),
        ),
    ),
    marks=(
        Marks("parcels", "parcels", "seen", group="parcels.orders"),
        Marks("orders", "tallies", "names"),
    ),
    once=((MENTORSHIP.name, "session"), (NOTICE.name, "notice")),
)
_FACTS: Final = {"fact", "both", services.POISON}


def breaches(world: "World") -> list[str]:
    """Every breach as a sentence with the least that shows it."""
    evidence = evidence_of(world)
    found = [_sentence(each) for each in check(evidence) if not _explained(world, evidence, each)]
    return [*found, *_works(world), *_effects(evidence), *_orders(evidence), *_ends(world), *_accused(world, evidence)]


def _explained(world: "World", evidence: Evidence, breach: Breach) -> bool:
    """What the checker can't know: whether a record with a letter was handled all the same when it was read again."""
    if breach.rule == "parked-order":
        plan = world.plan  # a record that was done before can fail when it is read again
        return bool(plan.rewinds or plan.blows or plan.stops)
    if breach.rule == "overtaken":
        letter = next(each for each in evidence.letters if breach.witness[0].name.endswith(_place(each.record)))
        envelope = Envelope.from_headers(letter.headers)
        return any(envelope.id in raw["seen"] for raw in _rows(world, "parcels", "parcels"))
    return False


def _place(record: TopicRecord) -> str:
    return f"{record.topic}[{record.partition}]@{record.offset}"


def _sentence(breach: Breach) -> str:
    witness = "; ".join(f"{item.kind} {item.name} ({item.note})" for item in breach.witness)
    return f"{breach.invariant} {breach.rule}: {breach.summary} {witness}"


def evidence_of(world: "World") -> Evidence:
    """What the run left behind."""
    log, groups = world.log, world.groups
    topics = [MENTORSHIP.name, NOTICE.name, PROGRAMME.name]
    topics += [f"{topic}.{group.name}.dead" for group in groups.values() for topic in group.topics]
    return Evidence(
        topology=TOPOLOGY,
        traced=True,
        commands=[_command(each) for each in world.given],
        records=[
            TopicRecord(each.topic, each.partition, each.offset, each.key, each.value, each.headers)
            for topic in topics
            for each in log.records(topic)
        ],
        partitions=[
            Partition(topic, place, 0, log.end(topic, place))
            for topic in topics
            for place in range(log.partitions(topic))
        ],
        documents=[
            Document(service, collection, raw)
            for service, storage in world.storages.items()
            for collection, table in storage.tables.items()
            for raw in table.documents.values()
        ],
        effects=[
            Effect("letters", raw["notice"], event=raw["event"], trace=raw["trace"].split("-")[1])
            for raw in _rows(world, "letters", "letters")
        ],
        consumption=[
            Consumption(group.name, topic, place, log.committed(group.name, topic, place))
            for group in groups.values()
            for topic in group.topics
            for place in range(log.partitions(topic))
        ],
    )


def _command(given: "Given") -> Command:
    leads_to = []
    if given.kind in _FACTS:
        fields = (("session", given.name),)
        leads_to.append(Expected(MENTORSHIP.name, SessionLogged.event_type(), given.order, fields))
    if given.kind in {"state", "both"}:
        leads_to.append(Expected(PROGRAMME.name, ProgrammePublished.event_type(), given.order))
    return Command(given.name, given.order, given.ending, tuple(leads_to), trace=given.trace)


def _rows(world: "World", service: str, collection: str) -> list[dict[str, Any]]:
    table = world.storages[service].tables.get(collection)
    return list(table.documents.values()) if table else []


def _works(world: "World") -> Iterator[str]:
    """What orders asked for stands in their tallies, and what was answered stands in orders."""
    asked = {name: raw["_id"] for raw in _rows(world, "orders", "orders") for name in raw["asked"]}
    done = {name: raw["_id"] for raw in _rows(world, "orders", "tallies") for name in raw["names"]}
    yield from (f"work lost: {name} of {order}" for name, order in asked.items() if name not in done)
    yield from (f"work of nothing: {name} of {tally}" for name, tally in done.items() if name not in asked)
    for given in world.given:
        if given.kind == "ask" and given.ending is Ending.OK and given.name not in asked:
            yield f"command lost: {given.name} on {given.order}"


def _effects(evidence: Evidence) -> Iterator[str]:
    """Every fact that was handled has its notice, and every notice its letter, once."""
    notices = {each.body().get("notice") for each in evidence.said.values() if each.record.topic == NOTICE.name}
    letters = {each.id for each in evidence.effects}
    by_topic = {each.topic: each for each in TOPOLOGY.subscriptions}
    for said in evidence.said.values():
        topic, body = said.record.topic, said.body()
        if topic not in by_topic or evidence.excused(by_topic[topic], said.record):
            continue
        if topic == MENTORSHIP.name and body.get("session") not in notices:
            yield f"no notice of {body.get('session')}: {said.record.partition}@{said.record.offset}"
        if topic == NOTICE.name and body.get("notice") not in letters:
            yield f"no letter of {body.get('notice')}: {said.record.partition}@{said.record.offset}"
    yield from (f"letter of nothing: {name}" for name in sorted(letters - notices))


def _orders(evidence: Evidence) -> Iterator[str]:
    """Facts of a key were handled in the order of their numbers."""
    for (_, collection, name), document in evidence.latest.items():
        if collection == "parcels" and document.raw["numbers"] != sorted(set(document.raw["numbers"])):
            yield f"order: {name} took {document.raw['numbers']}"


def _ends(world: "World") -> Iterator[str]:
    """An order that has ended is gone from the read model, and one that has not is there."""
    rows = {raw["_id"]: raw for raw in _rows(world, "letters", "rows")}
    for raw in _rows(world, "orders", "orders"):
        said = raw["sequences"].get(PROGRAMME.stream, 0)
        row = rows.get(raw["_id"])
        if said and (row is None or (row["sequence"] == said and row["gone"] is not raw["ended"])):
            yield f"row of {raw['_id']}: {row}, ended is {raw['ended']}"


def _accused(world: "World", evidence: Evidence) -> Iterator[str]:
    """Nothing is set aside unread before three processes died or froze."""
    for letter in evidence.letters:
        service = letter.group.partition(".")[0]
        gone = sum(each.service == service and each.struck for each in world.processes)
        if letter.reason == "quarantined" and gone < DEATHS:
            yield f"accused: {letter.topic}[{letter.partition}]@{letter.offset} after {gone} deaths"
