"""What handlers and requests may use, composed once in `notifications.app`."""

from dataclasses import dataclass
from typing import Annotated

from chassis.translation import Catalogues
from chassis.web.cards import Cards
from fastapi import Depends, Request

from notifications.areas import Areas
from notifications.calendars import Calendars
from notifications.channels import AddressBook, Mailer
from notifications.live import Streams
from notifications.settings import NotificationsSettings
from notifications.store import Store
from notifications.unsubscribe import Seal


@dataclass(frozen=True, slots=True)
class Parts:
    """The long-lived objects of this process."""

    settings: NotificationsSettings
    store: Store
    addresses: AddressBook
    calendars: Calendars
    mailer: Mailer
    seal: Seal
    areas: Areas
    cards: Cards
    streams: Streams
    catalogues: Catalogues


def parts_of(request: Request) -> Parts:
    """The parts of the process that answers this request."""
    found: Parts = request.app.state.parts
    return found


HasParts = Annotated[Parts, Depends(parts_of)]
