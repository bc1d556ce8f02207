"""The engine role on the real broker and database: runs, and answers to one person's change."""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from contracts.envelope import Envelope, Event
from contracts.matching import Side, Status
from matching.app import compose_api, compose_engine
from matching.commands import Commands, queue_run
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.run import ACTIVE, RunState
from matching.engine.rules import Rules
from matching.store import Store
from matching_people import a_profile, an_entry
from matching_world import api_settings, caller, create_topics, engine_settings

from chassis import clock

pytestmark = pytest.mark.connected

TENANT = f"tenant-{uuid.uuid4().hex[:8]}"
sequences: dict[str, int] = {}


class World:
    """Both roles, and a voice for profiles."""

    def __init__(self, store: Store, producer: AIOKafkaProducer) -> None:
        self.store = store
        self._producer = producer

    async def tell(self, event: Event, member: str) -> None:
        """Say an event as profiles would."""
        key = f"{event.topic.stream}:{member}"
        sequences[key] = sequences.get(key, 0) + 1
        envelope = Envelope(
            id=uuid.uuid4().hex,
            source="/turnabout/profiles",
            type=event.event_type(),
            subject=member,
            time=clock.timestamp(),
            tenant=TENANT,
            sequence=sequences[key],
            partition_key=member,
            data_schema="",
        )
        await self._producer.send_and_wait(
            event.topic.name, event.model_dump_json().encode(), key=member.encode(), headers=envelope.to_headers()
        )

    async def join(self, member: str, level: int, *, manager: str | None = None, **profile: object) -> None:
        """A member appears on both topics."""
        await self.tell(an_entry(member, level=level, unit=f"unit-{level}", manager=manager), member)
        await self.tell(a_profile(member, **profile), member)

    async def pairs(self, member: str) -> list[Mentorship]:
        """The member's live pairs."""
        return await self.store.of_member(TENANT, member, LIVE)


@pytest.fixture(scope="module")
async def world(kafka: str, database: str) -> AsyncIterator[World]:
    """The API and the engine as they run, in one loop, with one open programme."""
    await create_topics(kafka)
    settings = api_settings(kafka, database)
    async with compose_api(settings).opened() as (delivery, _):
        await delivery.migrate()
    api, engine = compose_api(settings), compose_engine(engine_settings(settings, TENANT))
    servers = [asyncio.create_task(service.serve()) for service in (api, engine)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    command = settings.model_copy(update={"instance": "matching-command-1"})
    async with compose_api(command).opened() as (_, store):
        plan = Plan(
            title="Fresh Eyes",
            opens_on=dt.date(2020, 1, 1),
            closes_on=dt.date(2099, 1, 1),
            leads=("lena",),
            rules=Rules(areas=("ai-tools", "sustainability"), level_gap=2),
        )
        programme = Programme.draft("programme-" + TENANT, TENANT, plan)
        programme.publish(plan)
        await store.programmes.insert(programme)
        yield World(store, producer)
    await producer.stop()
    for server in servers:
        server.cancel()
    await asyncio.gather(*servers, return_exceptions=True)


async def until(
    condition: Callable[[], Coroutine[Any, Any, bool]], *, seconds: float = 20, every: float = 0.02
) -> float:
    """How long it took until the condition held."""
    begun = time.perf_counter()
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(every)
    return time.perf_counter() - begun


async def run_programme(world: World) -> RunState:
    """Ask for a run and wait for its end."""
    programme = await world.store.programmes.load(TENANT, "programme-" + TENANT)
    run = await queue_run(world.store, programme, "lena")

    async def over() -> bool:
        return (await world.store.runs.load(TENANT, run.id)).state not in ACTIVE

    await until(over, seconds=60)
    return (await world.store.runs.load(TENANT, run.id)).state


async def test_a_run_proposes_and_says_who_has_nobody(world: World) -> None:
    """A junior who offers and a senior who seeks are proposed; the one who shares nothing is told of with a reason."""
    await world.join("junior", 2, offers=("ai-tools",), seeks=(), open_to_be_mentored=False)
    await world.join("senior", 8, offers=(), seeks=("ai-tools",), open_to_mentor=False)
    await world.join("loner", 9, offers=(), seeks=("sustainability",), open_to_mentor=False)
    assert await run_programme(world) is RunState.DONE
    (pair,) = await world.pairs("junior")
    assert (pair.mentee, pair.status, pair.direction) == ("senior", Status.PROPOSED, "reverse")
    assert pair.terms.score == sum(term.points for term in pair.terms.points)
    assert pair.terms.for_mentor
    (run,) = await world.store.runs_of(TENANT, "programme-" + TENANT)
    assert run.result is not None
    alone = [each.member for each in run.result.unpaired if each.side is Side.MENTEE]
    assert "loner" in alone
    assert "senior" not in alone


async def test_a_second_run_proposes_nobody_twice(world: World) -> None:
    """The same people again: nothing new, and the open proposal stays."""
    (before,) = await world.pairs("junior")
    assert await run_programme(world) is RunState.DONE
    (after,) = await world.pairs("junior")
    assert before.id == after.id


async def test_a_saved_profile_leads_to_a_proposal_at_once(world: World) -> None:
    """Somebody who now offers what a waiting mentee seeks is proposed well within a second and a half."""
    await world.tell(an_entry("newcomer", level=3, unit="labs"), "newcomer")
    await world.tell(a_profile("newcomer", offers=("sustainability",), seeks=(), open_to_be_mentored=False), "newcomer")

    async def proposed() -> bool:
        return bool(await world.pairs("loner"))

    assert await until(proposed, every=0.005) < 1.5
    (pair,) = await world.pairs("loner")
    assert pair.mentor == "newcomer"


async def test_a_new_manager_withdraws_the_proposal(world: World) -> None:
    """A re-organisation that puts the mentee above the mentor takes the unanswered proposal back."""
    await world.tell(an_entry("newcomer", level=3, unit="labs", manager="loner"), "newcomer")

    async def gone() -> bool:
        return not await world.pairs("loner")

    await until(gone)


async def test_an_ended_pair_is_not_proposed_again(world: World) -> None:
    """Whoever left is never proposed the same person, neither live nor by a run."""
    (pair,) = await world.pairs("junior")
    commands = Commands(world.store)
    await commands.decline(caller("senior", TENANT), pair.id, "a-key-12345")
    await asyncio.sleep(1)
    await run_programme(world)
    assert await world.pairs("junior") == []
