"""A made-up company as a roster: the same people and seed always give the same file.

The chart grows breadth-first with Pareto-like spans; levels fall and units and countries pass down the tree. Areas are
tilted by unit and by level: juniors mostly offer, seniors mostly seek. A few fixed people are there to sign in as.

    python -m local.company 10000 people.csv
"""

import csv
import itertools
import random
import sys
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.countries import PLACES, Place

FEWEST: Final = 12
DOMAIN: Final = "demo.example"
_COLUMNS: Final = (
    "employee_id,email,name,title,manager_id,level,unit,country,time_zone,languages,joined,work_from,work_to,"
    "function,site,offers,seeks,likes,in_person,mentor_capacity,mentee_capacity,enrolled,roles"
)
COLUMNS: Final = _COLUMNS.split(",")

# The codes of the starter taxonomy, which a roster may name.
_AREAS: Final = (
    "ai-tools data-literacy social-media cyber-hygiene cloud automation ethnicity-experience lgbtq-experience "
    "disability-experience neurodiversity parents-carers faith-belief social-mobility generations front-line-reality "
    "new-joiner-view remote-work customer-voice wellbeing sustainability gen-z-consumers creator-economy fintech "
    "remote-collaboration"
)
AREAS: Final = _AREAS.split()

UNITS: Final = (
    *("Finance", "People", "Engineering", "Sales", "Operations", "Marketing", "Customer Service", "Research"),
    *("Supply Chain", "Legal"),
)

# What people do in each unit, most of them the first; data is done in two.
_FUNCTIONS_OF: Final = {
    "Executive Office": ("management",),
    "Finance": ("controlling", "accounting"),
    "People": ("learning", "recruiting"),
    "Engineering": ("software", "data", "hardware"),
    "Sales": ("field-sales", "key-accounts"),
    "Operations": ("production", "maintenance"),
    "Marketing": ("brand", "communications"),
    "Customer Service": ("support",),
    "Research": ("science", "data"),
    "Supply Chain": ("logistics", "purchasing"),
    "Legal": ("law", "compliance"),
}
FUNCTIONS: Final = sorted({function for functions in _FUNCTIONS_OF.values() for function in functions})

_HOME_SHARES: Final = (24, 14, 12, 8, 8, 12, 10, 4, 4, 4)  # percent of people by place
_STAYS: Final = 0.7  # chance to sit where one's manager sits
_TAKE_PART: Final = 0.7  # chance to be enrolled
_MIND: Final = 0.3  # chance to rather meet in person
_SPEAK_ENGLISH: Final = 0.9  # chance to speak the company's language where it is not one's own
_LOWER, _HALF_WAY, _UPPER = 4, 6, 8  # the lower third of the ladder, its half and its upper third, of twelve levels

_STEPS: Final = ((15, 35, 30, 20), (50, 40, 10, 0))  # percent, by size: one to four levels below one's manager
_LARGE: Final = 20_000  # beyond, the chart is so deep that nearly everybody would be at the lowest level
_TITLES: Final = {
    1: "Trainee",
    2: "Associate",
    3: "Specialist",
    4: "Senior Specialist",
    5: "Expert",
    6: "Team Lead",
    7: "Manager",
    8: "Senior Manager",
    9: "Head",
    10: "Director",
    11: "Managing Director",
    12: "Chief Executive",
}


@dataclass(slots=True)
class Person:
    """One person of the chart; fixed people carry their own name, address and profile."""

    number: int
    manager: "Person | None"
    level: int
    unit: str
    place: Place
    fixed: dict[str, str] = field(default_factory=dict)

    @property
    def employee_id(self) -> str:
        """Their number in the company."""
        return f"E{self.number:06d}"


def write_roster(path: Path, people: int = 400, seed: int = 7) -> None:
    """Write a company of `people` (at least 12) as a roster.

    Raises:
        ValueError: fewer people than the fixed ones need.
    """
    if people < FEWEST:
        raise ValueError(f"A company needs at least {FEWEST} people.")
    # Two streams, so that whom people would like to meet changes nothing about who they are.
    chance, tastes = random.Random(seed), random.Random(seed + 1)  # noqa: S311 - repeatable, not secret
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for person in itertools.islice(chart(chance, people), people):
            writer.writerow(_row(person, chance) | _at_work(person, tastes) | person.fixed)


