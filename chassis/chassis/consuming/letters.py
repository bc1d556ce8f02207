"""The letters of a consumer group: what stands in its dead-letter topics, and what an operator may do about it.

Nothing here runs a handler; `chassis.consuming.redrive` does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contracts.topics import Topic

from chassis.consuming.bystander import bystander, records
from chassis.consuming.dead_letters import PREFIX, name_of
from chassis.consuming.parking import ParkedKey
from chassis.consuming.upkeep import Upkeep
from chassis.settings import Settings

REFERENCE: Final = "quarantined"
BEHIND: Final = "parked"
REASONS: Final = ("handler-failed", "bad-body", "bad-envelope", REFERENCE, BEHIND)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead record as it came, with its place in the source topic, and why it died."""

    topic: str
    partition: int
    offset: int
    last_offset: int
    """The same as `offset`, unless it stands for a batch that was set aside unread."""
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    reason: str
    error: str
    attempts: int
    at: str
    """When it died; for the last time, if it did so more than once."""

    @property
    def place(self) -> str:
        """How an operator names it: ``<topic>/<partition>/<offset>``."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        """The key, as far as it is text."""
        return (self.key or b"").decode(errors="replace")

    @property
    def lot(self) -> tuple[str, bytes]:
        """Those that follow each other in order: the letters of one key of a topic."""
        return self.topic, self.key or b""

    def after(self, before: "Letter | None") -> "Letter":
        """The same record's letter, where an earlier one about it was found: it tells what the record died of first.

        One that was parked, released, and then failed by itself died of the latter.
        """
        return self if before is None or before.reason == BEHIND else replace(before, at=self.at)


Wanted = Callable[[Letter], bool]


class Letters:
    """The dead letters and parked keys of one consumer group."""

    def __init__(self, settings: Settings, group: str, topics: Sequence[Topic], upkeep: Upkeep) -> None:
        self.group = group
        self._settings = settings
        self._topics = topics
        self._letters = upkeep.letters
        self._parking = upkeep.parking(group)

    async def all(self) -> list[Letter]:
        """Each letter once, settled ones included, in the order of their source."""
        found: dict[str, Letter] = {}
        async with bystander(self._settings, (topic.dead(self.group) for topic in self._topics)) as consumer:
            async for record in records(consumer):
                if (letter := letter_of(record)) is not None:
                    found[letter.place] = letter.after(found.get(letter.place))
        return sorted(found.values(), key=lambda each: (each.topic, each.partition, each.offset))

    async def open(self, wanted: Wanted = lambda _: True) -> list[Letter]:
        """The letters that nobody has settled since they last died, as they do again when a group is set back."""
        settled = await self._letters.settled(self.group)
        found = await self.all()
        return [letter for letter in found if settled.get(self.name(letter), "") < letter.at and wanted(letter)]

    async def with_followers(self, wanted: Wanted = lambda _: True) -> list[Letter]:
        """The wanted letters, and the others of their keys: what a redrive feeds."""
        found = await self.open()
        keys = {letter.lot for letter in found if wanted(letter)}
        return [letter for letter in found if wanted(letter) or (letter.key and letter.lot in keys)]

    async def parked(self) -> list[ParkedKey]:
        """The keys that wait, longest first."""
        return await self._parking.all()

    async def settle(self, letters: Iterable[Letter], how: str) -> None:
        """Write down that these need nothing more."""
        await self._letters.settle(letters, self.group, how)

    async def release(self, key: ParkedKey) -> bool:
        """Let the key flow again; False when a record was parked behind it since `key` was read."""
        return await self._parking.release(key)

    async def release_empty(self) -> list[ParkedKey]:
        """Let those keys flow of which no letter is left; returns them."""
        keys = await self.parked()  # before the letters: what joins a key in between changes its token
        left = {letter.lot for letter in await self.open()}
        empty = [key for key in keys if (key.topic, key.key.encode()) not in left]
        return [key for key in empty if await self.release(key)]

    def name(self, letter: Letter) -> str:
        """Under which the database says that the letter is settled."""
        return name_of(letter, self.group)


def letter_of(record: Any) -> Letter | None:
    """Take the origin off a record of a dead-letter topic; None when it has none, so nobody here wrote it."""
    told = {name: (text or b"").decode(errors="replace") for name, text in record.headers if name.startswith(PREFIX)}
    try:
        return Letter(
            topic=told[PREFIX + "topic"],
            partition=int(told[PREFIX + "partition"]),
            offset=int(told[PREFIX + "offset"]),
            last_offset=int(told.get(PREFIX + "last-offset", told[PREFIX + "offset"])),
            timestamp=record.timestamp,
            key=record.key,
            value=record.value,
            headers=tuple(header for header in record.headers if not header[0].startswith(PREFIX)),
            reason=told[PREFIX + "reason"],
            error=told[PREFIX + "error"],
            attempts=int(told[PREFIX + "attempts"]),
            at=told[PREFIX + "at"],
        )
    except (KeyError, ValueError):
        return None
