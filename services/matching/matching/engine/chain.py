"""The management tree as intervals, so that "is above" is two comparisons for any number of pairs at once.

Real directories are broken, or arrive in pieces: a manager may not be in it, and people may manage each other in a
circle. Whoever is below such a place is adrift: who is above them is not fully known. People of a circle count as being
above one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NOBODY = -1
"""The manager of somebody at the top."""
LOST = -2
"""A manager who is not in the directory."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Person `a` is above `b`, or the same, exactly when `enter[a] <= enter[b] < leave[a]`."""

    enter: npt.NDArray[np.int32]
    leave: npt.NDArray[np.int32]
    adrift: npt.NDArray[np.bool_]
    circular: tuple[int, ...]


def chain(managers: Sequence[int]) -> Chain:
    """Intervals for people whose manager's position is given, or `NOBODY`, or `LOST`."""
    stands_for, circular = _circles(managers)
    reports: list[list[int]] = [[] for _ in managers]
    tops = []
    for person, manager in enumerate(managers):
        if stands_for[person] != person:
            continue
        if manager < 0 or stands_for[manager] == person:
            tops.append(person)
        else:
            reports[stands_for[manager]].append(person)
    order = _depth_first(tops, reports)
    size = [1] * len(managers)
    enter = np.zeros(len(managers), np.int32)
    leave = np.zeros(len(managers), np.int32)
    for place in range(len(order) - 1, -1, -1):
        person = order[place]
        size[person] += sum(size[report] for report in reports[person])
        enter[person] = place
        leave[person] = place + size[person]
    for person in circular:
        enter[person], leave[person] = enter[stands_for[person]], leave[stands_for[person]]
    adrift = [person for person, manager in enumerate(managers) if manager == LOST] + circular
    return Chain(enter, leave, _within(enter, leave, adrift), tuple(circular))


def _within(enter: npt.NDArray[np.int32], leave: npt.NDArray[np.int32], tops: list[int]) -> npt.NDArray[np.bool_]:
    """Who is, or is below, one of these people."""
    steps = np.zeros(len(enter) + 1, np.int64)
    np.add.at(steps, enter[tops], 1)
    np.add.at(steps, leave[tops], -1)
    below: npt.NDArray[np.bool_] = np.cumsum(steps)[enter] > 0
    return below


def _depth_first(tops: list[int], reports: list[list[int]]) -> list[int]:
    order = []
    waiting = list(reversed(tops))
    while waiting:
        person = waiting.pop()
        order.append(person)
        waiting.extend(reports[person])
    return order


def _circles(managers: Sequence[int]) -> tuple[list[int], list[int]]:
    """For everyone the person who stands for their circle (mostly themselves), and all who are in one."""
    stands_for = list(range(len(managers)))
    circular: list[int] = []
    seen_from = [NOBODY] * len(managers)
    for start in range(len(managers)):
        person = start
        while person >= 0 and seen_from[person] == NOBODY:
            seen_from[person] = start
            person = managers[person]
        if person < 0 or seen_from[person] != start:
            continue
        circle = [person]
        while managers[circle[-1]] != person:
            circle.append(managers[circle[-1]])
        circular.extend(circle)
        for member in circle:
            stands_for[member] = min(circle)
    return stands_for, circular
