"""One change after another: how long each takes in the engine, whom it moves, and what is left of a fresh run's value."""

import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.matching.population import Market, population
from matching.engine.engine import Engine
from matching.engine.packed.profiles import Profiles
from matching.engine.people import Person
from matching.engine.proposals import Tie
from matching.engine.rules import Rules

CHANGED: Final = 0.07
"""Of those who take part: each changes once, on the average."""
_EDITS, _LEAVES = 0.70, 0.15
_WARM: Final = 200


@dataclass(frozen=True, slots=True)
class Stream:
    """What was measured."""

    seconds: npt.NDArray[np.float64]
    """[n] of each event."""
    moved: npt.NDArray[np.int64]
    """[n] proposals of others that gave way."""
    changed: npt.NDArray[np.int64]
    """[n] proposals that came or went."""
    before: int
    value: int
    fresh: int
    """What a fresh run is worth in the end, and before that what is kept, by the same points."""
    pairs: npt.NDArray[np.int64]
    """[p, 3] mentor, mentee and score of what stands in the end, as rows of `profiles`."""
    profiles: Profiles
    rules: Rules


def people_of(profiles: Profiles) -> list[Person]:
    """The columns as the engine's people; the id of each is their row."""
    columns = {
        name: getattr(profiles, name).tolist()
        for name in Profiles.__dataclass_fields__
        if name != "areas" and name != "more_languages"
    }
    names = [f"{row:07}" for row in range(len(profiles))]
    bits = {mask: tuple(f"l{bit}" for bit in range(64) if mask >> bit & 1) for mask in set(columns["languages"])}
    likes = {mask: tuple(f"f{bit}" for bit in range(64) if mask >> bit & 1) for mask in set(columns["likes"])}
    areas = [f"a{area:02}" for area in range(profiles.areas)]
    return [
        Person(
            id=names[row],
            level=columns["level"][row],
            unit=str(columns["unit"][row]),
            country=str(columns["country"][row]),
            manager=names[columns["manager"][row]] if columns["manager"][row] >= 0 else None,
            utc_offset=columns["utc_offset"][row],
            work_from=columns["work_from"][row],
            work_to=columns["work_to"][row],
            languages=bits[columns["languages"][row]],
            offers=tuple(areas[area] for area in columns["offers"][row] if area >= 0),
            seeks=tuple(areas[area] for area in columns["seeks"][row] if area >= 0),
            open_to_mentor=columns["mentor_capacity"][row] > 0,
            open_to_be_mentored=columns["mentee_capacity"][row] > 0,
            mentor_capacity=columns["mentor_capacity"][row],
            mentee_capacity=columns["mentee_capacity"][row],
            waiting_days=columns["waiting"][row],
            tenure=columns["tenure"][row],
            function=f"f{columns['function'][row]}" if columns["function"][row] >= 0 else "",
            site=f"s{columns['site'][row]}" if columns["site"][row] >= 0 else "",
            likes=likes[columns["likes"][row]],
            in_person=columns["in_person"][row],
        )
        for row in range(len(profiles))
    ]


def stream(people: int, market: Market, seed: int, most: int) -> Stream:
    profiles, rules = population(people, market, seed)
    rules = rules.model_copy(update={"areas": tuple(f"a{area:02}" for area in range(profiles.areas))})
    everybody = people_of(profiles)
    blocked = [(everybody[a].id, everybody[b].id) for a, b in profiles.blocked.tolist()]
    t = time.perf_counter()
    engine = Engine(rules, everybody, former_pairs=blocked)
    print("engine", time.perf_counter() - t)
    t = time.perf_counter()
    run = engine.run()
    print("run", time.perf_counter() - t, len(run.proposals), run.certificate)
    t = time.perf_counter()
    engine.adopt(run)
    print("adopt", time.perf_counter() - t)
    rng = np.random.default_rng(seed)
    inside = [p for p in everybody if p.mentor_capacity or p.mentee_capacity]
    count = min(most, int(CHANGED * len(inside)))
    seconds, moved, changed = [], [], []
    out: list[Person] = []
    now = {p.id: p for p in everybody}
    for _ in range(count):
        chance = rng.random()
        if chance < _EDITS:
            p = now[inside[rng.integers(len(inside))].id]
            q = inside[rng.integers(len(inside))]
            kind = rng.integers(4)
            if kind == 0:
                p = replace(p, offers=q.offers, seeks=q.seeks)
            elif kind == 1:
                p = replace(p, work_from=q.work_from, work_to=q.work_to)
            elif kind == 2:
                p = replace(p, likes=q.likes, in_person=q.in_person)
            else:
                p = replace(
                    p,
                    mentor_capacity=p.mentor_capacity and 1 + int(rng.integers(3)),
                    mentee_capacity=p.mentee_capacity and 1 + int(rng.integers(3)),
                )
        elif chance < _EDITS + _LEAVES or not out:
            p = now[inside[rng.integers(len(inside))].id]
            p = replace(p, open_to_mentor=False, open_to_be_mentored=False)
            out.append(p)
        else:
            p = out.pop(rng.integers(len(out)))
            p = replace(now[p.id], open_to_mentor=p.mentor_capacity > 0, open_to_be_mentored=p.mentee_capacity > 0)
        now[p.id] = p
        a = time.perf_counter()
        change = engine.change(p)
        seconds.append(time.perf_counter() - a)
        moved.append(len(change.moved))
        changed.append(len(change.moved) + len(change.withdrawn) + len(change.proposals))
    fresh = Engine(rules, now.values(), former_pairs=blocked)
    best = fresh.run()
    open_ = engine.ties.all(Tie.OPEN)
    val = value(fresh, open_)
    s = np.array(seconds) * 1e3
    print(
        f"{count} events p50 {np.percentile(s, 50):.3f} p99 {np.percentile(s, 99):.3f} p99.9 {np.percentile(s, 99.9):.3f} max {s.max():.2f} ms; moved {np.mean(moved):.2f} changed {np.mean(changed):.2f}"
    )
    fr = {p.pair for p in best.proposals}
    print(
        f"pairs {len(open_)} fresh {len(best.proposals)}; value {val} fresh all {value(fresh, list(fr))} run.value {best.value} = {100 * val / value(fresh, list(fr)):.3f} %  certificate {best.certificate}; kept of the old {len({p.pair for p in run.proposals} & set(open_)) / len(run.proposals):.3f}"
    )


def value(engine, pairs):
    row = engine.directory.row
    m = np.array([row[p.mentor] for p in pairs])
    e = np.array([row[p.mentee] for p in pairs])
    tot = int(engine.scores(m, e).sum())
    for x in (m, e):
        c = np.bincount(x)
        tot -= engine.rules.weights.further_pair * int((c * (c - 1) // 2).sum())
    return tot


if __name__ == "__main__":
    import sys

    stream(int(sys.argv[1]), sys.argv[2], 1, 10**9)
