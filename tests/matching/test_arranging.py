"""Arranging sessions without any I/O: who may propose, pick, move and cancel, and what is said of it."""

from collections.abc import Callable
from typing import Any

import pytest
from chassis.errors import ConflictError, InvalidError
from contracts.matching import MentorshipDetailed, MentorshipEnded, PlanChange, SessionPlanChanged, Side
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from matching.domain.mentorship import Mentorship
from matching.domain.times import ArrangedSession, unix_seconds
from matching_people import a_proposal
from matching_sessions import STARTED_AT, TUESDAY, WEDNESDAY, a_mentorship, arranged, berlin, propose

DAY_BEFORE = 1_773_046_800  # 2026-03-09T09:00:00Z


def told(pair: Mentorship) -> list[tuple[Any, ...]]:
    """What the last change said of the plan."""
    said = pair.take_uncommitted().said
    return [
        (each.change, each.by, each.session, each.calendar) for each in said if isinstance(each, SessionPlanChanged)
    ]


def test_the_other_side_picks_one_of_the_proposed_times() -> None:
    """Dora proposes two times, ana picks the second: a session of the agreed length, told without its time or link."""
    pair = a_mentorship()
    propose(pair, Side.MENTEE, ["2026-03-10 10:00", "2026-03-11 14:30"], "https://meet.example/canary")
    assert told(pair) == [(PlanChange.TIMES_PROPOSED, Side.MENTEE, None, None)]
    pair.pick_time(Side.MENTOR, WEDNESDAY, "s-1", STARTED_AT)
    said = pair.take_uncommitted().said
    assert said == [
        SessionPlanChanged(mentorship="m-1", change=PlanChange.ARRANGED, by=Side.MENTOR, session="s-1", calendar=0)
    ]
    (session,) = pair.arranged
    assert (session.time.at, session.minutes, session.link) == (WEDNESDAY, 50, "https://meet.example/canary")
    assert pair.times is None


@pytest.mark.parametrize(
    ("side", "at", "now", "why"),
    [
        (Side.MENTEE, TUESDAY, STARTED_AT, "the other side picks"),
        (Side.MENTOR, "2026-03-10T09:01:00.000Z", STARTED_AT, "no longer proposed"),
        (Side.MENTOR, TUESDAY, TUESDAY, "has passed"),
    ],
)
def test_a_pick_that_does_not_fit_is_refused(side: Side, at: str, now: str, why: str) -> None:
    """Nobody picks their own proposal, a time that is not proposed, or one that has come."""
    pair = a_mentorship()
    propose(pair, Side.MENTEE, ["2026-03-10 10:00"])
    with pytest.raises(ConflictError, match=why):
        pair.pick_time(side, at, "s-1", now)
    assert pair.arranged == []


def test_the_other_side_proposes_others_instead() -> None:
    """The newest proposal is the one that counts, and now dora picks."""
    pair = a_mentorship()
    propose(pair, Side.MENTEE, ["2026-03-10 10:00"])
    propose(pair, Side.MENTOR, ["2026-03-11 14:30"])
    with pytest.raises(ConflictError, match="no longer proposed"):
        pair.pick_time(Side.MENTOR, TUESDAY, "s-1", STARTED_AT)
    pair.pick_time(Side.MENTEE, WEDNESDAY, "s-1", STARTED_AT)
    assert [each.time.at for each in pair.arranged] == [WEDNESDAY]


def test_one_to_three_times_are_proposed_and_the_same_one_counts_once() -> None:
    """None and four are refused; nothing is said when nothing changes."""
    pair, walls = a_mentorship(), [f"2026-03-1{day} 10:00" for day in range(4)]
    for wrong in ([], walls):
        with pytest.raises(InvalidError, match="one, two or three"):
            propose(pair, Side.MENTEE, wrong)
    propose(pair, Side.MENTEE, [*walls[:3], walls[0]])
    assert pair.times is not None
    assert len(pair.times.times) == 3
    pair.take_uncommitted()
    propose(pair, Side.MENTEE, walls[:3])
    assert told(pair) == []


