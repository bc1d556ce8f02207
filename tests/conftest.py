"""Real servers for the tests: each is started here, on free ports, and stopped at the end."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded_broker import Guarded
from local import database as database_server
from local import kafka as broker
from local import setup
from local.access import Users
from local.ports import Ports, free_range
from local.processes import running
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/journeys/", "tests/notifications/")
FIRST = ("tests/journeys/", "tests/faults/", "tests/history/", "tests/local/", "tests/notifications/")


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # ships no types
    """A file belongs to one process, which runs it in order; so does a folder whose files share a stack or service."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), str(super()._split_scope(nodeid)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How `pytest -n` shares the tests out: in the order of their files, whatever the number of tests in them."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts stacks of its own comes first, so that no process is left with it when the others are done.

    Notifications come before other tests fill their topics, all of which the service would read.
    """
    items.sort(key=lambda item: next((at for at, each in enumerate(FIRST) if item.nodeid.startswith(each)), len(FIRST)))


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """A folder for the servers' files."""
    folder = Path(tempfile.mkdtemp(prefix="turnabout-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ports() -> Ports:
    """A free range of ports."""
    return free_range()


@pytest.fixture(scope="session")
async def kafka(state: Path, ports: Ports) -> AsyncIterator[str]:
    """Bootstrap servers of a real Kafka that has the contract's topics."""
    setup.prepare()
    child = await asyncio.to_thread(broker.child, state, ports)
    async with running(child):
        await broker.create_topics(broker.client(ports.kafka))
        yield broker.bootstrap(ports)


@pytest.fixture(scope="session")
async def guarded() -> AsyncIterator[Guarded]:
    """A real Kafka that asks for passwords and refuses what it was not told to allow, a restricted topic included."""
    setup.prepare()
    own_ports, users = free_range(), Users.made()
    with tempfile.TemporaryDirectory(prefix="turnabout-guarded-") as folder:
        async with running(await asyncio.to_thread(broker.child, Path(folder), own_ports, users=users)):
            yield await Guarded.opened(own_ports, users)


@pytest.fixture(scope="session")
async def database(state: Path, ports: Ports) -> AsyncIterator[str]:
    """Connection string of a real database server."""
    chosen = database_server.choose(state, ports)
    if chosen.child is None:
        yield chosen.uri
        return
    async with running(chosen.child):
        yield chosen.uri
