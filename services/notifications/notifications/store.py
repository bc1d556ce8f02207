"""Where notifications keeps its threads, its ledger and preferences, and the queries it asks of them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from chassis.delivery import Delivery
from chassis.state.documents import Documents
from chassis.state.mongo import Index

from chassis import clock
from notifications.domain.notice import Notice
from notifications.domain.thread import Thread
from notifications.ledger import Ledger
from notifications.preferences import Channel, Preferences

R = TypeVar("R")
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
            Thread, "threads", indexes=[Index((("tenant", 1), ("participants", 1))), Index((("mails_due", 1),))]
        )
        self.preferences: Documents[Preferences] = delivery.documents(Preferences, "preferences")
        self.ledger = Ledger(delivery.collection("ledger"))

    async def inbox(self, tenant: str, member: str) -> Inbox:
        """Everything that a member was told, except for the kinds that they do not want to see here."""
        wishes = await self.preferences_of(tenant, member)
        threads = await self.threads.find(tenant, {"participants": member}, limit=MOST_THREADS)
        told = [Told(thread, notice) for thread in threads for notice in thread.of(member)]
        shown = [each for each in told if wishes.allows(each.notice.kind, Channel.INBOX)]
        return Inbox(sorted(shown, key=lambda each: each.place, reverse=True))

    async def preferences_of(self, tenant: str, member: str) -> Preferences:
        """What a member chose, or what holds for everybody who has chosen nothing."""
        return await self.preferences.get(tenant, member) or Preferences.none_yet(tenant, member)

    async def change_preferences(
        self, tenant: str, member: str, decide: Callable[[Preferences], R], *, if_match: str | None = None
    ) -> R:
        """Change one member's preferences in one compare-and-set."""
        return await self.preferences.change(
            tenant, member, decide, create=lambda: Preferences.none_yet(tenant, member), if_match=if_match
        )

    async def mark_read(self, member: str, seen: Mapping[str, Collection[str]], threads: Iterable[Thread]) -> None:
        """A member has seen these notices, named by thread."""
        at = clock.timestamp()
        for thread in threads:
            mark = partial(Thread.mark_read, member=member, notices=seen[thread.id], at=at)
            await self.threads.change(thread.tenant, thread.id, mark)
