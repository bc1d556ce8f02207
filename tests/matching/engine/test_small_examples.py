"""Examples small enough to work out by hand: who gets whom, what it is worth, and what is said about it."""

import time
from dataclasses import replace
from pathlib import Path

import matching.engine
import pytest
from chassis.errors import InvalidError
from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.explanation import Reason, explain, unmatched_reasons, why_not
from matching.engine.people import Person
from matching.engine.proposals import Pair, RunCancelledError, Tie
from matching.engine.rules import Direction, Rule, Rules, Weights, schema_text
from matching.engine.sentences import SENTENCES
from matching.wording import gaps
from matching_cast import junior, pairs, senior
from pydantic import ValidationError

BY_EXPERIENCE = Rules(direction=Direction.EXPERIENCE, level_gap=3)

# -- who gets whom -----------------------------------------------------------------------------------------------------


def test_places_go_round_before_they_pile_up() -> None:
    """Ann has two places and Bob one, and they are the same to Eve and Fay: each mentor gets somebody."""
    people = [
        junior("ann", "cloud", capacity=2),
        junior("bob", "cloud"),
        senior("eve", "cloud"),
        senior("fay", "cloud"),
    ]
    run = Engine(Rules(), people).run()
    assert {pair.mentee for pair in pairs(run.proposals)} == {"eve", "fay"}
    assert {pair.mentor for pair in pairs(run.proposals)} == {"ann", "bob"}


def test_a_second_pair_is_better_than_an_empty_place() -> None:
    """Three pairs are worth more than two even if two people have two each; and nobody who could have one has none."""
    people = [
        junior("ann", "cloud", "fintech", capacity=2),
        junior("bob", "cloud"),
        senior("eve", "cloud", "fintech", capacity=2),
        senior("fay", "cloud"),
    ]
    run = Engine(Rules(), people).run()
    assert pairs(run.proposals) == {Pair("ann", "eve"), Pair("ann", "fay"), Pair("bob", "eve")}


def test_the_better_pair_wins_a_place_that_two_want() -> None:
    """Ann has one place; Eve's first choice is what Ann offers, Fay's second, so Ann goes to Eve and Fay has nobody."""
    people = [junior("ann", "cloud"), senior("eve", "cloud"), senior("fay", "fintech", "cloud")]
    run = Engine(Rules(), people).run()
    assert pairs(run.proposals) == {Pair("ann", "eve")}
    (fay,) = run.unmatched
    assert (fay.member, fay.side, fay.others, fay.eligible) == ("fay", Side.MENTEE, 1, 1)
    assert unmatched_reasons(fay, Rules()) == (Reason("none-was-free", {"people": 1}),)
    assert (run.mentees.people, run.mentees.paired, run.mentors.places, run.mentors.filled) == (2, 1, 1, 1)


def test_a_score_worked_out_by_hand() -> None:
    """Two shared areas, one offered by one of three mentors and one by all three, second choice of the mentee."""
    ann = replace(junior("ann", "cloud", "fintech"), waiting_days=10)
    eve = replace(senior("eve", "wellbeing", "fintech", "cloud"), country="NP", utc_offset=345, waiting_days=400)
    others = [junior("bob", "cloud"), junior("cat", "cloud")]
    proposal = Engine(Rules(level_gap=2), [ann, eve, *others]).score("ann", "eve")
    assert dict(proposal.terms) == {
        # fintech: 4/2 is one doubling, 400 + 260; cloud: 4/4 is none, 400
        "areas": 1060,
        # fintech is the second of Eve's four counting quarters: three quarters of 600
        "mentee-choice": 450,
        # cloud is Ann's first
        "mentor-choice": 400,
        # 9 to 17 in London and 3:15 to 11:15 UTC in Kathmandu share 135 minutes: 600 * 135 / 240
        "hours": 337,
        "other-unit": 700,
        "other-country": 400,
        # nobody has told a function, a site or a wish
        "other-function": 0,
        "mentee-wish": 0,
        "mentor-wish": 0,
        "in-person": 0,
        # seven levels apart, five beyond the least gap, four count
        "level": 320,
        # ninety days count
        "mentee-waiting": 450,
        "mentor-waiting": 50,
    }
    assert proposal.score == 4167
    assert proposal.areas == ("fintech", "cloud")
    assert proposal.direction == "reverse"


