"""Companies so large that a live engine needs more room than it sets aside; what happens there, in another process."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Final, TypeVar

from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Change, Tie
from matching.engine.rules import Rules
from matching_cast import junior, senior

MANY: Final = 17_000
Answer = TypeVar("Answer")


def elsewhere(work: Callable[[], Answer]) -> Answer:
    """What a function returns in a process of its own; an error when that process dies of it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work).result()


def couples(manager: str | None = None) -> tuple[list[Person], list[tuple[str, str]]]:
    """Mentors, mentees and a pair of each; areas differ so that little else is possible."""
    mentors = [replace(junior(f"j{number:05}", f"a{number % 40}"), manager=manager) for number in range(MANY)]
    mentees = [senior(f"s{number:05}", f"a{number % 40}") for number in range(MANY)]
    return [*mentors, *mentees], [(one.id, other.id) for one, other in zip(mentors, mentees, strict=True)]


def without_the_head() -> Change:
    people, proposed = couples(manager="head")
    return Engine(Rules(), [*people, Person("head", 12, "board", "GB")], open_pairs=proposed).remove("head")


def room_for_former() -> tuple[int, int]:
    people, former = couples()
    engine = Engine(Rules(), people, former_pairs=former)
    return int(engine.live.slots.blocked_used[0]), len(engine.live.market.blocked)


def room_after_moves() -> tuple[int, int]:
    people, former = couples()
    engine = Engine(Rules(), people)
    for mentor, mentee in former:
        engine.move(mentor, mentee, Tie.FORMER)
    return int(engine.live.slots.blocked_used[0]), len(engine.live.market.blocked)
