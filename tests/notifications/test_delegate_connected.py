"""Inbox and mail of somebody who arranges times for a mentee, from the real process."""

import pytest
from contracts.matching import PlanChange, Side
from notification_facts import Pair
from notification_stage import Stage, eventually

pytestmark = pytest.mark.connected
READ = "/api/notifications/v1/notices/read"


async def test_a_delegate_reads_whose_turn_it_is_and_never_what_it_is_about(running: Stage) -> None:
    """Inbox, API and mails: the mentee's name in the inbox alone, no area, no side, no calendar entry."""
    pair, sam = Pair(running.somebody("Mia Okafor"), running.somebody("Dan Lind")), running.somebody("Sam Reyes")
    await running.say(
        pair.started,
        pair.planned(PlanChange.DELEGATED, by=Side.MENTEE, delegate=sam),
        pair.planned(PlanChange.TIMES_PROPOSED, by=Side.MENTOR, delegate=sam),
    )

    async def mailed() -> bool:
        return len(running.mailbox.to(sam)) == 2

    await eventually(mailed)
    assert await running.kinds(sam) == ["delegated", "times-to-pick"]
    for notice in await running.notices(sam):
        assert (notice["role"], notice["areas"], notice["partner"]) == (None, [], pair.mentee)
        assert notice["status"] is None
        assert notice["link"] == f"/arranging/{pair.id}"
    async with running.browser(sam) as browser:
        page = (await browser.get("/inbox")).text
        assert "Your turn: pick a time for Dan Lind." in page
        assert "You arrange times" in page
        seen = [{"thread": pair.id, "notice": notice["id"]} for notice in await running.notices(sam)]
        assert (await browser.post(READ, json={"notices": seen})).status_code == 204
    mails = running.mailbox.to(sam)
    assert sorted(str(mail["Subject"]) for mail in mails) == [
        "Times wait for you to pick one",
        "You may arrange times for a colleague",
    ]
    for text in (page, *(mail.as_string() for mail in mails)):
        assert not [each for each in ("AI tools", "cloud", "ai-tools", "Focus") if each in text]
    assert not [part for mail in mails for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert not [mail for mail in mails if "Dan" in mail.as_string() or "Mia" in mail.as_string()]