def test_both_directions_when_the_programme_says_so() -> None:
    """A senior may mentor a junior where the programme is not for reverse mentoring only."""
    senior_mentor = junior("ann", "cloud", level=9)
    junior_mentee = senior("eve", "cloud", level=2)
    assert not Engine(Rules(), [senior_mentor, junior_mentee]).run().proposals
    (proposal,) = Engine(Rules(reverse_only=False), [senior_mentor, junior_mentee]).run().proposals
    assert proposal.direction == "forward"


def test_who_has_been_here_longer_learns_where_experience_counts() -> None:
    """Of the same level, or the lower one: seven years between them are four beyond the least gap, and are told."""
    ann = replace(junior("ann", "cloud", level=5), joined=2025)
    eve = replace(senior("eve", "cloud", level=4), joined=2018)
    engine = Engine(BY_EXPERIENCE, [ann, eve])
    (proposal,) = engine.run().proposals
    assert (proposal.direction, proposal.terms["level"]) == ("reverse", 320)
    told = explain(engine, "ann", "eve").for_mentor
    assert Reason("years-apart", {"years": 7}) in told
    assert "levels-apart" not in {reason.code for reason in told}
    assert not Engine(Rules(), [ann, eve]).run().proposals


def test_years_too_few_are_told_as_years() -> None:
    """Two years apart where the programme asks for three, to whoever asks why and to a lead."""
    ann, eve = replace(junior("ann", "cloud"), joined=2025), replace(senior("eve", "cloud"), joined=2023)
    engine = Engine(BY_EXPERIENCE, [ann, eve])
    assert why_not(engine, "ann", "eve") == (Reason("fails-experience-gap", {"years": 2, "needed": 3}),)
    (alone, _) = engine.run().unmatched
    assert [each.code for each in unmatched_reasons(alone, BY_EXPERIENCE)] == ["excluded-by-experience-gap"]


def test_only_new_joiners_mentor_where_the_programme_says_so() -> None:
    """Twelve months are within the limit, thirteen are not; of mentees it asks nothing."""
    ann, bob = replace(junior("ann", "cloud"), tenure=12), replace(junior("bob", "cloud"), tenure=13)
    eve = replace(senior("eve", "cloud"), tenure=300)
    engine = Engine(Rules(new_joiner_months=12), [ann, bob, eve])
    run = engine.run()
    assert pairs(run.proposals) == {Pair("ann", "eve")}
    assert why_not(engine, "bob", "eve") == (
        Reason("mentor-has-no-place"),
        Reason("fails-new-joiner", {"needed": 12}),
    )
    engine.adopt(run)
    assert engine.change(replace(bob, tenure=3)).proposals == ()  # Eve's one place is taken
    assert pairs(engine.remove("ann").proposals) == {Pair("bob", "eve")}


# -- the management chain ----------------------------------------------------------------------------------------------


def test_nobody_mentors_anyone_above_them_however_far() -> None:
    """Ann's manager's manager is Eve: no pair. While nothing is known of the manager in between, Ann waits."""
    ann, eve = replace(junior("ann", "cloud"), manager="mid"), senior("eve", "cloud")
    assert not Engine(Rules(), [ann, Person("mid", 5, "shops", "GB", manager="eve"), eve]).run().proposals
    engine = Engine(Rules(), [ann, eve])
    assert not engine.run().proposals
    assert engine.directory.unreachable == ("ann",)
    assert why_not(engine, "ann", "eve") == (Reason("mentor-has-unknown-chain"),)
    assert Engine(Rules(unknown_chains=True), [ann, eve]).run().proposals


