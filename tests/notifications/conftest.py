"""One running process for the connected tests; each test is a tenant of its own."""

import uuid
from collections.abc import AsyncIterator

import pytest
from notification_stage import Stage, a_stage


@pytest.fixture(scope="session")
async def stage(kafka: str, database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A process that is not started yet, on a fresh database."""
    async with a_stage(kafka, database, tmp_path_factory.mktemp("notifications")) as prepared:
        yield prepared


@pytest.fixture
async def running(stage: Stage) -> Stage:
    """A process that is ready, for a tenant of this test's own."""
    stage.tenant = f"t-{uuid.uuid4().hex[:8]}"
    stage.records.clear()
    if not stage.alive:
        await stage.start()
    return stage
