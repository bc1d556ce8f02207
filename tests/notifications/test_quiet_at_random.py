"""Two members who change their minds while facts, failures and crashes come in any order; on the real servers.

Nothing is worked out in advance: whatever comes to pass, a mail reaches its reader at most once, never in quiet and
never against a choice, and in the end each is sent or has its reason on record.
"""

from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from contracts.matching import Side
from notification_desk import TENANT, Desk
from notification_facts import Pair
from notifications.domain.notice import MAILED, Kind
from notifications.ledger import Fate
from notifications.preferences import Channel, Choice, Quiet, QuietHours

pytestmark = pytest.mark.connected

BERLIN = ZoneInfo("Europe/Berlin")
MEMBERS = ("mia", "dan")
SUBJECTS = {
    Kind.MATCH_PROPOSED: "A new proposal for you",
    Kind.ANSWER_AWAITED: "Your answer is waited for",
    Kind.MENTORSHIP_STARTED: "Your mentorship has started",
}
STEPS = 40


def a_choice(random: Random) -> Choice:
    """Anything that may be chosen, the same moment for both ends left out."""
    begins = random.randrange(24)
    hours = QuietHours(begins=time(begins), ends=time((begins + random.randrange(1, 24)) % 24))
    return Choice(
        off={Channel.MAIL: tuple(kind for kind in MAILED if random.random() < 0.4)},
        quiet=Quiet(hours=random.choice([None, hours]), days=tuple(random.sample(range(1, 8), random.randrange(3)))),
    )


@pytest.mark.parametrize("seed", range(12))
async def test_every_mail_goes_out_once_when_it_may_or_says_why_not(desk: Desk, seed: int) -> None:
    """Forty steps: time passes, work is done again, the timer looks, the mail server refuses, somebody chooses anew."""
    random, now, chosen = Random(seed), datetime(2026, 3, 27, 12, tzinfo=UTC), dict.fromkeys(MEMBERS, Choice())  # noqa: S311
    pair = Pair("mia", "dan", f"m-{seed}")
    facts = [pair.proposed, pair.yes(Side.MENTEE), pair.yes(Side.MENTOR, complete=True), pair.started]
    for step in range(STEPS):
        now += timedelta(minutes=random.randrange(600))
        before = len(desk.mailbox.mails)
        with desk.at(now):
            match "hear" if step == 0 else random.choice(["hear", "work", "work", "work", "sweep", "choose", "busy"]):
                case "hear" if facts:
                    await desk.hear(facts.pop(0), pair.id)
                case "sweep":
                    await desk.sweep()
                case "choose":
                    member = random.choice(MEMBERS)
                    chosen[member] = a_choice(random)
                    await desk.choose(member, chosen[member])
                case "busy":
                    desk.mailbox.answers = ["451 Try again"]
                case _ if await desk.work(pair) == 0 and random.random() < 0.5:
                    await desk.clear(pair)
        for mail in desk.mailbox.mails[before:]:
            reader = chosen[next(member for member in MEMBERS if f"{member}@" in mail["To"])]
            assert reader.quiet.until(now, BERLIN) is None
            assert mail["Subject"] not in {SUBJECTS.get(kind) for kind in reader.off.get(Channel.MAIL, ())}
    await _everything_comes_to_an_end(desk, pair, now)


async def _everything_comes_to_an_end(desk: Desk, pair: Pair, now: datetime) -> None:
    """Nobody wants quiet any more, the server takes everything: each mail has an end, one copy if it was sent."""
    desk.mailbox.answers = []
    for member in MEMBERS:
        await desk.choose(member, Choice())
    with desk.at(now + timedelta(days=8)):
        await desk.sweep()
        assert await desk.work(pair) == 0
    thread = await desk.parts.store.threads.load(TENANT, pair.id)
    assert thread.mails_due == 0
    mailed = [notice for notice in thread.notices if notice.kind in MAILED]
    ends = {notice.id: await desk.parts.store.ledger.fate(TENANT, notice.id) for notice in mailed}
    assert set(ends.values()) <= {Fate.SENT, Fate.MOOT, Fate.SWITCHED_OFF}
    arrived = [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in desk.mailbox.mails]
    assert sorted(arrived) == sorted(id_ for id_, fate in ends.items() if fate is Fate.SENT)
