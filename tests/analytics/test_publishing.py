"""Whoever reads reports does not wait for those that take long to make."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from analytics.app import build
from analytics.progress import Progress
from analytics.publishing import Publisher
from analytics.settings import Settings
from analytics.store import Store

pytestmark = pytest.mark.connected


class Behind(Progress):
    """Consumers that have yet to read what their topics hold, until they are let."""

    def __init__(self) -> None:
        self.caught_up = asyncio.Event()
        self.asked: list[float] = []

    async def reached_now(self, *, seconds: float) -> bool:
        self.asked.append(seconds)
        await self.caught_up.wait()
        return True


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A fresh database."""
    settings = Settings(mongo=database, database_prefix=f"t{uuid.uuid4().hex[:12]}-", log_level="ERROR")
    async with build(settings).opened(relaying=False) as (delivery, opened):
        await delivery.migrate()
        yield opened


async def test_a_reader_sees_what_there_is_while_a_report_is_made(store: Store) -> None:
    """The making goes on behind them, once for however many readers; who comes later sees what came of it."""
    progress = Behind()
    publisher = Publisher(store, progress, k=5)
    async with asyncio.timeout(10):
        assert await publisher.reports("acme", patience=0.01) == []
        assert await publisher.reports("acme", patience=0.01) == []
        assert len(progress.asked) == 1
        progress.caught_up.set()
        assert await publisher.reports("acme") == []
    assert len(progress.asked) == 3  # each looks again after the one before: nothing was published, for nobody is there
