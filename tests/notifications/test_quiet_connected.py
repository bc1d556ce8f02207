"""Mails of members who chose: switched off, or waiting for the end of quiet hours; on the real database."""

from datetime import UTC, datetime, time, timedelta

import pytest
from contracts.matching import PlanChange, Side
from notification_desk import TENANT, Desk
from notification_facts import Pair, a_session
from notifications.domain.notice import Kind
from notifications.handlers import release_mails
from notifications.ledger import Fate
from notifications.preferences import Channel, Choice, Quiet, QuietHours

pytestmark = pytest.mark.connected

EVENING = datetime(2026, 3, 2, 19, 30, tzinfo=UTC)  # a Monday; half past eight in Berlin
MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # seven there
NIGHT = Choice(quiet=Quiet(hours=QuietHours(begins=time(20), ends=time(7))))
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


async def test_of_a_session_that_moves_in_the_night_the_newest_time_is_told(desk: Desk) -> None:
    """Two mails wait; in the morning the entry of the first is outdated, and the second one comes, once."""
    await desk.choose("mia", NIGHT)
    with desk.at(EVENING):
        await desk.hear(PAIR.started, PAIR.id)
        desk.people.entries["s-m-1"] = a_session().model_dump()
        await desk.hear(PAIR.planned(PlanChange.ARRANGED), PAIR.id)
        await desk.work(PAIR)
        desk.people.entries["s-m-1"] = a_session(version=1).model_dump()
        await desk.hear(PAIR.planned(PlanChange.MOVED, version=1), PAIR.id)
        await desk.work(PAIR)
    with desk.at(MORNING + timedelta(seconds=1)):
        await desk.sweep()
        await desk.work(PAIR)
    assert await desk.fates(PAIR, "mia") == [Fate.SENT, Fate.MOOT, Fate.SENT]
    assert [mail["Subject"] for mail in desk.mails("mia")] == ["Your mentorship has started", "Your session has moved"]
    assert len(desk.mails("dan")) == 3


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
