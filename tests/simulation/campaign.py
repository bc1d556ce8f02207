"""Many seeds, and what a failing one comes down to."""

from typing import Final

from simulation import faults
from simulation.planted import SAID, Bug
from simulation.planted_heard import HEARD as HEARD_BUGS
from simulation.run import run
from simulation.world import HEARD

BUGS: Final[dict[str, Bug]] = SAID | HEARD_BUGS
NONE: Final = Bug(lambda _: None, 0, {})

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


def hunted(name: str) -> tuple[str, int, str]:
    """Run seed after seed with a planted bug; returns the first that catches it, and by what, or -1."""
    for seed in range(BUGS[name].seeds):
        if breaches := run(seed, BUGS[name].plant, focus=BUGS[name].focus).breaches:
            return name, seed, breaches[0]
    return name, -1, f"not caught by {BUGS[name].seeds} seeds"


_SCENE: Final = 4  # a seed whose commands are of every kind
_COMMANDS: Final = 18


def crash_points() -> list[tuple[str, int]]:
    """Every point that the fixed scene reaches, for the first and the second time."""
    points = run(_SCENE, focus=faults.calm(_COMMANDS)).points
    return [(name, time) for name in sorted(points) for time in (1, 2) if points[name] >= time]


def survived(point: tuple[str, int]) -> tuple[tuple[str, int], int, list[str]]:
    """Let the process that reaches a point die there; returns how many died, and what does not hold afterwards."""
    outcome = run(_SCENE, focus=faults.calm(_COMMANDS) | {"crash": point})
    return point, outcome.deaths, outcome.breaches
