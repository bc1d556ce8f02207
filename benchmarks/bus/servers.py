"""The real broker and the real database for one run, in a folder that is gone afterwards."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from local import database, setup
from local import kafka as kafka_server
from local.ports import free_range
from local.processes import Child, running


@dataclass(frozen=True, slots=True)
class Servers:
    """What to connect to."""

    kafka: str
    mongo: str
    database_name: str
    broker: Child
    folder: Path


async def create_topics(kafka: str, names: Sequence[str], partitions: int) -> None:
    """Create topics that keep everything for the time of the run."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
    finally:
        await admin.close()


@asynccontextmanager
async def started() -> AsyncIterator[Servers]:
    """Start both, stop both."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-bench-bus-") as name:
        folder, ports = Path(name), free_range()
        async with AsyncExitStack() as stack:
            broker = await asyncio.to_thread(kafka_server.child, folder, ports)
            await stack.enter_async_context(running(broker))
            chosen = database.choose(folder, ports)
            if chosen.child is not None:
                await stack.enter_async_context(running(chosen.child))
            yield Servers(kafka_server.bootstrap(ports), chosen.uri, chosen.name, broker, folder)
