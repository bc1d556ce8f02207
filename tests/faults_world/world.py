"""Servers and services of one faults world, and the ways to hurt each of them."""

import asyncio
import http.client
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.app import Service
from chassis.settings import Settings
from contracts.topics import DEAD_SETTINGS, MENTORSHIP, NOTICE, PROGRAMME
from local import database, kafka, setup
from local.ports import HOST, Ports, free_range
from local.processes import Child
from pymongo import MongoClient

from faults_world import letters, orders, parcels
from faults_world.cluster import COPIES, Cluster

TESTS: Final = Path(__file__).parent.parent
BROKER: Final = "broker"
DATABASE: Final = "database"
STOCK: Final = "stock"
GROUPS: Final = {MENTORSHIP: "parcels.orders", NOTICE: "letters.notices"}
_SERVICES: Final[dict[str, Callable[[Settings], Service[Any]]]] = {
    "orders": orders.service,
    "parcels": parcels.service,
    "letters": lambda settings: letters.service(settings, Path(os.devnull)),
}
INSTANCES: Final = ("orders-0", "orders-1", "parcels-0", "parcels-1", "letters-0")


@dataclass(slots=True)
class World:
    """Everything that runs. `through_kafka` and `through_mongo` are ports of proxies, if there are any."""

    folder: Path
    ports: Ports = field(default_factory=free_range)
    through_kafka: int | None = None
    through_mongo: int | None = None
    cluster: Cluster | None = None
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def sink(self) -> Path:
        """Where the effects stand."""
        return self.folder / "effects.jsonl"

    @property
    def stock_sink(self) -> Path:
        """Where those of the stock consumer stand."""
        return self.folder / "stock.jsonl"

    @property
    def kafka(self) -> str:
        """What clients connect to."""
        if self.cluster is not None:
            return self.cluster.servers
        return f"{HOST}:{self.through_kafka or self.ports.kafka}"

    @property
    def mongo(self) -> str:
        """What services connect to: this address alone, for the server tells its own, past the proxy."""
        return f"mongodb://{HOST}:{self.through_mongo or self.ports.database}/?{database.OPTIONS}&directConnection=true"

    @property
    def mongo_direct(self) -> str:
        """What checks connect to."""
        return f"mongodb://{HOST}:{self.ports.database}/?{database.OPTIONS}"

    def port(self, instance: str) -> int:
        """The HTTP port of a service process."""
        return self.ports.gateway + 1 + INSTANCES.index(instance)

    @asynccontextmanager
    async def running(self, *, stock: bool = False) -> AsyncIterator["World"]:
        """Start the servers and the services; stop what is left of them at the end."""
        try:
            await self._servers()
            await asyncio.gather(
                *(_migrate(make(self.settings(f"{name}-migrate"))) for name, make in _SERVICES.items())
            )
            for instance in INSTANCES:
                self.start(instance)
            if stock:
                self.start(STOCK)
            await asyncio.gather(*(self.children[each].wait_ready() for each in INSTANCES))
            yield self
        finally:
            await self._stop()

    async def _servers(self) -> None:
        setup.prepare()
        chosen = database.choose(self.folder, self.ports)
        if chosen.child is None:
            raise RuntimeError("this world kills the database that it starts; run it without MONGO_URI")
        self.children[DATABASE] = chosen.child
        if self.cluster is not None:
            self.children |= await asyncio.to_thread(self.cluster.children)
        else:
            self.children[BROKER] = await asyncio.to_thread(
                kafka.child, self.folder, self.ports, advertised=self.through_kafka
            )
        servers = [*self.children.values()]
        for child in servers:
            child.start()
        await asyncio.gather(*(child.wait_ready() for child in servers))
        await create_topics(self.kafka, copies=COPIES if self.cluster else 1)

    async def _stop(self) -> None:
        services = [child for name, child in self.children.items() if name in {*INSTANCES, STOCK}]
        for group in (services, [child for child in self.children.values() if child not in services]):
            for child in group:
                if child.exit_code is None and child.process is not None:
                    child.process.send_signal(signal.SIGCONT)
                child.ask_to_stop()
            await asyncio.gather(*(child.wait_stopped() for child in group))

    def start(self, name: str) -> None:
        """Start a process that is not running; the first time, settle what it is."""
        if name not in self.children:
            self.children[name] = self._child(name)
        self.children[name].start()

    def _child(self, name: str) -> Child:
        environment = {
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
            "TURNABOUT_KAFKA": self.kafka,
            "TURNABOUT_MONGO": self.mongo,
            "TURNABOUT_DATABASE_PREFIX": "faults-",
            "TURNABOUT_INSTANCE": name,
        }
        log = self.folder / "logs" / f"{name}.log"
        if name == STOCK:
            module, environment["FAULTS_SINK"] = "faults_world.stock", str(self.stock_sink)
            return Child(name, [sys.executable, "-m", module], log, lambda: True, environment)
        port = self.port(name)
        environment |= {"TURNABOUT_PORT": str(port), "FAULTS_SINK": str(self.sink)}
        module = f"faults_world.{name.partition('-')[0]}"
        return Child(name, [sys.executable, "-m", module], log, lambda: answers(port), environment)

    def settings(self, command: str) -> Settings:
        """Of a command that runs beside the services, past any proxy of the database."""
        return Settings(kafka=self.kafka, mongo=self.mongo_direct, database_prefix="faults-", instance=command)

    # --- what can be done to a process ------------------------------------------------------------------------

    async def kill(self, name: str) -> None:
        """End it with -9, frozen or not."""
        await self.children[name].kill()

    def signal(self, name: str, number: signal.Signals) -> None:
        """SIGSTOP freezes it, SIGCONT lets it go on; nothing happens to a dead one."""
        child = self.children[name]
        if child.process is not None and child.exit_code is None:
            child.process.send_signal(number)

    def documents(self, service: str, name: str) -> list[dict[str, Any]]:
        """All documents of one collection, read past any proxy."""
        client: MongoClient[dict[str, Any]] = MongoClient(self.mongo_direct, serverSelectionTimeoutMS=5000)
        with closing(client):
            return list(client[f"faults-{service}"][name].find({}))


async def _migrate(service: Service[Any]) -> None:
    async with service.opened(relaying=False) as (delivery, _):
        await delivery.migrate()


def answers(port: int) -> bool:
    """The process behind the port is ready."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


async def create_topics(servers: str, *, copies: int = 1) -> None:
    """The topics of this world and their dead-letter topics."""
    topics = [
        NewTopic(each.name, kafka.PARTITIONS, copies, topic_configs=each.settings()) for each in (*GROUPS, PROGRAMME)
    ]
    topics += [NewTopic(each.dead(group), 1, copies, topic_configs=DEAD_SETTINGS) for each, group in GROUPS.items()]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics(topics)
    finally:
        await admin.close()
