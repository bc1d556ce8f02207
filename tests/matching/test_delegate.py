"""Who may arrange the mentee's times for them, and what is said of it; all in memory."""

import pytest
from chassis.errors import ConflictError, InvalidError
from contracts.matching import PlanChange, SessionPlanChanged, Side
from contracts.topics import MENTORSHIP_DETAIL
from hypothesis import given
from hypothesis import strategies as st
from matching.domain.mentorship import Mentorship
from matching.policy import POLICY, relations
from matching_people import LATER, a_proposal
from matching_sessions import STARTED_AT, a_mentorship, arranged, berlin, propose
from matching_world import caller

DELEGATES_MAY = {"session.arrange", "session.call-off", "delegate.step-down"}


def accepted() -> Mentorship:
    """Both have said yes, and have not agreed yet."""
    pair = a_proposal()
    for side in Side:
        pair.accept(side, LATER)
    pair.finalise(LATER)
    return pair


def test_a_delegate_stands_on_the_mentees_side_of_times_and_is_neither_of_the_two() -> None:
    """Sam arranges for dora; strangers arrange nothing."""
    pair = a_mentorship()
    pair.name_delegate("sam")
    assert [pair.arranges(member) for member in ("ana", "dora", "sam", "mallory")] == [
        Side.MENTOR,
        Side.MENTEE,
        Side.MENTEE,
        None,
    ]
    assert pair.side_of("sam") is None


def test_naming_and_taking_back_is_said_once_on_the_platform_topic_alone() -> None:
    """The same name again is no news; another takes the place of the first; nothing stands on the outside topic."""
    pair = a_mentorship()
    for member in ("sam", "sam", "tia"):
        pair.name_delegate(member)
    for _ in range(2):
        pair.dismiss_delegate()
    said = pair.take_uncommitted().said
    assert [(each.change, each.delegate) for each in said if isinstance(each, SessionPlanChanged)] == [
        (PlanChange.DELEGATED, "sam"),
        (PlanChange.DELEGATED, "tia"),
        (PlanChange.DELEGATED, None),
    ]
    assert {each.topic for each in said} == {MENTORSHIP_DETAIL}
    assert pair.delegate is None


def test_a_delegate_steps_down_once_and_as_neither_sides_doing() -> None:
    """The mentee's taking it back is the mentee's; sam's stepping down is nobody's. Tia, named meanwhile, stays."""
    pair = a_mentorship()
    pair.name_delegate("sam")
    for member in ("tia", "dora", "sam", "sam"):
        pair.step_down(member)
    pair.name_delegate("tia")
    pair.step_down("sam")
    pair.dismiss_delegate()
    said = pair.take_uncommitted().said
    assert [(each.by, each.delegate) for each in said if isinstance(each, SessionPlanChanged)] == [
        (Side.MENTEE, "sam"),
        (None, None),
        (Side.MENTEE, "tia"),
        (Side.MENTEE, None),
    ]
    assert {each.topic for each in said} == {MENTORSHIP_DETAIL}


def test_what_is_arranged_stays_when_a_delegate_steps_down() -> None:
    """Neither times nor sessions were theirs."""
    pair = arranged()
    pair.name_delegate("sam")
    propose(pair, Side.MENTEE, ["2026-03-12 10:00"])
    before = (pair.arranged, pair.times)
    pair.step_down("sam")
    assert (pair.arranged, pair.times) == before


@pytest.mark.parametrize(("member", "why"), [("dora", "your own address"), ("ana", "with this very person")])
def test_neither_of_the_two_is_a_delegate(member: str, why: str) -> None:
    """Whoever was one stays it."""
    pair = a_mentorship()
    pair.name_delegate("sam")
    with pytest.raises(InvalidError, match=why):
        pair.name_delegate(member)
    assert pair.delegate == "sam"


def test_a_delegate_is_named_from_both_yeses_on() -> None:
    """Before and after there is nobody to name."""
    accepted().name_delegate("sam")
    ended = a_mentorship()
    ended.end(Side.MENTOR, STARTED_AT)
    for pair in (a_proposal(), ended):
        with pytest.raises(ConflictError, match="between both yeses and the end"):
            pair.name_delegate("sam")


def test_a_pause_keeps_a_delegate_and_the_end_does_not() -> None:
    """Nothing remembers who it was."""
    pair = arranged()
    pair.name_delegate("sam")
    pair.pause(Side.MENTOR, STARTED_AT)
    paused = pair.delegate
    pair.end(Side.MENTOR, STARTED_AT)
    assert (paused, pair.delegate, "sam" in pair.model_dump_json()) == ("sam", None, False)


def test_a_change_of_a_plan_names_the_delegate_until_the_very_end() -> None:
    """The session that falls away with the mentorship is news to sam, too."""
    pair = a_mentorship()
    pair.name_delegate("sam")
    propose(pair, Side.MENTEE, ["2026-03-10 10:00"])
    pair.pick_time(Side.MENTOR, berlin("2026-03-10 10:00")[0].at, "s-1", STARTED_AT)
    pair.end(None, STARTED_AT)
    said = [each for each in pair.take_uncommitted().said if isinstance(each, SessionPlanChanged)]
    assert [(each.change.value, each.delegate) for each in said[1:]] == [
        ("times-proposed", "sam"),
        ("arranged", "sam"),
        ("called-off", "sam"),
    ]


def test_the_table_lets_a_delegate_arrange_and_nothing_else() -> None:
    """Whatever is added to the table later is not theirs, unless somebody writes it there."""
    pair = a_mentorship()
    pair.name_delegate("sam")
    sam = relations(caller("sam", "demo"), pair)
    assert sam == {"delegate"}
    granted = {action for action in POLICY.actions if POLICY._table[action].relations & sam}
    assert granted == DELEGATES_MAY


@given(st.lists(st.sampled_from(["sam", "tia", "ana", "dora", "", "down", "pause", "resume", "end"]), max_size=12))
def test_no_way_leads_to_a_delegate_who_is_one_of_the_two_or_outlives_the_pair(steps: list[str]) -> None:
    """Whatever is tried in whatever order."""
    pair = a_mentorship()
    for step in steps:
        try:
            if step == "pause":
                pair.pause(Side.MENTOR, STARTED_AT)
            elif step == "resume":
                pair.resume(Side.MENTEE, STARTED_AT)
            elif step == "end":
                pair.end(Side.MENTEE, STARTED_AT)
            elif step == "down":
                pair.step_down("sam")
            elif step:
                pair.name_delegate(step)
            else:
                pair.dismiss_delegate()
        except (ConflictError, InvalidError):
            pass
        assert pair.delegate in {None, "sam", "tia"}
        assert pair.live or pair.delegate is None
