"""What a web test of profiles holds."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
from profile_provider import Provider
from profiles.domain import Member
from profiles.rosters.importing import Report
from profiles.store import Store

TENANT = "demo"
SITE = "http://turnabout.example"


@dataclass
class Site:
    """The store behind, the provider beside, and browsers to look with."""

    store: Store
    provider: Provider
    browser: Callable[[], httpx.AsyncClient]

    async def signed_in(self, email: str) -> httpx.AsyncClient:
        """A browser in which this person is signed in."""
        self.provider.email = email
        browser = self.browser()
        response = await browser.get("/sign-in", params={"go": "yes", "next": "/profile"}, follow_redirects=True)
        assert response.status_code == 200, response.text
        return browser

    async def member(self, email: str) -> Member:
        """The stored member."""
        return (await self.store.by_email(TENANT, [email]))[email]


async def silent(_report: Report) -> None:
    """Progress that nobody looks at."""
