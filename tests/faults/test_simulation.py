"""Delivery in a simulated world: seeds find nothing, a seed is its own replay, and planted bugs are found.

Each runs in processes of its own, whose hashes are pinned: a seed means the same there as on the command line.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from simulation.campaign import BUGS

_TESTS = Path(__file__).parent.parent


def _simulation(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulation", *arguments]
    environment = os.environ | {"PYTHONPATH": str(_TESTS), "PYTHONHASHSEED": "0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)


def test_two_hundred_seeds_find_nothing() -> None:
    """Crashes, zombies, outages, poison, redelivery: nothing lost, doubled, out of order, or never settled."""
    done = _simulation("--seeds", "200")
    print(done.stdout)  # noqa: T201 - a failing seed's witness and replay
    assert done.returncode == 0, done.stderr
    assert re.search(r"^simulate: 200 seeds, 0 breaches, \d+ s$", done.stdout, re.MULTILINE)


def test_a_seed_replays_exactly() -> None:
    """Two processes tell the same history of seed 8, byte for byte; seed 9 has another one."""
    one, two, other = (_simulation("--seed", seed) for seed in ("8", "8", "9"))
    assert one.stdout == two.stdout
    assert len(one.stdout.splitlines()) > 300
    assert one.stdout != other.stdout


@cache
def _hunt() -> str:
    return _simulation("--planted", "all").stdout


@pytest.mark.hunt
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str) -> None:
    """Within its number of seeds, at most 200."""
    line = next(line for line in _hunt().splitlines() if line.startswith(f"{name}: "))
    print(line)  # noqa: T201 - which seed caught it, and by what
    assert line.startswith(f"{name}: seed ")
