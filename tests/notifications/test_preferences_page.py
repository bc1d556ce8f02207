"""The page of preferences in a real browser, without scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chassis.web.identity import SESSION_COOKIE
from local import setup
from local.browser import ARGUMENTS, provide
from notification_stage import Stage
from playwright.async_api import Browser, Page, async_playwright, expect

pytestmark = [pytest.mark.journey, pytest.mark.connected]
MARKED = "/preferences?kind=match-proposed"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    setup.prepare()
    executable = await asyncio.to_thread(provide)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield chromium
        await chromium.close()


@asynccontextmanager
async def opened(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    """The page of somebody whom a mail's link led there, and whose browser runs no scripts."""
    window = await browser.new_context(java_script_enabled=False)
    token = stage.token(stage.somebody("Mia Okafor"))
    await window.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stage.url}])
    page = await window.new_page()
    await page.goto(f"{stage.url}{MARKED}")
    yield page
    await window.close()


async def test_a_night_is_chosen_without_scripts(browser: Browser, running: Stage) -> None:
    """Tick, write the hours, save; the page says so and shows them; the marked kind ends with one click."""
    async with opened(browser, running) as page:
        await page.get_by_role("button", name="Send me no more mail of this kind").click()
        await expect(page.locator("#notices")).to_contain_text("You get no more mail of the kind “A new proposal”.")
        await expect(page.get_by_role("checkbox", name="A new proposal")).not_to_be_checked()
        await page.get_by_role("checkbox", name="Keep quiet hours").check()
        await page.get_by_label("From").fill("21:30")
        await page.get_by_role("checkbox", name="Sunday").check()
        await page.get_by_role("button", name="Save my preferences").click()
        await expect(page.locator("#notices")).to_contain_text("Saved.")
        await expect(page.get_by_label("From")).to_have_value("21:30")
        await expect(page.get_by_role("checkbox", name="Sunday")).to_be_checked()
