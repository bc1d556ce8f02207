"""Whom a thread tells, and when a mail about it is still of use; all in memory."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.envelope import Event
from contracts.matching import (
    MatchAccepted,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    Outcome,
    PlanChange,
    SessionLogged,
    SessionPlanChanged,
    Side,
    Status,
)
from contracts.notifications import NoticeSent
from hypothesis import given
from hypothesis import strategies as st
from notification_facts import CLOSED, PLANS, a_proposal, a_start, planned, yes
from notifications.domain.notice import CalendarEntry, Kind, notice_id
from notifications.domain.thread import NOTICES_KEPT, Thread

PROPOSED_AT = "2026-03-02T09:00:00.000Z"
NOW = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)


def a_thread(*facts: Event) -> Thread:
    """A thread that heard a proposal and then these facts, as events e0, e1 and so on."""
    thread = Thread.opened_by(a_proposal(), "acme")
    for number, fact in enumerate((a_proposal(), *facts)):
        thread.hear(fact, f"e{number}", PROPOSED_AT)
    return thread


def told(thread: Thread) -> list[tuple[str, str]]:
    return [(notice.member, notice.kind.value) for notice in thread.notices]


PROPOSED = [("mia", "match-proposed"), ("dan", "match-proposed")]


def test_a_proposal_tells_both_and_asks_for_two_mails() -> None:
    """Both hear of it, each notice is announced once, and each gets a mail."""
    thread = a_thread()
    done = thread.take_uncommitted()
    assert told(thread) == PROPOSED
    assert [fact.notice for fact in done.said if isinstance(fact, NoticeSent)] == [each.id for each in thread.notices]
    assert [(ask.kind, ask.arguments["notice"]) for ask in done.asked] == [
        ("send-mail", notice.id) for notice in thread.notices
    ]


def test_a_first_yes_tells_the_other_side_only() -> None:
    """Dan said yes: mia is asked for her answer, by mail too, and that she could mentor him is no news besides."""
    thread = a_thread(yes(Side.MENTEE))
    assert [ask.arguments["notice"] for ask in thread.take_uncommitted().asked] == [each.id for each in thread.notices]
    assert told(thread) == [*PROPOSED, ("mia", "answer-awaited")]
    assert [notice.unread for notice in thread.notices] == [False, False, True]


def test_a_second_yes_tells_both_and_asks_for_no_mail() -> None:
    """Both hear in the inbox that they are a pair; whoever completes it is looking at the page."""
    thread = a_thread(yes(Side.MENTEE), yes(Side.MENTOR, complete=True))
    assert told(thread)[3:] == [("mia", "match-accepted"), ("dan", "match-accepted")]
    mailed = [notice.id for notice in thread.notices[:3]]
    assert [ask.arguments["notice"] for ask in thread.take_uncommitted().asked] == mailed
    assert [notice.kind for notice in thread.of("mia") if notice.unread] == [Kind.MATCH_ACCEPTED]


@pytest.mark.parametrize(
    ("answers", "hears"),
    [
        ([], []),
        ([yes(Side.MENTOR)], ["mia"]),
        ([yes(Side.MENTEE)], ["dan"]),
        ([yes(Side.MENTEE), yes(Side.MENTOR, complete=True)], ["mia", "dan"]),
    ],
)
def test_a_closing_is_told_to_those_who_had_said_yes(answers: list[Event], hears: list[str]) -> None:
    """Whoever waits for the other learns that nothing comes; whoever had not answered learns nothing."""
    thread = a_thread(*answers, CLOSED)
    assert [notice.member for notice in thread.notices if notice.kind is Kind.MATCH_CLOSED] == hears
    assert not any(notice.unread for notice in thread.notices if notice.kind is Kind.MATCH_PROPOSED)
    assert all(thread.is_over(notice) for notice in thread.notices if notice.kind is Kind.MATCH_PROPOSED)


def test_a_mentorship_tells_both_of_start_sessions_and_end() -> None:
    """Each fact of a running mentorship reaches both; the start takes the agreed areas; later ones ask for no mail."""
    thread = a_thread(
        yes(Side.MENTEE),
        yes(Side.MENTOR, complete=True),
        a_start(),
        SessionLogged(mentorship="m-1", session="s-1", outcome=Outcome.HELD, day="2026-03-09"),
        SessionLogged(mentorship="m-1", session="s-2", outcome=Outcome.CANCELLED, day="2026-04-09"),
        MentorshipEnded(mentorship="m-1"),
    )
    assert told(thread)[5:] == [
        (member, kind)
        for kind in ("mentorship-started", "session-held", "session-cancelled", "mentorship-ended")
        for member in ("mia", "dan")
    ]
    assert thread.areas == ["cloud"]
    assert len(thread.take_uncommitted().asked) == 5


@pytest.mark.parametrize(("asking", "asked"), [(Side.MENTOR, "dan"), (Side.MENTEE, "mia")])
def test_a_request_reaches_whoever_is_asked_once(asking: Side, asked: str) -> None:
    """The one who asks has made it and said yes by it: the other hears of it once, with one mail."""
    thread = Thread.opened_by(a_proposal(asking.value), "acme")
    thread.hear(a_proposal(asking.value), "e0", PROPOSED_AT)
    thread.hear(yes(asking), "e1", PROPOSED_AT)
    assert told(thread) == [(asked, "asked")]
    (notice,) = thread.notices
    assert notice.unread
    assert not thread.is_over(notice)
    assert not thread.mail_is_moot(notice, NOW)
    assert len(thread.take_uncommitted().asked) == 1
    other = Side.MENTEE if asking is Side.MENTOR else Side.MENTOR
    thread.hear(yes(other, complete=True), "e2", PROPOSED_AT)
    assert thread.is_over(notice)
    assert thread.mail_is_moot(notice, NOW)


def test_a_request_that_comes_to_nothing_is_told_to_whoever_asked() -> None:
    """Neither who nor why: it is not available any more."""
    thread = Thread.opened_by(a_proposal("mentor"), "acme")
    for number, fact in enumerate((a_proposal("mentor"), yes(Side.MENTOR), CLOSED)):
        thread.hear(fact, f"e{number}", PROPOSED_AT)
    assert told(thread) == [("dan", "asked"), ("mia", "match-closed")]


def test_a_pause_and_its_end_reach_both_in_the_inbox() -> None:
    """Neither asks for a mail; times that were proposed wait for nobody meanwhile."""
    proposed_times = SessionPlanChanged(mentorship="m-1", change=PlanChange.TIMES_PROPOSED, by=Side.MENTEE)
    thread = a_thread(a_start(), proposed_times)
    assert len(thread.take_uncommitted().asked) == 4
    stood = []
    for number, fact in enumerate((MentorshipPaused(mentorship="m-1"), MentorshipResumed(mentorship="m-1"))):
        thread.hear(fact, f"p{number}", PROPOSED_AT)
        stood.append((thread.status, thread.times_wait))
    assert stood == [(Status.PAUSED, False), (Status.STARTED, False)]
    assert told(thread)[-4:] == [
        (member, kind) for kind in ("mentorship-paused", "mentorship-resumed") for member in ("mia", "dan")
    ]
    assert thread.take_uncommitted().asked == []


def test_an_outcome_from_a_newer_producer_tells_nobody() -> None:
    """A session that was "moved", a word not known here, makes no notice and no fault."""
    body = SessionLogged(mentorship="m-1", session="s", outcome=Outcome.HELD, day="2026-03-09").model_dump_json()
    assert told(a_thread(SessionLogged.model_validate_json(body.replace("held", "moved")))) == PROPOSED


def test_a_yes_of_a_side_from_a_newer_producer_asks_nobody() -> None:
    """A third side, not known here, is neither mentor nor mentee."""
    body = yes(Side.MENTOR).model_dump_json().replace('mentor"', 'observer"')
    fact = MatchAccepted.model_validate_json(body)
    assert fact.by == "observer"
    assert told(a_thread(fact)) == PROPOSED


def test_the_same_event_makes_the_same_notice() -> None:
    """Ids follow from event and member, so that an empty database hears the topic again without new mails."""
    assert [notice.id for notice in a_thread().notices] == [notice.id for notice in a_thread().notices]
    assert notice_id("e0", "mia") == "e7781547-612e-5569-9fd5-454f1c91b97e"


def test_a_start_alone_opens_a_thread() -> None:
    """The proposal has left the topic: the start names both people and is enough."""
    thread = Thread.opened_by(a_start(), "acme")
    thread.hear(a_start(), "e9", PROPOSED_AT)
    assert told(thread) == [("mia", "mentorship-started"), ("dan", "mentorship-started")]


def test_reading_marks_only_ones_own_notices() -> None:
    """Mia's mark leaves dan's notice unread, even when she names it."""
    thread = a_thread()
    mine, other = thread.notices
    thread.mark_read("mia", {mine.id, other.id}, "2026-03-03T00:00:00.000Z")
    thread.mark_read("mia", {mine.id}, "2026-03-04T00:00:00.000Z")
    assert (mine.read_at, other.read_at) == ("2026-03-03T00:00:00.000Z", None)


def test_a_thread_stays_bounded() -> None:
    """Of many sessions the newest notices are kept."""
    held = SessionLogged(mentorship="m-1", session="s", outcome=Outcome.HELD, day="2026-03-09")
    thread = a_thread(*[held] * 150)
    assert len(thread.notices) == NOTICES_KEPT == 200
    assert thread.notices[-1].id == notice_id("e150", "dan")


@pytest.mark.parametrize(
    ("facts", "after", "moot"),
    [
        ([], timedelta(0), False),
        ([], timedelta(days=3), False),
        ([], timedelta(days=3, seconds=1), True),
        ([yes(Side.MENTOR)], timedelta(0), True),
        ([yes(Side.MENTEE)], timedelta(0), False),
        ([CLOSED], timedelta(0), True),
    ],
)
def test_the_mail_of_a_proposal_is_moot_when_old_answered_or_closed(
    facts: list[Event], after: timedelta, moot: bool
) -> None:
    """Mia's mail: of use for three days, as long as she has not answered and the proposal is open."""
    thread = a_thread(*facts)
    assert thread.mail_is_moot(thread.of("mia")[0], NOW - timedelta(seconds=1) + after) is moot


