"""The records of the benchmarks: contract events with the headers and bodies that the chassis writes."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from chassis.publishing.producer import Producer
from chassis.settings import Settings
from chassis.state.outbox import Entry
from contracts.envelope import Envelope, Event
from contracts.matching import MatchProposed
from contracts.profiles import ProfileUpdated

from chassis import clock

T = TypeVar("T")

PARTITIONS: Final = 12
TENANT: Final = "acme"
PROPOSALS: Final = MatchProposed.topic.name
PROFILES: Final = ProfileUpdated.topic.name
LIFE: Final = 4  # events of one profile in a backlog
_BLOCK: Final = 50  # profiles whose events come interleaved
_NAMESPACE: Final = uuid.UUID("6f2c6f0e-5f0e-4c59-9d53-0b7a1c3f7d10")
_AREAS: Final = (
    *("ai-tools", "social-media", "data-literacy", "creator-economy", "generations"),
    *("cyber-hygiene", "front-line-reality", "gen-z-consumers", "new-joiner-view", "social-mobility"),
)


def identifier(kind: str, number: int) -> str:
    """The same id for the same number in every process."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}-{number}"))


def proposals(count: int, keys: int, topic: str = PROPOSALS) -> Iterator[Entry]:
    """Facts of 460 bytes, in order per key, each key's spread over the whole."""
    names = [identifier("mentorship", number) for number in range(keys)]
    for number in range(count):
        key, sequence = names[number % keys], number // keys + 1
        yield _entry(topic, proposal(key), key, sequence, number)


def proposal(mentorship: str) -> MatchProposed:
    """One fact."""
    return MatchProposed(
        mentorship=mentorship,
        programme=identifier("programme", 0),
        mentor=mentorship,
        mentee=mentorship,
        areas=_AREAS,
        direction="reverse",
        origin="engine",
        expires_at="2026-02-12T09:00:00.000Z",
    )


def profiles(count: int) -> Iterator[Entry]:
    """States: each profile's four follow each other closely, as the edits of one afternoon do."""
    for number in range(count):
        block, place = divmod(number, _BLOCK * LIFE)
        key, sequence = identifier("member", block * _BLOCK + place % _BLOCK), place // _BLOCK + 1
        state = ProfileUpdated(
            member=key,
            enrolled=True,
            open_to_mentor=True,
            open_to_be_mentored=False,
            offers=_AREAS[:5],
            seeks=_AREAS[5:],
            mentor_capacity=sequence,  # tells which of the states a row was made of
            mentee_capacity=1,
        )
        yield _entry(PROFILES, state, key, sequence, number)


def _entry(topic: str, event: Event, key: str, sequence: int, number: int) -> Entry:
    """One event as the relay finds it in a document."""
    event_id, kind = identifier("event", number), event.event_type()
    envelope = Envelope(
        id=event_id,
        source=f"/turnabout/{event.topic.owner}",
        type=kind,
        subject=key,
        time=clock.timestamp(),
        tenant=TENANT,
        sequence=sequence,
        partition_key=key,
        data_schema=f"urn:turnabout:{kind}",
        traceparent=f"00-{uuid.UUID(event_id).hex}-00f067aa0ba902b7-01",
    )
    return Entry(event_id, topic, key, event.model_dump_json().encode(), envelope.to_headers())


async def send(servers: str, every: Iterable[Entry]) -> None:
    """Put the events on their topic, through the chassis's producer."""
    producer = Producer(Settings(kafka=servers, instance="bench-load"))
    try:
        for lot in lots(every, 5_000):
            if len(await producer.send(lot)) != len(lot):
                raise RuntimeError("the broker did not take the load")
    finally:
        await producer.stop()


def lots(every: Iterable[T], size: int) -> Iterator[list[T]]:
    """In pieces."""
    rest = iter(every)
    while lot := list(islice(rest, size)):
        yield lot
