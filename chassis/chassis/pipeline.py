"""The way of a fetched batch: parse → park or handle by key lanes → outcome → the offsets that may be committed.

Records of one key stay in order; other keys do not wait for them. An offset may be committed only when every record
up to it has an outcome, so whatever ends the process, the next member begins with the first record without one.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from contracts.envelope import Event

from chassis import logs, metrics, telemetry
from chassis.breaker import Breaker
from chassis.dead_letters import DeadLetters
from chassis.errors import StaleError, TransientError
from chassis.outcomes import DeadLetter, Done, Duplicate, Outcome, Parked, Skipped
from chassis.parking import Parking
from chassis.records import Received, Record, Vocabulary

S = TypeVar("S")
Handler = Callable[[Received[Any], S], Awaitable[Outcome | None]]
BatchHandler = Callable[[list[Received[Any]], S], Awaitable[None]]
log = logs.get()

ATTEMPTS: Final = 3
LANES: Final = 16
PATIENCE_SECONDS: Final = 20.0  # of waiting in place; then the partition pauses, and the member stays in its group
_LONGEST_WAIT: Final = 5.0
_LINKS: Final = 32
_DONE: Final = Done()
_DUPLICATE: Final = Duplicate()
Parsed = Received[Any] | Skipped | DeadLetter
Place = tuple[str, int]  # topic, partition


@dataclass(slots=True)
class Group(Generic[S]):
    """One consumer group: which events call which function."""

    name: str
    handlers: dict[type[Event], Handler[S]] = field(default_factory=dict)
    batch: BatchHandler[S] | None = None


@dataclass(slots=True)
class Progress:
    """How far a batch came: the offsets to commit and, where it broke off, the offsets to begin with again."""

    commit: dict[Place, int] = field(default_factory=dict)
    again: dict[Place, int] = field(default_factory=dict)
    why: str = ""


class InterruptedPipelineError(Exception):
    """The record can't get its outcome now; it stays uncommitted. The argument says why."""


