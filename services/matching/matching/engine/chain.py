"""The management tree as intervals, so that "is above" is two comparisons for any number of pairs at once.

Real directories are broken, or arrive in pieces: a manager may not be in it, and people may manage each other in a
circle. Whoever is below such a place is adrift: who is above them is not fully known. People of a circle count as being
above one another.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.engine.compiled import allocating

NOBODY = -1
"""The manager of somebody at the top."""
LOST = -2
"""A manager who is not in the directory; so is every row number that nobody has."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Chain:
    """Person `a` is above `b`, or the same, exactly when `enter[a] <= enter[b] < leave[a]`."""

    enter: Ints
    leave: Ints
    adrift: npt.NDArray[np.bool_]
    circular: tuple[int, ...]


def tour(managers: Ints) -> Chain:
    """Intervals for people whose manager's row is given, or `NOBODY`, or `LOST`."""
    above = np.where((managers >= len(managers)) | (managers < NOBODY), LOST, managers).astype(np.int32)
    stands_for, circular = _circles(above)
    enter, leave = _intervals(above, stands_for)
    adrift = np.flatnonzero((above == LOST) | circular)
    return Chain(enter, leave, _within(enter, leave, adrift), tuple(np.flatnonzero(circular).tolist()))


@allocating
def _circles(managers: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """For everyone the person who stands for their circle (mostly themselves), and whether they are in one."""
    stands_for = np.arange(len(managers)).astype(np.int32)
    circular = np.zeros(len(managers), np.bool_)
    seen_from = np.full(len(managers), NOBODY, np.int32)
    for start in range(len(managers)):
        person = start
        while person >= 0 and seen_from[person] == NOBODY:
            seen_from[person] = start
            person = managers[person]
        if person < 0 or seen_from[person] != start or circular[person]:
            continue
        first, member = person, managers[person]
        while member != person:
            first, member = min(first, member), managers[member]
        for _ in range(len(managers)):
            circular[member], stands_for[member] = True, first
            member = managers[member]
            if member == person:
                break
    return stands_for, circular


@allocating
def _downwards(managers: Ints, stands_for: Ints) -> tuple[Ints, Ints, Ints, int]:
    """Who reports to whom, and an order in which everybody comes behind those above them.

    Returns:
        Where each person's reports begin, the reports, the order, and how many of it are at the top.
    """
    people = len(managers)
    above = np.full(people, NOBODY, np.int32)
    begins = np.zeros(people + 1, np.int32)
    for person in range(people):
        if stands_for[person] == person and managers[person] >= 0 and stands_for[managers[person]] != person:
            above[person] = stands_for[managers[person]]
            begins[above[person] + 1] += 1
    begins = np.cumsum(begins).astype(np.int32)
    reports, filled = np.empty(begins[people], np.int32), begins[:people].copy()
    order, found = np.empty(people, np.int32), 0
    for person in range(people):
        if above[person] >= 0:
            reports[filled[above[person]]] = person
            filled[above[person]] += 1
        elif stands_for[person] == person:
            order[found] = person
            found += 1
    tops, done = found, 0
    while done < found:
        person = order[done]
        done += 1
        for report in reports[begins[person] : begins[person + 1]]:
            order[found] = report
            found += 1
    return begins, reports, order[:found], tops


@allocating
def _intervals(managers: Ints, stands_for: Ints) -> tuple[Ints, Ints]:
    """Sizes from the bottom up, then each person behind their earlier siblings; a circle has one interval."""
    people = len(managers)
    begins, reports, order, tops = _downwards(managers, stands_for)
    size = np.ones(people, np.int32)
    for person in order[::-1]:
        for report in reports[begins[person] : begins[person + 1]]:
            size[person] += size[report]
    enter, leave = np.zeros(people, np.int32), np.zeros(people, np.int32)
    at = 0
    for person in order[:tops]:
        enter[person] = at
        at += size[person]
    for person in order:
        leave[person] = enter[person] + size[person]
        behind = enter[person] + 1
        for report in reports[begins[person] : begins[person + 1]]:
            enter[report] = behind
            behind += size[report]
    for person in range(people):
        enter[person], leave[person] = enter[stands_for[person]], leave[stands_for[person]]
    return enter, leave


def _within(enter: Ints, leave: Ints, tops: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Who is, or is below, one of these people."""
    steps = np.zeros(len(enter) + 1, np.int64)
    np.add.at(steps, enter[tops], 1)
    np.add.at(steps, leave[tops], -1)
    below: npt.NDArray[np.bool_] = np.cumsum(steps)[enter] > 0
    return below
