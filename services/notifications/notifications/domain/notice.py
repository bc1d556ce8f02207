"""One thing that one member is told: what it is about, and which of them also go out as mail."""

from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from contracts.matching import Status
from pydantic import BaseModel, ConfigDict

_NOTICE_IDS: Final = UUID("5a0c1a52-6f0f-4f3e-9a57-0b7c2a9b6f11")


class Kind(StrEnum):
    """What a notice is about. The values travel in `NoticeSent`."""

    MATCH_PROPOSED = "match-proposed"
    ASKED = "asked"
    """Like a proposal, but a person began it and has said yes."""
    ANSWER_AWAITED = "answer-awaited"
    MATCH_ACCEPTED = "match-accepted"
    MATCH_CLOSED = "match-closed"
    MENTORSHIP_STARTED = "mentorship-started"
    SESSION_HELD = "session-held"
    SESSION_CANCELLED = "session-cancelled"
    MENTORSHIP_PAUSED = "mentorship-paused"
    MENTORSHIP_RESUMED = "mentorship-resumed"
    MENTORSHIP_ENDED = "mentorship-ended"
    TIMES_PROPOSED = "times-proposed"
    SESSION_ARRANGED = "session-arranged"
    SESSION_MOVED = "session-moved"
    SESSION_CALLED_OFF = "session-called-off"
    SESSION_NEAR = "session-near"
    INVITED = "invited"
    """A programme's lead thinks of them as a mentor."""
    DELEGATED = "delegated"
    TIMES_TO_PICK = "times-to-pick"
    PLAN_CHANGED = "plan-changed"
    DELEGATE_GONE = "delegate-gone"
    """The mentee's: whoever arranged their times stepped down, or has left."""


ASKING: Final = frozenset({Kind.MATCH_PROPOSED, Kind.ASKED, Kind.ANSWER_AWAITED})
TIMES: Final = frozenset({Kind.TIMES_PROPOSED, Kind.TIMES_TO_PICK})
FOR_DELEGATES: Final = frozenset({Kind.DELEGATED, Kind.TIMES_TO_PICK, Kind.PLAN_CHANGED})
AWAITING: Final = ASKING | TIMES
"""Which notices ask their reader for an answer, to a proposal or to times; somebody waits for it."""
UNANSWERED: Final = frozenset({Status.PROPOSED, Status.HALF_ACCEPTED})
MAILED: Final = {
    Kind.MATCH_PROPOSED: UNANSWERED,
    Kind.ASKED: UNANSWERED,
    Kind.ANSWER_AWAITED: frozenset({Status.HALF_ACCEPTED}),
    Kind.MENTORSHIP_STARTED: frozenset({Status.STARTED}),
    Kind.SESSION_ARRANGED: frozenset({Status.STARTED}),
    Kind.SESSION_MOVED: frozenset({Status.STARTED}),
    Kind.SESSION_CALLED_OFF: frozenset({Status.STARTED, Status.PAUSED, Status.ENDED}),
    Kind.SESSION_NEAR: frozenset({Status.STARTED}),
    Kind.INVITED: frozenset({Status.PROPOSED}),
    Kind.DELEGATED: frozenset(Status) - {Status.ENDED, Status.CLOSED},
    Kind.TIMES_TO_PICK: frozenset({Status.STARTED}),
    Kind.PLAN_CHANGED: frozenset({Status.STARTED, Status.PAUSED}),
    Kind.DELEGATE_GONE: frozenset(Status) - {Status.ENDED, Status.CLOSED},
}
"""Which notices also ask for a mail, and the statuses in which what that mail says is still so."""


class CalendarEntry(BaseModel):
    """Which calendar entry a notice is about, in which version. What stands in it is asked from matching."""

    model_config = ConfigDict(frozen=True)

    session: str
    version: int


class Notice(BaseModel):
    """One thing that one member is told."""

    id: str
    number: int
    """Counts within the thread: facts of the same millisecond keep their order."""
    member: str
    kind: Kind
    at: str
    read_at: str | None = None
    mail_waits_until: int = 0
    """The end of its reader's quiet hours into which its mail fell, in unix seconds; 0 when it fell into none."""
    entry: CalendarEntry | None = None

    @property
    def unread(self) -> bool:
        """Not seen yet."""
        return self.read_at is None


def notice_id(event_id: str, member: str) -> str:
    """The id of the notice by which a member hears of an event; the same however often the event arrives."""
    return str(uuid5(_NOTICE_IDS, f"{event_id}:{member}"))
