"""From a Kafka record's bytes to a received event, or to the outcome that says why not."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from contracts.envelope import BadEnvelopeError, Envelope, Event
from contracts.topics import Topic
from pydantic import ValidationError

from chassis.consuming.outcomes import DeadLetter, Skipped
from chassis.state.documents import Fence

E_co = TypeVar("E_co", bound=Event, covariant=True)


class Record(Protocol):
    """The parts of aiokafka's ConsumerRecord that are read here."""

    @property
    def topic(self) -> str:
        """Topic name."""

    @property
    def partition(self) -> int:
        """Partition number."""

    @property
    def offset(self) -> int:
        """Place in the partition."""

    @property
    def timestamp(self) -> int:
        """Unix milliseconds at which it was produced."""

    @property
    def key(self) -> bytes | None:
        """Key bytes."""

    @property
    def value(self) -> bytes | None:
        """Body; None is a tombstone."""

    @property
    def headers(self) -> Iterable[tuple[str, bytes | None]]:
        """Header names and bytes."""


class Received(NamedTuple, Generic[E_co]):
    """One event as a handler gets it. `data` None is a tombstone: the key is gone."""

    envelope: Envelope
    topic: Topic
    key: str
    data: E_co | None

    @property
    def id(self) -> str:
        """The event's id, the same however often it is delivered."""
        return self.envelope.id

    @property
    def tenant(self) -> str:
        """The tenant it belongs to."""
        return self.envelope.tenant

    @property
    def sequence(self) -> int:
        """Counts from 1 per stream and key."""
        return self.envelope.sequence

    @property
    def traceparent(self) -> str | None:
        """The trace that caused it."""
        return self.envelope.traceparent

    @property
    def time(self) -> datetime:
        """When it was said; informative."""
        return datetime.fromisoformat(self.envelope.time)

    @property
    def fence(self) -> Fence:
        """What the changed document remembers of it."""
        return Fence(self.topic.stream, self.key, self.sequence)


class Vocabulary:
    """The event classes that one consumer knows."""

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.events = tuple(events)
        self._topics: Mapping[str, Topic] = {event.topic.name: event.topic for event in self.events}
        # By topic and type. The validators themselves, since `model_validate_json` adds a quarter to their time.
        self._readers: Mapping[str, dict[str, Callable[[bytes], Event]]] = {name: {} for name in self._topics}
        for event in self.events:
            self._readers[event.topic.name][event.event_type()] = event.__pydantic_validator__.validate_json

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that carry them."""
        return tuple(self._topics.values())

    def topic(self, name: str) -> Topic:
        """The topic of this name."""
        return self._topics[name]

    def parse(self, record: Record) -> Received[Any] | Skipped | DeadLetter:
        """Read one record; never raises for what another producer wrote."""
        topic = self._topics[record.topic]
        try:
            envelope = Envelope.from_headers(record.headers)
            key = record.key.decode() if record.key else ""
        except (BadEnvelopeError, UnicodeDecodeError) as error:
            return DeadLetter("bad-envelope", _reason(error))
        if not key:
            return DeadLetter("bad-envelope", "the record has no key")
        if record.value is None:
            return Received(envelope, topic, key, None)
        if (read := self._readers[record.topic].get(envelope.type)) is None:
            return Skipped("unknown-type")
        try:
            return Received(envelope, topic, key, read(record.value))
        except (ValidationError, RecursionError) as error:
            return DeadLetter("bad-body", _reason(error))


def _reason(error: Exception) -> str:
    """What went wrong without any of the values: dead-letter metadata holds nothing personal."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['type']}" for part in error.errors()[:5])
    return str(error) if isinstance(error, BadEnvelopeError) else type(error).__name__
