"""Dead letters (I8): each dead record once, byte for byte, with its origin; later facts of its key wait behind it."""

from collections.abc import Iterable, Iterator

from contracts.envelope import BadEnvelopeError, Envelope

from operations.checker.evidence import Evidence, Said, of_document, of_record, of_said
from operations.checker.letter import PARKED, UNPARKED, Letter
from operations.checker.model import Breach, Item
from operations.checker.topology import Subscription


def check(evidence: Evidence) -> Iterable[Breach]:
    """Letters without origin, changed, doubled, out of order, missing, overtaken."""
    yield from _origin(evidence)
    yield from _fidelity(evidence)
    yield from _doubled(evidence)
    yield from _parked_order(evidence)
    yield from _first_missing(evidence)
    for subscription in evidence.topology.subscriptions:
        yield from _overtaken(evidence, subscription)


def _named(letter: Letter) -> Item:
    return of_record(letter.record, f"{letter.reason}: {letter.topic}[{letter.partition}]@{letter.offset}")


def _origin(evidence: Evidence) -> Iterator[Breach]:
    known = {id(letter.record) for letter in evidence.letters}
    for (topic, _), records in evidence.by_partition.items():
        for record in records if topic.endswith(".dead") else []:
            if id(record) not in known:
                yield Breach("I8", "no-origin", "A dead letter does not say where it came from.", (of_record(record),))


def _fidelity(evidence: Evidence) -> Iterator[Breach]:
    for letter in evidence.letters:
        if letter.last is not None:
            continue
        source = evidence.by_place.get((letter.topic, letter.partition, letter.offset))
        stream, bounds = evidence.topology.stream(letter.topic), evidence.bounds.get((letter.topic, letter.partition))
        if source is None:
            kept = bounds is not None and bounds.start <= letter.offset and stream is not None and not stream.compacted
            if kept or (bounds is not None and letter.offset >= bounds.end):
                yield Breach("I8", "no-source", "A dead letter names a record that never was.", (_named(letter),))
            continue
        parts = {
            "key": letter.record.key == source.key,
            "value": letter.record.value == source.value,
            "headers": letter.headers == source.headers,
        }
        wrong = [name for name, same in parts.items() if not same]
        if wrong:
            summary = f"A dead letter is not its record: {', '.join(wrong)} differ."
            yield Breach("I8", "letter-changed", summary, (_named(letter), of_record(source)))


def _doubled(evidence: Evidence) -> Iterator[Breach]:
    """A record that was read again may be buried again, and only so often."""
    restarts = {(each.group, each.topic, each.partition): each.restarts for each in evidence.consumption}
    seen: dict[tuple[str, str, int, int], list[Letter]] = {}
    for letter in evidence.letters:
        seen.setdefault(letter.origin, []).append(letter)
    for origin, letters in seen.items():
        again = restarts.get(origin[:3], 0)
        if again is not None and len(letters) > 1 + again:
            summary = f"One record has {len(letters)} dead letters."
            yield Breach("I8", "letter-doubled", summary, (_named(letters[0]), _named(letters[-1])))


def _of_key(evidence: Evidence) -> dict[tuple[str, str, bytes], list[Letter]]:
    """The letters of each key in the order in which they were first written."""
    found: dict[tuple[str, str, bytes], dict[int, Letter]] = {}
    for letter in evidence.letters:
        if letter.record.key is not None:
            found.setdefault((letter.group, letter.topic, letter.record.key), {}).setdefault(letter.offset, letter)
    return {place: list(letters.values()) for place, letters in found.items()}


def _in_question(evidence: Evidence, place: tuple[str, str, bytes], letters: list[Letter]) -> list[Letter]:
    """A partition that was read again leaves letters of records that came, and were handled, before the dead one."""
    source = (*place[:2], letters[0].partition)
    again = {each.restarts for each in evidence.consumption if (each.group, each.topic, each.partition) == source}
    head = min((each.offset for each in letters if each.reason != PARKED), default=0)
    return [each for each in letters if again == {0} or each.offset >= head]


def _parked_order(evidence: Evidence) -> Iterator[Breach]:
    for place, letters in _of_key(evidence).items():
        first, *later = _in_question(evidence, place, letters)
        highest = first
        for letter in later:
            if letter.offset < highest.offset:
                summary = "Letters of one key are not in the order of their source."
                yield Breach("I8", "parked-order", summary, (_named(highest), _named(letter)))
                break
            highest = letter


def _first_missing(evidence: Evidence) -> Iterator[Breach]:
    """Whatever is parked waits behind a letter."""
    by_key = _of_key(evidence)
    for place, letters in by_key.items():
        group, topic, _ = place
        first = min(_in_question(evidence, place, letters), key=lambda each: each.offset)
        if first.reason == PARKED and evidence.complete(f"{topic}.{group}.dead"):
            summary = "A record is parked, and the letter that it waits behind is missing."
            yield Breach("I8", "letter-missing", summary, (_named(first),))
    for document in evidence.parked:
        raw = document.raw
        place = (raw["group"], raw["topic"], str(raw["key"]).encode())
        if place not in by_key and evidence.complete(f"{raw['topic']}.{raw['group']}.dead"):
            summary = "A key is parked, and has no letter."
            yield Breach("I8", "letter-missing", summary, (of_document(document, str(raw["key"])),))


def _overtaken(evidence: Evidence, subscription: Subscription) -> Iterator[Breach]:
    """While the letter of a fact waits, nothing later of its key may be applied."""
    stream = evidence.topology.stream(subscription.topic)
    if stream is None or stream.compacted or not subscription.fences:
        return
    for (group, topic, key), letters in _of_key(evidence).items():
        if (group, topic) != (subscription.group, subscription.topic):
            continue
        waiting = [each for each in letters if each.reason not in UNPARKED and evidence.waits(each)]
        if waiting:
            said = evidence.by_key.get((topic, key.decode(errors="replace")), [])
            yield from _passed_by(evidence, subscription, waiting[0], said)


def _passed_by(evidence: Evidence, subscription: Subscription, letter: Letter, said: list[Said]) -> Iterator[Breach]:
    try:
        waiting = Envelope.from_headers(letter.headers).sequence
    except BadEnvelopeError:
        return
    for later in said:
        applied, _ = evidence.fence(subscription, later.key)
        dead = (subscription.group, *later.record.place, later.record.offset) in evidence.dead
        if later.record.offset > letter.offset and waiting < later.sequence <= applied and not dead:
            summary = "A later fact was applied while an earlier one of its key waits."
            yield Breach("I8", "overtaken", summary, (_named(letter), of_said(later)))
            return
