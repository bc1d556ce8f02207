"""Client history against topics and sinks: an accepted command has its events and deliveries, a refused one nothing.

Commands that lead to the same thing can't be told apart by it, unless they carry trace ids; then they are counted:
at least as many events as accepted ones, at most as many as accepted and unknown ones together.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from operations.checker.evidence import Evidence, body_of, trace_of
from operations.checker.model import Breach, Command, Ending, Expected, Item


class Event(NamedTuple):
    """One event by id, wherever it stands: on its topic, or still in its document."""

    id: str
    trace: str | None
    fields: frozenset[tuple[str, str]]
    item: Item


def check(evidence: Evidence) -> Iterable[Breach]:
    """Every breach that the clients' history shows."""
    known = _events(evidence)
    for expected, commands in _groups(evidence).items():
        found = [each for each in known.get((expected.topic, expected.key, expected.type), []) if _fits(expected, each)]
        yield from _judge(evidence, expected, commands, found)
    if evidence.settled:
        yield from _halves(evidence, known)
        yield from _deliveries(evidence)


def _judge(evidence: Evidence, expected: Expected, commands: list[Command], found: list[Event]) -> Iterator[Breach]:
    accepted = [each for each in commands if each.ending is Ending.OK]
    possible = [each for each in commands if each.ending is not Ending.FAIL]
    refused = [each for each in commands if each.ending is Ending.FAIL]
    stream = evidence.topology.stream(expected.topic)
    if not evidence.complete(expected.topic):
        accepted = []  # what they led to may have expired
    if stream is not None and stream.compacted:
        if accepted and not _any_state(evidence, expected):
            yield from _lost(expected, accepted[:1], [])
        return
    traces = {each.trace for each in commands}
    if len(traces) == len(commands) and None not in traces and any(each.trace in traces for each in found):
        yield from _lost(expected, [each for each in accepted if each.trace not in {one.trace for one in found}], found)
        said = {each.trace: each for each in found}
        yield from (_refused(each, said[each.trace].item) for each in refused if each.trace in said)
        return
    if len(found) < len(accepted):
        yield from _lost(expected, accepted, found)
    elif refused and len(found) > len(possible):
        yield _refused(refused[0], found[-1].item)
    if len(commands) == len(found) == 1 and traces != {None} and accepted:
        item = found[0].item._replace(note=f"trace {found[0].trace}, but its command was sent with {commands[0].trace}")
        yield Breach("I12", "wrong-trace", "An event does not belong to the trace of its command.", (item,))


def _lost(expected: Expected, commands: list[Command], found: list[Event]) -> Iterator[Breach]:
    if commands:
        many = f"; {len(found)} of {len(commands)} are there" if found and len(commands) > 1 else ""
        yield Breach(
            "I1",
            "lost",
            f"Accepted, and no {expected.type} of {expected.key} on {expected.topic}{many}.",
            tuple(_of_command(each) for each in commands),
        )


def _refused(command: Command, item: Item) -> Breach:
    return Breach("I2", "refused-but-said", "A refused command left an event.", (_of_command(command), item))


def _halves(evidence: Evidence, known: dict[tuple[str, str, str], list[Event]]) -> Iterator[Breach]:
    """Commands of unknown fate that are neither fully visible nor invisible."""
    alone = {expected for expected, commands in _groups(evidence).items() if len(commands) == 1}
    accepted = _accepted(evidence)
    for command in evidence.commands:
        if command.ending is not Ending.INFO:
            continue
        seen: dict[str, bool] = {}
        for expected in command.leads_to:
            stream = evidence.topology.stream(expected.topic)
            if expected in alone and evidence.complete(expected.topic) and not (stream and stream.compacted):
                events = known.get((expected.topic, expected.key, expected.type), [])
                seen[f"{expected.type} on {expected.topic}"] = any(_fits(expected, each) for each in events)
        seen |= {f"{sink}:{name}": (sink, name) in accepted for sink, name in command.effects}
        if len(set(seen.values())) > 1:
            absent = ", ".join(name for name, there in seen.items() if not there)
            yield Breach(
                "I1",
                "half-visible",
                "A command of unknown fate is visible in part: it must be everywhere or nowhere.",
                (_of_command(command, f"absent: {absent}"),),
            )


def _deliveries(evidence: Evidence) -> Iterator[Breach]:
    accepted = _accepted(evidence)
    for command in evidence.commands:
        for sink, name in command.effects:
            if command.ending is Ending.OK and (sink, name) not in accepted:
                item = _of_command(command, f"delivery {sink}:{name} is absent")
                yield Breach("I1", "effect-lost", "Accepted, and its delivery never came.", (item,))
            if command.ending is Ending.FAIL and (sink, name) in accepted:
                witness = (_of_command(command), Item("delivery", f"{sink}:{name}"))
                yield Breach("I2", "refused-but-done", "A refused command caused a delivery.", witness)


def _accepted(evidence: Evidence) -> set[tuple[str, str]]:
    return {(each.sink, each.id) for each in evidence.effects if each.accepted}


def _groups(evidence: Evidence) -> dict[Expected, list[Command]]:
    found: dict[Expected, list[Command]] = {}
    for command in evidence.commands:
        for expected in command.leads_to:
            found.setdefault(expected, []).append(command)
    return found


def _events(evidence: Evidence) -> dict[tuple[str, str, str], list[Event]]:
    """Every event once, by topic, key and type, as far as commands ask for such."""
    wanted = {(each.topic, each.key) for command in evidence.commands for each in command.leads_to}
    found: dict[tuple[str, str, str], dict[str, Event]] = {}
    for topic, key in wanted:
        for said in evidence.by_key.get((topic, key), []):
            item = Item("record", f"{topic}[{said.record.partition}]@{said.record.offset}", f"id {said.envelope.id}")
            event = Event(said.envelope.id, said.trace, _fields(said.record.value), item)
            found.setdefault((topic, key, said.envelope.type), {}).setdefault(event.id, event)
    for document in evidence.latest.values():
        for owed in evidence.owes(document):
            headers = {name: (value or b"").decode(errors="replace") for name, value in owed.headers}
            item = Item("document", f"{document.service}.{document.collection}/{document.id}", f"owes {owed.id}")
            event = Event(owed.id, trace_of(headers.get("ce_traceparent")), _fields(owed.value), item)
            found.setdefault((owed.topic, owed.key, headers.get("ce_type", "")), {}).setdefault(owed.id, event)
    return {place: list(events.values()) for place, events in found.items()}


def _any_state(evidence: Evidence, expected: Expected) -> bool:
    """A newer state makes the expected one superfluous: any record of the key will do, said or still owed."""
    owner = evidence.owners.get((expected.topic, expected.key))
    owed = evidence.owes(owner) if owner else []
    return (expected.topic, expected.key) in evidence.by_key or any(each.topic == expected.topic for each in owed)


def _fits(expected: Expected, event: Event) -> bool:
    return frozenset((name, repr(value)) for name, value in expected.fields) <= event.fields


def _fields(value: bytes | None) -> frozenset[tuple[str, str]]:
    return frozenset((name, repr(field)) for name, field in body_of(value).items())


def _of_command(command: Command, note: str = "") -> Item:
    return Item("command", command.id, note or f"{command.ending.value}, on {command.aggregate}")
