"""The table of checks: one pure function an invariant family."""

from collections.abc import Callable, Iterable
from typing import Final

from operations.checker import (
    commands,
    conservation,
    convergence,
    dead_letters,
    ghosts,
    legality,
    once,
    order,
    outbox,
    tenants,
    traces,
)
from operations.checker.evidence import Evidence
from operations.checker.model import INVARIANTS, Breach

Check = Callable[[Evidence], Iterable[Breach]]

CHECKS: Final[dict[str, Check]] = {
    "client history": commands.check,
    "outbox": outbox.check,
    "ghosts": ghosts.check,
    "once": once.check,
    "order": order.check,
    "legality": legality.check,
    "convergence": convergence.check,
    "conservation": conservation.check,
    "dead letters": dead_letters.check,
    "tenants": tenants.check,
    "traces": traces.check,
}


def check(evidence: Evidence) -> list[Breach]:
    """Every breach, by invariant and with the smallest witnesses first; each once."""
    found = dict.fromkeys(breach for run in CHECKS.values() for breach in run(evidence))
    order_of = list(INVARIANTS)
    return sorted(found, key=lambda each: (order_of.index(each.invariant), each.rule, len(each.witness)))
