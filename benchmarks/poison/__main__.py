"""`python -m benchmarks.poison`: rounds of three, what became of each kind, and one line at the end."""

import argparse
import asyncio
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.bus.load import identifier
from benchmarks.bus.servers import started
from benchmarks.latency import percentile, shown
from benchmarks.poison import healthy
from benchmarks.poison.kinds import FAMILIES, KINDS, Poison, poison, sound
from benchmarks.poison.rounds import Half, half, prepare

POISON = 1000


@dataclass(frozen=True, slots=True)
class Round:
    """The healthy facts alone, with as many sound facts beside them as there is poison, and with the poison."""

    alone: Half
    sound: Half
    poisoned: Half

    @property
    def halves(self) -> tuple[Half, Half, Half]:
        """All three."""
        return self.alone, self.sound, self.poisoned


async def main(rounds: int, families: tuple[str, ...]) -> None:
    """Start, measure, print."""
    kinds = sum(each.family in families for each in KINDS)
    done: list[Round] = []
    async with started() as servers:
        await prepare(servers)
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {servers.database_name}")
        print(f"{healthy.RATE} facts a second on {healthy.KEYS} keys for {healthy.SECONDS} s; {kinds} kinds of poison")
        for number in range(rounds):
            parts: dict[str, Half] = {}
            for part in ("alone", "sound", "poisoned") if number % 2 == 0 else ("poisoned", "sound", "alone"):
                name = f"{number}-{part}"
                parts[part] = await half(servers, name, beside(part, name, families))
            done.append(Round(**parts))
            print_round(done[-1])
            if not all(each.settled for each in done[-1].halves):
                print("the group has not come to the end of its topic; the rest would measure nothing")
                break
        print(f"load average {os.getloadavg()[0]:.1f}")
    print_fates(done[0].poisoned)
    print_end(done)


def beside(part: str, name: str, families: tuple[str, ...]) -> list[Poison]:
    """What comes beside the healthy facts."""
    if part == "poisoned":
        return list(poison(name, POISON, healthy.keys(name)[: healthy.NEIGHBOURS], families))
    if part == "sound":
        return [sound(identifier(f"beside-{name}", number), 1, f"{name}-beside-{number}") for number in range(POISON)]
    return []


def print_round(done: Round) -> None:
    """One round, and how its counts come short."""
    alone, as_many, after = (shown(each.late) for each in done.halves)
    print(f"healthy only {alone}; beside sound facts {as_many}; beside poison {after}; {ratio(done):.2f}x", flush=True)
    for each in done.halves:
        if each.waiting or each.disordered:
            print(f"  {each.waiting} healthy facts have no effect; {each.disordered} keys have theirs out of order")
    fates = done.poisoned.fates
    missing = Counter(each.kind for each in fates if not each.reasons)
    changed = Counter(each.kind for each in fates if each.reasons and not each.equal)
    again = Counter(each.kind for each in fates if len(each.reasons) > 1)
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


def ratio(done: Round) -> float:
    """Of the p99 beside poison to that beside as many sound facts: what it costs that they are poison."""
    return percentile(done.poisoned.late, 0.99) / percentile(done.sound.late, 0.99)


def print_end(rounds: Sequence[Round]) -> None:
    """The counts of the worst round."""
    dead = min(sum(bool(each.reasons) for each in done.poisoned.fates) for done in rounds)
    equal = min(sum(bool(each.reasons) and each.equal for each in done.poisoned.fates) for done in rounds)
    waiting = max(each.waiting for done in rounds for each in done.halves)
    print(
        f"poison: {POISON} sent, {dead} dead or parked, {equal} byte-equal, {waiting} waiting behind a foreign key; "
        f"other keys' p99 {statistics.median(map(ratio, rounds)):.2f}x (median of {len(rounds)})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench-poison")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="of poison")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, tuple(given.families)))
