"""Both roles of matching as they run, on the real broker and database, with a voice for profiles."""

import asyncio
import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from contracts.envelope import Envelope, Event
from contracts.profiles import ProfileUpdated
from matching.app import compose_api, compose_engine
from matching.commands import queue_run
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.run import ACTIVE, Run
from matching.engine.rules import Rules
from matching.store import Store
from matching_people import a_profile, an_entry
from matching_world import api_settings, create_topics, engine_settings

from chassis import clock


class World:
    """One tenant of its own, with one open programme."""

    def __init__(self, store: Store, producer: AIOKafkaProducer, programme: Programme) -> None:
        self.store = store
        self.tenant = programme.tenant
        self.programme = programme.id
        self._producer = producer
        self._sequences = Counter[str]()

    async def tell(self, event: Event, member: str) -> None:
        """Say an event as profiles would."""
        key = f"{event.topic.stream}:{member}"
        self._sequences[key] += 1
        envelope = Envelope(
            id=uuid.uuid4().hex,
            source="/turnabout/profiles",
            type=event.event_type(),
            subject=member,
            time=clock.timestamp(),
            tenant=self.tenant,
            sequence=self._sequences[key],
            partition_key=member,
            data_schema="",
        )
        await self._producer.send_and_wait(
            event.topic.name, event.model_dump_json().encode(), key=member.encode(), headers=envelope.to_headers()
        )

    async def join(self, member: str, level: int, *, manager: str | None = None, **profile: object) -> None:
        """A member appears on both topics, and matching has heard of them."""
        await self.tell(an_entry(member, level=level, unit=f"unit-{level}", manager=manager), member)
        await self.tell(a_profile(member, **profile), member)
        sequence = self._sequences[f"{ProfileUpdated.topic.stream}:{member}"]

        async def heard() -> bool:
            known = await self.store.members.get(self.tenant, member)
            return known is not None and known.directory is not None and known.profile_version >= sequence

        await until(heard)

    async def pairs(self, member: str) -> list[Mentorship]:
        """The member's live pairs."""
        return await self.store.of_member(self.tenant, member, LIVE)

    async def run(self) -> Run:
        """Ask for a run and wait until no engine is at work on it."""
        programme = await self.store.programmes.load(self.tenant, self.programme)
        return await self.ended((await queue_run(self.store, programme, "lena")).id)

    async def ended(self, run: str) -> Run:
        """A run as soon as no engine is at work on it."""

        async def over() -> bool:
            return (await self.store.runs.load(self.tenant, run)).state not in ACTIVE

        await until(over, seconds=60)
        return await self.store.runs.load(self.tenant, run)


@asynccontextmanager
async def a_world(kafka: str, database: str, **plan: Any) -> AsyncIterator[World]:
    """The API and the engine in one loop; the programme's plan may be changed."""
    await create_topics(kafka)
    tenant, settings = f"tenant-{uuid.uuid4().hex[:8]}", api_settings(kafka, database)
    async with compose_api(settings).opened() as (delivery, _):
        await delivery.migrate()
    api, engine = compose_api(settings), compose_engine(engine_settings(settings, tenant))
    servers = [asyncio.create_task(service.serve()) for service in (api, engine)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    command = settings.model_copy(update={"instance": "matching-command-1"})
    async with compose_api(command).opened() as (_, store):
        programme = Programme.draft("programme-" + tenant, tenant, _plan(**plan))
        programme.turn(open_=True)
        await store.programmes.insert(programme)
        yield World(store, producer, programme)
    await producer.stop()
    for server in servers:
        server.cancel()
    await asyncio.gather(*servers, return_exceptions=True)


def _plan(**changes: Any) -> Plan:
    plan = Plan(
        title="Fresh Eyes",
        opens_on=dt.date(2020, 1, 1),
        closes_on=dt.date(2099, 1, 1),
        leads=("lena",),
        rules=Rules(areas=("ai-tools", "sustainability"), level_gap=2),
    )
    return plan.model_copy(update=changes)


async def until(
    condition: Callable[[], Coroutine[Any, Any, bool]], *, seconds: float = 20, every: float = 0.02
) -> float:
    """How long it took until the condition held."""
    begun = time.perf_counter()
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(every)
    return time.perf_counter() - begun
