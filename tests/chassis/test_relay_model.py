"""The relay's protocol explored exhaustively: every order of steps within the bounds, and what each rule is for.

`pytest -s` prints how many states there were.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from relay_model.explore import TooManyStatesError, explore
from relay_model.model import RelayModel
from relay_model.rules import Bounds, Rules

QUIET = Bounds(failures=0, suspicions=0, crashes=0)
WITHIN: Final = "within a minute of the adoption"
BURIED = "state 1 is the last of its key, state 2 is the newest"
FACT_LOST = "fact {} is lost"
NOBODYS = "something is owed and nobody owns it"
COMES_LATE = "the late state 1 arrives"
B_LOOKS = "B looks, and has nothing to heal"
TWIN_LOOKS = "A² looks for leftovers of an earlier process of its name"


@dataclass(frozen=True)
class Corridor:
    """Rooms 0 to 3 in a row, with a trapdoor below room 1 or without; room 3 is where one rests."""

    trapdoor: bool

    def initial(self) -> int:
        return 0

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        if state in {0, 1, 2}:
            yield "forth", state + 1
        if state in {1, 2}:
            yield "back", state - 1
        if state == 1 and self.trapdoor:
            yield "down", -1
        if state == -1:
            yield "round", -1

    def broken(self, _state: int) -> str | None:
        return None

    def at_rest(self, state: int) -> bool:
        return state == 3

    def missing(self, _state: int) -> str | None:
        return None


def test_the_explorer_counts_what_there_is() -> None:
    """Four rooms, three steps forth and two back."""
    report = explore(Corridor(trapdoor=False))
    assert (report.states, report.steps, report.rests, report.flaw) == (4, 5, 1, None)


def test_the_explorer_finds_what_goes_round_for_ever() -> None:
    """From below the trapdoor there are steps, and none leads out."""
    flaw = explore(Corridor(trapdoor=True)).flaw
    assert str(flaw) == "no way leads to rest any more\n   1. forth\n   2. down"


def test_the_explorer_gives_up_aloud() -> None:
    """A bound that was meant to be generous never passes for a proof."""
    with pytest.raises(TooManyStatesError):
        explore(Corridor(trapdoor=False), most=3)


@pytest.mark.parametrize(
    "bounds",
    [
        replace(QUIET, failures=2),
        replace(QUIET, suspicions=1),
        replace(QUIET, crashes=1),
        replace(QUIET, twins=1),
        replace(QUIET, failures=1, suspicions=1, commands="ss"),
        replace(QUIET, failures=1, crashes=1, commands="ss"),
        replace(QUIET, suspicions=1, crashes=1, commands="ss", late=WITHIN),
        replace(QUIET, suspicions=1, work=1, commands="ss"),
        replace(QUIET, suspicions=1, commands="ssf"),
    ],
    ids=lambda bounds: ", ".join(f"{name} {value}" for name, value in vars(bounds).items() if value),
)
def test_nothing_is_lost_and_the_newest_state_is_the_last(bounds: Bounds) -> None:
    """In each order: each fact is published, first times in order; the newest state ends its key; all comes to rest."""
    report = explore(RelayModel(Rules(), bounds))
    _tell(f"{report.states} states, {report.steps} steps, {report.rests} at rest")
    assert str(report.flaw) == "None"
    assert report.rests > 0


@pytest.mark.parametrize(
    ("rule", "bounds", "what", "last"),
    [
        ("everything_acknowledged", replace(QUIET, failures=1, commands="b"), FACT_LOST.format(1), "A clears"),
        ("whole_list", QUIET, FACT_LOST.format(2), "A clears"),
        ("clears_by_revision", QUIET, FACT_LOST.format(2), "A clears"),
        ("clears_by_mark", replace(QUIET, suspicions=1, crashes=1, commands="ss", late=WITHIN), BURIED, B_LOOKS),
        ("command_names_owner", QUIET, NOBODYS, "the command at A commits fact 2 and state 2"),
        ("heals_after_adoption", replace(QUIET, crashes=1), BURIED, COMES_LATE),
        ("heals_after_conflict", replace(QUIET, suspicions=1), BURIED, "B clears"),
        ("heals_after_doubt", replace(QUIET, failures=1), BURIED, COMES_LATE),
        ("doubt_postpones", replace(QUIET, failures=2), BURIED, COMES_LATE),
        ("conflict_keeps_later", replace(QUIET, failures=1, suspicions=1, commands="ss"), BURIED, COMES_LATE),
        ("looks_after_every_send", replace(QUIET, suspicions=1), BURIED, "B clears"),
        ("counts_hands", replace(QUIET, suspicions=1, commands="ssf"), BURIED, "A clears"),
        ("name_per_start", replace(QUIET, crashes=1), BURIED, COMES_LATE),
        ("name_per_start", replace(QUIET, twins=1), BURIED, TWIN_LOOKS),
    ],
    ids=lambda each: str(each) if hasattr(Rules, str(each)) else "",
)
def test_each_rule_is_needed(rule: str, bounds: Bounds, what: str, last: str) -> None:
    """Without the rule something goes wrong within the bounds, and the shortest way there is told."""
    flaw = explore(RelayModel(replace(Rules(), **{rule: False}), bounds)).flaw
    _tell(f"without {rule}: {flaw}")
    assert flaw is not None
    assert (flaw.what, flaw.trace[-1]) == (what, last)


@pytest.mark.parametrize(
    ("bounds", "last"),
    [
        (replace(QUIET, failures=1, late="whenever"), COMES_LATE),
        (replace(QUIET, crashes=1, late="whenever"), COMES_LATE),
        (replace(QUIET, suspicions=1, crashes=1, commands="ss"), COMES_LATE),
    ],
    ids=[
        "a send that arrives after the minute",
        "one of a dead process",
        "frozen for longer, then dead before it looks",
    ],
)
def test_the_minute_is_an_assumption(bounds: Bounds, last: str) -> None:
    """What stays possible: a send that outlives healing, and a frozen process that wakes after it, sends and dies."""
    flaw = explore(RelayModel(Rules(), bounds)).flaw
    assert flaw is not None
    assert (flaw.what, flaw.trace[-1]) == (BURIED, last)


def test_who_sends_late_and_lives_needs_no_minute() -> None:
    """A process that was frozen for however long and goes on looks whose the document is: that suffices."""
    assert explore(RelayModel(Rules(), replace(QUIET, suspicions=1, late="whenever"))).flaw is None


def _tell(text: str) -> None:
    print(f"\n{text}")  # noqa: T201 - seen with -s
