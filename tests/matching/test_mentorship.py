"""A mentorship from proposal to end, without any I/O."""

from datetime import date
from typing import Any

import pytest
from chassis.errors import ConflictError, InvalidError
from contracts.matching import (
    Answer,
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MentorshipDetailed,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipStarted,
    MentorshipState,
    Outcome,
    PausedDays,
    SessionCount,
    SessionLogged,
    Side,
    Status,
)
from matching.domain.agreement import Intent, add_months
from matching.domain.mentorship import Mentorship
from matching.domain.proposal import Origin
from matching_people import EXPIRES_AT, LATER, PROPOSED_AT, a_proposal

AT = "2026-03-03T10:00:00.000Z"


def said(mentorship: Mentorship) -> list[Any]:
    """What the last change said, in order."""
    return mentorship.take_uncommitted().said


def accepted() -> Mentorship:
    """A pair with places on both sides and nothing left to commit."""
    pair = a_proposal()
    pair.accept(Side.MENTOR, LATER)
    pair.accept(Side.MENTEE, LATER)
    assert pair.finalise(AT)
    pair.take_uncommitted()
    return pair


def started() -> Mentorship:
    """A pair that confirmed the agreement as it stood."""
    pair = accepted()
    pair.confirm_agreement(Side.MENTOR, 1, AT)
    pair.confirm_agreement(Side.MENTEE, 1, AT)
    pair.take_uncommitted()
    return pair


def test_a_proposal_says_itself_once_outside_and_once_as_state() -> None:
    """The outside fact carries ids, areas and direction; the state carries the bands of both."""
    fact, state = said(a_proposal())
    assert isinstance(fact, MatchProposed)
    assert (fact.mentor, fact.mentee, fact.direction, fact.origin) == ("ana", "dora", "reverse", "engine")
    assert isinstance(state, MentorshipState)
    assert (state.status, state.mentee_bands.level, state.proposed_at) == (Status.PROPOSED, 9, PROPOSED_AT)


def test_first_yes_is_told_as_incomplete_and_second_only_asks_for_places() -> None:
    """A second yes is not an acceptance until places are taken on both sides."""
    pair = a_proposal()
    pair.take_uncommitted()
    pair.accept(Side.MENTEE, LATER)
    first = pair.take_uncommitted()
    assert [type(event) for event in first.said] == [MatchAccepted, MentorshipDetailed, MentorshipState]
    assert first.said[0] == MatchAccepted(mentorship="m-1", by=Side.MENTEE, complete=False)
    pair.accept(Side.MENTOR, LATER)
    second = pair.take_uncommitted()
    assert (second.said, [ask.kind for ask in second.asked]) == ([], ["reserve-places"])
    assert pair.status is Status.HALF_ACCEPTED


def test_finalising_tells_the_complete_acceptance_and_frees_the_full_side_of_other_proposals() -> None:
    """The acceptance names the second yes; only sides that became full withdraw their other proposals."""
    pair = a_proposal()
    pair.accept(Side.MENTEE, LATER)
    pair.accept(Side.MENTOR, LATER)
    pair.take_uncommitted()
    assert pair.finalise(AT, [Side.MENTOR])
    done = pair.take_uncommitted()
    assert done.said[0] == MatchAccepted(mentorship="m-1", by=Side.MENTOR, complete=True)
    assert [(ask.kind, ask.arguments) for ask in done.asked] == [("withdraw-rest", {"member": "ana", "side": "mentor"})]
    assert (pair.status, pair.due) == (Status.ACCEPTED, 0)
    assert pair.finalise(AT)
    assert said(pair) == []


def test_the_same_yes_twice_is_one_yes() -> None:
    """A repeated click neither completes a pair nor says anything."""
    pair = a_proposal()
    pair.accept(Side.MENTOR, LATER)
    pair.take_uncommitted()
    pair.accept(Side.MENTOR, LATER)
    assert (said(pair), pair.yes) == ([], [Side.MENTOR])


def test_a_decline_is_closed_outside_and_named_only_inside() -> None:
    """Outside nobody learns who declined or that it was a decline."""
    pair = a_proposal()
    pair.take_uncommitted()
    pair.decline(Side.MENTEE, LATER)
    fact, detail, state = said(pair)
    assert fact == MatchClosed(mentorship="m-1")
    assert (detail.answer, detail.by) == (Answer.DECLINED, Side.MENTEE)
    assert (state.status, state.closed_at) == (Status.CLOSED, LATER)


def test_nobody_declines_while_places_are_taken_after_two_yeses() -> None:
    """Two yeses are settled first, so that no place is left dangling on a decline."""
    pair = a_proposal()
    pair.accept(Side.MENTOR, LATER)
    pair.accept(Side.MENTEE, LATER)
    with pytest.raises(ConflictError):
        pair.decline(Side.MENTOR, LATER)


