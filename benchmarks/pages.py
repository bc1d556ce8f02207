"""A large organisation: how long its roster takes to the bus, and how long each page takes: `make bench-pages`.

Starts a whole stack of its own with a made-up company, then

- imports the roster as a customer does, until both topics hold everybody's newest state;
- runs the demo programme;
- asks for every page as the person for whom it is made, one request at a time, a warm-up first.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from contracts.access import OPERATORS
from contracts.topics import DIRECTORY, PROFILE
from local import people, setup
from local.company import write_roster
from local.ports import free_range
from local.screenshots import PICTURES, Picture
from local.serving import fill
from local.stack import Stack
from people_at_work import member
from topic_records import all_records

from benchmarks.latency import percentile

_TIMES = 40
_LOOK_SECONDS = 0.25
_LINK_END = re.compile(r"href\$='([^']+)'")


async def import_to_bus(stack: Stack, roster: Path, number: int) -> float:
    """Seconds from the command to the last of everybody's states on both topics."""
    begun = time.perf_counter()
    await stack.command("profiles", "import", str(roster))
    imported = time.perf_counter() - begun
    for topic in (PROFILE, DIRECTORY):
        while True:
            if len({each.key for each in await all_records(stack.settings(OPERATORS), topic)}) >= number:
                break
            await asyncio.sleep(_LOOK_SECONDS)
    print(f"import of {number} people: {imported:.1f} s, all on the bus after {time.perf_counter() - begun:.1f} s")
    return time.perf_counter() - begun


async def time_page(stack: Stack, picture: Picture, client: httpx.AsyncClient) -> tuple[list[float], int]:
    """Seconds of each request, and the bytes of the page."""
    path = await address_of(picture, client)
    seconds, size = [], 0
    for turn in range(_TIMES + 3):
        begun = time.perf_counter()
        answer = (await client.get(urljoin(stack.address, path))).raise_for_status()
        if turn > 2:  # noqa: PLR2004 - the first ones fill caches
            seconds.append(time.perf_counter() - begun)
        size = len(answer.content)
    return seconds, size


async def address_of(picture: Picture, client: httpx.AsyncClient) -> str:
    """Where the page is: behind a link, of the first programme, of their own where they lead one, and how links end."""
    if not picture.then:
        return picture.path
    programmes = (await client.get("/api/matching/v1/programmes")).raise_for_status().json()
    behind = "".join(_LINK_END.findall("".join(picture.then)))
    first = max(programmes, key=lambda each: bool(each["you_lead"]))
    return f"{picture.path}/{first['id']}{behind}"


async def measure(number: int) -> None:
    """Start, import, run, look at every page, print."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-pages-") as folder:
        stack, roster = Stack(Path(folder), free_range()), Path(folder) / "company.csv"
        write_roster(roster, people=number, seed=3)
        try:
            await stack.start()
            print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            seconds = await import_to_bus(stack, roster, number)
            people.remember(people.of_roster(roster), stack.state)
            await fill(stack, roster)
            worst, heaviest = 0.0, 0
            for picture in (each for each in PICTURES if each.status == HTTPStatus.OK and not each.upload):
                client = (await member(stack.address, picture.email)).client
                taken, size = await time_page(stack, picture, client)
                p95 = percentile(taken, 0.95)
                worst, heaviest = max(worst, p95), max(heaviest, size)
                print(f"{picture.name:<20} p50 {percentile(taken, 0.5):6.0f} ms  p95 {p95:6.0f} ms  {size:8} bytes")
                await client.aclose()
            print(f"pages of {number} people: import {seconds:.0f} s, p95 {worst:.0f} ms, {heaviest} bytes at most")
        finally:
            await stack.stop()


def main() -> None:
    """``--people N``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    asyncio.run(measure(parser.parse_args().people))


if __name__ == "__main__":
    main()
