"""Whole rehearsals of companies that are small enough to know the answer."""

import csv

import pytest
from local.company import write_roster
from matching.rehearsal import command
from matching.rehearsal.writing import COLUMNS
from rehearsal_stage import Stage, junior, senior

# -- the summary and the file ------------------------------------------------------------------------------------------


def test_the_summary_in_figures(stage: Stage) -> None:
    """Two pairs; of three mentees two are served, who waited 10 and 30 days; Gus waited 90, and no area is shared."""
    summary = stage.summary()
    mentees, mentors = summary["mentees"], summary["mentors"]
    assert (summary["people"], summary["enrolled"], summary["left_out"], summary["pairs"]) == (5, 5, 0, 2)
    assert 99 <= summary["at_least_percent_of_best"] <= 100
    assert (mentees["people"], mentees["served"], mentees["share_percent"]) == (3, 2, 66.6)
    assert (mentors["people"], mentors["served"], mentors["share_percent"]) == (2, 2, 100.0)
    assert (mentees["load"], mentors["load"]) == ({"0": 1, "1": 2}, {"1": 2})
    assert mentees["served_waited"] == {"people": 2, "median": 10, "high": 30}
    assert mentees["others_waited"] == {"people": 1, "median": 90, "high": 90}
    assert mentors["others_waited"] == {"people": 0, "median": None, "high": None}
    assert mentees["obstacles"] == [{"code": "excluded-by-common-area", "people": 1}]
    assert summary["cost"]["peak_mib"] > 10


def test_the_summary_in_words(stage: Stage) -> None:
    """Never optimal, only at least so much; no unit and no country; no name."""
    told = stage.told()
    assert "Pairs: 2. They are worth at least " in told
    assert "% of the best possible." in told
    assert "Mentees without a pair: 1; what most often stands in their way:\n         1  no shared area\n" in told
    lines = {tuple(line.split("  ")[0:1]) + tuple(line.split()[-2:]) for line in told.splitlines() if line.strip()}
    assert ("Take part", "3", "2") in lines
    assert ("People with so many pairs: 1", "2", "2") in lines
    for word in ("optimal", "shops", "board", "GB", "Xenia", "Xylographer", "example.org"):
        assert word not in told
        assert word not in stage.out.read_text()


def test_the_file_of_proposals(stage: Stage) -> None:
    """First choices 600 and 400, eight hours 600, other unit 700, five levels above the least gap 320.

    The area is offered by one of two mentors. Each counts one more, so that is 2/3, or nine sixteenths of a halving
    (1.5 to the power of 16 is 656, more than 2 to the power of 9): 400 and 9/16 of 260 are 546 points.
    Ann waited 5 days, Eve 10 and Fay 30, at 5 points each.
    """
    stage.told()
    header, *rows = stage.out.read_text().splitlines()
    assert header == (
        "mentor,mentee,areas,score,areas-points,mentee-choice,mentor-choice,hours,other-unit,other-country,"
        "other-function,level,mentee-wish,mentor-wish,in-person,mentee-waiting,mentor-waiting"
    )
    assert rows == [
        "bob,fay,fintech,3316,546,600,400,600,700,0,0,320,0,0,0,150,0",
        "ann,eve,cloud,3241,546,600,400,600,700,0,0,320,0,0,0,50,25",
    ]
    assert [path.name for path in stage.out.parent.iterdir() if "part" in path.name] == []


def test_optional_columns_count(stage: Stage) -> None:
    """Other functions 300, each other's wish 600 twice, and both in person at one site 300: 1,800 more than 3,166."""
    stage.write(
        junior("ann", function="sales", site="north", likes="legal", in_person="yes"),
        junior("bob", "fintech"),
        senior("eve", function="legal", site="north", likes="ops;sales", in_person="yes"),
    )
    stage.told()
    assert stage.out.read_text().splitlines()[1] == "ann,eve,cloud,4966,546,600,400,600,700,0,300,320,600,600,300,0,0"