@pytest.mark.parametrize(
    ("facts", "after", "moot"),
    [
        ([], timedelta(0), False),
        ([], timedelta(days=20), True),
        ([yes(Side.MENTOR, complete=True)], timedelta(0), True),
        ([CLOSED], timedelta(0), True),
    ],
)
def test_the_mail_about_an_awaited_answer_is_moot_once_nobody_waits(
    facts: list[Event], after: timedelta, moot: bool
) -> None:
    """It asks mia for her answer: late when she has given it, when the proposal has closed, or long afterwards."""
    thread = a_thread(yes(Side.MENTEE), *facts)
    awaited = next(each for each in thread.of("mia") if each.kind is Kind.ANSWER_AWAITED)
    assert thread.mail_is_moot(awaited, NOW + after) is moot


def test_a_mail_that_waited_is_asked_for_again_when_its_time_has_come() -> None:
    """Two wait for different hours: each comes back once, and the clock knows the next one."""
    thread = a_thread()
    thread.take_uncommitted()
    first, second = (notice.id for notice in thread.notices)
    thread.postpone_mail(first, NOW + timedelta(hours=9))
    thread.postpone_mail(second, NOW + timedelta(hours=10))
    assert thread.mails_due == int((NOW + timedelta(hours=9)).timestamp())

    thread.release_mails(NOW + timedelta(hours=8))
    assert thread.take_uncommitted().asked == []
    thread.release_mails(NOW + timedelta(hours=9))
    [ask] = thread.take_uncommitted().asked
    assert (ask.kind, ask.arguments) == ("send-mail", {"notice": first})
    assert thread.mails_due == int((NOW + timedelta(hours=10)).timestamp())
    thread.release_mails(NOW + timedelta(days=1))
    assert [ask.arguments["notice"] for ask in thread.take_uncommitted().asked] == [second]
    thread.release_mails(NOW + timedelta(days=2))
    assert (thread.take_uncommitted().asked, thread.mails_due) == ([], 0)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([None, 0, 1]), st.integers(1, 50)), max_size=30))
