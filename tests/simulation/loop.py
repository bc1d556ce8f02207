"""An event loop whose time is virtual and whose order is drawn: the same seed runs the same way again.

Every handle belongs to the owner that stands in its context. What a dead owner had planned never happens, without any
`finally` of its code running, as after `kill -9`; what a frozen one had planned waits until it is thawed.
"""

import asyncio
import heapq
from asyncio import events
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from enum import Enum, auto
from random import Random
from typing import Any, Final

_MOST_STEPS: Final = 400_000


class StuckError(Exception):
    """Nothing is ready and no timer is set, or there is no end to it."""


class State(Enum):
    """What a process is."""

    RUNNING = auto()
    FROZEN = auto()
    DEAD = auto()


class Owner:
    """Whose handles they are. The loop asks for its state before each step."""

    def __init__(self) -> None:
        self.state = State.RUNNING
        self.held: list[events.Handle] = []


OWNER: Final[ContextVar[Owner | None]] = ContextVar("owner", default=None)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Draws the next step from all that are ready; when none is, the clock jumps to the next timer."""

    _ready: list[events.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._ready = []
        self._random = random.random
        self._now = 0.0
        self._over = False
        self.steps = 0
        # Those of dead processes must not be collected meanwhile: that would run their `finally` blocks.
        self.tasks: list[tuple[asyncio.Task[Any], Context]] = []
        self.set_task_factory(self._task)

    def _task(self, loop: Any, coroutine: Any, context: Context | None = None) -> asyncio.Task[Any]:
        own = copy_context() if context is None else context
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=own)
        self.tasks.append((task, own))
        return task

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def thaw(self, owner: Owner) -> None:
        """Let everything go on that a frozen owner had planned; its timers are overdue all at once."""
        owner.state = State.RUNNING
        self._ready += owner.held
        owner.held = []

    def call_soon(  # type: ignore[override]  # the types of a callback's arguments are of no use here
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> events.Handle:
        """Plan a step; after the end nothing happens any more."""
        handle = events.Handle(callback, args, self, context)
        if not self._over:
            self._ready.append(handle)
        return handle

    def _run_once(self) -> None:
        """One step: called again and again by `run_forever`."""
        ready, timers = self._ready, self._scheduled
        if not ready:
            while timers and timers[0].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise StuckError("nothing is ready, and no timer is set")
            self._now = max(self._now, timers[0].when())
        while timers and timers[0].when() <= self._now:
            timer = heapq.heappop(timers)
            if not timer.cancelled():
                ready.append(timer)
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise StuckError(f"no end after {self.steps} steps")
        self._step(ready)

    def _step(self, ready: list[events.Handle]) -> None:
        place = int(self._random() * len(ready))
        ready[place], ready[-1] = ready[-1], ready[place]
        handle = ready.pop()
        if handle.cancelled():
            return
        owner = handle._context.get(OWNER)  # type: ignore[attr-defined]  # asyncio keeps it to itself
        if owner is None or owner.state is State.RUNNING:
            handle._run()
        elif owner.state is State.FROZEN:
            owner.held.append(handle)

    def _timer_handle_cancelled(self, handle: Any) -> None:
        """Cancelled timers are dropped when their time comes."""

    def _write_to_self(self) -> None:
        """Nothing waits in a system call that would have to be interrupted."""

    def discard(self) -> None:
        """End everything that is left, and let nothing of it happen."""
        self._over = True
        for task, context in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # leaving it undone is the purpose
                context.run(_close, task.get_coro())
        self.tasks.clear()
        self._ready.clear()
        self._scheduled.clear()
        self.close()


def _close(coroutine: Coroutine[Any, Any, Any] | Any) -> None:
    with suppress(BaseException):  # its `finally` awaits or raises: the process is dead, and nobody sees it
        coroutine.close()