def test_an_unanswered_proposal_expires_and_is_refused_from_that_moment() -> None:
    """At its last second a yes is refused even when the clock has not swept it yet."""
    pair = a_proposal()
    pair.take_uncommitted()
    with pytest.raises(ConflictError):
        pair.accept(Side.MENTOR, EXPIRES_AT)
    pair.expire(EXPIRES_AT)
    fact, detail, _ = said(pair)
    assert isinstance(fact, MatchClosed)
    assert (detail.answer, detail.by, pair.due) == (Answer.EXPIRED, None, 0)


def test_the_clock_waits_while_places_are_taken() -> None:
    """Expiry between the second yes and the places must not undo two yeses; it looks again a minute later."""
    pair = a_proposal()
    pair.accept(Side.MENTOR, LATER)
    pair.accept(Side.MENTEE, LATER)
    before = pair.due
    pair.expire(EXPIRES_AT)
    assert (pair.status, pair.due) == (Status.HALF_ACCEPTED, before + 60)


def test_a_withdrawn_proposal_is_not_finalised() -> None:
    """A hard rule that broke during the reservation wins: the work finds it closed and gives places back."""
    pair = a_proposal()
    pair.accept(Side.MENTOR, LATER)
    pair.accept(Side.MENTEE, LATER)
    assert pair.withdraw(AT)
    assert not pair.finalise(AT)
    assert not pair.withdraw(AT)


def test_an_edit_voids_the_confirmation_of_the_text_before() -> None:
    """Both must have confirmed the same version; the mentorship starts only then."""
    pair = accepted()
    pair.confirm_agreement(Side.MENTEE, 1, AT)
    intent = Intent(mentor="ana", areas=("ai-tools",), goals="Read a model card together", months=3)
    pair.edit_agreement(1, intent)
    assert pair.agreement is not None
    assert (pair.agreement.version, pair.agreement.confirmed) == (2, [])
    with pytest.raises(ConflictError):
        pair.confirm_agreement(Side.MENTOR, 1, AT)
    pair.confirm_agreement(Side.MENTOR, 2, AT)
    assert pair.status is Status.ACCEPTED
    pair.take_uncommitted()
    pair.confirm_agreement(Side.MENTEE, 2, AT)
    fact, _, state = said(pair)
    assert isinstance(fact, MentorshipStarted)
    assert (fact.cadence, fact.planned_end) == ("monthly", "2026-06-03")
    assert (state.status, state.started_at) == (Status.STARTED, AT)


def test_goals_never_leave_in_any_event() -> None:
    """Free text belongs to the pair alone."""
    pair = accepted()
    pair.edit_agreement(1, Intent(mentor="ana", areas=("ai-tools",), goals="canary-goals"))
    pair.confirm_agreement(Side.MENTOR, 2, AT)
    pair.confirm_agreement(Side.MENTEE, 2, AT)
    assert "canary-goals" not in "".join(event.model_dump_json() for event in said(pair))


def test_who_mentors_cannot_be_swapped_in_the_agreement() -> None:
    """The places were taken for these sides."""
    with pytest.raises(ConflictError):
        accepted().edit_agreement(1, Intent(mentor="dora", areas=("ai-tools",)))


def test_a_session_is_told_without_who_logged_it() -> None:
    """Outside: held or cancelled on a day. The side stays inside."""
    pair = started()
    pair.log_session(Side.MENTEE, "s-1", date(2026, 3, 4), Outcome.CANCELLED, "2026-03-04T18:00:00.000Z")
    fact, detail, state = said(pair)
    assert fact == SessionLogged(mentorship="m-1", session="s-1", outcome=Outcome.CANCELLED, day="2026-03-04")
    assert detail.by is Side.MENTEE
    assert state.sessions == (SessionCount(outcome=Outcome.CANCELLED, by=Side.MENTEE, month="2026-03", count=1),)


def test_the_mentors_word_stands_and_a_disagreement_shows() -> None:
    """Whichever order they write in, the mentor's outcome counts, and both can see that they differ."""
    pair = started()
    at = "2026-03-04T18:00:00.000Z"
    pair.log_session(Side.MENTOR, "s-1", date(2026, 3, 4), Outcome.HELD, at)
    pair.take_uncommitted()
    pair.log_session(Side.MENTEE, "s-2", date(2026, 3, 4), Outcome.CANCELLED, at)
    assert [type(event) for event in said(pair)] == [MentorshipDetailed, MentorshipState]
    (session,) = pair.sessions
    assert (session.id, session.outcome, session.disputed) == ("s-1", Outcome.HELD, True)


def test_a_session_in_the_future_or_before_the_start_is_refused() -> None:
    """Only what happened can be logged."""
    pair = started()
    for day in (date(2026, 3, 6), date(2026, 3, 1)):
        with pytest.raises(InvalidError):
            pair.log_session(Side.MENTOR, "s", day, Outcome.HELD, "2026-03-04T18:00:00.000Z")


