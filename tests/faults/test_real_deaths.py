"""Forty points of real processes between reading and committing, each as the place where one dies at once.

The simulation dies at all of them (`test_crash_points`); here it is an operating system's process, with a real
database and broker on the other side of the sockets that it leaves behind.
"""

from pathlib import Path

import pytest
from faults_world import run
from faults_world.deaths import FORTY, DyingWorld, Phase, die
from faults_world.load import Load

pytestmark = [pytest.mark.connected, pytest.mark.hunt, pytest.mark.timeout(240)]


async def test_forty_real_deaths_are_survived(tmp_path: Path) -> None:
    """Each process ends by itself where it was told to; nothing is lost, doubled or illegal. `pytest -s` lists them."""
    world = DyingWorld(tmp_path)
    async with world.running():
        load = Load([world.port("orders-0"), world.port("orders-1")], rate=8, seed=6, orders=150)
        result = await die(world, load, FORTY)
    print(result)  # noqa: T201 - the list
    assert len(result.deaths) == 40
    assert all(death.hit for death in result.deaths), str(result)
    assert not result.breaches, str(result.breaches)
    assert not result.untried, "a write has come that nobody dies at: exchange a point for it"


async def test_a_bug_does_not_survive_its_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Committing first loses what the dead one had in hand; without a fence it is applied a second time."""
    monkeypatch.setattr(run, "QUIET_SECONDS", 10.0)  # what is lost never comes
    world = DyingWorld(tmp_path)
    async with world.running():
        load = Load([world.port("orders-0"), world.port("orders-1")], rate=8, seed=7)
        dying = Phase(
            {
                "parcels-0": ["Consumer._commit consumer.commit.after#1"],
                "parcels-1": ["Consumer._commit consumer.commit.before#1"],
            }
        )
        result = await die(world, load, [dying], {"parcels-0": "commit before handling", "parcels-1": "no fence"})
    assert all(death.hit for death in result.deaths), str(result)
    assert result.breaches.lost, "the early commit was not noticed"
    assert result.breaches.doubled, "the missing fence was not noticed"
    assert "Relay.clear parcels.update_all" in result.untried  # the short list leaves most writes out
