"""One running process for the connected tests; each test is a tenant of its own."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from notification_desk import Desk, a_desk
from notification_facts import Pair
from notification_stage import Stage, a_stage, eventually


@pytest.fixture(scope="session")
async def stage(kafka: str, database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A process that is not started yet, on a fresh database."""
    async with a_stage(kafka, database, tmp_path_factory.mktemp("notifications")) as prepared:
        yield prepared


@pytest.fixture
async def running(stage: Stage) -> Stage:
    """A process that is ready, for a tenant of this test's own."""
    if not stage.alive:
        await stage.start()
        await _caught_up(stage)
    stage.tenant = f"t-{uuid.uuid4().hex[:8]}"
    stage.records.clear()
    return stage


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A process whose work the test does, on a fresh database."""
    async with a_desk(database, tmp_path) as prepared:
        yield prepared


async def _caught_up(stage: Stage) -> None:
    """Wait until the process has read what others left on the topic, which may be thousands of records."""
    stage.tenant = f"t-{uuid.uuid4().hex[:8]}"
    pair = Pair(stage.somebody("Ada Early"), stage.somebody("Ben Early"))
    await stage.say(pair.proposed)

    async def told() -> bool:
        return len(await stage.notices(pair.mentee)) == 1

    await eventually(told, seconds=90)