def test_who_waited_for_their_manager_is_proposed_when_the_manager_arrives() -> None:
    """Mid arrives at last and reports to Gus: Ann, who waited, and Eve are proposed with the same change."""
    ann = replace(junior("ann", "cloud"), manager="mid")
    engine = Engine(Rules(), [ann, senior("eve", "cloud"), Person("gus", 9, "shops", "GB")])
    assert engine.change(ann).proposals == ()
    change = engine.change(Person("mid", 5, "shops", "GB", manager="gus"))
    assert pairs(change.proposals) == {Pair("ann", "eve")}


def test_people_who_manage_each_other_in_a_circle_count_as_each_others_chain() -> None:
    """A circle of three, and Ann below it: no member may be paired with another or with Ann, and the circle is told."""
    circle = [
        replace(senior("eve", "cloud"), manager="fay"),
        replace(senior("fay", "cloud"), manager="gus"),
        replace(junior("gus", "cloud"), manager="eve"),
        replace(junior("ann", "cloud"), manager="fay"),
    ]
    engine = Engine(Rules(unknown_chains=True), circle)
    assert not engine.run().proposals
    assert set(engine.directory.circular) == {"eve", "fay", "gus"}


def test_a_new_manager_withdraws_proposals_of_everybody_below() -> None:
    """Ann and Bob sit below Mid; once Mid reports to Eve, the open proposal goes and the accepted pair is told."""
    ann = replace(junior("ann", "cloud"), manager="mid")
    bob = replace(junior("bob", "cloud"), manager="mid")
    mid = Person("mid", 5, "shops", "GB")
    people = [ann, bob, mid, senior("eve", "cloud", capacity=2)]
    engine = Engine(Rules(), people, open_pairs=[("ann", "eve")], locked_pairs=[("bob", "eve")])
    change = engine.change(replace(mid, manager="eve"))
    assert change.withdrawn == (Pair("ann", "eve"),)
    assert change.broken == (Pair("bob", "eve"),)
    assert change.proposals == ()


# -- a life in changes -------------------------------------------------------------------------------------------------


def test_a_pair_that_parted_is_never_proposed_again_in_neither_direction() -> None:
    """Ann and Eve were a pair; although both are free and the programme runs both ways, they are not proposed."""
    ann, eve = junior("ann", "cloud"), senior("eve", "cloud")
    engine = Engine(Rules(), [ann, eve])
    (first,) = engine.change(ann).proposals
    engine.move(first.mentor, first.mentee, Tie.FORMER)
    assert engine.run().proposals == ()
    assert why_not(engine, "ann", "eve") == (Reason("fails-not-available"),)
    engine.move("ann", "eve", None)
    assert pairs(engine.run().proposals) == {Pair("ann", "eve")}
    engine.move("eve", "ann", Tie.FORMER)
    assert engine.run().proposals == ()


def test_who_leaves_takes_exactly_their_open_proposals_along() -> None:
    """Ann goes: her open proposal is withdrawn, Bob's stays, and removing her again changes nothing."""
    people = [junior("ann", "cloud"), junior("bob", "cloud"), senior("eve", "cloud", capacity=2)]
    engine = Engine(Rules(), people, open_pairs=[("ann", "eve"), ("bob", "eve")])
    assert engine.remove("ann").withdrawn == (Pair("ann", "eve"),)
    assert engine.run().kept == (Pair("bob", "eve"),)
    assert engine.remove("ann").withdrawn == ()


def test_an_accepted_pair_keeps_its_place_and_an_open_one_counts_against_the_limit() -> None:
    """Of three places, one is taken by an accepted pair; with a limit of one open proposal, one more may be made."""
    people = [junior(name, "cloud") for name in ("ann", "bob", "cat", "dan")]
    rules = Rules(proposals_per_person=1)
    engine = Engine(rules, [*people, senior("eve", "cloud", capacity=3)], locked_pairs=[("ann", "eve")])
    assert engine.free_places("eve", Side.MENTEE) == 1
    assert len(engine.propose("eve")) == 1
    assert engine.free_places("eve", Side.MENTEE) == 0