def chart(chance: random.Random, people: int) -> Iterator[Person]:
    """Everybody, managers before their people, without end; in levels for a company of about so many."""
    numbers = itertools.count(1)
    skeleton = list(_skeleton(numbers))
    yield from skeleton
    # Whoever is there to sign in as has no people of their own, so their place in the chart stays simple.
    managers = deque(person for person in skeleton if not person.fixed)
    top = managers[0]
    for unit in UNITS[3:]:
        head = Person(next(numbers), top, 10, unit, _somewhere(chance, None))
        managers.append(head)
        yield head
    managers.popleft()
    while True:
        manager = managers.popleft()
        for _ in range(min(14, int(2.2 * chance.paretovariate(1.5)) + 1)):
            level = max(1, manager.level - chance.choices((1, 2, 3, 4), _STEPS[people > _LARGE])[0])
            person = Person(next(numbers), manager, level, manager.unit, _somewhere(chance, manager.place))
            managers.append(person)
            yield person


def _skeleton(numbers: Iterator[int]) -> Iterator[Person]:
    london = PLACES[0]
    top = Person(next(numbers), None, 12, "Executive Office", london)
    yield top
    yield Person(next(numbers), top, 10, "Finance", london, _DIRECTOR)
    people = Person(next(numbers), top, 10, "People", london)
    yield people
    yield Person(next(numbers), people, 6, "People", london, _LEAD)
    yield Person(next(numbers), people, 5, "People", london, _ANALYST)
    yield Person(next(numbers), people, 5, "People", london, _OPERATOR)
    engineering = Person(next(numbers), top, 10, "Engineering", london)
    yield engineering
    team = Person(next(numbers), engineering, 7, "Engineering", london)
    yield team
    yield Person(next(numbers), team, 2, "Engineering", london, _JUNIOR)
    yield Person(next(numbers), top, 9, "Finance", london)


_MEETING: Final = {"work_from": "9", "work_to": "17", "languages": "en"}
_ASIDE: Final = {**_MEETING, "offers": "", "seeks": "", "enrolled": "no"}
_DIRECTOR: Final = {
    **_MEETING,
    "site": "london-1",
    "in_person": "yes",
    "name": "Margaret Ellingham",
    "title": "Director, Finance",
    "email": f"director@{DOMAIN}",
    "joined": "2009-04",
    "function": "controlling",
    "offers": "",
    "seeks": "creator-economy;social-media;ai-tools",
    "likes": "software;brand",
    "mentor_capacity": "1",
    "mentee_capacity": "1",
    "enrolled": "yes",
}
_JUNIOR: Final = {
    **_MEETING,
    "site": "london-1",
    "in_person": "yes",
    "name": "Kofi Adusei",
    "title": "Associate, Engineering",
    "email": f"junior@{DOMAIN}",
    "joined": "2024-09",
    "function": "software",
    "offers": "creator-economy;social-media;ai-tools",
    "seeks": "",
    "likes": "controlling",
    "mentor_capacity": "1",
    "mentee_capacity": "1",
    "enrolled": "yes",
}
_LEAD: Final = {
    **_ASIDE,
    "name": "Imani Thornbury",
    "title": "Team Lead, Learning",
    "email": f"lead@{DOMAIN}",
    "roles": "organiser",
}
_ANALYST: Final = {
    **_ASIDE,
    "name": "Rhys Pemberton",
    "title": "People Analyst",
    "email": f"analyst@{DOMAIN}",
    "roles": "analyst",
}
_OPERATOR: Final = {
    **_ASIDE,
    "name": "Zainab Latif",
    "title": "People Systems",
    "email": f"operator@{DOMAIN}",
    "roles": "operator",
}


def _somewhere(chance: random.Random, near: Place | None) -> Place:
    if near is not None and chance.random() < _STAYS:
        return near
    return chance.choices(PLACES, _HOME_SHARES)[0]


