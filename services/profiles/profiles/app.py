"""The composition root of profiles."""

from chassis.app import Service
from chassis.translation import Catalogues
from chassis.web import identity, operations
from chassis.web.http import make_api
from fastapi import FastAPI
from httpx import ASGITransport

from profiles import api, pages, regional, taking_part
from profiles.parts import Parts
from profiles.rosters import imports
from profiles.rosters.uploads import Uploads
from profiles.settings import ProfilesSettings
from profiles.signin import Provider
from profiles.store import Store
from profiles.taxonomy import api as taxonomy_api
from profiles.taxonomy import pages as taxonomy_pages
from profiles.taxonomy import versions as taxonomy_versions
from profiles.tokens import Tokens


def compose(settings: ProfilesSettings) -> Service[Store]:
    """The service as one process."""
    return Service(
        settings,
        "profiles",
        store_factory=Store.on,
        app_factory=lambda store: make_app(settings, store, Provider(settings)),
    )


def make_app(settings: ProfilesSettings, store: Store, provider: Provider) -> FastAPI:
    """The HTTP application. It checks tokens by its own key set, asked without a network.

    Args:
        settings: as read from the environment.
        store: the service's database.
        provider: the identity provider that people sign in with.
    """
    catalogues = Catalogues.of("profiles", "chassis")
    app = make_api("profiles", settings=settings, catalogues=catalogues)
    app.state.parts = Parts(
        settings=settings,
        store=store,
        tokens=Tokens(store, settings),
        provider=provider,
        uploads=Uploads(store, settings.tenant),
        languages=catalogues.tags,
    )
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(imports.router)
    app.include_router(regional.router)
    app.include_router(taking_part.router)
    app.include_router(taxonomy_api.router)
    app.include_router(taxonomy_pages.router)
    app.include_router(taxonomy_versions.router)
    app.include_router(operations.router("profiles", settings))
    app.include_router(operations.overview())
    identity.install(app, settings, transport=ASGITransport(app))
    return app
