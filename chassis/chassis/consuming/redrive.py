"""Redrive: dead records go, in order, through the service's own pipeline; nothing is written to a source topic.

The letters of a key are fed in the order of their source. New records of a parked key keep joining behind while that
happens, and each changes the key's token; the key flows again only when its token is still the one that was read
before the letters were, so none is left behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from contracts.topics import Kind

from chassis.consuming.handlers import Group
from chassis.consuming.letters import REFERENCE, Letter, Letters, Wanted
from chassis.consuming.outcomes import DeadLetter, Done, Duplicate, Skipped
from chassis.consuming.parking import ParkedKey
from chassis.consuming.pipeline import InterruptedPipelineError, Pipeline
from chassis.consuming.records import Received
from chassis.consuming.upkeep import Upkeep
from chassis.settings import Settings

__all__ = ["Letter", "Redrive", "Report"]

S = TypeVar("S")
_ROUNDS: Final = 100
_UNPROVEN: Final = frozenset({"bad-envelope", REFERENCE})  # nothing says that it is one of its key's facts


@dataclass(slots=True)
class Report:
    """What a redrive did: letters handled, and those that fail again with the reason."""

    handled: list[Letter] = field(default_factory=list)
    failed: list[tuple[Letter, str]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    interrupted: str = ""
    """Why it stopped before every letter was tried: a lasting fault, or the breaker because nearly all failed."""


class Redrive(Generic[S]):
    """Feeds the dead letters of one consumer group to its handlers."""

    def __init__(self, settings: Settings, group: Group[S], store: S, upkeep: Upkeep) -> None:
        self._pipeline = Pipeline(group, store, upkeep.letters, upkeep.parking(group.name))
        self._letters = Letters(settings, group.name, self._pipeline.words.topics, upkeep)

    async def letters(self, wanted: Wanted = lambda _: True) -> list[Letter]:
        """The letters that nobody has settled, each once, in the order of their source."""
        return await self._letters.open(wanted)

    async def parked(self) -> list[ParkedKey]:
        """The keys that wait, longest first."""
        return await self._letters.parked()

    async def run(self, wanted: Wanted = lambda _: True) -> Report:
        """Feed the wanted letters, and whatever is parked behind them, through the pipeline."""
        report = Report()
        keys = {letter.lot for letter in await self.letters(wanted)}
        try:
            for _ in range(_ROUNDS):
                keys = await self._round(keys, wanted, report)
                if not keys:
                    break
        except InterruptedPipelineError as error:
            report.interrupted = str(error)
        return report

    async def _round(self, keys: set[tuple[str, bytes]], wanted: Wanted, report: Report) -> set[tuple[str, bytes]]:
        """Feed the letters of some keys; returns the keys behind which more were parked meanwhile."""
        waiting = {(each.topic, each.key.encode()): each for each in await self.parked()}
        lots: dict[tuple[str, bytes], list[Letter]] = {key: [] for key in sorted(keys)}
        failed = {letter.place for letter, _ in report.failed}
        for letter in await self.letters(lambda each: bool(each.key) or wanted(each)):
            if letter.lot in lots and letter.place not in failed:
                lots[letter.lot].append(letter)
        return {key for key, lot in lots.items() if not await self._feed(lot, waiting.get(key), report)}

    async def _feed(self, lot: Sequence[Letter], key: ParkedKey | None, report: Report) -> bool:
        """Feed the letters of one key in order; False when more were parked behind them meanwhile."""
        for letter in lot:
            if problem := await self._handle(letter):
                report.failed.append((letter, problem))
                if self._holds_up(letter):
                    return True
            else:
                await self._letters.settle([letter], "redriven")
                report.handled.append(letter)
        if key is None:
            return True
        if not await self._letters.release(key):
            return False
        report.released.append(key.id)
        return True

    def _holds_up(self, letter: Letter) -> bool:
        """Whether later letters of the key must wait for this one, as they would in the source topic."""
        facts = self._pipeline.words.topic(letter.topic).kind is Kind.FACTS
        return facts and bool(letter.key) and letter.reason not in _UNPROVEN

    async def _handle(self, letter: Letter) -> str:
        """Handle one letter; returns why it fails, or nothing."""
        if letter.reason == REFERENCE:
            return "it was set aside unread; the source topic holds it"
        item = self._pipeline.words.parse(letter)
        outcome = await self._pipeline.handle(item) if isinstance(item, Received) else item
        match outcome:
            case Done() | Duplicate() | Skipped():
                return ""
            case DeadLetter():
                return f"{outcome.reason}: {outcome.error}"
            case _:
                return type(outcome).__name__
