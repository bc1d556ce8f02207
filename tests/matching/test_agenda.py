"""What a running mentorship asks next, once its sessions are arranged."""

from datetime import UTC, date, datetime

import pytest
from contracts.matching import Outcome, Side
from matching.agenda import Urgency, next_meeting, next_steps
from matching.domain.mentorship import Mentorship
from matching_sessions import STARTED_AT, a_mentorship, arranged, propose

MORNING = datetime(2026, 3, 3, 10, tzinfo=UTC)
OVER = datetime(2026, 3, 10, 9, 50, tzinfo=UTC)


def urgency(pair: Mentorship, member: str, now: datetime) -> Urgency:
    (step,) = next_steps([pair], member, now)
    return step.urgency


def test_proposed_times_are_the_other_sides_turn_while_one_lies_ahead() -> None:
    """Ana picks, dora waits; once the last time has passed nobody is asked."""
    pair = a_mentorship()
    propose(pair, Side.MENTEE, ["2026-03-04 10:00", "2026-03-05 10:00"])
    assert (urgency(pair, "ana", MORNING), urgency(pair, "dora", MORNING)) == (Urgency.PICK, Urgency.RUNNING)
    assert urgency(pair, "ana", datetime(2026, 3, 5, 9, tzinfo=UTC)) is Urgency.RUNNING


def test_the_arranged_day_is_the_next_one_and_the_rhythm_counts_again_afterwards() -> None:
    """A session a week after the start, in a monthly mentorship; it counts until its last minute."""
    pair = arranged()
    assert next_meeting(pair, MORNING) == date(2026, 3, 10)
    assert next_meeting(pair, datetime(2026, 3, 10, 9, 49, tzinfo=UTC)) == date(2026, 3, 10)
    assert next_meeting(pair, OVER) == date(2026, 4, 2)


@pytest.mark.parametrize("member", ["ana", "dora"])
def test_a_session_that_is_over_waits_to_be_logged_by_either(member: str) -> None:
    """Not a minute before its end, even on a day when the pair would be late; and not after somebody logged it."""
    pair = arranged()
    assert urgency(pair, member, datetime(2026, 3, 10, 9, 49, tzinfo=UTC)) is Urgency.RUNNING
    assert urgency(pair, member, OVER) is Urgency.LOG
    pair.log_session(Side.MENTEE, "l-1", date(2026, 3, 10), Outcome.HELD, "2026-03-10T10:00:00.000Z")
    assert urgency(pair, member, OVER) is Urgency.RUNNING


def test_a_session_that_was_called_off_asks_for_nothing() -> None:
    """Its time passes, and nobody is asked whether it was held."""
    pair = arranged()
    pair.call_off(Side.MENTOR, STARTED_AT)
    assert urgency(pair, "ana", OVER) is Urgency.RUNNING
