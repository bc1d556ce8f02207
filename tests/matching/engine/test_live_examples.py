"""One change at a time, worked out by hand: who moves, who gets somebody else, and what stays as it is.

In these programmes a pair is worth 100 for each shared area (at most three) and, for the first to fourth choice of the
mentee, 800, 600, 400 or 200; nothing else counts.
"""

from dataclasses import replace

import pytest
from chassis.errors import InvalidError
from contracts.matching import Side
from matching.engine.bulk.draft import draft
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Change, Pair, Tie
from matching.engine.rules import Rules, Weights
from matching_cast import junior, pairs, senior

NOTHING = dict.fromkeys(Weights.model_fields, 0)


def programme(moved: int = 2, **weights: int) -> Rules:
    return Rules(
        moved_per_change=moved, weights=Weights(**NOTHING | {"area": 100, "mentee_choice": 800, "reach": 100} | weights)
    )


def open_pairs(engine: Engine) -> set[Pair]:
    return set(engine.ties.all(Tie.OPEN))


# -- who moves ---------------------------------------------------------------------------------------------------------


def fay_comes(moved: int, **weights: int) -> Change:
    """Ann has Eve and Bob has Gil, one place each; Cat is free. Fay wants only what Ann offers."""
    people = [
        junior("ann", "cloud"),
        junior("bob", "fintech"),
        junior("cat", "wellbeing"),
        senior("eve", "cloud", "fintech"),
        senior("gil", "fintech", "wellbeing"),
    ]
    engine = Engine(programme(moved, **weights), people, open_pairs=[("ann", "eve"), ("bob", "gil")])
    change = engine.change(senior("fay", "cloud"))
    assert open_pairs(engine) == ({Pair("ann", "eve"), Pair("bob", "gil")} - set(change.moved)) | pairs(
        change.proposals
    )
    return change


@pytest.mark.parametrize("moved", [0, 1])
def test_nobody_moves_when_that_takes_more_moves_than_allowed(moved: int) -> None:
    """Eve could only go to Bob, and Gil from there to Cat: two moves."""
    assert fay_comes(moved) == Change()


def test_two_moves_make_room_for_somebody_new() -> None:
    """900 and 900 before; 900 for Fay with Ann, 700 for Eve with Bob and 700 for Gil with Cat after: 500 more."""
    change = fay_comes(2)
    assert set(change.moved) == {Pair("ann", "eve"), Pair("bob", "gil")}
    assert pairs(change.proposals) == {Pair("ann", "fay"), Pair("bob", "eve"), Pair("cat", "gil")}
    assert [proposal.score for proposal in change.proposals] == [900, 700, 700]


@pytest.mark.parametrize(("open_proposal", "moves"), [(249, 2), (251, 0)])
def test_each_move_must_be_worth_what_the_rules_say(open_proposal: int, moves: int) -> None:
    """The 500 points that two moves gain are 250 a move."""
    assert len(fay_comes(2, open_proposal=open_proposal).moved) == moves


def one_move(moved: int, *others: Person) -> Change:
    """Ann has one place, and Eve in it; Fay comes and wants what Ann offers more than Eve does."""
    people = [junior("ann", "cloud"), senior("eve", "fintech", "cloud"), *others]
    return Engine(programme(moved), people, open_pairs=[("ann", "eve")]).change(senior("fay", "cloud"))


def test_one_move_makes_a_chain_of_one() -> None:
    """Eve goes to Bob, who offers her first choice, and Fay comes to Ann."""
    change = one_move(1, junior("bob", "fintech"))
    assert change.moved == (Pair("ann", "eve"),)
    assert pairs(change.proposals) == {Pair("ann", "fay"), Pair("bob", "eve")}


def test_without_moves_nobody_gives_way() -> None:
    """With none allowed, Fay has nobody, although Eve would find better."""
    assert one_move(0, junior("bob", "fintech")) == Change()


