"""One run: world, load and faults together, then quiet, then the comparison."""

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from faults_world import sink
from faults_world.check import Breaches, Seen, check, look
from faults_world.evidence import judge
from faults_world.faults import Faults, Freeze, Kill
from faults_world.load import Command, Load
from faults_world.world import BROKER, DATABASE, STOCK, World

QUIET_SECONDS: Final = 60.0
HEALED_SECONDS: Final = 90.0
_SERVERS: Final = (BROKER, DATABASE)
_STOCK_SECONDS: Final = 30.0  # without an effect; its group lets a killed member go after ten


@dataclass(frozen=True, slots=True)
class Result:
    """What a run showed."""

    kills: Sequence[Kill]
    freezes: Sequence[Freeze]
    commands: Sequence[Command]
    breaches: Breaches
    seen: Seen
    stock_lost: int
    stock_doubled: int
    seconds: float

    @property
    def repeats(self) -> int:
        """Deliveries that the outside refused because it had them."""
        return sum(line.again for line in self.seen.effects)


async def run(faults: Faults, load: Load, *, healed: bool) -> Result:
    """Hurt a running world under load, let it become quiet, and compare.

    Args:
        faults: the schedule; its world is running.
        load: the commands.
        healed: wait until every state that is due to be published again has been.
    """
    world, began = faults.world, time.monotonic()
    await under(load, faults.run())
    seconds = time.monotonic() - began
    await until_quiet(world, healed=healed)
    breaches, seen = await verdict(world, load, healed=healed)
    stock = await _stock(world, seen) if STOCK in world.children else (0, 0)
    load.write(world.folder / "history.jsonl")
    return Result(faults.done, faults.freezes, load.history, breaches, seen, *stock, seconds)


async def verdict(world: World, load: Load, *, healed: bool = False) -> tuple[Breaches, Seen]:
    """What does not hold, by this world's own comparison and by the general checker; and all that was seen."""
    seen = await look(world, load.history)
    breaches = check(seen)
    breaches.add(await judge(world, load.history, settled=healed))
    return breaches, seen


async def under(load: Load, hurting: Coroutine[Any, Any, None]) -> None:
    """Keep the load on while something is being done to the world, and wait for the last answers."""
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(enough))
        try:
            await hurting
        finally:
            enough.set()


async def until_quiet(world: World, *, healed: bool = False) -> None:
    """Until nothing is owed and every step has its effect; gives up after a while, and the check says what is lost."""
    await _until(lambda: _quiet(world), QUIET_SECONDS)
    if healed:
        await _until(lambda: not any("heal_at" in raw for raw in world.documents("orders", "orders")), HEALED_SECONDS)
        await _until(lambda: _quiet(world), QUIET_SECONDS)


def _quiet(world: World) -> bool:
    orders = world.documents("orders", "orders")
    letters = world.documents("letters", "letters")
    owing = [*orders, *letters, *world.documents("parcels", "parcels")]
    steps = sum(raw["step"] for raw in orders)
    effects = {line.id for line in sink.read(world.sink)[0]}
    return len(effects) >= steps and not any("pending" in raw for raw in owing)


async def _stock(world: World, seen: Seen) -> tuple[int, int]:
    """How many steps the stock consumer lost and doubled, once it has gone quiet."""
    wanted = {(raw["_id"], step) for raw in seen.orders.values() for step in range(1, raw["step"] + 1)}
    count, since = -1, time.monotonic()
    while time.monotonic() - since < _STOCK_SECONDS and count < len(wanted):
        if (now := len({(line.order, line.name) for line in sink.read(world.stock_sink)[0]})) != count:
            count, since = now, time.monotonic()
        await asyncio.sleep(0.5)
    done = [(line.order, int(line.name.partition(".")[0])) for line in sink.read(world.stock_sink)[0]]
    return len(wanted - set(done)), len(done) - len(set(done))


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not await asyncio.to_thread(condition):
        await asyncio.sleep(0.5)


# --- how fast effects come back -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from a kill to the first new effect that went through the killed process."""

    count: int
    p50: float
    p95: float
    start_p50: float
    """Seconds of them in which the process started."""


def recovery(result: Result, killed: str | None) -> Recovery | None:
    """First new effect after each kill: of a command given after it, handled by the process that was killed.

    Args:
        result: a run.
        killed: the broker or the database; None for all services.
    """
    waits: list[float] = []
    starts: list[float] = []
    invoked = {command.key: command for command in result.commands}
    lines = sorted((line for line in result.seen.effects if not line.again), key=lambda line: line.at)
    for kill in result.kills:
        if killed != (kill.name if kill.name in _SERVERS else None):
            continue
        first = next((line for line in lines if line.at > kill.at and _through(kill, line, invoked)), None)
        if first is not None and not _frozen_between(result.freezes, kill.at, first.at):
            waits.append(first.at - kill.at)
            starts.append(kill.answered - kill.started)
    if len(waits) < 2:
        return None
    cuts = statistics.quantiles(waits, n=20, method="inclusive")
    return Recovery(len(waits), statistics.median(waits), cuts[18], statistics.median(starts))


def _through(kill: Kill, line: sink.Line, invoked: dict[str, Any]) -> bool:
    command = invoked.get(line.name.rpartition(".")[2])
    if command is None or command.invoked < kill.at:
        return False
    return kill.name in {*_SERVERS, line.by, line.follower, command.answered_by}


def _frozen_between(freezes: Sequence[Freeze], start: float, end: float) -> bool:
    """Another fault has its share in this wait."""
    return any(freeze.at < end and freeze.until > start for freeze in freezes)
