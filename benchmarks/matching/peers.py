"""What a user would pick instead of the engine, on the same scored pairs: `run(name, graph)`.

Each peer gets the feasible pairs as edges, and everybody's places. What a peer cannot express it does not get:
the cost of further pairs of a person is known to those that can weigh it, and counted for all of them by `value`.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

# Neither ships types.
from ortools.graph.python import min_cost_flow  # type: ignore[import-untyped]
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import min_weight_full_bipartite_matching  # type: ignore[import-untyped]

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
_CHUNK: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Graph:
    """Pairs that may be chosen, each once, and what choosing them is worth."""

    mentees: Ints
    mentors: Ints
    """[edges] rows of people."""
    scores: Ints
    """[edges]"""
    mentee_places: Ints
    mentor_places: Ints
    """[people] the most pairs of each person on that side."""
    further_pair: int
    """What the second pair of a person costs on one side; the third costs twice as much."""

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Picks:
    """Positions of the chosen edges, ascending, and how many pairs were booked a second time and not counted."""

    edges: Longs
    twice: int = 0


@dataclass(frozen=True, slots=True)
class Solution:
    """What one peer chose, and how long it took: on the clock, and of the processor in all its threads."""

    picks: Picks
    seconds: float
    cpu_seconds: float


Peer = Callable[[Graph], Picks]


def run(peer: Peer, graph: Graph) -> Solution:
    """Let one peer choose."""
    wall, cpu = time.perf_counter(), time.process_time()
    picks = peer(graph)
    return Solution(picks, time.perf_counter() - wall, time.process_time() - cpu)


def value(graph: Graph, edges: Longs) -> int:
    """The sum of the scores less the cost of further pairs."""
    total = int(graph.scores[edges].sum(dtype=np.int64))
    for rows in (graph.mentees, graph.mentors):
        pairs = np.bincount(rows[edges]).astype(np.int64)
        total -= graph.further_pair * int((pairs * (pairs - 1) // 2).sum())
    return total


def exact(graph: Graph) -> Picks:
    """OR-tools' min-cost flow: nothing is worth more.

    A person's places are arcs of their own, each dearer than the one before, so that the cheapest are used first. An
    arc past everybody takes what is better left undone.
    """
    mentees, mentors = _Slots.of(graph.mentees, graph.mentee_places), _Slots.of(graph.mentors, graph.mentor_places)
    source, sink, first_mentor = 0, 1, 2 + len(mentees.rows)
    edges = len(graph)
    tails: list[npt.ArrayLike] = [
        2 + mentees.code[graph.mentees],
        np.full(mentees.total, source),
        first_mentor + mentors.owner,
        [source],
    ]
    heads: list[npt.ArrayLike] = [
        first_mentor + mentors.code[graph.mentors],
        2 + mentees.owner,
        np.full(mentors.total, sink),
        [sink],
    ]
    costs: list[npt.ArrayLike] = [
        -graph.scores,
        graph.further_pair * mentees.turn,
        graph.further_pair * mentors.turn,
        [0],
    ]
    capacities = np.ones(edges + mentees.total + mentors.total + 1, np.int64)
    capacities[-1] = mentees.total
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tails).astype(np.int32),
        np.concatenate(heads).astype(np.int32),
        capacities,
        np.concatenate(costs).astype(np.int64),
    )
    supplies = np.array([mentees.total, -mentees.total], np.int64)
    flow.set_nodes_supplies(np.array([source, sink], np.int32), supplies)
    if (status := flow.solve()) != flow.OPTIMAL:
        raise RuntimeError(f"OR-tools found no optimum: {status}.")
    return Picks(np.flatnonzero(flow.flows(arcs[:edges])))


def dense_assignment(graph: Graph) -> Picks:
    """The Hungarian method of scipy on a matrix of all places of mentees and mentors: 8 bytes each."""
    mentees, mentors = _Slots.of(graph.mentees, graph.mentee_places), _Slots.of(graph.mentors, graph.mentor_places)
    # scipy copies what has more rows than columns, or is to be maximised: neither is left to it.
    turned = mentees.total > mentors.total
    cost = np.zeros((mentors.total, mentees.total) if turned else (mentees.total, mentors.total))
    for copies in _copies(graph, mentees, mentors):
        place = (copies.mentor, copies.mentee) if turned else (copies.mentee, copies.mentor)
        cost[place] = -copies.gain
    rows, columns = linear_sum_assignment(cost)
    used = cost[rows, columns] < 0
    found = (columns[used], rows[used]) if turned else (rows[used], columns[used])
    return _booked(graph, mentees, mentors, *found)


def sparse_assignment(graph: Graph) -> Picks:
    """Matching in scipy's sparse matrices of places; what a mentee's place may stay empty with is one of its own."""
    mentees, mentors = _Slots.of(graph.mentees, graph.mentee_places), _Slots.of(graph.mentors, graph.mentor_places)
    copies = list(_copies(graph, mentees, mentors))
    empty = np.arange(mentees.total)
    gain = np.concatenate([empty[:0], *(each.gain for each in copies)]).astype(np.float64)
    dearest = gain.max(initial=0) + 1  # no weight may be 0: scipy takes that for "no edge"
    weights = np.concatenate([dearest - gain, np.full(mentees.total, dearest)])
    rows = np.concatenate([each.mentee for each in copies] + [empty])
    columns = np.concatenate([each.mentor for each in copies] + [mentors.total + empty])
    shape = (mentees.total, mentors.total + mentees.total)
    places, others = min_weight_full_bipartite_matching(csr_array((weights, (rows, columns)), shape=shape))
    used = others < mentors.total
    return _booked(graph, mentees, mentors, places[used], others[used])


def sort_and_greedy(graph: Graph) -> Picks:
    """A script's first idea: the best pair first, then the next best for which both have a place left."""
    return _first_come(graph, sorted(range(len(graph)), key=(-graph.scores).tolist().__getitem__))


