"""Figures and the file of proposals, by themselves."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from contracts.matching import Side
from local.company import write_roster
from matching.engine.engine import Engine
from matching.engine.proposals import Proposal
from matching.engine.rules import Rules
from matching.rehearsal.figures import Found, percent, percentile, summarize
from matching.rehearsal.reading import read_roster
from matching.rehearsal.writing import COLUMNS, write_proposals


@pytest.mark.parametrize(
    ("days", "median", "high"),
    [([], None, None), ([7], 7, 7), ([1, 2], 1, 2), ([1, 2, 3], 2, 3), (list(range(1, 101)), 50, 95)],
)
def test_percentiles(days: list[int], median: int | None, high: int | None) -> None:
    """The least figure that half of all, or 95 of 100, do not exceed."""
    assert (percentile(days, 0.5), percentile(days, 0.95)) == (median, high)


def test_a_share_never_rounds_up_to_everybody() -> None:
    """9,999 of 10,000 are 99.9 percent, and of nobody there is no share."""
    assert (percent(9_999, 10_000), percent(1, 1), percent(0, 0)) == (99.9, 100.0, 0.0)


def test_a_formula_is_disarmed(tmp_path: Path) -> None:
    """A cell that a spreadsheet would run begins with an apostrophe."""
    out = tmp_path / "out.csv"
    write_proposals(out, [Proposal("=1+1", "@b", ("-x", "y"), "reverse", 7, {"areas": 7})])
    with out.open(newline="") as file:
        header, row = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert row[:5] == ["'=1+1", "'@b", "'-x;y", "7", "7"]


def test_reasons_are_found_where_the_run_does_not_tell_them(tmp_path: Path) -> None:
    """A run over very many people tells the reasons of some; the others' are looked up, here with the same result."""
    people = tmp_path / "people.csv"
    write_roster(people, 300)
    roster = read_roster(people, date(2026, 11, 27), lambda _share: None)
    engine = Engine(Rules(), roster.people)
    run = engine.run()
    whole = summarize(roster, Found.of(engine, run))
    cut = summarize(roster, Found.of(engine, replace(run, unmatched=run.unmatched[:1])))
    assert whole.sides[Side.MENTOR].looked_at > 10
    assert cut == whole
