"""Every event there is: who says it, under which key, and who listens.

Building the catalogue is the gate. It fails when an event carries more than its topic may, when a field has no
description or data class, when two events share a type, or when a name is not one that others can be derived from.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from contracts import schemas
from contracts.envelope import DataClass, Event
from contracts.matching import (
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MemberInvited,
    MentorshipDetailed,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipStarted,
    MentorshipState,
    ProgrammePublished,
    SessionLogged,
    SessionPlanChanged,
)
from contracts.notifications import NoticeSent
from contracts.profiles import DirectoryUpdated, ProfileUpdated, TaxonomyPublished
from contracts.topics import TOPICS, Audience, Kind, Topic

CARRIES: Final = {
    Audience.OUTSIDE: frozenset({DataClass.NONE, DataClass.PSEUDONYMOUS}),
    Audience.PLATFORM: frozenset({DataClass.NONE, DataClass.PSEUDONYMOUS}),
    Audience.RESTRICTED: frozenset(DataClass),
}
_FACT: Final = re.compile(r"[a-z]+(-[a-z]+)+")
_GROUP: Final = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")


class CatalogueError(Exception):
    """An event may not be said as it is declared; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the catalogue."""

    event: type[Event]
    key: str
    """The field that holds the aggregate's id: the Kafka key."""
    consumers: tuple[str, ...] = ()
    """Consumer groups, ``<service>.<handler group>``."""
    readers: tuple[str, ...] = ()
    """Readers of the whole topic that keep no group, ``<service>.<purpose>``."""
    data_classes: dict[str, DataClass] = field(init=False, repr=False, compare=False, hash=False)
    """Data class by path of field, for example ``sessions[].month``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_classes", data_classes(self.event))

    @property
    def type(self) -> str:
        """The ``ce_type`` on the wire."""
        return self.event.event_type()

    @property
    def topic(self) -> Topic:
        """Where it is said."""
        return self.event.topic

    @property
    def owner(self) -> str:
        """The service that says it."""
        return self.event.topic.owner


@dataclass(frozen=True)
class Catalogue:
    """All entries, in the order of the topics; made by `build`."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def on(self, topic: Topic) -> tuple[Entry, ...]:
        """The events of one topic."""
        return tuple(entry for entry in self.entries if entry.topic == topic)

    def of(self, event: type[Event]) -> Entry:
        """The entry of an event class.

        Raises:
            CatalogueError: the event isn't in the catalogue, so nobody may say it.
        """
        for entry in self.entries:
            if entry.event is event:
                return entry
        raise CatalogueError(f"{event.__name__} is not in contracts/catalogue.py: add an Entry for it")

    def consumers(self) -> dict[str, frozenset[type[Event]]]:
        """What each consumer group is declared to handle."""
        groups = {group for entry in self.entries for group in entry.consumers}
        return {
            group: frozenset(entry.event for entry in self.entries if group in entry.consumers)
            for group in sorted(groups)
        }


def build(entries: Iterable[Entry]) -> Catalogue:
    """Check every entry and put them together.

    Raises:
        CatalogueError: the first thing that is wrong.
    """
    found = tuple(sorted(entries, key=lambda entry: TOPICS.index(entry.topic) if entry.topic in TOPICS else -1))
    types: dict[str, type[Event]] = {}
    states: dict[str, type[Event]] = {}
    for entry in found:
        _check(entry)
        if entry.type in types:
            raise CatalogueError(f"{entry.event.__name__} and {types[entry.type].__name__} are both {entry.type}")
        types[entry.type] = entry.event
        if entry.topic.kind is Kind.STATE and entry.topic.name in states:
            raise CatalogueError(f"{entry.topic.name} is compacted, so it can hold one kind of event only")
        states[entry.topic.name] = entry.event
    return Catalogue(found)


def _check(entry: Entry) -> None:
    name = entry.event.__name__
    if entry.topic not in TOPICS:
        raise CatalogueError(f"{name}: list its topic {entry.topic.name} in contracts/topics.py")
    if not _FACT.fullmatch(entry.event.fact):
        raise CatalogueError(f"{name}: fact {entry.event.fact!r} must be kebab-case and in the past tense")
    if entry.key not in entry.event.model_fields:
        raise CatalogueError(f"{name}: the key {entry.key!r} is none of its fields")
    for group in (*entry.consumers, *entry.readers):
        if not _GROUP.fullmatch(group):
            raise CatalogueError(f"{name}: {group!r} must be <service>.<handler group>")
    carries = CARRIES[entry.topic.audience]
    for path, data_class in entry.data_classes.items():
        if data_class not in carries:
            raise CatalogueError(
                f"{name}.{path} is {data_class.value}, which {entry.topic.name} may not carry: "
                f"its audience is {entry.topic.audience.value}"
            )


def data_classes(event: type[Event]) -> dict[str, DataClass]:
    """The data class of every field, nested ones included.

    Raises:
        CatalogueError: a field has no data class or no description.
    """
    found: dict[str, DataClass] = {}
    _collect(event.__name__, "", schemas.writer(event), found)
    return found


def _collect(owner: str, prefix: str, schema: dict[str, Any], found: dict[str, DataClass]) -> None:
    if isinstance(schema.get("additionalProperties"), dict):
        raise CatalogueError(f"{owner}.{prefix} has keys that are data, which no data class can describe: use a list")
    for name, field_schema in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        marked = field_schema.get("x-data-class")
        if marked not in {item.value for item in DataClass}:
            raise CatalogueError(f"{owner}.{path} has no data class: annotate it with Plain, Pseudonymous or stricter")
        if not field_schema.get("description"):
            raise CatalogueError(f"{owner}.{path} has no description")
        found[path] = DataClass(marked)
        for branch in schemas.branches(field_schema):
            _collect(owner, f"{path}.", branch, found)
            _collect(owner, f"{path}[].", branch.get("items", {}), found)


CATALOGUE: Final = build(
    [
        Entry(ProfileUpdated, key="member", consumers=("matching.members",), readers=("matching.engine",)),
        Entry(
            DirectoryUpdated,
            key="member",
            consumers=("analytics.people", "matching.members"),
            readers=("analytics.rebuild", "matching.engine"),
        ),
        Entry(TaxonomyPublished, key="taxonomy", readers=("matching.labels", "notifications.areas")),
        Entry(ProgrammePublished, key="programme", readers=("matching.engine",)),
        Entry(MatchProposed, key="mentorship", consumers=("notifications.threads",)),
        Entry(MatchAccepted, key="mentorship", consumers=("notifications.threads",)),
        Entry(MatchClosed, key="mentorship", consumers=("notifications.threads",)),
        Entry(MentorshipStarted, key="mentorship", consumers=("notifications.threads",)),
        Entry(SessionLogged, key="mentorship", consumers=("notifications.threads",)),
        Entry(MentorshipPaused, key="mentorship", consumers=("notifications.threads",)),
        Entry(MentorshipResumed, key="mentorship", consumers=("notifications.threads",)),
        Entry(MentorshipEnded, key="mentorship", consumers=("notifications.threads",)),
        Entry(MentorshipDetailed, key="mentorship"),
        Entry(SessionPlanChanged, key="mentorship", consumers=("notifications.threads",)),
        Entry(
            MentorshipState,
            key="mentorship",
            consumers=("analytics.rows",),
            readers=("analytics.rebuild", "matching.engine"),
        ),
        Entry(MemberInvited, key="invitation", consumers=("notifications.threads",)),
        Entry(NoticeSent, key="thread", readers=("notifications.inbox",)),
    ]
)
