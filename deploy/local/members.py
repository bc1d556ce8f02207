"""People who use the running stack over HTTP, as a browser would, without the browser's weight."""

import asyncio
import csv
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from chassis.settings import LOCAL_SECRET
from chassis.trust import trusted


@dataclass(frozen=True)
class Member:
    """Somebody signed in over HTTP: the same session cookie as in a browser."""

    email: str
    id: str
    client: httpx.AsyncClient

    def at(self, address: str) -> "Member":
        """The same person in the same session, who reaches one replica directly instead of through the gateway."""
        client = httpx.AsyncClient(
            base_url=address,
            timeout=30,
            cookies=self.client.cookies,
            headers={"Origin": self.client.headers["Origin"]},
            verify=trusted(),
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

    async def persist(
        self, method: str, url: str, body: object = None, seconds: float = 40, *, if_match: str | None = None
    ) -> httpx.Response:
        """Send until an answer comes, always with the same idempotency key, as a client should after a crash."""
        key = {"Idempotency-Key": str(uuid.uuid4())} | ({"If-Match": if_match} if if_match else {})
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

    async def submit(self, url: str, form: Mapping[str, str]) -> None:
        """Send a form of a page, as its button does; what comes of it is asked of the API."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = await self.client.post(url, data=form, headers=key, follow_redirects=False)
        if answer.status_code != httpx.codes.SEE_OTHER:
            answer.raise_for_status()


async def member(address: str, email: str) -> Member:
    """Sign in through the identity provider without a browser."""
    client = httpx.AsyncClient(
        base_url=address, follow_redirects=True, timeout=30, headers={"Origin": address}, verify=trusted()
    )
    asked = (await client.get("/sign-in", params={"go": "1"})).raise_for_status()
    (await client.post(asked.url, data={"email": email})).raise_for_status()
    me = (await client.get("/api/profiles/v1/me")).raise_for_status().json()
    return Member(email, me["member"], client)


async def emails_by_member(profiles_url: str, emails: Sequence[str]) -> dict[str, str]:
    """Member id → address, asked of profiles with a service's token."""
    secret = LOCAL_SECRET.get_secret_value()
    form = {"client_id": "matching", "client_secret": secret, "purpose": "lookup"}
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
    return [row["email"] for row in roster_rows(file)]


def roster_rows(file: Path) -> list[dict[str, str]]:
    """The people of a roster."""
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows))


async def until(is_so: Callable[[], Awaitable[bool]], *, seconds: float = 120) -> None:
    """Ask again until it is so.

    Raises:
        TimeoutError: it took longer.
    """
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(0.1)
