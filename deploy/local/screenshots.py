"""Pictures of every page of a stack with a short past, in every language, on a desk and on a phone."""

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.matching import Side
from playwright.async_api import Browser, Page, async_playwright

from local import browser, history
from local.history import History
from local.lives import Fate
from local.members import member
from local.messages import LANGUAGES
from local.people import DEMO
from local.ports import free_range
from local.stack import Say, Stack

_DESK: Final = (1280, 860)
_PHONE: Final = (390, 780)
_PAIRS: Final = 8
_MONTHS: Final = 2
_JUNIOR, _DIRECTOR, _LEAD, _ANALYST, _OPERATOR = (person.email for person in DEMO)


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as somebody sees it; `then` selects a link on it to follow first, `unfold` a part to open."""

    name: str
    email: str
    path: str
    then: str = ""
    unfold: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """How a page is looked at: the language that the browser asks for, its window, and how files are named after it."""

    language: str
    size: tuple[int, int]
    suffix: str


PICTURES: Final = (
    Picture("home-of-a-junior", _JUNIOR, "/"),
    Picture("home-of-a-director", _DIRECTOR, "/"),
    Picture("profile", _JUNIOR, "/profile"),
    Picture("proposals", _JUNIOR, "/proposals"),
    Picture("discover", _DIRECTOR, "/discover"),
    Picture("inbox", _JUNIOR, "/inbox"),
    Picture("preferences", _JUNIOR, "/preferences?kind=match-proposed"),
    Picture("language", _JUNIOR, "/profile/language"),
    Picture("programmes", _LEAD, "/programmes"),
    Picture("programme", _LEAD, "/programmes", ".card a[href^='/programmes/']", unfold="details.row summary"),
    Picture("programme-form", _LEAD, "/programmes/new"),
    Picture("insights", _ANALYST, "/insights"),
    Picture("arranging", _OPERATOR, "/arranging"),
    Picture("import", _OPERATOR, "/import"),
)


def of_history(made: History) -> tuple[Picture, ...]:
    """The pages of mentorships, at each point of their way that one of these pairs has reached."""
    running = made.one(Fate.RUNNING)
    arranged = (Picture("arranging-one", _OPERATOR, f"/arranging/{running.id}"),) if running else ()
    return arranged + tuple(
        Picture(f"mentorship-{name}", pair.people[side].email, f"/mentorships/{pair.id}")
        for name, fate, side in (
            ("running", Fate.RUNNING, Side.MENTOR),
            ("paused", Fate.PAUSED, Side.MENTEE),
            ("ended", Fate.ENDED, Side.MENTOR),
        )
        if (pair := made.one(fate)) is not None
    )


async def take(folder: Path, say: Say) -> None:
    """Start a stack, take all pictures into the folder, and stop it."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="turnabout-pictures-") as state:
        stack = Stack(Path(state), free_range(), say)
        try:
            say(f"{_PAIRS} pairs live through {_MONTHS} months")
            made = await history.make(stack, _PAIRS, _MONTHS, _quietly)
            await _delegate(stack, made)
            pictures = (*PICTURES, *of_history(made))
            async with async_playwright() as playwright:
                chromium = await playwright.chromium.launch(
                    executable_path=str(browser.find()), args=list(browser.ARGUMENTS)
                )
                for language in ("en", *LANGUAGES):
                    for size, suffix in ((_DESK, ""), (_PHONE, "-phone")):
                        view = View(language, size, suffix if language == "en" else f"-{language}{suffix}")
                        await _all_pages(chromium, stack.address, pictures, view, folder)
                        say(f"{len(pictures) + 1} pictures, {language}, {size[0]} points wide, in {folder}")
                await chromium.close()
        finally:
            await asyncio.shield(stack.stop())


async def _all_pages(chromium: Browser, address: str, pictures: Iterable[Picture], view: View, folder: Path) -> None:
    signed_in: dict[str, Page] = {}
    for picture in pictures:
        if picture.email not in signed_in:
            page = await _opened(chromium, view)
            await page.goto(f"{address}/sign-in")
            await page.screenshot(path=folder / f"sign-in{view.suffix}.png")
            await _sign_in(page, picture.email, address)
            signed_in[picture.email] = page
        page = signed_in[picture.email]
        await page.goto(f"{address}{picture.path}")
        if picture.then and await page.locator(picture.then).count():
            await page.locator(picture.then).first.click()
            await page.wait_for_load_state()
        if picture.unfold and await page.locator(picture.unfold).count():
            await page.locator(picture.unfold).first.click()
        await page.screenshot(path=folder / f"{picture.name}{view.suffix}.png", full_page=True)


async def _delegate(stack: Stack, made: History) -> None:
    """One mentee lets the operator arrange their times."""
    if (pair := made.one(Fate.RUNNING)) is not None:
        mentee = await member(stack.address, pair.people[Side.MENTEE].email)
        await mentee.persist("PUT", f"/api/matching/v1/mentorships/{pair.id}/delegate", {"email": _OPERATOR})
        await mentee.client.aclose()


def _quietly(_stop: int, _of: int, _at: datetime) -> None:
    """Nobody watches the clock move."""


async def _opened(chromium: Browser, view: View) -> Page:
    width, height = view.size
    context = await chromium.new_context(viewport={"width": width, "height": height}, locale=view.language)
    return await context.new_page()


async def _sign_in(page: Page, email: str, address: str) -> None:
    await page.locator("main a.button").click()
    await page.locator("#email").fill(email)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(f"{address}/")