def test_newcomers_are_taken_in_beyond_the_room_that_was_set_aside() -> None:
    """Two hundred people join one by one, some with languages and areas nobody had named; each gets their mentor."""
    engine = Engine(Rules(), [])
    for number in range(100):
        area, language = f"area-{number % 7}", f"l{number % 3}"
        engine.change(replace(junior(f"j{number}", area), languages=(language,)))
        change = engine.change(replace(senior(f"s{number}", area), languages=(language,)))
        assert pairs(change.proposals) == {Pair(f"j{number}", f"s{number}")}


def test_a_run_can_be_watched_and_stopped() -> None:
    """Progress only grows and ends at 1; a stopped run leaves the engine as it was."""
    engine = Engine(Rules(), [junior("ann", "cloud"), senior("eve", "cloud")])
    seen: list[float] = []
    engine.run(progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(RunCancelledError):
        engine.run(cancelled=lambda: True)
    assert engine.ties.all(Tie.OPEN) == []


def test_nothing_comes_of_an_empty_or_one_sided_market() -> None:
    """No people, or mentors only: no proposals, a full certificate, and the lead reads that the other side is empty."""
    assert Engine(Rules(), []).run().certificate == 10_000
    run = Engine(Rules(), [junior("ann", "cloud")]).run()
    assert run.proposals == ()
    assert unmatched_reasons(run.unmatched[0], Rules()) == (Reason("nobody-on-the-other-side"),)


# -- what is said ------------------------------------------------------------------------------------------------------


def test_each_side_reads_its_own_reasons_and_not_the_others_affairs() -> None:
    """Eve has waited and Ann has not: only Eve reads about it; each reads the areas from their own side."""
    ann = junior("ann", "fintech", "cloud")
    eve = replace(senior("eve", "cloud", "fintech"), waiting_days=30)
    told = explain(Engine(Rules(), [ann, eve]), "ann", "eve")
    assert told.for_mentor[:2] == (
        Reason("shared-area-for-mentor", {"area": "cloud"}),
        Reason("shared-area-for-mentor-first", {"area": "fintech"}),
    )
    assert told.for_mentee[0] == Reason("shared-area-for-mentee-first", {"area": "cloud"})
    assert told.for_mentee[-1] == Reason("you-have-waited", {"days": 30})
    assert "you-have-waited" not in {reason.code for reason in told.for_mentor}
    assert told.score == sum(told.points.values())


def test_why_not_names_every_rule_in_the_way() -> None:
    """Same level, unit, manager, nothing shared, no language, working days that never meet."""
    ann = replace(junior("ann", "cloud", level=5, unit="it"), manager="x", languages=("en",))
    eve = replace(
        senior("eve", "fintech", level=5, unit="it", capacity=1), manager="x", languages=("de",), utc_offset=480
    )
    boss = Person("x", 6, "it", "GB")
    assert why_not(Engine(Rules(), [ann, eve, boss]), "ann", "eve") == (
        Reason("fails-level-gap", {"levels": 0, "needed": 2}),
        Reason("fails-common-area"),
        Reason("fails-common-hours", {"hours": 0, "minutes": 0, "needed": 60}),
        Reason("fails-common-language"),
        Reason("fails-different-unit"),
        Reason("fails-same-manager"),
    )
    away = Engine(Rules(), [replace(ann, open_to_mentor=False, manager=None), senior("fay", "cloud")])
    assert why_not(away, "ann", "fay") == (Reason("mentor-takes-no-part"),)
    assert why_not(Engine(Rules(), [junior("ann", "cloud"), senior("fay", "cloud")]), "ann", "fay") == ()


def test_a_lead_sees_what_one_rule_alone_keeps_away() -> None:
    """Two of three mentors are in Eve's unit, one of these also too close in level: the unit alone costs her one."""
    people = [
        junior("ann", "cloud", unit="board"),
        junior("bob", "cloud", unit="board", level=8),
        junior("cat", "fintech"),
        senior("eve", "cloud"),
    ]
    run = Engine(Rules(), people).run()
    eve = next(each for each in run.unmatched if each.side is Side.MENTEE)
    counts = {each.rule: (each.people, each.alone) for each in eve.exclusions}
    assert counts == {Rule.UNIT: (2, 1), Rule.LEVEL: (1, 0), Rule.AREAS: (1, 1)}
    assert {reason.code for reason in unmatched_reasons(eve, Rules())} <= set(SENTENCES)


def test_declined_pairs_do_not_show_in_what_a_lead_is_told() -> None:
    """Nobody can count how many pairs somebody has left: such people pass the rules like anyone who was not free."""
    run = Engine(Rules(), [junior("ann", "cloud"), senior("eve", "cloud")], former_pairs=[("ann", "eve")]).run()
    assert all(each.exclusions == () and each.eligible == 1 for each in run.unmatched)


def test_every_code_has_its_sentence() -> None:
    """Each rule can be told in both ways, and the gaps of a sentence are the values of its reason."""
    for rule in Rule:
        for rules in (Rules(), BY_EXPERIENCE):
            assert f"fails-{rules.code(rule)}" in SENTENCES
    told = Reason("fails-common-hours", {"hours": 1, "minutes": 5, "needed": 120})
    assert SENTENCES[told.code].format(**gaps(told.values)) == (
        "Working hours they share: 1 h 5 min; the programme asks for 120 min."
    )


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"level_gap": 0}, "reverse_only asks for a mentee above the mentor, but level_gap 0 allows equals"),
        ({"areas": ["cloud", "cloud"]}, "areas names an area twice"),
        (
            {"mentor_tenure": 12, "new_joiner_months": 6},
            "mentor_tenure asks for mentors who joined at least 12 months ago, but new_joiner_months for at most 6",
        ),
        ({"levelgap": 2}, "Extra inputs are not permitted"),
        ({"weights": {"area": -1}}, "greater than or equal to 0"),
    ],
)
def test_contradictory_or_misspelt_rules_are_refused_in_words(rules: dict[str, object], sentence: str) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(ValidationError, match=sentence):
        Rules.model_validate(rules)


