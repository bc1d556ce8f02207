"""How many complete accepts the whole system carries, and what they cost the database: `make accepts`.

Open loop: a click comes when its moment comes, whether or not earlier ones were answered, so waiting shows. Each is a
real one: HTTP through the gateway with the person's own session, an idempotency key, and its effect is what the other
side is told: `NoticeSent`, said once their inbox is stored. Both yeses of a pair are clicked, so half of the accepts
also take places on both sides. Rates rise until the effects no longer keep up: the last that did is the knee. In the
same run the database's own rate is taken: updates by `_id` through the same driver, sixteen at a time.
"""

import asyncio
import os
import random
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.ids import new_id
from chassis.settings import Settings
from chassis.state.mongo import connect
from chassis.web.identity import SESSION_COOKIE
from contracts.access import OPERATORS
from contracts.notifications import NoticeSent
from local import setup
from local.company import write_roster
from local.ports import free_range
from local.serving import fill
from local.stack import Stack
from profiles.settings import ProfilesSettings
from profiles.store import Store
from profiles.tokens import Tokens

from benchmarks.latency import percentile, writes

PEOPLE = 6000
RATES = (20, 40, 60, 80)
SECONDS = 6
SLOW_MS = 1000.0  # an effect's p99 beyond this is a queue, not a delay
AIM = 40


@dataclass(frozen=True, slots=True)
class Click:
    """One yes to give: whose session, which mentorship, and who then hears of it."""

    session: str
    mentorship: str
    hears: str
    kind: str


class Effects:
    """When whom was told what."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str, str], float] = {}

    def hear(self, event: Received[NoticeSent]) -> None:
        """Note the first time."""
        if event.data is not None:
            self.at.setdefault((event.data.thread, event.data.member, event.data.kind), time.perf_counter())


async def clicks(stack: Stack) -> list[Click]:
    """Both yeses of every open pair, the second ones well behind the first.

    A thousand people signing in one after the other would take longer than the measurement, so their sessions are
    signed by profiles' own code with its own keys; the services check each as they check any other.
    """
    where: dict[str, Any] = {
        "mongo": stack.environment["TURNABOUT_MONGO"],
        "public_url": stack.address,
        "instance": "accepts",
    }
    async with connect(Settings(**where), "matching") as database:
        found = await database.collection("mentorships").sweep({"status": "proposed"}, limit=20_000)
    people = sorted({raw[side] for raw in found for side in ("mentor", "mentee")})
    settings = ProfilesSettings(**where)
    async with connect(settings, "profiles") as database:
        store = Store.on(Delivery(settings, "profiles", database))
        tokens = Tokens(store, settings)
        members = [
            each
            for start in range(0, len(people), 100)
            for each in await store.present(settings.tenant, people[start : start + 100])
        ]
        sessions = {each.id: await tokens.session(each) for each in members}
    firsts = [Click(sessions[raw["mentor"]], raw["_id"], raw["mentee"], "answer-awaited") for raw in found]
    seconds = [Click(sessions[raw["mentee"]], raw["_id"], raw["mentor"], "match-accepted") for raw in found]
    order: list[Click] = []
    for start in range(0, len(found), 100):
        order += [*firsts[start : start + 100], *seconds[start : start + 100]]
    return order


async def offer(stack: Stack, todo: list[Click], rate: int, effects: Effects) -> tuple[list[float], list[float], int]:
    """Click at this rate; returns seconds to the answers, seconds to the effects, and how many clicks had no effect."""
    answers: list[float] = []
    started: dict[Click, float] = {}
    refused = 0
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=stack.address, timeout=30, limits=limits) as client:

        async def click(one: Click) -> None:
            nonlocal refused
            started[one] = time.perf_counter()
            headers = {"Idempotency-Key": str(uuid.uuid4()), "Origin": stack.address}
            headers["Cookie"] = f"{SESSION_COOKIE}={one.session}"
            answer = await client.post(f"/api/matching/v1/proposals/{one.mentorship}/accept", headers=headers)
            if answer.is_success:
                answers.append(time.perf_counter() - started[one])
            else:
                refused += 1
                del started[one]

        begin = time.perf_counter()
        tasks = []
        for number, one in enumerate(todo):
            await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(click(one)))
        await asyncio.gather(*tasks)
    await asyncio.sleep(3)
    keys = {one: (one.mentorship, one.hears, one.kind) for one in started}
    reached = [effects.at[keys[one]] - at for one, at in started.items() if keys[one] in effects.at]
    return answers, reached, refused + len(started) - len(reached)


def processor_time(stack: Stack) -> dict[str, float]:
    """Seconds of processor time so far of each process of the stack, its children included, and of the clients."""
    found = {"clients": sum(psutil.Process().cpu_times()[:2])}
    for child in stack.children:
        if child.process is not None:
            top = psutil.Process(child.process.pid)
            family = [top, *top.children(recursive=True)]
            found[child.name] = sum(sum(each.cpu_times()[:2]) for each in family)
    return found


def spent_by(before: dict[str, float], after: dict[str, float], accepts: int) -> str:
    """What each process worked for one accept, the busiest first."""
    each = {name: (after[name] - before.get(name, 0.0)) * 1000 / accepts for name in after}
    return ", ".join(f"{name} {spent:.1f}" for name, spent in sorted(each.items(), key=lambda item: -item[1]))


async def own_rate(stack: Stack) -> float:
    """Updates a second that the database itself does, by `_id` and version, from sixteen tasks for five seconds."""
    settings = Settings(mongo=stack.environment["TURNABOUT_MONGO"], database_prefix="accepts_", instance="accepts")
    done = 0
    async with connect(settings, "alone") as database:
        rows = database.collection("rows")
        await rows.insert_many([{"_id": f"{number}", "version": 0, "body": "x" * 1500} for number in range(2000)])
        until = time.perf_counter() + 5

        async def update() -> None:
            nonlocal done
            while time.perf_counter() < until:
                name = f"{random.randrange(2000)}"  # noqa: S311 - spreads the load
                changed = await rows.update({"_id": name}, {"$set": {"version": new_id()}})
                done += changed  # not in one line with the await: others count meanwhile

        begin = time.perf_counter()
        await asyncio.gather(*(update() for _ in range(16)))
        rate = done / (time.perf_counter() - begin)
        await database.drop()
    return rate


async def main() -> None:
    """Start, offer rising rates, print."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-accepts-") as folder:
        stack = Stack(Path(folder), free_range())
        roster = Path(folder) / "company.csv"
        write_roster(roster, people=PEOPLE, seed=5)
        try:
            await stack.start()
            server = stack.use_environment().name
            await fill(stack, roster)
            todo = await clicks(stack)
            await asyncio.sleep(20)  # mails of the first proposals go out; not what is measured
            print(f"{server}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {len(todo)} clicks")
            await rising(stack, todo)
        finally:
            await stack.stop()


