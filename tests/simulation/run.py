"""One seed, from its plan to the verdict."""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

from chassis.consuming import consumer

from simulation import faults, verify
from simulation.loop import SimulatedLoop, StuckError
from simulation.pins import pinned
from simulation.process import batch_at
from simulation.world import HEARD, World

Plant = Callable[[ExitStack], None]


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    seed: int
    breaches: list[str]
    history: list[str] = field(repr=False)
    seconds: float = 0.0
    steps: int = 0
    points: Counter[str] = field(default_factory=Counter, repr=False)
    deaths: int = 0


def run(
    seed: int, plant: Plant | None = None, without: Iterable[str] = (), focus: Mapping[str, Any] | None = None
) -> Outcome:
    """Run one seed to rest, and say what does not hold then.

    Args:
        seed: what everything is drawn from.
        plant: puts a bug into the chassis for this run.
        without: parts of the seed's plan that are left out (`simulation.faults.parts`).
        focus: parts that are replaced.
    """
    random = Random(seed)  # noqa: S311 - a run is its seed
    chosen = faults.changed(faults.without(faults.drawn(random, list(HEARD)), without), focus or {})
    loop = SimulatedLoop(Random(seed + 1))  # noqa: S311 - as above
    world = World(seed, chosen, loop, random)
    breaches: list[str] = []
    gc.disable()
    try:
        with pinned(seed, loop.time, world.tell), patch.object(consumer, "batch_at", batch_at), ExitStack() as planted:
            if plant is not None:
                plant(planted)
            try:
                loop.run_until_complete(world.live())
            except StuckError as error:
                breaches.append(f"stuck: {error}")
        breaches += [*world.breaches, *verify.breaches(world)]
    finally:
        loop.discard()
        gc.enable()
    return Outcome(seed, breaches, world.history, loop.time(), loop.steps, world.points, world.deaths)
