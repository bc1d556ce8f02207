"""The main job in a browser on the real stack: from the lead's run to a mentorship with its first session."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from local.stack import Stack
from people_at_work import sign_in
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

MENTOR, MENTEE = "junior@demo.example", "director@demo.example"


async def eventually(check: Callable[[], bool], seconds: float = 15) -> None:
    """Until the check holds; fails by time-out."""
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.1)


def mails(stack: Stack, to: str) -> list[dict[str, str]]:
    """What the mailbox holds for one address."""
    found: list[dict[str, str]] = httpx.get(f"{stack.address}/mailbox/api").json()
    return [mail for mail in found if to in mail["to"]]


def spans(stack: Stack) -> list[dict[str, Any]]:
    """Every finished span of every process."""
    files = stack.state.glob("spans*")
    return [json.loads(line) for file in files for line in file.read_text().splitlines() if line.endswith("}")]


async def test_a_lead_runs_the_programme(stack: Stack, browser: Browser) -> None:
    """The lead finds the programme, runs it again, and sees coverage and who has nobody and why."""
    lead = await sign_in(browser, stack.address, "lead@demo.example")
    await lead.get_by_role("link", name="Programmes").click()
    await lead.get_by_role("link", name="Run and coverage").click()
    await lead.get_by_role("button", name=re.compile("run|propos", re.IGNORECASE)).first.click()
    await expect(lead.get_by_text(re.compile("best possible", re.IGNORECASE)).first).to_be_visible(timeout=30_000)
    await expect(lead.get_by_role("main")).to_contain_text(re.compile("nobody|without", re.IGNORECASE))


async def test_two_people_become_a_mentorship(stack: Stack, browser: Browser) -> None:
    """Both say yes, both agree, it starts; each step reaches the other's open inbox, and mail comes once."""
    mentor = await sign_in(browser, stack.address, MENTOR)
    mentee = await sign_in(browser, stack.address, MENTEE)
    await mentee.goto(f"{stack.address}/inbox")
    before = await mentee.get_by_role("main").inner_text()

    await _say_yes(stack, mentor, "Margaret Ellingham")
    await expect(mentee.get_by_role("main")).not_to_have_text(before, timeout=5_000)
    await _say_yes(stack, mentee, "Kofi Adusei")

    for page in (mentor, mentee):
        await page.goto(f"{stack.address}/")
        await page.get_by_role("main").get_by_role("link", name=re.compile("agree", re.IGNORECASE)).first.click()
        await page.get_by_role("button", name="I agree to this").click()
    await expect(mentee.get_by_role("heading", name="Log a session")).to_be_visible()
    mentorship = mentee.url.split("/")[-1].split("?")[0]

    await eventually(lambda: len(mails(stack, MENTOR)) == 2 and len(mails(stack, MENTEE)) >= 2)
    for address in (MENTOR, MENTEE):
        ids = [mail["message_id"] for mail in mails(stack, address)]
        assert len(ids) == len(set(ids))

    await mentor.goto(f"{stack.address}/mentorships/{mentorship}")
    await mentor.get_by_role("button", name="Log it").click()
    await expect(mentor.get_by_role("main")).to_contain_text("Held")
    await mentee.reload()
    await expect(mentee.get_by_role("main")).to_contain_text("Held")


async def _say_yes(stack: Stack, page: Page, to: str) -> None:
    await page.goto(f"{stack.address}/proposals")
    proposal = page.locator("main").locator("section, article, li, div.card").filter(has_text=to).first
    await proposal.get_by_role("button", name="Yes, I would like to").click()
    await page.wait_for_load_state()


async def test_one_trace_runs_from_the_click_to_the_mail(stack: Stack) -> None:
    """The last "I agree" and the mails about the start share one trace, through relay, bus and pending work."""

    def linked() -> bool:
        found = spans(stack)
        clicks = {
            span["trace_id"] for span in found if span["service"].startswith("matching") and "agreement" in span["name"]
        }
        services = {(span["service"], span["name"].split()[0]) for span in found if span["trace_id"] in clicks}
        return any(name == "mail" for service, name in services if service == "notifications")

    await eventually(linked)


async def test_a_stranger_finds_nothing_by_its_id(stack: Stack, browser: Browser) -> None:
    """Somebody who is not party to a mentorship gets the same answer as for one that does not exist."""
    mentor = await sign_in(browser, stack.address, MENTOR)
    await mentor.get_by_role("main").get_by_role("link").first.click()
    stranger = await sign_in(browser, stack.address, "operator@demo.example")
    answer = await stranger.goto(mentor.url)
    assert answer is not None
    assert answer.status == 404


async def test_insights_wait_for_a_closed_month(stack: Stack, browser: Browser) -> None:
    """The running month shows nothing whatever happens in it; once it is over its figures are there."""
    analyst = await sign_in(browser, stack.address, "analyst@demo.example")
    await analyst.goto(f"{stack.address}/insights")
    await expect(analyst.get_by_text("No month is over yet")).to_be_visible()
    (stack.state / "clock").write_text(str(int(timedelta(days=32).total_seconds())))
    try:
        await asyncio.sleep(2)
        analyst = await sign_in(browser, stack.address, "analyst@demo.example")
        await analyst.goto(f"{stack.address}/insights")
        await expect(analyst.locator("svg[role=img]").first).to_be_visible()
        await expect(analyst.locator("table").first).to_be_visible()
    finally:
        (stack.state / "clock").write_text("0")
