"""What already stands between people: open proposals, locked pairs, and pairs that are never proposed again."""

from collections import Counter
from collections.abc import Iterable

from contracts.matching import Side

from matching.engine.proposals import Pair, Tie
from matching.engine.rules import Rule


class Ties:
    """Every known pair by its two people; ids that are no longer in the market do no harm."""

    def __init__(self, pairs: Iterable[tuple[Pair, Tie]]) -> None:
        self._tie: dict[Pair, Tie] = {}
        self._of: dict[str, set[Pair]] = {}
        self.load: dict[Side, Counter[str]] = {side: Counter() for side in Side}
        self.open: dict[Side, Counter[str]] = {side: Counter() for side in Side}
        for pair, tie in pairs:
            self.set(pair, tie)

    def set(self, pair: Pair, tie: Tie | None) -> None:
        """Say what stands between two people from now on; none forgets the pair."""
        self._count(pair, -1)
        if tie is None:
            if self._tie.pop(pair, None):
                self._of[pair.mentor].discard(pair)
                self._of[pair.mentee].discard(pair)
            return
        self._tie[pair] = tie
        self._of.setdefault(pair.mentor, set()).add(pair)
        self._of.setdefault(pair.mentee, set()).add(pair)
        self._count(pair, 1)

    def between(self, pair: Pair) -> Tie | None:
        """The tie of exactly this pair."""
        return self._tie.get(pair)

    def of(self, member: str) -> list[Pair]:
        """Every pair that a person is part of, in a fixed order."""
        return sorted(self._of.get(member, ()))

    def all(self, tie: Tie) -> list[Pair]:
        """Every pair with this tie, in a fixed order."""
        return sorted(pair for pair, other in self._tie.items() if other is tie)

    def known(self) -> Iterable[tuple[Pair, Tie]]:
        """Every pair and its tie, in a fixed order."""
        return sorted(self._tie.items())

    def locked(self, member: str, side: Side) -> int:
        """How many places of a person hold a pair that the engine never touches."""
        return self.load[side][member] - self.open[side][member]

    def obstacle(self, pair: Pair) -> Rule:
        """What forbids a new proposal for two people who are tied, whichever way round."""
        former = Tie.FORMER in {self._tie.get(pair), self._tie.get(pair.turned)}
        return Rule.PAST if former else Rule.TOGETHER

    def _count(self, pair: Pair, step: int) -> None:
        tie = self._tie.get(pair)
        if tie in {None, Tie.FORMER}:
            return
        for side, member in ((Side.MENTOR, pair.mentor), (Side.MENTEE, pair.mentee)):
            self.load[side][member] += step
            if tie is Tie.OPEN:
                self.open[side][member] += step