def marginal_greedy(graph: Graph) -> Picks:
    """The same, but a pair is worth what it adds: less for whom has pairs already, and nothing is not taken."""
    mentees, mentors, scores = graph.mentees.tolist(), graph.mentors.tolist(), graph.scores.tolist()
    left_of_mentee, left_of_mentor = graph.mentee_places.tolist(), graph.mentor_places.tolist()
    places = [left_of_mentee.copy(), left_of_mentor.copy()]
    waiting = [(-score, edge) for edge, score in enumerate(scores)]
    heapq.heapify(waiting)
    chosen = []
    while waiting:
        told, edge = heapq.heappop(waiting)
        mentee, mentor = mentees[edge], mentors[edge]
        if not left_of_mentee[mentee] or not left_of_mentor[mentor]:
            continue
        pairs = places[0][mentee] - left_of_mentee[mentee] + places[1][mentor] - left_of_mentor[mentor]
        adds = scores[edge] - graph.further_pair * pairs
        if adds <= 0:
            continue
        if adds < -told:
            heapq.heappush(waiting, (-adds, edge))
            continue
        left_of_mentee[mentee] -= 1
        left_of_mentor[mentor] -= 1
        chosen.append(edge)
    return Picks(np.array(sorted(chosen), np.int64))


def lottery(seed: int) -> Peer:
    """Feasible pairs in random order, as long as there are places."""

    def draw(graph: Graph) -> Picks:
        return _first_come(graph, np.random.default_rng(seed).permutation(len(graph)).tolist())

    return draw


def deferred_acceptance(mentee_utility: Ints | None = None, mentor_utility: Ints | None = None) -> Peer:
    """Gale and Shapley with places on both sides: mentees propose, mentors keep the best they are offered.

    Each side ranks the edges by its own utility, or by the score that both share; of equal edges the first one is
    better. No two people are left who would both rather have each other.
    """

    def accept(graph: Graph) -> Picks:
        wanted = graph.scores if mentee_utility is None else mentee_utility
        ranking = graph.scores if mentor_utility is None else mentor_utility
        kept = _Kept(ranking.tolist(), graph.mentors.tolist(), graph.mentor_places.tolist())
        order = np.lexsort((-wanted.astype(np.int64), graph.mentees))
        first = np.searchsorted(graph.mentees[order], np.arange(len(graph.mentee_places) + 1)).tolist()
        edges, mentees = order.tolist(), graph.mentees.tolist()
        next_of, end_of = first[:-1], first[1:]
        waiting = np.repeat(np.arange(len(graph.mentee_places)), graph.mentee_places).tolist()  # once for each place
        while waiting:
            mentee = waiting.pop()
            if next_of[mentee] < end_of[mentee]:
                edge = edges[next_of[mentee]]
                next_of[mentee] += 1
                refused = kept.offer(edge)
                if refused is not None:
                    waiting.append(mentees[refused])
        return Picks(np.array(sorted(kept.edges()), np.int64))

    return accept


