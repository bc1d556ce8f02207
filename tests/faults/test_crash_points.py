"""Every point of the fakes that a scene reaches, once as the place where a process dies and is built anew.

The scene: commands, a poisoned and two unreadable records, parking, a redrive. The points stand around each operation
on the database, each sending, fetching and committing; each is tried the first and the second time it is reached.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.hunt
def test_a_death_at_every_point_is_survived() -> None:
    """All are hit, nothing is lost or doubled; `pytest -s` lists them."""
    command = [sys.executable, "-m", "simulation", "--crash-points"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    print(done.stdout)  # noqa: T201 - the list
    assert done.returncode == 0, done.stderr
    found = re.search(r"^crash points: (\d+), (\d+) hit, (\d+) survived, \d+ s$", done.stdout, re.MULTILINE)
    assert found is not None
    points, hit, survived = map(int, found.groups())
    assert points == hit == survived
    assert points > 120, "the scene reaches less than it did"
