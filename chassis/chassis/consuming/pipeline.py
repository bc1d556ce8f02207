"""The way of a fetched batch: parse → park or handle by key lanes → outcome → the offsets that may be committed.

Records of one key stay in order; other keys do not wait for them. So a lane whose record failed, can't be read or is
parked is set aside: it gets its outcomes past the end of its batch, and later records of its key join it. An offset
may be committed only when every record up to it has an outcome, so whatever ends the process, the next member begins
with the first record without one.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from chassis import clock, logs, metrics, telemetry
from chassis.consuming.breaker import Breaker
from chassis.consuming.dead_letters import DeadLetters
from chassis.consuming.handlers import BatchHandler, Group
from chassis.consuming.offsets import Offsets, Place
from chassis.consuming.outcomes import DeadLetter, Done, Duplicate, Outcome, Parked, Skipped
from chassis.consuming.parking import Parking
from chassis.consuming.records import Received, Record, Vocabulary
from chassis.errors import StaleError, TransientError

S = TypeVar("S")
log = logs.get()

ATTEMPTS: Final = 3
LANES: Final = 16
ASIDE: Final = 1_000  # records set aside at most; then the next batch waits for them
PATIENCE_SECONDS: Final = 20.0  # of waiting in place; then the partition pauses, and the member stays in its group
_LONGEST_WAIT: Final = 5.0
_LINKS: Final = 32
_DONE: Final = Done()
_DUPLICATE: Final = Duplicate()
Parsed = Received[Any] | Skipped | DeadLetter


@dataclass(slots=True)
class Progress:
    """How far the group came: the offsets to commit and, where it broke off, the offsets to begin with again."""

    commit: dict[Place, int] = field(default_factory=dict)
    again: dict[Place, int] = field(default_factory=dict)
    why: str = ""


class InterruptedPipelineError(Exception):
    """The record can't get its outcome now; it stays uncommitted. The argument says why."""