def test_an_arranged_time_stands_until_a_new_one_is_picked() -> None:
    """A proposal leaves it; the pick moves the same session, and its calendar entry gets a higher version."""
    pair = arranged()
    propose(pair, Side.MENTOR, ["2026-03-11 14:30"])
    assert [each.time.at for each in pair.arranged] == [TUESDAY]
    pair.take_uncommitted()
    pair.pick_time(Side.MENTEE, WEDNESDAY, "s-2", STARTED_AT)
    assert told(pair) == [(PlanChange.MOVED, Side.MENTEE, "s-1", 1)]
    assert [(each.id, each.time.at) for each in pair.arranged] == [("s-1", WEDNESDAY)]


def test_what_is_picked_after_a_session_began_is_another_session() -> None:
    """The first one took place; its calendar entry stays where it was."""
    pair = arranged()
    propose(pair, Side.MENTEE, ["2026-04-14 10:00"], now=TUESDAY)
    pair.pick_time(Side.MENTOR, "2026-04-14T08:00:00.000Z", "s-2", TUESDAY)
    assert [(each.id, each.version) for each in pair.arranged] == [("s-1", 0), ("s-2", 0)]


@pytest.mark.parametrize("side", Side)
def test_either_side_cancels_without_a_reason(side: Side) -> None:
    """Once; what was proposed meanwhile is off the table too, and no reminder comes."""
    pair = arranged()
    propose(pair, Side.MENTOR, ["2026-03-11 14:30"])
    pair.take_uncommitted()
    pair.call_off(side, STARTED_AT)
    assert told(pair) == [(PlanChange.CALLED_OFF, side, "s-1", 1)]
    assert (pair.times, pair.due, pair.session_standing(STARTED_AT)) == (None, 0, None)
    with pytest.raises(ConflictError, match="No session is arranged"):
        pair.call_off(side, STARTED_AT)


def test_a_session_that_began_can_no_longer_be_cancelled() -> None:
    """Whether it was held is logged instead."""
    with pytest.raises(ConflictError, match="No session is arranged"):
        arranged().call_off(Side.MENTOR, TUESDAY)


def test_the_end_of_a_mentorship_calls_its_session_off() -> None:
    """Calendars hear of it; without a session ahead there is nothing to call off."""
    pair = arranged()
    pair.end(Side.MENTEE, STARTED_AT)
    said = pair.take_uncommitted().said
    assert [type(each) for each in said if not hasattr(each, "status")] == [
        MentorshipEnded,
        MentorshipDetailed,
        SessionPlanChanged,
    ]
    assert (pair.arranged[0].called_off, pair.arranged[0].version, pair.due) == (True, 1, 0)
    plain = a_mentorship()
    plain.end(Side.MENTEE, STARTED_AT)
    assert told(plain) == []


@pytest.mark.parametrize(
    "command",
    [
        lambda pair: propose(pair, Side.MENTOR, ["2026-03-10 10:00"]),
        lambda pair: pair.pick_time(Side.MENTOR, TUESDAY, "s", STARTED_AT),
        lambda pair: pair.call_off(Side.MENTOR, STARTED_AT),
    ],
)
def test_sessions_are_arranged_only_while_a_mentorship_runs(command: Callable[[Mentorship], None]) -> None:
    """Neither before the start nor after the end."""
    ended = arranged()
    ended.end(Side.MENTOR, STARTED_AT)
    for pair in (a_proposal(), ended):
        with pytest.raises(ConflictError, match="while a mentorship is running"):
            command(pair)


def elsewhere(wall: str) -> ArrangedSession:
    return ArrangedSession(id="other", time=berlin(wall)[0], minutes=60)


@pytest.mark.parametrize(("wall", "free"), [("2026-03-10 09:00", True), ("2026-03-10 10:49", False)])
def test_nobody_is_in_two_sessions_at_once(wall: str, free: bool) -> None:
    """A session elsewhere that ends at ten leaves ten free; one that begins a minute before the end does not."""
    pair, busy = a_mentorship(), [elsewhere(wall)]
    if free:
        pair.propose_times(Side.MENTEE, berlin("2026-03-10 10:00"), "", STARTED_AT, busy)
        pair.pick_time(Side.MENTOR, TUESDAY, "s-1", STARTED_AT, busy)
        assert len(pair.arranged) == 1
        return
    with pytest.raises(InvalidError, match="There is another session"):
        pair.propose_times(Side.MENTEE, berlin("2026-03-10 10:00"), "", STARTED_AT, busy)
    propose(pair, Side.MENTEE, ["2026-03-10 10:00"])
    with pytest.raises(ConflictError, match="One of you has another session"):
        pair.pick_time(Side.MENTOR, TUESDAY, "s-1", STARTED_AT, busy)


