"""People who use the running stack: in a browser, or over HTTP as a browser would."""

import re
from dataclasses import dataclass

import httpx
from playwright.async_api import Browser, Page

IDEMPOTENCY_KEY = re.compile(r'name="idempotency_key" value="([^"]+)"')


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


@dataclass(frozen=True)
class Member:
    """Somebody signed in over HTTP: the same cookies and forms, without the browser's weight."""

    email: str
    client: httpx.AsyncClient

    async def submit(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Open a page, take its idempotency key, and submit one of its forms."""
        shown = (await self.client.get(page)).raise_for_status().text
        form = shown[shown.index(f'action="{action}"') :]
        key = IDEMPOTENCY_KEY.search(form)
        if key is None:
            raise LookupError(f"no form for {action} on {page}")
        return await self.client.post(action, data={"idempotency_key": key.group(1), **fields})


async def member(address: str, email: str) -> Member:
    """Sign in through the identity provider without a browser."""
    client = httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=30, headers={"Origin": address})
    shown = await client.get("/sign-in")
    start = re.search(r'href="(/sign-in[^"]*)"', shown.text)
    asked = await client.get(start.group(1).replace("&amp;", "&") if start else "/sign-in")
    home = await client.post(asked.url, data={"email": email})
    home.raise_for_status()
    return Member(email, client)
