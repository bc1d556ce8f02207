"""Mails from the real process: one a notice, whatever stops, dies, replays or refuses."""

import asyncio
import json
import signal
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from contracts.matching import PlanChange, Side
from english_words import english_left, shown
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event
from notification_facts import Pair, a_session, an_invitation
from notification_stage import Stage, eventually

from chassis import clock

pytestmark = pytest.mark.connected

TRACE = "0af7651916cd43dd8448eb211c80319c"


def a_pair(stage: Stage) -> Pair:
    return Pair(stage.somebody("Mia Okafor"), stage.somebody("Dan Lind"))


async def fates_are(stage: Stage, *fates: str) -> None:
    async def settled() -> bool:
        return await stage.fates() == sorted(fates)

    await eventually(settled)


async def told(stage: Stage, member: str, *kinds: str) -> list[dict[str, Any]]:
    """What a member was told, once it is these kinds."""

    async def arrived() -> bool:
        return await stage.kinds(member) == list(kinds)

    await eventually(arrived)
    return await stage.notices(member)


async def test_a_pairs_life_reaches_inboxes_and_mailboxes_in_one_trace(running: Stage) -> None:
    """Proposal and start come by mail to both, a first yes to the other side; mails are in their facts' traces."""
    pair = a_pair(running)
    await running.say(pair.proposed, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    await fates_are(running, "sent", "sent")
    await running.say(pair.yes(Side.MENTEE))
    await fates_are(running, *["sent"] * 3)
    await running.say(pair.yes(Side.MENTOR, complete=True), pair.started)
    await fates_are(running, *["sent"] * 5)

    kinds = ["match-proposed", "answer-awaited", "match-accepted", "mentorship-started"]
    assert await running.kinds(pair.mentor) == kinds
    assert await running.kinds(pair.mentee) == ["match-proposed", "match-accepted", "mentorship-started"]
    first, *later = running.mailbox.to(pair.mentor)
    assert first["Subject"] == "A new proposal for you"
    assert [mail["Subject"] for mail in later] == ["Your answer is waited for", "Your mentorship has started"]
    assert first["To"] == f"Mia Okafor <{pair.mentor}@demo.example>"
    assert first["Message-ID"].endswith("@turnabout.example>")
    body = first.get_body(("plain",))
    assert body is not None
    assert "Focus: AI tools in daily work" in body.get_content()
    assert "Dan" not in first.as_string()
    _mail_is_below_the_fact(running)


async def test_an_invitation_is_told_and_mailed_once_and_names_its_lead_in_the_inbox_alone(running: Stage) -> None:
    """A second event about the same invitation, and a replay, bring nothing new; the mail leads to the invitation."""
    mia, lena = running.somebody("Mia Okafor"), running.somebody("Lena Marsh")
    fact = an_invitation(mia).model_copy(update={"invitation": f"i-{mia}", "by": lena, "until": "2099-12-31"})
    await running.say(fact, fact)
    await fates_are(running, "sent")
    (mail,) = running.mailbox.to(mia)
    assert mail["Subject"] == "You are invited"
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"/invitations/i-{mia}" in body.get_content()
    assert "Lena" not in mail.as_string()
    (notice,) = await told(running, mia, "invited")
    assert (notice["role"], notice["link"]) == ("mentor", f"/invitations/i-{mia}")
    async with running.browser(mia) as browser:
        page = (await browser.get("/inbox")).text
    assert "Lena Marsh thinks that people like you know something that senior colleagues lack." in page
    assert await running.notices(lena) == []


async def test_mail_follows_its_readers_language(running: Stage) -> None:
    """German to the one who chose it, in both forms of the mail; English to the other."""
    pair = a_pair(running)
    running.profiles.languages[pair.mentor] = "de"
    await running.say(pair.proposed)
    await fates_are(running, "sent", "sent")
    (german,), (english,) = running.mailbox.to(pair.mentor), running.mailbox.to(pair.mentee)
    assert (german["Subject"], english["Subject"]) == ("Ein neuer Vorschlag für Sie", "A new proposal for you")
    plain, html = german.get_body(("plain",)), german.get_body(("html",))
    assert plain is not None
    assert html is not None
    left = english_left([*plain.get_content().splitlines(), *shown(html.get_content())])
    assert left == {"AI tools in daily work"}, "the stand-in for profiles has labels in English alone"


def _mail_is_below_the_fact(stage: Stage) -> None:
    spans = [json.loads(line) for line in stage.spans.read_text().splitlines()]
    traced = {span["span_id"]: span for span in spans if span["trace_id"] == TRACE}
    mails = [span for span in traced.values() if span["name"] == "mail match-proposed"]
    assert len(mails) == 2
    for mail in mails:
        names, span = [], mail
        while (parent := traced.get(span["parent_span_id"])) is not None:
            names.append(parent["name"])
            span = parent
        assert names == ["work send-mail", "notifications.threads mentorship"]
        assert span["parent_span_id"] == "b7ad6b7169203331"


async def test_a_replay_from_the_beginning_sends_nothing_twice(running: Stage) -> None:
    """The group is set back to offset 0, then even the threads are forgotten: no second mail, no second notice."""
    pair = a_pair(running)
    await running.say(pair.proposed)
    await fates_are(running, "sent", "sent")
    await running.say(pair.yes(Side.MENTEE))
    await fates_are(running, *["sent"] * 3)
    await running.send(running.records)
    before = await told(running, pair.mentor, "match-proposed", "answer-awaited")

    await running.stop()
    await running.rewind()
    await running.start()
    marker = a_pair(running)
    await running.say(marker.proposed)
    await fates_are(running, *["sent"] * 5)
    assert await running.notices(pair.mentor) == before
    assert len(running.mailbox.to(marker.mentor)) == 1

    await running.stop()
    await running.rewind()
    await running.database.threads.delete_many({})
    await running.start()
    again = await told(running, pair.mentor, "match-proposed", "answer-awaited")
    assert [notice["id"] for notice in again] == [notice["id"] for notice in before]
    await running.say(a_pair(running).proposed)
    await fates_are(running, *["sent"] * 7)
    assert [len(running.mailbox.to(member)) for member in (pair.mentor, pair.mentee, marker.mentor)] == [2, 1, 1]


async def test_a_crash_between_claim_and_answer_never_sends_twice(running: Stage) -> None:
    """Killed while the server holds the mail: afterwards its fate is unknown, and the other mail comes once."""
    pair = a_pair(running)
    running.mailbox.reached.clear()
    running.mailbox.go_on.clear()
    await running.say(pair.proposed)
    await asyncio.wait_for(running.mailbox.reached.wait(), 20)
    await running.stop(signal.SIGKILL)
    running.mailbox.go_on.set()
    await running.start()
    await fates_are(running, "sent", "unknown")
    assert len(running.mailbox.to(pair.mentor)) <= 1
    assert len(running.mailbox.to(pair.mentee)) == 1
    assert await running.kinds(pair.mentor) == ["match-proposed"]


async def test_mail_waits_for_a_server_that_is_away_or_busy(running: Stage) -> None:
    """No server, then one that says "not now" twice: the inbox has the notice at once, each mail goes out once."""
    pair = a_pair(running)
    await running.mailbox.close()
    await running.say(pair.proposed)
    await told(running, pair.mentor, "match-proposed")
    assert await running.fates() == []
    running.mailbox.answers += ["451 Try again", "452 Try again"]
    await running.mailbox.open()
    await fates_are(running, "sent", "sent")
    assert [len(running.mailbox.to(member)) for member in (pair.mentor, pair.mentee)] == [1, 1]


async def test_one_refused_or_unknown_recipient_stops_nobody_else(running: Stage) -> None:
    """An address that the server refuses for good, and a member who has left, are written down; others get theirs."""
    refused, gone = a_pair(running), Pair(running.somebody("Eve Holm"), "who-has-left")
    running.mailbox.refuse[f"{refused.mentor}@demo.example"] = "550 No such mailbox"
    await running.say(refused.proposed, gone.proposed)
    await fates_are(running, "no-address", "refused", "sent", "sent")
    assert len(running.mailbox.to(refused.mentee)) == len(running.mailbox.to(gone.mentor)) == 1


async def test_an_old_event_is_shown_and_not_mailed(running: Stage) -> None:
    """A fact from four days ago stands in the inbox under its own time; its mails are moot."""
    pair = a_pair(running)
    at = clock.rfc3339(clock.now() - timedelta(days=4))
    await running.say(pair.proposed, at=at)
    await fates_are(running, "moot", "moot")
    assert [notice["at"] for notice in await running.notices(pair.mentee)] == [at]
    assert running.mailbox.to(pair.mentor) == running.mailbox.to(pair.mentee) == []


async def test_a_fact_about_an_unknown_pair_is_left_out(running: Stage) -> None:
    """An answer whose proposal is long gone concerns nobody known; the next pair is told as usual."""
    pair, unknown = a_pair(running), Pair("a", "b")
    await running.say(unknown.yes(Side.MENTOR), pair.proposed)
    await fates_are(running, "sent", "sent")
    assert await running.database.threads.count_documents({"_id": unknown.id}) == 0


def invitation(mail: EmailMessage) -> tuple[str, Event]:
    """What a mail asks of its reader's calendar, and the entry that it is about; read as a mail program finds it."""
    (part,) = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
    calendar = IcsCalendarStream.calendar_from_ics(part.get_content())
    assert part.get_param("method") == calendar.method
    (event,) = calendar.events
    return str(calendar.method), event


async def test_a_session_is_invited_updated_and_cancelled_by_mail(running: Stage) -> None:
    """One entry under one id for each of the two, its sequence rising; nobody but its reader is named in it."""
    pair = a_pair(running)
    session, told = f"s-{pair.id}", a_session(uid=f"s-{pair.id}@turnabout.example").model_dump()
    moved = {**told, "version": 1, "time": {**told["time"], "local": "2026-03-11T10:00"}}
    await running.say(pair.started)
    await fates_are(running, "sent", "sent")
    steps = (
        (PlanChange.ARRANGED, told),
        (PlanChange.MOVED, moved),
        (PlanChange.CALLED_OFF, {**moved, "version": 2, "called_off": True}),
    )
    for number, (change, entry) in enumerate(steps):
        running.profiles.entries[session] = entry
        await running.say(pair.planned(change, version=number))
        await fates_are(running, *["sent"] * (4 + 2 * number))
    for member in (pair.mentor, pair.mentee):
        read = [invitation(mail) for mail in running.mailbox.to(member)[1:]]
        assert [(method, event.uid, event.sequence) for method, event in read] == [
            ("REQUEST", f"{session}@turnabout.example", 0),
            ("REQUEST", f"{session}@turnabout.example", 1),
            ("CANCEL", f"{session}@turnabout.example", 2),
        ]
        assert [str(event.dtstart)[:16] for _, event in read] == ["2026-03-10 10:00", *["2026-03-11 10:00"] * 2]
        for _, event in read:
            assert [str(each.uri) for each in event.attendees] == [f"mailto:{member}@demo.example"]
        other = "Dan" if member == pair.mentor else "Mia"
        assert not [mail for mail in running.mailbox.to(member) if other in mail.as_string()]


async def test_a_mail_about_a_session_waits_for_matching_and_tells_the_newest_alone(running: Stage) -> None:
    """Matching is away: the inbox knows, no mail goes; when it is back the older entry is moot, and the newer sent."""
    pair = a_pair(running)
    running.profiles.entries.clear()
    await running.say(pair.started)
    await fates_are(running, "sent", "sent")
    await running.say(pair.planned(PlanChange.ARRANGED), pair.planned(PlanChange.MOVED, version=1))
    await told(running, pair.mentee, "mentorship-started", "session-arranged", "session-moved")
    assert await running.fates() == ["sent", "sent"]
    running.profiles.entries[f"s-{pair.id}"] = a_session(version=1).model_dump()
    await fates_are(running, *["moot"] * 2, *["sent"] * 4)
    assert [mail["Subject"] for mail in running.mailbox.to(pair.mentee)[1:]] == ["Your session has moved"]


async def test_a_reminder_leaves_the_calendar_as_it_is(running: Stage) -> None:
    """Both are told the time by mail once more; there is nothing for a calendar to do."""
    pair = a_pair(running)
    running.profiles.entries[f"s-{pair.id}"] = a_session().model_dump()
    await running.say(pair.started, pair.planned(PlanChange.NEAR))
    await fates_are(running, *["sent"] * 4)
    (mail,) = [each for each in running.mailbox.to(pair.mentor) if each["Subject"] == "Your session is a day away"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "When: Tuesday, 10 March 2026, 05:00 (America/New York)" in body.get_content()
    assert "text/calendar" not in [part.get_content_type() for part in mail.walk()]
