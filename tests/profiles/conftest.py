"""The profiles application on a fresh database, with its people and an identity provider."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from chassis.ids import new_id
from profile_provider import ISSUER
from profile_provider import Provider as OtherParty
from profile_rosters import a_file, a_row
from profile_site import SITE, TENANT, Site, silent
from profiles.app import compose, make_app
from profiles.rosters.importing import import_roster
from profiles.settings import ProfilesSettings
from profiles.signin import Provider
from profiles.store import Store


@pytest.fixture
def settings(database: str) -> ProfilesSettings:
    """Settings of a fresh database; nothing here needs the broker."""
    return ProfilesSettings(
        mongo=database,
        database_prefix=f"t{new_id()[-12:]}-",
        log_level="ERROR",
        public_url=SITE,
        profiles_url=SITE,
        oidc_issuer=ISSUER,
    )


@pytest.fixture
async def store(settings: ProfilesSettings) -> AsyncIterator[Store]:
    """A fresh database, its indexes created, nothing published."""
    async with compose(settings).opened(relaying=False) as (delivery, opened):
        await delivery.migrate()
        yield opened


@pytest.fixture
async def site(settings: ProfilesSettings, store: Store, tmp_path: Path) -> AsyncIterator[Site]:
    """The application with three people: Ana in sales, her manager Ben, and Olu, who is an operator."""
    people = [
        a_row("E1", name="Ben Berg", email="ben@demo.example", level="7", function="key-accounts"),
        a_row("E2", name="Ana Adler", email="ana@demo.example", manager_id="E1", function="sales", site="leeds-2"),
        a_row(
            "E3",
            name="Olu Obi",
            email="olu@demo.example",
            manager_id="E1",
            roles="operator",
            languages="en",
            function="legal",
        ),
    ]
    await import_roster(store, TENANT, a_file(tmp_path / "people.csv", *people), silent)
    other = OtherParty()
    transport = httpx.ASGITransport(other.app())
    app = make_app(settings, store, Provider(settings, transport=transport))
    browsers: list[httpx.AsyncClient] = []

    def browser() -> httpx.AsyncClient:
        opened = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), mounts={ISSUER: transport}, base_url=SITE, headers={"Origin": SITE}
        )
        browsers.append(opened)
        return opened

    yield Site(store, other, browser)
    for each in browsers:
        await each.aclose()
