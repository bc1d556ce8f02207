"""Every component in a real browser: accessible, as wide as the screen, and comfortable without getting in the way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from chassis.errors import ConflictError, TurnaboutError, UnauthenticatedError, UnavailableError
from chassis.web import pages
from chassis.web.cards import Card
from chassis.web.http import make_api
from chassis.web.identity import Caller
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from local import setup
from local.browser import ARGUMENTS, provide
from playwright.async_api import Browser, Page, async_playwright, expect
from sse_starlette import EventSourceResponse
from web_edge import EdgeSettings, served

pytestmark = pytest.mark.journey
GALLERY = Path(__file__).with_name("gallery.html").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ANALYST = Caller("m-1", "demo", frozenset({"analyst"}), "token")
CARDS = {
    "amara": Card(member="1", name="Amara Okafor", title="Data analyst", unit="Retail", country="GB"),
    "tom": Card(member="2", name="Tom Lindqvist", title="Director of operations", unit="Logistics", country="SE"),
    "ines": Card(member="3", name="Ines Duarte", title="Head of brand", unit="Marketing", country="PT"),
}
FORM = """{% extends "shell.html" %}{% from "components.html" import button, command_fields, page_header %}
{% block title %}Form{% endblock %}{% block main %}{{ page_header("Form") }}
<form id="part" method="post" action="/refused" hx-post="/refused" hx-target="#main">{{ button("By htmx") }}</form>
<form id="whole" method="post" action="/slow">{{ command_fields() }}{{ button("Whole page") }}</form>{% endblock %}"""

PARTS = """{% extends "shell.html" %}{% from "operations_parts.html" import away %}
{% block title %}Parts{% endblock %}{% block main %}<h1>Parts</h1>
<div id="part" hx-get="/part" hx-trigger="every 100ms" data-away="away">As it was</div>
<div id="other" hx-get="/other" hx-trigger="every 100ms">0</div>{{ away() }}{% endblock %}"""


class Site:
    """A few pages with everything the shell expects."""

    def __init__(self) -> None:
        self.unread = 3
        self.commands: list[str] = []
        self.refusal: TurnaboutError | None = None
        self.asked = {"part": 0, "other": 0}
        self.told = asyncio.Event()
        self.api = make_api("chassis", settings=EdgeSettings("http://127.0.0.1:1"))
        self._add_pages(self.api)
        self._add_commands(self.api)
        self._add_parts(self.api)

    def _add_pages(self, api: FastAPI) -> None:
        @api.get("/proposals")
        async def gallery(request: Request) -> Response:
            return self._page(request, GALLERY)

        @api.get("/form")
        async def form(request: Request) -> Response:
            return self._page(request, FORM)

        @api.get("/inbox/count")
        async def count() -> Response:
            return PlainTextResponse(str(self.unread or ""))

        @api.get("/inbox/stream")
        async def stream() -> Response:
            async def events() -> AsyncIterator[dict[str, str]]:
                yield {"event": "opened", "data": ""}
                await self.told.wait()
                yield {"event": "notice", "data": ""}

            return EventSourceResponse(events())

    def _add_parts(self, api: FastAPI) -> None:
        @api.get("/parts")
        async def parts(request: Request) -> Response:
            return self._page(request, PARTS)

        @api.get("/part")
        async def part() -> Response:
            self.asked["part"] += 1
            if self.refusal is not None:
                raise self.refusal
            return PlainTextResponse("As it is")

        @api.get("/other")
        async def other() -> Response:
            self.asked["other"] += 1
            return PlainTextResponse(str(self.asked["other"]))

    def _add_commands(self, api: FastAPI) -> None:
        @api.post("/refused")
        async def refused() -> None:
            raise ConflictError("Somebody was faster.")

        @api.post("/slow")
        async def slow(request: Request) -> Response:
            self.commands.append(str((await request.form())["idempotency_key"]))
            await asyncio.sleep(0.5)
            return pages.redirect("/form", notice="Done.")

    def _page(self, request: Request, source: str) -> Response:
        template = pages.environment("chassis.web").from_string(source)
        shown = {"caller": ANALYST, "path": request.url.path, "notice_shown": ("success", "Your profile is saved.")}
        return HTMLResponse(template.render(request=request, **shown, **CARDS))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    setup.prepare()
    executable = await asyncio.to_thread(provide)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield chromium
        await chromium.close()


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, str]]:
    """The site and its address."""
    made = Site()
    async with served(made.api) as address:
        yield made, address
        made.told.set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_component_passes_axe(
    browser: Browser, site: tuple[Site, str], scheme: Literal["light", "dark"]
) -> None:
    """WCAG 2.2 AA and good practice, in both colour schemes."""
    page = await browser.new_page(color_scheme=scheme)
    await page.goto(f"{site[1]}/proposals")
    results = await Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    await page.close()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
async def test_nothing_is_wider_than_the_screen(browser: Browser, site: tuple[Site, str], width: int) -> None:
    """From the narrowest phone on: only tables and charts scroll, inside themselves."""
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await page.goto(f"{site[1]}/proposals")
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await page.close()


async def test_the_policy_blocks_nothing_of_ours(browser: Browser, site: tuple[Site, str]) -> None:
    """No page causes a violation, which the browser would tell on its console."""
    page = await browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{site[1]}/form")
    await expect(page.locator(".nav__count")).to_have_text("3")
    assert [text for text in said if "Content Security Policy" in text] == []
    await page.close()


async def test_the_count_follows_the_stream(browser: Browser, site: tuple[Site, str]) -> None:
    """It fills itself, and again when something arrives; nothing unread shows no bubble."""
    page = await browser.new_page()
    await page.goto(f"{site[1]}/form")
    await expect(page.locator(".nav__count")).to_have_text("3")
    site[0].unread = 0
    site[0].told.set()
    await expect(page.locator(".nav__count")).to_be_hidden()
    await page.close()


async def test_a_refusal_appears_above_the_page_that_stays(browser: Browser, site: tuple[Site, str]) -> None:
    """The sentence is in the notices, and what was there is there."""
    page = await browser.new_page()
    await page.goto(f"{site[1]}/form")
    await page.click("#part button")
    await expect(page.locator("#notices")).to_contain_text("Somebody was faster.")
    await expect(page.locator("#main h1")).to_have_text("Form")
    await page.close()


async def test_a_part_says_that_its_service_is_away_and_fills_again(browser: Browser, site: tuple[Site, str]) -> None:
    """In its own place, and not again and again above the page, where it would be read out each time."""
    page = await browser.new_page()
    site[0].refusal = UnavailableError("Away.")
    await page.goto(f"{site[1]}/parts")
    await expect(page.locator("#part")).to_contain_text("It does not answer.")
    await expect(page.locator("#notices")).not_to_contain_text("Away.")
    site[0].refusal = None
    await expect(page.locator("#part")).to_have_text("As it is")
    await page.close()


async def test_whoever_is_signed_out_is_told_once(browser: Browser, site: tuple[Site, str]) -> None:
    """The part asks no more, while another one goes on."""
    page = await browser.new_page()
    site[0].refusal = UnauthenticatedError("Please sign in to go on.")
    await page.goto(f"{site[1]}/parts")
    await expect(page.locator("#notices")).to_contain_text("Please sign in to go on.")
    before = dict(site[0].asked)
    async with asyncio.timeout(10):
        while site[0].asked["other"] < before["other"] + 10:
            await asyncio.sleep(0.05)
    assert site[0].asked["part"] == before["part"]
    await expect(page.locator("#part")).to_have_text("As it was")
    await page.close()


async def test_a_double_click_sends_one_command(browser: Browser, site: tuple[Site, str]) -> None:
    """And coming back, the form works again with a key of its own."""
    page = await browser.new_page()
    await page.goto(f"{site[1]}/form")
    await page.dblclick("#whole button")
    await page.wait_for_url("**/form")
    await asyncio.sleep(1)
    assert len(site[0].commands) == 1
    await page.click("#whole button")
    await asyncio.sleep(1)
    assert len(set(site[0].commands)) == 2
    await page.close()


async def focused(page: Page) -> str:
    """What the keyboard is at."""
    return str(await page.evaluate("document.activeElement.textContent.trim()"))


async def test_the_keyboard_reaches_the_content_at_once(browser: Browser, site: tuple[Site, str]) -> None:
    """The first stop is a visible link past the navigation, which leads to the main part."""
    page = await browser.new_page()
    await page.goto(f"{site[1]}/form")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the content"
    box = await page.locator(".skip").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await focused(page) == "By htmx"
    await page.close()


async def test_everything_works_without_scripts(browser: Browser, site: tuple[Site, str]) -> None:
    """The command is sent as a form, and the refusal comes as a page with a way out."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site[1]}/form")
    await page.click("#whole button")
    await page.wait_for_url("**/form")
    assert len(site[0].commands) == 1
    await page.click("#part button")
    await expect(page.locator("h1")).to_have_text("This has changed in the meantime")
    await expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
    await context.close()
