"""Pending: the documents that owe events or work, oldest first."""

from typing import Final

from contracts.topics import TOPICS

from chassis import clock
from chassis.ops.target import Json, Target
from chassis.state.mongo import Raw, named_faults

_OWING: Final[Raw] = {"pending": {"$gt": 0}}
_OWNERS: Final = 10_000
_SHAPE: Final = {"pending": 1, "relay_owner": 1, "events": 1, "slots": 1, "unsent": 1, "work": 1, "tenant": 1}


async def pending(target: Target, *, limit: int) -> Json:
    """How many documents owe something, and the `limit` oldest of each collection."""
    beats = await _beats(target)
    total, documents = 0, []
    for name in await target.documents():
        collection = target.database.collection(name)
        with named_faults():
            count = await collection.raw.count_documents(_OWING)
            oldest = collection.raw.find(_OWING, _SHAPE).sort("pending", 1).limit(limit)
            found = await oldest.to_list(limit) if count else []
        total += count
        documents += [_owing(name, raw, beats) for raw in found]
    documents.sort(key=lambda each: -each["seconds"])
    return {"total": total, "documents": documents[:limit]}


async def owing(target: Target, event_id: str) -> Json | None:
    """The document that still has to publish this event."""
    streams = [topic.stream for topic in TOPICS if topic.owner == target.service]
    beats = await _beats(target)
    for name in await target.documents():
        collection = target.database.collection(name)
        for place in ("events.id", *(f"slots.{stream}.id" for stream in streams)):
            for raw in await collection.sweep({**_OWING, place: event_id}, limit=1, projection=_SHAPE):
                return _owing(name, raw, beats)
    return None


async def _beats(target: Target) -> dict[str, int]:
    """When each process of the service was heard of last, in unix milliseconds."""
    found = await target.database.collection("instances").sweep({}, limit=_OWNERS)
    return {raw["_id"]: raw.get("beat", 0) for raw in found}


def _owing(collection: str, raw: Raw, beats: dict[str, int]) -> Json:
    owner = raw.get("relay_owner")
    states = [raw.get("slots", {}).get(stream) for stream in raw.get("unsent") or ()]
    now = clock.real_ms()
    return {
        "collection": collection,
        "id": raw["_id"],
        "seconds": round((now - raw["pending"]) / 1000, 1),
        "owner": owner,
        "owner_seen_seconds_ago": round((now - beats[owner]) / 1000, 1) if owner in beats else None,
        "entries": [
            {"id": entry["id"], "topic": entry["t"]} for entry in [*(raw.get("events") or ()), *states] if entry
        ],
        "work": [item["kind"] for item in raw.get("work") or ()],
    }
