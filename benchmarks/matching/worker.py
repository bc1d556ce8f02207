"""One measurement of the matching benchmark: prints what it found as JSON."""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.matching import peers
from benchmarks.matching.all_pairs import numpy_all_pairs
from benchmarks.matching.judge import judge
from benchmarks.matching.population import Market, describe, population, refuse_if_off
from matching.engine.bulk.auction import Lists, Outcome, sell
from matching.engine.bulk.solve import Solution, effort_for, solve
from matching.engine.packed.packing import pack
from matching.engine.packed.profiles import Profiles
from matching.engine.packed.records import FURTHER, Words
from matching.engine.packed.records import Market as Packed
from matching.engine.rules import Rules

_FINE: Final = 25
"""The auction's step where it is compared with exact solvers: in all cases within 0.01 % of the optimum."""
_SMALL: Final = 10_000
_TIMES: Final = 3
"""Everybody's quickest of so many counts: some take a millisecond."""


def compile_all() -> dict[str, Any]:
    """Import nothing more, compile what a run needs."""
    began = time.perf_counter()
    _warm()
    return {"seconds": time.perf_counter() - began}


def run(people: int, market: Market, seed: int) -> dict[str, Any]:
    """Profiles in memory to pairs: packing counts."""
    profiles, rules = population(people, market, seed)
    refuse_if_off(describe(profiles, rules), people, market)
    _warm()
    before = _mebibytes()
    began = time.perf_counter()
    packed = pack(profiles, rules)
    solution = solve(packed, profiles.areas, effort_for(people))
    seconds = time.perf_counter() - began
    mebibytes = _mebibytes()
    _refuse_unsound(profiles, rules, packed, solution)
    return {
        "people": people,
        "market": market,
        "seed": seed,
        "seconds": seconds,
        "value": solution.value,
        "bound": solution.bound,
        "pairs": len(solution.scores),
        "mebibytes": mebibytes,
        "before": before,
    }


def compare(people: int, market: Market, seed: int) -> dict[str, Any]:
    """The peers on the graph of candidates of our run beside our auction; small markets also on the full graph."""
    profiles, rules = population(people, market, seed)
    _warm()
    began = time.perf_counter()
    packed = pack(profiles, rules)
    solution = solve(packed, profiles.areas, effort_for(people))
    whole_run = time.perf_counter() - began
    graph = _graph(packed, solution.lists)
    auction, outcome = _quickest(lambda: sell(packed, solution.lists, _FINE))
    edges = _held(solution.lists, outcome.held)
    ours = {"seconds": auction, "value": peers.value(graph, edges), "pairs": len(edges), "twice": 0}
    tables = [_table("the pairs that our run considered", graph, {"auction": ours})]
    if people <= _SMALL:
        full = numpy_all_pairs(profiles, rules)
        ours = {"seconds": whole_run, "value": solution.value, "pairs": len(solution.scores), "twice": 0}
        tables.append(_table("all feasible pairs", full, {"the whole run": ours}))
    return {"tables": tables}


def _quickest(work: Callable[[], Outcome]) -> tuple[float, Outcome]:
    found: list[tuple[float, Outcome]] = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        outcome = work()
        found.append((time.perf_counter() - began, outcome))
    return min(found, key=lambda each: each[0])


def _table(title: str, graph: peers.Graph, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What each solver made of a graph; values in percent of the exact optimum. Ours is given, and comes first."""
    others: dict[str, peers.Peer] = {
        "OR-tools": peers.exact,
        "scipy, sparse, slots": peers.sparse_assignment,
        "sort and greedy": peers.sort_and_greedy,
        "greedy, marginal": peers.marginal_greedy,
        "deferred acceptance": peers.deferred_acceptance(),
        "lottery": peers.lottery(1),
    }
    if len(graph.mentee_places) <= _SMALL:  # beyond, the matrix alone is gigabytes
        others["scipy, dense, slots"] = peers.dense_assignment
    for name, peer in others.items():
        solved = min((peers.run(peer, graph) for _ in range(_TIMES)), key=lambda each: each.seconds)
        edges = solved.picks.edges
        figures = {"value": peers.value(graph, edges), "pairs": len(edges), "twice": solved.picks.twice}
        rows[name] = {"seconds": solved.seconds, **figures}
    optimum = rows["OR-tools"]["value"]
    for row in rows.values():
        row["value"] *= 100 / optimum
    return {"title": title, "edges": len(graph), "rows": rows}


def all_pairs(people: int, market: Market, seed: int) -> dict[str, Any]:
    """What a careful engineer would do without the engine: all pairs by numpy, then scipy's assignment of slots."""
    profiles, rules = population(people, market, seed)
    began = time.perf_counter()
    graph = numpy_all_pairs(profiles, rules)
    picks = peers.dense_assignment(graph)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "value": peers.value(graph, picks.edges)}


def _warm() -> None:
    profiles, rules = population(2_000, "tight", 9)
    for people in (1_000, 100_000, 1_000_000):
        solve(pack(profiles, rules), profiles.areas, effort_for(people))


def _mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _refuse_unsound(profiles: Profiles, rules: Rules, packed: Packed, solution: Solution) -> None:
    mentors, mentees = packed.mentor_rows[solution.mentors], packed.mentee_rows[solution.mentees]
    verdict = judge(profiles, rules, np.stack([mentors, mentees, solution.scores], axis=1))
    if not verdict.sound or verdict.value != solution.value:
        raise SystemExit(f"the run is not sound: {verdict}, and it says {solution.value}")


def _graph(packed: Packed, lists: Lists) -> peers.Graph:
    there = np.arange(lists.who.shape[1]) < lists.counts[:, None]
    mentees = np.repeat(np.arange(len(lists.counts), dtype=np.int32), lists.counts)
    further = int(packed.weights[FURTHER])
    places = packed.mentee_places, packed.mentor_places
    return peers.Graph(mentees, lists.who[there], lists.points[there], *places, further)


def _held(lists: Lists, held: Words) -> npt.NDArray[np.int64]:
    """Positions in the graph of the pairs that an auction ended with."""
    bits = (held[:, None] >> np.arange(lists.who.shape[1])) & 1
    return np.flatnonzero(bits[np.arange(lists.who.shape[1]) < lists.counts[:, None]])


def main() -> None:
    """``compile``, or ``run|peers|all-pairs PEOPLE MARKET SEED``."""
    task, *rest = sys.argv[1:]
    if task == "compile":
        answer = compile_all()
    else:
        people, market, seed = rest
        chosen = next(each for each in get_args(Market) if each == market)
        answer = {"run": run, "peers": compare, "all-pairs": all_pairs}[task](int(people), chosen, int(seed))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
