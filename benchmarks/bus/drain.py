"""The run over a backlog, seen from outside: load it, let it be folded, kill on the way, compare."""

import asyncio
import json
import statistics
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from local.places import ROOT

from benchmarks.bus import load
from benchmarks.bus.backlog import GROUP
from benchmarks.bus.servers import Servers

_KILL_AT = 0.1  # of the backlog; the survivor does the rest, and its memory is looked at
_MIB = 1024 * 1024


class Report(NamedTuple):
    """What a consumer says about itself."""

    seen: int  # events
    memory: int  # bytes
    at: float  # seconds
    alone: float  # seconds spent on the same writes alone


@dataclass(frozen=True, slots=True)
class Drained:
    """What came out."""

    events: int
    slope: float  # MiB per 100,000 events
    peak: float  # MiB
    rate: float  # events a second
    alone: float  # events a second of the same writes in the same minutes, with nothing else going on
    wrong: int
    foreign: int

    @property
    def share(self) -> float:
        """Of the database's own rate."""
        return self.rate / self.alone


async def drain(servers: Servers, events: int) -> Drained:
    """Fold a backlog of so many events."""
    events -= events % load.LIFE
    await load.send(servers.kafka, load.profiles(events))
    first = await _start("consume", servers, events)
    await _committed(servers.kafka, int(events * _KILL_AT))
    first.kill()
    await first.communicate()
    second = await _start("consume", servers, events)
    await _committed(servers.kafka, events)
    second.terminate()
    output, _ = await second.communicate()
    reports = [Report(*json.loads(line)) for line in output.decode().splitlines()]
    found, _ = await (await _start("effects", servers, events)).communicate()
    begin, end = reports[0], reports[-1]
    seen, alone = end.seen - begin.seen, end.alone - begin.alone
    rate = seen / (end.at - begin.at - alone)
    peak = max(each.memory for each in reports) / _MIB
    return Drained(events, _slope(reports), peak, rate, seen / alone, **json.loads(found))


def _slope(reports: list[Report]) -> float:
    """MiB per 100,000 events, by least squares, once the first fifth has filled pools and caches."""
    settled = [each for each in reports if each.seen >= reports[-1].seen / 5]
    line = statistics.linear_regression([each.seen for each in settled], [each.memory for each in settled])
    return line.slope * 100_000 / _MIB


async def _start(role: str, servers: Servers, events: int) -> Process:
    command = [sys.executable, "-m", "benchmarks.bus.backlog", role, servers.kafka, servers.mongo, str(events)]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)


async def _committed(kafka: str, least: int) -> int:
    """Wait until the group has committed so many events; returns how many it has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        while True:
            with suppress(GroupCoordinatorNotAvailableError):  # the first group of a broker
                offsets = await admin.list_consumer_group_offsets(GROUP)
                total: int = sum(each.offset for each in offsets.values())
                if total >= least:
                    return total
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
