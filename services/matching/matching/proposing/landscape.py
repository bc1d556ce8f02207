"""What the engine role keeps in memory: people, pairs and programmes, as the topics tell them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from chassis.consuming.records import Received
from contracts.matching import MentorshipState, ProgrammePublished, Status
from contracts.profiles import DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, PROFILE

from matching.eligibility import engine_person, months_since
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Tie
from matching.engine.rules import Rules

OVER: Final = (Status.CLOSED, Status.ENDED)


@dataclass(slots=True)
class Known:
    """One member, and the day since which they have been ready to be paired."""

    entry: DirectoryUpdated | None = None
    profile: ProfileUpdated | None = None
    ready_since: date | None = None


@dataclass(slots=True)
class Change:
    """What one record leads to, beyond being remembered."""

    tenant: str
    member: str | None = None
    pair: MentorshipState | None = None
    programme: str | None = None


@dataclass(slots=True)
class Tenant:
    """One organisation's people, pairs and programmes."""

    people: dict[str, Known] = field(default_factory=dict)
    pairs: dict[str, MentorshipState] = field(default_factory=dict)
    programmes: dict[str, ProgrammePublished] = field(default_factory=dict)
    lives: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many lives of a mentor and a mentee are over."""
    again: set[str] = field(default_factory=set)
    """Closed proposals that were withdrawn before anybody turned them down."""


class Landscape:
    """Every tenant; `take` folds one record in."""

    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}

    def take(self, event: Received[Any]) -> Change:
        """Remember a record; what it changes for others is the answer."""
        tenant = self.tenants.setdefault(event.tenant, Tenant())
        data = event.data
        if isinstance(data, MentorshipState):
            before = tenant.pairs.get(event.key)
            tenant.pairs[event.key] = data
            if data.status in OVER and (before is None or before.status not in OVER):
                tenant.lives[data.mentor, data.mentee] += 1
            return Change(event.tenant, pair=data)
        if isinstance(data, ProgrammePublished):
            tenant.programmes[event.key] = data
            return Change(event.tenant, programme=event.key)
        if event.topic in (PROFILE, DIRECTORY):
            _remember(tenant.people.setdefault(event.key, Known()), event)
            return Change(event.tenant, member=event.key)
        tenant.pairs.pop(event.key, None)
        tenant.programmes.pop(event.key, None)
        return Change(event.tenant)

    def person(self, tenant: str, member: str, today: date, programme: str) -> Person | None:
        """A member as a programme's engine knows them; none while the directory is silent about them."""
        return person_of(self.tenants[tenant].people.get(member, Known()), today, programme)

    def copy_of(self, tenant: str) -> Tenant:
        """What is known of a tenant now, so that an engine can be made of it while more is heard."""
        known = self.tenants.setdefault(tenant, Tenant())
        return replace(known, people=dict(known.people), pairs=dict(known.pairs), again=set(known.again))


def make_engine(known: Tenant, programme: str, rules: Rules, today: date) -> Engine:
    """A fresh engine for a programme."""
    stands = [(pair, known.people.get(pair.mentor, Known())) for pair in known.pairs.values()]
    ties = [
        (tie_of(pair, programme, known.again, settled=is_settled(mentor, rules, today)), (pair.mentor, pair.mentee))
        for pair, mentor in stands
    ]
    people = (person_of(each, today, programme) for each in known.people.values())
    return Engine(
        rules,
        (person for person in people if person is not None),
        open_pairs=_those(ties, Tie.OPEN),
        locked_pairs=_those(ties, Tie.LOCKED),
        former_pairs=_those(ties, Tie.FORMER),
    )


def person_of(known: Known, today: date, programme: str) -> Person | None:
    """A member as a programme's engine knows them; none while the directory is silent about them."""
    if known.entry is None:
        return None
    waiting = (today - known.ready_since).days if known.ready_since else 0
    return engine_person(known.entry, known.profile, today, max(0, waiting), programme)


def is_settled(mentor: Known, rules: Rules, today: date) -> bool:
    """Whether a mentor is no new joiner any more where a programme asks for them."""
    return mentor.entry is not None and rules.settled(months_since(mentor.entry.joined, today))


def hold(engine: Engine, person: Person) -> None:
    """Take what was proposed to a new joiner out of the engine's hands once they are none any more.

    They are proposed to nobody else, but time alone takes nothing back: what was right on its day stands until it is
    answered, or expires.
    """
    if engine.rules.settled(person.tenure):
        for pair in engine.ties.of(person.id):
            if pair.mentor == person.id and engine.ties.between(pair) is Tie.OPEN:
                engine.move(*pair, Tie.LOCKED)


def tie_of(pair: MentorshipState, programme: str, again: set[str], *, settled: bool = False) -> Tie | None:
    """What a pair means to one programme's engine.

    A proposal with one yes is as fixed as an accepted pair: no better idea of the engine's may undo a person's yes.
    An open proposal of another programme holds its places here, too, and is not this engine's to move; nor is one
    whose mentor is `settled` meanwhile (see `hold`).
    """
    match pair.status:
        case Status.PROPOSED:
            return Tie.OPEN if pair.programme == programme and not settled else Tie.LOCKED
        case Status.HALF_ACCEPTED | Status.ACCEPTED | Status.STARTED | Status.PAUSED:
            return Tie.LOCKED
        case Status.CLOSED if pair.mentorship in again:
            return None
        case _:
            return Tie.FORMER


def _those(ties: Iterable[tuple[Tie | None, tuple[str, str]]], wanted: Tie) -> list[tuple[str, str]]:
    return [pair for tie, pair in ties if tie is wanted]


def _remember(known: Known, event: Received[Any]) -> None:
    if event.topic == DIRECTORY:
        known.entry = event.data
        return
    known.profile = event.data
    if known.profile is None or not known.profile.enrolled:
        known.ready_since = None
    elif known.ready_since is None:
        known.ready_since = event.time.date()
