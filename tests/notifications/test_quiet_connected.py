"""Mails of members who chose: switched off, or waiting for the end of quiet hours; on the real database.

The work of a thread is done here by hand and never cleared, so it is done again each time, as after a crash that came
before the clearing. The clock file moves the time.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from chassis.consuming.records import Received
from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.state.outbox import Pending
from chassis.state.timers import Timer
from contracts.envelope import Envelope, Event
from contracts.matching import Side
from contracts.topics import MENTORSHIP
from notification_facts import Pair
from notification_stage import KnownPeople, Mailbox
from notifications.app import compose
from notifications.domain import Kind
from notifications.handlers import release_mails, send_mail, tell
from notifications.ledger import Fate
from notifications.parts import Parts
from notifications.preferences import Channel, Choice, Quiet, QuietHours
from notifications.settings import NotificationsSettings
from web_edge import PUBLIC_URL, a_key, served

from chassis import clock

pytestmark = pytest.mark.connected

TENANT = "acme"
EVENING = datetime(2026, 3, 2, 19, 30, tzinfo=UTC)  # a Monday; half past eight in Berlin
MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # seven there
NIGHT = Choice(quiet=Quiet(hours=QuietHours(begins=time(20), ends=time(7))))


@dataclass
class Desk:
    """The parts of a process whose work is done by the test."""

    parts: Parts
    mailbox: Mailbox
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


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
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
            public_url=PUBLIC_URL,
            smtp=f"127.0.0.1:{mailbox.port}",
            clock_file=tmp_path / "clock",
        )
        async with compose(settings).opened(relaying=False) as (delivery, parts):
            await delivery.migrate()
            yield Desk(parts, mailbox, tmp_path / "clock")
    await mailbox.close()


PAIR = Pair("mia", "dan", "m-1")


async def test_a_mail_that_is_switched_off_is_recorded_and_never_sent(desk: Desk) -> None:
    """Whatever is done again, and also after it was switched on again: what decides is when it would have gone out."""
    with desk.at(EVENING):
        await desk.choose("mia", Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)}))
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
        await desk.choose("mia", Choice())
        await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.SWITCHED_OFF]
    assert [len(desk.mails(each)) for each in ("mia", "dan")] == [0, 1]
    inbox = await desk.parts.store.inbox(TENANT, "mia")
    assert [told.notice.kind for told in inbox.notices] == [Kind.MATCH_PROPOSED]


async def test_what_is_decided_is_decided_when_the_mail_would_go_out(desk: Desk) -> None:
    """Dan switches it off after the fact was heard and while the mail server is away: it is not sent."""
    await desk.mailbox.close()
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        assert await desk.work(PAIR) == 2
        await desk.choose("dan", Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)}))
        await desk.mailbox.open()
        assert await desk.work(PAIR) == 0
    assert await desk.fates(PAIR, "dan") == [Fate.SWITCHED_OFF]
    assert [len(desk.mails(each)) for each in ("mia", "dan")] == [1, 0]


async def test_a_mail_waits_for_the_end_of_quiet_hours_and_is_sent_once(desk: Desk) -> None:
    """Nothing at night however often it is tried, one mail at seven in Berlin; everybody else's went at once."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        for _ in range(2):
            await desk.work(PAIR)
    with desk.at(MORNING - timedelta(seconds=2)):
        assert await desk.sweep() == 0
        await desk.work(PAIR)
    assert (await desk.fates(PAIR, "mia"), await desk.fates(PAIR, "dan")) == ([None], [Fate.SENT])
    with desk.at(MORNING + timedelta(seconds=1)):
        assert await desk.sweep() == 1
        assert await desk.sweep() == 0
        for _ in range(2):
            await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.SENT]
    assert [len(desk.mails(each)) for each in ("mia", "dan")] == [1, 1]


async def test_a_crash_before_the_clearing_may_send_it_early_and_not_twice(desk: Desk) -> None:
    """The first work is done again after the end, before the timer: the timer then asks for what is sent already."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
    with desk.at(MORNING + timedelta(seconds=1)):
        await desk.work(PAIR)
        assert await desk.sweep() == 1
        await desk.work(PAIR)
    assert len(desk.mails("mia")) == 1


async def test_two_replicas_release_a_mail_once(desk: Desk) -> None:
    """Both timers found it due; the second one's compare-and-set finds nothing to ask for."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
    with desk.at(MORNING + timedelta(seconds=1)):
        for _ in range(2):
            await desk.parts.store.threads.change(TENANT, PAIR.id, release_mails)
    raw = await desk.parts.store.threads.collection.find_one(TENANT, {"_id": PAIR.id})
    assert raw is not None
    assert len(raw["work"]) == 3


