"""Ghosts (I2): every event belongs to one committed change of one document, and every effect to an event."""

from collections.abc import Iterable, Iterator

from operations.checker.evidence import Evidence, Said, of_document, of_said
from operations.checker.model import Breach, Item


def check(evidence: Evidence) -> Iterable[Breach]:
    """Events that no document vouches for, numbers given twice, effects of nothing."""
    for (topic, key), records in evidence.by_key.items():
        yield from _unowned(evidence, topic, key, records)
        yield from _twice_numbered(evidence, topic, key, records)
    yield from _effects_of_nothing(evidence)


def _unowned(evidence: Evidence, topic: str, key: str, records: list[Said]) -> Iterator[Breach]:
    stream = evidence.topology.stream(topic)
    if stream is None or stream.service not in evidence.services:
        return
    document = evidence.owners.get((topic, key))
    if document is None:
        if records[-1].record.value is not None:
            summary = f"An event of {key}, of which {stream.service} has no document."
            yield Breach("I2", "ghost", summary, (of_said(records[0]),))
        return
    committed = document.raw["sequences"][stream.name]
    if ghost := next((each for each in records if each.sequence > committed), None):
        witness = (of_said(ghost), of_document(document, f"has said {committed} of {stream.name}"))
        yield Breach("I2", "ghost", "An event that its document never committed.", witness)


def _twice_numbered(evidence: Evidence, topic: str, key: str, records: list[Said]) -> Iterator[Breach]:
    seen: dict[int, tuple[str, Item]] = {}
    for said in records:
        name, item = seen.setdefault(said.sequence, (said.envelope.id, of_said(said)))
        if name != said.envelope.id:
            summary = f"Two events are number {said.sequence} of {key}: one change said one of them."
            yield Breach("I2", "same-number", summary, (item, of_said(said)))
            return
    document = evidence.owners.get((topic, key))
    for owed in evidence.owes(document) if document else []:
        name, item = seen.get(owed.sequence, (owed.id, Item("", "")))
        if document and owed.topic == topic and name != owed.id:
            witness = (item, of_document(document, f"owes {owed.id} as number {owed.sequence}"))
            yield Breach("I2", "same-number", f"Another event is number {owed.sequence} of {key}.", witness)


def _effects_of_nothing(evidence: Evidence) -> Iterator[Breach]:
    """Fences and rows that are ahead of everything that was ever said."""
    for subscription in evidence.topology.subscriptions:
        stream = evidence.topology.stream(subscription.topic)
        if stream is None or not evidence.complete(stream.topic) or not evidence.by_partition:
            continue
        applied: list[tuple[str, int, Item]] = []
        label = f"{stream.name}:"
        if subscription.fences:
            applied += [
                (name.removeprefix(label), sequence, of_document(document, f"has applied {sequence}"))
                for (service, name), (sequence, document) in evidence.fences.items()
                if service == subscription.service and name.startswith(label)
            ]
        applied += [
            (document.id, document.raw["sequence"], of_document(document, f"row of {document.raw['sequence']}"))
            for (service, collection, _), document in evidence.latest.items()
            if (service, collection) == (subscription.service, subscription.rows)
        ]
        said = {
            key.replace(".", "·").replace("$", "§") if subscription.fences else key: records
            for (topic, key), records in evidence.by_key.items()
            if topic == stream.topic
        }
        for key, sequence, item in applied:
            if sequence > max((each.sequence for each in said.get(key, [])), default=0):
                summary = f"{subscription.group} has applied what {stream.topic} never held."
                yield Breach("I2", "effect-of-nothing", summary, (item,))
