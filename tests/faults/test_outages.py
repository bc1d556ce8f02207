"""The database or the broker is away, slow or frozen for a while: everything waits, nothing is lost or doubled."""

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faults_world.load import Command, Load
from faults_world.proxy import Proxy
from faults_world.run import under, until_quiet, verdict
from faults_world.world import BROKER, World
from local.ports import free_range

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]


@dataclass
class Scene:
    """A world behind two proxies, and the load on it, which goes on from test to test."""

    world: World
    load: Load
    database: Proxy
    broker: Proxy

    async def survives(self, hurting: Coroutine[Any, Any, None]) -> list[Command]:
        """Hurt it under load, check all that it ever did, and return the commands given meanwhile."""
        before = len(self.load.history)
        await under(self.load, hurting)
        await until_quiet(self.world)
        breaches, _ = await verdict(self.world, self.load)
        assert not breaches, str(breaches)
        return self.load.history[before:]


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    ports = free_range()
    database, broker = Proxy(ports.mailbox, ports.database), Proxy(ports.smtp, ports.kafka)
    folder: Path = tmp_path_factory.mktemp("outages")
    world = World(folder, ports, through_kafka=ports.smtp, through_mongo=ports.mailbox)
    async with database.running(), broker.running(), world.running():
        yield Scene(world, Load([world.port("orders-0"), world.port("orders-1")], rate=8, seed=5), database, broker)


async def test_the_database_is_cut_off(scene: Scene) -> None:
    """Commands wait, or are repeated by the client under the same key; each is carried out once."""

    async def hurting() -> None:
        await asyncio.sleep(0.5)
        scene.database.cut()
        await asyncio.sleep(3)
        scene.database.heal()
        await asyncio.sleep(1)

    commands = await scene.survives(hurting())
    assert max(command.ended - command.invoked for command in commands) > 2  # it really was away
    assert commands[-1].outcome != "info"


async def test_the_database_is_slow(scene: Scene) -> None:
    """A tenth of a second more in each direction: later, and nothing else."""

    async def hurting() -> None:
        scene.database.slow(0.1)
        await asyncio.sleep(10)
        scene.database.heal()

    commands = await scene.survives(hurting())
    assert all(command.outcome != "info" for command in commands)
    assert statistics.median(command.ended - command.invoked for command in commands) > 0.4  # two round trips


async def test_the_database_swallows_what_it_is_sent(scene: Scene) -> None:
    """Answers that come seconds late are neither lost nor taken for new commands."""

    async def hurting() -> None:
        await asyncio.sleep(0.5)
        scene.database.blackhole()
        await asyncio.sleep(3)
        scene.database.heal()
        await asyncio.sleep(0.5)

    await scene.survives(hurting())


async def test_the_broker_is_frozen(scene: Scene) -> None:
    """Commands are answered as if nothing were the matter; their effects follow when the broker goes on."""

    async def hurting() -> None:
        scene.world.signal(BROKER, signal.SIGSTOP)
        await asyncio.sleep(6)
        scene.world.signal(BROKER, signal.SIGCONT)

    commands = await scene.survives(hurting())
    assert all(command.outcome != "info" and command.attempts == 1 for command in commands)


async def test_the_network_before_the_broker_fails(scene: Scene) -> None:
    """Cut, then open and silent: a send whose fate is unknown is sent again, and followers see it once."""

    async def hurting() -> None:
        await asyncio.sleep(0.5)
        scene.broker.cut()
        await asyncio.sleep(1.5)
        scene.broker.blackhole()
        await asyncio.sleep(1.5)
        scene.broker.heal()

    await scene.survives(hurting())


async def test_the_broker_is_killed_and_comes_back(scene: Scene) -> None:
    """What it acknowledged it still has, what it did not is sent again; commands never noticed."""
    killed = 0.0

    async def hurting() -> None:
        nonlocal killed
        await asyncio.sleep(1)
        killed = time.time()
        await scene.world.kill(BROKER)
        await asyncio.sleep(1)
        scene.world.start(BROKER)
        await scene.world.children[BROKER].wait_ready()

    commands = await scene.survives(hurting())
    while_away = [command for command in commands if command.invoked > killed]
    assert while_away
    assert all(command.attempts == 1 for command in while_away)
