"""A session in a browser on the real stack: proposed, picked, in both calendars, held, and reflected on alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import parseaddr

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from local.stack import Stack
from people_at_work import emails_by_member, open_pairs, roster_emails, sign_in
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LINK = "https://meet.example/j/42"
DELEGATE = "operator@demo.example"
THOUGHT = "I talked too much in the first half."


@dataclass(frozen=True)
class Running:
    """A mentorship that has started: its page, and each side's address."""

    page: str
    mentor: str
    mentee: str


@pytest.fixture
async def running(stack: Stack) -> AsyncIterator[Running]:
    """Two people said yes and agreed; the stack's clock is right again afterwards."""
    people = roster_emails(stack.state / "people.csv")
    emails = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], people)
    [(mentor, mentee, pair)] = await open_pairs(stack.address, emails, 1)
    for member in (mentor, mentee):
        await member.accept(pair)
    for member in (mentor, mentee):
        await member.agree(pair)
    yield Running(f"{stack.address}/mentorships/{pair}", mentor.email, mentee.email)
    (stack.state / "clock").write_text("0")


async def test_from_proposed_times_to_a_reflection(stack: Stack, browser: Browser, running: Running) -> None:
    """The mentee proposes, the mentor picks; both get it by mail; it is held; what one thinks of it stays theirs."""
    mentor = await sign_in(browser, stack.address, running.mentor)
    mentee = await sign_in(browser, stack.address, running.mentee)
    await _propose(mentee, running)
    await mentor.reload()
    await mentor.get_by_role("link", name="Pick one, or propose others").click()
    await _is_accessible(mentor)
    await mentor.get_by_role("button", name="Meet then").first.click()
    for page in (mentor, mentee):
        await page.goto(running.page)
        await expect(page.get_by_role("heading", name="Your next session")).to_be_visible()
        await expect(page.get_by_role("link", name=LINK)).to_be_visible()
        await _is_accessible(page)
    for email in (running.mentor, running.mentee):
        await _mailed(stack, email, "Your session is arranged")

    (stack.state / "clock").write_text(str(int(timedelta(hours=5).total_seconds())))
    await _log_from_home(mentor, stack)
    await _reflect(mentor, mentee, running)


async def test_somebody_arranges_the_mentees_times(stack: Stack, browser: Browser, running: Running) -> None:
    """The mentee names them, they propose, the mentor picks: the invitation goes to the two parties and no further."""
    mentee = await sign_in(browser, stack.address, running.mentee)
    await _name_delegate(mentee, running)
    await _mailed(stack, DELEGATE, "You may arrange times for a colleague")

    delegate = await sign_in(browser, stack.address, DELEGATE)
    await delegate.get_by_role("link", name="See what there is to arrange").click()
    await _is_accessible(delegate)
    await delegate.get_by_role("link", name="Propose times").click()
    now = datetime.fromisoformat(await delegate.get_by_label("First time").get_attribute("min") or "")
    await delegate.get_by_label("First time").fill(f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    await delegate.get_by_role("button", name="Propose these times").click()
    await expect(delegate.get_by_role("heading", name="Times that you proposed")).to_be_visible()
    await _is_accessible(delegate)

    mentor = await sign_in(browser, stack.address, running.mentor)
    await mentor.goto(running.page)
    await expect(mentor.locator("#delegate")).to_contain_text("sees nothing else of your mentorship")
    await mentor.get_by_role("button", name="Meet then").first.click()
    for email in (running.mentor, running.mentee):
        await _mailed(stack, email, "Your session is arranged")
    await _mailed(stack, DELEGATE, "A session that you arrange has changed")
    both = {running.mentor, running.mentee}
    assert _invited(stack) & {*both, DELEGATE} == both

    await delegate.reload()
    await expect(delegate.get_by_role("heading", name="The next session")).to_be_visible()
    await mentee.goto(running.page)
    await mentee.get_by_role("button", name="Arrange them myself again").click()
    await delegate.reload()
    await expect(delegate.get_by_role("main")).to_contain_text("We could not find that.")


async def _name_delegate(page: Page, running: Running) -> None:
    """An address that nobody has is told, and can be corrected."""
    await page.goto(running.page)
    await page.get_by_text("Let somebody else arrange my times").click()
    for email, told in (("nobody@demo.example", "Nobody in the directory has"), (DELEGATE, "arranges your times")):
        await page.get_by_label("Their e-mail address").fill(email)
        await page.get_by_role("button", name="Let them arrange my times").click()
        await expect(page.locator("#delegate")).to_contain_text(told)
        await _is_accessible(page)


def _invited(stack: Stack) -> set[str]:
    """Whose calendars got an entry by mail."""
    mails = [message_from_bytes(file.read_bytes()) for file in stack.state.rglob("*.eml")]
    invitations = [mail for mail in mails if any(part.get_content_type() == "text/calendar" for part in mail.walk())]
    return {parseaddr(mail["To"])[1] for mail in invitations}


async def _propose(page: Page, running: Running) -> None:
    """Two hours from now and three, by the clock that the page shows; a link that is none is told, and nothing lost."""
    await page.goto(running.page)
    now = datetime.fromisoformat(await page.get_by_label("First time").get_attribute("min") or "")
    first, second = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (2, 3))
    await page.get_by_label("First time").fill(first)
    await page.get_by_label("Second time").fill(second)
    await page.get_by_label("Link of a video call").fill(LINK.replace("https", "http"))
    await page.get_by_role("button", name="Propose these times").click()
    await expect(page.get_by_role("alert")).to_contain_text("begins with https://")
    await expect(page.get_by_label("Second time")).to_have_value(second)
    await _is_accessible(page)
    await page.get_by_label("Link of a video call").fill(LINK)
    await page.get_by_role("button", name="Propose these times").click()
    await expect(page.get_by_role("heading", name="Times that you proposed")).to_be_visible()


async def _log_from_home(page: Page, stack: Stack) -> None:
    """Hours later home asks how it went, and one click answers."""
    async with asyncio.timeout(15):
        while not await page.get_by_role("heading", name="How did it go?").is_visible():
            await page.goto(stack.address)
    await page.get_by_role("button", name="It was held").click()
    await expect(page.get_by_role("main")).to_contain_text("Held")


async def _reflect(mentor: Page, mentee: Page, running: Running) -> None:
    """The mentor writes and finds it again; on the mentee's page nothing of it can be seen."""
    await mentor.get_by_role("link", name="Reflect on it").click()
    await _is_accessible(mentor)
    await mentor.get_by_label("What went well").fill(THOUGHT)
    await mentor.get_by_role("button", name="Keep my reflection").click()
    await mentor.get_by_role("link", name="Read my reflection").click()
    await expect(mentor.get_by_label("What went well")).to_have_value(THOUGHT)
    await mentee.goto(running.page)
    await mentee.get_by_role("link", name="Reflect on it").click()
    await expect(mentee.get_by_label("What went well")).to_have_value("")


async def _is_accessible(page: Page) -> None:
    results = await Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


async def _mailed(stack: Stack, to: str, subject: str) -> None:
    async with asyncio.timeout(15), httpx.AsyncClient(base_url=stack.address) as client:
        while True:
            mails = (await client.get("/mailbox/api")).json()
            if subject in [mail["subject"] for mail in mails if to in mail["to"]]:
                return
            await asyncio.sleep(0.1)
