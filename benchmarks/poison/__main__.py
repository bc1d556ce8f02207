"""`python -m benchmarks.poison`: pairs of halves, what became of each kind, and one line at the end."""

import argparse
import asyncio
import os
import statistics
from collections import Counter
from collections.abc import Sequence

from benchmarks.bus.servers import started
from benchmarks.latency import percentile, shown
from benchmarks.poison import healthy
from benchmarks.poison.kinds import FAMILIES, KINDS, poison
from benchmarks.poison.rounds import Half, half, prepare

POISON = 1000


async def main(rounds: int, families: tuple[str, ...]) -> None:
    """Start, measure, print."""
    kinds = sum(each.family in families for each in KINDS)
    pairs: list[tuple[Half, Half]] = []
    async with started() as servers:
        await prepare(servers)
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {servers.database_name}")
        print(f"{healthy.RATE} facts a second on {healthy.KEYS} keys for {healthy.SECONDS} s; {kinds} kinds of poison")
        for number in range(rounds):
            halves: dict[bool, Half] = {}
            for poisoned in (False, True) if number % 2 == 0 else (True, False):
                name = f"{number}-{'poisoned' if poisoned else 'healthy'}"
                neighbours = healthy.keys(name)[: healthy.NEIGHBOURS]
                records = list(poison(name, POISON, neighbours, families)) if poisoned else []
                halves[poisoned] = await half(servers, name, records)
            pairs.append((halves[False], halves[True]))
            print_pair(*pairs[-1])
            if not (halves[False].settled and halves[True].settled):
                print("the group has not come to the end of its topic; the rest would measure nothing")
                break
        print(f"load average {os.getloadavg()[0]:.1f}")
    print_fates(pairs[0][1])
    print_end(pairs)


def print_pair(alone: Half, poisoned: Half) -> None:
    """One pair, and how its counts come short."""
    before, after = shown(alone.late), shown(poisoned.late)
    print(f"healthy only {before}; beside poison {after}; {ratio(alone, poisoned):.2f}x", flush=True)
    for each in (alone, poisoned):
        if each.waiting or each.disordered:
            print(f"  {each.waiting} healthy facts have no effect; {each.disordered} keys have theirs out of order")
    missing = Counter(each.kind for each in poisoned.fates if not each.reasons)
    changed = Counter(each.kind for each in poisoned.fates if each.reasons and not each.equal)
    again = Counter(each.kind for each in poisoned.fates if len(each.reasons) > 1)
    for caption, found in (("no letter", missing), ("bytes changed", changed), ("more than one letter", again)):
        for kind, count in found.items():
            print(f"  {caption}: {count} of {kind}")


def print_fates(poisoned: Half) -> None:
    """How each kind ended, in one round."""
    print(f"\n{'one round, by kind':<44} {'sent':>5}  letters by reason")
    for kind in KINDS:
        fates = [each for each in poisoned.fates if each.kind == kind.name]
        reasons = Counter(reason for each in fates for reason in each.reasons)
        if fates:
            print(f"{kind.name:<44} {len(fates):>5}  {', '.join(f'{n} {reason}' for reason, n in reasons.items())}")


def ratio(alone: Half, poisoned: Half) -> float:
    """Of the p99 within a pair."""
    return percentile(poisoned.late, 0.99) / percentile(alone.late, 0.99)


def print_end(pairs: Sequence[tuple[Half, Half]]) -> None:
    """The counts of the worst round."""
    dead = min(sum(bool(each.reasons) for each in poisoned.fates) for _, poisoned in pairs)
    equal = min(sum(bool(each.reasons) and each.equal for each in poisoned.fates) for _, poisoned in pairs)
    waiting = max(each.waiting for pair in pairs for each in pair)
    times = statistics.median(ratio(*pair) for pair in pairs)
    print(
        f"poison: {POISON} sent, {dead} dead or parked, {equal} byte-equal, {waiting} waiting behind a foreign key; "
        f"other keys' p99 {times:.2f}x (median of {len(pairs)})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench-poison")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="of poison")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, tuple(given.families)))
