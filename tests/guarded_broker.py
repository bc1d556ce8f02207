"""A broker with access control, and what can be tried there as any principal."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.broker import client_options
from chassis.ops.access import Administrator, new_password
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR, Acl
from local import kafka
from local.access import Users
from local.ports import Ports
from restricted_topic import GROUP, VOICE, WITH_VOICE


@dataclass(frozen=True)
class Guarded:
    """The broker, its users, and those who were let in later."""

    ports: Ports
    users: Users

    @classmethod
    async def opened(cls, ports: Ports, users: Users) -> "Guarded":
        """With every topic, and with the platform's rights."""
        made = cls(ports, users)
        await kafka.create_topics(made.settings(ADMINISTRATOR))
        admin = AIOKafkaAdminClient(**client_options(made.settings(ADMINISTRATOR)))
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, 1, 1) for name in (VOICE.name, VOICE.dead(GROUP))])
        finally:
            await admin.close()
        administrator = await made.administrator()
        await asyncio.to_thread(administrator.put_right, WITH_VOICE)
        return made

    async def administrator(self) -> Administrator:
        """Who may change what others may."""
        return await Administrator.opened(self.settings(ADMINISTRATOR))

    def settings(self, principal: str, **changes: Any) -> Settings:
        """How a principal connects."""
        return kafka.client(self.ports.kafka, self.users, principal).model_copy(update=changes)

    async def let_in(self, name: str, acls: frozenset[Acl]) -> Settings:
        """A new user with these rights."""
        password, administrator = new_password(), await self.administrator()
        await asyncio.to_thread(administrator.set_password, name, password)
        await asyncio.to_thread(administrator.add, acls)
        return Settings.model_validate(
            {"kafka": f"127.0.0.1:{self.ports.kafka}", "kafka_user": name, "kafka_password": password}
        )


async def produce(settings: Settings, topic: str, *, idempotent: bool = True) -> None:
    """Write one record, idempotently as services do; raises what the broker answers."""
    producer = AIOKafkaProducer(**client_options(settings), enable_idempotence=idempotent, acks="all")
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", key=b"k")
    finally:
        await producer.stop()


async def consume(settings: Settings, topic: str, group: str | None = None) -> None:
    """Read the topic until there is a record, and commit it; raises what the broker answers."""
    consumer = AIOKafkaConsumer(
        topic, **client_options(settings), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(20):
            await consumer.start()
            while not await consumer.getmany(timeout_ms=200):
                pass
            if group is not None:
                await consumer.commit()
    finally:
        await consumer.stop()