def test_a_person_twice_or_too_many_areas_make_no_market() -> None:
    """An id must stand for one person, and at most 64 areas can be weighed."""
    with pytest.raises(InvalidError, match="Two people have the id ann"):
        Engine(Rules(), [junior("ann", "cloud"), junior("ann", "fintech")])
    with pytest.raises(InvalidError, match="at most 64 areas"):
        Engine(Rules(), [junior("ann", *(f"area-{number}" for number in range(65)))])


def test_the_published_schema_is_the_one_of_the_rules() -> None:
    """`rules.schema.json` is what `schema_text()` returns: write it there again after a change of the rules."""
    published = Path(matching.engine.__file__).with_name("rules.schema.json").read_text(encoding="utf-8")
    assert published == schema_text()


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_large_department_is_matched_in_time() -> None:
    """A run over 2,000 people takes at most 2 s of processor time, and one change at most 20 ms at best of five."""
    people = [
        junior(f"j{number}", f"area-{number % 9}", f"area-{number % 5}", unit=f"u{number % 7}", capacity=2)
        for number in range(1200)
    ] + [
        senior(f"s{number}", f"area-{number % 11}", f"area-{number % 4}", unit=f"u{number % 8}")
        for number in range(800)
    ]
    engine = Engine(Rules(weights=Weights()), people)
    begin = time.process_time()
    run = engine.run()
    assert time.process_time() - begin <= 2.0
    engine.adopt(run)
    taken = []
    for number in range(5):
        begin = time.process_time()
        engine.change(senior(f"s{number}", "area-8", "area-1", capacity=3))
        taken.append(time.process_time() - begin)
    assert min(taken) <= 0.02
