"""What is said and heard where, as far as the checker needs it: data, replaceable for another system.

`PRODUCT` is Turnabout's. Streams and consumer groups follow from the catalogue; what a group keeps, which fields of a
state stand in a document or row as well, and which walks are legal are written here by hand, from the design and not
from the services.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from contracts.catalogue import CATALOGUE
from contracts.topics import TOPICS, Kind


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic: who says it, and how it is kept."""

    topic: str
    service: str
    name: str
    """The name under which documents count its sequence."""
    compacted: bool
    mirrors: tuple[str, ...] = ()
    """Fields of a state that stand in the owner's document under the same name."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic as one consumer group hears it. The service is the group's first word."""

    group: str
    topic: str
    types: tuple[str, ...]
    """The event types that it handles; others are skipped rightly."""
    fences: bool = True
    """Its documents remember the highest sequence applied."""
    rows: str | None = None
    """The collection of its read model, one row a key with the newest sequence."""
    mirrors: tuple[str, ...] = ()
    """Fields of a state that stand in the row under the same name."""

    @property
    def service(self) -> str:
        """Whose database holds what it keeps."""
        return self.group.partition(".")[0]

    @property
    def dead(self) -> str:
        """The topic of its dead letters."""
        return f"{self.topic}.{self.group}.dead"


@dataclass(frozen=True, slots=True)
class Step:
    """How an event reads as a place in a life: its type, and what its body must say."""

    type: str
    status: str
    where: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """The legal walk of the keys of one topic. Facts are read by `steps`, states by one field, `state`."""

    topic: str
    edges: dict[str, tuple[str, ...]]
    """Status → those that may follow; the empty status is the beginning."""
    steps: tuple[Step, ...] = ()
    state: str | None = None
    document: str | None = None
    """Field of the owner's document that says where the walk has come to."""
    same: dict[str, str] = field(default_factory=dict)
    """Steps that leave that field at another status."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Documents that hold places: what is taken may not exceed the capacity at the moment when it grows."""

    service: str
    collection: str
    taken: str
    capacity: str
    source: str
    """The compacted topic whose states set the capacity, by the field named beside the side."""
    holder: str
    """Field that holds the key on that topic."""
    side: str
    sides: dict[str, str]
    """Value of the field `side` → field of the state."""
    takers: str
    """The collection whose documents take a place on each side; each names its holders by side."""
    holding: tuple[str, ...]
    """Statuses in which they must have both places."""
    may_hold: tuple[str, ...]
    """Statuses in which they may."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Documents that list what was done to them by unique ids: an id that stands there twice was done twice."""

    service: str
    collection: str
    path: str
    """Field of the list."""
    id: str | None = None
    """Field of its items that is unique; None when the items themselves are."""
    group: str | None = None
    """The group whose handled events it lists by event id, all of them: each must be there once."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that the checker knows of a system beforehand."""

    streams: tuple[Stream, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    lives: tuple[Life, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    marks: tuple[Marks, ...] = ()
    once: tuple[tuple[str, str], ...] = ()
    """Topic and field of a body: each value is said by one event."""
    _by_topic: dict[str, Stream] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_topic.update({stream.topic: stream for stream in self.streams})

    def stream(self, topic: str) -> Stream | None:
        """The stream of a topic; None for a dead-letter topic or a strange one."""
        return self._by_topic.get(topic)


_MATCHING: Final = "turnabout.matching"
_OF_OWNER: Final = {
    "matching.mentorship-state.v1": (
        *("programme", "status", "mentor", "mentee", "direction"),
        *("proposed_at", "accepted_at", "started_at", "ended_at", "closed_at", "paused_on"),
    ),
    "matching.programme.v1": ("rules_version",),
    "profiles.taxonomy.v1": ("version",),
}
_OF_ROWS: Final = {
    ("analytics.rows", "matching.mentorship-state.v1"): (
        "mentorships",
        (*("mentor", "mentee", "proposed_at", "accepted_at", "started_at", "ended_at"), "cadence", "paused_on"),
    ),
    ("analytics.people", "profiles.directory.v1"): ("directory", ("level", "unit", "enrolled_on", "enrolled_until")),
}
_EDGES: Final = {
    "": ("proposed",),
    "proposed": ("half-accepted", "closed"),
    "half-accepted": ("accepted", "closed"),
    "accepted": ("started", "closed"),
    "started": ("paused", "ended"),
    "paused": ("started", "ended"),
}
_GOES_ON: Final = ("session", "paused", "ended")


def _streams() -> tuple[Stream, ...]:
    return tuple(
        Stream(topic.name, topic.owner, topic.stream, topic.kind is Kind.STATE, _OF_OWNER.get(topic.name, ()))
        for topic in TOPICS
    )


def _subscriptions() -> tuple[Subscription, ...]:
    heard: dict[tuple[str, str], list[str]] = {}
    for entry in CATALOGUE:
        for group in entry.consumers:
            heard.setdefault((group, entry.topic.name), []).append(entry.type)
    found = []
    for (group, topic), types in heard.items():
        rows, mirrors = _OF_ROWS.get((group, topic), (None, ()))
        found.append(Subscription(group, topic, tuple(types), fences=rows is None, rows=rows, mirrors=mirrors))
    return tuple(found)


PRODUCT: Final = Topology(
    streams=_streams(),
    subscriptions=_subscriptions(),
    lives=(
        Life("matching.mentorship-state.v1", _EDGES, state="status"),
        Life(
            "matching.mentorship.v1",
            {
                **_EDGES,
                "started": _GOES_ON,
                "session": _GOES_ON,
                "paused": ("resumed", "ended"),
                "resumed": _GOES_ON,
            },
            steps=(
                Step(f"{_MATCHING}.match-proposed.v1", "proposed"),
                Step(f"{_MATCHING}.match-accepted.v1", "half-accepted", (("complete", False),)),
                Step(f"{_MATCHING}.match-accepted.v1", "accepted", (("complete", True),)),
                Step(f"{_MATCHING}.match-closed.v1", "closed"),
                Step(f"{_MATCHING}.mentorship-started.v1", "started"),
                Step(f"{_MATCHING}.session-logged.v1", "session"),
                Step(f"{_MATCHING}.mentorship-paused.v1", "paused"),
                Step(f"{_MATCHING}.mentorship-resumed.v1", "resumed"),
                Step(f"{_MATCHING}.mentorship-ended.v1", "ended"),
            ),
            document="status",
            same={"session": "started", "resumed": "started"},
        ),
    ),
    capacities=(
        Capacity(
            "matching",
            "places",
            "taken",
            "capacity",
            source="profiles.profile.v1",
            holder="member",
            side="side",
            sides={"mentor": "mentor_capacity", "mentee": "mentee_capacity"},
            takers="mentorships",
            holding=("accepted", "started", "paused"),
            may_hold=("half-accepted", "accepted", "started", "paused"),
        ),
    ),
    marks=(
        Marks("matching", "places", "taken"),
        Marks("notifications", "threads", "notices", "id"),
    ),
    once=(("notifications.notice.v1", "notice"), ("matching.invitation.v1", "invitation")),
)
