"""The bulk run of a programme: from the people as they stand, with pairs that live already, to the pairs to propose."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
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
    members: list[str]
    """The id of each row."""
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

    members: list[str]
    """The id of each row."""
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
    prices, pairs = (
        solution.prices[mentors],
        np.stack([market.mentor_rows[mentors], market.mentee_rows[mentees]], axis=1),
    )
    once = _one_way(pairs, task.open_pairs)
    pairs, prices, scores = pairs[once], solution.prices[mentors[once]], scores[once]
    everything = _fill(task, pairs, watch)
    return Draft(
        task.members,
        everything[:, 0],
        everything[:, 1],
        prices=np.concatenate([prices, np.zeros(len(everything) - len(pairs), np.int32)]),
        value=_value(task, pairs, scores),
        bound=solution.bound,
        claims=_claims(task, market, solution),
        alone=_alone(task, everything),
    )


def _one_way(pairs: Ints, dear: Words) -> npt.NDArray[np.bool_]:
    """Which pairs stay when two who were chosen for each other both ways are a pair one way only: as they are now."""
    code, turned = (pairs[:, one].astype(np.int64) << 32 | pairs[:, 1 - one] for one in (0, 1))
    twice = np.isin(code, turned)
    stays = ~twice | (pairs[:, 0] < pairs[:, 1])
    for open_pair in dear[np.isin(dear[:, 0] << 32 | dear[:, 1], code[twice])].tolist():
        for pair, well in ((open_pair, True), (open_pair[::-1], False)):
            stays[(pairs == pair).all(axis=1)] = well
    return stays


def _claims(task: Task, market: Market, solution: Solution) -> Ints:
    found = task.rules.weights.further_pair * task.load
    found[0, market.mentor_rows], found[1, market.mentee_rows] = solution.prices, solution.gains
    return found.astype(np.int32)


def _alone(task: Task, pairs: Ints) -> dict[Side, Reasons]:
    """Why people have nobody, mentees first, as far as it goes."""
    market, left = everybody(task.profiles, task.rules, task.area_points), EXPLAINED
    found = {}
    for number, side in ((1, Side.MENTEE), (0, Side.MENTOR)):
        load = task.load[number] + np.bincount(pairs[:, number], minlength=len(task.profiles))
        found[side] = reasons(market, side, load == 0, left)
        left -= len(found[side].rows)
    return found


def _fill(task: Task, pairs: Ints, watch: Watch) -> Ints:
    """The pairs, and further ones for the places that are left."""
    weights = task.rules.weights.model_copy(update={"further_pair": 0})
    task = replace(task, rules=task.rules.model_copy(update={"weights": weights}))
    while True:
        more = _more(task, pairs, watch)
        once = _one_way(more, task.open_pairs)
        pairs = np.concatenate([pairs, more[once]])
        if once.all():
            return pairs


def _more(task: Task, pairs: Ints, watch: Watch) -> Ints:
    profiles = replace(task.profiles, blocked=np.concatenate([task.profiles.blocked, pairs.astype(np.int64)]))
    taken = np.stack([np.bincount(rows, minlength=len(profiles)) for rows in pairs.T]).astype(np.int32)
    market = _packed(task, profiles, task.load + taken, task.free - taken)
    # A pair that is worth nothing is better than none.
    market = market._replace(mentee_points=market.mentee_points + np.int32(1))
    kept = set(map(tuple, pairs.tolist()))
    others = np.array([pair for pair in task.open_pairs.tolist() if tuple(pair) not in kept], np.int64).reshape(-1, 2)
    more = solve(market, profiles.areas, FILL, open_pairs=_open(task, market, others), watch=lambda _: watch(1.0))
    return np.stack([market.mentor_rows[more.mentors], market.mentee_rows[more.mentees]], axis=1)


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


def _value(task: Task, pairs: Ints, scores: Ints) -> int:
    total = int(scores.sum(dtype=np.int64))
    for load, rows in zip(task.load, pairs.T, strict=True):
        added = np.bincount(rows, minlength=len(load)).astype(np.int64)
        total -= task.rules.weights.further_pair * int((added * load + added * (added - 1) // 2).sum())
    return total
