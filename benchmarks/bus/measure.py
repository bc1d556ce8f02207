"""One round of one measurement in a process of its own: prints its figures as one line of JSON."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.bus.consumers import CONSUMERS
from benchmarks.bus.meter import Addresses, Meter
from benchmarks.bus.producers import PRODUCERS
from benchmarks.bus.relay import whole_relay

MEASUREMENTS: dict[str, Callable[[Addresses, Meter], Awaitable[None]]] = {
    **CONSUMERS,
    **PRODUCERS,
    "whole-relay": whole_relay,
}


async def _main(arguments: argparse.Namespace) -> None:
    meter = Meter(arguments.warm, arguments.count)
    await MEASUREMENTS[arguments.name](Addresses(arguments.kafka, arguments.mongo), meter)
    if meter.figures is None:
        raise SystemExit(f"{arguments.name} ended before its last event")
    print(meter.figures.to_json())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=MEASUREMENTS)
    parser.add_argument("kafka")
    parser.add_argument("mongo")
    parser.add_argument("warm", type=int)
    parser.add_argument("count", type=int)
    asyncio.run(_main(parser.parse_args()))
