"""From a run's choice, which is rows and numbers, to what it means for people and for the proposals that are open."""

from typing import TYPE_CHECKING

import numpy as np
from contracts.matching import Side

from matching.engine.bulk.draft import Draft
from matching.engine.live.market import SIDES
from matching.engine.packed.records import Ints
from matching.engine.proposals import Run, SideCoverage, Tie, Unmatched
from matching.engine.report import coverage, told

if TYPE_CHECKING:
    from matching.engine.engine import Engine


def run_of(engine: "Engine", found: Draft) -> Run:
    """The result of a run as the engine's callers read it."""
    chosen = list(zip(found.mentors.tolist(), found.mentees.tolist(), strict=True))
    pairs = {engine.pair(pair): place for place, pair in enumerate(chosen)}
    open_pairs = engine.ties.all(Tie.OPEN)
    new = np.array([place for pair, place in pairs.items() if engine.ties.between(pair) is not Tie.OPEN], np.int64)
    return Run(
        proposals=engine.proposals(found.mentors[new].astype(np.int64), found.mentees[new].astype(np.int64)),
        kept=tuple(pair for pair in open_pairs if pair in pairs),
        withdrawn=tuple(pair for pair in open_pairs if pair not in pairs),
        broken=engine.broken(engine.ties.all(Tie.LOCKED)),
        value=found.value,
        bound=found.bound,
        mentors=_coverage(engine, Side.MENTOR, found.mentors),
        mentees=_coverage(engine, Side.MENTEE, found.mentees),
        unmatched=tuple(each for side in found.alone for each in _alone(engine, found, side)),
        prices={pair: int(found.prices[place]) for pair, place in pairs.items()},
        claims={side: _claims(engine, side, found.claims[number]) for side, number in SIDES},
    )


def _alone(engine: "Engine", found: Draft, side: Side) -> tuple[Unmatched, ...]:
    reasons = found.alone[side]
    return told(reasons, side, [engine.directory.known(row).id for row in reasons.rows.tolist()])


def _claims(engine: "Engine", side: Side, asked: Ints) -> dict[str, int]:
    rows = engine.directory.open_rows(side)
    return {engine.directory.known(row).id: int(asked[row]) for row in rows.tolist() if row < len(asked)}


def _coverage(engine: "Engine", side: Side, chosen: Ints) -> SideCoverage:
    directory, number = engine.directory, dict(SIDES)[side]
    rows = directory.open_rows(side)
    load = engine.live.slots.load[number] + np.bincount(chosen, minlength=len(directory.level))
    return coverage(load[rows], directory.capacity[side][rows], directory.silent(side))