def test_a_newcomer_who_fits_better_takes_nobody_away_from_who_has_nobody_else() -> None:
    """Ann is Eve's second choice and Fay's first, but there is nobody else for Eve."""
    assert one_move(2) == Change()


def test_a_mentor_who_now_fits_another_better_does_not_leave_their_mentee_alone() -> None:
    """Ann now offers Fay's first choice and Eve's second; Eve has no other mentor, so she keeps Ann."""
    people = [junior("ann", "cloud"), senior("eve", "cloud", "fintech"), senior("fay", "fintech", "cloud")]
    engine = Engine(programme(), people, open_pairs=[("ann", "eve")])
    assert engine.change(junior("ann", "fintech")) == Change()


def test_a_mentor_who_now_fits_another_better_changes_when_their_mentee_has_somebody_else() -> None:
    """As above, but Bob is free for Eve: one move."""
    people = [
        junior("ann", "cloud"),
        junior("bob", "cloud"),
        senior("eve", "cloud", "fintech"),
        senior("fay", "fintech"),
    ]
    engine = Engine(programme(1), people, open_pairs=[("ann", "eve")])
    change = engine.change(junior("ann", "fintech"))
    assert change.moved == (Pair("ann", "eve"),)
    assert pairs(change.proposals) == {Pair("ann", "fay"), Pair("bob", "eve")}


@pytest.mark.parametrize(("open_proposal", "mentor"), [(100, "bob"), (300, "ann")])
def test_who_seeks_something_else_gets_a_better_proposal_if_it_is_so_much_better(
    open_proposal: int, mentor: str
) -> None:
    """Eve's first choice is now what Bob offers: 900 with him, 700 with Ann."""
    people = [junior("ann", "cloud"), junior("bob", "fintech"), senior("eve", "cloud")]
    engine = Engine(programme(open_proposal=open_proposal), people, open_pairs=[("ann", "eve")])
    change = engine.change(senior("eve", "fintech", "cloud"))
    assert open_pairs(engine) == {Pair(mentor, "eve")}
    assert change.withdrawn == ()
    assert change.moved == ((Pair("ann", "eve"),) if mentor == "bob" else ())


# -- who gets somebody else --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["opts out", "leaves", "offers something else", "has fewer places"])
def test_the_mentee_of_who_is_there_no_more_gets_somebody_else_in_the_same_change(way: str) -> None:
    """Bob is free, and less good for Eve; Ann's other mentee, who fits better, stays where only a place is gone."""
    ann = junior("ann", "cloud", capacity=2)
    people = [ann, junior("bob", "fintech"), senior("eve", "fintech", "wellbeing", "cloud"), senior("fay", "cloud")]
    engine = Engine(programme(), people, open_pairs=[("ann", "eve"), ("ann", "fay")])
    if way == "leaves":
        change = engine.remove("ann")
    elif way == "opts out":
        change = engine.change(replace(ann, open_to_mentor=False))
    elif way == "has fewer places":
        change = engine.change(replace(ann, mentor_capacity=1))
    else:
        change = engine.change(junior("ann", "generations", capacity=2))
    stays = {Pair("ann", "fay")} if way == "has fewer places" else set()
    assert set(change.withdrawn) == {Pair("ann", "eve"), Pair("ann", "fay")} - stays
    assert pairs(change.proposals) == {Pair("bob", "eve")}
    assert change.moved == ()
    assert open_pairs(engine) == {Pair("bob", "eve")} | stays


def test_a_pair_that_ends_after_one_of_them_left_gives_the_other_their_place_back() -> None:
    """Ann has left the company, and then her pair with Eve is closed: Eve has a place for Bob."""
    people = [junior("ann", "cloud"), junior("bob", "cloud"), senior("eve", "cloud")]
    engine = Engine(programme(), people, locked_pairs=[("ann", "eve")])
    engine.remove("ann")
    assert engine.propose("eve") == ()
    engine.move("ann", "eve", Tie.FORMER)
    assert engine.free_places("eve", Side.MENTEE) == 1
    assert pairs(engine.propose("eve")) == {Pair("bob", "eve")}


