"""What the engine answers: proposals, and what a run or a change means for everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from contracts.matching import Side

from matching.engine.rules import Rule


class Pair(NamedTuple):
    """A mentor's id and a mentee's id, in this order."""

    mentor: str
    mentee: str

    @property
    def turned(self) -> "Pair":
        """The same two people with the roles exchanged."""
        return Pair(self.mentee, self.mentor)

    def other(self, member: str) -> str:
        """The one of the two who is not this member."""
        return self.mentee if member == self.mentor else self.mentor


class Tie(StrEnum):
    """What already stands between two people."""

    OPEN = "open"
    """A proposal that nobody has answered: holds a place on both sides, and may be withdrawn by the engine."""
    LOCKED = "locked"
    """Answered, accepted or running, in whatever programme: holds a place, and the engine never touches it."""
    FORMER = "former"
    """Ended, declined or blocked: never proposed again, in neither direction."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair worth proposing, with the reasons in numbers: `score == sum(terms.values())`."""

    mentor: str
    mentee: str
    areas: tuple[str, ...]
    """The areas they share, the mentee's most wanted first."""
    direction: str
    """`reverse` when the mentee is above the mentor, else `same-level` or `forward`."""
    score: int
    terms: Mapping[str, int]

    @property
    def pair(self) -> Pair:
        """Who it is about."""
        return Pair(self.mentor, self.mentee)


@dataclass(frozen=True, slots=True)
class SideCoverage:
    """How far one side is served: of the people who take part, and of their places, those that a pair has.

    `silent` more people are open to this side but name no area that counts in the programme.
    """

    people: int
    paired: int
    places: int
    filled: int
    silent: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many people of the other side one rule keeps from a person, and for how many it is the only obstacle."""

    rule: Rule
    people: int
    alone: int


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Somebody who takes part and has no pair on this side.

    `eligible` people of the other side pass every rule; when there are any, their places went to pairs that count more,
    or the pair is not available.
    """

    member: str
    side: Side
    others: int
    eligible: int
    exclusions: tuple[Exclusion, ...]
    """The rule that stands in the way most often first."""


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one run over everybody; nothing of it is in force until the caller says so with `adopt`."""

    proposals: tuple[Proposal, ...]
    """The best first."""
    kept: tuple[Pair, ...]
    """Open proposals that stay."""
    withdrawn: tuple[Pair, ...]
    """Open proposals that no longer hold, or give way to something better."""
    broken: tuple[Pair, ...]
    """Locked pairs that no longer satisfy the rules: for people to look at, the engine leaves them."""
    value: int
    """The scores of what was chosen for its worth, less what further pairs of a person must be better by."""
    bound: int
    """No choice of proposals for the same free places can be worth more than this."""
    mentors: SideCoverage
    mentees: SideCoverage
    unmatched: tuple[Unmatched, ...]
    """The first of them; how many there are, the coverage of both sides tells."""
    prices: Mapping[Pair, int] = field(default_factory=dict)
    """What the mentor's place costs in each pair that is proposed or kept; the mentee gains the rest of the score."""
    claims: Mapping[Side, Mapping[str, int]] = field(default_factory=dict)
    """What a further pair would have to be worth to everybody who takes part, in points: a pair that is not proposed
    counts for less than what both ask together, or for little more, as the certificate allows."""

    def shortfall(self, proposal: Proposal) -> int:
        """How many points a pair that the rules allow is short of being proposed; none or less when it is not short."""
        asked = (self.claims[Side.MENTOR][proposal.mentor], self.claims[Side.MENTEE][proposal.mentee])
        return sum(asked) - proposal.score

    @property
    def certificate(self) -> int:
        """Hundredths of a percent of the best possible value that the run reaches at least."""
        return self.value * 10_000 // self.bound if self.bound else 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What one person's change leads to, already in force inside the engine."""

    proposals: tuple[Proposal, ...] = ()
    withdrawn: tuple[Pair, ...] = ()
    """Open proposals that no longer hold."""
    moved: tuple[Pair, ...] = ()
    """Unanswered proposals that hold, and give way to something better."""
    broken: tuple[Pair, ...] = ()


class RunCancelledError(Exception):
    """The caller asked the run to stop; nothing has changed."""
