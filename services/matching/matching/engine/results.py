"""From a run's choice, which is rows and numbers, to what it means for people and for the proposals that are open."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from contracts.matching import Side

from matching.engine.bulk.draft import Draft
from matching.engine.directory import Rows
from matching.engine.live.market import SIDES
from matching.engine.proposals import Pair, Run, SideCoverage, Tie, Unmatched
from matching.engine.report import coverage, told

if TYPE_CHECKING:
    from matching.engine.engine import Engine


def run_of(engine: "Engine", found: Draft) -> Run:
    """The result of a run as the engine's callers read it; leaves out what holds no more since it was chosen."""
    chosen = holding(engine, _priced(found))
    open_pairs = engine.ties.all(Tie.OPEN)
    rows = np.array([[engine.directory.row[member] for member in pair] for pair in chosen], np.int64).reshape(-1, 2)
    fresh = np.array([engine.ties.between(pair) is not Tie.OPEN for pair in chosen], np.bool_)
    return Run(
        proposals=engine.proposals(*rows[fresh].T),
        kept=tuple(pair for pair in open_pairs if pair in chosen),
        withdrawn=tuple(pair for pair in open_pairs if pair not in chosen),
        broken=engine.broken(engine.ties.all(Tie.LOCKED)),
        value=found.value,
        bound=found.bound,
        mentors=_coverage(engine, Side.MENTOR, rows[:, 0]),
        mentees=_coverage(engine, Side.MENTEE, rows[:, 1]),
        unmatched=tuple(each for side in found.alone for each in _alone(found, side)),
        prices=chosen,
        claims={side: _claims(found, int(number)) for side, number in SIDES},
    )


def holding(engine: "Engine", priced: Mapping[Pair, int]) -> dict[Pair, int]:
    """Those of some pairs that may be and find places, the first ones first, with their prices."""
    known = engine.allowed(priced)
    free = [engine.live.slots.places[number].copy() for _, number in SIDES]
    found = {}
    for pair in known:
        rows = [engine.directory.row[member] for member in pair]
        if all(free[number][row] > 0 for number, row in enumerate(rows)):
            found[pair] = priced[pair]
            for number, row in enumerate(rows):
                free[number][row] -= 1
    return found


def _priced(found: Draft) -> dict[Pair, int]:
    """The pairs that were chosen."""
    pairs = zip(found.mentors.tolist(), found.mentees.tolist(), found.prices.tolist(), strict=True)
    return {Pair(found.members[mentor], found.members[mentee]): price for mentor, mentee, price in pairs}


def _alone(found: Draft, side: Side) -> tuple[Unmatched, ...]:
    reasons = found.alone[side]
    return told(reasons, side, [found.members[row] for row in reasons.rows.tolist()])


def _claims(found: Draft, number: int) -> dict[str, int]:
    return dict(zip(found.members, found.claims[number].tolist(), strict=True))


def _coverage(engine: "Engine", side: Side, chosen: Rows) -> SideCoverage:
    directory, number = engine.directory, dict(SIDES)[side]
    rows = directory.open_rows(side)
    load = engine.live.slots.load[number] + np.bincount(chosen, minlength=len(directory.level))
    return coverage(load[rows], directory.capacity[side][rows], directory.silent(side))
