"""One change after another in the live engine: prints how long each took and what is left of a fresh run, as JSON.

`python -m benchmarks.matching.events PEOPLE MARKET SEED`, a process of its own. It first imports what a service does,
and sets the garbage collector as a service does, before anybody is in memory.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
from chassis.app import collect_rarely

from benchmarks.matching.judge import judge
from benchmarks.matching.population import Market, population
from benchmarks.matching.stream import Roster, stream
from matching.engine.bulk.solve import effort_for, solve
from matching.engine.engine import Engine
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import Profiles
from matching.engine.proposals import Pair, Run, Tie
from matching.engine.rules import Rules

LEAST_KEPT: Final = 99.0
"""Percent of a fresh run's value: with less, answers are quick because they are bad."""
_LARGE: Final = 1_000_000
_TIMES: Final = 3
"""A run is timed so often, and once where it takes many seconds."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What whoever told an engine of every change got for it."""

    seconds: list[float]
    moved: list[int]
    pairs: set[Pair]
    """The proposals that stand, by the answers alone."""


def changes(people: int, market: Market, seed: int) -> dict[str, Any]:
    """A run, a stream of changes, and a fresh run over what people are then."""
    profiles, rules = population(people, market, seed)
    _warm(people)
    engine = _engine(profiles, rules)
    recompute, run = _recomputed(engine, 1 if people >= _LARGE else _TIMES)
    engine.adopt(run)
    heard = _told_of_all(engine, profiles, seed, run)
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _refuse_what_was_not_told(engine, heard)
    del engine, run  # two engines of a million people are a lot of memory
    p50, p99, p999, most = (1_000 * each for each in np.percentile(heard.seconds, (50, 99, 99.9, 100)).tolist())
    return {
        "events": len(heard.seconds),
        "p50": p50,
        "p99": p99,
        "p99.9": p999,
        "most": most,
        "moved": statistics.fmean(heard.moved),
        "recompute": recompute,
        "mebibytes": mebibytes,
    } | _beside_a_fresh_run(profiles, rules, heard.pairs)


def _warm(people: int) -> None:
    """Load every kernel: those of a run of this size, and those of changes."""
    profiles, rules = population(2_000, "tight", 9)
    solve(pack(profiles, rules), profiles.areas, effort_for(people))
    engine = _engine(profiles, rules)
    run = engine.run()
    engine.adopt(run)
    _told_of_all(engine, profiles, 9, run)


def _engine(profiles: Profiles, rules: Rules) -> Engine:
    roster = Roster(profiles)
    return Engine(rules, roster.everybody(), former_pairs=roster.blocked())


def _recomputed(engine: Engine, times: int) -> tuple[float, Run]:
    """What an answer takes without a live engine, the median; and the last of the runs, which are all the same."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        run = engine.run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), run


def _told_of_all(engine: Engine, profiles: Profiles, seed: int, run: Run) -> Heard:
    """The engine's answer to each change of the stream, which is made in the columns, too."""
    roster = Roster(profiles)
    heard = Heard([], [], {proposal.pair for proposal in run.proposals})
    for row in stream(profiles, seed):
        person = roster.person(row)
        began = time.perf_counter()
        change = engine.change(person)
        heard.seconds.append(time.perf_counter() - began)
        heard.moved.append(len(change.moved))
        heard.pairs.difference_update(change.withdrawn, change.moved)
        heard.pairs.update(proposal.pair for proposal in change.proposals)
    return heard


def _refuse_what_was_not_told(engine: Engine, heard: Heard) -> None:
    if max(heard.moved) > engine.rules.moved_per_change:
        raise SystemExit(f"a change moved {max(heard.moved)} proposals of others: more than the rules allow")
    if heard.pairs != set(engine.ties.all(Tie.OPEN)):
        raise SystemExit("other proposals stand in the engine than its answers told")


def _beside_a_fresh_run(profiles: Profiles, rules: Rules, pairs: set[Pair]) -> dict[str, float]:
    """What these pairs are worth in percent of those of a fresh run, and the mean points of a pair of either.

    All are by the points of a fresh engine. The live one goes on with what areas were worth at its last run, while some
    have become rarer; the judge counts how rare they are now, and so does a fresh engine. So the judge holds every
    score against its own, and the two sums compare.
    """
    engine = _engine(profiles, rules)
    fresh = [proposal.pair for proposal in engine.run().proposals]
    live_value, fresh_value = (_judged(engine, profiles, some) for some in (pairs, fresh))
    kept = 100 * live_value / fresh_value
    if kept < LEAST_KEPT:
        raise SystemExit(f"only {kept:.2f} % of a fresh run's value is left after the changes")
    return {"kept": kept, "live": live_value / len(pairs), "fresh": fresh_value / len(fresh)}


def _judged(engine: Engine, profiles: Profiles, pairs: Iterable[Pair]) -> int:
    """The value of pairs. Ids are in the order of the rows, and the engine's rows in the order of the ids."""
    rows = np.array([(int(mentor), int(mentee)) for mentor, mentee in sorted(pairs)], np.int64)
    verdict = judge(profiles, engine.rules, np.column_stack([rows, engine.scores(*rows.T)]))
    if not verdict.sound:
        raise SystemExit(f"the proposals after the changes are not sound: {verdict}")
    return verdict.value


def main() -> None:
    """``PEOPLE MARKET SEED``."""
    people, market, seed = sys.argv[1:]
    chosen = next(each for each in get_args(Market) if each == market)
    collect_rarely()
    print(json.dumps(changes(int(people), chosen, int(seed))))


if __name__ == "__main__":
    main()
