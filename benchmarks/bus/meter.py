"""Processor time per event between two moments of a run, and how rounds are put together."""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a measuring process finds the servers."""

    kafka: str
    mongo: str


@dataclass(frozen=True, slots=True)
class Figures:
    """One round of one measurement."""

    cpu: float  # microseconds of this process, all its threads, an event
    rate: float  # events a second

    def to_json(self) -> str:
        """As a measuring process prints it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """As the parent reads it."""
        return cls(**json.loads(text))


class Meter:
    """Begins after the first `warm` events, so that joining the group and filling caches stay outside."""

    def __init__(self, warm: int, count: int) -> None:
        self._warm, self._last = warm, warm + count
        self._seen = 0
        self._from: int | None = None
        self._began = (0.0, 0.0)
        self.figures: Figures | None = None
        self.finished = asyncio.Event()

    @property
    def events(self) -> int:
        """How many a measurement needs in all."""
        return self._last

    def add(self, events: int = 1) -> None:
        """So many more have been handled."""
        before, self._seen = self._seen, self._seen + events
        if self._from is None and self._seen >= self._warm:
            self._from, self._began = self._seen, (time.process_time(), time.perf_counter())
        elif self._from is not None and before < self._last <= self._seen:
            cpu, wall = time.process_time() - self._began[0], time.perf_counter() - self._began[1]
            measured = self._seen - self._from
            self.figures = Figures(cpu / measured * MICRO, measured / wall)
            self.finished.set()


@dataclass(frozen=True, slots=True)
class Summary:
    """All rounds of one measurement."""

    name: str
    cpu: tuple[float, ...]
    rate: tuple[float, ...]

    @classmethod
    def of(cls, name: str, rounds: Sequence[Figures]) -> Self:
        """Put rounds together."""
        return cls(name, tuple(each.cpu for each in rounds), tuple(each.rate for each in rounds))

    @property
    def least(self) -> float:
        """Microseconds an event in the best round."""
        return min(self.cpu)

    def times(self, base: "Summary") -> float:
        """How much dearer than `base`, best round against best round."""
        return self.least / base.least

    def paired(self, base: "Summary") -> float:
        """The median over the rounds of the ratio within a round, which a busy machine moves less."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.cpu, base.cpu, strict=True))

    def line(self, base: "Summary") -> str:
        """One line of the table."""
        middle = statistics.median(self.cpu)
        return (
            f"{self.name:<44} {self.least:8.1f} {middle:8.1f} {self.times(base):7.2f} {self.paired(base):7.2f} "
            f"{max(self.rate):10,.0f}"
        )


HEADING = f"{'':<44} {'min µs':>8} {'median':>8} {'ratio':>7} {'paired':>7} {'best ev/s':>10}"
