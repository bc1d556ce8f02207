"""A company whose rehearsal is known beforehand."""

from pathlib import Path

import pytest
from rehearsal_stage import Stage, junior, senior


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Ann offers cloud and Bob fintech; Eve and Fay seek these, and Gus what nobody offers."""
    stage = Stage(tmp_path)
    stage.write(
        junior("ann", waiting_days="5"),
        junior("bob", "fintech"),
        senior("eve", waiting_days="10"),
        senior("fay", "fintech;cloud", waiting_days="30"),
        senior("gus", "wellbeing", waiting_days="90"),
    )
    return stage
