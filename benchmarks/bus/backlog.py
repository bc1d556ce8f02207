"""A backlog with effects in the database: a read model that folds a million events in batches.

Three processes of this module: `consume` is a service whose batch handler keeps the newest state of each key and
upserts the rows in bulk, and writes down what it wrote; `alone` repeats exactly these writes with nothing but the
database; `effects` compares the rows with the events. A consumer is killed on the way, and another goes on.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

from chassis.app import Service
from chassis.consumer import Handlers
from chassis.delivery import Delivery
from chassis.mongo import Collection, Raw, connect
from chassis.records import Received
from chassis.settings import Settings
from contracts.profiles import ProfileUpdated

from benchmarks.bus.load import LIFE, TENANT, identifier
from chassis import logs

SERVICE = "bench-backlog"
GROUP = f"{SERVICE}.rows"
_REPORT = 10_000  # events between two lines about memory and time


class Store:
    """The rows, and the notebook of what was written."""

    def __init__(self, rows: Collection, notebook: IO[str]) -> None:
        self.rows = rows
        self._notebook = notebook
        self._seen, self._writing = 0, 0.0

    async def fold(self, events: list[Received[ProfileUpdated]]) -> None:
        """Write the newest state of each key."""
        newest = {event.key: row(event.key, event.sequence, event.data) for event in events}
        began = time.perf_counter()
        await self.rows.replace_newest(list(newest.values()))
        self._writing += time.perf_counter() - began
        json.dump([len(events), [[each["_id"], each["sequence"]] for each in newest.values()]], self._notebook)
        self._notebook.write("\n")
        before, self._seen = self._seen, self._seen + len(events)
        if before // _REPORT != self._seen // _REPORT:
            print(json.dumps([self._seen, resident(), time.perf_counter(), self._writing]), flush=True)


def row(key: str, sequence: int, state: ProfileUpdated | None) -> Raw:
    """A row of the read model; its level tells of which state it was made."""
    return {"_id": key, "tenant": TENANT, "sequence": sequence, "level": state.mentor_capacity if state else None}


def resident() -> int:
    """Bytes of memory that this process holds; Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def consume(settings: Settings, notebook: Path) -> None:
    """Fold until SIGTERM."""
    handlers: Handlers[Store] = Handlers(SERVICE)

    @handlers.batch(ProfileUpdated, group="rows")
    async def fold(events: list[Received[ProfileUpdated]], store: Store) -> None:
        await store.fold(events)

    with notebook.open("w") as file:

        def store(delivery: Delivery) -> Store:
            return Store(delivery.collection("rows"), file)

        logs.configure(settings, SERVICE)
        service = Service(settings, SERVICE, store_factory=store, handlers=handlers)
        asyncio.run(service.serve())


async def alone(settings: Settings, notebook: Path) -> None:
    """Repeat the writes on a collection of its own; prints events a second."""
    async with connect(settings, SERVICE) as database:
        rows = database.collection("alone")
        began, events = time.perf_counter(), 0
        with notebook.open() as file:
            for line in file:
                count, written = json.loads(line)
                await rows.replace_newest([_again(*each) for each in written])
                events += count
        print(json.dumps(events / (time.perf_counter() - began)))


def _again(key: str, sequence: int) -> Raw:
    return {"_id": key, "tenant": TENANT, "sequence": sequence, "level": sequence}


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


def main(role: str, kafka: str, mongo: str, last: str) -> None:
    """One process."""
    settings = Settings(kafka=kafka, mongo=mongo, instance="bench", port=0, log_level="WARNING")
    if role == "consume":
        consume(settings, Path(last))
    elif role == "alone":
        asyncio.run(alone(settings, Path(last)))
    else:
        asyncio.run(effects(settings, int(last)))


if __name__ == "__main__":
    main(*sys.argv[1:])
