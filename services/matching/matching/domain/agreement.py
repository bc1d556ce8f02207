"""What a pair settles before a mentorship starts, and the sessions it then holds."""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from chassis.errors import ConflictError
from chassis.state.aggregate import Aggregate
from contracts.matching import Outcome, SessionCount, Side
from pydantic import BaseModel, ConfigDict, Field

LONGEST_REFLECTION: Final = 2000
"""Characters that one side may keep about a session."""


LONGEST_GOALS: Final = 2000


class Cadence(StrEnum):
    """How often the pair means to meet."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


class Medium(StrEnum):
    """Where the pair meets."""

    VIDEO = "video"
    IN_PERSON = "in-person"
    PHONE = "phone"
    MIXED = "mixed"


class Customs(BaseModel):
    """How a pair means to meet. A programme has its own, with which every agreement of its pairs begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cadence: Cadence = Cadence.MONTHLY
    medium: Medium = Medium.VIDEO
    minutes: Annotated[int, Field(ge=15, le=180)] = 50
    months: Annotated[int, Field(ge=1, le=24)] = 6


class Intent(Customs):
    """The content of an agreement. `goals` is the pair's own text and never leaves this service."""

    mentor: str
    areas: Annotated[tuple[str, ...], Field(min_length=1, max_length=5)]
    goals: Annotated[str, Field(max_length=LONGEST_GOALS)] = ""


class Agreement(BaseModel):
    """An intent with its version, and who has confirmed exactly that version."""

    intent: Intent
    version: int = 1
    confirmed: list[Side] = Field(default_factory=list)

    def edit(self, expected: int, intent: Intent) -> bool:
        """Replace the intent; every confirmation of the earlier text is void.

        Returns:
            Whether anything changed.

        Raises:
            ConflictError: the editor had another version on the screen, or named another mentor.
        """
        self._expect(expected)
        if intent.mentor != self.intent.mentor:
            raise ConflictError("Who mentors was settled when you both accepted. For the other way round, ask a lead.")
        if intent == self.intent:
            return False
        self.intent, self.version, self.confirmed = intent, self.version + 1, []
        return True

    def confirm(self, side: Side, expected: int) -> bool:
        """Confirm the version on the screen; false when that side had done so before."""
        self._expect(expected)
        if side in self.confirmed:
            return False
        self.confirmed.append(side)
        return True

    @property
    def settled(self) -> bool:
        """Both sides confirmed this version."""
        return len(self.confirmed) == len(Side)

    def _expect(self, version: int) -> None:
        if version != self.version:
            raise ConflictError("The agreement was edited in the meantime. Read the new version, then confirm it.")


class Session(BaseModel):
    """One meeting, known by its day, with what each side said about it."""

    id: str
    day: str
    mentor: Outcome | None = None
    mentee: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """What stands: the mentor's word where there is one."""
        stands = self.mentor or self.mentee
        if stands is None:
            raise ValueError("a session is logged by at least one side")
        return stands

    @property
    def by(self) -> Side:
        """Whose word stands."""
        return Side.MENTOR if self.mentor else Side.MENTEE

    @property
    def disputed(self) -> bool:
        """The two sides remember it differently; both see that."""
        return None not in (self.mentor, self.mentee) and self.mentor != self.mentee

    def note(self, side: Side, outcome: Outcome) -> Self:
        """This session with one side's word added or replaced."""
        return self.model_copy(update={side.value: outcome})


class Notes(Aggregate):
    """The mentor's own notes on a mentorship, whose id they share. Nobody else ever reads them."""

    author: str
    text: Annotated[str, Field(max_length=8000)] = ""

    def keep(self, text: str) -> None:
        """Replace the text."""
        self.text = text[:8000]


class Reflections(Aggregate):
    """What one side keeps to itself about the sessions of a mentorship, by session. The other never learns of it."""

    author: str
    texts: dict[str, Annotated[str, Field(max_length=LONGEST_REFLECTION)]] = Field(default_factory=dict)

    @classmethod
    def of(cls, tenant: str, mentorship: str, author: str) -> Self:
        """Nothing written yet."""
        return cls(id=reflections_id(mentorship, author), tenant=tenant, author=author)

    def keep(self, session: str, text: str) -> None:
        """Replace the text about a session; an empty one is forgotten."""
        kept = {name: known for name, known in self.texts.items() if name != session}
        self.texts = kept | ({session: text[:LONGEST_REFLECTION]} if text.strip() else {})


def reflections_id(mentorship: str, author: str) -> str:
    """The document of one author about one mentorship."""
    return f"{mentorship}:{author}"


def count_sessions(sessions: list[Session]) -> tuple[SessionCount, ...]:
    """Sessions by month, outcome and logging side, in a fixed order."""
    counts: dict[tuple[str, Outcome, Side], int] = {}
    for session in sessions:
        key = (session.day[:7], session.outcome, session.by)
        counts[key] = counts.get(key, 0) + 1
    return tuple(
        SessionCount(outcome=outcome, by=by, month=month, count=count)
        for (month, outcome, by), count in sorted(counts.items())
    )


def add_paused(paused: Mapping[str, int], since: str, until: str) -> dict[str, int]:
    """Paused days by month, with those from one day on up to another, which is none of them."""
    days = range(date.fromisoformat(since).toordinal(), date.fromisoformat(until).toordinal())
    return dict(sorted((Counter(paused) + Counter(f"{date.fromordinal(day):%Y-%m}" for day in days)).items()))


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the month's last when it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
