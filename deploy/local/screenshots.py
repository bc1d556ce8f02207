"""Pictures of every page of a stack with a short past, in every language, on a desk and on a phone."""

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.matching import Side
from playwright.async_api import Browser, FilePayload, Page, Response, async_playwright

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
_QUALITY: Final = 70
_PAIRS: Final = 8
_MONTHS: Final = 2
_EXPORT: Final = (
    "Personalnummer;Vorname;Nachname;E-Mail;Stelle;Vorgesetzten-Nummer;Stufe;Abteilung;Land;Eintritt\n"
    "E90001;Ida;Roth;ida.roth@demo.example;Analystin;;3;data;DE;01.09.2026\n"
    "E90002;Juri;Klee;juri.klee@demo.example;Analyst;E90001;2;data;DE;15.10.2026\n"
)
_JUNIOR, _DIRECTOR, _LEAD, _ANALYST, _OPERATOR = (person.email for person in DEMO)


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as somebody sees it.

    `then` selects links to follow first, each on its page, `unfold` a part to open, `empty` what is to fill by itself
    first; `upload` is a file to send with its form.
    """

    name: str
    email: str
    path: str
    then: tuple[str, ...] = ()
    unfold: str = ""
    upload: str = ""
    empty: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class View:
    """How a page is looked at: the language that the browser asks for, its window, and how files are named after it."""

    language: str
    size: tuple[int, int]
    suffix: str
    only: tuple[str, ...] = ()
    """Names of the pictures to take, when it is not all of them."""

    def shows(self, name: str) -> bool:
        """Whether the picture of this name is to be taken."""
        return not self.only or name in self.only


_TO_PROGRAMME: Final = (".card a[href^='/programmes/']",)
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
    Picture("programme", _LEAD, "/programmes", _TO_PROGRAMME, unfold="details.row summary"),
    Picture("programme-invite", _LEAD, "/programmes", (*_TO_PROGRAMME, "a[href$='/invitations']")),
    Picture("programme-form", _LEAD, "/programmes/new"),
    Picture("taxonomy", _LEAD, "/taxonomy?count=yes"),
    Picture("taxonomy-area", _LEAD, "/taxonomy/areas/cloud"),
    Picture("taxonomy-new", _LEAD, "/taxonomy/add"),
    Picture("taxonomy-family", _LEAD, "/taxonomy/families/inclusion"),
    Picture("taxonomy-versions", _LEAD, "/taxonomy/versions"),
    Picture("taxonomy-version", _LEAD, "/taxonomy/versions/1"),
    Picture("insights", _ANALYST, "/insights"),
    Picture("arranging", _OPERATOR, "/arranging"),
    Picture("import", _OPERATOR, "/import"),
    Picture("import-columns", _OPERATOR, "/import", upload=_EXPORT),
    Picture("taking-part", _JUNIOR, "/programmes", (".card a[href$='/part']",)),
    Picture("not-found", _JUNIOR, "/nowhere", status=404),
    Picture("not-allowed", _JUNIOR, "/import", status=403),
    Picture("operations", _OPERATOR, "/operations", empty="[id^=summary-]:not(:has(.badge))"),
    Picture("operations-of-a-service", _OPERATOR, "/operations/matching"),
)


EVERYTHING: Final = tuple(
    View(language, size, f"{'' if language == 'en' else f'-{language}'}{suffix}.png")
    for language in ("en", *LANGUAGES)
    for size, suffix in ((_DESK, ""), (_PHONE, "-phone"))
)
TOUR: Final = View(
    "en",
    _DESK,
    ".jpeg",
    only=(
        *("home-of-a-junior", "proposals", "discover", "mentorship-running", "programme-form", "programme"),
        *("programme-invite", "insights", "taxonomy", "import-columns", "operations-of-a-service"),
    ),
)
"""What `docs/tour.md` shows."""


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


async def show(page: Page, address: str, picture: Picture) -> Response | None:
    """Open what is to be seen in a signed-in browser; the answer that it came with."""
    answer = await page.goto(f"{address}{picture.path}")
    if picture.upload:
        file: FilePayload = {"name": "export.csv", "mimeType": "text/csv", "buffer": picture.upload.encode()}
        await page.locator("input[type=file]").set_input_files(file)
        async with page.expect_navigation() as navigation:
            await page.locator("form:has(input[type=file]) button[type=submit]").first.click()
        answer = await navigation.value
    for link in picture.then:
        async with page.expect_navigation() as navigation:
            await page.locator(link).first.click()
        answer = await navigation.value
    if picture.unfold:
        await page.locator(picture.unfold).first.click()
    if picture.empty:
        await page.locator(picture.empty).first.wait_for(state="detached")
    return answer


async def take(folder: Path, say: Say, views: Sequence[View]) -> None:
    """Start a stack, take the pictures of these views into the folder, and stop it."""
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
                for view in views:
                    seen = [each for each in pictures if view.shows(each.name)]
                    await _all_pages(chromium, stack.address, seen, view, folder)
                    taken = len(seen) + view.shows("sign-in")
                    say(f"{taken} pictures, {view.language}, {view.size[0]} points wide, in {folder}")
                await chromium.close()
        finally:
            await asyncio.shield(stack.stop())


async def _all_pages(chromium: Browser, address: str, pictures: Iterable[Picture], view: View, folder: Path) -> None:
    signed_in: dict[str, Page] = {}
    for picture in pictures:
        if picture.email not in signed_in:
            page = await _opened(chromium, view)
            await page.goto(f"{address}/sign-in")
            if view.shows("sign-in"):
                await _keep(page, folder, "sign-in", view)
            await _sign_in(page, picture.email, address)
            signed_in[picture.email] = page
        page = signed_in[picture.email]
        await show(page, address, picture)
        await _keep(page, folder, picture.name, view)


async def _keep(page: Page, folder: Path, name: str, view: View) -> None:
    """The whole page; for the documentation the part that a screen shows, small enough to be kept with it."""
    path = folder / f"{name}{view.suffix}"
    if view.only:
        await page.screenshot(path=path, type="jpeg", quality=_QUALITY)
    else:
        await page.screenshot(path=path, full_page=True)


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
