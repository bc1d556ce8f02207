"""A company in which one person after another changes: an edit of their profile, a leave, a return.

Changes are made in the columns, and the engine is told what the columns then say of the person. So what the judge looks
at in the end and what the engine heard on the way are the same, however many changes there were.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np

from matching.engine.packed.profiles import Profiles
from matching.engine.people import Person

T = TypeVar("T")

CHANGES: Final = 0.07
"""As many as this share of those who take part in the beginning."""
_EDITS, _LEAVES = 0.70, 0.15  # of the changes; the rest are returns of those who left
_MOST_PLACES: Final = 3
_TAKEN_OVER: Final = (("offers", "seeks"), ("work_from", "work_to"), ("likes", "in_person"))
"""What an edit takes over from somebody else, so that all stays as usual as it is; or else it changes the places."""
_CAPACITIES: Final = ("mentor_capacity", "mentee_capacity")
_AS_IT_STANDS: Final = ("level", "utc_offset", "work_from", "work_to", "tenure", "joined", "in_person", *_CAPACITIES)
_CODED: Final = ("unit", "country", "function", "site", "manager", "languages", "likes", "offers", "seeks", "waiting")
_CHUNK: Final = 65_536  # rows: lists of all columns of a million people would be gigabytes


class Roster:
    """The people of columns, as they stand whenever it is asked; the ids are in the order of the rows."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._ids = [f"{row:07}" for row in range(len(profiles))]

    def everybody(self) -> Iterator[Person]:
        """One after the other, in the order of the rows."""
        for begin in range(0, len(self._ids), _CHUNK):
            yield from self._people(begin, begin + _CHUNK)

    def person(self, row: int) -> Person:
        """Whose row it is."""
        return next(self._people(row, row + 1))

    def blocked(self) -> Iterator[tuple[str, str]]:
        """The ids of those who are never proposed to each other."""
        return ((self._ids[one], self._ids[other]) for one, other in self._profiles.blocked.tolist())

    def _people(self, begin: int, end: int) -> Iterator[Person]:
        names = (*_AS_IT_STANDS, *_CODED)
        columns = [getattr(self._profiles, name)[begin:end].tolist() for name in names]
        for row, told in enumerate(zip(*columns, strict=True), begin):
            yield self._person(row, dict(zip(names, told, strict=True)))

    def _person(self, row: int, told: dict[str, Any]) -> Person:
        return Person(
            id=self._ids[row],
            unit=_code("u", told["unit"]),
            country=_code("c", told["country"]),
            function=_code("f", told["function"]),
            site=_code("s", told["site"]),
            manager=self._ids[told["manager"]] if told["manager"] >= 0 else None,
            languages=_codes("l", told["languages"]),
            likes=_codes("f", told["likes"]),
            offers=tuple([_code("a", area) for area in told["offers"] if area >= 0]),
            seeks=tuple([_code("a", area) for area in told["seeks"] if area >= 0]),
            open_to_mentor=told["mentor_capacity"] > 0,
            open_to_be_mentored=told["mentee_capacity"] > 0,
            waiting_days=told["waiting"],
            **{name: told[name] for name in _AS_IT_STANDS},
        )


def stream(profiles: Profiles, seed: int) -> Iterator[int]:
    """Change people in their columns, one at a time, and tell whose row it was; the same for the same arguments.

    Edits and leaves are of those who take part by then. Whoever returns has the places that they had.
    """
    rng = np.random.default_rng([seed, len(profiles)])
    capacities = [getattr(profiles, name) for name in _CAPACITIES]
    inside = np.flatnonzero(sum(capacities)).tolist()
    outside: list[tuple[int, list[int]]] = []
    for _ in range(round(CHANGES * len(inside))):
        chance = rng.random()
        if chance < _EDITS:
            row = inside[rng.integers(len(inside))]
            while not _edit(profiles, rng, row, inside[rng.integers(len(inside))]):
                pass
        elif chance < _EDITS + _LEAVES or not outside:
            row = _drawn(rng, inside)
            outside.append((row, [int(capacity[row]) for capacity in capacities]))
            _set_places(profiles, row, (0, 0))
        else:
            row, places = _drawn(rng, outside)
            inside.append(row)
            _set_places(profiles, row, places)
        yield row


def _edit(profiles: Profiles, rng: np.random.Generator, row: int, other: int) -> bool:
    """Whether anything is another: many people work the same hours."""
    kind = int(rng.integers(len(_TAKEN_OVER) + 1))
    if kind == len(_TAKEN_OVER):
        had = [int(getattr(profiles, name)[row]) for name in _CAPACITIES]
        _set_places(profiles, row, [_others(rng, places) if places else 0 for places in had])
        return True
    columns = [getattr(profiles, name) for name in _TAKEN_OVER[kind]]
    differs = any(not np.array_equal(column[row], column[other]) for column in columns)
    for column in columns:
        column[row] = column[other]
    return differs


def _set_places(profiles: Profiles, row: int, places: Sequence[int]) -> None:
    for name, count in zip(_CAPACITIES, places, strict=True):
        getattr(profiles, name)[row] = count


def _others(rng: np.random.Generator, places: int) -> int:
    """Any other number of places than these."""
    return 1 + (places - 1 + int(rng.integers(1, _MOST_PLACES))) % _MOST_PLACES


def _drawn(rng: np.random.Generator, some: list[T]) -> T:
    """Take out one of some, without moving the others up."""
    at = int(rng.integers(len(some)))
    some[at], some[-1] = some[-1], some[at]
    return some.pop()


@cache
def _code(kind: str, number: int) -> str:
    """Nothing where it is unknown."""
    return f"{kind}{number}" if number >= 0 else ""


@cache
def _codes(kind: str, mask: int) -> tuple[str, ...]:
    return tuple(_code(kind, bit) for bit in range(mask.bit_length()) if mask >> bit & 1)