def test_nobody_takes_part_without_being_enrolled(stage: Stage) -> None:
    """The file is written with its header alone, and the summary says why."""
    stage.write(junior("ann", enrolled=""), senior("eve", enrolled="no"))
    told = stage.told()
    assert "Pairs: 0. No two people can be proposed to each other.\n" in told
    assert "Nobody takes part: the column enrolled says yes for nobody." in told
    assert "Days of waiting: the file has no column waiting_days." in told
    assert stage.summary()["mentees"]["served_waited"] is None
    assert len(stage.out.read_text().splitlines()) == 1


def test_areas_that_do_not_count_are_told(stage: Stage) -> None:
    """Only cloud counts: Bob offers and Gus seeks nothing of it."""
    stage.rules.write_text('{"areas": ["cloud"]}')
    summary = stage.summary()
    assert (summary["mentors"]["silent"], summary["mentees"]["silent"]) == (1, 1)
    told = stage.told("--explain", "gus")
    assert "As mentee: takes no part, names only areas that do not count: wellbeing." in told


# -- chains ------------------------------------------------------------------------------------------------------------


def test_circles_and_lost_managers_wait(stage: Stage) -> None:
    """Ann and Bob manage each other, Eve's manager is not there, and Fay is below Eve; Cat and Gus are paired."""
    stage.write(
        junior("ann", manager_id="bob"),
        junior("bob", manager_id="ann"),
        junior("cat"),
        senior("eve", manager_id="zoe"),
        senior("fay", manager_id="eve"),
        senior("gus"),
    )
    summary = stage.summary()
    assert (summary["circular"], summary["manager_not_in_file"]) == (["ann", "bob"], ["eve"])
    assert (summary["waiting"], summary["pairs"]) == (["ann", "bob", "eve", "fay"], 1)
    told = stage.told("--explain", "fay")
    assert "  ann: following the managers leads back to the same person.\n" in told
    assert "  eve: the manager is in no row that can be used.\n" in told
    assert "Waiting, because it is not known who is above them (unknown_chains is false): 4." in told
    assert "As mentee: waits: further up, the managers lead in a circle or to somebody who is in no row." in told
    assert "waits: the manager zoe is in no row that can be used." in stage.told("--explain", "eve")
    assert "As mentor: waits: following the managers leads back to the same person." in stage.told("--explain", "ann")
    assert "The directory does not tell yet who is above the mentor." in stage.told("--pair", "ann", "gus")


def test_unknown_chains_can_be_allowed(stage: Stage) -> None:
    """Then nobody waits, and the lost manager is still told."""
    stage.write(junior("ann"), senior("eve", manager_id="zoe"))
    stage.rules.write_text('{"unknown_chains": true}')
    summary = stage.summary()
    assert (summary["manager_not_in_file"], summary["waiting"], summary["pairs"]) == (["eve"], [], 1)


# -- other rules -------------------------------------------------------------------------------------------------------


