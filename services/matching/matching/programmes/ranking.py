"""A programme's pairs in the order of their scores, a page at a time.

The embedded servers would sort everything to show fifty. So a window of scores that holds a page is found by counting,
which an index answers, and only that window is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.matching import Status

from matching.domain.mentorship import Mentorship
from matching.domain.programme import Programme
from matching.store import Store

BEYOND: Final = 1 << 20
"""More than any score: weights by which a pair could be worth more than a million points are refused."""
_TIMES_ENOUGH: Final = 4
"""A window may hold so many pages; closing in on exactly one would cost more than it saves."""


class Order(StrEnum):
    """Which pairs come first."""

    STRONGEST = "strongest"
    WEAKEST = "weakest"


@dataclass(frozen=True, slots=True)
class Page:
    """Some pairs in order, and whether others follow."""

    pairs: list[Mentorship]
    more: bool


class Ranking:
    """The pairs of one programme that have one of these statuses."""

    def __init__(self, store: Store, programme: Programme, statuses: Sequence[Status]) -> None:
        self._store = store
        self._programme = programme
        self._statuses = statuses

    async def count(self) -> int:
        """How many there are."""
        return await self._count(0, BEYOND)

    async def best(self) -> int:
        """The highest score; 0 when there is no pair."""
        found = await self._read(BEYOND, await self._reach(BEYOND, 0, 1))
        return max((pair.terms.score for pair in found), default=0)

    async def page(self, order: Order, after: Mentorship | None, size: int, best: int) -> Page:
        """The pairs behind `after`, or the first ones; equal scores are in the order of their ids.

        `best` is no less than any score: the narrower the span of scores, the less there is to count.
        """
        strongest = order is Order.STRONGEST
        begin, end = (best + 1, 0) if strongest else (0, best + 1)
        if after is None:
            reach = await self._reach(begin, end, size + 1)
        else:
            score = after.terms.score
            reach = await self._reach(score if strongest else score + 1, end, size + 1)
            begin = score + 1 if strongest else score  # those with the same score may be behind it, too

        def place(pair: Mentorship) -> tuple[int, str]:
            return (-pair.terms.score if strongest else pair.terms.score), pair.id

        found = await self._read(begin, reach)
        behind = sorted((pair for pair in found if after is None or place(pair) > place(after)), key=place)
        return Page(behind[:size], more=len(behind) > size)

    async def _reach(self, begin: int, end: int, enough: int) -> int:
        """Up to which score, going from `begin` towards `end`, there are enough pairs, but not many times enough."""
        short = begin
        while abs(end - short) > 1:
            middle = (short + end) // 2
            count = await self._count(*sorted((begin, middle)))
            if count < enough:
                short = middle
            else:
                end = middle
                if count <= _TIMES_ENOUGH * enough:
                    break
        return end

    async def _read(self, begin: int, end: int) -> list[Mentorship]:
        return await self._store.scored(self._programme, self._statuses, *sorted((begin, end)))

    async def _count(self, low: int, high: int) -> int:
        return await self._store.count_scored(self._programme, self._statuses, low, high)