class Pipeline(Generic[S]):
    """Gives every record of one consumer group its outcome. `later` is called when records set aside have theirs."""

    def __init__(
        self,
        group: Group[S],
        store: S,
        letters: DeadLetters,
        parking: Parking,
        later: Callable[[], None] = lambda: None,
    ) -> None:
        self.words = Vocabulary(group.handlers)
        self.offsets = Offsets()
        self._group = group
        self._store = store
        self._letters = letters
        self._parking = parking
        self._later = later
        self._breaker = Breaker()
        # By type, and for tombstones by topic: the handler, and the name of its spans.
        self._calls = {
            name: (handler, f"{group.name} {event.topic.stream}")
            for event, handler in group.handlers.items()
            for name in (event.event_type(), event.topic.name)
        }
        self._aside: dict[bytes | None, deque[Record]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def stop_soon(self) -> None:
        """Break off at the next record boundary."""
        self._stopping = True

    async def process(self, records: Sequence[Record]) -> None:
        """Give the records their outcomes, as far as faults and the end of the process allow; see `progress`."""
        self.offsets.take(records)
        rest = records
        if self._group.batch is not None:
            rest = await self._whole_batch(self._group.batch, records)
        lanes: dict[bytes | None, list[Record]] = {}
        for record in rest:
            lanes.setdefault(record.key, []).append(record)
        if lanes:
            await self._run(list(lanes.values()))
        self.offsets.through(records)
        if sum(map(len, self._aside.values())) > ASIDE:
            await self.settled()

    def progress(self) -> Progress:
        """How far the group came since the last call."""
        why = self.offsets.why_broken()
        return Progress(self.offsets.committable(), self.offsets.again() if why else {}, why)

    async def settled(self) -> None:
        """Until nothing is set aside any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _whole_batch(self, handler: BatchHandler[S], records: Sequence[Record]) -> Sequence[Record]:
        """Try the batch handler on all undisturbed keys at once.

        Returns:
            The records that still need an outcome, one by one: of keys that are parked, set aside, broken off or have a
            dead letter, of unknown types, and all of them when the handler failed.
        """
        items = [self.words.parse(record) for record in records]
        pairs = list(zip(records, items, strict=True))
        apart = {record.key for record, item in pairs if isinstance(item, DeadLetter) or self._parking.holds(record)}
        apart |= self._aside.keys() | self.offsets.broken_keys
        taken = [(record, item) for record, item in pairs if isinstance(item, Received) and record.key not in apart]
        events = [item for _, item in taken]
        if not events:
            return records
        try:
            traces = [event.traceparent for event in events[:_LINKS]]
            with telemetry.span(f"{self._group.name} batch", parent=traces[0], links=traces[1:]):
                await self._patiently(lambda: handler(events, self._store))
        except InterruptedPipelineError:
            return records  # the lanes find the same obstacle, and say so
        except Exception as error:  # noqa: BLE001 - isolates the record that the handler can't take
            log.warning("consumer.batch-failed", group=self._group.name, error=type(error).__name__)
            return records
        self._count("done", len(taken))
        if len(taken) == len(records):
            return []
        done = {id(record) for record, _ in taken}
        return [record for record in records if id(record) not in done]

    async def _run(self, lanes: list[list[Record]]) -> None:
        """Work off the lanes, sixteen at once.

        A record is parsed when its turn comes: hundreds of parsed events alive at once keep the garbage collector busy.
        """
        counts = Counter[type[Outcome]]()

        async def worker() -> None:
            while lanes:
                lane = lanes.pop()
                if lane[0].key in self._aside:
                    self._join(lane)
                elif not self.offsets.stays_broken(lane):
                    await self._lane(lane, counts)

        try:
            await asyncio.gather(*(worker() for _ in range(min(LANES, len(lanes)))))
        finally:
            for kind, count in counts.items():
                self._count(kind.__name__.lower(), count)

    def _count(self, outcome: str, records: int) -> None:
        metrics.CONSUMED.labels(group=self._group.name, outcome=outcome).inc(records)

    async def _lane(self, lane: list[Record], counts: Counter[type[Outcome]]) -> None:
        """Give the records of one key their outcomes, up to the first that takes longer than its handler."""
        parse, place = self.words.parse, 0
        try:
            for place, record in enumerate(lane):
                item, outcome = parse(record), None
                if isinstance(item, Received) and not self._parking.holds(record):
                    outcome = await self._attempt(item)
                elif isinstance(item, Skipped):
                    outcome = self._skip(item)
                if outcome is None or isinstance(outcome, DeadLetter):
                    self._set_aside(lane[place:], outcome)
                    return
                counts[type(outcome)] += 1
        except InterruptedPipelineError as error:
            self.offsets.break_off(lane[place:], str(error))

    # --- lanes that take longer ---------------------------------------------------------------------------------

    def _set_aside(self, lane: list[Record], failed: DeadLetter | None) -> None:
        self._aside[lane[0].key] = deque()
        self._join(lane)
        task = asyncio.create_task(self._work_aside(lane[0].key, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _join(self, lane: list[Record]) -> None:
        for record in lane:
            self.offsets.set_aside(record)
        self._aside[lane[0].key].extend(lane)

    async def _work_aside(self, key: bytes | None, failed: DeadLetter | None) -> None:
        """Work off what is set aside of one key; `failed` says why the first record did not succeed at once."""
        lane = self._aside[key]
        try:
            while lane:
                outcome = await self._outcome(lane[0], self.words.parse(lane[0]), failed)
                failed = None
                self.offsets.done(lane.popleft())
                self._count(type(outcome).__name__.lower(), 1)
        except InterruptedPipelineError as error:
            self.offsets.break_off(lane, str(error))
        except Exception as error:  # a bug of ours: going on would commit past records without an outcome
            log.exception("consumer.failed", group=self._group.name, error=type(error).__name__)
            self.offsets.break_off(lane, "failed")
        del self._aside[key]
        self._later()

    async def _outcome(self, record: Record, item: Parsed, failed: DeadLetter | None) -> Outcome:
        flows_again = False
        if isinstance(item, Received):
            if self._parking.holds(record):
                if await self._patiently(lambda: self._wait_behind(record)):
                    return Parked()
                flows_again = True
            outcome = await self.handle(item, failed)
        else:
            outcome = self._skip(item) if isinstance(item, Skipped) else item
        if isinstance(outcome, DeadLetter):
            await self._patiently(lambda: self._bury(record, outcome))
        elif flows_again:
            await self._patiently(lambda: self._letters.settle([record], self._group.name, "handled"))
        return outcome

    def _skip(self, why: Skipped) -> Skipped:
        log.info("consumer.skipped", group=self._group.name, reason=why.why)
        return why

    async def _wait_behind(self, record: Record) -> bool:
        """Put the record behind the others of its key; False when the key flows again: then it is handled after all."""
        await self._letters.bury(record, self._group.name, DeadLetter("parked", "", attempts=0))
        return await self._parking.stays(record)

    async def _bury(self, record: Record, why: DeadLetter) -> None:
        log.error("consumer.dead-letter", group=self._group.name, reason=why.reason, topic=record.topic)
        await self._letters.bury(record, self._group.name, why)
        if why.reason != "bad-envelope":  # else nothing proves that it belongs to the key's facts
            await self._parking.park(self.words.topic(record.topic), record, why.reason)

    async def handle(self, event: Received[Any], failed: DeadLetter | None = None) -> Outcome:
        """Handle one event: infrastructure faults wait in place, a bug is tried three times.

        Args:
            event: what to handle.
            failed: how the first attempt failed, when it has been made already.

        Raises:
            InterruptedPipelineError: the fault lasts, the process stops, or the breaker is open.
        """
        outcome = failed or await self._attempt(event)
        for attempt in range(1, ATTEMPTS):
            if not isinstance(outcome, DeadLetter):
                return outcome
            await asyncio.sleep(0.05 * 2**attempt)
            outcome = await self._attempt(event)
        if not isinstance(outcome, DeadLetter):
            return outcome
        if not self._breaker.allows_dead_letter():
            log.error("consumer.breaker-open", group=self._group.name, error=outcome.error)
            raise InterruptedPipelineError("breaker")
        return DeadLetter(outcome.reason, outcome.error, attempts=ATTEMPTS)

    async def _attempt(self, event: Received[Any]) -> Outcome:
        """Handle it once; a dead letter says how it failed.

        Raises:
            InterruptedPipelineError: the fault lasts, or the process stops.
        """
        handler, name = self._calls[event.envelope.type if event.data is not None else event.topic.name]
        try:
            with telemetry.span(name, parent=event.traceparent):
                outcome = await self._patiently(lambda: handler(event, self._store))
        except StaleError:
            return _DUPLICATE
        except InterruptedPipelineError:
            raise
        except Exception as error:  # a handler's bug must not stop the other keys
            log.warning("consumer.attempt-failed", group=self._group.name, error=type(error).__name__, exc_info=error)
            return DeadLetter("handler-failed", type(error).__name__, attempts=1)
        self._breaker.succeeded()
        return self._skip(outcome) if isinstance(outcome, Skipped) else outcome or _DONE

    async def _patiently(self, action: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat until no infrastructure fault is met; order is kept because nothing behind it moves."""
        delay, waited = 0.05, 0.0
        while True:
            if self._stopping:
                raise InterruptedPipelineError("stopping")
            try:
                return await action()
            except TransientError as error:
                log.warning("consumer.waiting", group=self._group.name, error=error)
                if waited >= PATIENCE_SECONDS:
                    raise InterruptedPipelineError("fault") from error
                pause = clock.jittered(delay)
                await asyncio.sleep(pause)
                waited += pause
                delay = min(delay * 2, _LONGEST_WAIT)
