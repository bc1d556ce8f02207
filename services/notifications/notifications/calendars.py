"""When and where two people meet, asked from matching for one mail: topics and threads never hold it."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import httpx
from chassis.errors import TransientError, UnavailableError
from chassis.trust import trusted
from chassis.web.calendar import Entry
from chassis.web.identity import ServiceTokens
from pydantic import BaseModel, TypeAdapter, ValidationError

from chassis import translation
from notifications.domain.notice import Notice
from notifications.domain.thread import Thread
from notifications.settings import NotificationsSettings

_PATH: Final = "/api/matching/v1/calendar-entries"
_TIMEOUT: Final = httpx.Timeout(3.0, connect=1.0)


class Time(BaseModel):
    """What a wall clock shows in its zone, and the moment that this is."""

    local: str
    zone: str
    at: str


class Session(BaseModel):
    """A session as it stands now, in the reader's language; held for one mail and never stored."""

    version: int
    called_off: bool
    over: bool
    uid: str
    time: Time
    minutes: int
    summary: str
    description: str
    page: str
    place: str
    reader_zone: str

    @property
    def entry(self) -> Entry:
        """What stands in the reader's calendar."""
        return Entry(
            uid=self.uid,
            version=self.version,
            starts=datetime.fromisoformat(self.time.local).replace(tzinfo=ZoneInfo(self.time.zone)),
            minutes=self.minutes,
            summary=self.summary,
            description=self.description,
            page=self.page,
            place=self.place,
            cancelled=self.called_off,
        )


_ANSWER: Final[TypeAdapter[Session | None]] = TypeAdapter(Session | None)


class Calendars:
    """Asks matching for calendar entries."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._tokens = ServiceTokens(settings, "calendar")
        self._client = httpx.AsyncClient(base_url=settings.matching_url, timeout=_TIMEOUT, verify=trusted())

    async def session(self, thread: Thread, notice: Notice) -> Session | None:
        """The session that a notice is about; none when something newer is known, whose own mail answers for all.

        Raises:
            TransientError: matching can't be asked now.
        """
        if (asked := notice.entry) is None:
            return None
        body = {
            "tenant": thread.tenant,
            "mentorship": thread.id,
            "session": asked.session,
            "member": notice.member,
        }
        try:
            headers = {**await self._tokens.headers(), "Accept-Language": translation.current().tag}
            response = await self._client.post(_PATH, json=body, headers=headers)
            response.raise_for_status()
            found = _ANSWER.validate_json(response.content)
        except (httpx.HTTPError, UnavailableError, ValidationError) as error:
            raise TransientError(f"matching: {type(error).__name__}") from error
        return found if found is not None and found.version == asked.version and not found.over else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tokens.aclose()
        await self._client.aclose()
