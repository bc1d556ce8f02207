"""Whom a programme could invite to mentor, and why: people who pass its rules and have not thought of it.

Every reason comes from what the directory knows, and from how groups of five or more people take part. None comes from
what somebody is, says or has answered, and who has no reason is not suggested.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from contracts.matching import InvitationReason, Side

from matching.engine.directory import Directory
from matching.engine.people import Person
from matching.engine.report import everybody, reasons
from matching.engine.rules import Rules

ENOUGH_MENTEES: Final = 3
"""So many people must be there from whom one could learn within the rules; all of them where there are fewer."""
NEW_JOINER_MONTHS: Final = 12
LEAST: Final = 5
"""Fewer people than these are no group to tell anything of."""
_COMMON: Final = 4
"""An area is common in a function where one of so many who offer anything offer it."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Somebody who could be invited."""

    member: str
    unit: str
    reasons: tuple[InvitationReason, ...]


def suggest(rules: Rules, people: Sequence[Person], enrolled: Collection[str]) -> list[Suggested]:
    """Everybody who could be invited, in no order.

    Args:
        rules: the programme's, with the areas that it is about.
        people: everybody, also those who take no part: they hold the management chains together.
        enrolled: the ids of those who take part in mentoring at all.
    """
    basis = _Basis(rules, people)
    why = {each.id: basis.reasons(each) for each in people if not _offers(each, rules, enrolled)}
    able = _able(rules, people, {member for member, reasons in why.items() if reasons})
    return [Suggested(each.id, each.unit, why[each.id]) for each in people if each.id in able]


def spread(found: Iterable[Suggested], programme: str) -> list[Suggested]:
    """In the order in which they are suggested: every unit once before any has its second, the best reasons first."""
    ordered = sorted(found, key=lambda each: (-len(each.reasons), _scrambled(programme, each.member)))
    turns: Counter[str] = Counter()
    placed: list[tuple[int, int, Suggested]] = []
    for place, each in enumerate(ordered):
        turns[each.unit] += 1
        placed.append((turns[each.unit], place, each))
    return [each for *_, each in sorted(placed, key=lambda turn: turn[:2])]


def _offers(person: Person, rules: Rules, enrolled: Collection[str]) -> bool:
    """Whether somebody has thought of it already: they take part, and have named what they could share."""
    return person.id in enrolled and not set(rules.areas).isdisjoint(person.offers)


def _able(rules: Rules, people: Sequence[Person], candidates: set[str]) -> set[str]:
    """Those who would pass every rule as mentors with enough of the mentees who are there now."""
    asked = [
        replace(each, offers=rules.areas, open_to_mentor=True, mentor_capacity=1) if each.id in candidates else each
        for each in people
    ]
    directory = Directory(rules, asked)
    market = everybody(directory.profiles(np.zeros((0, 2), np.int64)), rules, directory.codes.area_points)
    wanted = np.array([person is not None and person.id in candidates for person in directory.people], np.bool_)
    found = reasons(market, Side.MENTOR, wanted, most=len(wanted))
    enough = max(1, min(ENOUGH_MENTEES, len(market.mentees)))
    return {directory.known(row).id for row in found.rows[found.eligible >= enough].tolist()}


class _Basis:
    """What reasons rest on: who takes part, and of which groups few do."""

    def __init__(self, rules: Rules, people: Sequence[Person]) -> None:
        self._rules = rules
        self._people = people
        self._mentors = [
            each for each in people if each.capacity(Side.MENTOR) and not set(rules.areas).isdisjoint(each.offers)
        ]
        self._functions = self._few(lambda person: person.function or None)
        self._sites = self._few(_site)
        self._levels = self._nobody_of_level()
        self._sought = self._sought_functions()

    def reasons(self, person: Person) -> tuple[InvitationReason, ...]:
        """Why somebody has something to offer, the most telling first."""
        new = person.tenure <= (self._rules.new_joiner_months or NEW_JOINER_MONTHS)
        told = {
            InvitationReason.NEW_JOINER: new,
            InvitationReason.SOUGHT: person.function in self._sought,
            InvitationReason.FUNCTION: person.function in self._functions,
            InvitationReason.SITE: _site(person) in self._sites,
            InvitationReason.LEVEL: person.level in self._levels,
        }
        return tuple(reason for reason, holds in told.items() if holds)

    def _few(self, group: Callable[[Person], Hashable]) -> set[Hashable]:
        """Groups of which not half as many mentor as of everybody."""
        all_, mentors = (Counter(map(group, some)) for some in (self._people, self._mentors))
        return {
            each
            for each, count in all_.items()
            if each is not None
            and count >= LEAST
            and 2 * mentors[each] * len(self._people) < count * len(self._mentors)
        }

    def _nobody_of_level(self) -> set[int]:
        """Levels on which nobody mentors yet."""
        levels, mentors = Counter(each.level for each in self._people), {each.level for each in self._mentors}
        return {level for level, count in levels.items() if count >= LEAST and level not in mentors}

    def _sought_functions(self) -> set[str]:
        """Functions whose people commonly offer an area that more people seek than mentors offer."""
        wanted = Counter(
            area for each in self._people if each.capacity(Side.MENTEE) for area in {*each.seeks} & {*self._rules.areas}
        )
        offered = Counter(area for each in self._mentors for area in {*each.offers})
        scarce = {area for area, count in wanted.items() if count >= LEAST and count > offered[area]}
        named = [each for each in self._people if each.function and each.offers]
        naming = Counter(each.function for each in named)
        commonly = Counter((each.function, area) for each in named for area in {*each.offers} & scarce)
        return {
            function
            for (function, _area), count in commonly.items()
            if count >= LEAST and count * _COMMON >= naming[function]
        }


def _site(person: Person) -> tuple[str, str] | None:
    """A code that two countries use is two sites."""
    return (person.country, person.site) if person.site else None


def _scrambled(programme: str, member: str) -> bytes:
    """An order among equals that favours nobody, and is another one in each programme."""
    return hashlib.blake2b(f"{programme}/{member}".encode(), digest_size=8).digest()
