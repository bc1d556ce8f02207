"""Open inbox pages of this process, and how they hear that there is something new.

Every replica follows the whole topic of notices; each wakes the pages that it holds. A wake-up carries nothing: the
page reads the inbox again, which by then holds the notice, because a notice is announced after it is stored.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from chassis.consuming.records import Received
from contracts.notifications import NoticeSent

STREAM_SECONDS: Final = 900.0
"""After this long the browser connects anew, and who it is gets checked anew."""
_Member = tuple[str, str]


class Streams:
    """The open streams, by tenant and member."""

    def __init__(self, *, seconds: float = STREAM_SECONDS) -> None:
        self._seconds = seconds
        self._open: dict[_Member, set[asyncio.Event]] = {}

    def wake(self, event: Received[NoticeSent]) -> None:
        """Somebody was told something: wake the pages of that member."""
        if event.data is not None:
            self.nudge(event.tenant, event.data.member)

    def nudge(self, tenant: str, member: str) -> None:
        """Something changed for a member: wake the pages that this process holds."""
        for stream in self._open.get((tenant, member), ()):
            stream.set()

    async def follow(self, tenant: str, member: str) -> AsyncIterator[str]:
        """``opened`` once the stream can miss nothing any more, then ``notice`` for each wake-up, several as one."""
        ends_at = time.monotonic() + self._seconds
        with self._opened((tenant, member)) as news:
            yield "opened"
            while await _set_within(news, ends_at - time.monotonic()):
                news.clear()
                yield "notice"

    @contextmanager
    def _opened(self, member: _Member) -> Iterator[asyncio.Event]:
        news = asyncio.Event()
        self._open.setdefault(member, set()).add(news)
        try:
            yield news
        finally:
            self._open[member].discard(news)
            if not self._open[member]:
                del self._open[member]


async def _set_within(news: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await news.wait()
    except TimeoutError:
        return False
    return True
