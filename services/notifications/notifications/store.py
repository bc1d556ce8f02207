"""Where notifications keeps its threads and its ledger, and the queries it asks of them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from chassis.delivery import Delivery
from chassis.state.documents import Documents
from chassis.state.mongo import Index

from chassis import clock
from notifications.domain import Notice, Thread
from notifications.ledger import Ledger

MOST_THREADS: Final = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with the thread that it stands in."""

    thread: Thread
    notice: Notice

    @property
    def place(self) -> str:
        """Where it stands in an inbox, newest first; also the cursor behind it."""
        return f"{self.notice.at}~{self.thread.id}~{self.notice.number:06}"


@dataclass(frozen=True, slots=True)
class Inbox:
    """What one member was told, newest first."""

    notices: list[Told]

    @property
    def unread(self) -> list[Told]:
        """What the member has not seen yet."""
        return [told for told in self.notices if told.notice.unread]

    @property
    def read(self) -> "Inbox":
        """What the member has seen."""
        return Inbox([told for told in self.notices if not told.notice.unread])

    def after(self, cursor: str | None, *, limit: int) -> tuple[list[Told], str | None]:
        """At most `limit` notices behind a cursor, and the cursor behind those; none at the end."""
        rest = [told for told in self.notices if cursor is None or told.place < cursor]
        shown = rest[:limit]
        return shown, shown[-1].place if len(rest) > limit else None


class Store:
    """Notifications' collections."""

    def __init__(self, delivery: Delivery) -> None:
        self.threads: Documents[Thread] = delivery.documents(
            Thread, "threads", indexes=[Index((("tenant", 1), ("participants", 1)))]
        )
        self.ledger = Ledger(delivery.collection("ledger"))

    async def inbox(self, tenant: str, member: str) -> Inbox:
        """Everything that a member was told."""
        threads = await self.threads.find(tenant, {"participants": member}, limit=MOST_THREADS)
        told = [Told(thread, notice) for thread in threads for notice in thread.of(member)]
        return Inbox(sorted(told, key=lambda each: each.place, reverse=True))

    async def mark_read(self, member: str, seen: Mapping[str, Collection[str]], threads: Iterable[Thread]) -> None:
        """A member has seen these notices, named by thread."""
        at = clock.timestamp()
        for thread in threads:
            mark = partial(Thread.mark_read, member=member, notices=seen[thread.id], at=at)
            await self.threads.change(thread.tenant, thread.id, mark)
