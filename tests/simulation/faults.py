"""What goes wrong in one run, drawn from its seed before it begins, so that a run is its seed and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from random import Random
from typing import Any, Final

ACTIVE_SECONDS: Final = 12.0
"""Virtual seconds in which commands are given and faults begin."""
_LATEST: Final = 18.0  # less than `pins.HEAL_SECONDS`


class Kind(Enum):
    """What happens to a process at a point."""

    CRASH = auto()
    FREEZE = auto()


@dataclass(frozen=True, slots=True)
class Blow:
    """One process is hit at the `at`-th point of the run."""

    kind: Kind
    at: int
    seconds: float
    """Until it is started again, or goes on."""
    replaced: bool
    """Another process takes its place meanwhile: with another name, or with its own."""
    same_name: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Virtual seconds in which the database or the broker misbehaves, and how often."""

    start: float
    end: float
    share: float

    def now(self, time: float) -> bool:
        """Whether it is on."""
        return self.start <= time < self.end


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults of one run."""

    blows: dict[int, Blow]
    database: Window
    broker: Window
    bugs: Window
    outage: Window
    """The database is away altogether, and the broker with it where `share` is 1."""
    compactions: tuple[float, ...]
    rewinds: tuple[tuple[float, str], ...]
    stops: tuple[float, ...]
    redrives: tuple[float, ...]
    """Moments at which an operator redrives while everything goes on, having mended the handler or not."""
    spoiled: int
    """Raw records without a readable envelope."""
    commands: int
    orders: int
    slow: float
    """Share of points at which a process waits for a moment."""
    crash: tuple[str, int] | None = None
    """A process dies at this point when it is reached so often."""


def of_seed(seed: int, groups: list[str]) -> Plan:
    """The plan of a seed."""
    return drawn(Random(seed), groups)  # noqa: S311 - a run is its seed


def drawn(random: Random, groups: list[str]) -> Plan:
    """A plan; about one in eight runs goes well."""
    blows = {}
    for _ in range(random.choice([0, 1, 1, 2, 2, 3])):
        at = int(random.uniform(10, 700))
        kind = random.choice([Kind.CRASH, Kind.CRASH, Kind.FREEZE])
        seconds = random.uniform(0.1, 6.0) if kind is Kind.CRASH else random.uniform(11.0, 26.0)
        blows[at] = Blow(kind, at, seconds, replaced=random.random() < 0.5, same_name=random.random() < 0.5)
    return Plan(
        blows=blows,
        database=_window(random, 0.3),
        broker=_window(random, 0.5),
        bugs=_window(random, 0.4),
        outage=_outage(random),
        compactions=tuple(random.uniform(1, 40) for _ in range(random.choice([0, 1, 3]))),
        rewinds=tuple((random.uniform(2, 30), random.choice(groups)) for _ in range(random.choice([0, 0, 1]))),
        stops=tuple(random.uniform(1, ACTIVE_SECONDS) for _ in range(random.choice([0, 0, 0, 1]))),
        redrives=tuple(random.uniform(2, 26) for _ in range(random.choice([0, 1, 2, 3]))),
        spoiled=random.choice([0, 0, 0, 1, 3]),
        commands=random.randint(4, 22),
        orders=random.randint(1, 3),
        slow=random.choice([0.0, 0.05, 0.2]),
    )


def calm(commands: int) -> dict[str, Any]:
    """What replaces every fault of a plan: a run that goes well, but for poison and what an operator does about it."""
    nothing: dict[str, Any] = dict.fromkeys(_WINDOWS, _CALM) | dict.fromkeys(("compactions", "rewinds", "stops"), ())
    return nothing | {"blows": {}, "spoiled": 2, "slow": 0.0, "commands": commands, "orders": 2, "redrives": (14.0,)}


_WINDOWS: Final = ("database", "broker", "bugs", "outage")
_CALM: Final = Window(0, 0, 0)


def parts(plan: Plan) -> list[str]:
    """The names of what goes wrong in a plan."""
    windows = [name for name in _WINDOWS if getattr(plan, name) != _CALM]
    others = [
        name for name in ("compactions", "rewinds", "stops", "redrives", "spoiled", "slow") if getattr(plan, name)
    ]
    return [*(f"blow@{at}" for at in plan.blows), *windows, *others]


def changed(plan: Plan, parts_: Mapping[str, Any]) -> Plan:
    """The plan with some of its parts replaced."""
    return replace(plan, **parts_)


def without(plan: Plan, names: Iterable[str]) -> Plan:
    """The plan with some of its parts taken out."""
    for name in names:
        if name.startswith("blow@"):
            at = int(name.removeprefix("blow@"))
            plan = replace(plan, blows={place: blow for place, blow in plan.blows.items() if place != at})
        elif name in _WINDOWS:
            plan = changed(plan, {name: _CALM})
        else:
            plan = changed(plan, {name: type(getattr(plan, name))()})
    return plan


def _window(random: Random, most: float) -> Window:
    if random.random() < 0.4:
        return _CALM
    start = random.uniform(0, ACTIVE_SECONDS)
    return Window(start, start + random.uniform(0.5, ACTIVE_SECONDS), random.uniform(0.02, most))


def _outage(random: Random) -> Window:
    if random.random() < 0.7:
        return _CALM
    start = random.uniform(0, ACTIVE_SECONDS)
    return Window(start, start + random.uniform(0.5, 7.0), random.choice([0.5, 1.0]))


def lateness(random: Random) -> float:
    """Seconds after which a late record arrives."""
    return random.choice([random.uniform(0, 1), random.uniform(1, _LATEST)])