def _row(person: Person, chance: random.Random) -> dict[str, str]:
    first, last = chance.choice(person.place.first), chance.choice(person.place.last)
    begins = chance.choices((7, 8, 9, 10), (1, 4, 4, 1))[0]
    offers, seeks = _areas(person, chance)
    return {
        "employee_id": person.employee_id,
        "email": f"{_ascii(first)}.{_ascii(last)}.{person.number}@{DOMAIN}",
        "name": f"{first} {last}",
        "title": f"{_TITLES[person.level]}, {person.unit}",
        "manager_id": person.manager.employee_id if person.manager else "",
        "level": str(person.level),
        "unit": person.unit,
        "country": person.place.country,
        "time_zone": person.place.zone,
        "languages": ";".join(_languages(person.place, chance)),
        "joined": _joined(person.level, chance),
        "work_from": str(begins),
        "work_to": str(begins + chance.choice((8, 8, 9))),
        "offers": ";".join(offers),
        "seeks": ";".join(seeks),
        "mentor_capacity": str(chance.choices((1, 2, 3), (6, 3, 1))[0]),
        "mentee_capacity": str(chance.choices((1, 2, 3), (7, 2, 1))[0]),
        "enrolled": "yes" if chance.random() < _TAKE_PART else "no",
        "roles": "",
    }


def _at_work(person: Person, tastes: random.Random) -> dict[str, str]:
    """What somebody does and where, and whom they would like to meet."""
    usual = _FUNCTIONS_OF[person.unit]
    function = tastes.choices(usual, range(len(usual), 0, -1))[0]
    others = [each for each in FUNCTIONS if each != function]
    city = person.place.zone.partition("/")[2].lower().replace("_", "-")
    return {
        "function": function,
        "site": f"{city}-{tastes.choices((1, 2), (3, 1))[0]}",
        "likes": ";".join(tastes.sample(others, tastes.choice((0, 0, 1, 2, 3)))),
        "in_person": "yes" if tastes.random() < _MIND else "no",
    }


def _languages(place: Place, chance: random.Random) -> list[str]:
    spoken = list(place.languages)
    if "en" not in spoken and chance.random() < _SPEAK_ENGLISH:
        spoken.append("en")
    return spoken


def _joined(level: int, chance: random.Random) -> str:
    years = min(30, chance.randrange(0, 2 + 2 * level))
    return f"{2025 - years}-{chance.randrange(1, 13):02d}"


def _areas(person: Person, chance: random.Random) -> tuple[list[str], list[str]]:
    """Juniors offer two to four areas, seniors seek as many; in between a little of both."""
    few, many = chance.choice((0, 0, 1)), chance.choice((2, 3, 3, 4))
    share = (many, few) if person.level <= _LOWER else (few, many) if person.level >= _UPPER else (2, 2)
    picked = _pick(person, chance, sum(share))
    return picked[: share[0]], picked[share[0] :]


def _pick(person: Person, chance: random.Random, count: int) -> list[str]:
    # Zipf by rank; each unit begins its ranking elsewhere, and the upper half of the ladder a little further on.
    start = 5 * (UNITS.index(person.unit) if person.unit in UNITS else 0) + (2 if person.level > _HALF_WAY else 0)
    ranked = [AREAS[(start + 7 * rank) % len(AREAS)] for rank in range(len(AREAS))]
    picked: list[str] = []
    while len(picked) < count:
        area = chance.choices(ranked, [1 / (rank + 1) for rank in range(len(ranked))])[0]
        if area not in picked:
            picked.append(area)
    return picked


_PLAIN: Final = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "\u0131": "i", "đ": "d"})


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    return "".join(letter for letter in folded.lower() if letter.isascii() and letter.isalpha())


def main() -> None:
    """Write a roster from the command line."""
    try:
        people, path = int(sys.argv[1]), Path(sys.argv[2])
        write_roster(path, people)
    except (IndexError, ValueError) as error:
        sys.exit(f"usage: python -m local.company PEOPLE FILE ({FEWEST} people or more): {error}")
    print(f"{path}: {people} people")


if __name__ == "__main__":
    main()
