"""What analytics remembers of an event: one row an aggregate, the newest sequence wins, and no counters.

A batch is folded to the newest event of each key before one bulk write. Only the fields that a measure needs are
kept; levels and units of a pair stay as they were when it was proposed.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from contracts.envelope import Event
from contracts.matching import MentorshipState, PersonBands
from contracts.profiles import DirectoryUpdated

from analytics.settings import SERVICE
from analytics.store import DIRECTORY, MENTORSHIPS, Row, Store

handlers = Handlers[Store](SERVICE)


@handlers.batch(MentorshipState, group="rows")
async def fold_mentorships(events: list[Received[Any]], store: Store) -> None:
    """Remember how far each pair came."""
    await store.save(MENTORSHIPS, fold(events))


@handlers.batch(DirectoryUpdated, group="people")
async def fold_people(events: list[Received[Any]], store: Store) -> None:
    """Remember who is there, at which level and unit, and since when they take part."""
    await store.save(DIRECTORY, fold(events))


def fold(events: Iterable[Received[Any]]) -> list[Row]:
    """The row of each key after its newest event."""
    newest: dict[str, Received[Any]] = {}
    for event in events:
        if event.key not in newest or newest[event.key].sequence < event.sequence:
            newest[event.key] = event
    return [row_of(event) for event in newest.values()]


def row_of(event: Received[Any]) -> Row:
    """One event as a row; a tombstone leaves a marker, so that a late older event changes nothing."""
    row: Row = {"_id": event.key, "tenant": event.tenant, "sequence": event.sequence, "gone": event.data is None}
    if event.data is None:
        return row | {"gone_on": event.envelope.time[:10]}
    return row | FIELDS[type(event.data)](event.data, event.envelope.time[:7])


def _mentorship(state: MentorshipState, _month: str) -> Row:
    return {
        "mentor": state.mentor,
        "mentee": state.mentee,
        "mentor_bands": _bands(state.mentor_bands),
        "mentee_bands": _bands(state.mentee_bands),
        "proposed_at": state.proposed_at,
        "accepted_at": state.accepted_at,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "cadence": state.cadence,
        "paused": [{"month": part.month, "days": part.days} for part in state.paused],
        "paused_on": state.paused_on,
        "sessions": [
            {"outcome": str(part.outcome), "month": part.month, "count": part.count} for part in state.sessions
        ],
    }


def _bands(bands: PersonBands) -> Row:
    return {"level": bands.level, "unit": bands.unit}


def _directory(entry: DirectoryUpdated, month: str) -> Row:
    return {
        "level": entry.level,
        "unit": entry.unit,
        "enrolled_on": entry.enrolled_on,
        "enrolled_until": entry.enrolled_until,
        "month": month,
    }


FIELDS: Final[dict[type[Event], Callable[[Any, str], Row]]] = {
    MentorshipState: _mentorship,
    DirectoryUpdated: _directory,
}
