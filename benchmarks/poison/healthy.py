"""The healthy facts of one half: many keys, a steady rate. As a process, it prints when it begins and sends them."""

import asyncio
import sys
import time
from typing import Final

from aiokafka import AIOKafkaProducer
from contracts.topics import NOTICE

from benchmarks.bus.load import identifier
from benchmarks.poison.kinds import Poison, sound

RATE: Final = 100  # facts a second
SECONDS: Final = 20
KEYS: Final = 300
NEIGHBOURS: Final = 20  # of the keys; poison without a readable envelope comes under these


def keys(name: str) -> list[str]:
    """The same keys for the same half in every process."""
    return [identifier(f"healthy-{name}", number) for number in range(KEYS)]


def notice(name: str, number: int) -> str:
    """Names one fact."""
    return f"{name}-{number}"


def facts(name: str, count: int) -> list[Poison]:
    """In order per key, each key's spread over the whole."""
    names = keys(name)
    return [sound(names[number % KEYS], number // KEYS + 1, notice(name, number)) for number in range(count)]


async def main(kafka: str, name: str) -> None:
    """Send each fact when its moment comes."""
    records = facts(name, RATE * SECONDS)
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        await producer.partitions_for(NOTICE.name)
        begin = time.monotonic() + 0.5
        print(begin, flush=True)
        acknowledgements = []
        for number, record in enumerate(records):
            await asyncio.sleep(max(0.0, begin + number / RATE - time.monotonic()))
            sending = producer.send(NOTICE.name, record.value, key=record.key, headers=list(record.headers))
            acknowledgements.append(await sending)
        await asyncio.gather(*acknowledgements)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
