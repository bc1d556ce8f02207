"""Bugs planted in the chassis for one run, each of which the verdict must notice within some seeds."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake: how it gets in, and within how many seeds it must be caught."""

    plant: Callable[[ExitStack], None]
    seeds: int = 100


BUGS: Final[dict[str, Bug]] = {}


def hunted(name: str) -> str:
    """Run seed after seed with the bug; says which one caught it, and by what."""
    from simulation.world import run

    for seed in range(BUGS[name].seeds):
        if breaches := run(seed, BUGS[name].plant).breaches:
            return f"{name}: seed {seed}: {breaches[0]}"
    return f"{name}: not caught by {BUGS[name].seeds} seeds"
