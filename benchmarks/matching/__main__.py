"""`make bench-matching`: how long a run takes and how good it is, beside what a user would pick instead.

Each run is a process of its own, so that its memory is its own; kernels are compiled before, and the time of that is
told apart. Every run's pairs go to the judge: one broken rule ends the benchmark. So do the proposals that stand in the
live engine after a stream of changes, one person at a time; without it a user would make a run for each change.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.matching.population import MARKETS
from matching.engine.compiled import CACHE

SEEDS: Final = (1, 2, 3)
SIZES: Final = (10_000, 100_000, 1_000_000)
COMPARED: Final = 100_000
"""The largest size at which others are tried, too."""
LIVE: Final = 100_000
"""The smallest size at which changes are told: in smaller ones they are too few for a p99.9."""
_COLUMNS: Final = ("people", "market", "median s", "worst s", "of bound %", "worst %", "pairs", "MiB")
_PERCENTILES: Final = ("p50", "p99", "p99.9")
_OF_CHANGES: Final = (
    *("people", "market", "events"),
    *(f"{name} ms" for name in _PERCENTILES),
    *("moved/event", "value kept %", "MiB"),
)


def main() -> None:
    """Run everything, or one size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=0, help="one size only")
    people = parser.parse_args().people
    sizes = (people,) if people else SIZES
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        first, again = (_worker("compile", cache=folder)["seconds"] for _ in range(2))
    print(f"compiling every kernel: {first:.1f} s; a start with what is kept of it: {again:.1f} s")
    print(("{:>10}" * len(_COLUMNS)).format(*_COLUMNS))
    runs = {size: _runs(size) for size in sizes}
    live = {size: _changes(size) for size in sizes if size >= LIVE}
    ratios = [_peers(size) for size in sizes if size <= COMPARED]
    size = COMPARED if COMPARED in runs else min(runs)
    seconds = statistics.median(run["seconds"] for run in runs[size])
    certificate = min(100 * run["value"] / run["bound"] for run in runs[size])
    script = f"{_all_pairs(runs[COMPARED]):.0f}x numpy+lsa, " if COMPARED in runs else ""
    solver = f"{min(ratios):.0f}x ortools, " if ratios else ""
    if live:
        print(_one_change(live))
    print(f"bench-matching: {size // 1000}k {seconds:.2f} s, {script}{solver}certificate {certificate:.2f} %")


def _runs(people: int) -> list[dict[str, Any]]:
    found = []
    for market in MARKETS:
        some = [_worker("run", people, market, seed) for seed in SEEDS]
        found += some
        seconds, reached = [each["seconds"] for each in some], [100 * each["value"] / each["bound"] for each in some]
        row = (
            people,
            market,
            f"{statistics.median(seconds):.3f}",
            f"{max(seconds):.3f}",
            f"{statistics.median(reached):.3f}",
            f"{min(reached):.3f}",
            int(statistics.median(each["pairs"] for each in some)),
            int(max(each["mebibytes"] for each in some)),
        )
        print(("{:>10}" * len(row)).format(*row))
    return found


def _changes(people: int) -> list[dict[str, Any]]:
    """One change after another, and beside it a run for each change."""
    print(f"\none change after another, {people} people")
    print(("{:>13}" * len(_OF_CHANGES)).format(*_OF_CHANGES))
    found = []
    for market in MARKETS:
        each = _worker(people, market, 1, module="events")
        found.append(each)
        times, shares = (
            [f"{each[name]:.3f}" for name in _PERCENTILES],
            [f"{each[name]:.2f}" for name in ("moved", "kept")],
        )
        row = (people, market, each["events"], *times, *shares, each["mebibytes"])
        print(("{:>13}" * len(row)).format(*row))
    for market, each in zip(MARKETS, found, strict=True):
        ratio = 1000 * each["recompute"] / each["p50"]
        points = f"points of a pair {each['live']:.1f}, of a fresh run's {each['fresh']:.1f}"
        print(f"recompute, {market}: {each['recompute']:.2f} s, {ratio:.0f}x the p50 of a change; {points}")
    return found


def _one_change(live: dict[int, list[dict[str, Any]]]) -> str:
    """The worse market of each size."""
    slowest = (f"{_short(size)} p99 {max(each['p99'] for each in some):.2f} ms" for size, some in live.items())
    kept = min(each["kept"] for some in live.values() for each in some)
    # Cut off rather than rounded, for it is said to be at least that.
    return f"one change: {', '.join(slowest)}, value kept >= {math.floor(100 * kept) / 100:.2f} %"


def _short(people: int) -> str:
    return f"{people // 1_000_000}M" if people % 1_000_000 == 0 else f"{people // 1000}k"


def _peers(people: int) -> float:
    """Everybody on the same graphs: no peer has to find candidates. The least ratio of OR-tools to our auction."""
    ratios: list[float] = []
    for market in MARKETS:
        for table in _worker("peers", people, market, 1)["tables"]:
            rows = table["rows"]
            print(f"\n{people} people, {market}, {table['title']}: {table['edges']}")
            print("{:<28}{:>10}{:>12}{:>10}{:>8}".format("", "s", "value %", "pairs", "twice"))
            for name, each in rows.items():
                print(f"{name:<28}{each['seconds']:>10.4f}{each['value']:>12.4f}{each['pairs']:>10}{each['twice']:>8}")
            if "auction" in rows:
                ratios.append(rows["OR-tools"]["seconds"] / rows["auction"]["seconds"])
    return min(ratios)


def _all_pairs(runs: list[dict[str, Any]]) -> float:
    """Once, for it takes minutes and gigabytes: how many times as long numpy and scipy take for the same market."""
    ours = next(run for run in runs if (run["market"], run["seed"]) == ("tight", 1))
    found = _worker("all-pairs", COMPARED, "tight", 1)
    share = 100 * found["value"] / ours["value"]
    print(f"\nnumpy, all pairs, linear_sum_assignment with slots: {found['seconds']:.0f} s, {share:.1f} % of our value")
    return float(found["seconds"] / ours["seconds"])


def _worker(*task: object, cache: str | None = None, module: str = "worker") -> dict[str, Any]:
    """One measurement in a process of its own."""
    environment = os.environ | ({CACHE: cache} if cache else {})
    command: Sequence[str] = (sys.executable, "-m", f"benchmarks.matching.{module}", *map(str, task))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - ourselves
    if done.returncode:
        why = done.stderr.strip() or f"ended with {done.returncode}"  # a segmentation fault says nothing
        sys.exit(f"{' '.join(map(str, task))}: {why.splitlines()[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
