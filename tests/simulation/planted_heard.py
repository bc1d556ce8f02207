"""Bugs planted in consumers: commits, lanes, letters, parking, redrive, read models."""

import asyncio
from contextlib import ExitStack
from typing import Any, Final
from unittest.mock import patch

from aiokafka import TopicPartition
from chassis.consuming import suspects
from chassis.consuming.consumer import Consumer
from chassis.consuming.dead_letters import DeadLetters
from chassis.consuming.offsets import Offsets
from chassis.consuming.outcomes import DeadLetter, Done, Skipped
from chassis.consuming.parking import Parking
from chassis.consuming.pipeline import Pipeline
from chassis.consuming.records import Vocabulary
from chassis.consuming.redrive import Redrive
from chassis.errors import TransientError
from chassis.state.mongo import Raw

from chassis import ids
from simulation import services
from simulation.faults import Window
from simulation.planted import Bug, bug, swapped

_LATE: Final = Window(20, 29, 0.3)
HEARD: Final[dict[str, Bug]] = {}


async def _nothing(*_: Any, **__: Any) -> None:
    """In place of what should be done."""


# --- commits and lanes --------------------------------------------------------------------------------------------


@bug(HEARD, "commit before the effect")
def _(stack: ExitStack) -> None:
    right = Consumer.process

    async def process(self: Consumer[Any], records: Any) -> None:
        await self._commit({TopicPartition(each.topic, each.partition): each.offset + 1 for each in records})
        await right(self, records)

    swapped(stack, Consumer, "process", process)


@bug(HEARD, "commit one too far")
def _(stack: ExitStack) -> None:
    right = Offsets.committable
    further = lambda self: {place: offset + 1 for place, offset in right(self).items()}  # noqa: E731 - one line
    swapped(stack, Offsets, "committable", further)


@bug(HEARD, "commit past a record that broke off", 200)
def _(stack: ExitStack) -> None:
    right = Offsets.committable

    def past(self: Offsets) -> Any:
        self._broken.clear()
        return right(self)

    swapped(stack, Offsets, "committable", past)


@bug(HEARD, "commit past a record that is set aside", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, Offsets, "set_aside", lambda _self, _record: None)


@bug(HEARD, "what is set aside is committed with the next batch only", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, Consumer, "_report_soon", lambda _self: None)


@bug(HEARD, "later records do not join what is set aside", 200)
def _(stack: ExitStack) -> None:
    right = Pipeline._run

    async def run(self: Pipeline[Any], lanes: list[Any]) -> None:
        aside, self._aside = self._aside, {}
        await right(self, lanes)
        self._aside |= aside

    swapped(stack, Pipeline, "_run", run)


@bug(HEARD, "no seek back after an interruption", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, Consumer, "_wait", lambda _self, _progress: None)


@bug(HEARD, "never committed")
def _(stack: ExitStack) -> None:
    swapped(stack, Consumer, "_commit", _nothing)


@bug(HEARD, "a lane a record")
def _(stack: ExitStack) -> None:
    right = Pipeline._run

    async def run(self: Pipeline[Any], lanes: list[Any]) -> None:
        await right(self, [[item] for lane in lanes for item in lane])

    swapped(stack, Pipeline, "_run", run)


@bug(HEARD, "a failed handler counts as done")
def _(stack: ExitStack) -> None:
    right = Pipeline.handle

    async def handle(self: Pipeline[Any], event: Any, failed: Any = None) -> Any:
        outcome = await right(self, event, failed)
        return Done() if isinstance(outcome, DeadLetter) else outcome

    swapped(stack, Pipeline, "handle", handle)


@bug(HEARD, "a fault counts as done")
def _(stack: ExitStack) -> None:
    async def once(_self: Pipeline[Any], action: Any) -> Any:
        try:
            return await action()
        except TransientError:
            return None

    swapped(stack, Pipeline, "_patiently", once)


@bug(HEARD, "a second look counts as a death", 200, rewinds=((20.0, "parcels.orders"),), database=_LATE)
def _(stack: ExitStack) -> None:
    right = suspects.deaths_at

    def deaths_at(before: Raw | None, stand: Any, _process: str) -> int:
        return right(before, stand, "nobody's")

    swapped(stack, suspects, "deaths_at", deaths_at)


# --- letters and parking ------------------------------------------------------------------------------------------


