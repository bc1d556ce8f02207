"""What becomes of one record: a closed sum, matched in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Handled; its effect is stored."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Its effect was stored before."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not for us: a type or a major version that this consumer does not know."""

    why: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """It can't be handled; it goes to the dead-letter topic with its bytes untouched."""

    reason: str
    error: str
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Parked:
    """An earlier record of its key is a dead letter; it waits behind that one in the same topic."""


Outcome = Done | Duplicate | Skipped | DeadLetter | Parked
