"""Where a made-up company has its people: sites in countries, their clocks, and the languages that are spoken there."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

ENGLISH: Final = 0
LANGUAGES: Final = 16
SHIFTS: Final = ((9, 17), (8, 16), (7, 15), (14, 22))
"""Working days in local hours."""
SHIFT_SHARES: Final = (0.55, 0.25, 0.12, 0.08)
_HOUR: Final = 60
_SECOND_LANGUAGE: Final = 0.4  # of the people of a country that has two
_LEARNED: Final = 0.1  # of all people


@dataclass(frozen=True, slots=True)
class Country:
    """One country: a clock for each of its sites, in minutes east; its own languages; and how many speak English."""

    clocks: tuple[int, ...]
    languages: tuple[int, ...]
    english: float


def _country(sites: int, hours: float, language: int, english: float) -> Country:
    return Country((int(hours * _HOUR),) * sites, (language,), english)


COUNTRIES: Final = (
    Country((-480, -480, -420, -360, -360, -300, -300, -300), (ENGLISH,), 1.0),
    _country(6, 5.5, 1, 0.9),
    _country(5, 1, 2, 0.82),
    _country(4, 0, ENGLISH, 1.0),
    _country(4, 1, 3, 0.76),
    _country(4, 8, 4, 0.69),
    _country(3, -3, 5, 0.69),
    _country(3, 9, 6, 0.61),
    _country(2, 1, 7, 0.72),
    _country(2, -6, 7, 0.72),
    Country((-480, -300), (ENGLISH, 3), 0.95),
    _country(2, 1, 8, 0.82),
    _country(2, 1, 9, 0.72),
    _country(2, 10, ENGLISH, 1.0),
    _country(1, 1, 10, 0.96),
    _country(1, 3, 11, 0.72),
    _country(1, 4, 12, 0.93),
    _country(1, 2, ENGLISH, 1.0),
    _country(1, -4, 7, 0.72),
    _country(1, 5, 13, 0.82),
    _country(1, 7, 14, 0.69),
    Country((480,), (4,), 0.95),
    _country(1, 2, 12, 0.72),
    _country(1, 12, ENGLISH, 1.0),
    _country(1, 1, 15, 0.96),
)
"""25 countries with 60 sites on 18 clocks."""

SITE_COUNTRY: Final = np.array([code for code, each in enumerate(COUNTRIES) for _ in each.clocks], np.int32)
SITE_CLOCK: Final = np.array([clock for each in COUNTRIES for clock in each.clocks], np.int32)
SITES: Final = len(SITE_COUNTRY)


def site_shares() -> npt.NDArray[np.float64]:
    """How likely each site is: the first sites of a country are larger."""
    sizes = np.array([1 / (1 + place) ** 0.5 for each in COUNTRIES for place in range(len(each.clocks))])
    shares: npt.NDArray[np.float64] = sizes / sizes.sum()
    return shares


def speakers(rng: np.random.Generator, country: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """The languages of people by country, one bit each: the country's first, often English, and some by chance."""
    english = np.array([each.english for each in COUNTRIES])
    spoken = (rng.random(len(country)) < english[country]).astype(np.uint64) << np.uint64(ENGLISH)
    for place in range(max(len(each.languages) for each in COUNTRIES)):
        # The first language of a country is everybody's, so that nobody is without any.
        own = np.array([sum(1 << code for code in each.languages[place : place + 1]) for each in COUNTRIES], np.uint64)
        speaks = rng.random(len(country)) < (1.0 if place == 0 else _SECOND_LANGUAGE)
        spoken |= np.where(speaks, own[country], np.uint64(0))
    chance = rng.integers(1, LANGUAGES, len(country)).astype(np.uint64)
    learned = rng.random(len(country)) < _LEARNED
    return spoken | np.where(learned, np.uint64(1) << chance, np.uint64(0))
