"""What a lead is told about a run: how far it reaches, and who has nobody and why."""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

import numpy as np
from contracts.matching import Side

from matching.engine.allocation import Room
from matching.engine.market import Market
from matching.engine.proposals import Exclusion, SideCoverage, Unmatched
from matching.engine.scoring import MYSELF, RULE_BIT, STANDING, Failures, Rows

EXPLAINED: Final = 2_000
"""Each is held against the whole other side: for all of a large market that would take longer than the run."""
_BLOCK = 256


def coverage(market: Market, room: Room, side: Side) -> SideCoverage:
    """How many people and places of one side have a pair."""
    rows = market.open_rows(side)
    load, capacity = room.load[side][rows], market.capacity[side][rows]
    return SideCoverage(
        people=len(rows),
        paired=int((load > 0).sum()),
        places=int(capacity.sum()),
        filled=int(np.minimum(load, capacity).sum()),
        silent=market.silent(side),
    )


def unmatched(market: Market, failed: Callable[[Rows, Rows], Failures], room: Room) -> tuple[Unmatched, ...]:
    """Those who take part on a side and have no pair there, mentees first, up to `EXPLAINED`.

    Args:
        market: The people.
        failed: The rules that pairs fail, for mentor rows and mentee rows; one row a mentee, one column a mentor.
        room: How full everybody is after the run.
    """
    everybody = chain(_alone(market, failed, room, Side.MENTEE), _alone(market, failed, room, Side.MENTOR))
    return tuple(islice(everybody, EXPLAINED))


def _alone(market: Market, failed: Callable[[Rows, Rows], Failures], room: Room, side: Side) -> Iterator[Unmatched]:
    mentors, mentees = market.open_rows(Side.MENTOR), market.open_rows(Side.MENTEE)
    rows = market.open_rows(side)
    rows = rows[room.load[side][rows] == 0]
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        table = failed(mentors, block) if side is Side.MENTEE else failed(block, mentees).T
        for row, line in zip(block.tolist(), table, strict=True):
            yield _reasons(market.known(row).id, side, line[line != MYSELF])


def _reasons(member: str, side: Side, failed: Failures) -> Unmatched:
    """Count rules of the programme only: how many pairs somebody has left or declined is not told to anyone."""
    rules = failed & np.uint16(~STANDING & 0xFFFF)
    exclusions = (
        Exclusion(rule, int(((rules & bit) != 0).sum()), int((rules == bit).sum()))
        for rule, bit in RULE_BIT.items()
        if not bit & STANDING
    )
    standing = sorted((each for each in exclusions if each.people), key=lambda each: -each.people)
    return Unmatched(member, side, len(rules), int((rules == 0).sum()), tuple(standing))
