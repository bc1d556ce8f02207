"""Convergence (I6): a compacted topic read from 0 is the database, and so is every read model; nothing is left over."""

from collections.abc import Iterable, Iterator
from typing import Any

from operations.checker.evidence import Evidence, Said, body_of, of_document, of_said
from operations.checker.legality import status_of
from operations.checker.model import Breach, Document
from operations.checker.topology import Life, Stream, Subscription


def check(evidence: Evidence) -> Iterable[Breach]:
    """Differences between what documents hold, what topics end with, and what read models say."""
    for stream in evidence.states if evidence.by_partition else []:
        for (topic, key), document in evidence.owners.items():
            if topic == stream.topic:
                yield from _owner(evidence, stream, key, document)
    for subscription in evidence.topology.subscriptions:
        if subscription.rows is not None and subscription.service in evidence.services:
            yield from _rows(evidence, subscription, subscription.rows)
    for life in evidence.topology.lives:
        if life.document is not None:
            yield from _folded(evidence, life, life.document)
    if evidence.settled:
        yield from _owed(evidence)


def _owner(evidence: Evidence, stream: Stream, key: str, document: Document) -> Iterator[Breach]:
    """The last record of a key must be the newest state of its document, however late an old one came."""
    raw = document.raw
    slot = (raw.get("slots") or {}).get(stream.name)
    committed = raw["sequences"][stream.name]
    yield from _mirrored(stream, document, slot)
    if stream.name in (raw.get("unsent") or ()) or (not evidence.settled and ("heal_at" in raw or "healing" in raw)):
        return
    records = evidence.by_key.get((stream.topic, key), [])
    newest = of_document(document, f"{stream.name} is at {committed}")
    if not records:
        if slot is None or slot["v"] is not None:  # a tombstone leaves its topic after a while
            yield Breach("I6", "never-said", f"{stream.topic} holds nothing of a stored document.", (newest,))
        return
    last = records[-1]
    if last.sequence < committed and slot is not None and slot["v"] is None:
        witness = (newest, of_said(last))
        yield Breach("I6", "tombstone-lost", f"{key} was removed, and {stream.topic} still ends with it.", witness)
    elif last.sequence < committed:
        summary = f"{stream.topic} ends with an old state of {key}."
        yield Breach("I6", "not-newest", summary, (newest, of_said(last)))
    elif last.sequence == committed and slot is not None and not _same(slot, last):
        summary = f"The last record of {key} is not the state that its document said."
        yield Breach("I6", "slot-differs", summary, (newest, of_said(last)))


def _same(slot: dict[str, Any], said: Said) -> bool:
    value = None if slot["v"] is None else bytes(slot["v"])
    headers = tuple((name, bytes(text)) for name, text in slot["h"])
    return (value, headers) == (said.record.value, said.record.headers)


def _mirrored(stream: Stream, document: Document, slot: dict[str, Any] | None) -> Iterator[Breach]:
    """The state that was said is the state that is stored."""
    body = body_of(bytes(slot["v"])) if slot is not None and slot["v"] is not None else {}
    wrong = [name for name in stream.mirrors if name in body and body[name] != document.raw.get(name)]
    if wrong:
        note = "; ".join(f"{name}: stored {document.raw.get(name)}, said {body[name]}" for name in wrong)
        yield Breach(
            "I6", "state-differs", "A document says another state than it has.", (of_document(document, note),)
        )


def _rows(evidence: Evidence, subscription: Subscription, collection: str) -> Iterator[Breach]:
    """One row a key, as the newest record that the group has read says it."""
    for (topic, key), records in evidence.by_key.items():
        if topic != subscription.topic:
            continue
        read = [
            each
            for each in records
            if evidence.handles(subscription, each)
            and (evidence.passed(subscription, each.record) or (evidence.settled and not evidence.consumption))
            and not evidence.excused(subscription, each.record)
        ]
        if not read:
            continue
        newest = max(read, key=lambda each: each.sequence)
        row = evidence.latest.get((subscription.service, collection, key))
        if row is None:
            if newest.record.value is not None:
                summary = f"{subscription.group} has no row of {key}."
                yield Breach("I6", "row-missing", summary, (of_said(newest),))
        elif row.raw.get("sequence", 0) < newest.sequence:
            witness = (of_document(row, f"row of {row.raw.get('sequence')}"), of_said(newest))
            yield Breach("I6", "row-stale", f"{subscription.group} remembers an old state of {key}.", witness)
        elif row.raw.get("sequence") == newest.sequence:
            yield from _row(subscription, row, newest)


def _row(subscription: Subscription, row: Document, said: Said) -> Iterator[Breach]:
    body = said.body()
    wrong = [name for name in subscription.mirrors if name in body and body[name] != row.raw.get(name)]
    if bool(row.raw.get("gone")) is not (said.record.value is None):
        wrong.append("gone")
    if wrong and (said.record.value is not None or wrong == ["gone"]):
        witness = (of_document(row, f"differs in {', '.join(wrong)}"), of_said(said))
        yield Breach("I6", "row-differs", f"{subscription.group} has a row that its event does not say.", witness)


def _folded(evidence: Evidence, life: Life, field: str) -> Iterator[Breach]:
    """Folding the facts leads to where the owner's document stands."""
    for (topic, key), records in evidence.by_key.items():
        document = evidence.owners.get((topic, key))
        if topic != life.topic or document is None or evidence.owes(document):
            continue
        steps = [(each, status) for each in records if (status := status_of(life, each)) is not None]
        if not steps:
            continue
        last, status = max(steps, key=lambda step: step[0].sequence)
        if life.same.get(status, status) != document.raw.get(field):
            witness = (of_document(document, f"{field} is {document.raw.get(field)}"), of_said(last, status))
            yield Breach("I6", "fold-differs", f"The facts of {key} lead elsewhere than its document.", witness)


def _owed(evidence: Evidence) -> Iterator[Breach]:
    for document in evidence.latest.values():
        raw = document.raw
        owed = {name: len(raw.get(name) or ()) for name in ("events", "unsent", "work")}
        if any(owed.values()):
            note = ", ".join(f"{count} {name}" for name, count in owed.items() if count)
            summary = "Everything had its time, and a document still owes."
            yield Breach("I6", "still-owed", summary, (of_document(document, note),))
