"""Programmes, their files, runs, hard rules for one pair, and what is next for somebody."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from chassis.errors import ConflictError, InvalidError
from contracts.matching import Side
from matching.agenda import Urgency, next_steps
from matching.domain.members import Member
from matching.domain.programme import Plan, Programme, Stage, programme_id
from matching.domain.proposal import Reason
from matching.domain.run import Result, Run, RunState, Unpaired
from matching.eligibility import Absence, broken_rule, engine_person
from matching.engine.engine import Engine
from matching.engine.explanation import explain
from matching.engine.rules import Rule, Rules, Term
from matching.engine.sentences import SENTENCES
from matching.programmes.files import make_plan, read_file
from matching.programmes.lead_words import PARTS, band, nobody
from matching_people import LATER, a_profile, a_proposal, an_entry

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = "2026-03-02T09:00:00.000Z"
CONTENT = {
    "title": "Fresh Eyes",
    "opens_on": "today",
    "closes_on": "2027-01-01",
    "leads": ["lead@demo.example"],
    "rules": {"areas": ["ai-tools"], "level_gap": 2},
}


def a_plan(**changes: object) -> Plan:
    """The plan of the file above."""
    return make_plan(CONTENT | changes, None, TODAY)


def a_member(name: str, level: int, **entry: object) -> Member:
    """Somebody who both offers and seeks AI tools."""
    member = Member.unknown("demo", name)
    member.learn_directory(an_entry(name, level=level, **entry))
    member.learn_profile(a_profile(name, seeks=("ai-tools",)), 1)
    return member


def test_publishing_says_the_programme_without_its_title_and_only_when_it_changed() -> None:
    """A title can name a protected group, so it stays off the topic; the same file again says nothing."""
    programme = Programme.draft("p-1", "demo", a_plan())
    assert programme.publish(a_plan())
    (event,) = programme.take_uncommitted().said
    assert "Fresh Eyes" not in event.model_dump_json()  # type: ignore[union-attr]
    assert not programme.publish(a_plan())
    assert programme.publish(a_plan(closes_on="2027-02-01"))
    assert programme.rules_version == 2


def test_a_programme_is_open_within_its_window_only() -> None:
    """The first and the last day count; a draft is never open."""
    plan = a_plan(closes_on="2026-03-10")
    programme = Programme.draft("p-1", "demo", plan)
    assert not programme.running(date(2026, 3, 2))
    programme.publish(plan)
    assert [programme.running(date(2026, 3, day)) for day in (1, 2, 10, 11)] == [False, True, True, False]


def test_a_draft_is_edited_in_silence_and_an_open_programme_at_once() -> None:
    """The topic hears of a programme when it opens, and then of every change; closing and opening say so, too."""
    programme = Programme.draft("p-1", "demo", a_plan())
    assert programme.edit(a_plan(title="Open Ears"))
    assert not programme.edit(a_plan(title="Open Ears"))
    assert (programme.stage, programme.take_uncommitted().said) == (Stage.DRAFT, [])
    assert programme.turn(open_=True)
    assert programme.edit(a_plan(title="Open Ears", closes_on="2027-02-01"))
    assert programme.turn(open_=False)
    assert programme.stage is Stage.CLOSED
    assert not programme.turn(open_=False)
    said = [(each.open, each.closes_on, each.rules_version) for each in programme.take_uncommitted().said]  # type: ignore[union-attr]
    assert said == [(True, "2027-01-01", 1), (True, "2027-02-01", 2), (False, "2027-02-01", 3)]


def test_a_draft_cannot_be_closed() -> None:
    """It was never open; the sentence says what to do."""
    with pytest.raises(ConflictError, match="never opened"):
        Programme.draft("p-1", "demo", a_plan()).turn(open_=False)


def test_a_file_that_opens_today_keeps_its_first_day_when_loaded_again(tmp_path: Path) -> None:
    """Loading the demo programme tomorrow must not be a change."""
    path = tmp_path / "programme.json"
    path.write_text(json.dumps(CONTENT))
    code, content = read_file(path)
    first = Programme.draft("p-1", "demo", make_plan(content, None, TODAY))
    again = make_plan(content, first, date(2026, 5, 5))
    assert (code, again.opens_on) == ("programme", TODAY)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"closes_on": "2020-01-01"}, "closes before it opens"),
        ({"rules": {"areas": []}}, "areas"),
        ({"rules": {"areas": ["ai-tools"], "level_gap": 99}}, "level_gap"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_file_that_is_no_programme_says_what_to_correct(change: dict[str, object], named: str) -> None:
    """Each refusal names the field."""
    with pytest.raises(InvalidError, match=named):
        a_plan(**change)


def test_a_toml_file_and_a_json_file_are_read_alike(tmp_path: Path) -> None:
    """A programme may be written in either, and a broken one is refused with its name."""
    path = tmp_path / "p.toml"
    path.write_text('code = "fresh"\ntitle = "Fresh Eyes"\nopens_on = 2026-03-02\ncloses_on = 2027-01-01\n')
    assert read_file(path)[0] == "fresh"
    path.write_text("title = ")
    with pytest.raises(InvalidError, match=r"p\.toml"):
        read_file(path)


def test_ids_of_programmes_tell_nothing_and_differ_by_tenant() -> None:
    """The same code is another programme elsewhere, and the id holds no word of it."""
    assert programme_id("demo", "lgbt-mentors") != programme_id("acme", "lgbt-mentors")
    assert "lgbt" not in programme_id("demo", "lgbt-mentors")


def test_one_engine_executes_a_run_and_another_takes_over_only_from_a_silent_one() -> None:
    """A claim holds while its engine reports; after fifteen silent seconds the job is free."""
    run = Run.request("demo", "p-1", 1, "lena", AT)
    assert run.claim("engine-0", 100)
    assert not run.claim("engine-1", 110)
    assert run.claim("engine-1", 116)
    assert not run.advance("engine-0", 117, "weighing", 50)
    run.finish("engine-0", Result(), AT)
    assert run.state is RunState.RUNNING
    run.finish("engine-1", Result(proposed=3), AT)
    assert (run.state, run.progress) == (RunState.DONE, 100)


def test_a_cancelled_run_stops_at_its_next_report() -> None:
    """A waiting run ends at once, a running one when the engine reports."""
    waiting = Run.request("demo", "p-1", 1, "lena", AT)
    waiting.cancel(AT)
    assert waiting.state is RunState.CANCELLED
    run = Run.request("demo", "p-1", 2, "lena", AT)
    run.claim("engine-0", 100)
    run.cancel(AT)
    assert not run.advance("engine-0", 101, "weighing", 50)
    run.give_up("engine-0", AT)
    assert run.state is RunState.CANCELLED


@pytest.mark.parametrize(
    ("mentor", "mentee", "above", "expected"),
    [
        ({}, {}, [], None),
        ({"manager": "dora"}, {}, ["dora"], Rule.CHAIN),
        ({"manager": "boss"}, {"manager": "boss"}, ["boss"], Rule.MANAGER),
        ({"unit": "finance"}, {}, [], Rule.UNIT),
        ({"languages": ("de",)}, {}, [], Rule.LANGUAGE),
        ({"time_zone": "Australia/Sydney"}, {}, [], Rule.HOURS),
        ({"level": 8}, {}, [], Rule.LEVEL),
    ],
)
def test_hard_rules_for_one_pair(
    mentor: dict[str, object], mentee: dict[str, object], above: list[str], expected: Rule | None
) -> None:
    """The rule that keeps two people apart is named; nothing keeps a plain pair apart."""
    one = a_member("ana", **({"level": 2, "unit": "retail"} | mentor))  # type: ignore[arg-type]
    other = a_member("dora", **({"level": 9, "unit": "finance"} | mentee))  # type: ignore[arg-type]
    managers = [a_member(name, 10) for name in above if name != "dora"]
    assert broken_rule(Rules(areas=("ai-tools",)), one, other, managers, TODAY) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({"mentor_tenure": 11}, None), ({"mentor_tenure": 12}, Rule.TENURE), ({"mentee_tenure": 12}, None)],
)
def test_months_since_joining_come_from_the_directory(asked: dict[str, int], expected: Rule | None) -> None:
    """The mentor joined eleven months ago, the mentee long before: a programme may ask that of either."""
    month = TODAY.year * 12 + TODAY.month - 1 - 11
    mentor = a_member("ana", 2, unit="retail", joined=f"{month // 12}-{month % 12 + 1:02}")
    mentee = a_member("dora", 9, unit="finance", joined="2001-01")
    assert broken_rule(Rules(areas=("ai-tools",), **asked), mentor, mentee, [], TODAY) == expected


def test_functions_sites_and_wishes_reach_whoever_asks_why() -> None:
    """The mentor wished for finance and hears of it, the mentee wished for nobody; both would meet at their site."""
    mentor = engine_person(
        an_entry("ana", unit="shops", function="sales", site="leeds-2"),
        a_profile("ana", wishes=("legal", "finance"), in_person=True),
        TODAY,
    )
    mentee = engine_person(
        an_entry("dora", level=9, unit="head-office", function="finance", site="leeds-2"),
        a_profile("dora", seeks=("ai-tools",), in_person=True),
        TODAY,
    )

    why = explain(Engine(Rules(areas=("ai-tools",)), [mentor, mentee]), "ana", "dora")

    told = {"you-wished", "other-function", "both-in-person"}
    assert told & {reason.code for reason in why.for_mentor} == told
    assert told & {reason.code for reason in why.for_mentee} == told - {"you-wished"}


def test_somebody_without_a_profile_has_a_function_and_no_wish() -> None:
    """The directory alone tells where they work."""
    person = engine_person(an_entry("ana", function="sales", site="leeds-2"), None, TODAY)
    assert (person.function, person.site, person.likes, person.in_person) == ("sales", "leeds-2", (), False)


def test_whoever_closed_their_profile_is_not_to_be_proposed() -> None:
    """Openness is a hard rule for as long as a proposal is unanswered."""
    mentor, mentee = a_member("ana", 2), a_member("dora", 9, unit="finance")
    mentor.learn_profile(a_profile("ana", open_to_mentor=False), 2)
    assert broken_rule(Rules(areas=("ai-tools",)), mentor, mentee, [], TODAY) is Absence.NOT_OPEN


def test_what_waits_for_me_comes_before_what_waits_for_others() -> None:
    """An agreement, then a proposal, then what the other side has to answer."""
    fresh, half, agreed = a_proposal("m-1"), a_proposal("m-2"), a_proposal("m-3")
    half.accept(Side.MENTOR, LATER)
    agreed.accept(Side.MENTOR, LATER)
    agreed.accept(Side.MENTEE, LATER)
    agreed.finalise(LATER)
    steps = next_steps([half, fresh, agreed], "ana", NOW)
    assert [(step.pair.id, step.urgency) for step in steps] == [
        ("m-3", Urgency.AGREE),
        ("m-1", Urgency.ANSWER),
        ("m-2", Urgency.WAIT_FOR_ANSWER),
    ]
    assert next_steps([fresh], "mallory", NOW) == []


def test_a_meeting_is_due_after_the_cadence_that_was_agreed() -> None:
    """Monthly: thirty days after the start, the pair is asked to meet."""
    pair = a_proposal()
    for side in Side:
        pair.accept(side, LATER)
    pair.finalise(LATER)
    for side in Side:
        pair.confirm_agreement(side, 1, LATER)
    assert next_steps([pair], "dora", datetime(2026, 3, 31, tzinfo=UTC))[0].urgency is Urgency.RUNNING
    assert next_steps([pair], "dora", datetime(2026, 4, 1, tzinfo=UTC))[0].urgency is Urgency.MEET


def test_score_bands_compare_with_the_best_pair() -> None:
    """A lead reads bands; three quarters of the best is strong, half is good."""
    assert [band(score, 4000) for score in (4000, 3000, 2999, 2000, 1999, 0)] == [
        "strong",
        "strong",
        "good",
        "good",
        "fair",
        "fair",
    ]


def test_a_lead_has_words_for_every_part_of_a_score() -> None:
    """A part that the engine learns must not end among "other reasons"."""
    assert set(PARTS) == set(Term)


@pytest.mark.parametrize("side", Side)
def test_a_lead_has_words_for_every_reason_to_have_nobody(side: Side) -> None:
    """Whatever the engine tells about somebody without a pair is a sentence, for one person and for many."""
    for code in (code for code in SENTENCES if code.startswith(("excluded-by-", "nobody-", "none-"))):
        for people in (1, 2_000):
            why = Reason(code=code, values={"people": people, "others": 2_000, "alone": people - 1})
            told = nobody(Unpaired(member="ana", side=side, why=(why,)))
            assert told.sentence
            assert len(told.obstacles) == code.startswith("excluded-by-")
            assert not [text for text in (told.sentence, *told.obstacles) if "{" in text or "2000" in text]
