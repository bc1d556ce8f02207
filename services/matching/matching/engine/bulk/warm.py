"""Compile every kernel now, rather than at somebody's first run: at set-up, and when an engine starts.

python -m matching.engine.bulk.warm
"""

import numpy as np

from matching.engine.bulk.solve import FULL, solve
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, UNKNOWN, Profiles
from matching.engine.rules import Rules


def warm() -> None:
    """Some seconds the first time for a version of the engine, well below one later."""
    solve(pack(_two(), Rules(level_gap=1, unknown_chains=True)), 1, FULL, threads=1)


def _two() -> Profiles:
    """A mentor and a mentee who suit each other: the fewest with whom a run does everything that it ever does."""

    def column(mentor: int, mentee: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return np.array([mentor, mentee], np.int32)

    areas = np.full((2, MOST_NAMED), NO_AREA, np.int8)
    areas[:, 0] = 0
    masks, same = np.ones(2, np.uint64), column(0, 0)
    return Profiles(
        key=masks,
        level=column(1, 5),
        unit=column(0, 1),
        function=column(UNKNOWN, UNKNOWN),
        country=same,
        site=column(UNKNOWN, UNKNOWN),
        manager=column(-1, -1),
        tenure=same,
        utc_offset=same,
        work_from=column(9, 9),
        work_to=column(17, 17),
        languages=masks,
        offers=areas,
        seeks=areas,
        likes=masks,
        in_person=np.zeros(2, np.bool_),
        mentor_capacity=column(1, 0),
        mentee_capacity=column(0, 1),
        waiting=same,
        areas=1,
        blocked=np.zeros((0, 2), np.int64),
    )


if __name__ == "__main__":
    warm()
