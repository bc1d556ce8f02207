"""Analytics, composed."""

from chassis.app import Service
from chassis.web import operations
from chassis.web.http import make_api
from contracts.topics import Topic
from fastapi import FastAPI

from analytics import api, pages
from analytics.progress import Progress
from analytics.projections import handlers
from analytics.publishing import Publisher
from analytics.settings import SERVICE, Settings
from analytics.store import Store


def build(settings: Settings) -> Service[Store]:
    """The service of one process."""
    publishers: dict[int, Publisher] = {}

    def publisher_of(store: Store) -> Publisher:
        made = Publisher(store, Progress(settings, _topics_of_groups()), settings.least_group)
        return publishers.setdefault(id(store), made)

    def web(store: Store) -> FastAPI:
        app = make_api(SERVICE, settings=settings)
        app.state.publisher = publisher_of(store)
        app.include_router(api.router)
        app.include_router(pages.router)
        app.include_router(operations.router(SERVICE, settings))
        return app

    return Service(
        settings,
        SERVICE,
        store_factory=Store,
        app_factory=web,
        handlers=handlers,
        background=lambda store: [publisher_of(store).run],
    )


def _topics_of_groups() -> dict[str, set[Topic]]:
    """The consumer groups on the wire, and what each reads."""
    return {group.name: {event.topic for event in group.handlers} for group in handlers.groups.values()}