class Pipeline(Generic[S]):
    """Gives every record of one consumer group its outcome."""

    def __init__(self, group: Group[S], store: S, letters: DeadLetters, parking: Parking) -> None:
        self.words = Vocabulary(group.handlers)
        self._group = group
        self._store = store
        self._letters = letters
        self._parking = parking
        self._breaker = Breaker()
        # By type, and for tombstones by topic: the handler, and the name of its spans.
        self._calls = {
            name: (handler, f"{group.name} {event.topic.stream}")
            for event, handler in group.handlers.items()
            for name in (event.event_type(), event.topic.name)
        }
        self._stopping = False

    def stop_soon(self) -> None:
        """Break off at the next record boundary."""
        self._stopping = True

    async def process(self, records: Sequence[Record]) -> Progress:
        """Give the records their outcomes, as far as faults and the end of the process allow."""
        finished: set[int] = set()
        rest = records
        if self._group.batch is not None:
            rest = await self._whole_batch(self._group.batch, records, finished)
        lanes: dict[bytes | None, list[Record]] = {}
        for record in rest:
            lanes.setdefault(record.key, []).append(record)
        why = await self._run(list(lanes.values()), finished) if lanes else ""
        return _progress(records, finished, why)

    async def _whole_batch(
        self, handler: BatchHandler[S], records: Sequence[Record], finished: set[int]
    ) -> Sequence[Record]:
        """Try the batch handler on all undisturbed keys at once.

        Returns:
            The records that still need an outcome, one by one: of parked keys, of keys with a dead letter, of unknown
            types, and all of them when the handler failed.
        """
        items = [self.words.parse(record) for record in records]
        pairs = list(zip(records, items, strict=True))
        apart = {record.key for record, item in pairs if isinstance(item, DeadLetter) or self._parking.holds(record)}
        if apart or not all(isinstance(item, Received) for item in items):
            pairs = [pair for pair in pairs if isinstance(pair[1], Received) and pair[0].key not in apart]
        events: list[Received[Any]] = [item for _, item in pairs]  # type: ignore[misc]  # only those are left
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
        finished.update(id(record) for record, _ in pairs)
        self._count("done", len(pairs))
        return [record for record in records if id(record) not in finished]

    async def _run(self, lanes: list[list[Record]], finished: set[int]) -> str:
        """Work off the lanes, sixteen at once; returns why any of them broke off.

        A record is parsed when its turn comes: hundreds of parsed events alive at once keep the garbage collector busy.
        """
        counts, why = Counter[type[Outcome]](), list[str]()

        async def worker() -> None:
            while lanes:
                try:
                    await self._lane(lanes.pop(), finished, counts)
                except InterruptedPipelineError as error:
                    why.append(str(error))

        try:
            await asyncio.gather(*(worker() for _ in range(min(LANES, len(lanes)))))
        finally:
            for kind, count in counts.items():
                self._count(kind.__name__.lower(), count)
        return why[0] if why else ""

    def _count(self, outcome: str, records: int) -> None:
        metrics.CONSUMED.labels(group=self._group.name, outcome=outcome).inc(records)

    async def _lane(self, lane: list[Record], finished: set[int], counts: Counter[type[Outcome]]) -> None:
        parse = self.words.parse
        for record in lane:
            outcome = await self._outcome(record, parse(record))
            counts[type(outcome)] += 1
            finished.add(id(record))

    async def _outcome(self, record: Record, item: Parsed) -> Outcome:
        flows_again = False
        if isinstance(item, Received):
            if self._parking.holds(record):
                if await self._patiently(lambda: self._wait_behind(record)):
                    return Parked()
                flows_again = True
            outcome = await self.handle(item)
        else:
            outcome = item
        if isinstance(outcome, DeadLetter):
            await self._patiently(lambda: self._bury(record, outcome))
        elif isinstance(outcome, Skipped):
            log.info("consumer.skipped", group=self._group.name, reason=outcome.why)
        if flows_again and not isinstance(outcome, DeadLetter):
            await self._patiently(lambda: self._letters.settle([record], self._group.name, "handled"))
        return outcome

    async def _wait_behind(self, record: Record) -> bool:
        """Put the record behind the others of its key; False when the key flows again: then it is handled after all."""
        await self._letters.bury(record, self._group.name, DeadLetter("parked", "", attempts=0))
        return await self._parking.stays(record)

    async def _bury(self, record: Record, why: DeadLetter) -> None:
        log.error("consumer.dead-letter", group=self._group.name, reason=why.reason, topic=record.topic)
        await self._letters.bury(record, self._group.name, why)
        if why.reason != "bad-envelope":  # else nothing proves that it belongs to the key's facts
            await self._parking.park(self.words.topic(record.topic), record, why.reason)

    async def handle(self, event: Received[Any]) -> Outcome:
        """Handle one event: infrastructure faults wait in place, a bug is tried three times.

        Raises:
            InterruptedPipelineError: the fault lasts, the process stops, or the breaker is open.
        """
        handler, name = self._calls[event.envelope.type if event.data is not None else event.topic.name]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with telemetry.span(name, parent=event.traceparent):
                    outcome = await self._patiently(lambda: handler(event, self._store))
            except StaleError:
                return _DUPLICATE
            except InterruptedPipelineError:
                raise
            except Exception as error:  # a handler's bug must not stop the other keys
                log.warning(
                    "consumer.attempt-failed", group=self._group.name, error=type(error).__name__, exc_info=error
                )
                failure = type(error).__name__
                await asyncio.sleep(0.05 * 2**attempt)
            else:
                self._breaker.succeeded()
                return outcome or _DONE
        if not self._breaker.allows_dead_letter():
            log.error("consumer.breaker-open", group=self._group.name, error=failure)
            raise InterruptedPipelineError("breaker")
        return DeadLetter("handler-failed", failure, attempts=ATTEMPTS)

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
                pause = delay * random.uniform(0.5, 1)  # noqa: S311 - jitter
                await asyncio.sleep(pause)
                waited += pause
                delay = min(delay * 2, _LONGEST_WAIT)


def _progress(records: Sequence[Record], finished: set[int], why: str) -> Progress:
    if len(finished) == len(records):
        return Progress({(record.topic, record.partition): record.offset + 1 for record in records}, why=why)
    progress = Progress(why=why)
    for record in records:
        place = (record.topic, record.partition)
        if place in progress.again:
            continue
        if id(record) in finished:
            progress.commit[place] = record.offset + 1
        else:
            progress.again[place] = record.offset
    return progress
