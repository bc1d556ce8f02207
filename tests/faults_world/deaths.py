"""Forty deaths of real processes, each at a named point, under load: who dies where, in which order."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from local.processes import Child

from faults_world.check import Breaches
from faults_world.dying import KILLED
from faults_world.load import Load
from faults_world.run import under, until_quiet, verdict
from faults_world.world import INSTANCES, World

_PATIENCE_SECONDS: Final = 30.0  # from a process's start to its point
_LOAD_SECONDS: Final = 2.0  # for which commands go on after the last death


@dataclass(frozen=True, slots=True)
class Phase:
    """Processes that die at the same time, each at its points one after another."""

    points: Mapping[str, Sequence[str]]
    """By process; `#1` or `#2` says which time since its start."""
    away: Sequence[str] = ()
    """Processes that do not run meanwhile."""


# Creating comes first, while most orders are new; taking over (`_adopt`) after a death that left something owed.
_WORKING: Final = Phase(
    {
        "orders-0": (  # commands, and the relay
            "Documents._commit orders.insert.before#1",
            "Documents._commit orders.insert.after#2",
            "Relay._adopt orders.update_all.before#1",
            "Relay._adopt orders.update_all.after#1",
            f"{MENTORSHIP.name}.send.before#1",
            f"{MENTORSHIP.name}.send.between#2",
            "Relay.clear orders.update_all.before#2",
        ),
        "orders-1": (  # pending work on another document, and the relay
            "Documents._commit tallies.insert.before#1",
            "Documents._commit tallies.insert.after#2",
            "Documents.change tallies.find_one.after#1",
            f"{PROGRAMME.name}.send.after#1",
            "Relay.clear orders.update_all.after#1",
            "Heartbeat.beat instances.update.after#2",
            "Documents._commit tallies.update.before#2",
            "Documents._commit tallies.update.after#1",
            "Documents._commit orders.update.before#2",
        ),
        "parcels-0": (  # the pipeline, from fetching to committing
            "consumer.fetch.after#1",
            "Documents._commit parcels.insert.after#2",
            "Documents.change parcels.find_one.after#1",
            "Consumer._commit consumer.commit.before#1",
            "Consumer._commit consumer.commit.after#2",
        ),
        "parcels-1": (  # the pipeline, and the relay behind it
            "Suspects.opened positions.update.after#1",
            f"{NOTICE.name}.send.before#2",
            "Relay._adopt parcels.update_all.before#1",
            f"{NOTICE.name}.send.between#1",
            "Relay.clear parcels.update_all.after#2",
            "Documents._commit parcels.update.before#1",
        ),
        "letters-0": (  # the pipeline, and pending work on the outside
            "Documents.insert letters.insert.before#1",
            "Documents.insert letters.insert.after#2",
            "Consumer._commit consumer.commit.after#1",
            "outside.accept.after#2",
            "Relay._adopt letters.update_all.after#1",
            "Relay.clear letters.update_all.before#1",
        ),
    }
)
# A death leaves something owed, the next start takes it over, and what is due then is healed by whoever sees it first.
_HEALING: Final = Phase(
    {
        "orders-0": (
            "Documents._commit orders.update.after#1",
            "Relay._heal orders.update.before#1",
            "Relay._heal orders.update.after#1",
        ),
        "parcels-0": ("Documents._commit parcels.update.after#1", "Relay._heal parcels.update.after#1"),
        "letters-0": ("outside.accept.before#1", "Relay._heal letters.update.before#1"),
    },
    away=("orders-1", "parcels-1"),
)
FORTY: Final = (_WORKING, _HEALING)
# Writes that a run may come to or not, depending on who is alive when.
_BY_CHANCE: Final = frozenset({"Suspects.closed positions.update", "Relay._heal_at orders.update_all"})
_READS: Final = frozenset({"find_one", "sweep", "fetch"})


@dataclass(frozen=True, slots=True)
class Death:
    """How one start of a process ended."""

    name: str
    point: str
    code: int | None
    """Of its exit; None when it had not come to its point after half a minute."""
    seconds: float
    """From its start."""

    @property
    def hit(self) -> bool:
        """It died where it was told to."""
        return self.code == KILLED

    def __str__(self) -> str:
        fate = "died" if self.hit else f"NOT HIT (exit code {self.code})"
        return f"{self.name} {self.point}: {fate} after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Deaths:
    """What a run came to; breaches are looked for once, after the last of them."""

    deaths: Sequence[Death]
    breaches: Breaches
    commands: int
    untried: frozenset[str]
    """Writes that were reached, and around which nobody was told to die."""
    seconds: float

    def __str__(self) -> str:
        hit = sum(death.hit for death in self.deaths)
        survived = 0 if self.breaches else hit
        last = f"real deaths: {len(self.deaths)}, {hit} hit, {survived} survived, {self.seconds:.0f} s"
        return "\n".join([*map(str, self.deaths), f"{self.commands} commands", last])


class DyingWorld(World):
    """A world whose services can be told where to die."""

    def _child(self, name: str) -> Child:
        child = super()._child(name)
        if name in INSTANCES:
            child.arguments = [sys.executable, "-m", "faults_world.dying", name.partition("-")[0]]
            child.environment = {**child.environment, "FAULTS_POINTS": str(self.points(name))}
        return child

    def points(self, name: str) -> Path:
        """Where a process writes down the points that it reaches."""
        return self.folder / f"{name}.points"

    def writes(self) -> set[str]:
        """Every write that any process reached, without its moment."""
        met = {name for each in INSTANCES for name in self.points(each).read_text().splitlines()}
        seams = {name.rpartition(".")[0] for name in met}
        return {seam for seam in seams if seam.rpartition(".")[2] not in _READS}

    async def die(self, name: str, point: str, bug: str = "") -> Death:
        """Start a process that is not running, and wait until it has died at the point."""
        began = time.monotonic()
        self._start_with(name, point, bug)
        child = self.children[name]
        while child.exit_code is None and time.monotonic() - began < _PATIENCE_SECONDS:
            await asyncio.sleep(0.02)
        death = Death(name, point, child.exit_code, time.monotonic() - began)
        await child.kill()
        return death

    async def live(self, name: str, bug: str = "") -> None:
        """Start a process that dies nowhere, and wait until it serves."""
        self._start_with(name, "", bug)
        await self.children[name].wait_ready()

    def _start_with(self, name: str, point: str, bug: str) -> None:
        child = self.children[name]
        child.environment = {**child.environment, "FAULTS_DEATH": point, "FAULTS_BUG": bug}
        self.start(name)


async def die(world: DyingWorld, load: Load, phases: Sequence[Phase], bugs: Mapping[str, str] | None = None) -> Deaths:
    """Let the processes of a running world die under load, each where it is told to, and compare what is left.

    Args:
        world: running; the processes that are to die are ended first.
        load: the commands.
        phases: who dies where.
        bugs: what is planted in which process, from its first death to the end.
    """
    began, deaths, planted = time.monotonic(), list[Death](), bugs or {}

    async def one_after_another(name: str, points: Sequence[str]) -> None:
        await world.kill(name)
        for point in points:
            deaths.append(await world.die(name, point, planted.get(name, "")))
        await world.live(name, planted.get(name, ""))

    async def all_of_them() -> None:
        for phase in phases:
            await asyncio.gather(*(world.kill(name) for name in phase.away))
            await asyncio.gather(*(one_after_another(*each) for each in phase.points.items()))
            await asyncio.gather(*(world.live(name) for name in phase.away))
        await asyncio.sleep(_LOAD_SECONDS)

    await under(load, all_of_them())
    await until_quiet(world, healed=True)
    breaches, _ = await verdict(world, load, healed=True)
    tried = {point.rpartition(".")[0] for phase in phases for points in phase.points.values() for point in points}
    untried = frozenset(world.writes() - tried - _BY_CHANCE)
    return Deaths(deaths, breaches, len(load.history), untried, time.monotonic() - began)