async def rising(stack: Stack, todo: list[Click]) -> None:
    """Offer one rate after the other and print each, then the knee beside the database's own rate."""
    effects, knee, each, aim = Effects(), 0, 0.0, ""
    settings = stack.settings(OPERATORS)
    async with TopicReader(settings, [NoticeSent], effects.hear, from_now=True) as reader:
        await reader.caught_up()
        for rate in RATES:
            part, todo = todo[: rate * SECONDS], todo[rate * SECONDS :]
            if len(part) < rate * SECONDS:
                print("no open pairs are left")
                break
            before, worked = await writes(stack), processor_time(stack)
            answers, reached, missing = await offer(stack, part, rate, effects)
            spent = (await writes(stack) - before) / len(part)
            p50, p99 = percentile(reached, 0.5), percentile(reached, 0.99)
            answered = f"answer p50 {percentile(answers, 0.5):.0f} p99 {percentile(answers, 0.99):.0f} ms"
            print(f"{rate}/s: {answered}, effect p50 {p50:.0f} p99 {p99:.0f} ms, {spent:.1f} writes, {missing} without")
            print("  processor, ms an accept: " + spent_by(worked, processor_time(stack), len(part)))
            if rate == AIM:
                aim = f"{rate}/s effect p50 {p50:.0f} ms p99 {p99:.0f} ms"
            if missing or p99 > SLOW_MS:
                break
            knee, each = rate, spent
    alone = await own_rate(stack)
    share = knee * each / alone
    print(f"accepts: {aim}, knee {knee}/s, {each:.1f} writes an accept, {share:.2f} x the database's {alone:.0f}/s")


if __name__ == "__main__":
    asyncio.run(main())