def test_no_mail_is_lost_while_it_waits(steps: list[tuple[int, int | None, int]]) -> None:
    """Time goes on, mails are postponed and released: each comes back once, when its time is there."""
    thread = a_thread()
    thread.take_uncommitted()
    ids, until, now = [notice.id for notice in thread.notices], dict[str, int](), 0
    for passed, postponed, hours in steps:
        now += passed
        if postponed is not None:
            until[ids[postponed]] = now + hours
            thread.postpone_mail(ids[postponed], NOW + timedelta(hours=now + hours))
        else:
            over = {each for each, end in until.items() if end <= now}
            thread.release_mails(NOW + timedelta(hours=now))
            assert sorted(ask.arguments["notice"] for ask in thread.take_uncommitted().asked) == sorted(over)
            until = {each: end for each, end in until.items() if each not in over}
        earliest = min(until.values(), default=None)
        assert (thread.mails_due > 0) == (earliest is not None)
        assert earliest is None or thread.mails_due <= int((NOW + timedelta(hours=earliest)).timestamp())


def test_a_mail_that_waited_is_as_good_as_new_and_judged_all_the_same() -> None:
    """Its three days begin when the waiting is over; what was answered or closed meanwhile is moot."""
    thread = a_thread()
    [notice] = thread.of("mia")
    later = NOW + timedelta(days=5)
    assert thread.mail_is_moot(notice, later)
    thread.postpone_mail(notice.id, later - timedelta(hours=1))
    assert not thread.mail_is_moot(notice, later)
    assert thread.mail_is_moot(notice, later + timedelta(days=3))
    thread.hear(CLOSED, "e9", PROPOSED_AT)
    assert thread.mail_is_moot(notice, later)


