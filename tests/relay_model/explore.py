"""Breadth-first exploration of a model: every reachable state, and the shortest way to a broken one.

A model is a set of hashable states with named steps. Nothing is sampled and no states are held to be alike beyond what
the model itself writes in one form, so a run without a counterexample is a proof within the model's bounds.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Model(Protocol[S]):
    """What is explored."""

    def initial(self) -> S:
        """The first state."""

    def steps(self, state: S) -> Iterator[tuple[str, S]]:
        """Everything that may happen next, named."""

    def broken(self, state: S) -> str | None:
        """What must hold in every state and does not."""

    def at_rest(self, state: S) -> bool:
        """Whether everything that was begun has been finished."""

    def missing(self, state: S) -> str | None:
        """What must hold at rest and does not."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A property that does not hold, and a shortest way there."""

    what: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"  {number:2}. {step}" for number, step in enumerate(self.trace, 1))
        return f"{self.what}\n{steps}"


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration saw."""

    states: int
    steps: int
    rests: int
    flaw: Flaw | None


class TooManyStatesError(Exception):
    """The bounds of the model leave more states than were allowed."""


def explore(model: Model[S], *, most: int = 2_000_000) -> Report:
    """Visit every reachable state, nearest first.

    Args:
        model: the protocol with its bounds.
        most: number of states after which exploring is given up.

    Returns:
        The figures, with the flaw whose trace is shortest. Of a model without one, each state was also shown to have
        a way to rest, so nothing is stuck and nothing can go round for ever without a way out.

    Raises:
        TooManyStatesError: there are more than `most`.
    """
    first = model.initial()
    numbers: dict[S, int] = {first: 0}
    order: list[S] = [first]
    came_from: list[int] = [0]
    leads_to: list[list[int]] = []
    rests: list[int] = []
    steps = 0
    for number, state in enumerate(order):  # grows while it is walked
        what = model.broken(state)
        if what is None and model.at_rest(state):
            rests.append(number)
            what = model.missing(state)
        if what is not None:
            return Report(len(order), steps, len(rests), Flaw(what, _trace(model, order, came_from, number)))
        following: list[int] = []
        for _, after in model.steps(state):
            steps += 1
            known = numbers.setdefault(after, len(order))
            if known == len(order):
                order.append(after)
                came_from.append(number)
            following.append(known)
        leads_to.append(following)
        if len(order) > most:
            raise TooManyStatesError(f"more than {most} states")
    flaw = None
    if (lost := _without_way_out(leads_to, rests)) is not None:
        flaw = Flaw("no way leads to rest any more", _trace(model, order, came_from, lost))
    return Report(len(order), steps, len(rests), flaw)


def _without_way_out(leads_to: list[list[int]], rests: list[int]) -> int | None:
    """The nearest state from which no state at rest can be reached."""
    backwards: list[list[int]] = [[] for _ in leads_to]
    for number, following in enumerate(leads_to):
        for after in following:
            backwards[after].append(number)
    seen = bytearray(len(leads_to))
    waiting = list(rests)
    for number in rests:
        seen[number] = 1
    while waiting:
        for before in backwards[waiting.pop()]:
            if not seen[before]:
                seen[before] = 1
                waiting.append(before)
    return None if all(seen) else seen.index(0)


def _trace(model: Model[S], order: list[S], came_from: list[int], number: int) -> tuple[str, ...]:
    """The names of the steps that lead to a state."""
    names: list[str] = []
    while number:
        before = came_from[number]
        names.append(next(name for name, after in model.steps(order[before]) if after == order[number]))
        number = before
    return tuple(reversed(names))
