"""A real notifications process on the real broker and database, with a mailbox and a stand-in for profiles."""

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiosmtpd.smtp import SMTP
from chassis.ids import new_id
from chassis.web.identity import SESSION_COOKIE
from contracts.catalogue import CATALOGUE
from contracts.envelope import Envelope, Event
from contracts.topics import INVITATION, MENTORSHIP, MENTORSHIP_DETAIL
from fastapi import FastAPI, Request, Response
from pymongo import AsyncMongoClient
from web_edge import PUBLIC_URL, Profiles, a_key, a_token, served

from chassis import clock

INSTANCE = "notifications-0"
GROUP = "notifications.threads"
Said = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""A record with its topic, as it was put there."""


class Mailbox:
    """A mail server on a port of its own that keeps what it takes."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.mails: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.answers: list[str] = []
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take a recipient, or refuse it as told."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail; first wait when told to, and answer as told."""
        self.reached.set()
        await self.go_on.wait()
        if self.answers:
            return self.answers.pop(0)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def to(self, member: str) -> list[EmailMessage]:
        """The mails for one member."""
        return [mail for mail in self.mails if f"{member}@demo.example" in str(mail["To"])]


@dataclass
class KnownPeople(Profiles):
    """Profiles as notifications needs it, with addresses too; and what matching tells of sessions."""

    areas: dict[str, str] = field(
        default_factory=lambda: {"ai-tools": "AI tools in daily work", "cloud": "Cloud services"}
    )
    zones: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What matching tells about a session, by its id; without any it is away."""

    def app(self) -> FastAPI:
        """The application to serve."""
        api = super().app()

        @api.post("/api/profiles/v1/addresses")
        async def addresses(request: Request) -> dict[str, Any]:
            assert request.headers["authorization"].startswith("Bearer token ")
            members = [each for each in (await request.json())["members"] if each in self.names]
            return {
                "addresses": [
                    {
                        "member": each,
                        "email": f"{each}@demo.example",
                        "name": self.names[each],
                        "language": self.languages.get(each, "en"),
                        "time_zone": self.zones.get(each, "UTC"),
                    }
                    for each in members
                ]
            }

        @api.post("/api/matching/v1/calendar-entries")
        async def entry(request: Request) -> Any:
            assert request.headers["authorization"].startswith("Bearer token ")
            return self.entries.get((await request.json())["session"]) if self.entries else Response(status_code=503)

        return api


@dataclass
class Stage:
    """Everything that a test of the running process touches."""

    environment: dict[str, str]
    kafka: str
    url: str
    spans: Path
    clock: Path
    mailbox: Mailbox
    profiles: KnownPeople
    database: Any
    tenant: str = "demo"
    process: asyncio.subprocess.Process | None = None
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    records: list[Said] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """The process runs."""
        return self.process is not None and self.process.returncode is None

    def somebody(self, name: str) -> str:
        """A member whom profiles knows."""
        member = f"{name.split(maxsplit=1)[0].lower()}-{uuid.uuid4().hex[:8]}"
        self.profiles.names[member] = name
        return member

    async def start(self) -> None:
        """Run the process until it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "notifications", env={**os.environ, **self.environment}
        )
        async with httpx.AsyncClient(base_url=self.url) as client:
            await eventually(lambda: _ready(client), seconds=40)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        if self.process is not None and self.alive:
            self.process.send_signal(how)
            await self.process.wait()

    async def say(self, *facts: Event, at: str | None = None, traceparent: str | None = None) -> None:
        """Put facts on the topic as matching would."""
        records = [self._record(fact, at or clock.timestamp(), traceparent) for fact in facts]
        self.records += records
        await self.send(records)

    async def send(self, records: list[Said]) -> None:
        """Put records on the topic as they are."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        try:
            for topic, key, value, headers in records:
                await producer.send_and_wait(topic, value, key=key, headers=headers)
        finally:
            await producer.stop()

    def _record(self, fact: Event, at: str, traceparent: str | None) -> Said:
        topic, key = fact.topic.name, str(getattr(fact, CATALOGUE.of(type(fact)).key))
        sequence = self.sequences[topic, key] = self.sequences.get((topic, key), 0) + 1
        envelope = Envelope(
            id=new_id(),
            source="/turnabout/matching",
            type=fact.event_type(),
            subject=key,
            time=at,
            tenant=self.tenant,
            sequence=sequence,
            partition_key=key,
            data_schema="urn:x",
            traceparent=traceparent,
        )
        return topic, key.encode(), fact.model_dump_json().encode(), envelope.to_headers()

    async def rewind(self) -> None:
        """Set the stopped process's group back to the beginning of its topics, as for a new group."""
        consumer = AIOKafkaConsumer(
            MENTORSHIP.name,
            MENTORSHIP_DETAIL.name,
            INVITATION.name,
            bootstrap_servers=self.kafka,
            group_id=GROUP,
            group_instance_id=f"{GROUP}-{INSTANCE}",
            partition_assignment_strategy=(StickyPartitionAssignor,),
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            while not (partitions := consumer.assignment()):
                await consumer.getmany(timeout_ms=100)
            await consumer.commit(await consumer.beginning_offsets(list(partitions)))
        finally:
            await consumer.stop()

    def browser(self, member: str | None, *, tenant: str | None = None) -> httpx.AsyncClient:
        """A signed-in member's browser, or a stranger's; close it with ``async with``."""
        token = member and self.token(member, tenant=tenant)
        cookies = {SESSION_COOKIE: token} if token else {}
        return httpx.AsyncClient(base_url=self.url, cookies=cookies, headers={"Origin": self.url}, timeout=10)

    def token(self, member: str, *, tenant: str | None = None) -> str:
        """What the member's browser holds."""
        return a_token(self.profiles.keys[0], sub=member, tid=tenant or self.tenant, roles=[])

    async def notices(self, member: str) -> list[dict[str, Any]]:
        """What the API tells a member, newest first."""
        async with self.browser(member) as browser:
            answer = await browser.get("/api/notifications/v1/notices")
            answer.raise_for_status()
            found: list[dict[str, Any]] = answer.json()["notices"]
            return found

    async def kinds(self, member: str) -> list[str]:
        """The kinds of what a member was told, oldest first."""
        return [notice["kind"] for notice in reversed(await self.notices(member))]

    async def fates(self) -> list[str]:
        """What became of this tenant's mails."""
        entries = await self.database.ledger.find({"tenant": self.tenant}).to_list(1000)
        return sorted(entry["fate"] for entry in entries)


@asynccontextmanager
async def a_stage(kafka: str, database: str, folder: Path) -> AsyncIterator[Stage]:
    """A fresh database, a mailbox and people; the process is not started yet."""
    profiles, mailbox = KnownPeople([a_key("k1")]), Mailbox()
    prefix, spans = f"t{uuid.uuid4().hex[:8]}-", folder / "spans.jsonl"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with served(profiles.app()) as profiles_url, AsyncMongoClient[dict[str, Any]](database) as client:
        environment = {
            "TURNABOUT_INSTANCE": INSTANCE,
            "TURNABOUT_PORT": str(port),
            "TURNABOUT_PUBLIC_URL": PUBLIC_URL,
            "TURNABOUT_KAFKA": kafka,
            "TURNABOUT_MONGO": database,
            "TURNABOUT_DATABASE_PREFIX": prefix,
            "TURNABOUT_PROFILES_URL": profiles_url,
            "TURNABOUT_MATCHING_URL": profiles_url,
            "TURNABOUT_SMTP": f"127.0.0.1:{mailbox.port}",
            "TURNABOUT_SPANS_FILE": str(spans),
            "TURNABOUT_CLOCK_FILE": str(folder / "clock"),
            "TURNABOUT_LOG_LEVEL": "WARNING",
        }
        stage = Stage(
            environment,
            kafka,
            f"http://127.0.0.1:{port}",
            spans,
            folder / "clock",
            mailbox,
            profiles,
            client[f"{prefix}notifications"],
        )
        await mailbox.open()
        await _migrate(environment)
        try:
            yield stage
        finally:
            await stage.stop()
            await mailbox.close()
            await client.drop_database(f"{prefix}notifications")


async def _migrate(environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifications", "migrate", env={**os.environ, **environment}
    )
    assert await process.wait() == 0


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def eventually(check: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    """Wait until `check` holds, or fail."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)
