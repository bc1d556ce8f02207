"""Many seeds, and what a failing one comes down to."""

from typing import Final

from simulation import faults
from simulation.world import HEARD, run

_SHOWN: Final = 5


def lot(seeds: range) -> tuple[list[int], int, float]:
    """Run some seeds; returns the failing ones, the steps and the virtual seconds."""
    outcomes = [run(seed) for seed in seeds]
    failing = [each.seed for each in outcomes if each.breaches]
    return failing, sum(each.steps for each in outcomes), sum(each.seconds for each in outcomes)


def witness(seed: int) -> list[str]:
    """The fewest faults of the seed's plan with which it still fails, what fails, and how to see it."""
    plan = faults.of_seed(seed, list(HEARD))
    left_out: list[str] = []
    found = run(seed).breaches
    for part in faults.parts(plan):
        if breaches := run(seed, without=[*left_out, part]).breaches:
            left_out.append(part)
            found = breaches
    kept = faults.parts(faults.without(plan, left_out))
    omitted = f" --without {','.join(left_out)}" if left_out else ""
    return [
        f"seed {seed} fails with {', '.join(kept) or 'no fault at all'}:",
        *(f"  {breach}" for breach in found[:_SHOWN]),
        f"  replay: PYTHONPATH=tests python -m simulation --seed {seed}{omitted}",
    ]