PEERS: Final[dict[str, Peer]] = {
    "OR-tools min-cost flow": exact,
    "scipy linear_sum_assignment, places": dense_assignment,
    "scipy sparse matching, places": sparse_assignment,
    "sort and greedy": sort_and_greedy,
    "marginal greedy": marginal_greedy,
    "deferred acceptance by score": deferred_acceptance(),
    "lottery": lottery(0),
}
"""Those that need nothing but the graph."""


@dataclass(slots=True)
class _Kept:
    """The offers that mentors keep for now: the worst of each mentor first."""

    utility: list[int]
    mentors: list[int]  # [edges]
    places: list[int]  # [people]
    heaps: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def offer(self, edge: int) -> int | None:
        """Keep it if there is a place or it beats the worst; returns the edge that is refused in the end."""
        mentor = self.mentors[edge]
        heap = self.heaps.setdefault(mentor, [])
        entry = (self.utility[edge], -edge)
        if len(heap) < self.places[mentor]:
            heapq.heappush(heap, entry)
            return None
        return -heapq.heappushpop(heap, entry)[1]

    def edges(self) -> list[int]:
        """All that are kept."""
        return [-negative for heap in self.heaps.values() for _, negative in heap]


@dataclass(frozen=True, slots=True)
class _Slots:
    """The people of one side who have edges, numbered from 0, and their places as separate things."""

    rows: Longs
    code: Longs  # [people] the number of each
    places: Longs  # [numbers]
    first: Longs  # [numbers] a person's first place
    owner: Longs  # [places] whose each is
    turn: Longs  # [places] how many of the same person's come before

    @classmethod
    def of(cls, ends: Ints, places: Ints) -> "_Slots":
        """Those of one end of all edges."""
        has_edges = np.zeros(len(places), np.bool_)
        has_edges[ends] = True
        rows = np.flatnonzero(has_edges)
        count = places[rows].astype(np.int64)
        first = np.cumsum(count) - count
        owner = np.repeat(np.arange(len(rows)), count)
        return cls(rows, np.cumsum(has_edges) - 1, count, first, owner, np.arange(len(owner)) - first[owner])

    @property
    def total(self) -> int:
        """All places."""
        return len(self.owner)


@dataclass(frozen=True, slots=True)
class _Copies:
    """Copies of edges, one for each place of the mentee with each place of the mentor."""

    mentee: Longs
    mentor: Longs
    gain: Ints


def _copies(graph: Graph, mentees: _Slots, mentors: _Slots) -> Iterator[_Copies]:
    """All copies that are worth something, in parts so that tens of millions of edges fit."""
    for begin in range(0, len(graph), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        mentee, mentor = mentees.code[graph.mentees[part]], mentors.code[graph.mentors[part]]
        for mine in range(mentees.places.max(initial=0)):
            for theirs in range(mentors.places.max(initial=0)):
                gain = graph.scores[part] - graph.further_pair * (mine + theirs)
                exists = (mentees.places[mentee] > mine) & (mentors.places[mentor] > theirs) & (gain > 0)
                at = np.flatnonzero(exists)
                yield _Copies(mentees.first[mentee[at]] + mine, mentors.first[mentor[at]] + theirs, gain[at])


def _booked(graph: Graph, mentees: _Slots, mentors: _Slots, mentee_places: Longs, mentor_places: Longs) -> Picks:
    """The edges of pairs of places; a pair that got several of them is one edge all the same."""
    across = len(mentors.rows)
    found = np.sort(mentees.owner[mentee_places] * across + mentors.owner[mentor_places])
    distinct = np.unique(found)
    chosen = []
    for begin in range(0, len(graph), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        pair = mentees.code[graph.mentees[part]] * across + mentors.code[graph.mentors[part]]
        at = np.minimum(np.searchsorted(distinct, pair), max(len(distinct) - 1, 0))
        chosen.append(begin + np.flatnonzero(distinct[at] == pair) if len(distinct) else at[:0])
    return Picks(np.concatenate(chosen) if chosen else np.zeros(0, np.int64), len(found) - len(distinct))


def _first_come(graph: Graph, order: list[int]) -> Picks:
    """Edges in one order, each taken if both have a place left."""
    mentees, mentors = graph.mentees.tolist(), graph.mentors.tolist()
    left_of_mentee, left_of_mentor = graph.mentee_places.tolist(), graph.mentor_places.tolist()
    chosen = []
    for edge in order:
        mentee, mentor = mentees[edge], mentors[edge]
        if left_of_mentee[mentee] and left_of_mentor[mentor]:
            left_of_mentee[mentee] -= 1
            left_of_mentor[mentor] -= 1
            chosen.append(edge)
    return Picks(np.array(sorted(chosen), np.int64))