def test_a_pair_with_somebody_who_is_not_known_yet_holds_a_place() -> None:
    """Eve's only place is taken by a pair with Ann, of whom the directory tells later."""
    engine = Engine(programme(), [junior("bob", "cloud"), senior("eve", "cloud")])
    engine.move("ann", "eve", Tie.LOCKED)
    assert engine.free_places("eve", Side.MENTEE) == 0
    assert engine.propose("eve") == ()


@pytest.mark.parametrize("before", range(60, 70))
def test_who_waited_gets_their_proposal_however_many_came_before_the_manager(before: int) -> None:
    """Ann waits for Mid. Whether or not there is room for Mid among so many newcomers, Eve and Ann are proposed."""
    ann = replace(junior("ann", "cloud"), manager="mid")
    engine = Engine(programme(), [ann, senior("eve", "cloud")])
    for number in range(before):
        engine.change(Person(f"n{number:02}", 5, "shops", "GB"))
    assert pairs(engine.change(Person("mid", 5, "shops", "GB")).proposals) == {Pair("ann", "eve")}


def test_who_may_not_be_paired_any_more_does_not_move_but_loses_their_proposal() -> None:
    """Mid, who manages Ann and Fay, leaves: what is open of both is withdrawn, and Eve gets Bob, whom Fay had."""
    ann, fay = replace(junior("ann", "cloud"), manager="mid"), replace(senior("fay", "fintech"), manager="mid")
    others = [junior("bob", "fintech", "cloud"), junior("cat", "fintech"), senior("eve", "cloud")]
    mid = Person("mid", 5, "shops", "GB")
    engine = Engine(programme(), [ann, fay, mid, *others], open_pairs=[("ann", "eve"), ("bob", "fay")])
    change = engine.remove("mid")
    assert set(change.withdrawn) == {Pair("ann", "eve"), Pair("bob", "fay")}
    assert change.moved == ()
    assert pairs(change.proposals) == {Pair("bob", "eve")}


# -- what wears out ----------------------------------------------------------------------------------------------------


def test_functions_that_nobody_is_of_any_more_use_up_no_numbers() -> None:
    """A market can tell 64 functions apart; Ann is of a hundred, one after the other, and Eve of another."""
    eve = replace(senior("eve", "cloud"), function="law", likes=("f99",))
    engine = Engine(programme(other_function=30, wish=7), [junior("ann", "cloud"), eve])
    for number in range(100):
        change = engine.change(replace(junior("ann", "cloud"), function=f"f{number}"))
        assert not change.withdrawn
    terms = engine.score("ann", "eve").terms
    assert (terms["other-function"], terms["mentee-wish"], terms["mentor-wish"]) == (30, 7, 0)
    assert open_pairs(engine) == {Pair("ann", "eve")}


def test_languages_that_nobody_speaks_any_more_use_up_no_numbers() -> None:
    """The same for 128 languages."""
    engine = Engine(programme(), [junior("ann", "cloud"), senior("eve", "cloud")])
    for number in range(140):
        engine.change(replace(junior("ann", "cloud"), languages=("en", f"l{number}")))
    assert open_pairs(engine) == {Pair("ann", "eve")}


def test_countries_that_nobody_is_in_any_more_use_up_no_numbers() -> None:
    """A record has room for 256 countries; a move to the 300th is a move to another country and not to another unit."""
    eve = replace(senior("eve", "cloud"), unit="shops")
    rules = programme(other_country=30, other_unit=7).model_copy(update={"different_unit": False})
    engine = Engine(rules, [junior("ann", "cloud"), eve])
    for number in range(300):
        engine.change(replace(junior("ann", "cloud"), country=f"c{number}"))
    terms = engine.score("ann", "eve").terms
    assert (terms["other-country"], terms["other-unit"]) == (30, 0)
    assert pairs(engine.run().proposals) | open_pairs(engine) == {Pair("ann", "eve")}


