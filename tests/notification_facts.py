"""Facts of one mentorship, as the tests of notifications send them."""

from contracts.matching import MatchAccepted, MatchProposed, MentorshipStarted, Side


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
