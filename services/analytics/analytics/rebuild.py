"""Make the rows anew from the compacted topics alone, and put right whatever differs.

Rows are put right one by one, guarded by their sequence, while the service goes on: swapping whole collections under
a running consumer would lose what it writes in between. Published reports are no projection and stay untouched.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from contracts.envelope import Event
from contracts.matching import MentorshipState
from contracts.profiles import DirectoryUpdated

from analytics.projections import fold
from analytics.settings import Settings
from analytics.store import DIRECTORY, MENTORSHIPS, Row, Store, fingerprint, living

SOURCES: Final[Mapping[str, type[Event]]] = {
    MENTORSHIPS: MentorshipState,
    DIRECTORY: DirectoryUpdated,
}
_TRIES: Final = 5  # a live projection may be some events behind the topics, or ahead of what was read
_PATIENCE_SECONDS: Final = 1.0
_CHUNK: Final = 500


async def rebuild(settings: Settings, store: Store) -> str:
    """Rebuild every row; returns the fingerprint of all rows as they now should be."""
    made: list[tuple[str, list[Row]]] = []
    for kind, event in SOURCES.items():
        # The stored rows are read first: each of them came from an event that the topic has or has buried since.
        stored = {row["_id"]: row for row in living(await store.everything(kind))}
        fresh = {row["_id"]: row for row in await read_rows(settings, event)}
        missing = [row for key, row in fresh.items() if key not in stored]
        for start in range(0, len(missing), _CHUNK):
            await store.save(kind, missing[start : start + _CHUNK])
        for key, old in stored.items():
            new = fresh.get(key)
            if old != new and not (new and old["sequence"] > new["sequence"]):
                await store.replace(kind, old, new)
        made.append((kind, list(fresh.values())))
    return fingerprint(made)


async def check(settings: Settings, store: Store) -> tuple[str, str]:
    """The fingerprints of the rebuilt rows and of the stored ones; they are equal unless something is wrong."""
    for _ in range(_TRIES):
        fresh = fingerprint([(kind, await read_rows(settings, event)) for kind, event in SOURCES.items()])
        stored = fingerprint([(kind, await store.everything(kind)) for kind in SOURCES])
        if fresh == stored:
            break
        await asyncio.sleep(_PATIENCE_SECONDS)
    return fresh, stored


async def read_rows(settings: Settings, event: type[Event]) -> list[Row]:
    """The rows that one compacted topic makes, from its beginning to its present end."""
    newest: dict[str, Row] = {}

    def remember(received: Received[Any]) -> None:
        before = newest.get(received.key)
        if before is None or before["sequence"] < received.sequence:
            newest[received.key] = fold([received])[0]

    async with TopicReader(settings, [event], remember) as reader:
        await reader.caught_up()
    return list(newest.values())
