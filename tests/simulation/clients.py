"""Those who give commands: what they asked for, and what they were told."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from chassis.errors import TransientError, TurnaboutError
from operations.checker.model import Ending

from chassis import telemetry
from simulation import services
from simulation.faults import ACTIVE_SECONDS, Plan
from simulation.loop import SimulatedLoop
from simulation.process import Process

_KINDS: Final = ("fact", "both", "both", "both", "state", "ask", "ask", "end", services.POISON)


@dataclass(slots=True)
class Given:
    """One command as its client saw it."""

    name: str
    order: str
    kind: str
    trace: str
    ending: Ending = Ending.INFO


class Commanded(Protocol):
    """What clients need of their world."""

    plan: Plan
    loop: SimulatedLoop
    random: Random
    given: list[Given]

    def tell(self, what: str) -> None:
        """Write down what happened."""


def commanding(world: Commanded) -> Callable[[Process], Coroutine[Any, Any, None]]:
    """What runs in a process of orders: the requests that reach it, while there are some."""

    async def commands(process: Process) -> None:
        pace = ACTIVE_SECONDS / max(world.plan.commands, 1)
        while len(world.given) < world.plan.commands and world.loop.time() < ACTIVE_SECONDS * 1.5:
            await asyncio.sleep(world.random.expovariate(1 / pace) if world.random.random() < 0.7 else 0)
            process.spawn(_command(world, process))

    return commands


async def _command(world: Commanded, process: Process) -> None:
    if len(world.given) >= world.plan.commands:
        return
    kind = world.random.choice(_KINDS)
    number = len(world.given)
    order = f"order-{world.random.randrange(world.plan.orders)}"
    given = Given(f"{kind}-{number}", order, kind, trace=f"{number + 1:032x}")
    world.given.append(given)
    try:
        with telemetry.span("command simulated", parent=f"00-{given.trace}-{1:016x}-01"):
            await process.store.orders.change(
                services.TENANT,
                order,
                lambda order: order.do(kind, given.name),
                create=lambda: services.Order(id=order, tenant=services.TENANT),
            )
    except TransientError:
        return
    except TurnaboutError:
        given.ending = Ending.FAIL
        return
    given.ending = Ending.OK
    world.tell(f"answered {given.name} on {given.order}")
