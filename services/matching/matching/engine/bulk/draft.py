"""The bulk run of a programme: from the market as it stands, with pairs that live already, to the pairs to propose."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from chassis.errors import InvalidError
from contracts.matching import Side

from matching.engine.allocation import Room, allocate, best_first
from matching.engine.bulk.solve import FILL, Solution, Watch, effort_for, solve, widen
from matching.engine.chain import LOST
from matching.engine.market import Market
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import Profiles
from matching.engine.packed.records import Market as Packed
from matching.engine.packed.records import Places
from matching.engine.rules import Rules
from matching.engine.scoring import score

Rows = npt.NDArray[np.int64]
_MOST_LANGUAGE_WORDS = 2


@dataclass(frozen=True, slots=True)
class Draft:
    """Pairs as rows of the market, and what they are worth."""

    mentors: Rows
    mentees: Rows
    value: int
    """Of the pairs that were chosen for their worth: scores, less what further pairs of a person must be better by."""
    bound: int
    """No choice for the same places can be worth more."""


def draft(rules: Rules, market: Market, room: Room, tied: Iterable[tuple[int, int]], watch: Watch) -> Draft:
    """Choose for everybody who has room.

    First what is worth most altogether. Whatever places then are left, because a further pair of somebody was not
    worth it, go to whoever can use them: an empty place helps nobody.

    Args:
        rules: of the programme.
        market: everybody.
        room: how full they are; stays as it is.
        tied: rows of two people who are not proposed to each other, whichever way round.
        watch: as for `solve`.
    """
    people = profiles_of(market, tied)
    packed = _packed(people, rules, market, room)
    solution = solve(packed, people.areas, effort_for(len(people)), watch=watch)
    left = room.copy()
    if rules.weights.reach < 100:  # noqa: PLR2004 - percent
        mentors, mentees = _best_fits(rules, market, packed, solution, left)
    else:
        mentors, mentees = packed.mentor_rows[solution.mentors], packed.mentee_rows[solution.mentees]
        left.fill(mentors, mentees)
    chosen = np.stack([mentors, mentees], axis=1)
    people = replace(people, blocked=np.concatenate([people.blocked, chosen]))
    weights = rules.weights.model_copy(update={"further_pair": 0})
    packed = _packed(people, rules.model_copy(update={"weights": weights}), market, left)
    # A pair that is worth nothing is better than none.
    packed = packed._replace(mentee_points=packed.mentee_points + np.int32(1))
    more = solve(packed, people.areas, FILL, watch=lambda _: watch(1.0))
    return Draft(
        np.concatenate([mentors, packed.mentor_rows[more.mentors]]).astype(np.int64),
        np.concatenate([mentees, packed.mentee_rows[more.mentees]]).astype(np.int64),
        worth_of(rules, market, room, mentors, mentees),
        solution.bound,
    )


def profiles_of(market: Market, tied: Iterable[tuple[int, int]]) -> Profiles:
    """The market's people as columns; who has left it takes no part."""
    people = len(market.people)
    words = market.languages.shape[1]
    if words > _MOST_LANGUAGE_WORDS:
        raise InvalidError("A market can tell at most 128 languages apart.")
    # A manager who is not in the directory is nobody's row, and yet the same for all who have them.
    manager = np.where(market.above == LOST, people + market.manager[:people], market.above).astype(np.int32)
    return Profiles(
        key=market.scramble[:people],
        level=market.level[:people],
        unit=market.unit[:people],
        function=market.function[:people],
        country=market.country[:people],
        site=market.site[:people],
        manager=manager,
        tenure=market.tenure[:people],
        utc_offset=market.clock[:people],
        work_from=market.work_from[:people],
        work_to=market.work_to[:people],
        languages=np.ascontiguousarray(market.languages[:people, 0]),
        more_languages=np.ascontiguousarray(market.languages[:people, 1]) if words > 1 else None,
        offers=market.offer_list[:people],
        seeks=market.seek_list[:people],
        likes=market.likes[:people],
        in_person=market.in_person[:people],
        mentor_capacity=market.capacity[Side.MENTOR][:people],
        mentee_capacity=market.capacity[Side.MENTEE][:people],
        waiting=market.waiting[:people],
        areas=len(market.areas),
        blocked=np.array(sorted(tied), np.int64).reshape(-1, 2),
    )


def worth_of(rules: Rules, market: Market, room: Room, mentors: Rows, mentees: Rows) -> int:
    """The scores of pairs, less what further pairs of a person must be better by, for those who had room before."""
    total = int(score(rules, market, mentees, mentors).scores.sum(dtype=np.int64))
    for side, rows in ((Side.MENTOR, mentors), (Side.MENTEE, mentees)):
        pairs = np.bincount(rows, minlength=len(room.load[side])).astype(np.int64)
        total -= rules.weights.further_pair * int((pairs * room.load[side] + pairs * (pairs - 1) // 2).sum())
    return total


def _packed(people: Profiles, rules: Rules, market: Market, room: Room) -> Packed:
    mentor, mentee = (
        Places(room.load[side][: len(people)], room.free[side][: len(people)]) for side in (Side.MENTOR, Side.MENTEE)
    )
    points = market.area_points[: people.areas].tolist()
    return pack(people, rules, mentor=mentor, mentee=mentee, known_points=points)


def _best_fits(rules: Rules, market: Market, packed: Packed, solution: Solution, room: Room) -> tuple[Rows, Rows]:
    """What a lead gets who wants scarcity to count less: the best pairs first, whoever then has nobody."""
    reach = rules.weights.reach
    widen(packed, len(market.areas), solution, reach)
    lists = solution.lists
    there = np.arange(lists.who.shape[1]) < lists.counts[:, None]
    mentors, scores = lists.who[there], lists.points[there]
    mentees = np.repeat(np.arange(len(lists.counts)), lists.counts)
    claims = solution.prices[mentors].astype(np.int64) + solution.gains[mentees]
    mentor_rows, mentee_rows = packed.mentor_rows[mentors], packed.mentee_rows[mentees]
    worth = scores - claims * reach // 100
    order = best_first(market, mentor_rows, mentee_rows, scores, worth)
    taken = allocate(mentor_rows[order], mentee_rows[order], worth[order], room, rules.weights.further_pair)
    chosen = order[np.array(taken, np.int64)]
    return mentor_rows[chosen], mentee_rows[chosen]
