"""What a run leaves behind, piece by piece, and what the checker says about it.

Nothing here comes from the code under test but the names of headers and stored fields: the checker must not inherit
the mistakes that it looks for.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]
Raw = dict[str, Any]
Place = tuple[str, int]  # topic, partition


class Ending(StrEnum):
    """How a command ended for its client."""

    OK = "ok"
    FAIL = "fail"
    """Refused: it must have left nothing."""
    INFO = "info"
    """Nobody knows: a time-out, a reset connection, a client that died."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One event that a command leads to; `fields` are those of its body by which it is known."""

    topic: str
    type: str
    key: str
    fields: tuple[tuple[str, str | float | bool | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command as its client saw it."""

    id: str
    aggregate: str
    ending: Ending
    leads_to: tuple[Expected, ...] = ()
    effects: tuple[tuple[str, str], ...] = ()
    """Deliveries that it leads to: sink and idempotency id."""
    trace: str | None = None
    """The trace id, 32 hex digits, that it was sent with."""


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One record of a topic, byte for byte."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> Place:
        """Its topic and partition."""
        return self.topic, self.partition


@dataclass(frozen=True, slots=True)
class Partition:
    """The bounds of one partition when it was read: first kept offset, and the offset after the last."""

    topic: str
    partition: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document, raw. Several of one id are versions of it, in the order in which they are given."""

    service: str
    collection: str
    raw: Raw

    @property
    def id(self) -> str:
        """Its key."""
        return str(self.raw.get("_id"))


@dataclass(frozen=True, slots=True)
class Effect:
    """One delivery that reached the outside: a mail, a webhook."""

    sink: str
    id: str
    accepted: bool = True
    event: str | None = None
    """The id of the event that caused it, as far as the sink knows."""
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one group did with one partition."""

    group: str
    topic: str
    partition: int
    committed: int | None = None
    """The committed offset: the next record to read. None when nothing was committed."""
    outcomes: dict[str, int] | None = None
    """Records by outcome (done, duplicate, skipped, deadletter, parked); None when counters died with a process."""
    consumed: int | None = None
    """Records that were given to the group, redelivered ones each time."""
    restarts: int | None = None
    """How often the partition was begun again before a commit; None when nobody counted."""


class Item(NamedTuple):
    """One thing that shows a breach."""

    kind: str
    """command, record, document, delivery, partition or group."""
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken promise. `rule` is its stable name within the invariant; `witness` the fewest things that show it."""

    invariant: str
    rule: str
    summary: str
    witness: tuple[Item, ...] = field(default=())

    def to_json(self) -> Raw:
        """As printed by ``--json``."""
        return {**asdict(self), "witness": [item._asdict() for item in self.witness]}


INVARIANTS: Final = {
    "I1": "no loss",
    "I2": "no ghost",
    "I3": "effects once",
    "I4": "order",
    "I5": "legality",
    "I6": "convergence",
    "I7": "conservation",
    "I8": "dead letters as they came",
    "I9": "tenant wall",
    "I12": "traces",
}
