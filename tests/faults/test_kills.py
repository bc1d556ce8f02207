"""Twenty kills at random, over all services, the broker and the database, under load."""

from pathlib import Path

import pytest
from faults_world.faults import Faults
from faults_world.load import Load
from faults_world.run import run
from faults_world.world import World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

KILLS = 20


async def test_whatever_is_killed_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    """After 20 `kill -9` every answered command has its facts, documents and effect once, in order."""
    world = World(tmp_path)
    async with world.running():
        load = Load([world.port("orders-0"), world.port("orders-1")], rate=8, seed=4)
        result = await run(Faults(world, KILLS, seed=4), load, healed=False)
    assert len(result.kills) == KILLS
    assert len({kill.name for kill in result.kills}) >= 5  # the seed reaches the broker and all but one service
    assert sum(command.outcome == "ok" for command in result.commands) > 100
    assert not result.breaches, str(result.breaches)
