"""Why one person has somebody or nobody in a rehearsal, why two are a pair or none, and what would change it."""

import pytest
from rehearsal_stage import Row, Stage, junior, senior


def test_somebody_with_a_proposal_is_explained(stage: Stage) -> None:
    """For each side in its own words, then in points."""
    told = stage.told("--explain", "eve")
    assert "eve, level 9\nAs mentee: proposals: 1, places: 1.\n  With mentor ann:\n" in told
    assert "The mentor reads: You offer cloud first of all, and they want to learn it. " in told
    assert "The mentee reads: cloud is your first choice, and they offer it. " in told
    assert "You can meet in English. Days you have waited for a proposal: 10." in told
    assert (
        "Points: areas 546, mentee-choice 600, mentor-choice 400, hours 600, other-unit 700, level 320, "
        "mentee-waiting 50, mentor-waiting 25; together 3,241.\n"
    ) in told
    assert "As mentor: takes no part, offers nothing.\n" in told


def test_somebody_without_one_learns_what_would_change_it(stage: Stage) -> None:
    """Ann offers cloud and Bob fintech; Gus passes everything else with both."""
    told = stage.told("--explain", "gus")
    assert "As mentee: nobody.\n  No shared area: 2 of 2 (only this: 2).\n" in told
    assert "  2 of 2 would be possible with one more area sought; offered most: cloud (1), fintech (1).\n" in told


@pytest.mark.parametrize(
    ("rules", "cells", "sentence"),
    [
        # London's 9 to 17 in winter is 9 to 17 UTC; 16 to 24 leaves one hour.
        (
            '{"common_minutes": 90}',
            {"work_from": "16", "work_to": "24"},
            "1 of 1 would be possible with 30 fewer common minutes (common_minutes 60 instead of 90).",
        ),
        (
            "{}",
            {"level": "3"},
            "1 of 1 would be possible with fewer levels between the two (level_gap 1 instead of 2).",
        ),
        ('{"level_gap": 1}', {"level": "1"}, "1 of 1 would be possible if the mentee need not be above the mentor "),
        ("{}", {"level": "2"}, "1 of 1 are kept away by their level alone, being on the same or nearly so."),
        ("{}", {"languages": "fr"}, "1 of 1 would be possible without a common language (common_language)."),
        ("{}", {"unit": "shops"}, "1 of 1 would be possible if the two may work in the same unit (different_unit)."),
        ("{}", {"manager_id": "top"}, "1 of 1 are kept away by having the same manager alone, which always holds."),
        (
            '{"mentee_tenure": 24}',
            {"joined": "2025-11"},
            "1 of 1 would be possible in 12 months, or with as many fewer asked for (mentor_tenure, mentee_tenure).",
        ),
        (
            '{"new_joiner_months": 6}',
            {},
            "1 of 1 would be possible if mentors may have joined ",
        ),
        (
            '{"direction": "experience", "level_gap": 4}',
            {"joined": "2018-01"},
            "1 of 1 would be possible with fewer years between the two (level_gap 2 instead of 4).",
        ),
        (
            "{}",
            {"unit": "shops", "languages": "fr"},
            "No single change helps: two rules or more keep everybody away.",
        ),
    ],
)
def test_the_only_obstacle_is_told_with_the_least_change(stage: Stage, rules: str, cells: Row, sentence: str) -> None:
    """Eve and Ann suit each other but for one thing."""
    stage.write(junior("ann", manager_id="top"), senior("eve", **cells), junior("top", enrolled="no"))
    stage.rules.write_text(rules)
    assert sentence in stage.told("--explain", "eve")


def test_the_management_chain_always_holds(stage: Stage) -> None:
    """Eve is Ann's manager."""
    stage.write(junior("ann", manager_id="eve"), senior("eve"))
    sentence = "1 of 1 are kept away by the management chain alone, which always holds."
    assert sentence in stage.told("--explain", "ann")
    assert "One of them is in the other's management chain." in stage.told("--pair", "ann", "eve")


def test_somebody_whose_possible_mentor_has_another_is_told_whom(stage: Stage) -> None:
    """Ann's one place goes to Eve, for whom cloud is the first choice: worth 150 more than to Fay."""
    stage.write(junior("ann"), senior("eve"), senior("fay", "fintech;cloud"))
    told = stage.told("--explain", "fay", "--pair", "ann", "fay")
    assert "  People who pass every rule: 1; none of them was free for this pair.\n" in told
    assert "  Best possible: ann with 2,870 points, who has instead: eve (3,020 points).\n" in told
    assert "Mentor ann with mentee fay: not proposed.\n  The two pass every rule.\n" in told
    assert "  ann has no free place; has instead: eve (3,020 points).\n" in told
    assert "  fay has a free place left; has: nobody.\n" in told


def test_a_pair_is_explained(stage: Stage) -> None:
    """Why these two, or everything that keeps them apart."""
    assert "Mentor ann with mentee eve: proposed.\n  The mentor reads: You offer cloud first of all" in stage.told(
        "--pair", "ann", "eve"
    )
    told = stage.told("--pair", "ann", "bob")
    assert "The mentee is not open to being mentored at the moment.\n" in told
    assert "Levels the mentee is above the mentor: 0; the programme asks for 2.\n" in told
    assert "They work in the same unit.\n" in told
    assert "Nobody can mentor themselves." in stage.told("--pair", "ann", "ann")
    assert stage.summary("--pair", "ann", "eve")["told"][0] == "Mentor ann with mentee eve: proposed."


def test_absence_is_explained(stage: Stage) -> None:
    """Not enrolled, or without a place."""
    stage.write(junior("ann", enrolled="no"), senior("eve", mentee_capacity="0"))
    assert "As mentor: takes no part, is not enrolled." in stage.told("--explain", "ann")
    assert "As mentee: takes no part, has no place (capacity 0)." in stage.told("--explain", "eve")
