"""The broker's side of consumer groups, and a member's connection as `chassis.consuming.consumer` sees aiokafka's.

Left out: protocol versions and epochs, incremental rebalancing, fetch sessions and partial fetches. A batch has one
record, so what is quarantined is a single record. A member that is dead or frozen leaves after the session timeout; one
with the name of another takes its place, and the other's commits are refused from then on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from fakes.log import MemoryLog, MemoryRecord

from simulation.loop import Owner, State

SESSION_SECONDS: Final = 15.0
REBALANCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_MOST: Final = 12  # records fetched together

Point = Callable[[str], Any]


class Listener(Protocol):
    """What `chassis.consuming.consumer` gives aiokafka for rebalances."""

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Partitions are taken away as soon as this returns."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Partitions have come."""


class Connection:
    """A member's aiokafka consumer."""

    def __init__(self, group: "GroupOnBroker", owner: Owner, point: Point, random: Random) -> None:
        self._client = self
        self.group = group
        self.owner = owner
        self.listener: Listener | None = None
        self.revoking = False
        self._point = point
        self._random = random
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._assigned: set[TopicPartition] = set()

    # --- what chassis.consuming.consumer calls -----------------------------------------------------------------------

    def assignment(self) -> set[TopicPartition]:
        """What this member believes to have."""
        return set(self._assigned)

    def pause(self, *partitions: TopicPartition) -> None:
        """Fetch nothing of these."""
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Fetch these again."""
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there."""
        if partition not in self._assigned:
            raise IllegalStateError(f"{partition} is not assigned")
        self._positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        """Where it goes on."""
        if partition not in self._assigned:
            raise IllegalStateError(f"{partition} is not assigned")
        return self._positions[partition]

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the partitions end."""
        await self._point(f"consumer.{self.group.name}.end_offsets.before")
        return {each: self.group.log.end(*each) for each in partitions}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Remember the offsets, unless another member has the partitions by now.

        Raises:
            CommitFailedError: it has.
        """
        await self._point(f"consumer.{self.group.name}.commit.before")
        if any(self.group.holders.get(partition) is not self for partition in offsets):
            raise CommitFailedError
        self.group.log.commit(self.group.name, {(each[0], each[1]): offset for each, offset in offsets.items()})
        await self._point(f"consumer.{self.group.name}.commit.after")

    # --- what FastStream calls ------------------------------------------------------------------------------------

    async def getmany(self) -> list[MemoryRecord]:
        """Some records of all partitions, in order within each; waits for the first."""
        while not (found := self._take()):
            await self.group.arrival(_POLL_SECONDS)
        await self._point(f"consumer.{self.group.name}.fetched.after")
        return found

    def _take(self) -> list[MemoryRecord]:
        if self.revoking:
            return []
        most = self._random.randint(1, _MOST)
        found: list[MemoryRecord] = []
        for partition in sorted(self._assigned - self._paused):
            start = self._positions[partition]
            if self.group.log.end(*partition) <= start:
                continue
            records = self.group.log.read(partition.topic, partition.partition, start, most)
            self._positions[partition] = records[-1].offset + 1 if records else self.group.log.end(*partition)
            found += records
        return found

    # --- what the group's coordinator calls ---------------------------------------------------------------------

    async def assign(self, partitions: set[TopicPartition]) -> None:
        """Hand over partitions: as with aiokafka, each begins at its committed offset, even one it had."""
        self._assigned = partitions
        self._paused, self.revoking = set(), False
        self._positions = {each: self.group.log.committed(self.group.name, *each) or 0 for each in partitions}
        if self.listener is not None:
            await self.listener.on_partitions_assigned(sorted(partitions))

    async def revoke(self) -> None:
        """Fetch nothing more, and finish what is in hand."""
        self.revoking = True
        if self.listener is not None:
            await self.listener.on_partitions_revoked(self.assignment())

    def lose(self) -> None:
        """Everything is taken away."""
        self._assigned = set()


@dataclass(slots=True)
class GroupOnBroker:
    """The coordinator of one group."""

    name: str
    topics: tuple[str, ...]
    log: "SimulatedLog"
    spawn: Callable[[Owner, Any], "asyncio.Task[Any]"]
    members: dict[str, Connection] = field(default_factory=dict)
    holders: dict[TopicPartition, Connection] = field(default_factory=dict)
    rewound: bool = False
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def arrival(self, seconds: float) -> None:
        """Until something was written, or a moment has passed."""
        await self.log.arrival(seconds)

    async def join(self, name: str, connection: Connection) -> None:
        """A member comes; one of the same name is no longer one."""
        self.members[name] = connection
        await self._rebalance()

    async def rewind(self) -> None:
        """Begin again with the first record."""
        self.rewound = True
        await self._rebalance()

    async def expire(self, name: str, connection: Connection) -> None:
        """The session timeout has passed for a member that was dead or frozen then."""
        if self.members.get(name) is connection and connection.owner.state is not State.RUNNING:
            del self.members[name]
            await self._rebalance()

    async def return_of(self, name: str, connection: Connection) -> None:
        """A member that was frozen hears that it is none any more, and joins anew."""
        if name not in self.members:
            connection.lose()
            await self.join(name, connection)

    async def _rebalance(self) -> None:
        async with self._busy:
            present = {name: each for name, each in self.members.items() if each.owner.state is State.RUNNING}
            drains = [self.spawn(each.owner, each.revoke()) for each in present.values()]
            if drains:
                await asyncio.wait(drains, timeout=REBALANCE_SECONDS)
            if self.rewound:
                self.rewound = False
                for topic in self.topics:
                    self.log.commit(self.name, {(topic, place): 0 for place in range(self.log.partitions(topic))})
            self._hand_out()

    def _hand_out(self) -> None:
        present = [each for _, each in sorted(self.members.items())]
        pool = [TopicPartition(topic, place) for topic in self.topics for place in range(self.log.partitions(topic))]
        shares: list[set[TopicPartition]] = [set() for _ in present]
        for place, partition in enumerate(pool):
            if present:
                shares[place % len(present)].add(partition)
        self.holders = {partition: each for each, share in zip(present, shares, strict=True) for partition in share}
        for each, share in zip(present, shares, strict=True):
            self.spawn(each.owner, _hand_over(each, share))


async def _hand_over(member: Connection, share: set[TopicPartition]) -> None:
    """In the member's own process: a dead one never hears of it, a frozen one later."""
    if {partition for partition, holder in member.group.holders.items() if holder is member} == share:
        await member.assign(share)


class SimulatedLog(MemoryLog):
    """A log that says when something comes."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[asyncio.Future[None]] = []

    def append(self, *args: Any, **options: Any) -> MemoryRecord:
        """Write one record, and wake those who wait for one."""
        record = super().append(*args, **options)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
        return record

    async def arrival(self, seconds: float) -> None:
        """Until something was written, or a moment has passed."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait([future], timeout=seconds)
