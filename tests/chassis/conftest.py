"""The three databases that one specification holds for."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import pytest
from chassis.settings import Settings
from chassis.state.mongo import Collection, connect
from database_stage import Stage
from fakes.database import MemoryDatabase
from local import database as database_server
from local.ports import Ports
from pymongo.errors import ServerSelectionTimeoutError

CLOSED_PORT = "mongodb://127.0.0.1:9/?retryWrites=false"


async def _others_run(_: str) -> None:
    """Between asking a server and its answer everybody else has a turn."""
    await asyncio.sleep(0)


async def _away(_: str) -> None:
    raise ServerSelectionTimeoutError


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def stage(request: pytest.FixtureRequest, database: str, state: Path, ports: Ports) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield Stage(MemoryDatabase(point=_others_run), MemoryDatabase(point=_away), "memory")
        return
    driver: Literal["motor", "pymongo"] = request.param
    prefix = f"t{uuid.uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        there = Settings(mongo=database, driver=driver, database_prefix=prefix)
        gone = Settings(mongo=CLOSED_PORT, driver=driver, database_prefix=prefix)
        opened = await stack.enter_async_context(connect(there, "contract"))
        unreachable = await stack.enter_async_context(connect(gone, "contract"))
        yield Stage(opened, unreachable, database_server.choose(state, ports).name)
        await opened.drop()


@pytest.fixture
def people(stage: Stage) -> Collection:
    return stage.database.collection("people")
