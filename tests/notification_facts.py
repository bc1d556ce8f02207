"""Facts of one mentorship, as the tests of notifications send them."""

from dataclasses import dataclass, field

from chassis.ids import new_id
from contracts.matching import MatchAccepted, MatchClosed, MatchProposed, MentorshipStarted, Side


def a_proposal() -> MatchProposed:
    """Mia and dan are proposed to each other."""
    return MatchProposed(
        mentorship="m-1",
        programme="p-1",
        mentor="mia",
        mentee="dan",
        areas=("ai-tools",),
        direction="reverse",
        origin="engine",
        expires_at="2026-03-12T09:00:00.000Z",
    )


def a_start() -> MentorshipStarted:
    """They begin, with another focus than was proposed."""
    return MentorshipStarted(
        mentorship="m-1", mentor="mia", mentee="dan", areas=("cloud",), cadence="monthly", planned_end="2026-09-02"
    )


def yes(by: Side, *, complete: bool = False) -> MatchAccepted:
    """One side says yes."""
    return MatchAccepted(mentorship="m-1", by=by, complete=complete)


CLOSED = MatchClosed(mentorship="m-1")


@dataclass(frozen=True)
class Pair:
    """The facts of two given members, under an id of their own."""

    mentor: str
    mentee: str
    id: str = field(default_factory=new_id)

    @property
    def proposed(self) -> MatchProposed:
        """They are proposed to each other; they may answer for years."""
        people = {"mentorship": self.id, "mentor": self.mentor, "mentee": self.mentee}
        return a_proposal().model_copy(update={**people, "expires_at": "2099-01-01T00:00:00.000Z"})

    @property
    def started(self) -> MentorshipStarted:
        """They begin."""
        people = {"mentorship": self.id, "mentor": self.mentor, "mentee": self.mentee}
        return a_start().model_copy(update=people)

    @property
    def closed(self) -> MatchClosed:
        """Nothing comes of it."""
        return MatchClosed(mentorship=self.id)

    def yes(self, by: Side, *, complete: bool = False) -> MatchAccepted:
        """One side says yes."""
        return MatchAccepted(mentorship=self.id, by=by, complete=complete)
