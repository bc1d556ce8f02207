"""What a rehearsal found, in figures about everybody: nothing here is about a unit, a country or one person."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from contracts.matching import Side

from matching.engine.directory import Rows
from matching.engine.engine import Engine
from matching.engine.explanation import unmatched_reasons
from matching.engine.proposals import Proposal, Run, SideCoverage, Unmatched
from matching.engine.report import everybody, reasons, told
from matching.engine.rules import Rule, Rules
from matching.rehearsal.reading import Roster

LOOKED_AT: Final = 500
"""People of a side without a pair whose reasons are looked at, when the run does not tell those of everybody."""
_FIXED: Final = frozenset({Rule.AREAS, Rule.CHAIN, Rule.MANAGER})
"""Rules that no lead can loosen."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days of waiting of some people; no figures for nobody."""

    people: int
    median: int | None
    high: int | None
    """The 95th percentile."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """People without a pair who have the same reason first of all."""

    code: str
    """Of a reason, as in the engine's sentences."""
    people: int


@dataclass(frozen=True, slots=True)
class SideFigures:
    """How one side comes off."""

    people: int
    served: int
    places: int
    filled: int
    silent: int
    """Open on this side, but naming only areas that do not count."""
    load: dict[int, int]
    """How many people have so many pairs; the key 0 is there, too."""
    served_waited: Days
    others_waited: Days
    looked_at: int
    """People without a pair whose reasons were looked at: everybody, or some of very many."""
    obstacles: tuple[Obstacle, ...]
    """The most frequent first."""
    relief: dict[str, int]
    """By rule that a lead can loosen: how many to whom the rules leave nobody it alone keeps from somebody."""

    @property
    def share(self) -> float:
        """Percent of the side's people who have a pair."""
        return percent(self.served, self.people)


@dataclass(frozen=True, slots=True)
class Found:
    """An engine and its run, with the proposals by person."""

    engine: Engine
    run: Run
    pairs_of: dict[Side, dict[str, list[Proposal]]]

    @classmethod
    def of(cls, engine: Engine, run: Run) -> "Found":
        """Sort the proposals by who they are about."""
        pairs_of: dict[Side, dict[str, list[Proposal]]] = {Side.MENTOR: {}, Side.MENTEE: {}}
        for proposal in run.proposals:
            pairs_of[Side.MENTOR].setdefault(proposal.mentor, []).append(proposal)
            pairs_of[Side.MENTEE].setdefault(proposal.mentee, []).append(proposal)
        return cls(engine, run, pairs_of)

    def open_members(self, side: Side) -> list[str]:
        """Who takes part on a side."""
        market = self.engine.directory
        return [market.known(row).id for row in market.open_rows(side).tolist()]


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of one rehearsal."""

    people: int
    enrolled: int
    left_out: int
    """Rows that are wrong."""
    pairs: int
    value: int
    bound: int
    certificate: int
    """Hundredths of a percent of the best possible, at least."""
    sides: dict[Side, SideFigures]
    tells_waiting: bool
    circular: tuple[str, ...]
    broken: tuple[str, ...]
    """Who names a manager who is not in the file."""
    waiting: tuple[str, ...]
    """Who would take part and is not paired because it is not known who is above them."""


def summarize(roster: Roster, found: Found) -> Summary:
    """The figures of a run over a roster."""
    market, run = found.engine.directory, found.run
    waiting = (found.engine.person(member) for member in sorted(market.unsettled()))
    return Summary(
        people=len(roster.people),
        enrolled=roster.enrolled,
        left_out=len({error.line for error in roster.refused}),
        pairs=len(run.proposals),
        value=run.value,
        bound=run.bound,
        certificate=run.certificate,
        sides={side: _side(found, side, coverage(run, side)) for side in (Side.MENTEE, Side.MENTOR)},
        tells_waiting=roster.tells_waiting,
        circular=market.circular,
        broken=market.unreachable,
        waiting=tuple(person.id for person in waiting if any(person.capacity(side) for side in Side)),
    )


def coverage(run: Run, side: Side) -> SideCoverage:
    """How far a run reaches on one side."""
    return run.mentors if side is Side.MENTOR else run.mentees


def percent(some: int, everybody: int) -> float:
    """A share with one decimal, cut off: 99.96 % is not everybody. Of nobody it is nothing."""
    return some * 1_000 // everybody / 10 if everybody else 0.0


def percentile(sorted_days: Sequence[int], share: float) -> int | None:
    """The least figure that at least a share of all do not exceed."""
    return sorted_days[max(0, math.ceil(share * len(sorted_days)) - 1)] if sorted_days else None


def _side(found: Found, side: Side, reached: SideCoverage) -> SideFigures:
    members, pairs = found.open_members(side), found.pairs_of[side]
    alone = _without_pair(found, side, reached.people - reached.paired)
    return SideFigures(
        people=reached.people,
        served=reached.paired,
        places=reached.places,
        filled=reached.filled,
        silent=reached.silent,
        load=dict(sorted(Counter(len(pairs.get(member, ())) for member in members).items())),
        served_waited=_days(found, (member for member in members if member in pairs)),
        others_waited=_days(found, (member for member in members if member not in pairs)),
        looked_at=len(alone),
        obstacles=_obstacles(alone, found.engine.rules),
        relief=_relief(alone, found.engine.rules),
    )


def why_alone(engine: Engine, side: Side, rows: Rows) -> tuple[Unmatched, ...]:
    """Why people have nobody on a side, whether or not the run told it; at most as many as a run tells."""
    directory = engine.directory
    points = directory.codes.area_points
    market = everybody(directory.profiles(np.zeros((0, 2), np.int64)), engine.rules, points)
    wanted = np.zeros(len(directory.people), np.bool_)
    wanted[rows] = True
    found = reasons(market, side, wanted)
    return told(found, side, [directory.known(row).id for row in found.rows.tolist()])


def _without_pair(found: Found, side: Side, count: int) -> tuple[Unmatched, ...]:
    """Reasons of everybody without a pair, or of some who stand evenly between all others, where there are many."""
    told = tuple(each for each in found.run.unmatched if each.side is side)
    if len(told) == count:
        return told
    market = found.engine.directory
    rows = [row for row in market.open_rows(side).tolist() if market.known(row).id not in found.pairs_of[side]]
    places = np.linspace(0, len(rows) - 1, min(LOOKED_AT, len(rows))).astype(np.int64)
    return why_alone(found.engine, side, np.array(rows, np.int64)[places])


def _days(found: Found, members: Iterable[str]) -> Days:
    days = sorted(found.engine.person(member).waiting_days for member in members)
    return Days(len(days), percentile(days, 0.5), percentile(days, 0.95))


def _obstacles(alone: Iterable[Unmatched], rules: Rules) -> tuple[Obstacle, ...]:
    first = Counter(reasons[0].code for each in alone if (reasons := unmatched_reasons(each, rules)))
    return tuple(Obstacle(code, people) for code, people in sorted(first.items(), key=lambda item: (-item[1], item[0])))


def _relief(alone: Iterable[Unmatched], rules: Rules) -> dict[str, int]:
    only = Counter(
        rules.code(exclusion.rule)
        for each in alone
        if not each.eligible
        for exclusion in each.exclusions
        if exclusion.alone and exclusion.rule not in _FIXED
    )
    return dict(sorted(only.items(), key=lambda item: (-item[1], item[0])))
