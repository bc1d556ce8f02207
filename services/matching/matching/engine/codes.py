"""Numbers for what people name: areas by rarity, and units, countries, functions and the like as they come."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from chassis.errors import InvalidError
from contracts.matching import Side

from matching.engine.packed.packing import common_minutes
from matching.engine.packed.profiles import MOST_NAMED, NO_AREA, UNKNOWN
from matching.engine.packed.rarity import area_points
from matching.engine.packed.records import COUNTRY_BITS, DAY, SITE_BITS, UNIT_BITS, Ints
from matching.engine.people import Person
from matching.engine.rules import MOST_AREAS, Rules

MOST_FUNCTIONS: Final = 64
MOST_COUNTRIES: Final = 1 << COUNTRY_BITS
MOST_UNITS: Final = 1 << UNIT_BITS
MOST_SITES: Final = (1 << SITE_BITS) - 1  # one number is for whose site is not known
_WORD: Final = 64
_PLURALS: Final = {
    "unit": "units",
    "country": "countries",
    "site": "sites",
    "function": "functions",
    "language": "languages",
}


class OutgrownError(Exception):
    """Something that a person names has no number, and there is none left: all have to be numbered anew."""


class Codes:
    """What has a number keeps it as long as this lives.

    Args:
        rules: The programme's; where they name no areas, every area counts that anybody names.
        everybody: Those who are known at first.
    """

    def __init__(self, rules: Rules, everybody: Iterable[Person]) -> None:
        self._number_areas(rules, everybody)
        self.common_minutes: Ints = np.zeros((0, 0), np.int32)
        """[W, W] what each two working days have in common."""
        self._numbers: dict[str, dict[str, int]] = {}
        self._windows: dict[tuple[int, int], int] = {}

    def number(self, kind: str, code: str, most: int | None = None) -> int:
        """The number of a unit, a country or the like, counted from 0 by kind; `UNKNOWN` when nobody has told.

        Raises:
            OutgrownError: there are `most` of the kind already.
        """
        if not code:
            return UNKNOWN
        known = self._numbers.setdefault(kind, {})
        if code not in known and most is not None and len(known) >= most:
            raise OutgrownError(f"A market can tell at most {most} {_PLURALS[kind]} apart.")
        return known.setdefault(code, len(known))

    def numbered(self, kind: str, code: str) -> int | None:
        """The same for what has a number already."""
        return self._numbers.get(kind, {}).get(code)

    def country(self, country: str) -> int:
        """The number of a country."""
        return self.number("country", country, MOST_COUNTRIES)

    def site(self, site: str) -> int:
        """The number of a site."""
        return self.number("site", site, MOST_SITES)

    def function(self, function: str) -> int:
        """The number of a function."""
        return self.number("function", function, MOST_FUNCTIONS)

    def functions(self, functions: Iterable[str]) -> int:
        """Several as a mask."""
        return sum({1 << self.function(function) for function in functions if function})

    def languages(self, languages: Iterable[str]) -> tuple[int, int]:
        """As a mask of two words."""
        mask = 0
        for language in languages:
            mask |= 1 << self.number("language", language, 2 * _WORD)
        return mask & 2**_WORD - 1, mask >> _WORD

    def listed(self, areas: Sequence[str]) -> list[int]:
        """The numbers of the areas that count, in their order, filled up with `NO_AREA`; the rarest has number 0.

        Raises:
            OutgrownError: an area is new, and all count.
        """
        named = dict.fromkeys(areas)
        if self._any_area and not named.keys() <= self.area_bit.keys():
            raise OutgrownError("Somebody names an area that nobody named before.")
        bits = [self.area_bit[area] for area in named if area in self.area_bit]
        if len(bits) > MOST_NAMED:
            raise InvalidError(f"A person can offer or seek at most {MOST_NAMED} areas.")
        return bits + [NO_AREA] * (MOST_NAMED - len(bits))

    def window(self, person: Person) -> int:
        """The number of somebody's working day in UTC; few exist, so common hours are one small table."""
        length = (person.work_to - person.work_from) * 60 % DAY or DAY
        key = ((person.work_from * 60 - person.utc_offset) % DAY, length)
        if key not in self._windows:
            self._windows[key] = len(self._windows)
            begin, lengths = np.array(list(self._windows), np.int64).T
            self.common_minutes = common_minutes(begin, lengths)
        return self._windows[key]

    def _number_areas(self, rules: Rules, everybody: Iterable[Person]) -> None:
        offered = dict.fromkeys(rules.areas, 0)
        mentors = 0
        for person in everybody:
            mentors += person.capacity(Side.MENTOR) > 0
            for area in (*dict.fromkeys(person.offers), *person.seeks):
                if not rules.areas:
                    offered.setdefault(area, 0)
            for area in dict.fromkeys(person.offers):
                if area in offered and person.capacity(Side.MENTOR):
                    offered[area] += 1
        if len(offered) > MOST_AREAS:
            raise InvalidError(
                f"A programme can weigh at most {MOST_AREAS} areas: name the ones that count in its rules."
            )
        self._any_area = not rules.areas
        self.areas = tuple(sorted(offered, key=lambda area: (offered[area], area)))
        self.area_bit = {area: bit for bit, area in enumerate(self.areas)}
        self.area_points = [area_points(rules, mentors, offered[area]) for area in self.areas]
        """Of each area, the rarest first."""
