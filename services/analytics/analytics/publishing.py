"""Reports are published once, when a month is over, and never change afterwards.

That is what keeps a running month off the page, and what lets the gate reason about differences between months: it
knows exactly what readers have seen before.
"""

import asyncio
from datetime import timedelta
from typing import Final

from chassis.errors import TransientError

from analytics import disclosure, measures, months
from analytics.disclosure import Report
from analytics.months import Period
from analytics.progress import Progress
from analytics.store import DIRECTORY, MENTORSHIPS, Store
from chassis import clock, logs

log = logs.get()
_LOOK_EVERY_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 3.0
_READERS_PATIENCE_SECONDS: Final = 5.0
_MARKER_DAYS: Final = 7
_MOST_MONTHS: Final = 24


class Publisher:
    """Makes the reports of one deployment; any replica may, and the first one stands."""

    def __init__(self, store: Store, progress: Progress, k: int) -> None:
        self._store = store
        self._progress = progress
        self._k = k
        self._published: dict[str, Period] = {}
        self._one_at_a_time = asyncio.Lock()
        self._making: set[asyncio.Task[None]] = set()

    async def reports(self, tenant: str, *, patience: float = _READERS_PATIENCE_SECONDS) -> list[Report]:
        """The reports of every closed month, oldest first.

        Those that are due are made first, unless that takes longer than a reader should wait: the search for what a
        report could give away may take some seconds a month, and it goes on without them.
        """
        making = asyncio.create_task(self._catch_up(tenant))
        self._making.add(making)
        making.add_done_callback(self._made)
        done, _ = await asyncio.wait({making}, timeout=patience)
        for each in done:
            each.result()
        running = months.month_of(clock.today())
        return [report for report in await self._store.reports(tenant) if report.period < running]

    async def run(self) -> None:
        """Make reports soon after a month has closed, whether anybody looks or not."""
        learned = False
        while True:
            try:
                if not learned:
                    await self._store.remember_tenants()
                    learned = True
                for tenant in sorted(self._store.tenants):
                    await self._catch_up(tenant)
            except TransientError as error:
                log.warning("reports.waiting", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _made(self, making: asyncio.Task[None]) -> None:
        self._making.discard(making)
        if not making.cancelled() and (error := making.exception()) is not None:
            log.warning("reports.waiting", error=type(error).__name__)

    async def _catch_up(self, tenant: str) -> None:
        running = months.month_of(clock.today())
        if self._published.get(tenant) == running:
            return
        async with self._one_at_a_time:
            if not await self._progress.reached_now(seconds=_PATIENCE_SECONDS):
                return  # readers see the earlier reports meanwhile
            known = await self._store.reports(tenant)
            mentorships = await self._store.rows(MENTORSHIPS, tenant)
            directory = await self._store.rows(DIRECTORY, tenant)
            if known:
                first: Period | None = months.next_month(known[-1].period)
            else:
                first = measures.first_month(mentorships, directory)
            if first is None:
                return
            for period in months.closed_months(first, clock.today())[-_MOST_MONTHS:]:
                counts = measures.count(period, mentorships, directory, [report.period for report in known])
                known.append(await asyncio.to_thread(disclosure.publish, counts, [*known], self._k))
                if not await self._store.publish(tenant, known[-1]):
                    return  # another replica is at it; what it publishes is read next time
            await self._store.forget_markers(tenant, (clock.today() - timedelta(days=_MARKER_DAYS)).isoformat())
            self._published[tenant] = running
