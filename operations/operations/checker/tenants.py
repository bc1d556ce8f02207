"""The tenant wall (I9): a key belongs to one tenant on topics, in its document and in whatever others keep of it."""

from collections.abc import Iterable, Iterator

from operations.checker.evidence import Evidence, Said, of_document, of_said
from operations.checker.model import Breach, Document


def check(evidence: Evidence) -> Iterable[Breach]:
    """Keys of two tenants, and documents of another tenant than their events."""
    for (topic, key), records in evidence.by_key.items():
        first = records[0]
        if other := next((each for each in records if each.envelope.tenant != first.envelope.tenant), None):
            summary = f"{key} belongs to two tenants."
            yield Breach("I9", "two-tenants", summary, (of_said(first, _of(first)), of_said(other, _of(other))))
            continue
        if (owner := evidence.owners.get((topic, key))) is not None:
            yield from _crossed(owner, first)
        for subscription in evidence.topology.subscriptions:
            if subscription.topic != topic:
                continue
            _, kept = evidence.fence(subscription, key) if subscription.fences else (0, None)
            if subscription.rows is not None:
                kept = evidence.latest.get((subscription.service, subscription.rows, key))
            if kept is not None:
                yield from _crossed(kept, first)


def _of(said: Said) -> str:
    return f"tenant {said.envelope.tenant}"


def _crossed(document: Document, said: Said) -> Iterator[Breach]:
    if document.raw.get("tenant") != said.envelope.tenant:
        witness = (of_document(document, f"tenant {document.raw.get('tenant')}"), of_said(said, _of(said)))
        yield Breach("I9", "tenant-crossed", "A document of one tenant holds what another's event says.", witness)
