"""What documents owe (I1): it is published or still there to be, and somebody will publish it."""

from collections.abc import Iterable, Iterator

from operations.checker.evidence import Evidence, of_document
from operations.checker.model import Breach, Document


def check(evidence: Evidence) -> Iterable[Breach]:
    """Facts that are neither said nor owed, and debts that nobody will pay."""
    for document in evidence.latest.values():
        if "relay_owner" in document.raw or "sequences" in document.raw:
            yield from _mark(document)
            yield from _lost(evidence, document)


def _mark(document: Document) -> Iterator[Breach]:
    """Owing, having an owner, and being found by the sweep are one: a change writes them together."""
    raw = document.raw
    owes = bool(raw.get("events") or raw.get("unsent") or raw.get("work"))
    owned, swept = raw.get("relay_owner") is not None, bool(raw.get("pending"))
    if owes and not owned:
        witness = (of_document(document, "relay_owner is empty"),)
        yield Breach("I1", "no-owner", "A document owes something, and no instance may publish it.", witness)
    elif owes and not swept:
        witness = (of_document(document, "pending is absent"),)
        yield Breach("I1", "never-swept", "A document owes something, and no sweep will find it.", witness)
    elif not owes and (owned or swept):
        note = f"relay_owner {raw.get('relay_owner')}, pending {raw.get('pending')}"
        yield Breach("I1", "idle-owner", "A document has an owner and owes nothing.", (of_document(document, note),))


def _lost(evidence: Evidence, document: Document) -> Iterator[Breach]:
    raw = document.raw
    sequences = raw.get("sequences") or {}
    for stream in evidence.facts:
        said_by_document = sequences.get(stream.name, 0)
        if stream.service != document.service or not said_by_document or not evidence.by_partition:
            continue
        records = evidence.by_key.get((stream.topic, document.id), [])
        there = {each.sequence for each in records}
        there |= {each.sequence for each in evidence.owes(document) if each.topic == stream.topic}
        first = 1
        if not evidence.complete(stream.topic):  # the oldest have expired
            first = min(there, default=said_by_document + 1)
        missing = [number for number in range(first, said_by_document + 1) if number not in there]
        if missing:
            note = f"has said {said_by_document} of {stream.name}; absent: {', '.join(map(str, missing[:10]))}"
            summary = "Committed, and neither on the topic nor waiting to be published."
            yield Breach("I1", "unpublished", summary, (of_document(document, note),))