def test_the_mail_of_a_start_is_moot_after_the_end() -> None:
    """A mentorship that ended the same day needs no mail about its start."""
    thread = a_thread(a_start())
    started = thread.of("dan")[-1]
    assert not thread.mail_is_moot(started, NOW)
    thread.hear(MentorshipEnded(mentorship="m-1"), "e9", PROPOSED_AT)
    assert thread.mail_is_moot(started, NOW)


def a_running_thread(*facts: Event) -> Thread:
    """A thread that heard of a start and then these facts; the notices of the start are left out."""
    thread = Thread.opened_by(a_start(), "acme")
    for number, fact in enumerate((a_start(), *facts)):
        thread.hear(fact, f"e{number}", PROPOSED_AT)
    return thread


def test_proposed_times_are_told_to_the_side_that_picks() -> None:
    """Dan proposed: it is mia's turn, without a mail; when she proposes others it is his."""
    thread = a_running_thread(
        planned(PlanChange.TIMES_PROPOSED, by=Side.MENTEE), planned(PlanChange.TIMES_PROPOSED, by=Side.MENTOR)
    )
    assert told(thread)[2:] == [("mia", "times-proposed"), ("dan", "times-proposed")]
    assert [(notice.unread, thread.is_over(notice)) for notice in thread.notices[2:]] == [(False, True), (True, False)]
    assert len(thread.take_uncommitted().asked) == 2


@pytest.mark.parametrize("change", list(PLANS))
def test_a_changed_plan_is_told_to_both_with_its_calendar_entry(change: PlanChange) -> None:
    """Inbox and mail for each; a notice remembers which version of which entry it is about, and no time."""
    thread = a_running_thread(planned(change, by=Side.MENTOR, version=2))
    assert told(thread)[2:] == [(member, PLANS[change].value) for member in ("mia", "dan")]
    assert {notice.entry for notice in thread.notices[2:]} == {CalendarEntry(session="s-1", version=2)}
    assert len(thread.take_uncommitted().asked) == 4


@pytest.mark.parametrize(
    ("change", "over"),
    [
        (PlanChange.ARRANGED, True),
        (PlanChange.MOVED, True),
        (PlanChange.CALLED_OFF, True),
        (PlanChange.NEAR, False),
    ],
)
def test_a_proposal_of_times_waits_until_the_plan_changes(change: PlanChange, over: bool) -> None:
    """That the arranged session draws near is no answer to another time that was proposed."""
    thread = a_running_thread(planned(PlanChange.TIMES_PROPOSED, by=Side.MENTEE), planned(change))
    assert thread.is_over(thread.notices[2]) is over
    assert thread.notices[2].unread is not over


def test_the_end_leaves_no_times_to_pick_and_lets_calendars_be_told() -> None:
    """The mail that takes the session out of calendars is of use after the end; that it is arranged is not."""
    thread = a_running_thread(
        planned(PlanChange.ARRANGED),
        planned(PlanChange.TIMES_PROPOSED, by=Side.MENTEE),
        MentorshipEnded(mentorship="m-1"),
        planned(PlanChange.CALLED_OFF, version=1),
    )
    kinds = {notice.kind: notice for notice in thread.of("mia")}
    assert thread.is_over(kinds[Kind.TIMES_PROPOSED])
    assert thread.mail_is_moot(kinds[Kind.SESSION_ARRANGED], NOW)
    assert not thread.mail_is_moot(kinds[Kind.SESSION_CALLED_OFF], NOW)


def test_a_plan_that_is_heard_before_the_start_tells_that_it_has_started() -> None:
    """The two come on different topics, so either may be first: the mail about the session is of use all the same."""
    thread = a_thread(yes(Side.MENTEE), yes(Side.MENTOR, complete=True), planned(PlanChange.ARRANGED))
    assert not thread.mail_is_moot(thread.of("dan")[-1], NOW)


def test_a_change_from_a_newer_producer_tells_nobody() -> None:
    """A plan that was "swapped", a word not known here, makes no notice and no fault."""
    body = planned(PlanChange.MOVED).model_dump_json().replace("moved", "swapped")
    assert told(a_running_thread(SessionPlanChanged.model_validate_json(body)))[2:] == []
