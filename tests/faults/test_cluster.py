"""A cluster of three brokers loses leaders under load; `make faults-cluster` runs it."""

import asyncio
import time
from pathlib import Path

import pytest
from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from faults_world import sink
from faults_world.cluster import Cluster
from faults_world.load import Load
from faults_world.run import under, until_quiet, verdict
from faults_world.world import World

pytestmark = [pytest.mark.connected, pytest.mark.cluster, pytest.mark.timeout(400)]

LONGEST_SECONDS = 25.0  # until effects flow again, with the leader still dead


async def test_killed_leaders_lose_nothing_and_others_take_over(tmp_path: Path) -> None:
    """Replication 3, two in sync: with the leader dead effects go on, and nothing is lost, doubled or out of order."""
    world = World(tmp_path, cluster=Cluster.of_three(tmp_path))
    async with world.running():
        load = Load([world.port("orders-0"), world.port("orders-1")], rate=8, seed=6)
        waits: list[float] = []

        async def hurting() -> None:
            for topic in (MENTORSHIP, NOTICE, PROGRAMME):
                await asyncio.sleep(3)
                waits.append(await _kill_leader(world, load, topic.name))

        await under(load, hurting())
        await until_quiet(world)
        breaches, _ = await verdict(world, load)
    assert not breaches, str(breaches)
    assert all(command.outcome != "info" for command in load.history)
    assert max(waits) < LONGEST_SECONDS


async def _kill_leader(world: World, load: Load, topic: str) -> float:
    """Kill the leader of a partition, wait for new effects without it, start it again; seconds until the effects."""
    assert world.cluster is not None
    name = await world.cluster.leader(topic, 0)
    killed = time.time()
    await world.kill(name)
    async with asyncio.timeout(60):
        while not _new_effects(world, load, killed):
            await asyncio.sleep(0.1)
    wait = time.time() - killed
    world.start(name)
    await world.children[name].wait_ready()
    await asyncio.sleep(5)  # its copies catch up: two must be in sync when the next leader dies
    return wait


def _new_effects(world: World, load: Load, since: float) -> bool:
    """Every order has an effect of a command given after the kill, so every partition is led again."""
    given = {command.key: command for command in load.history}
    lines = [given[line.name.rpartition(".")[2]] for line in sink.read(world.sink)[0]]
    return len({command.order for command in lines if command.invoked > since}) >= 20
