"""The pure half of a document: an aggregate that records what it says and asks, without any I/O.

A command method changes fields, calls `say` for each outgoing event and `ask` for each effect on another
document. `chassis.state.documents` writes all of it in one compare-and-set.
"""

from dataclasses import dataclass, field
from typing import Any

from contracts.envelope import Event
from contracts.topics import Topic
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The end of a compacted key."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class Ask:
    """Work on another document: its kind names the handler, which must be idempotent by `arguments`."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Uncommitted:
    """What one command produced so far."""

    said: list[Event | Tombstone] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)


class Aggregate(BaseModel):
    """Base of every stored aggregate. `id` is the document's key and the Kafka key of its events.

    The field names in `chassis.state.documents.RESERVED` belong to the chassis.
    """

    model_config = ConfigDict(populate_by_name=True, extra="ignore")

    id: str = Field(alias="_id")
    tenant: str
    shape: int = 1

    _uncommitted: Uncommitted = PrivateAttr(default_factory=Uncommitted)
    _etag: str = PrivateAttr(default="")

    @property
    def etag(self) -> str:
        """The revision at which the store has it; empty for a new aggregate."""
        return self._etag

    def remember_etag(self, revision: str) -> None:
        """Called by the store when it has read or stored the aggregate."""
        self._etag = revision

    def say(self, event: Event) -> None:
        """Record one outgoing event; facts keep their order, and a state replaces an unsent one."""
        self._uncommitted.said.append(event)

    def bury(self, topic: Topic) -> None:
        """Record a tombstone for this aggregate on a compacted topic."""
        self._uncommitted.said.append(Tombstone(topic))

    def ask(self, kind: str, **arguments: Any) -> None:
        """Record work on another document, done after the commit, at least once."""
        self._uncommitted.asked.append(Ask(kind, arguments))

    def take_uncommitted(self) -> Uncommitted:
        """Hand over what was recorded and begin anew."""
        taken, self._uncommitted = self._uncommitted, Uncommitted()
        return taken
