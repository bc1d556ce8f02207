"""The seeded schedule: who is killed or frozen, when, and how long each took to come back."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from faults_world import sink
from faults_world.world import BROKER, DATABASE, STOCK, World

# How often each is hit, in parts of a hundred.
_TARGETS: Final = {
    "orders-0": 18,
    "orders-1": 18,
    "parcels-0": 18,
    "parcels-1": 18,
    "letters-0": 13,
    BROKER: 8,
    DATABASE: 7,
}
_PAUSE: Final = (0.1, 0.9)  # seconds after the answer and the next effect
_FROZEN: Final = (0.5, 4.0)  # seconds of an ordinary freeze
_FREEZE: Final = 0.1  # chance of a freeze before a kill
_LONG_FREEZE: Final = 0.01
_LONG_FROZEN: Final = 17.0  # beyond the heartbeat's and the group session's patience: others take over
_NO_EFFECT: Final = 4.0  # seconds after which the next kill comes without an effect in between
_TOLD: Final = 25  # kills between two lines of progress
Say = Callable[[str], None]


@dataclass(slots=True)
class Kill:
    """One kill -9, with the moments that follow it in Unix seconds."""

    name: str
    at: float
    started: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Freeze:
    """A process that stood still, in Unix seconds."""

    name: str
    at: float
    until: float


@dataclass
class Faults:
    """Hurts the world, a fixed number of kills and now and then a freeze beside them."""

    world: World
    kills: int
    seed: int
    stock: bool = False
    say: Say = lambda _: None
    done: list[Kill] = field(default_factory=list)
    freezes: list[Freeze] = field(default_factory=list)
    _frozen: set[str] = field(default_factory=set)
    _random: random.Random = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _effects: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    async def run(self) -> None:
        """Carry out the schedule."""
        while len(self.done) < self.kills:
            name = self._random.choices([*_TARGETS], [*_TARGETS.values()])[0]
            chance, pause = self._random.random(), self._random.uniform(*_PAUSE)
            if name in self._frozen:
                continue  # a kill would cut its freeze short
            if chance < _LONG_FREEZE and name not in {BROKER, DATABASE}:
                self._freeze(name, _LONG_FROZEN)
            elif chance < _FREEZE:
                self._freeze(name, self._random.uniform(*_FROZEN))
            else:
                await self._kill(name)
                await self._some_effect()
                await asyncio.sleep(pause)
        await asyncio.gather(*self._tasks)

    async def _kill(self, name: str) -> None:
        kill = Kill(name, time.time())
        await self.world.kill(name)
        if self.stock and name.startswith("parcels"):  # its counterpart: it reads the same topic
            await self.world.kill(STOCK)
            self.world.start(STOCK)
        kill.started = time.time()
        self.world.start(name)
        await self.world.children[name].wait_ready()
        kill.answered = time.time()
        self.done.append(kill)
        if len(self.done) % _TOLD == 0:
            self.say(f"{len(self.done)} kills")

    def _freeze(self, name: str, seconds: float) -> None:
        """Freeze it for a while, beside the kills of others."""
        self._frozen.add(name)
        task = asyncio.create_task(self._stand_still(name, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stand_still(self, name: str, seconds: float) -> None:
        at = time.time()
        self.world.signal(name, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.world.signal(name, signal.SIGCONT)
        self.freezes.append(Freeze(name, at, time.time()))
        self._frozen.discard(name)

    async def _some_effect(self) -> None:
        """Until something reached the outside since the process answered: a dead system can't be killed."""
        end = time.monotonic() + _NO_EFFECT
        _, self._effects = sink.read(self.world.sink, self._effects)
        while time.monotonic() < end:
            await asyncio.sleep(0.05)
            found, self._effects = sink.read(self.world.sink, self._effects)
            if found:
                return
