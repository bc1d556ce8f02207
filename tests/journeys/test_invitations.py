"""Two people who have not thought of it are invited: one enrols and can be proposed, the other says no unseen."""

import asyncio
import re

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from english_words import english_left, shown
from local.messages import LANGUAGES
from local.stack import Stack
from people_at_work import emails_by_member, member, roster_emails, sign_in
from playwright.async_api import Browser, Page, expect

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
MOST_BYTES = 100_000
pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


async def mailed(stack: Stack, to: str) -> str:
    """The address in the one mail by which somebody is invited."""
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=stack.address, timeout=30) as client:
        while True:
            mails = [mail for mail in (await client.get("/mailbox/api")).json() if to in mail["to"]]
            if found := [mail["text"] for mail in mails if mail["subject"] == "You are invited"]:
                (text,) = found
                return str(re.findall(r"https?://\S+/invitations/\S+", text)[0])
            await asyncio.sleep(0.2)


async def invite_two(stack: Stack, lead: Page) -> list[str]:
    """The lead ticks the first two who are suggested; their addresses."""
    await lead.get_by_role("link", name="Programmes").click()
    await (
        lead.locator(".card", has=lead.get_by_role("heading", name="Fresh Eyes"))
        .get_by_role("link", name="Run and coverage")
        .click()
    )
    await lead.get_by_role("link", name="Invite").click()
    boxes = lead.get_by_role("checkbox")
    await expect(lead.locator("ul.reasons li").first).to_be_visible()
    members = [await boxes.nth(number).get_attribute("value") or "" for number in range(2)]
    for number in range(2):
        await boxes.nth(number).check()
    await lead.get_by_role("button", name="Invite those who are ticked").click()
    await expect(lead.get_by_text("2 people are invited.")).to_be_visible()
    people = roster_emails(stack.state / "people.csv")
    emails = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], people)
    return [emails[each] for each in members]


async def open_invitation(stack: Stack, browser: Browser, email: str) -> Page:
    """From the mail, signed in, to the page."""
    page = await sign_in(browser, stack.address, email)
    await page.goto(await mailed(stack, email))
    await expect(page.get_by_role("heading", name="Why you")).to_be_visible()
    await expect(page.get_by_text("Mentor: you share what you know")).to_be_visible()
    await keeps_nobody_out(page)
    return page


async def keeps_nobody_out(page: Page) -> None:
    """In every language: nothing that axe finds against WCAG 2.2 AA, light, and no English left in another one."""
    for language in ("en", *LANGUAGES):
        await page.set_extra_http_headers({"Accept-Language": language})
        answer = await page.reload()
        assert answer is not None
        assert len(await answer.body()) <= MOST_BYTES
        found = await Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert language == "en" or english_left(shown(await page.content()), language) == set()
    await page.set_extra_http_headers({})
    await page.reload()


async def test_one_who_is_invited_enrols_and_another_says_no_unseen(stack: Stack, browser: Browser) -> None:
    """The no changes nothing that the lead sees; the yes leads to a profile that is ticked, and then to people."""
    lead = await sign_in(browser, stack.address, "lead@demo.example")
    gladly, unwilling = await invite_two(stack, lead)
    main = lead.get_by_role("main")
    await lead.reload()
    before = await main.inner_text()

    no = await open_invitation(stack, browser, unwilling)
    await no.get_by_role("button", name="Not for me").click()
    await expect(no.get_by_text("That is fine. Nobody is told")).to_be_visible()
    await lead.reload()
    assert await main.inner_text() == before

    yes = await open_invitation(stack, browser, gladly)
    await yes.get_by_role("link", name="I'd like to").click()
    await expect(yes.get_by_text("nothing is saved yet")).to_be_visible()
    await keeps_nobody_out(yes)
    for box in ("I take part in mentoring", "I am open to mentor"):
        await expect(yes.get_by_role("checkbox", name=box)).to_be_checked()
    await yes.get_by_role("button", name="Save").click()
    await expect(yes.get_by_text("Saved. New proposals follow from it by themselves.")).to_be_visible()
    await yes.goto(await mailed(stack, gladly))
    await expect(yes.get_by_text("You take part already")).to_be_visible()
    await _can_be_proposed(stack, gladly)


async def _can_be_proposed(stack: Stack, email: str) -> None:
    """The engine proposes them at once, or they find mentees by themselves where all have as many as they may."""
    person = await member(stack.address, email)
    async with asyncio.timeout(90):
        while not await person.proposals():
            page = (await person.client.get("/discover", params={"as": "mentor"})).raise_for_status().text
            if 'name="member"' in page:
                return
            await asyncio.sleep(1)
