"""Legality (I5): lives walk along allowed edges, and nobody holds more than fits at the moment of taking it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from operations.checker.evidence import Evidence, Said, of_document, of_said
from operations.checker.model import Breach, Document
from operations.checker.topology import Capacity, Life


def check(evidence: Evidence) -> Iterable[Breach]:
    """Illegal walks, full places that took one more, places without a taker and takers without a place."""
    for life in evidence.topology.lives:
        for (topic, key), records in evidence.by_key.items():
            if topic == life.topic:
                yield from _walk(life, key, records)
    for capacity in evidence.topology.capacities:
        places = [each for each in evidence.documents if (each.service, each.collection) == _of(capacity)]
        yield from _growth(capacity, places) if evidence.versions else _ever(evidence, capacity)
        if evidence.settled and places:
            yield from _takers(evidence, capacity)


def _of(capacity: Capacity) -> tuple[str, str]:
    return capacity.service, capacity.collection


# --- lives --------------------------------------------------------------------------------------------------------


def status_of(life: Life, said: Said) -> str | None:
    """The status that a record speaks of; None when it speaks of none."""
    body = said.body()
    if life.state is not None:
        status = body.get(life.state)
        return None if status is None else str(status)
    for step in life.steps:
        if step.type == said.envelope.type and all(body.get(name) == value for name, value in step.where):
            return step.status
    return None


def _walk(life: Life, key: str, records: Sequence[Said]) -> Iterator[Breach]:
    """Go along the sequence; where numbers are absent (compacted, replaced, lost) any path may lie between."""
    by_number = {each.sequence: each for each in reversed(records)}
    walk = [(said, status) for _, said in sorted(by_number.items()) if (status := status_of(life, said)) is not None]
    if walk and walk[0][0].sequence == 1 and walk[0][1] not in life.edges[""]:
        said, status = walk[0]
        yield Breach("I5", "illegal-step", f"The life of {key} begins with {status}.", (of_said(said),))
        return
    for (before, one), (after, other) in pairwise(walk):
        stays = life.state is not None and one == other
        near = after.sequence == before.sequence + 1
        allowed = life.edges.get(one, ()) if near else _reachable(life, one)
        if not stays and other not in allowed:
            witness = (of_said(before, one), of_said(after, other))
            yield Breach("I5", "illegal-step", f"{key} went from {one} to {other}.", witness)
            return


def _reachable(life: Life, status: str) -> set[str]:
    found: set[str] = set()
    waiting = [status]
    while waiting:
        for following in life.edges.get(waiting.pop(), ()):
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found


# --- places -------------------------------------------------------------------------------------------------------


def _growth(capacity: Capacity, versions: Sequence[Document]) -> Iterator[Breach]:
    """With every version at hand: a version that took a place must have had room for it."""
    before: dict[str, set[str]] = {}
    for document in versions:
        taken = set(document.raw.get(capacity.taken) or ())
        room = document.raw.get(capacity.capacity, 0)
        if taken - before.get(document.id, set()) and len(taken) > room:
            yield _over(capacity, document, room)
        before[document.id] = taken


def _ever(evidence: Evidence, capacity: Capacity) -> Iterator[Breach]:
    """With the last version alone: lowering the capacity ends nothing, so only the highest ever is a bound."""
    for document in evidence.latest.values():
        if (document.service, document.collection) != _of(capacity):
            continue
        states = evidence.by_key.get((capacity.source, str(document.raw.get(capacity.holder))), [])
        numbers = {each.sequence for each in states}
        if not states or len(numbers) != max(numbers):
            continue  # an older state, with another capacity, is compacted away
        field = capacity.sides.get(str(document.raw.get(capacity.side)), "")
        room = max([document.raw.get(capacity.capacity, 0), *(each.body().get(field, 0) for each in states)])
        if len(document.raw.get(capacity.taken) or ()) > room:
            yield _over(capacity, document, room)


def _over(capacity: Capacity, document: Document, room: int) -> Breach:
    note = f"{len(document.raw[capacity.taken])} taken where {room} fit, at revision {document.raw.get('revision')}"
    return Breach("I5", "over-capacity", "A place was taken that was not there.", (of_document(document, note),))


def _takers(evidence: Evidence, capacity: Capacity) -> Iterator[Breach]:
    """Once all work is done, those that live have their places, and nobody else has one."""
    takers = {
        document.id: document
        for (service, collection, _), document in evidence.latest.items()
        if (service, collection) == (capacity.service, capacity.takers)
    }
    held: set[tuple[str, str]] = set()
    for document in evidence.latest.values():
        if (document.service, document.collection) != _of(capacity):
            continue
        for name in document.raw.get(capacity.taken) or ():
            held.add((name, str(document.raw.get(capacity.side))))
            taker = takers.get(name)
            if taker is None or taker.raw.get("status") not in capacity.may_hold:
                note = f"held by {name}, which is {taker.raw.get('status') if taker else 'nowhere'}"
                yield Breach("I5", "place-leaked", "A place was never given back.", (of_document(document, note),))
    for document in takers.values():
        absent = [side for side in capacity.sides if (document.id, side) not in held]
        if document.raw.get("status") in capacity.holding and absent:
            note = f"{document.raw.get('status')}, and has no place as {' and '.join(absent)}"
            yield Breach("I5", "place-missing", "It lives, and has no place.", (of_document(document, note),))
