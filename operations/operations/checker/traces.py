"""Traces (I12): what a command leads to belongs to the trace that the command was sent with."""

from collections.abc import Iterable, Iterator

from operations.checker.evidence import Evidence, Said, of_said
from operations.checker.model import Breach, Item


def check(evidence: Evidence) -> Iterable[Breach]:
    """Broken headers, traces that nobody began, deliveries outside the trace of their event."""
    begun = {command.trace for command in evidence.commands}
    by_id: dict[str, Said] = {}
    for said in evidence.said.values():
        if said.envelope.id not in by_id:
            by_id[said.envelope.id] = said
            yield from _event(evidence, said, begun)
    for effect in evidence.effects:
        item = Item("delivery", f"{effect.sink}:{effect.id}", f"trace {effect.trace}")
        cause = by_id.get(effect.event or "")
        if cause is not None and effect.trace != cause.trace:
            note = f"trace {cause.trace}"
            yield Breach(
                "I12", "wrong-parent", "A delivery is not in the trace of its event.", (item, of_said(cause, note))
            )
        elif evidence.traced and effect.trace not in begun:
            yield Breach("I12", "orphan", "A delivery belongs to no command's trace.", (item,))


def _event(evidence: Evidence, said: Said, begun: set[str | None]) -> Iterator[Breach]:
    headers = dict(said.record.headers)
    if headers.get("traceparent") != headers.get("ce_traceparent"):
        yield Breach("I12", "split-trace", "A record names two traces.", (of_said(said),))
    elif said.envelope.traceparent is not None and said.trace is None:
        yield Breach("I12", "broken-trace", "A record's trace can't be read.", (of_said(said),))
    elif evidence.traced and said.trace not in begun:
        note = f"trace {said.trace}"
        yield Breach("I12", "orphan", "An event belongs to no command's trace.", (of_said(said, note),))
