"""Timers: documents that carry the moment at which something is due.

Any replica may run them: the compare-and-set of `Documents.change` is the claim, and `fire` moves the moment on or
clears it, so a second replica finds nothing to do.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from chassis import clock, logs, metrics
from chassis.errors import TransientError, TurnaboutError
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from chassis.state.mongo import Raw

A = TypeVar("A", bound=Aggregate)
log = logs.get()
_WINDOW: Final = 200


class Timer(Generic[A]):
    """Runs `fire` on each document whose `field` (unix seconds, 0 for never) has come."""

    def __init__(
        self, documents: Documents[A], fire: Callable[[A], Any], *, field: str = "due", seconds: float = 1.0
    ) -> None:
        self._documents = documents
        self._fire = fire
        self._field = field
        self._seconds = seconds
        self._name = f"{documents.collection.name}.{field}"

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except TransientError as error:
                log.warning("timer.waiting", error=error)
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> int:
        """Fire what is due now; returns how many."""
        now = int(clock.now().timestamp())
        shape = {"tenant": 1, self._field: 1}
        due = {self._field: {"$gt": 0, "$lte": now}}
        found = await self._documents.collection.sweep(due, limit=_WINDOW, projection=shape)
        self._tell(found, now)  # before they fire, for a fault may leave them as they are
        left = []
        for raw in found:
            try:
                await self._documents.change(raw["tenant"], raw["_id"], self._fire)
            except TurnaboutError as error:
                log.warning("timer.refused", error=type(error).__name__)
                left.append(raw)
        self._tell(left, now)
        metrics.TIMERS_FIRED.inc(len(found))
        return len(found)

    def _tell(self, waiting: list[Raw], now: int) -> None:
        oldest = min((raw[self._field] for raw in waiting), default=now)
        metrics.TIMERS_DUE.labels(timer=self._name).set(len(waiting))
        metrics.TIMERS_LATE_SECONDS.labels(timer=self._name).set(now - oldest)