async def test_what_waited_is_judged_anew(desk: Desk) -> None:
    """Mia answers in the night: in the morning the mail that asked her for it is moot, and recorded so."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
        await desk.hear(PAIR.yes(Side.MENTOR), PAIR.id)
    with desk.at(MORNING + timedelta(seconds=1)):
        await desk.sweep()
        await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.MOOT]
    assert desk.mails("mia") == []
    assert len(desk.mails("dan")) == 2


async def test_what_was_chosen_while_it_waited_counts_in_the_morning(desk: Desk) -> None:
    """Mia switches the kind off, Dan lengthens his night: hers is recorded as that, his comes at nine."""
    late = Choice(quiet=Quiet(hours=QuietHours(begins=time(20), ends=time(9))))
    for member in ("mia", "dan"):
        await desk.choose(member, NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
        await desk.choose("mia", Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)}))
        await desk.choose("dan", late)
    with desk.at(MORNING + timedelta(seconds=1)):
        await desk.sweep()
        await desk.work(PAIR)
    assert (await desk.fates(PAIR, "mia"), await desk.fates(PAIR, "dan")) == ([Fate.SWITCHED_OFF], [None])
    with desk.at(MORNING + timedelta(hours=2, seconds=1)):
        assert await desk.sweep() == 1
        await desk.work(PAIR)
    assert [len(desk.mails(each)) for each in ("mia", "dan")] == [0, 1]


async def test_a_long_quiet_does_not_make_a_mail_moot_by_itself(desk: Desk) -> None:
    """Six quiet days are longer than a mail is of use; its reader wished them, so it comes on the seventh."""
    await desk.choose("mia", Choice(quiet=Quiet(days=(1, 2, 3, 4, 5, 6))))
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
    sunday = datetime(2026, 3, 7, 23, 0, 1, tzinfo=UTC)  # the first second of the eighth in Berlin
    with desk.at(sunday):
        assert await desk.sweep() == 1
        await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.SENT]


async def test_a_mail_that_the_server_put_off_is_recorded_when_it_is_switched_off(desk: Desk) -> None:
    """The record says "not now"; then the member does not want it any more, and that is what stands there."""
    desk.mailbox.answers += ["451 Try again", "451 Try again"]
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        assert await desk.work(PAIR) == 2
        assert await desk.fates(PAIR, "mia") == [Fate.WAITING]
        await desk.choose("mia", Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)}))
        await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.SWITCHED_OFF]
    assert desk.mails("mia") == []


async def test_a_thread_that_is_lost_while_a_mail_waits_loses_no_mail(desk: Desk) -> None:
    """It is made anew from the topic: the same mail waits again, and comes once."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
        await desk.parts.store.threads.collection.delete(TENANT, {"_id": PAIR.id})
        desk.sequence = 0
        await desk.hear(PAIR.proposed, PAIR.id)
        await desk.work(PAIR)
    with desk.at(MORNING + timedelta(seconds=1)):
        await desk.sweep()
        await desk.work(PAIR)
    assert len(desk.mails("mia")) == 1


async def test_the_mail_tells_its_day_in_the_readers_zone_and_carries_the_way_out(desk: Desk) -> None:
    """To be answered by the end of 11 March in UTC is the twelfth in Berlin; the one click's address opens here."""
    fact = PAIR.proposed.model_copy(update={"expires_at": "2026-03-11T23:30:00.000Z"})
    with desk.at(EVENING):
        await desk.hear(fact, PAIR.id)
        await desk.work(PAIR)
    [mail] = desk.mails("mia")
    body = mail.get_body(("plain",))
    assert body is not None
    lines = body.get_content().splitlines()
    assert "Please answer by: 12 March 2026" in lines
    assert lines[-1] == "https://turnabout.example/preferences?kind=match-proposed"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = mail["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    permission = desk.parts.seal.opened(token)
    assert permission is not None
    assert (permission.tenant, permission.member, permission.kind, permission.round) == (
        TENANT,
        "mia",
        Kind.MATCH_PROPOSED,
        0,
    )
    assert "mia" not in mail["List-Unsubscribe"]
