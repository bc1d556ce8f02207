"""The cast of examples that are small enough to work out by hand."""

from collections.abc import Iterable

from matching.engine.people import Person
from matching.engine.proposals import Pair, Proposal


def junior(member: str, *offers: str, capacity: int = 1, level: int = 2, unit: str = "shops") -> Person:
    """Somebody to learn from."""
    return Person(member, level, unit, "GB", offers=offers, open_to_mentor=True, mentor_capacity=capacity)


def senior(member: str, *seeks: str, capacity: int = 1, level: int = 9, unit: str = "board") -> Person:
    """Somebody who wants to learn."""
    return Person(member, level, unit, "GB", seeks=seeks, open_to_be_mentored=True, mentee_capacity=capacity)


def pairs(proposals: Iterable[Proposal]) -> set[Pair]:
    return {proposal.pair for proposal in proposals}
