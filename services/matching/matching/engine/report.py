"""What a lead is told about a run: how far it reaches, and who has nobody and why."""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from contracts.matching import Side

from matching.engine.packed.detail import count_failures
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import Profiles
from matching.engine.packed.records import PLACE, Ints, Market
from matching.engine.packed.seniority import barred
from matching.engine.proposals import Exclusion, SideCoverage, Unmatched
from matching.engine.rules import Rule, Rules

EXPLAINED: Final = 2_000
"""Each is held against the whole other side: for all of a large market that would take longer than the run."""


class Reasons(NamedTuple):
    """Why people have nobody on a side, one row each."""

    rows: Ints
    others: Ints
    """[n] people of the other side."""
    eligible: Ints
    """[n] those who pass every rule."""
    failing: Ints
    """[n, 16] whom each rule keeps away, by its bit."""
    alone: Ints
    """[n, 16] whom it alone keeps away."""


def everybody(profiles: Profiles, rules: Rules, area_points: list[int]) -> Market:
    """All who take part, however full they are, and whenever they joined: that is a reason like others."""
    anybody = rules.model_copy(update={"mentor_tenure": 0, "mentee_tenure": 0, "new_joiner_months": 0})
    market = pack(replace(profiles, blocked=np.zeros((0, 2), np.int64)), anybody, known_points=area_points)
    mentors, mentees = barred(rules, profiles.tenure)
    market.mentors[:, PLACE] |= mentors[market.mentor_rows]
    market.mentees[:, PLACE] |= mentees[market.mentee_rows]
    return market


def reasons(market: Market, side: Side, wanted: npt.NDArray[np.bool_], most: int = EXPLAINED) -> Reasons:
    """Hold people on a side against all others.

    Args:
        market: of `everybody`.
        side: of the people.
        wanted: [n] by row, who they are.
        most: no more than so many of them.
    """
    rows = market.mentor_rows if side is Side.MENTOR else market.mentee_rows
    people = np.flatnonzero(wanted[rows])
    first = people[np.argsort(rows[people])][:most].astype(np.int32)
    return Reasons(rows[first], *count_failures(market, side is Side.MENTEE, first))


def told(found: Reasons, side: Side, members: list[str]) -> tuple[Unmatched, ...]:
    """The same by the ids of the people."""
    return tuple(
        Unmatched(
            member,
            side,
            int(found.others[at]),
            int(found.eligible[at]),
            _exclusions(found.failing[at].tolist(), found.alone[at].tolist()),
        )
        for at, member in enumerate(members)
    )


def coverage(load: Ints, capacity: Ints, silent: int) -> SideCoverage:
    """How many people and places of one side have a pair: of those who take part, what they have and could have."""
    return SideCoverage(
        people=len(load),
        paired=int((load > 0).sum()),
        places=int(capacity.sum()),
        filled=int(np.minimum(load, capacity).sum()),
        silent=silent,
    )


def _exclusions(failing: list[int], alone: list[int]) -> tuple[Exclusion, ...]:
    found = (Exclusion(rule, failing[bit], alone[bit]) for bit, rule in enumerate(Rule))
    return tuple(sorted((each for each in found if each.people), key=lambda each: -each.people))
