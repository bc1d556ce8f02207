"""A service that dies at one point: `FAULTS_DEATH=<point>#<which time> python -m faults_world.dying orders`.

Without a point it is the service as it is. Either way it writes down every point that it reaches.
"""

import os
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition
from chassis.consuming.consumer import Consumer
from chassis.consuming.records import Record
from chassis.publishing import relay
from chassis.state import documents
from chassis.state.documents import Fence
from chassis.state.mongo import Raw

from faults_world import seams

KILLED: Final = 137  # what a shell says of a process that ended by `kill -9`
# A dead process's last send arrives within moments; the product's minute is for a live one that was frozen.
HEAL_MS: Final = 10_000


class Points:
    """Counts the points of this process, and ends it at one of them.

    Args:
        death: the point and which time, ``<name>#<1 or 2>``; empty for none.
        met: a file to which each name is added once.
    """

    def __init__(self, death: str, met: Path) -> None:
        self._death = death
        self._met = met
        self._counts: Counter[str] = Counter()

    def reached(self, name: str) -> None:
        """The process is at this point; does not return if it is the one to die at."""
        self._counts[name] += 1
        if self._counts[name] == 1:
            with self._met.open("a") as file:
                file.write(f"{name}\n")
        if f"{name}#{self._counts[name]}" == self._death:
            os._exit(KILLED)  # no handler, no flush, no farewell to a server


def _commit_before_handling() -> None:
    right = Consumer.process

    async def process(self: Consumer[Any], records: Sequence[Record]) -> None:
        await self._commit({TopicPartition(each.topic, each.partition): each.offset + 1 for each in records})
        await right(self, records)

    setattr(Consumer, "process", process)  # noqa: B010 - mypy refuses the plain assignment of a method


def _no_fence() -> None:
    def check(raw: Raw | None, fence: Fence | None, if_match: str | None) -> None:
        pass

    documents._check = check


BUGS: Final[dict[str, Callable[[], None]]] = {
    "commit before handling": _commit_before_handling,
    "no fence": _no_fence,
}


def main() -> None:
    """Become the service that the first argument names."""
    seams.watch(Points(os.environ.get("FAULTS_DEATH", ""), Path(os.environ["FAULTS_POINTS"])).reached)
    if bug := os.environ.get("FAULTS_BUG"):
        BUGS[bug]()
    relay.HEAL_MS = HEAL_MS  # type: ignore[misc]  # final for the product
    runpy.run_module(f"faults_world.{sys.argv.pop(1)}", run_name="__main__")


if __name__ == "__main__":
    main()