def test_the_clock_tells_both_a_day_before_and_only_once() -> None:
    """Due at the same hour of the day before; a session that has begun by then is no news."""
    pair = arranged()
    assert pair.due == DAY_BEFORE
    pair.remind("2026-03-09T09:00:00.000Z")
    assert (told(pair), pair.due) == ([(PlanChange.NEAR, None, "s-1", 0)], 0)
    late = arranged()
    late.remind(TUESDAY)
    assert (told(late), late.due) == ([], 0)


def test_a_session_that_moved_while_the_clock_was_looking_is_told_on_its_own_day() -> None:
    """Found due, then moved on by a month: nothing is told yet, and the new reminder stays."""
    pair = arranged()
    propose(pair, Side.MENTEE, ["2026-04-14 10:00"])
    pair.pick_time(Side.MENTOR, "2026-04-14T08:00:00.000Z", "s-2", STARTED_AT)
    due = pair.due
    pair.take_uncommitted()
    pair.remind("2026-03-09T09:00:00.000Z")
    assert (told(pair), pair.due) == ([], due)


def test_a_session_arranged_less_than_a_day_ahead_gets_no_reminder() -> None:
    """Also when an earlier time, whose reminder was to come, moves there."""
    assert arranged(now="2026-03-09T09:00:00.000Z").due == 0
    pair = arranged()
    propose(pair, Side.MENTOR, ["2026-03-04 10:59"])
    pair.pick_time(Side.MENTEE, "2026-03-04T09:59:00.000Z", "s-2", STARTED_AT)
    assert pair.due == 0


class Plans(RuleBasedStateMachine):
    """Two people propose, pick, cancel and are reminded in any order, while hours pass."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = a_mentorship()
        self.hour = 0
        self.versions: dict[str, int] = {}

    @property
    def now(self) -> str:
        return f"2026-03-{3 + self.hour // 24:02}T{self.hour % 24:02}:30:00.000Z"

    def attempt(self, command: Callable[[], None]) -> None:
        before = self.pair.model_dump()
        try:
            command()
        except (ConflictError, InvalidError):
            assert self.pair.model_dump() == before, "a refusal changes nothing"
        for change, _by, session, version in told(self.pair):
            if session is None:
                assert change is PlanChange.TIMES_PROPOSED
            elif change is PlanChange.NEAR:
                assert version == self.versions[session]
            else:
                assert version == self.versions.get(session, -1) + 1, "each change raises the version by one"
                self.versions[session] = version

    @rule(side=st.sampled_from(list(Side)), hours=st.lists(st.integers(1, 60), min_size=1, max_size=4))
    def propose(self, side: Side, hours: list[int]) -> None:
        walls = [f"2026-03-{3 + hour // 24:02} {hour % 24:02}:00" for hour in (self.hour + each for each in hours)]
        self.attempt(lambda: propose(self.pair, side, walls, now=self.now))

    @rule(side=st.sampled_from(list(Side)), pick=st.integers(0, 2))
    def pick(self, side: Side, pick: int) -> None:
        if self.pair.times is not None:
            at = self.pair.times.times[pick % len(self.pair.times.times)].at
            self.attempt(lambda: self.pair.pick_time(side, at, f"s-{self.hour}-{len(self.versions)}", self.now))

    @rule(side=st.sampled_from(list(Side)))
    def call_off(self, side: Side) -> None:
        self.attempt(lambda: self.pair.call_off(side, self.now))

    @rule(hours=st.integers(1, 12))
    def clock(self, hours: int) -> None:
        self.hour = min(self.hour + hours, 24 * 20)
        if 0 < self.pair.due <= unix_seconds(self.now):
            self.attempt(lambda: self.pair.remind(self.now))

    @invariant()
    def one_session_is_ahead_and_its_reminder_waits_for_it(self) -> None:
        ahead = [each for each in self.pair.arranged if each.ahead(self.now)]
        assert len(ahead) <= 1
        assert self.pair.due == 0 or ahead, "no reminder without a session"


Plans.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestPlans = Plans.TestCase