def test_two_sets_of_rules_side_by_side(stage: Stage) -> None:
    """Under the second rules only cloud counts. It is Fay's first choice then, too, and she has waited longer than Eve.

    So Ann has Fay instead of Eve, and Bob has nobody.
    """
    stage.other.write_text('{"areas": ["cloud"]}')
    against = stage.summary("--against", str(stage.other))["against"]
    assert (against["pairs"], against["mentors"]["people"], against["mentees"]["people"]) == (1, 1, 2)
    assert against["pairs_in_common"] == 0
    assert against["mentors_served"] == {"only_first": ["bob"], "only_second": []}
    assert against["mentees_served"] == {"only_first": ["eve"], "only_second": []}
    told = stage.told("--against", str(stage.other))
    lines = {line.split("  ")[0]: line.split() for line in told.split("Side by side")[1].splitlines()}
    assert lines["Pairs"] == ["Pairs", "2", "1"]
    assert lines["Pairs that both propose"][-2:] == ["0", "0"]
    assert lines["Mentees with a pair only under these rules"][-2:] == ["1", "0"]
    assert len(stage.out.read_text().splitlines()) == 3


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_wrong_rows_are_left_out_unless_strict(stage: Stage) -> None:
    """The rest is rehearsed; strict ends before anything is written."""
    stage.write(junior("ann"), junior("bob", level="44"), senior("eve"), senior("eve"))
    told = stage.told()
    assert "Rows that were left out:\n  line 3, level is '44', but must be a whole number from 1 to 12.\n" in told
    assert "  line 5, employee_id stands on line 4 already, and that line counts.\n" in told
    assert "People in the file: 2; enrolled: 2; rows left out: 2." in told
    assert "Pairs: 1." in told
    stage.out.unlink()
    assert stage.refused("--strict").startswith(
        "Nothing was rehearsed. Rows that are wrong:\n  line 3, level is '44', but must be a whole number from "
    )
    assert not stage.out.exists()
    assert stage.refused("--explain", "bob") == (
        "The row of bob was left out: line 3, level is '44', but must be a whole number from 1 to 12."
    )


def test_bad_input_ends_with_2_and_one_sentence(stage: Stage) -> None:
    """Whoever is asked about must be there, and no file that is read is replaced."""
    assert stage.refused("--explain", "zoe") == "Nobody in the people file has the id zoe."
    assert stage.refused("--pair", "ann", "zoe") == "Nobody in the people file has the id zoe."
    assert "would replace a file that is read" in stage.refused("--out", str(stage.people))
    assert "name a file in a folder that exists" in stage.refused("--out", str(stage.people.parent / "no" / "out.csv"))
    assert "No such file" in stage.refused("--against", str(stage.other))
    stage.rules.write_text('{"level_gap": 99}')
    assert stage.refused().endswith("rules.json can't be used as rules: level_gap is 99, but must be at most 11.")
    assert not stage.out.exists()


def test_people_who_cannot_be_rehearsed_end_with_2(stage: Stage) -> None:
    """Neither a header alone nor rows that are all wrong can be rehearsed, nor 65 areas where the rules name none."""
    stage.write()
    assert stage.refused() == "The people file names nobody: only its first line is there."
    stage.write(junior("ann", country="XX"))
    assert "line 2, country is 'XX'" in stage.refused()
    stage.write(*(junior(f"j{number}", f"area-{number}") for number in range(65)))
    assert "at most 64 areas" in stage.refused()


def test_the_command_line_returns_the_exit_code(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """As `python -m matching rehearse` does."""
    files = ["--people", str(stage.people), "--rules", str(stage.rules), "--out", str(stage.out)]
    assert command.main(files) == 0
    assert command.main([*files, "--explain", "zoe"]) == 2
    assert command.main(["--people", str(stage.people)]) == 2
    assert "Nobody in the people file has the id zoe." in capsys.readouterr().err


# -- a company ---------------------------------------------------------------------------------------------------------


def test_a_company_of_two_thousand(stage: Stage) -> None:
    """Every figure agrees with the file that is written, and everybody without a pair can be explained."""
    write_roster(stage.people, 2_000)
    summary = stage.summary()
    with stage.out.open(newline="") as file:
        pairs = list(csv.DictReader(file))
    scores = [int(pair["score"]) for pair in pairs]
    assert len(pairs) == summary["pairs"] > 500
    assert scores == sorted(scores, reverse=True)
    for side in ("mentor", "mentee"):
        figures = summary[f"{side}s"]
        assert len({pair[side] for pair in pairs}) == figures["served"]
        assert sum(int(pairs) * people for pairs, people in figures["load"].items()) == summary["pairs"]
        assert sum(each["people"] for each in figures["obstacles"]) == figures["people"] - figures["served"]
    assert all(int(pair["score"]) == sum(int(pair[term]) for term in COLUMNS[4:]) for pair in pairs)
