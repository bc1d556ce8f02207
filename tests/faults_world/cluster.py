"""Three brokers that keep three copies of everything and acknowledge with two of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from local import kafka
from local.ports import HOST, Ports, free_range
from local.processes import Child

COPIES: Final = 3
_THREE: Final = (
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.replication.factor",
    "default.replication.factor",
)
_TWO: Final = ("min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers, each on a range of ports of its own."""

    folder: Path
    ranges: tuple[Ports, ...]

    @classmethod
    def of_three(cls, folder: Path) -> "Cluster":
        """Three of them."""
        return cls(folder, tuple(free_range() for _ in range(COPIES)))

    @property
    def servers(self) -> str:
        """What clients connect to."""
        return ",".join(f"{HOST}:{ports.kafka}" for ports in self.ranges)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the processes; the first is node 1."""
        return tuple(f"broker-{number}" for number in range(1, len(self.ranges) + 1))

    def children(self) -> dict[str, Child]:
        """The processes, not started yet."""
        return {name: self._child(number) for number, name in enumerate(self.names, start=1)}

    def _child(self, number: int) -> Child:
        ports = self.ranges[number - 1]
        name = self.names[number - 1]
        properties = {
            "node.id": str(number),
            "controller.quorum.voters": ",".join(
                f"{each}@{HOST}:{others.controller}" for each, others in enumerate(self.ranges, start=1)
            ),
            "listeners": f"PLAINTEXT://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.kafka}",
            "unclean.leader.election.enable": "false",
            **dict.fromkeys(_THREE, str(COPIES)),
            **dict.fromkeys(_TWO, str(COPIES - 1)),
        }
        log = self.folder / "logs" / f"{name}.log"
        return kafka.node(name, self.folder / name, properties, log, ports.kafka)

    async def leader(self, topic: str, partition: int) -> str:
        """The process that leads a partition now."""
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self.servers, group_id=None)
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()  # aiokafka has no public way
            number: int = consumer._client.cluster.leader_for_partition(TopicPartition(topic, partition))
            return self.names[number - 1]
        finally:
            await consumer.stop()
