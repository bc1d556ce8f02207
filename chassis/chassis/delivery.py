"""Delivery: what committed documents owe gets published and done, once each commit wakes it, or by the sweep.

For every document that this instance owns: publish its entries, run its work in order, and when both are finished
clear it, together with up to a hundred others. Publishing never waits for work, so a mail server that is down delays
no event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from chassis import clock, logs, metrics, telemetry
from chassis.errors import TransientError
from chassis.publishing.producer import Producer
from chassis.publishing.relay import SWEEP, Heartbeat, Relay
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from chassis.state.mongo import IN_LIMIT, Collection, Database, Index, Raw
from chassis.state.outbox import Pending, Work
from chassis.state.works import Works

S = TypeVar("S")
A = TypeVar("A", bound=Aggregate)
log = logs.get()

CLEAR_SECONDS: Final = 0.2
SWEEP_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.05
_FRESH_MS: Final = 2_000  # what a commit left more lately is being delivered by whoever committed it
_AT_ONCE: Final = 4
_LOT: Final = 500  # documents published together
_LINKS: Final = 32
_TOGETHER: Final = 2  # attempts after which a document is published by itself: a refused record refuses its lot


@dataclass(slots=True)
class _Tracked:
    """What this process knows of one document that owes something."""

    publishing: bool = False
    working: bool = False
    again: bool = False
    attempts: int = 0
    done: set[str] = field(default_factory=set)


class Delivery:
    """The relay and the pending worker of one process."""

    def __init__(self, settings: Settings, service: str, database: Database) -> None:
        self.service = service
        self._heartbeat_seconds = settings.heartbeat_seconds
        self._database = database
        self._producer = Producer(settings)
        self._heartbeat = Heartbeat(database.collection("instances"), settings.instance)
        self.instance = self._heartbeat.owner
        self._relays: dict[str, Relay] = {}
        self._documents: list[Documents[Any]] = []
        self._plain: list[tuple[Collection, Sequence[Index]]] = []
        self._works: Works[Any] = Works()
        self._store: Any = None
        self._tracked: dict[tuple[str, str], _Tracked] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._clearing: dict[str, dict[str, str]] = {}
        self._woken = asyncio.Event()
        self._finished: dict[tuple[str, str], asyncio.Event] = {}
        self._lots, self._alone = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def producer(self) -> Producer:
        """The process's one producer; dead letters go through it too."""
        return self._producer

    def documents(self, model: type[A], name: str, indexes: Sequence[Index] = ()) -> Documents[A]:
        """The aggregates of one collection, published and worked for by this process."""
        collection = self._database.collection(name)
        self._relays[name] = Relay(collection, self._producer, self.instance)
        documents = Documents(collection, model, self, indexes)
        self._documents.append(documents)
        return documents

    def collection(self, name: str, indexes: Sequence[Index] = ()) -> Collection:
        """A plain collection, for rows and ledgers that say nothing."""
        collection = self._database.collection(name)
        self._plain.append((collection, indexes))
        return collection

    async def ping(self) -> None:
        """Raises TransientError while the database is away."""
        await self._database.ping()

    async def migrate(self) -> None:
        """Create the indexes of every collection."""
        for documents in self._documents:
            await documents.migrate()
        for collection, indexes in self._plain:
            await collection.create_indexes(indexes)

    def use(self, works: Works[S], store: S) -> None:
        """Name the work handlers and the store that they get."""
        self._works, self._store = works, store

    # --- waking -----------------------------------------------------------------------------------------------

    def wake(self, collection: Collection, document_id: str) -> None:
        """A commit of this instance left something pending."""
        self._wake((collection.name, document_id))

    def _wake(self, key: tuple[str, str]) -> None:
        self._dirty.add(key)
        self._woken.set()

    async def settle(self, collection: Collection, document_id: str, *, seconds: float) -> bool:
        """Wait until the document has no work left; False when that takes longer."""
        key = collection.name, document_id
        finished = self._finished.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                while True:
                    finished.clear()
                    raw = await collection.sweep({"_id": document_id}, limit=1, projection={"work": 1})
                    known = self._tracked.get(key, _Tracked()).done
                    if all(item["id"] in known for each in raw for item in each.get("work", ())):
                        return True
                    with suppress(TimeoutError):  # or a moment passed in which another instance may have finished it
                        await asyncio.wait_for(finished.wait(), _LOOK_SECONDS)
        except TimeoutError:
            return False
        finally:
            self._finished.pop(key, None)

    # --- running ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled; survives an absent database or broker."""
        await self._forever(self._heartbeat.beat, first=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(self._heartbeat.beat, self._heartbeat_seconds))
            group.create_task(self._loop(self._deliver_dirty, 0))
            group.create_task(self._loop(self._clear, CLEAR_SECONDS))
            group.create_task(self._sweep_all())

    async def stop(self, *, seconds: float = 5.0) -> None:
        """Finish what is under way, clear, disconnect."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        try:
            await self._clear()
        except TransientError:
            log.warning("delivery.not-cleared")
        await self._producer.stop()

    async def drain(self, *, seconds: float) -> bool:
        """Until nothing is owed that this process knows of, for a command that exits afterwards."""
        try:
            async with asyncio.timeout(seconds):
                while self._dirty or self._tracked or self._clearing:  # noqa: ASYNC110 - it ends in many places
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _forever(self, action: Callable[[], Awaitable[None]], *, first: bool = False) -> None:
        delay, task = 0.1, asyncio.current_task()
        while not (task and task.cancelling()):  # a driver may swallow a cancel, and a group cancels its tasks once
            try:
                await action()
            except TransientError as error:
                log.warning("delivery.waiting", error=error)
                await asyncio.sleep(clock.jittered(delay))
                delay = min(delay * 2, 3.0)
            else:
                if first:
                    return
                delay = 0.1

    async def _loop(self, action: Callable[[], Awaitable[None]], seconds: float) -> None:
        async def step() -> None:
            await action()
            await asyncio.sleep(seconds)

        await self._forever(step)

    async def _sweep_all(self) -> None:
        """Own leftovers at once at start, then every two seconds whatever a crash left, here or elsewhere."""
        at_start = True

        async def step() -> None:
            nonlocal at_start
            full = True
            while full:
                full = await self._sweep(at_start=at_start)
                await asyncio.sleep(CLEAR_SECONDS if full else 0)  # a backlog follows as fast as it is cleared
            at_start = False

        await self._loop(step, SWEEP_SECONDS)

    async def _sweep(self, *, at_start: bool) -> bool:
        """Look at every collection; True when more is waiting than one look takes."""
        alive, full = await self._heartbeat.alive(at_start=at_start), False
        for name, relay in self._relays.items():
            older_than = 0 if at_start else _FRESH_MS
            found = await relay.leftovers(alive, older_than_ms=older_than) | await relay.heal_due()
            full = full or len(found) >= SWEEP
            for key in ((name, document_id) for document_id in found):
                if key not in self._tracked:
                    self._wake(key)
        return full

    async def _deliver_dirty(self) -> None:
        await self._woken.wait()
        self._woken.clear()
        taken, self._dirty = self._dirty, set()
        ready: dict[str, list[str]] = {}
        for key in taken:
            tracked = self._tracked.setdefault(key, _Tracked())
            tracked.again = tracked.publishing
            if not tracked.publishing:
                ready.setdefault(key[0], []).append(key[1])
        try:
            for name, ids in ready.items():
                for start in range(0, len(ids), _LOT):
                    await self._deliver_some(name, ids[start : start + _LOT])
        except TransientError:
            self._dirty |= taken
            self._woken.set()
            raise

    async def _deliver_some(self, name: str, ids: list[str]) -> None:
        """Publish those together that did not fail again and again."""
        async with self._lots:  # what can't be published yet stays in the database, not in memory
            found = {raw["_id"]: raw for raw in await self._relays[name].read(ids)}
        fresh = []
        for document_id in ids:
            if (raw := found.get(document_id)) is None:
                self._forget((name, document_id))
                continue
            tracked = self._tracked.setdefault((name, document_id), _Tracked())  # a clearing may have forgotten it
            tracked.publishing = True
            if tracked.attempts > _TOGETHER:
                self._spawn(self._deliver(name, [raw], self._alone))
            else:
                fresh.append(raw)
        if fresh:
            self._spawn(self._deliver(name, fresh, self._lots))

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, key: tuple[str, str]) -> None:
        tracked = self._tracked.get(key)
        if tracked and not tracked.working and not tracked.publishing:
            del self._tracked[key]

    # --- documents that owe -----------------------------------------------------------------------------------

    async def _deliver(self, name: str, raws: list[Raw], turn: asyncio.Semaphore) -> None:
        async with turn:
            published = await self._publish(name, raws)
        for raw in raws:
            self._published((name, raw["_id"]), raw, done=raw["_id"] in published)

    async def _publish(self, name: str, raws: list[Raw]) -> set[str]:
        try:
            traces = list(dict.fromkeys(entry.traceparent for raw in raws for entry in Pending.of(raw).entries))
            parent = traces[0] if len(raws) == 1 and traces else None
            with (
                telemetry.span("relay.publish", kind="producer", parent=parent, links=traces[:_LINKS]),
                metrics.RELAY_SECONDS.time(),
            ):
                return await self._relays[name].publish(raws)
        except Exception as error:  # a document that can't be read must not leave the others without a sender
            log.exception("relay.failed", error=type(error).__name__)
        return set()

    def _published(self, key: tuple[str, str], raw: Raw, *, done: bool) -> None:
        """Go on with a document after an attempt to publish it: work, another attempt, or clearing."""
        tracked = self._tracked[key]
        tracked.publishing = False
        todo = [item for item in Pending.of(raw).work if item.id not in tracked.done]
        if todo and not tracked.working:
            tracked.working = True
            self._spawn(self._do_work(key, todo, raw["revision"] if done else None))
        if tracked.again:
            tracked.again = False
            self._wake(key)
        elif not done:
            self._wake_later(key)
        elif not todo:
            tracked.attempts = 0
            self._clearing.setdefault(key[0], {})[key[1]] = raw["revision"]

    def _wake_later(self, key: tuple[str, str]) -> None:
        tracked = self._tracked.setdefault(key, _Tracked())
        tracked.attempts += 1
        delay = clock.jittered(min(0.1 * 2 ** min(tracked.attempts, 8), 5.0))
        asyncio.get_running_loop().call_later(delay, self._wake, key)

    async def _do_work(self, key: tuple[str, str], todo: list[Work], published: str | None) -> None:
        """Do work in order; `published` is the revision whose entries are all acknowledged, if they are."""
        tracked = self._tracked[key]
        for work in todo:
            if self._stopping or not await self._works.attempt(work, self._store):
                break
            tracked.done.add(work.id)
        finished = tracked.done.issuperset(work.id for work in todo)
        tracked.working = False
        if key in self._finished:
            self._finished[key].set()
        if finished:
            tracked.attempts = 0
            self._wake(key)
        elif not self._stopping:
            self._wake_later(key)
            if published and tracked.attempts == 1:
                await self._clear_sent(key, published)

    async def _clear_sent(self, key: tuple[str, str], revision: str) -> None:
        try:
            await self._relays[key[0]].clear_sent({key[1]: revision})
        except TransientError:
            log.warning("delivery.not-cleared")  # they are remembered as sent, and cleared with the work

    async def _clear(self) -> None:
        waiting, self._clearing = self._clearing, {}
        for name, batch in waiting.items():
            ids = list(batch.items())
            for start in range(0, len(ids), IN_LIMIT):
                chunk = dict(ids[start : start + IN_LIMIT])
                try:
                    left = await self._relays[name].clear(chunk)
                except TransientError:
                    left = set(chunk)
                for document_id in chunk:
                    key = (name, document_id)
                    if document_id in left:
                        self._wake(key)
                    else:
                        self._forget(key)
