"""What somebody hears who arranges the mentee's times: enough to do it, and nothing besides; all in memory."""

from datetime import UTC, datetime

import pytest
from contracts.envelope import Event
from contracts.matching import MentorshipEnded, MentorshipPaused, PlanChange, Side
from notification_facts import PLANS, a_start, delegated, planned
from notifications.domain.notice import Kind
from notifications.domain.thread import Thread
from notifications.words import over

AT = "2026-03-02T09:00:00.000Z"
NOW = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)


def a_thread(*facts: Event) -> Thread:
    """Mia mentors dan, who lets sam arrange his times; then these facts, as events e2, e3 and so on."""
    thread = Thread.opened_by(a_start(), "acme")
    for number, fact in enumerate((a_start(), delegated("sam"), *facts)):
        thread.hear(fact, f"e{number}", AT)
    return thread


def times(by: Side) -> Event:
    return planned(PlanChange.TIMES_PROPOSED, by=by, delegate="sam")


def told(thread: Thread, member: str) -> list[Kind]:
    return [notice.kind for notice in thread.of(member)]


def test_a_delegate_is_told_once_and_the_two_are_not() -> None:
    """With a mail; the same fact again, or a plan that names the same delegate, is no news."""
    thread = a_thread(delegated("sam"))
    assert told(thread, "sam") == [Kind.DELEGATED]
    assert told(thread, "mia") == told(thread, "dan") == [Kind.MENTORSHIP_STARTED]
    assert [ask.arguments["notice"] for ask in thread.take_uncommitted().asked][2:] == [thread.of("sam")[0].id]


def test_the_thread_stands_in_a_delegates_inbox_without_its_focus() -> None:
    """They read about dan, are on neither side, and no area reaches them."""
    thread = a_thread()
    assert thread.participants == ["mia", "dan", "sam"]
    assert (thread.role_of("sam"), thread.partner_of("sam"), thread.focus_of("sam")) == (None, "dan", [])
    assert (thread.focus_of("mia"), thread.partner_of("mia"), thread.partner_of("dan")) == (["cloud"], "dan", "mia")


def test_times_of_the_mentor_are_the_delegates_to_pick_and_the_mentees() -> None:
    """Whoever of them picks, or proposes others, settles it for both; times of their own are no news to them."""
    thread = a_thread(times(Side.MENTOR))
    assert told(thread, "sam")[1:] == [Kind.TIMES_TO_PICK]
    assert told(thread, "dan")[1:] == [Kind.TIMES_PROPOSED]
    asked = [thread.of(member)[-1] for member in ("sam", "dan")]
    assert [(each.unread, thread.is_over(each)) for each in asked] == [(True, False)] * 2
    thread.hear(times(Side.MENTEE), "e9", AT)
    assert [(each.unread, thread.is_over(each)) for each in asked] == [(False, True)] * 2
    assert told(thread, "sam")[1:] == [Kind.TIMES_TO_PICK]
    assert told(thread, "mia")[1:] == [Kind.TIMES_PROPOSED]


@pytest.mark.parametrize("change", list(PLANS))
@pytest.mark.parametrize("by", [Side.MENTOR, Side.MENTEE, None])
def test_a_delegate_hears_what_the_mentor_or_nobody_changed(change: PlanChange, by: Side | None) -> None:
    """That a session draws near is the two's to know; they all have a mail about the rest, with no entry for sam."""
    thread = a_thread(planned(change, by=by, delegate="sam"))
    hears = by is not Side.MENTEE and change is not PlanChange.NEAR
    assert told(thread, "sam")[1:] == ([Kind.PLAN_CHANGED] if hears else [])
    assert [notice.entry for notice in thread.of("sam")] == [None] * (2 if hears else 1)
    assert told(thread, "mia")[1:] == told(thread, "dan")[1:] == [PLANS[change]]


