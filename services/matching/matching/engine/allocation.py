"""Which of the feasible pairs are proposed: the most worth first, as long as both people have a place.

A person's second pair must beat somebody else's first by `further_pair` points, the third by twice as much, so that
places go round before they pile up. Equal pairs are put in order by a fixed scramble of both ids, so that neither the
alphabet nor the order of the roster favours anyone, and the same people always give the same proposals.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from contracts.matching import Side

from matching.engine.market import Ints, Market
from matching.engine.scoring import Rows

Points = npt.NDArray[np.int64]

_CHUNK = 2_048
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(slots=True)
class Room:
    """Per side and row: the live pairs a person has, and how many more may be proposed."""

    load: dict[Side, Ints]
    free: dict[Side, Ints]

    def copy(self) -> "Room":
        """The same room, to be filled apart."""
        return Room(
            {side: column.copy() for side, column in self.load.items()},
            {side: column.copy() for side, column in self.free.items()},
        )

    def fill(self, mentors: Rows, mentees: Rows) -> None:
        """Take the places of these pairs."""
        for side, rows in ((Side.MENTOR, mentors), (Side.MENTEE, mentees)):
            taken = np.bincount(rows, minlength=len(self.load[side])).astype(np.int32)
            self.load[side] += taken
            self.free[side] -= taken

    def open_pairs(self, mentors: Rows, mentees: Rows) -> npt.NDArray[np.bool_]:
        """Which pairs still have a place on both sides."""
        return (self.free[Side.MENTOR][mentors] > 0) & (self.free[Side.MENTEE][mentees] > 0)


def best_first(market: Market, mentors: Rows, mentees: Rows, scores: Ints, worth: Points) -> Rows:
    """The order in which pairs are looked at: by worth, among equals by score, then scrambled."""
    mixed = (market.scramble[mentors] * _MIX) ^ (market.scramble[mentees] + _MIX)
    return np.lexsort((mentors, mentees, mixed, -scores, -worth))


def allocate(mentors: Rows, mentees: Rows, worth: Points, room: Room, further_pair: int) -> list[int]:
    """Positions of the chosen pairs among those given best first; fills the room.

    A pair whose people already have others is put back with what is left of its worth, and looked at again when
    nothing better is left: loads only grow, so what is left only shrinks, and each look is final or lowers it.
    """
    chosen: list[int] = []
    postponed: list[tuple[int, int]] = []
    fresh = _with_room(mentors, mentees, room)
    head = next(fresh, None)
    mentor_load, mentee_load = room.load[Side.MENTOR], room.load[Side.MENTEE]
    mentor_free, mentee_free = room.free[Side.MENTOR], room.free[Side.MENTEE]
    while head is not None or postponed:
        if head is not None and (not postponed or (-int(worth[head]), head) < postponed[0]):
            thought, position = int(worth[head]), head
            head = next(fresh, None)
        else:
            negative, position = heapq.heappop(postponed)
            thought = -negative
        mentor, mentee = int(mentors[position]), int(mentees[position])
        if mentor_free[mentor] <= 0 or mentee_free[mentee] <= 0:
            continue
        worth_now = int(worth[position]) - further_pair * int(mentor_load[mentor] + mentee_load[mentee])
        if worth_now < thought:
            heapq.heappush(postponed, (-worth_now, position))
        else:
            mentor_load[mentor] += 1
            mentee_load[mentee] += 1
            mentor_free[mentor] -= 1
            mentee_free[mentee] -= 1
            chosen.append(position)
    return chosen


def _with_room(mentors: Rows, mentees: Rows, room: Room) -> Iterator[int]:
    """Positions in order, without those whose people were already full when their stretch was reached."""
    for start in range(0, len(mentors), _CHUNK):
        stretch = slice(start, start + _CHUNK)
        yield from (np.flatnonzero(room.open_pairs(mentors[stretch], mentees[stretch])) + start).tolist()
