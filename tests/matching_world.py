"""A matching process without its HTTP server, on the real broker and database, for connected tests."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.web.identity import Caller
from contracts.topics import DEAD_SETTINGS, DIRECTORY, PROFILE, TOPICS
from matching.app import compose_api
from matching.domain.members import Member
from matching.settings import EngineSettings, MatchingSettings
from matching.store import Store
from matching_people import a_profile, an_entry


def api_settings(kafka: str, database: str) -> MatchingSettings:
    """Settings of a fresh database."""
    return MatchingSettings(
        kafka=kafka, mongo=database, database_prefix=f"t{uuid.uuid4().hex[:8]}", instance="matching-api-0", port=0
    )


def engine_settings(settings: MatchingSettings, tenant: str) -> EngineSettings:
    """Settings of the engine beside that API."""
    return EngineSettings(
        kafka=settings.kafka,
        mongo=settings.mongo,
        database_prefix=settings.database_prefix,
        instance="matching-engine-0",
        tenant=tenant,
        port=0,
    )


async def create_topics(kafka: str) -> None:
    """Create the topics of every service that are not there yet."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [NewTopic(topic.name, 3, 1, topic_configs=topic.settings()) for topic in TOPICS]
        wanted += [
            NewTopic(topic.dead("matching.members"), 3, 1, topic_configs=DEAD_SETTINGS)
            for topic in (PROFILE, DIRECTORY)
        ]
        if missing := [topic for topic in wanted if topic.name not in existing]:
            await admin.create_topics(missing)
    finally:
        await admin.close()


@asynccontextmanager
async def a_store(settings: MatchingSettings) -> AsyncIterator[Store]:
    """A migrated store whose pending work and events are being done."""
    await create_topics(settings.kafka)
    async with compose_api(settings).opened() as (delivery, store):
        await delivery.migrate()
        yield store


async def enrol(store: Store, tenant: str, member: str, level: int, **profile: object) -> None:
    """Let matching know a member as if both topics had told."""
    entry = an_entry(member, level=level, unit=f"unit-{level}")
    known = Member(id=member, tenant=tenant, profile=a_profile(member, **profile), directory=entry, profile_version=1)
    await store.members.insert(known)


def caller(member: str, tenant: str, *roles: str) -> Caller:
    """A signed-in member."""
    return Caller(member=member, tenant=tenant, roles=frozenset(roles), token="")
