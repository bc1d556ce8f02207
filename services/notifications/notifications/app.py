"""The composition root of notifications."""

from chassis.app import Service
from chassis.consuming.reader import TopicReader
from chassis.delivery import Delivery
from chassis.state.timers import Timer
from chassis.translation import Catalogues
from chassis.web import operations
from chassis.web.cards import Cards
from chassis.web.http import make_api
from contracts.notifications import NoticeSent
from fastapi import FastAPI

from notifications import api, pages, preference_api, preference_pages
from notifications.areas import Areas
from notifications.calendars import Calendars
from notifications.channels import AddressBook, Mailer
from notifications.handlers import handlers, release_mails, works
from notifications.live import Streams
from notifications.parts import Parts
from notifications.settings import NotificationsSettings
from notifications.store import Store
from notifications.unsubscribe import Seal


def compose(settings: NotificationsSettings) -> Service[Parts]:
    """The service as one process."""

    def parts(delivery: Delivery) -> Parts:
        return Parts(
            settings=settings,
            store=Store(delivery),
            addresses=AddressBook(settings),
            calendars=Calendars(settings),
            mailer=Mailer(settings),
            seal=Seal(settings),
            areas=Areas(settings),
            cards=Cards(settings),
            streams=Streams(),
            catalogues=Catalogues.of("notifications", "chassis"),
        )

    return Service(
        settings,
        "notifications",
        store_factory=parts,
        app_factory=_make_app,
        handlers=handlers,
        works=works,
        timers=lambda parts: [Timer(parts.store.threads, release_mails, field="mails_due")],
        readers=lambda parts: [
            TopicReader(settings, [NoticeSent], parts.streams.wake, from_now=True),
            parts.areas.reader(settings),
        ],
    )


def _make_app(parts: Parts) -> FastAPI:
    app = make_api("notifications", settings=parts.settings, catalogues=parts.catalogues)
    app.state.parts = parts
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(preference_api.router)
    app.include_router(preference_pages.router)
    app.include_router(operations.router("notifications", parts.settings))
    return app
