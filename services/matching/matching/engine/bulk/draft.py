"""The bulk run of a programme: from the people as they stand, with pairs that live already, to the pairs to propose."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from contracts.matching import Side

from matching.engine.bulk.fitting import best_fits
from matching.engine.bulk.solve import FILL, OpenPairs, Solution, Watch, effort_for, solve, widen
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import Profiles
from matching.engine.packed.records import Ints, Market, Places, Words
from matching.engine.report import EXPLAINED, Reasons, everybody, reasons
from matching.engine.rules import Rules

_ALL_OF_IT: Final = 100


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that a run needs, so that it can be handed to another process."""

    rules: Rules
    profiles: Profiles
    """With the pairs that are never to be proposed in `blocked`; areas are numbered by rarity."""
    area_points: list[int]
    load: Ints
    """[2, n] pairs of each mentor and each mentee that stay whatever the run finds."""
    free: Ints
    """[2, n] how many proposals each may have."""
    open_pairs: Words
    """[k, 2] rows of the proposals that nobody has answered; they hold no place of those above."""
    dear: int
    """Points that something else must be better by than one of those."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Pairs as rows, side by side, and what they are worth."""

    mentors: Ints
    mentees: Ints
    prices: Ints
    """What the mentor's place costs in each pair."""
    value: int
    """Of the pairs that were chosen for their worth: scores, less what further pairs of a person must be better by."""
    bound: int
    """No choice for the same places can be worth more."""
    claims: Ints
    """[2, n] what a further pair would have to be worth to each mentor and each mentee, in points: together not less
    than the score of any pair that was not chosen, but for what the certificate leaves open."""
    alone: dict[Side, Reasons]
    """Why people have nobody on a side."""


def draft(task: Task, watch: Watch) -> Draft:
    """Choose for everybody who has room.

    First what is worth most altogether. Whatever places then are left, because a further pair of somebody was not
    worth it, go to whoever can use them: an empty place helps nobody.

    Args:
        task: what to choose for.
        watch: as for `solve`.
    """
    rules, profiles = task.rules, task.profiles
    market = _packed(task, profiles, task.load, task.free)
    solution = solve(
        market, profiles.areas, effort_for(len(profiles)), open_pairs=_open(task, market, task.open_pairs), watch=watch
    )
    mentors, mentees, scores = solution.mentors, solution.mentees, solution.scores
    if rules.weights.reach < _ALL_OF_IT:
        widen(market, profiles.areas, solution, rules.weights.reach)
        mentors, mentees, scores = best_fits(market, solution, rules.weights.reach)
    prices, rows = solution.prices[mentors], (market.mentor_rows[mentors], market.mentee_rows[mentees])
    more = _fill(task, rows, watch)
    both = tuple(np.concatenate(each) for each in zip(rows, more, strict=True))
    return Draft(
        both[0],
        both[1],
        prices=np.concatenate([prices, np.zeros(len(more[0]), np.int32)]),
        value=_value(task, rows, scores),
        bound=solution.bound,
        claims=_claims(task, market, solution),
        alone=_alone(task, both),
    )


def _claims(task: Task, market: Market, solution: Solution) -> Ints:
    found = task.rules.weights.further_pair * task.load
    found[0, market.mentor_rows], found[1, market.mentee_rows] = solution.prices, solution.gains
    return found.astype(np.int32)


def _alone(task: Task, chosen: tuple[Ints, ...]) -> dict[Side, Reasons]:
    """Why people have nobody, mentees first, as far as it goes."""
    market, left = everybody(task.profiles, task.rules, task.area_points), EXPLAINED
    found = {}
    for number, side in ((1, Side.MENTEE), (0, Side.MENTOR)):
        pairs = task.load[number] + np.bincount(chosen[number], minlength=len(task.profiles))
        found[side] = reasons(market, side, pairs == 0, left)
        left -= len(found[side].rows)
    return found


def _fill(task: Task, chosen: tuple[Ints, Ints], watch: Watch) -> tuple[Ints, Ints]:
    """Rows of further pairs for the places that are left."""
    taken = np.stack([np.bincount(rows, minlength=len(task.profiles)) for rows in chosen]).astype(np.int32)
    pairs = np.stack(chosen, axis=1).astype(np.int64)
    profiles = replace(task.profiles, blocked=np.concatenate([task.profiles.blocked, pairs]))
    weights = task.rules.weights.model_copy(update={"further_pair": 0})
    task = replace(task, rules=task.rules.model_copy(update={"weights": weights}))
    market = _packed(task, profiles, task.load + taken, task.free - taken)
    # A pair that is worth nothing is better than none.
    market = market._replace(mentee_points=market.mentee_points + np.int32(1))
    kept = set(map(tuple, pairs.tolist()))
    others = np.array([pair for pair in task.open_pairs.tolist() if tuple(pair) not in kept], np.int64).reshape(-1, 2)
    more = solve(market, profiles.areas, FILL, open_pairs=_open(task, market, others), watch=lambda _: watch(1.0))
    return market.mentor_rows[more.mentors], market.mentee_rows[more.mentees]


def _packed(task: Task, profiles: Profiles, load: Ints, free: Ints) -> Market:
    mentor, mentee = (Places(load[side], free[side]) for side in range(2))
    return pack(profiles, task.rules, mentor=mentor, mentee=mentee, known_points=task.area_points)


def _open(task: Task, market: Market, pairs: Words) -> OpenPairs:
    """Open proposals as places of a market."""
    places = []
    for side, rows in enumerate((market.mentor_rows, market.mentee_rows)):
        at = np.full(len(task.profiles), -1, np.int32)
        at[rows] = np.arange(len(rows))
        places.append(at[pairs[:, side]])
    here = (places[0] >= 0) & (places[1] >= 0)
    return OpenPairs(places[0][here], places[1][here], task.dear)


def _value(task: Task, chosen: tuple[Ints, Ints], scores: Ints) -> int:
    total = int(scores.sum(dtype=np.int64))
    for load, rows in zip(task.load, chosen, strict=True):
        pairs = np.bincount(rows, minlength=len(load)).astype(np.int64)
        total -= task.rules.weights.further_pair * int((pairs * load + pairs * (pairs - 1) // 2).sum())
    return total
