"""`python -m simulation --seeds 10000`: run so many seeds; a failing one prints its witness and how to replay it."""

import argparse
import hashlib
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from simulation import campaign
from simulation.run import Outcome, run

_SHOWN: Final = 5  # failing seeds that are shrunk and printed in full
_LOT: Final = 20
_HASHES: Final = "PYTHONHASHSEED"


def main() -> None:
    """Run; exit 1 on a breach."""
    parser = argparse.ArgumentParser(prog="python -m simulation")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--workers", type=int, default=2, help="processes that share them")
    parser.add_argument("--seed", type=int, help="replay this one and print its history")
    parser.add_argument("--without", default="", help="parts of its plan to leave out, separated by commas")
    parser.add_argument("--planted", help="with this bug in the chassis; 'all' tries each until it is caught")
    parser.add_argument("--crash-points", action="store_true", help="let processes die at each point of a scene")
    options = parser.parse_args()
    _pin_hashes()
    if options.seed is not None:
        bug = campaign.BUGS.get(options.planted, campaign.NONE)
        without = [each for each in options.without.split(",") if each]
        _replay(run(options.seed, bug.plant, without, bug.focus))
    elif options.crash_points:
        _crash(options.workers)
    elif options.planted:
        names = list(campaign.BUGS) if options.planted == "all" else [options.planted]
        _hunt(names, options.workers)
    else:
        _many(options.first, options.seeds, options.workers)


def _pin_hashes() -> None:
    """Sets of text are gone through in the order of their hashes, which differs from process to process."""
    if os.environ.get(_HASHES) != "0":
        command = [sys.executable, "-m", "simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, _HASHES: "0"})  # noqa: S606 - ourselves


def _replay(outcome: Outcome) -> None:
    _say("\n".join(outcome.history))
    digest = hashlib.sha256("\n".join(outcome.history).encode()).hexdigest()
    _say(f"seed {outcome.seed}: {outcome.steps} steps, {outcome.seconds:.0f} virtual seconds, history {digest[:16]}")
    _say("\n".join(outcome.breaches) or "no breach")
    sys.exit(bool(outcome.breaches))


def _many(first: int, seeds: int, workers: int) -> None:
    began = time.monotonic()
    lots = [range(start, min(start + _LOT, first + seeds)) for start in range(first, first + seeds, _LOT)]
    failing: list[int] = []
    steps = virtual = 0.0
    with _workers(workers) as pool:
        for found, lot_steps, lot_virtual in pool.map(campaign.lot, lots):
            for seed in found[: max(0, _SHOWN - len(failing))]:
                _say("\n".join(campaign.witness(seed)))
            failing += found
            steps += lot_steps
            virtual += lot_virtual
    _say(f"{steps / 1e6:.1f} million steps, {virtual / 3600:.0f} virtual hours")
    _say(f"simulate: {seeds} seeds, {len(failing)} breaches, {time.monotonic() - began:.0f} s")
    sys.exit(bool(failing))


def _hunt(names: list[str], workers: int) -> None:
    """Try each planted bug until a seed catches it."""
    began, caught = time.monotonic(), 0
    with _workers(workers) as pool:
        for name, seed, why in pool.map(campaign.hunted, names):
            caught += seed >= 0
            _say(f"{name}: {f'seed {seed}: ' if seed >= 0 else ''}{why}")
    _say(f"planted: {len(names)} bugs, {caught} caught, {time.monotonic() - began:.0f} s")
    sys.exit(caught < len(names))


def _crash(workers: int) -> None:
    """Die at each point of the scene in turn."""
    began, hit, survivals = time.monotonic(), 0, 0
    points = campaign.crash_points()
    with _workers(workers) as pool:
        for (name, number), deaths, breaches in pool.map(campaign.survived, points, chunksize=8):
            hit += deaths
            survivals += not breaches
            _say(f"{name} ({number}): {breaches[0] if breaches else 'survived'}")
    _say(f"crash points: {len(points)}, {hit} hit, {survivals} survived, {time.monotonic() - began:.0f} s")
    sys.exit(not hit == survivals == len(points))


def _workers(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
