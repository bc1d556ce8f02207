"""People who use the running stack: in a browser, or over HTTP as a browser would."""

import asyncio
from collections.abc import Mapping

from local.members import Member, emails_by_member, member, roster_emails
from playwright.async_api import Browser, Locator, Page

__all__ = ["Member", "emails_by_member", "member", "open_pairs", "roster_emails", "sign_in", "soon"]


async def sign_in(browser: Browser, address: str, email: str) -> Page:
    """A page of a fresh browser session, signed in through the identity provider, at home."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await page.goto(f"{address}/sign-in")
    await page.get_by_role("button", name="Continue").or_(page.get_by_role("link", name="Continue")).click()
    await page.locator("#email").fill(email)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(f"{address}/")
    return page


async def soon(page: Page, shown: Locator) -> Locator:
    """Look again until the page shows it: what one service knows, another has heard within a moment."""
    async with asyncio.timeout(30):
        await page.wait_for_load_state()
        while not await shown.count():
            await page.reload()
    return shown


async def open_pairs(address: str, emails: Mapping[str, str], count: int) -> list[tuple[Member, Member, str]]:
    """Mentor, mentee and id of that many open proposals, between people of whom nobody appears twice.

    Args:
        address: where they sign in.
        emails: member id → address.
        count: how many; fewer come back when there are not so many.
    """
    found: list[tuple[Member, Member, str]] = []
    busy: set[str] = set()
    for email in list(emails.values())[20:]:  # the first ones are those whom the demo signs in as
        if len(found) == count:
            break
        mentor = await member(address, email)
        for pair in await mentor.proposals():
            sides = {pair["mentor"], pair["mentee"]}
            if pair["you"] == "mentor" and pair["status"] == "proposed" and not sides & busy:
                busy |= sides
                found.append((mentor, await member(address, emails[pair["mentee"]]), pair["id"]))
                break
    return found
