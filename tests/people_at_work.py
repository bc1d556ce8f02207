"""People who use the running stack: in a browser, or over HTTP as a browser would."""

import asyncio
import csv
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from chassis.settings import LOCAL_SECRET
from playwright.async_api import Browser, Page


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
    """Somebody signed in over HTTP: the same session cookie as in a browser, without the browser's weight."""

    email: str
    id: str
    client: httpx.AsyncClient

    def at(self, address: str) -> "Member":
        """The same person in the same session, who reaches one replica directly instead of through the gateway."""
        client = httpx.AsyncClient(
            base_url=address, timeout=30, cookies=self.client.cookies, headers={"Origin": self.client.headers["Origin"]}
        )
        return Member(self.email, self.id, client)

    async def name(self) -> str:
        """As others see it."""
        return str((await self.client.get("/api/profiles/v1/me")).raise_for_status().json()["name"])

    async def proposals(self) -> list[dict[str, Any]]:
        """My open proposals."""
        answer = (await self.client.get("/api/matching/v1/proposals")).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def mentorship(self, mentorship: str) -> dict[str, Any]:
        """One of mine."""
        found: dict[str, Any] = (await self.persist("GET", f"/api/matching/v1/mentorships/{mentorship}")).json()
        return found

    async def accept(self, mentorship: str) -> dict[str, Any]:
        """Say yes."""
        answer = await self.persist("POST", f"/api/matching/v1/proposals/{mentorship}/accept")
        found: dict[str, Any] = answer.json()
        return found

    async def agree(self, mentorship: str) -> None:
        """Confirm the agreement as it stands."""
        version = (await self.mentorship(mentorship))["agreement"]["version"]
        where = f"/api/matching/v1/mentorships/{mentorship}/agreement/confirmations"
        await self.persist("POST", where, {"version": version})

    async def log_session(self, mentorship: str, day: date, outcome: str) -> None:
        """Say what became of a day's session."""
        where = f"/api/matching/v1/mentorships/{mentorship}/sessions"
        await self.persist("POST", where, {"day": day.isoformat(), "outcome": outcome})

    async def notices(self) -> list[dict[str, Any]]:
        """My inbox, newest first."""
        found: list[dict[str, Any]] = (await self.persist("GET", "/api/notifications/v1/notices")).json()["notices"]
        return found

    async def persist(self, method: str, url: str, body: object = None, seconds: float = 40) -> httpx.Response:
        """Send until an answer comes, always with the same idempotency key, as a client should after a crash."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        async with asyncio.timeout(seconds):
            while True:
                try:
                    answer = await self.client.request(method, url, json=body, headers=key)
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
                    continue
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer.raise_for_status()
                await asyncio.sleep(0.2)


async def emails_by_member(profiles_url: str, emails: Sequence[str]) -> dict[str, str]:
    """Member id → address, asked of profiles with a service's token."""
    secret = LOCAL_SECRET.get_secret_value()
    form = {"client_id": "matching", "client_secret": secret, "purpose": "programme-leads"}
    found: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=f"{profiles_url}/api/profiles/v1", timeout=30) as client:
        token = (await client.post("/service-tokens", data=form)).raise_for_status().json()["access_token"]
        for start in range(0, len(emails), 100):
            asked = {"emails": list(emails[start : start + 100])}
            answer = await client.post("/lookup", json=asked, headers={"Authorization": f"Bearer {token}"})
            found |= {member: email for email, member in answer.raise_for_status().json()["members"].items()}
    return found


def roster_emails(file: Path) -> list[str]:
    """The addresses of a roster."""
    with file.open(newline="") as rows:
        return [row["email"] for row in csv.DictReader(rows)]


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


async def member(address: str, email: str) -> Member:
    """Sign in through the identity provider without a browser."""
    client = httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=30, headers={"Origin": address})
    asked = (await client.get("/sign-in", params={"go": "1"})).raise_for_status()
    (await client.post(asked.url, data={"email": email})).raise_for_status()
    me = (await client.get("/api/profiles/v1/me")).raise_for_status().json()
    return Member(email, me["member"], client)
