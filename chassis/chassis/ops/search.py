"""Finding one event, by its id or its place, on the topics that a service reads or writes, or among dead letters."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.envelope import BadEnvelopeError, Envelope
from contracts.topics import TOPICS

from chassis.consuming.bystander import bystander, records
from chassis.consuming.letters import Letter
from chassis.ops.target import Target

_ID: Final = "ce_id"
_EARLIER_MS: Final = 300_000  # clocks differ between machines
_TIMED: Final = 7  # version of those UUIDs that begin with a time
_TIME_BITS: Final = 80  # below the time
_PARTS: Final = 3


class Place(NamedTuple):
    """Where a record stands; written ``<topic>/<partition>/<offset>``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def of(cls, text: str) -> "Place | None":
        """The place that a text names, if it names one."""
        topic, *numbers = text.rsplit("/", _PARTS - 1)
        if len(numbers) == _PARTS - 1 and all(number.isdecimal() for number in numbers):
            return cls(topic, *map(int, numbers))
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """The event, as it stands on its topic or, when it has left that, in a dead letter."""

    place: Place
    key: str
    tombstone: bool
    envelope: Envelope | None
    """None when its headers can't be read."""
    on_topic: bool

    @classmethod
    def of(cls, place: Place, record: Any, *, on_topic: bool) -> "Found":
        """Read what can be read of a record or letter."""
        try:
            envelope = Envelope.from_headers(record.headers)
        except BadEnvelopeError:
            envelope = None
        return cls(place, (record.key or b"").decode(errors="replace"), record.value is None, envelope, on_topic)


async def on_topics(target: Target, event: str) -> Found | None:
    """Look for it on the topics that the service reads or writes."""
    names = {topic.name for group in target.groups for topic in target.topics(group)}
    names |= {topic.name for topic in TOPICS if topic.owner == target.service}
    place = Place.of(event)
    wanted = (_ID, event.encode())
    async with bystander(target.settings, sorted(names & {place.topic} if place else names)) as consumer:
        async for record in records(consumer, await _starts(consumer, event, place)):
            here = Place(record.topic, record.partition, record.offset)
            if here == place or (place is None and wanted in record.headers):
                return Found.of(here, record, on_topic=True)
            if place is not None:
                return None  # compaction or age has taken it; this is the next one
    return None


async def _starts(consumer: AIOKafkaConsumer, event: str, place: Place | None) -> dict[TopicPartition, int]:
    """Where to begin: at the place, or shortly before the id was made, which is before it was published."""
    partitions = consumer.assignment()
    if not partitions:
        return {}
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    if place is not None:
        here = TopicPartition(place.topic, place.partition)
        return ends | {here: min(place.offset, ends[here])} if here in ends else ends
    if (made := _made_at(event)) is None:
        return {}
    later = await consumer.offsets_for_times(dict.fromkeys(partitions, max(made - _EARLIER_MS, 0)))
    return ends | {partition: each.offset for partition, each in later.items() if each is not None}


def _made_at(event: str) -> int | None:
    """Unix milliseconds at which an id was made; None when the id does not say."""
    try:
        made = UUID(event)
    except ValueError:
        return None
    return made.int >> _TIME_BITS if made.version == _TIMED else None


def in_letters(letters: Iterable[Letter], event: str) -> Found | None:
    """Look for it among dead letters."""
    wanted = (_ID, event.encode())
    for letter in letters:
        if wanted in letter.headers or letter.place == event:
            return Found.of(Place(letter.topic, letter.partition, letter.offset), letter, on_topic=False)
    return None
