"""A backlog with effects in the database: a read model that folds a million events in batches.

Two processes of this module: `consume` is a service whose batch handler keeps the newest state of each key and upserts
the rows in bulk; `effects` compares the rows with the events. After every slice of the backlog the consumer repeats the
writes of that slice on a collection of its own, with nothing else going on, so that both rates are of the same minutes.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.mongo import Collection, Raw, connect
from contracts.profiles import ProfileUpdated

from benchmarks.bus.load import LIFE, TENANT, identifier

SERVICE = "bench-backlog"
GROUP = f"{SERVICE}.rows"
_SLICE = 20_000  # events between two reports


class Store:
    """The rows, and a second collection for what the database does alone."""

    def __init__(self, rows: Collection, alone: Collection) -> None:
        self.rows = rows
        self._alone = alone
        self._slice: list[list[Raw]] = []
        self._seen, self._reported, self._alone_seconds = 0, 0, 0.0

    async def fold(self, events: list[Received[ProfileUpdated]]) -> None:
        """Write the newest state of each key."""
        newest = {event.key: row(event.key, event.sequence, event.data) for event in events}
        await self.rows.replace_newest(list(newest.values()))
        self._slice.append(list(newest.values()))
        self._seen += len(events)
        if self._seen - self._reported >= _SLICE:
            await self._report()

    async def _report(self) -> None:
        """Repeat the slice's writes alone, and print events, bytes of memory, the time and the time spent alone."""
        began = time.perf_counter()
        for rows in self._slice:
            await self._alone.replace_newest(rows)
        self._alone_seconds += time.perf_counter() - began
        self._slice, self._reported = [], self._seen
        print(json.dumps([self._seen, resident(), time.perf_counter(), self._alone_seconds]), flush=True)


def row(key: str, sequence: int, state: ProfileUpdated | None) -> Raw:
    """A row of the read model; its level tells of which state it was made."""
    return {"_id": key, "tenant": TENANT, "sequence": sequence, "level": state.mentor_capacity if state else None}


def resident() -> int:
    """Bytes of memory that this process holds; Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def consume(settings: Settings) -> None:
    """Fold until SIGTERM."""
    handlers: Handlers[Store] = Handlers(SERVICE)

    @handlers.batch(ProfileUpdated, group="rows")
    async def fold(events: list[Received[ProfileUpdated]], store: Store) -> None:
        await store.fold(events)

    Service(settings, SERVICE, store_factory=_store, handlers=handlers).run()


def _store(delivery: Delivery) -> Store:
    return Store(delivery.collection("rows"), delivery.collection("alone"))


async def effects(settings: Settings, events: int) -> None:
    """Prints what is wrong with the rows: those that are missing, foreign, or not of the newest state."""
    async with connect(settings, SERVICE) as database:
        rows = database.collection("rows")
        stored: dict[str, Any] = {}
        async for each in rows.raw.find({}, {"sequence": 1, "level": 1}):
            stored[each["_id"]] = (each["sequence"], each["level"])
    wrong = 0
    for number in range(events // LIFE):
        wrong += stored.pop(identifier("member", number), None) != (LIFE, LIFE)
    print(json.dumps({"wrong": wrong, "foreign": len(stored)}))


def main(role: str, kafka: str, mongo: str, events: str) -> None:
    """One process."""
    settings = Settings(kafka=kafka, mongo=mongo, instance="bench", port=0, log_level="ERROR")
    if role == "consume":
        consume(settings)
    else:
        asyncio.run(effects(settings, int(events)))


if __name__ == "__main__":
    main(*sys.argv[1:])
