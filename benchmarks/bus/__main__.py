"""`python -m benchmarks.bus`: all of it, and one line at the end."""

import argparse
import asyncio
import json
import os
import platform
import sys
from importlib.metadata import version

from benchmarks.bus import load, rounds
from benchmarks.bus.drain import Drained, drain
from benchmarks.bus.frameworks import PEERS, PeerError, environment
from benchmarks.bus.meter import Summary
from benchmarks.bus.rounds import Measurement, ours
from benchmarks.bus.servers import Servers, create_topics, started

RAW, BATCH, LANES = "raw aiokafka, same guarantee", "chassis, batch handler", "chassis, handler in lanes by key"
STOCK = "FastStream, single, acknowledged"
SEND, RELAY = "aiokafka send(), gathered", "the relay's step"


async def consuming(servers: Servers, times: int) -> dict[str, Summary]:
    """The consumers, beside peers."""
    await load.send(servers.kafka, load.proposals(130_000, 5_000))
    where = [servers.kafka, servers.mongo]
    fast, middle, slow = ["20000", "100000"], ["5000", "40000"], ["500", "4000"]
    measurements = [
        ours(RAW, "raw", [*where, *fast]),
        ours("the same, collecting garbage as rarely", "raw-tuned", [*where, *fast]),
        ours(BATCH, "chassis-batch", [*where, *fast]),
        ours(LANES, "chassis-lanes", [*where, *fast]),
        ours("chassis, lanes, a span for each event", "chassis-lanes-traced", [*where, *middle]),
        ours("FastStream, batch, acknowledged", "stock-batch", [*where, *middle]),
        ours("FastStream, single, default policy", "stock-single-default", [*where, "1000", "15000"]),
        ours(STOCK, "stock-single", [*where, *slow]),
    ]
    for peer in PEERS:
        try:
            name = f"{peer.name} {await peer.prepare()}"
        except PeerError as error:
            print(f"{peer.name} does not take part: {error}")
            continue
        command = peer.command(servers.kafka, load.PROPOSALS, "2000", "20000")
        # Peers make folders where they work, Faust one for each application; this one is gone afterwards.
        measurements.append(Measurement(name, command, environment(), servers.folder))
    return await rounds.run(measurements, times)


async def producing(servers: Servers, times: int) -> dict[str, Summary]:
    """The producers; each checks the order of what it wrote."""
    where = [servers.kafka, servers.mongo]
    measurements = [
        ours(SEND, "send", [*where, "5000", "50000"]),
        ours(RELAY, "relay-step", [*where, "5000", "50000"]),
        ours("aiokafka send_and_wait(), one by one", "send-and-wait", [*where, "100", "2000"]),
        ours("the whole relay, documents included", "whole-relay", [*where, "0", "10000"]),
    ]
    return await rounds.run(measurements, times)


async def transactions(servers: Servers) -> None:
    """The stricter producer."""
    found = json.loads(await rounds.answer([sys.executable, "-m", "benchmarks.bus.transactions", servers.kafka]))
    print("\nA transactional id per instance, beside the idempotent producer")
    for name, (cpu, rate) in found["costs"].items():
        print(f"{name:<44} {cpu:8.1f} µs an event {rate:10,.0f} ev/s")
    for name, (middle, late) in found["waits"].items():
        print(f"{name + ', send → consumer':<44} p50 {middle:5.1f} ms p99 {late:6.1f} ms")
    print(f"{'a late send of a fenced instance is refused':<44} {'yes' if found['fenced'] else 'NO'}", flush=True)


def backlog_lines(drained: Drained) -> None:
    """Print the backlog's figures."""
    print(f"\nA backlog of {drained.events:,} events folded into the database, one consumer killed on the way")
    print(f"rows wrong {drained.wrong}, foreign {drained.foreign}")
    print(f"memory {drained.slope:+.2f} MiB per 100,000 events, peak {drained.peak:.0f} MiB")
    print(f"{drained.rate:,.0f} ev/s; the same writes alone {drained.alone:,.0f} ev/s; share {drained.share:.2f}")
    print(f"load average {os.getloadavg()[0]:.1f}")


async def main(times: int, events: int) -> None:
    """Start, measure, print."""
    async with started() as servers:
        await create_topics(servers.kafka, [load.PROPOSALS, load.PROFILES], load.PARTITIONS)
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {servers.database_name}", end=", ")
        print(", ".join(f"{name} {number}" for name, number in versions().items()), flush=True)
        consumed = await consuming(servers, times)
        rounds.table("Consuming, CPU of the process an event", consumed, RAW)
        produced = await producing(servers, times)
        rounds.table("Producing, CPU of the process an event; order per key read back", produced, SEND)
        await transactions(servers)
        drained = await drain(servers, events)
        backlog_lines(drained)
    raw, cheaper = consumed[RAW], consumed[LANES].least
    print(
        f"bench-bus: consume {consumed[BATCH].times(raw):.2f}x raw (lanes {consumed[LANES].times(raw):.2f}x), "
        f"{consumed[STOCK].least / cheaper:.0f}x cheaper than stock; "
        f"relay {produced[SEND].times(produced[RELAY]):.1f}x send; backlog slope {drained.slope:.2f} MiB/100k"
    )


def versions() -> dict[str, str]:
    """What was measured."""
    libraries = ("aiokafka", "faststream", "pydantic")
    return {"Python": platform.python_version(), **{name: version(name) for name in libraries}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench-bus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000, help="length of the backlog")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.events))