@bug(HEARD, "a bad header is skipped")
def _(stack: ExitStack) -> None:
    right = Vocabulary.parse

    def parse(self: Vocabulary, record: Any) -> Any:
        found = right(self, record)
        return Skipped("bad") if isinstance(found, DeadLetter) else found

    swapped(stack, Vocabulary, "parse", parse)


@bug(HEARD, "a letter is not waited for", 200)
def _(stack: ExitStack) -> None:
    right = DeadLetters.bury

    async def bury(self: DeadLetters, *arguments: Any) -> None:
        async def later() -> None:
            await asyncio.sleep(0.05)
            await right(self, *arguments)

        self.later = asyncio.create_task(later())  # type: ignore[attr-defined]  # the bug

    swapped(stack, DeadLetters, "bury", bury)


@bug(HEARD, "a refused letter counts as written", 200)
def _(stack: ExitStack) -> None:
    right = DeadLetters.bury

    async def bury(self: DeadLetters, *arguments: Any) -> None:
        try:
            await right(self, *arguments)
        except TransientError:
            return

    swapped(stack, DeadLetters, "bury", bury)


@bug(HEARD, "a letter with changed bytes")
def _(stack: ExitStack) -> None:
    right = DeadLetters.bury

    async def bury(self: DeadLetters, record: Any, *rest: Any) -> None:
        class Changed:
            topic, partition, offset = record.topic, record.partition, record.offset
            key, headers, timestamp = record.key, record.headers, record.timestamp
            value = (record.value or b"") + b" "

        await right(self, Changed(), *rest)

    swapped(stack, DeadLetters, "bury", bury)


@bug(HEARD, "nothing is parked")
def _(stack: ExitStack) -> None:
    swapped(stack, Parking, "park", _nothing)


@bug(HEARD, "parked keys not learned at the start", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, Parking, "load", _nothing)


@bug(HEARD, "parked in memory alone", 200)
def _(stack: ExitStack) -> None:
    async def park(self: Parking, _topic: Any, record: Any, _reason: str) -> None:
        self._held.add((record.topic, record.key))

    async def stays(_self: Parking, _record: Any) -> bool:
        return True

    swapped(stack, Parking, "park", park)
    swapped(stack, Parking, "stays", stays)


@bug(HEARD, "parked behind a key that flows", 200)
def _(stack: ExitStack) -> None:
    right = Parking.stays

    async def stays(self: Parking, record: Any) -> bool:
        await right(self, record)
        return True

    swapped(stack, Parking, "stays", stays)


@bug(HEARD, "a parked record counts as passed, without a letter")
def _(stack: ExitStack) -> None:
    async def behind(_self: Pipeline[Any], _record: Any) -> bool:
        return True

    swapped(stack, Pipeline, "_wait_behind", behind)


@bug(HEARD, "release without the token", 200, redrives=tuple(range(2, 26)), bugs=Window(0, 24, 0.3), slow=0.2)
def _(stack: ExitStack) -> None:
    async def release(self: Parking, key: Any) -> bool:
        return await self._collection.remove({"_id": key.id}) == 1

    swapped(stack, Parking, "release", release)


@bug(HEARD, "released with letters that fail again", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, Redrive, "_holds_up", lambda _self, _letter: False)


@bug(HEARD, "settled without being handled")
def _(stack: ExitStack) -> None:
    async def handle(_self: Redrive[Any], _letter: Any) -> str:
        return ""

    swapped(stack, Redrive, "_handle", handle)


# --- handlers and read models -------------------------------------------------------------------------------------


@bug(HEARD, "an effect under a new id each time")
def _(stack: ExitStack) -> None:
    async def send(event: Any, store: services.Store) -> None:
        row = {"_id": ids.new_id(), "tenant": event.tenant, "notice": event.data.notice, "event": event.id}
        await store.letters.insert(row | {"trace": event.traceparent})

    table = services.letters.groups["notices"].handlers
    stack.enter_context(patch.dict(table, dict.fromkeys(table, send)))


@bug(HEARD, "a batch that fails counts as done", 200)
def _(stack: ExitStack) -> None:
    right = Pipeline._patiently

    async def patiently(self: Pipeline[Any], action: Any) -> Any:
        try:
            return await action() if self._group.batch else await right(self, action)
        except TransientError:
            if self._group.batch:
                return None
            raise

    swapped(stack, Pipeline, "_patiently", patiently)
