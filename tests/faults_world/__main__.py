"""`python -m faults_world --kills 500`: kill everything at random under load, then compare what is there."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from faults_world.faults import Faults
from faults_world.load import Load
from faults_world.run import Result, recovery, run
from faults_world.world import BROKER, DATABASE, World


def main() -> None:
    """Run it; exit 1 on a breach."""
    parser = argparse.ArgumentParser(prog="python -m faults_world")
    parser.add_argument("--kills", type=int, default=500, help="how many kill -9")
    parser.add_argument("--seed", type=int, default=1, help="of schedule and load")
    parser.add_argument("--rate", type=float, default=8.0, help="commands a second")
    parser.add_argument("--folder", type=Path, help="keep logs, history and effects here")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="turnabout-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    result = asyncio.run(_faults(folder, options))
    _tell(result)
    if result.breaches:
        _say(f"{result.breaches}\nlogs, history and effects: {folder}")
    sys.exit(bool(result.breaches))


async def _faults(folder: Path, options: argparse.Namespace) -> Result:
    world = World(folder)
    async with world.running(stock=True):
        load = Load([world.port("orders-0"), world.port("orders-1")], options.rate, options.seed)
        return await run(Faults(world, options.kills, options.seed, stock=True, say=_say), load, healed=True)


def _tell(result: Result) -> None:
    for killed in (None, BROKER, DATABASE):
        if (found := recovery(result, killed)) is not None:
            what = f"the {killed}" if killed else "a service"
            _say(
                f"first new effect after kill -9 of {what}: p50 {found.p50:.1f} s, p95 {found.p95:.1f} s "
                f"({found.count} kills), of which process start {found.start_p50:.1f} s"
            )
    outcomes = [command.outcome for command in result.commands]
    _say(
        f"{result.seconds:.0f} s of faults; commands: {outcomes.count('ok')} answered, "
        f"{outcomes.count('fail')} refused, {outcomes.count('info')} unknown; "
        f"repeats refused outside: {result.repeats}; "
        f"stock defaults doubled: {result.stock_doubled}"
    )
    breaches = result.breaches
    _say(
        f"faults: {len(result.kills)} kills, {len(result.commands)} commands, lost {len(breaches.lost)}, "
        f"doubled {len(breaches.doubled)}, illegal {len(breaches.illegal)}; stock defaults: lost {result.stock_lost}"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