@pytest.mark.parametrize("new", [False, True])
def test_a_change_that_is_refused_changes_nothing(new: bool) -> None:
    """Thirteen areas are too many; the engine goes on as if nobody had asked."""
    areas = [f"a{number}" for number in range(13)]
    rules = programme().model_copy(update={"areas": ("cloud", *areas)})
    people = [junior("ann", "cloud"), senior("eve", "cloud")]
    engine = Engine(rules, people, open_pairs=[("ann", "eve")])
    refused = replace(junior("bob" if new else "ann", *areas), level=9, country="NP")
    with pytest.raises(InvalidError, match="at most 12 areas"):
        engine.change(refused)
    assert engine.person("ann") == people[0]
    assert ("bob" in engine.directory.row) is False
    run = engine.run()
    assert (run.kept, run.withdrawn, run.proposals) == ((Pair("ann", "eve"),), (), ())
    assert engine.change(people[1]) == Change()


# -- people who manage themselves --------------------------------------------------------------------------------------


def test_who_manages_nobody_but_themselves_any_more_is_in_no_circle() -> None:
    """Eve is her own manager, as the heads of some directories are; once she has none, no circle is told."""
    eve = senior("eve", "cloud")
    engine = Engine(programme(), [junior("ann", "cloud"), replace(eve, manager="eve")])
    assert set(engine.directory.circular) == {"eve"}
    assert pairs(engine.change(eve).proposals) == {Pair("ann", "eve")}
    assert set(engine.directory.circular) == set()


def test_who_managed_themselves_and_left_is_in_nobodys_way() -> None:
    """Eve is her own manager and leaves; then Fay comes with an area that nobody has named before."""
    eve = replace(senior("eve", "cloud"), manager="eve")
    engine = Engine(programme(), [junior("ann", "cloud"), eve])
    engine.remove("eve")
    assert set(engine.directory.circular) == set()
    assert engine.directory.unsettled() == set()
    assert pairs(engine.change(senior("fay", "wellbeing", "cloud")).proposals) == {Pair("ann", "fay")}


# -- what happens elsewhere meanwhile ----------------------------------------------------------------------------------


def test_a_pair_of_another_programme_takes_the_place_of_an_open_proposal() -> None:
    """Eve's one place is taken by a pair with Zoe; with her next change the proposal goes, and Fay gets Ann."""
    people = [junior("ann", "cloud"), senior("eve", "cloud"), senior("fay", "cloud"), junior("zoe")]
    engine = Engine(programme(), people, open_pairs=[("ann", "eve")])
    engine.move("zoe", "eve", Tie.LOCKED)
    change = engine.change(people[1])
    assert change.withdrawn == (Pair("ann", "eve"),)
    assert pairs(change.proposals) == {Pair("ann", "fay")}


@pytest.mark.parametrize("what", ["leaves", "names a new area", "is taken", "may not"])
def test_a_run_proposes_nothing_that_does_not_hold_when_its_choice_arrives(what: str) -> None:
    """A run chose Ann for Eve, and Bob for Fay; by the time it is put in force, that is true of Bob and Fay only."""
    ann, eve = junior("ann", "cloud"), senior("eve", "cloud")
    engine = Engine(programme(), [ann, eve, junior("bob", "fintech"), senior("fay", "fintech"), junior("zoe")])
    chosen = draft(engine.task(), lambda _: None)
    if what == "leaves":
        engine.remove("ann")
    elif what == "names a new area":
        engine.change(junior("aaa"))
        engine.change(replace(ann, offers=("new",)))
    elif what == "is taken":
        engine.move("zoe", "eve", Tie.LOCKED)
    else:
        engine.change(replace(ann, level=9))
    before = open_pairs(engine)
    run = engine.result(chosen)
    assert pairs(run.proposals) | set(run.kept) == {Pair("bob", "fay")}
    engine.adopt(run)
    assert open_pairs(engine) == {Pair("bob", "fay")}
    assert set(run.kept) | set(run.withdrawn) == before
