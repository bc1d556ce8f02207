"""Matching's pages and API over the real database, with a stand-in for profiles."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from matching.app import make_app
from matching.domain.members import Member
from matching.store import Store
from matching_people import a_profile, an_entry
from matching_world import a_store, api_settings
from web_edge import PUBLIC_URL, Profiles, a_key, a_token, served


@dataclass
class Site:
    """The application of one tenant, in which olga may set programmes up."""

    store: Store
    tenant: str
    app: Any
    key: Any

    @asynccontextmanager
    async def as_(self, member: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client in which this member is signed in."""
        token = a_token(self.key, sub=member, tid=self.tenant, roles=["organiser"] if member == "olga" else [])
        transport, headers = httpx.ASGITransport(self.app), {"Authorization": f"Bearer {token}", "Origin": PUBLIC_URL}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as client:
            yield client

    async def employ(self, member: str, level: int, unit: str, **profile: object) -> None:
        """Somebody who offers and seeks AI tools, unless their profile says otherwise."""
        person = Member.unknown(self.tenant, member)
        person.learn_directory(an_entry(member, level=level, unit=unit))
        person.learn_profile(a_profile(member, **{"seeks": ("ai-tools",), **profile}), 1)
        person.take_uncommitted()
        await self.store.members.insert(person)


@asynccontextmanager
async def a_site(kafka: str, database: str, *names: str) -> AsyncIterator[Site]:
    """A site; `names` are people whom profiles knows: by their ids with a capital, at acme.example."""
    key, tenant = a_key("k1"), f"tenant-{uuid.uuid4().hex[:8]}"
    areas = {"ai-tools": "AI tools", "social-media": "Social media"}
    cards = {name: name.capitalize() for name in ("olga", "luis", *names)}
    profiles = Profiles([key], cards, {f"{name}@acme.example": name for name in cards}, areas)
    async with served(profiles.app()) as address:
        settings = api_settings(kafka, database).model_copy(update={"profiles_url": address, "public_url": PUBLIC_URL})
        async with a_store(settings) as store:
            yield Site(store, tenant, make_app(settings, store), key)
