"""A company in which something happens all the time: whatever may become of people, drawn at random by a seed."""

from bisect import bisect_left as bisect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from matching.engine.people import Person
from matching.engine.proposals import Pair, Tie

AREAS: Final = (
    "ai-tools",
    "cloud",
    "fintech",
    "generations",
    "wellbeing",
    "data",
    "security",
    "design",
    "climate",
    "law",
)
DAYS: Final = ((9, 17), (9, 17), (8, 16), (7, 15), (10, 19), (22, 6), (0, 24), (6, 12))
OFFSETS: Final = (0, 0, 60, 120, 345, -300, -480, 570)
LANGUAGES: Final = (("en",), ("en",), ("en", "de"), ("de",), ("ne", "en"), ("ne",), ("fr", "de"))
FUNCTIONS: Final = ("", "law", "sales", "it", "people", "art")

SITES: Final = {"GB": ("tower", "port"), "NP": ("hill",), "DE": ("harbour", "mill")}

HEADS: Final = 30
"""Of whom so many depend that a company without them is none: the first by id."""

Event = Person | str | tuple[Pair, Tie | None]
"""Somebody is another now, or has left, or a pair is."""


class Company:
    """People by id, and what happens next.

    Args:
        seed: everything follows from it.
        size: people at the start.
        new_areas: how often a change names an area that nobody named before, in thousandths.
    """

    def __init__(self, seed: int, size: int, new_areas: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._new_areas = new_areas
        self._next = 0
        self._expected: list[str] = []
        self.people: dict[str, Person] = {}
        for _ in range(size):
            person = self._somebody(self._name())
            self.people[person.id] = person

    def next(self, waiting: Sequence[Pair], locked: Sequence[Pair]) -> Event:
        """What happens now; `waiting` are the open proposals, of which people answer some."""
        chance = self._random.random()
        if chance < 0.18 and waiting:
            tie: Tie | None = self._one((Tie.LOCKED, Tie.LOCKED, Tie.FORMER, Tie.FORMER, None))
            return Pair(*self._one(waiting)), tie
        if chance < 0.20 and locked:
            ended: Tie | None = self._one((Tie.FORMER, Tie.FORMER, None))
            return Pair(*self._one(locked)), ended
        if chance < 0.24 and len(self.people) > 100:
            leaver: str = self._one(sorted(self.people))
            head = leaver in sorted(self.people)[:HEADS]
            del self.people[leaver]
            if head or self._random.random() < 0.3:
                self._expected.append(leaver)
            return leaver
        person = self._newcomer() if chance < 0.29 else self._edited()
        self.people[person.id] = person
        return person

    def _newcomer(self) -> Person:
        if self._expected and self._random.random() < 0.5:
            return self._somebody(self._expected.pop(int(self._random.integers(len(self._expected)))))
        return self._somebody(self._name())

    def _edited(self) -> Person:
        person = self.people[self._one(sorted(self.people))]
        fields = self._one(tuple(EDITS))
        fresh = EDITS[fields](self, person)
        if self._random.integers(1_000) < self._new_areas:
            self._next += 1
            fresh["seeks"] = (f"new-{self._next}", *self._some(AREAS, 4))
        return replace(person, **fresh)

    def _somebody(self, member: str) -> Person:
        person = Person(id=member, level=1, unit="a", country="GB")
        for edit in EDITS.values():
            person = replace(person, **edit(self, person))
        return person

    def _name(self) -> str:
        self._next += 1
        return f"m{self._next:05}"

    # -- what may be said of somebody ----------------------------------------------------------------------------------

    def _one(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._random.integers(len(choices)))]

    def _some(self, choices: Sequence[str], most: int) -> tuple[str, ...]:
        count = int(self._random.integers(0, most + 1))
        return tuple(choices[place] for place in self._random.permutation(len(choices))[:count].tolist())

    def areas(self, _: Person) -> dict[str, Any]:
        return {"offers": self._some(AREAS, 5), "seeks": self._some(AREAS, 5)}

    def day(self, _: Person) -> dict[str, Any]:
        work_from, work_to = self._one(DAYS)
        odd = int(self._random.integers(-40, 41)) * 15 if self._random.random() < 0.1 else self._one(OFFSETS)
        return {"work_from": work_from, "work_to": work_to, "utc_offset": odd}

    def place(self, _: Person) -> dict[str, Any]:
        return {
            "unit": self._one("abcdef"),
            "country": (country := self._one(("GB", "NP", "DE"))),
            "site": self._one(("", *SITES[country])),
            "in_person": bool(self._random.integers(2)),
        }

    def job(self, _: Person) -> dict[str, Any]:
        return {
            "level": int(self._random.integers(1, 11)),
            "function": self._one(FUNCTIONS),
            "tenure": (months := int(self._random.integers(0, 60))),
            "joined": 2026 - months // 12,
        }

    def boss(self, person: Person) -> dict[str, Any]:
        """Somebody further up; now and then nobody, somebody who has yet to come, or anybody at all."""
        chance, everybody = self._random.random(), sorted(self.people)
        mine = bisect(everybody, person.id)
        if chance < 0.04 or not mine or (mine < HEADS and chance < 0.09):
            return {"manager": None}
        if chance < 0.06:
            return {"manager": self._one(everybody)}
        if chance < 0.09:
            missing = self._one(self._expected) if self._expected and chance < 0.08 else self._name()
            self._expected.append(missing)
            return {"manager": missing}
        return {"manager": everybody[int(self._random.integers(0, max(mine // 3, 1)))]}

    def speech(self, _: Person) -> dict[str, Any]:
        return {"languages": self._one(LANGUAGES)}

    def wishes(self, _: Person) -> dict[str, Any]:
        return {"likes": self._some(FUNCTIONS[1:], 3), "waiting_days": int(self._random.integers(0, 120))}

    def part(self, _: Person) -> dict[str, Any]:
        return {
            "open_to_mentor": bool(self._random.random() < 0.6),
            "open_to_be_mentored": bool(self._random.random() < 0.55),
            "mentor_capacity": int(self._random.integers(0, 5)),
            "mentee_capacity": int(self._random.integers(0, 4)),
        }


EDITS: Final[dict[str, Callable[[Company, Person], dict[str, Any]]]] = {
    "areas": Company.areas,
    "day": Company.day,
    "place": Company.place,
    "job": Company.job,
    "boss": Company.boss,
    "speech": Company.speech,
    "wishes": Company.wishes,
    "part": Company.part,
}
