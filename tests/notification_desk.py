"""The parts of a notifications process on the real database, whose work a test does by hand.

The work of a thread is done again each time until a test clears it, as after a crash that came before the clearing.
A clock file moves the time.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from chassis.consuming.records import Received
from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.state.outbox import Pending
from chassis.state.timers import Timer
from contracts.envelope import Envelope, Event
from contracts.topics import MENTORSHIP
from notification_facts import Pair
from notification_stage import KnownPeople, Mailbox
from notifications.app import compose
from notifications.handlers import release_mails, send_mail, tell
from notifications.ledger import Fate
from notifications.parts import Parts
from notifications.preferences import Choice
from notifications.settings import NotificationsSettings
from web_edge import PUBLIC_URL, a_key, served

from chassis import clock

TENANT = "acme"


@dataclass
class Desk:
    """The parts of a process whose work is done by the test."""

    parts: Parts
    mailbox: Mailbox
    people: KnownPeople
    clock: Path
    sequence: int = 0

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let it be then."""
        self.clock.write_text(str((moment - datetime.now(UTC)).total_seconds()))
        clock.configure(self.parts.settings)
        try:
            yield
        finally:
            clock.configure(NotificationsSettings())

    async def hear(self, fact: Event, key: str) -> None:
        """A fact arrives now."""
        self.sequence += 1
        envelope = Envelope(
            id=f"event-{self.sequence}",
            source="/turnabout/matching",
            type=fact.event_type(),
            subject=key,
            time=clock.timestamp(),
            tenant=TENANT,
            sequence=self.sequence,
            partition_key=key,
            data_schema="urn:x",
        )
        await tell(Received(envelope, MENTORSHIP, key, fact), self.parts)

    async def work(self, pair: Pair) -> int:
        """Do everything that the thread ever asked for; returns how many pieces could not be done yet."""
        raw = await self.parts.store.threads.collection.find_one(TENANT, {"_id": pair.id})
        assert raw is not None
        waiting = 0
        for piece in Pending.of(raw).work:
            try:
                await send_mail(piece, self.parts)
            except TransientError:
                waiting += 1
        return waiting

    async def clear(self, pair: Pair) -> None:
        """Take off what was done."""
        await self.parts.store.threads.collection.update({"_id": pair.id}, {"$set": {"work": []}})

    async def sweep(self) -> int:
        """What the timer does."""
        return await Timer(self.parts.store.threads, release_mails, field="mails_due").sweep()

    async def choose(self, member: str, choice: Choice) -> None:
        """A member saves their preferences."""
        await self.parts.store.change_preferences(TENANT, member, lambda each: each.choose(choice))

    async def fates(self, pair: Pair, member: str) -> list[Fate | None]:
        """What became of a member's mails, in the order of their notices."""
        thread = await self.parts.store.threads.load(TENANT, pair.id)
        return [await self.parts.store.ledger.fate(TENANT, notice.id) for notice in thread.of(member)]

    def mails(self, member: str) -> list[EmailMessage]:
        """What reached the member's mailbox."""
        return self.mailbox.to(member)


@asynccontextmanager
async def a_desk(database: str, folder: Path) -> AsyncIterator[Desk]:
    """Mia and Dan live in Berlin; nobody delivers by itself."""
    people, mailbox = KnownPeople([a_key("k1")]), Mailbox()
    people.names = {"mia": "Mia Okafor", "dan": "Dan Lind"}
    people.zones = dict.fromkeys(people.names, "Europe/Berlin")
    await mailbox.open()
    async with served(people.app()) as profiles_url:
        settings = NotificationsSettings(
            mongo=database,
            database_prefix=f"t{new_id()[-12:]}-",
            profiles_url=profiles_url,
            matching_url=profiles_url,
            public_url=PUBLIC_URL,
            smtp=f"127.0.0.1:{mailbox.port}",
            clock_file=folder / "clock",
        )
        async with compose(settings).opened(relaying=False) as (delivery, parts):
            await delivery.migrate()
            yield Desk(parts, mailbox, people, folder / "clock")
    await mailbox.close()
