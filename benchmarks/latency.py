"""How fast what one person does reaches another: `make latency`.

Starts a whole stack of its own with a made-up company, then, one at a time:

- accept → inbox: from sending the first yes until the partner's open inbox page has been woken and has fetched the
  list that shows the notice;
- profile → inbox: from saving a profile that enrols somebody until the notice that proposes them is in a partner's
  inbox, seen as `NoticeSent`, which is said after the inbox is stored;
- database writes of one completing accept, over all services, as the difference of two scrapes of their metrics.
"""

import asyncio
import csv
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from contracts.access import OPERATORS
from contracts.notifications import NoticeSent
from local import setup
from local.company import write_roster
from local.ports import HOST, free_range
from local.serving import fill
from local.stack import Stack
from people_at_work import Member, emails_by_member, member, roster_emails

PEOPLE = 1200
ACCEPTS = 200
PROFILES = 100
_WRITES = re.compile(r'turnabout_database_writes_total\{collection="([^"]+)"\} ([0-9.e+]+)')


async def accept_to_inbox(mentor: Member, mentee: Member, mentorship: str) -> float:
    """Seconds from the click to the other's refreshed page."""
    woken = asyncio.Event()
    opened = asyncio.Event()

    async def open_page() -> None:
        async with mentee.client.stream("GET", "/inbox/events", timeout=60) as stream:
            opened.set()
            async for line in stream.aiter_lines():
                if line.startswith("event:"):
                    woken.set()

    page = asyncio.create_task(open_page())
    try:
        await asyncio.wait_for(opened.wait(), 10)
        await asyncio.sleep(0.05)
        before = (await mentee.client.get("/inbox/list")).text
        woken.clear()
        start = time.perf_counter()
        clicked = asyncio.create_task(mentor.accept(mentorship))
        while True:
            await asyncio.wait_for(woken.wait(), 20)
            woken.clear()
            if (await mentee.client.get("/inbox/list")).text != before:
                break
        seconds = time.perf_counter() - start
        await clicked
        return seconds
    finally:
        page.cancel()
        await asyncio.gather(page, return_exceptions=True)


async def writes(stack: Stack) -> float:
    """Database writes so far of all services, heartbeats aside."""
    total = 0.0
    async with httpx.AsyncClient() as client:
        for role in stack.roles():
            text = (await client.get(f"http://{HOST}:{role.port}/metrics")).text
            total += sum(float(count) for name, count in _WRITES.findall(text) if name != "instances")
    return total


async def writes_of(stack: Stack, action: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """Database writes that an action causes anywhere, until three quiet seconds later."""
    await asyncio.sleep(3)
    before = await writes(stack)
    await action()
    await asyncio.sleep(3)
    return await writes(stack) - before


async def measure_accepts(stack: Stack, emails: dict[str, str]) -> tuple[list[float], float]:
    """Seconds of each first yes, and the writes of one completing yes."""
    found: list[float] = []
    counted = 0.0
    used: set[str] = set()
    for email in emails.values():
        if len(found) == ACCEPTS:
            break
        mentor = await member(stack.address, email)
        for pair in await mentor.proposals():
            partner = pair["mentee"]
            if pair["you"] != "mentor" or pair["status"] != "proposed" or partner in used or len(found) == ACCEPTS:
                continue
            used.add(partner)
            mentee = await member(stack.address, emails[partner])
            found.append(await accept_to_inbox(mentor, mentee, pair["id"]))
            if not counted:
                counted = await writes_of(stack, lambda mentee=mentee, pair=pair: mentee.accept(pair["id"]))  # type: ignore[misc]
            await mentee.client.aclose()
        await mentor.client.aclose()
    return found, counted


class Notices:
    """When each of the two that a proposal is about was told of it."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, float]] = {}
        self._news = asyncio.Event()

    def hear(self, event: Received[NoticeSent]) -> None:
        """Remember who was told of which proposal, and when."""
        if event.data is not None and event.data.kind == "match-proposed":
            self._told.setdefault(event.data.thread, {})[event.data.member] = time.perf_counter()
            self._news.set()

    async def of_partner(self, member: str) -> float:
        """When the first partner of a member was told. Others are told as well meanwhile, for reasons of their own."""
        while True:
            self._news.clear()
            for told in self._told.values():
                if member in told and len(told) > 1:
                    return min(at for each, at in told.items() if each != member)
            await self._news.wait()


async def measure_profiles(stack: Stack, emails: Sequence[str]) -> list[float]:
    """Seconds from each profile that is saved to the partner's inbox, for those whom a proposal results for."""
    notices = Notices()
    settings = stack.settings(OPERATORS)
    found: list[float] = []
    async with TopicReader(settings, [NoticeSent], notices.hear, from_now=True) as reader:
        await reader.caught_up()
        for email in emails:
            if len(found) == PROFILES:
                break
            senior = await member(stack.address, email)
            answer = (await senior.client.get("/api/profiles/v1/me")).raise_for_status()
            change = {
                "enrolled": True,
                "open_to_mentor": False,
                "open_to_be_mentored": True,
                "seeks": ["ai-tools", "social-media", "data-literacy", "creator-economy", "generations"],
                "mentee_capacity": 1,
            }
            start = time.perf_counter()
            saved = await senior.client.patch(
                "/api/profiles/v1/me", json=change, headers={"If-Match": answer.headers["ETag"]}
            )
            saved.raise_for_status()
            try:
                async with asyncio.timeout(2):
                    found.append(await notices.of_partner(senior.id) - start)
            except TimeoutError:
                pass  # nobody is free for this person
            await senior.client.aclose()
    return found


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies, nearest rank, in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else float("nan")


def shown(values: list[float]) -> str:
    """p50 and p99 as the last line has them."""
    median = 1000 * statistics.median(values) if values else float("nan")
    return f"p50 {median:.0f} ms p99 {percentile(values, 0.99):.0f} ms"


async def main() -> None:
    """Start, measure, print."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-latency-") as folder:
        stack = Stack(Path(folder), free_range())
        roster = Path(folder) / "company.csv"
        write_roster(roster, people=PEOPLE, seed=2)
        try:
            await stack.start()
            await fill(stack, roster)
            await asyncio.sleep(10)  # mails of the first proposals go out; not what is measured
            addresses = roster_emails(roster)
            emails = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], addresses)
            print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {PEOPLE} people")
            accepts, counted = await measure_accepts(stack, emails)
            print(f"accept → inbox, {len(accepts)} accepts: {shown(accepts)}")
            # Mentees are few, so whoever joins as one finds a mentor; the most senior are first in the roster.
            with roster.open(newline="") as rows:
                idle = [row["email"] for row in csv.DictReader(rows) if row["enrolled"] == "no"]
            profiles = await measure_profiles(stack, idle)
            print(f"profile → inbox, {len(profiles)} proposals: {shown(profiles)}")
            both = f"profile→inbox {shown(profiles)}, accept→inbox {shown(accepts)}"
            print(f"latency: {both}, {counted:.0f} writes an accept")
        finally:
            await stack.stop()


if __name__ == "__main__":
    asyncio.run(main())
