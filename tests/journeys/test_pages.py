"""Every page of the stack, as the person sees it for whom it is made: nothing that keeps anybody out, and light."""

import pytest
from axe_playwright_python.async_playwright import Axe
from english_words import english_left, shown
from local.messages import LANGUAGES
from local.screenshots import PICTURES, Picture
from local.stack import Stack
from people_at_work import sign_in
from playwright.async_api import Browser, BrowserContext

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
_MOST_BYTES = 100_000


@pytest.fixture(scope="module")
async def sessions(stack: Stack, browser: Browser) -> dict[str, BrowserContext]:
    """A signed-in browser of everybody who looks at a page."""
    emails = {picture.email for picture in PICTURES}
    return {email: (await sign_in(browser, stack.address, email)).context for email in sorted(emails)}


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize("picture", PICTURES, ids=[picture.name for picture in PICTURES])
async def test_a_page_passes_axe_and_is_light(
    stack: Stack, sessions: dict[str, BrowserContext], picture: Picture, language: str
) -> None:
    """No failure of WCAG 2.2 AA that axe can find; a hundred kilobytes at most, the parts that stay cached aside.

    In another language, no English is left.
    """
    page = await sessions[picture.email].new_page()
    await page.set_extra_http_headers({"Accept-Language": language})
    answer = await page.goto(f"{stack.address}{picture.path}")
    for link in picture.then:
        async with page.expect_navigation() as navigation:
            await page.locator(link).first.click()
        answer = await navigation.value
    if picture.unfold:
        await page.locator(picture.unfold).first.click()
    assert answer is not None
    assert answer.ok
    assert len(await answer.body()) <= _MOST_BYTES
    found = await Axe().run(page, options=_RULES)
    assert found.violations_count == 0, found.generate_report()
    assert await page.locator("html").get_attribute("lang") == language
    assert language == "en" or english_left(shown(await page.content()), language) == set()
    await page.close()
