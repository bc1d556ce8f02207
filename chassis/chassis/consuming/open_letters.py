"""The letters that nobody has settled, counted while a service runs.

Their topics are read once and then followed live, by every process of the service alike; the position stands in memory
alone. Of a letter only the reason and the moment are kept, never its key, its headers or its body.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.topics import Topic

from chassis import clock, metrics
from chassis.consuming.batches import getmany_readable
from chassis.consuming.bystander import bystander
from chassis.consuming.dead_letters import DeadLetters, name_of
from chassis.consuming.letters import REASONS, Letter, letter_of
from chassis.settings import Settings

_LOT: Final = 500
_READ_MS: Final = 200
_WAIT_MS: Final = 1000  # a letter may be told of a second later; the broker is asked once a second
_MANY: Final = 1000  # letters: then the group's settlements are read as a whole


@dataclass(frozen=True, slots=True)
class _Held:
    """One open letter, and where it stands in its dead-letter topic, which forgets it after a time."""

    letter: Letter
    partition: TopicPartition
    offset: int


class OpenLetters:
    """Those of the consumer groups of one service."""

    def __init__(self, settings: Settings, groups: Mapping[str, Iterable[Topic]], letters: DeadLetters) -> None:
        self._settings = settings
        self._letters = letters
        self._group_of = {topic.dead(group): group for group, topics in groups.items() for topic in topics}
        self._held: dict[str, dict[str, _Held]] = {group: {} for group in groups}

    async def follow(self, seconds: float) -> None:
        """Read all of them, then count again every few seconds; endless once their topics are there.

        Raises:
            TransientError: the broker or the database is away; call it again.
        """
        async with bystander(self._settings, self._group_of, wait_ms=_WAIT_MS) as consumer:
            for held in self._held.values():
                held.clear()
            positions = dict(await _starts(consumer, consumer.assignment()))
            for partition, first in positions.items():
                consumer.seek(partition, first)
            while positions:
                while lot := await getmany_readable(consumer, positions, timeout_ms=_READ_MS, max_records=_LOT):
                    for record in lot:
                        self._hear(record)
                await self._forget(consumer)
                self._tell()
                await asyncio.sleep(seconds)

    def _hear(self, record: Any) -> None:
        group = self._group_of[record.topic]
        letter = letter_of(record)
        if letter is None or not _is_moment(letter.at):
            return  # nobody of us wrote it
        name, held = name_of(letter, group), self._held[group]
        letter = replace(letter, key=None, value=None, headers=(), error="")
        letter = letter.after(held[name].letter if name in held else None)
        held[name] = _Held(letter, TopicPartition(record.topic, record.partition), record.offset)

    async def _forget(self, consumer: AIOKafkaConsumer) -> None:
        """What was settled since it died, and what has left its topic."""
        for group, held in self._held.items():
            if not held:
                continue
            names = [*held]
            many = len(names) > _MANY
            settled = await (self._letters.settled(group) if many else self._letters.settled_of(names))
            starts = await _starts(consumer, {each.partition for each in held.values()})
            for name, each in [*held.items()]:
                if settled.get(name, "") >= each.letter.at or each.offset < starts[each.partition]:
                    del held[name]

    def _tell(self) -> None:
        for group, held in self._held.items():
            died_at: dict[str, list[str]] = {reason: [] for reason in REASONS}
            for each in held.values():
                # A label comes from a closed list; what nobody of us wrote says that our envelope is not its own.
                died_at.get(each.letter.reason, died_at["bad-envelope"]).append(each.letter.at)
            for reason, moments in died_at.items():
                metrics.DEAD_LETTERS.labels(group=group, reason=reason).set(len(moments))
                metrics.DEAD_LETTERS_SECONDS.labels(group=group, reason=reason).set(seconds_since(moments))


def seconds_since(moments: Iterable[str]) -> float:
    """Age of the first of these moments by the clock that wrote them; 0 when there is none."""
    first = min(moments, default=None)
    return 0.0 if first is None else max((clock.now() - clock.parse(first)).total_seconds(), 0.0)


def _is_moment(text: str) -> bool:
    try:
        clock.parse(text)
    except ValueError:
        return False
    return True


async def _starts(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The oldest offset that each topic still keeps."""
    wanted = sorted(partitions)
    starts: dict[TopicPartition, int] = await consumer.beginning_offsets(wanted) if wanted else {}
    return starts
