"""Suggestions: the pairs that a run has found, while a lead looks them over; nobody else knows of them."""

from chassis.errors import ConflictError
from chassis.state.aggregate import Aggregate

from matching.domain.proposal import Terms


class Suggestion(Aggregate):
    """One pair. Its id tells the run and the rank, the best first, so that any page of them is found by ids."""

    run: str
    mentor: str
    mentee: str
    terms: Terms
    left_out: bool = False
    """The lead does not send it; the next run may find it again."""

    def leave_out(self, *, left_out: bool, by: str) -> None:
        """Say whether it is sent.

        Raises:
            ConflictError: the lead is one of the two: nobody picks whom they get by leaving out whom they do not want.
        """
        if by in {self.mentor, self.mentee}:
            raise ConflictError(
                "You are one of this pair. Let another lead look it over, or answer it once it is sent."
            )
        self.left_out = left_out


def suggestion_id(run: str, rank: int) -> str:
    """The id of a run's first, second, … suggestion; ranks begin at 1."""
    return f"{run}-{rank:06d}"
