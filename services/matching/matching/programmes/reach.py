"""How far rules would reach, before anybody is proposed: who could have somebody, and what each rule keeps apart."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from contracts.matching import Side

from chassis import clock
from matching.eligibility import engine_person
from matching.engine.directory import Directory
from matching.engine.packed.detail import RULE_BIT
from matching.engine.people import Person
from matching.engine.report import Reasons, everybody, reasons
from matching.engine.rules import Direction, Rule, Rules
from matching.store import Store

MOST_PEOPLE: Final = 10_000
"""Of a larger organisation so many are looked at. Ids are random, and so is who is first by id."""
_SECONDS_KEPT: Final = 60.0
_BY_FIRST_DIGIT: Final = "123456789abcdef"
_BEHIND_ALL: Final = "~"
_PORTION: Final = MOST_PEOPLE // 16


@dataclass(frozen=True, slots=True)
class SideReach:
    """One side: who takes part, and for how many of them the rules leave anybody at all."""

    people: int
    possible: int
    but_for: Mapping[Rule, int]
    """People with nobody who would have somebody if it were not for this one rule."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What rules mean for the people who take part now."""

    mentors: SideReach
    mentees: SideReach
    pairs: int
    """Every mentor with every mentee, themselves aside."""
    possible: int
    """Those that pass every rule."""
    apart: Mapping[Rule, int]
    """Those that a rule keeps apart, whether or not another one does, too."""
    sampled: bool = False
    """Whether only some people were looked at."""
    direction: Direction = Direction.LEVEL
    """What the gap between two people is counted in."""

    @property
    def nobody(self) -> bool:
        """There are people on both sides, and no two of them may be paired."""
        return self.pairs > 0 and self.possible == 0

    @property
    def in_the_way(self) -> Rule | None:
        """When nobody may be paired: the one rule without which most people could be."""
        freed = {rule: self.mentors.but_for[rule] + self.mentees.but_for[rule] for rule in Rule}
        most = max(freed, key=lambda rule: freed[rule])
        return most if self.nobody and freed[most] else None


def reach(rules: Rules, people: list[Person], *, sampled: bool = False) -> Reach:
    """Hold everybody who takes part against everybody on the other side.

    Args:
        rules: as they would be.
        people: everybody, also those who take no part: they hold the management chains together.
        sampled: they are only some of all, so that chains have gaps, for which nobody is to wait.
    """
    if sampled:
        rules = rules.model_copy(update={"unknown_chains": True})
    directory = Directory(rules, people)
    market = everybody(directory.profiles(np.zeros((0, 2), np.int64)), rules, directory.codes.area_points)
    all_ = np.ones(len(directory.people), np.bool_)
    mentors, mentees = (reasons(market, side, all_, most=len(all_)) for side in (Side.MENTOR, Side.MENTEE))
    return Reach(
        mentors=_side(mentors),
        mentees=_side(mentees),
        pairs=int(mentees.others.sum()),
        possible=int(mentees.eligible.sum()),
        apart={rule: int(mentees.failing[:, _at(rule)].sum()) for rule in Rule},
        sampled=sampled,
        direction=rules.direction,
    )


def _side(found: Reasons) -> SideReach:
    without = found.eligible == 0
    but_for = {rule: int((found.alone[without, _at(rule)] > 0).sum()) for rule in Rule}
    return SideReach(people=len(found.rows), possible=int((found.eligible > 0).sum()), but_for=but_for)


def _at(rule: Rule) -> int:
    return RULE_BIT[rule].bit_length() - 1


class Crowd:
    """The people of a tenant as the engine knows them, read from the database now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._people: dict[str, tuple[float, date, list[Person]]] = {}
        self._enrolled: dict[str, set[str]] = {}
        self._left: dict[str, dict[str, set[str]]] = {}
        self._sampled: set[str] = set()
        self._reading = asyncio.Lock()

    async def reach(self, tenant: str, rules: Rules) -> Reach:
        """How far rules would reach now, give or take a minute."""
        people = await self.people(tenant)
        return await asyncio.to_thread(reach, rules, people, sampled=tenant in self._sampled)

    async def people(self, tenant: str) -> list[Person]:
        """Everybody, or some of a large organisation."""
        async with self._reading:
            until, day, people = self._people.get(tenant, (0.0, clock.today(), []))
            if time.monotonic() >= until or day != clock.today():
                self._sampled.discard(tenant)
                people = await self._read(tenant, clock.today())
                self._people[tenant] = (time.monotonic() + _SECONDS_KEPT, clock.today(), people)
            return people

    def enrolled(self, tenant: str) -> set[str]:
        """Those of the people that were read last who take part."""
        return self._enrolled.get(tenant, set())

    def left(self, tenant: str, programme: str) -> set[str]:
        """Those of them who take no part in one programme."""
        return self._left.get(tenant, {}).get(programme, set())

    def sampled(self, tenant: str) -> bool:
        """Whether only some people were read."""
        return tenant in self._sampled

    async def _read(self, tenant: str, today: date) -> list[Person]:
        """In portions, so that other requests are answered in between."""
        people: list[Person] = []
        enrolled: set[str] = set()
        left: defaultdict[str, set[str]] = defaultdict(set)
        for begin, end in pairwise(("", *_BY_FIRST_DIGIT, _BEHIND_ALL)):
            found = await self._store.members.find(tenant, {"_id": {"$gte": begin, "$lt": end}}, limit=_PORTION)
            people += [engine_person(each.directory, each.profile, today) for each in found if each.directory]
            enrolled |= {each.id for each in found if each.profile and each.profile.enrolled}
            for each in found:
                for programme in each.directory.left if each.directory else ():
                    left[programme].add(each.id)
            if len(found) == _PORTION:
                self._sampled.add(tenant)
            await asyncio.sleep(0)
        self._enrolled[tenant], self._left[tenant] = enrolled, left
        return people
