"""Breaches as people read them: what is broken, how often, and the least that shows it."""

from collections.abc import Iterator, Sequence
from typing import Final

from operations.checker.evidence import Evidence
from operations.checker.model import INVARIANTS, Breach

_SHOWN: Final = 3  # of one rule; the others are counted


def lines(evidence: Evidence, breaches: Sequence[Breach]) -> Iterator[str]:
    """The report, the verdict last."""
    rules: dict[tuple[str, str], list[Breach]] = {}
    for breach in breaches:
        rules.setdefault((breach.invariant, breach.rule), []).append(breach)
    for (invariant, rule), found in rules.items():
        yield f"{invariant} {INVARIANTS[invariant]}: {rule} ({len(found)})"
        for breach in found[:_SHOWN]:
            yield f"  {breach.summary}"
            for item in breach.witness:
                yield f"    {item.kind} {item.name}{f'  ({item.note})' if item.note else ''}"
        if len(found) > _SHOWN:
            yield f"  and {len(found) - _SHOWN} more"
    looked_at = (
        f"{len(evidence.commands)} commands, {len(evidence.records)} records, {len(evidence.latest)} documents, "
        f"{len(evidence.effects)} deliveries, {len(evidence.consumption)} positions of groups"
    )
    yield f"{'no breach' if not breaches else f'{len(breaches)} breaches'} in {looked_at}"
