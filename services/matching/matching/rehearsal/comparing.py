"""Two sets of rules for the same people, side by side."""

from dataclasses import dataclass

from contracts.matching import Side

from matching.rehearsal.figures import Found, Summary


@dataclass(frozen=True, slots=True)
class Difference:
    """People of one side who have somebody under one set of rules and nobody under the other."""

    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs."""

    first: Summary
    second: Summary
    in_common: int
    """Pairs that both propose."""
    sides: dict[Side, Difference]


def compare(first: Found, second: Found, summaries: tuple[Summary, Summary]) -> Comparison:
    """Hold two runs against each other."""
    pairs = [{proposal.pair for proposal in found.run.proposals} for found in (first, second)]
    return Comparison(
        *summaries,
        in_common=len(pairs[0] & pairs[1]),
        sides={
            side: _difference(set(first.pairs_of[side]), set(second.pairs_of[side]))
            for side in (Side.MENTEE, Side.MENTOR)
        },
    )


def _difference(first: set[str], second: set[str]) -> Difference:
    return Difference(tuple(sorted(first - second)), tuple(sorted(second - first)))
