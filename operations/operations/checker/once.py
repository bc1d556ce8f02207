"""Effects once (I3): no id means two things, nothing is done twice, and a duplicate is the same bytes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from operations.checker.evidence import Evidence, Said, of_document, of_said
from operations.checker.model import Breach, Document, Item
from operations.checker.topology import Marks, Subscription


def check(evidence: Evidence) -> Iterable[Breach]:
    """Ids that are used twice, duplicates that differ, effects done twice or never."""
    yield from _ids(evidence)
    yield from _said_twice(evidence)
    yield from _sinks(evidence)
    for marks in evidence.topology.marks:
        yield from _doubled(evidence, marks)
        if marks.group is not None:
            yield from _missing(evidence, marks, marks.group)


def _ids(evidence: Evidence) -> Iterator[Breach]:
    first: dict[str, Said] = {}
    reported: set[str] = set()
    for said in evidence.said.values():
        before = first.setdefault(said.envelope.id, said)
        if said.envelope.id not in reported and _content(before) != _content(said):
            reported.add(said.envelope.id)
            same = (before.record.topic, before.key, before.sequence) == (said.record.topic, said.key, said.sequence)
            rule = "duplicate-differs" if same else "reused-id"
            summary = "A duplicate is not the same bytes." if same else "One id stands for two events."
            yield Breach("I3", rule, summary, (of_said(before), of_said(said)))


def _content(said: Said) -> tuple[Any, ...]:
    record = said.record
    return record.topic, record.key, record.value, record.headers


def _said_twice(evidence: Evidence) -> Iterator[Breach]:
    """Two events about one thing that is said once, so the effect that says it happened twice."""
    for topic, field in evidence.topology.once:
        first: dict[str, Said] = {}
        for said in evidence.said.values():
            thing = said.body().get(field) if said.record.topic == topic else None
            if thing is None:
                continue
            before = first.setdefault(str(thing), said)
            if before.envelope.id != said.envelope.id:
                summary = f"Two events say {field} {thing}: what says it was done twice."
                yield Breach("I3", "said-twice", summary, (of_said(before), of_said(said)))


def _sinks(evidence: Evidence) -> Iterator[Breach]:
    taken = Counter((each.sink, each.id) for each in evidence.effects if each.accepted)
    for (sink, name), count in taken.items():
        if count > 1:
            summary = f"One delivery was accepted {count} times."
            yield Breach("I3", "delivered-twice", summary, (Item("delivery", f"{sink}:{name}"),))


def _doubled(evidence: Evidence, marks: Marks) -> Iterator[Breach]:
    for document in _marked(evidence, marks):
        for name, count in Counter(_ids_in(document, marks)).items():
            if count > 1:
                note = f"{marks.path} holds {name} {count} times"
                yield Breach("I3", "done-twice", "An effect was stored twice.", (of_document(document, note),))


def _missing(evidence: Evidence, marks: Marks, group: str) -> Iterator[Breach]:
    done = {name for document in _marked(evidence, marks) for name in _ids_in(document, marks)}
    for subscription in evidence.topology.subscriptions:
        if subscription.group == group:
            yield from _never_done(evidence, subscription, done)


def _never_done(evidence: Evidence, subscription: Subscription, done: set[str]) -> Iterator[Breach]:
    seen: set[str] = set()
    for said in evidence.said.values():
        record, name = said.record, said.envelope.id
        if record.topic != subscription.topic or name in seen or said.envelope.type not in subscription.types:
            continue
        seen.add(name)
        if evidence.passed(subscription, record) and name not in done and not evidence.excused(subscription, record):
            summary = f"{subscription.group} has read an event and not done it."
            yield Breach("I3", "never-done", summary, (of_said(said),))


def _marked(evidence: Evidence, marks: Marks) -> list[Document]:
    wanted = (marks.service, marks.collection)
    return [document for place, document in evidence.latest.items() if place[:2] == wanted]


def _ids_in(document: Document, marks: Marks) -> list[str]:
    items = document.raw.get(marks.path) or ()
    return [str(item if marks.id is None else item[marks.id]) for item in items]
