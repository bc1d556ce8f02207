"""What one cell of a roster may hold: each reader gives what the engine needs, or says in words why it can't."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

from chassis.translation import gettext as _
from contracts.codes import COUNTRIES, LANGUAGES

from chassis import zones
from matching.eligibility import months_since, utc_offset

FORMULA: Final = ("=", "+", "-", "@")
LONGEST_ID: Final = 64
LONGEST_CODE: Final = 80
MOST_AREAS_NAMED: Final = 12
MOST_WISHES: Final = 12
MOST_VALUES: Final = 20
HIGHEST_LEVEL: Final = 12
MOST_PLACES: Final = 10
LONGEST_WAIT: Final = 9_999

_AREA: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_AREA: Final = 40
_MONTH: Final = re.compile(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])")
_LONGEST_SHOWN: Final = 40
_MOST_DIGITS: Final = 4

T = TypeVar("T")
Reader = Callable[[str], T]
Wrong = list[tuple[str, str]]
"""What is wrong with a row so far: columns and reasons."""


@dataclass(slots=True)
class Column(Generic[T]):
    """One column: where it stands, and what its texts mean, each read only once in a file."""

    name: str
    place: int
    read: Reader[T]
    default: T
    required: bool
    known: dict[str, T]

    def take(self, cells: list[str], wrong: Wrong) -> T:
        """The value of a row; the default when there is none, or when it is wrong, which is then noted."""
        text = cells[self.place]
        try:
            return self.known[text]
        except KeyError:
            pass
        try:
            value = self._value(text.strip())
        except ValueError as error:
            wrong.append((self.name, str(error)))
            return self.default
        self.known[text] = value
        return value

    def _value(self, text: str) -> T:
        if text:
            return self.read(plain(text))
        if self.required:
            raise ValueError(_("is empty"))
        return self.default


def plain(text: str) -> str:
    """The text, unless a spreadsheet would run it.

    Raises:
        ValueError: it would; the import refuses such a cell, too.
    """
    if text.startswith(FORMULA):
        raise ValueError(
            _("begins with {sign}, which a spreadsheet runs as a formula; write plain text").format(sign=repr(text[0]))
        )
    return text


def shown(text: str) -> str:
    """A cell as a sentence quotes it."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def words(longest: int) -> Reader[str]:
    """Text of one line."""

    def read(text: str) -> str:
        if len(text) > longest:
            raise ValueError(_("is longer than {longest} characters").format(longest=longest))
        if not text.isprintable():
            raise ValueError(_("holds a line break or another control character"))
        return text

    return read


def number(lowest: int, highest: int) -> Reader[int]:
    """A whole number."""

    def read(text: str) -> int:
        # The number of digits is looked at first: int() of a very long text is slow.
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and lowest <= int(text) <= highest):
            raise ValueError(
                _("is {text}, but must be a whole number from {lowest} to {highest}").format(
                    text=shown(text), lowest=lowest, highest=highest
                )
            )
        return int(text)

    return read


def several(read: Reader[T], most: int = MOST_VALUES) -> Reader[tuple[T, ...]]:
    """Values that `;` separates, each once, in their order."""

    def read_all(text: str) -> tuple[T, ...]:
        values = tuple(dict.fromkeys(read(part.strip()) for part in text.split(";") if part.strip()))
        if len(values) > most:
            raise ValueError(
                _("names {count} values, but at most {most} are kept").format(count=len(values), most=most)
            )
        return values

    return read_all


def area(text: str) -> str:
    """An area code. Which codes exist is for profiles to know; here only the form is looked at."""
    if len(text) > _LONGEST_AREA or not _AREA.fullmatch(text):
        raise ValueError(
            _("names {text}, which is not an area code such as ai-tools; areas are separated by ';'").format(
                text=shown(text)
            )
        )
    return text


def country(text: str) -> str:
    """A country code."""
    if text.upper() not in COUNTRIES:
        raise ValueError(_("is {text}, which is not a two-letter country code such as DE").format(text=shown(text)))
    return text.upper()


def language(text: str) -> str:
    """A language code."""
    if text.lower() not in LANGUAGES:
        raise ValueError(_("names {text}, which is not a two-letter language code such as en").format(text=shown(text)))
    return text.lower()


def offset(day: date) -> Reader[int]:
    """A time zone, as minutes east of UTC on a day."""

    def read(text: str) -> int:
        if text not in zones.known():
            raise ValueError(_("is {text}, which is not a time zone such as Europe/Berlin").format(text=shown(text)))
        return utc_offset(text, day)

    return read


def joined(day: date) -> Reader[tuple[int, int]]:
    """A month of joining, as whole months up to a day, none for whoever joins later; and its year."""

    def read(text: str) -> tuple[int, int]:
        if not _MONTH.fullmatch(text):
            raise ValueError(_("is {text}, but must be a month such as 2024-03").format(text=shown(text)))
        return months_since(text, day), int(text[:4])

    return read


def yes_or_no(text: str) -> bool:
    """Whether it is yes."""
    if text.lower() not in {"yes", "no"}:
        raise ValueError(_("is {text}, but must be yes or no").format(text=shown(text)))
    return text.lower() == "yes"