def test_whoever_is_a_delegate_no_longer_has_nothing_open() -> None:
    """Taken back, or handed to another: what is in the inbox asks for nothing, and no mail goes out."""
    for successor in (None, "tia"):
        thread = a_thread(times(Side.MENTOR), delegated(successor))
        assert [over(thread, notice) for notice in thread.of("sam")] == ["No longer open"] * 2
        assert not thread.of("sam")[1].unread
        assert all(thread.mail_is_moot(notice, NOW) for notice in thread.of("sam"))
        thread.hear(planned(PlanChange.CALLED_OFF, by=Side.MENTOR, delegate=successor), "e9", AT)
        assert told(thread, "sam") == [Kind.DELEGATED, Kind.TIMES_TO_PICK]
        assert told(thread, "tia") == ([Kind.DELEGATED, Kind.PLAN_CHANGED] if successor else [])


def test_the_mentee_alone_is_told_when_a_delegate_steps_down() -> None:
    """By inbox and mail; not when they took it back themselves, or handed it to another."""
    thread = a_thread(times(Side.MENTOR), planned(PlanChange.DELEGATED))
    assert told(thread, "dan")[-1:] == [Kind.DELEGATE_GONE]
    assert Kind.DELEGATE_GONE not in told(thread, "mia") + told(thread, "sam")
    gone = thread.of("dan")[-1]
    assert thread.take_uncommitted().asked[-1].arguments["notice"] == gone.id
    assert (gone.unread, over(thread, gone), thread.mail_is_moot(gone, NOW)) == (True, "", False)
    for successor in (None, "tia"):
        assert Kind.DELEGATE_GONE not in told(a_thread(delegated(successor)), "dan")


def test_that_a_delegate_is_gone_is_no_news_once_another_is_named_or_the_end_has_come() -> None:
    """Nothing is left to name, so no mail goes out any more."""
    for fact in (delegated("tia"), MentorshipEnded(mentorship="m-1")):
        thread = a_thread(planned(PlanChange.DELEGATED), fact)
        gone = next(notice for notice in thread.of("dan") if notice.kind is Kind.DELEGATE_GONE)
        assert (over(thread, gone), thread.mail_is_moot(gone, NOW)) == ("No longer open", True)


def test_a_thread_of_before_tells_that_a_delegate_is_gone() -> None:
    """It begins in the middle of the topic and has not heard of the naming."""
    thread = Thread.opened_by(a_start(), "acme")
    thread.hear(planned(PlanChange.DELEGATED), "e1", AT)
    assert told(thread, "dan") == [Kind.DELEGATE_GONE]


def test_a_delegate_of_before_is_known_by_the_next_change() -> None:
    """A thread that begins in the middle of the topic has not heard of the naming."""
    thread = Thread.opened_by(a_start(), "acme")
    thread.hear(times(Side.MENTOR), "e1", AT)
    assert (thread.delegate, told(thread, "sam")) == ("sam", [Kind.TIMES_TO_PICK])


def test_a_pause_and_the_end_leave_a_delegate_nothing_to_pick() -> None:
    """Neither is told to them; after the end there is no page of theirs to be led to."""
    thread = a_thread(times(Side.MENTOR), MentorshipPaused(mentorship="m-1"))
    assert told(thread, "sam") == [Kind.DELEGATED, Kind.TIMES_TO_PICK]
    assert [thread.is_over(notice) for notice in thread.of("sam")] == [False, True]
    thread.hear(MentorshipEnded(mentorship="m-1"), "e8", AT)
    thread.hear(planned(PlanChange.CALLED_OFF, version=1, delegate="sam"), "e9", AT)
    assert all(thread.is_over(notice) for notice in thread.of("sam"))


def test_a_delegate_who_is_named_before_the_start_is_told_by_mail() -> None:
    """The two topics may come in any order: it is of use while the mentorship is on its way."""
    thread = Thread.opened_by(a_start(), "acme")
    thread.hear(delegated("sam"), "e1", AT)
    (notice,) = thread.of("sam")
    assert not thread.mail_is_moot(notice, NOW)
