"""What notifications says: that somebody was told something, never the words."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import AggregateId, Event, MemberId, Pseudonymous
from contracts.topics import NOTICE, Topic


class NoticeSent(Event):
    """A notice reached a member's inbox. Its key is the thread, so one mentorship's notices stay in order."""

    topic: ClassVar[Topic] = NOTICE
    fact: ClassVar[str] = "notice-sent"

    notice: AggregateId
    member: MemberId
    thread: AggregateId
    kind: Annotated[str, Field(description="Which notice, for example match-proposed."), Pseudonymous]