@pytest.mark.parametrize(
    ("begin", "status", "fact"), [(accepted, Status.CLOSED, MatchClosed), (started, Status.ENDED, MentorshipEnded)]
)
def test_leaving_frees_the_pair_and_its_places(begin: Any, status: Status, fact: type) -> None:
    """Before the start a pair closes, after it ends; either way places are given back and nothing tells why."""
    pair = begin()
    pair.end(Side.MENTOR, AT)
    done = pair.take_uncommitted()
    assert pair.status is status
    assert isinstance(done.said[0], fact)
    assert [ask.kind for ask in done.asked] == ["release-places"]


def test_either_side_pauses_and_either_goes_on() -> None:
    """Outside neither says who; twice is once; while it is paused nothing is logged, and it can still end."""
    pair = started()
    pair.take_uncommitted()
    for _ in range(2):
        pair.pause(Side.MENTEE, AT)
    assert [type(event) for event in said(pair)] == [MentorshipPaused, MentorshipDetailed, MentorshipState]
    assert (pair.status, pair.live) == (Status.PAUSED, True)
    with pytest.raises(ConflictError, match="while a mentorship is running"):
        pair.log_session(Side.MENTOR, "s", date(2026, 3, 2), Outcome.HELD, AT)
    for _ in range(2):
        pair.resume(Side.MENTOR, AT)
    assert [type(event) for event in said(pair)] == [MentorshipResumed, MentorshipDetailed, MentorshipState]
    pair.pause(Side.MENTOR, AT)
    pair.end(Side.MENTEE, AT)
    assert pair.status is Status.ENDED
    with pytest.raises(ConflictError, match="Only a mentorship that is paused"):
        pair.resume(Side.MENTOR, AT)


def test_a_state_tells_the_cadence_and_on_which_days_a_pair_was_paused() -> None:
    """The cadence from the start on. The day of pausing is a paused one, that of going on is not."""
    pair = accepted()
    assert pair.state().cadence is None
    pair = started()
    assert (pair.state().cadence, pair.state().paused, pair.state().paused_on) == ("monthly", (), None)
    pair.pause(Side.MENTOR, "2026-03-30T23:00:00.000Z")
    assert (pair.state().paused, pair.state().paused_on) == ((), "2026-03-30")
    pair.resume(Side.MENTEE, "2026-04-04T01:00:00.000Z")
    pair.pause(Side.MENTOR, "2026-04-04T09:00:00.000Z")
    pair.resume(Side.MENTOR, "2026-04-04T10:00:00.000Z")
    assert pair.state().paused == (PausedDays(month="2026-03", days=2), PausedDays(month="2026-04", days=3))
    pair.pause(Side.MENTOR, "2026-04-10T09:00:00.000Z")
    pair.end(Side.MENTEE, "2026-04-15T09:00:00.000Z")
    ended = pair.state()
    assert ended.paused_on is None
    assert ended.paused == (PausedDays(month="2026-03", days=2), PausedDays(month="2026-04", days=8))


@pytest.mark.parametrize("begin", [a_proposal, accepted])
def test_what_has_not_started_is_not_paused(begin: Any) -> None:
    """There is nothing to stop yet."""
    with pytest.raises(ConflictError):
        begin().pause(Side.MENTOR, AT)


def test_whoever_has_left_the_organisation_ends_their_pairs_by_nobody() -> None:
    """For the other side it ends like any other; our own services read that nobody acted."""
    pair = started()
    pair.take_uncommitted()
    pair.end(None, AT)
    ended, detail, _state = said(pair)
    assert ended == MentorshipEnded(mentorship=pair.id)
    assert isinstance(detail, MentorshipDetailed)
    assert detail.by is None


@pytest.mark.parametrize("asks", list(Side))
def test_a_request_is_taken_back_by_whoever_made_it(asks: Side) -> None:
    """Before an answer only; it closes like any other, and the two may meet again."""
    pair = a_proposal()
    pair.terms = pair.terms.model_copy(update={"origin": Origin(asks.value)})
    pair.accept(asks, AT)
    other = Side.MENTEE if asks is Side.MENTOR else Side.MENTOR
    with pytest.raises(ConflictError, match="You were asked"):
        pair.take_back(other, AT)
    pair.take_back(asks, AT)
    assert (pair.status, pair.again) == (Status.CLOSED, True)
    pair.take_back(asks, AT)
    assert [event for event in said(pair) if isinstance(event, MatchClosed)] == [MatchClosed(mentorship=pair.id)]


def test_receipts_keep_the_last_twenty() -> None:
    """An old key falls out; a known one gives the result of that time."""
    pair = a_proposal()
    for number in range(21):
        pair.keep_receipt(f"mentor:{number}")
    assert pair.receipt_of("mentor:0") is None
    kept = pair.receipt_of("mentor:20")
    assert kept is not None
    assert kept.status is Status.PROPOSED


def test_months_end_on_the_last_day_when_the_month_is_shorter() -> None:
    """A month after 31 January is the end of February."""
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
