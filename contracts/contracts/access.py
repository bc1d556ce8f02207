"""Who may do what on the broker, computed from topics and catalogue: what is not named here is refused.

A topic's owner alone writes to it. Its declared listeners read it, whatever its audience; beyond them operators read
what is not restricted, and an outside subscriber what is outside. Dead letters belong to the service whose group they
died in. In Kafka reading and writing include describing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.catalogue import CATALOGUE, Catalogue
from contracts.topics import TOPICS, Audience, Topic

ADMINISTRATOR: Final = "administrator"
OPERATORS: Final = "operators"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class AccessError(Exception):
    """A principal can't have this name; the message says why."""


class Operation(StrEnum):
    """As Kafka calls it."""

    READ = "read"
    WRITE = "write"
    DESCRIBE = "describe"


class Resource(StrEnum):
    """As Kafka calls it."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one principal is allowed to do."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False
    """The name is how those begin that are meant."""

    def __str__(self) -> str:
        return f"{self.principal} may {self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


@dataclass(frozen=True)
class Access:
    """The rules, for these topics and listeners."""

    topics: tuple[Topic, ...] = TOPICS
    catalogue: Catalogue = CATALOGUE

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that says or hears something: one principal each."""
        heard = {_service(each) for entry in self.catalogue for each in (*entry.consumers, *entry.readers)}
        return tuple(sorted({topic.owner for topic in self.topics} | heard))

    @property
    def principals(self) -> tuple[str, ...]:
        """Those whose rights are computed; the administrator has every right and needs none of these."""
        return (*self.services, OPERATORS)

    def platform(self) -> frozenset[Acl]:
        """What services and operators may do."""
        return frozenset().union(self.operators(), *(self.service(name) for name in self.services))

    def service(self, name: str) -> frozenset[Acl]:
        """Write what it owns and look at that, hear what it is declared for, and keep its own dead letters."""
        return frozenset(self._of_service(name))

    def _of_service(self, name: str) -> Iterator[Acl]:
        for topic in self.topics:
            readers = {each for entry in self.catalogue.on(topic) for each in entry.readers}
            if topic.owner == name:
                yield Acl(name, Operation.WRITE, Resource.TOPIC, topic.name)
            if topic.owner == name or name in {_service(each) for each in (*self._groups(topic), *readers)}:
                yield Acl(name, Operation.READ, Resource.TOPIC, topic.name)
            for group in self._groups(topic):
                if _service(group) == name:
                    yield Acl(name, Operation.READ, Resource.GROUP, group)
                    yield Acl(name, Operation.WRITE, Resource.TOPIC, topic.dead(group))
                    yield Acl(name, Operation.READ, Resource.TOPIC, topic.dead(group))

    def operators(self) -> frozenset[Acl]:
        """Look at topics, dead letters and groups. They write nothing, and move no group's offsets."""
        found = set()
        for topic in self.topics:
            groups = self._groups(topic)
            found |= {Acl(OPERATORS, Operation.DESCRIBE, Resource.GROUP, group) for group in groups}
            if topic.audience is not Audience.RESTRICTED:
                names = {topic.name, *(topic.dead(group) for group in groups)}
                found |= {Acl(OPERATORS, Operation.READ, Resource.TOPIC, name) for name in names}
        return frozenset(found)

    def subscriber(self, name: str) -> frozenset[Acl]:
        """What a system outside the platform may do: read outside topics, with consumer groups named after itself.

        Raises:
            AccessError: the name is one of the platform's own, or none.
        """
        if not _NAME.fullmatch(name):
            raise AccessError(f"{name!r} is no subscriber's name. Use small letters, digits and -, as hr-dashboard.")
        if name in {*self.principals, ADMINISTRATOR, "broker"}:
            raise AccessError(f"{name} belongs to the platform itself. Choose another name, as hr-dashboard.")
        outside = [topic for topic in self.topics if topic.audience is Audience.OUTSIDE]
        return frozenset(
            {
                *(Acl(name, Operation.READ, Resource.TOPIC, topic.name) for topic in outside),
                Acl(name, Operation.READ, Resource.GROUP, f"{name}.", prefixed=True),
            }
        )

    def _groups(self, topic: Topic) -> set[str]:
        return {group for entry in self.catalogue.on(topic) for group in entry.consumers}


def _service(listener: str) -> str:
    """The service of a ``<service>.<handler group>`` or ``<service>.<purpose>``."""
    return listener.partition(".")[0]
