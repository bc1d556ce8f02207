"""Order (I4): facts of a key stand on one partition as 1, 2, 3; what counts in documents never goes back."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from operations.checker.evidence import Evidence, Said, of_document, of_said
from operations.checker.model import Breach, Document


def check(evidence: Evidence) -> Iterable[Breach]:
    """Split keys, inversions, gaps, and numbers that go back."""
    for (topic, key), records in evidence.by_key.items():
        stream = evidence.topology.stream(topic)
        split = list(_partition(key, records))
        yield from split
        if stream is not None and not stream.compacted and not split:
            yield from _inversion(evidence, records)
            yield from _gap(evidence, records)
    yield from _going_back(evidence)


def _partition(key: str, records: list[Said]) -> Iterator[Breach]:
    if strange := next((each for each in records if key not in _keys(each)), None):
        note = f"says key {strange.envelope.partition_key}"
        yield Breach("I4", "wrong-key", "A record stands under another key than it says.", (of_said(strange, note),))
    if other := next((each for each in records if each.record.partition != records[0].record.partition), None):
        summary = f"Records of {key} stand on two partitions, between which there is no order."
        yield Breach("I4", "split-key", summary, (of_said(records[0]), of_said(other)))


def _keys(said: Said) -> set[str]:
    same = said.envelope.partition_key == said.envelope.subject
    return {said.envelope.partition_key} if same else set()


def _inversion(evidence: Evidence, records: list[Said]) -> Iterator[Breach]:
    """A number that is seen for the first time after a higher one.

    Where the beginning of the topic has expired, one below the first that is left may be a repetition.
    """
    expired = evidence.bounds[records[0].record.place].start > 0
    highest, seen = records[0], set[int]()
    for said in records:
        if expired and said.sequence < records[0].sequence:
            continue
        if said.sequence < highest.sequence and said.sequence not in seen:
            summary = f"Number {said.sequence} comes after {highest.sequence}."
            yield Breach("I4", "inversion", summary, (of_said(highest), of_said(said)))
            return
        seen.add(said.sequence)
        highest = max(highest, said, key=lambda each: each.sequence)


def _gap(evidence: Evidence, records: list[Said]) -> Iterator[Breach]:
    ordered = sorted({each.sequence: each for each in reversed(records)}.items())
    (first, said), *_ = ordered
    if first > 1 and evidence.bounds[said.record.place].start == 0:
        yield Breach("I4", "gap", f"The first is number {first}.", (of_said(said),))
    for (before, one), (after, other) in pairwise(ordered):
        if after > before + 1:
            yield Breach("I4", "gap", f"Number {before + 1} is missing.", (of_said(one), of_said(other)))
            return


def _going_back(evidence: Evidence) -> Iterator[Breach]:
    """Between two versions of a document only growth is possible."""
    before: dict[tuple[str, str, str], Document] = {}
    for document in evidence.documents:
        place = (document.service, document.collection, document.id)
        if (old := before.get(place)) is not None:
            for counts, rule in (("fences", "fence-back"), ("sequences", "sequence-back")):
                yield from _lower(old, document, counts, rule)
        before[place] = document


def _lower(old: Document, new: Document, counts: str, rule: str) -> Iterator[Breach]:
    after = new.raw.get(counts) or {}
    for label, number in (old.raw.get(counts) or {}).items():
        if after.get(label, 0) < number:
            witness = (
                of_document(old, f"{label} is {number} at revision {old.raw.get('revision')}"),
                of_document(new, f"{label} is {after.get(label, 0)} at revision {new.raw.get('revision')}"),
            )
            yield Breach("I4", rule, f"What counts what was {_MEANS[counts]} went back.", witness)


_MEANS = {"fences": "applied", "sequences": "said"}
