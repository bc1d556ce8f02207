"""Redrive: dead records go, in order, through the service's own pipeline; nothing is written to a source topic.

The letters of a key are fed in the order of their source. New records of a parked key keep joining behind while that
happens, and each changes the key's token; the key flows again only when its token is still the one that was read
before the letters were, so none is left behind.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.dead_letters import PREFIX
from chassis.outcomes import DeadLetter, Done, Duplicate, Skipped
from chassis.parking import ParkedKey
from chassis.pipeline import Group, InterruptedPipelineError, Pipeline
from chassis.records import Received
from chassis.settings import Settings
from chassis.upkeep import Upkeep

S = TypeVar("S")
REFERENCE: Final = "quarantined"
_ROUNDS: Final = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead record as it came, with its place in the source topic, and why it died."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    reason: str
    error: str
    attempts: int
    at: str

    @property
    def place(self) -> str:
        """How an operator names it: ``<topic>/<partition>/<offset>``."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        """The key, as far as it is text."""
        return (self.key or b"").decode(errors="replace")


@dataclass(slots=True)
class Report:
    """What a redrive did: letters handled, and those that fail again with the reason."""

    handled: list[Letter] = field(default_factory=list)
    failed: list[tuple[Letter, str]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)


class Redrive(Generic[S]):
    """The dead letters of one consumer group."""

    def __init__(self, settings: Settings, group: Group[S], store: S, upkeep: Upkeep) -> None:
        self._settings = settings
        self._group = group.name
        self._letters = upkeep.letters
        self._parking = upkeep.parking(group.name)
        self._pipeline = Pipeline(group, store, upkeep.letters, self._parking)

    async def letters(self, wanted: Callable[[Letter], bool] = lambda _: True) -> list[Letter]:
        """The letters that nobody has settled, each once, in the order of their source."""
        settled = await self._letters.settled(self._group)
        found: dict[str, Letter] = {}
        for letter in await self._read():
            if f"{self._group}|{letter.place.replace('/', '|')}" not in settled and wanted(letter):
                found.setdefault(letter.place, letter)
        return sorted(found.values(), key=lambda each: (each.topic, each.partition, each.offset))

    async def parked(self) -> list[ParkedKey]:
        """The keys that wait, longest first."""
        return await self._parking.all()

    async def run(self, wanted: Callable[[Letter], bool] = lambda _: True) -> Report:
        """Feed the wanted letters, and whatever is parked behind them, through the pipeline."""
        report = Report()
        keys = {letter.key for letter in await self.letters(wanted)}
        for _ in range(_ROUNDS):
            waiting = {(each.topic, each.key.encode()): each for each in await self.parked()}
            lots: dict[tuple[str, bytes | None], list[Letter]] = {}
            for letter in await self.letters(lambda each: each.key in keys and (bool(each.key) or wanted(each))):
                lots.setdefault((letter.topic, letter.key), []).append(letter)
            again = [
                lot
                for place, lot in lots.items()
                if not await self._feed(lot, waiting.get((place[0], place[1] or b"")), report)
            ]
            if not again:
                break
        return report

    async def discard(self, letters: Iterable[Letter]) -> None:
        """Settle letters without handling them; what is parked behind goes on with the next redrive."""
        await self._letters.settle(letters, self._group, "discarded")

    async def release_empty(self) -> list[str]:
        """Let keys flow whose letters are all settled; returns their ids."""
        left = {(letter.topic, letter.key_text) for letter in await self.letters()}
        empty = [key for key in await self.parked() if (key.topic, key.key) not in left]
        return [key.id for key in empty if await self._parking.release(key)]

    async def _feed(self, lot: list[Letter], key: ParkedKey | None, report: Report) -> bool:
        """Feed the letters of one key in order; False when more were parked behind them meanwhile."""
        for letter in lot:
            problem = await self._handle(letter)
            if problem:
                report.failed.append((letter, problem))
                return True
            await self._letters.settle([letter], self._group, "redriven")
            report.handled.append(letter)
        if key is None:
            return True
        if not await self._parking.release(key):
            return False
        report.released.append(key.id)
        return True

    async def _handle(self, letter: Letter) -> str:
        """Handle one letter; returns why it fails, or nothing."""
        if letter.reason == REFERENCE:
            return "it was set aside unread; the source topic holds it"
        item = self._pipeline.words.parse(letter)
        try:
            outcome = await self._pipeline.handle(item) if isinstance(item, Received) else item
        except InterruptedPipelineError as error:
            return f"interrupted: {error}"
        match outcome:
            case Done() | Duplicate() | Skipped():
                return ""
            case DeadLetter():
                return f"{outcome.reason}: {outcome.error}"
            case _:
                return type(outcome).__name__

    async def _read(self) -> list[Letter]:
        """Everything in the group's dead-letter topics, in the order of their partitions."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._settings.kafka, group_id=None, enable_auto_commit=False)
        await consumer.start()
        try:
            there = await consumer.topics()
            names = [name for topic in self._pipeline.words.topics if (name := topic.dead(self._group)) in there]
            if not names:
                return []
            consumer.subscribe(names)  # without a group: every partition, and the client learns their numbers
            while not consumer.assignment():  # noqa: ASYNC110 - aiokafka says it by no event
                await asyncio.sleep(0.01)
            partitions = sorted(consumer.assignment())
            return [_letter(record) for record in await _all_records(consumer, partitions)]
        finally:
            await consumer.stop()


async def _all_records(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> list[Any]:
    ends = await consumer.end_offsets(partitions)
    for partition, start in (await consumer.beginning_offsets(partitions)).items():
        consumer.seek(partition, start)
    found: list[Any] = []
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=200, max_records=1000)).values():
            found += records
    return found


def _letter(record: Any) -> Letter:
    """Take the origin off a record of a dead-letter topic."""
    told = {name: (text or b"").decode(errors="replace") for name, text in record.headers if name.startswith(PREFIX)}
    return Letter(
        topic=told[PREFIX + "topic"],
        partition=int(told[PREFIX + "partition"]),
        offset=int(told[PREFIX + "offset"]),
        timestamp=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(header for header in record.headers if not header[0].startswith(PREFIX)),
        reason=told[PREFIX + "reason"],
        error=told[PREFIX + "error"],
        attempts=int(told[PREFIX + "attempts"]),
        at=told[PREFIX + "at"],
    )
