"""Time goes on while a proposal to a new joiner waits: it takes nothing back by itself."""

from datetime import date

import pytest
from contracts.matching import MentorshipState, PersonBands, Status
from matching.domain.members import Member
from matching.eligibility import broken_rule, engine_person
from matching.engine.engine import Engine
from matching.engine.proposals import Pair, Tie
from matching.engine.rules import Direction, Rule, Rules
from matching.proposing.landscape import Known, Tenant, hold, make_engine, tie_of
from matching_people import PROPOSED_AT, a_profile, an_entry

RULES = Rules(areas=("ai-tools",), new_joiner_months=6)
NEW, SETTLED = date(2026, 3, 31), date(2026, 4, 1)
"""The last day on which somebody of September 2025 joined at most six months ago, and the day after."""
ENTRY = an_entry("ana", unit="shops", joined="2025-09")
PROFILE = a_profile("ana", seeks=())
BANDS = PersonBands(level=2, unit="shops", country="GB")


def proposed(programme: str = "p") -> MentorshipState:
    return MentorshipState(
        mentorship="m-1",
        programme=programme,
        status=Status.PROPOSED,
        mentor="ana",
        mentee="dora",
        areas=("ai-tools",),
        direction="reverse",
        mentor_bands=BANDS,
        mentee_bands=BANDS,
        proposed_at=PROPOSED_AT,
    )


def tenant() -> Tenant:
    mentee = Known(an_entry("dora", level=9), a_profile("dora", offers=(), seeks=("ai-tools",)))
    other = Known(an_entry("emil", level=9), a_profile("emil", offers=(), seeks=("ai-tools",)))
    return Tenant({"ana": Known(ENTRY, PROFILE), "dora": mentee, "emil": other}, {"m-1": proposed()})


def test_whoever_is_no_new_joiner_any_more_keeps_what_was_proposed() -> None:
    """An engine made on the day after neither withdraws it, nor proposes ana, who has a place left, to anybody else."""
    known = tenant()
    known.people["ana"].profile = a_profile("ana", seeks=(), mentor_capacity=2)
    before, after = (make_engine(known, "p", RULES, day) for day in (NEW, SETTLED))
    assert [each.mentee for each in before.run().proposals] == ["emil"]
    run = after.run()
    assert (run.proposals, run.withdrawn) == ((), ())
    assert after.ties.between(Pair("ana", "dora")) is Tie.LOCKED


def test_a_change_after_the_day_takes_nothing_back_either() -> None:
    """Ana learns a language in April; in the engine of March her proposal is still open."""
    engine = make_engine(tenant(), "p", RULES, NEW)
    person = engine_person(ENTRY.model_copy(update={"languages": ("en", "de")}), PROFILE, SETTLED)
    hold(engine, person)
    change = engine.change(person)
    assert (change.withdrawn, change.moved, change.proposals) == ((), (), ())
    assert engine.ties.between(Pair("ana", "dora")) is Tie.LOCKED


def test_without_the_rule_an_open_proposal_stays_the_engines_to_move() -> None:
    """Nothing is held where a programme asks for nothing."""
    engine = Engine(Rules(areas=("ai-tools",)), [], open_pairs=[("ana", "dora")])
    hold(engine, engine_person(ENTRY, PROFILE, SETTLED))
    assert engine.ties.between(Pair("ana", "dora")) is Tie.OPEN
    assert tie_of(proposed(), "p", set()) is Tie.OPEN
    assert tie_of(proposed(), "p", set(), settled=True) is Tie.LOCKED


@pytest.mark.parametrize(("day", "expected"), [(NEW, None), (SETTLED, Rule.NEW_JOINER)])
def test_a_pair_is_judged_by_the_day_on_which_it_is_proposed(day: date, expected: Rule | None) -> None:
    """As of March the two may be paired, as of April not any more."""
    mentor = Member(id="ana", tenant="demo", profile=PROFILE, directory=ENTRY)
    entry, profile = an_entry("dora", level=9), a_profile("dora", seeks=("ai-tools",))
    mentee = Member(id="dora", tenant="demo", profile=profile, directory=entry)
    assert broken_rule(RULES, mentor, mentee, [], day) is expected


def test_years_between_two_people_are_the_same_on_every_day() -> None:
    """Joined in December 2023 and January 2020: three years apart, today, and when months have passed."""
    rules = Rules(areas=("ai-tools",), direction=Direction.EXPERIENCE, level_gap=3, different_unit=False)
    for day in (date(2024, 1, 1), date(2025, 6, 30), date(2026, 12, 31)):
        mentor = engine_person(an_entry("ana", joined="2023-12"), a_profile("ana"), day)
        mentee = engine_person(an_entry("dora", joined="2020-01"), a_profile("dora", seeks=("ai-tools",)), day)
        assert [each.mentee for each in Engine(rules, [mentor, mentee]).run().proposals] == ["dora"]
