"""The language of a page: chosen per request, looked up in catalogues of the chassis and of one service.

English is written in the source and is what one gets without a catalogue. A catalogue is
``<package>/locale/<language>/LC_MESSAGES/messages.po``; it is read as it is, there is nothing to compile.

    from chassis.translation import gettext as _

    title = _("Your proposals")

In a request `chassis.web.http` has chosen; a mail is written inside ``with catalogues.speaking("de"):``.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from pathlib import Path
from typing import Final

from babel.core import Locale, negotiate_locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE: Final = "en"
LANGUAGE_COOKIE: Final = "turnabout_language"
_MOST_LANGUAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is written in right now."""

    tag: str
    translations: NullTranslations

    @property
    def locale(self) -> Locale:
        """How numbers and dates are written."""
        # "en" alone writes dates the American way; the English of this product is international.
        return Locale.parse("en-GB" if self.tag == SOURCE_LANGUAGE else self.tag, sep="-")


_ENGLISH: Final = Language(SOURCE_LANGUAGE, NullTranslations())
_current: ContextVar[Language] = ContextVar("language", default=_ENGLISH)


def current() -> Language:
    """The language of this request, or English."""
    return _current.get()


def gettext(message: str) -> str:
    """`message` in the current language."""
    return _current.get().translations.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The form for this number, in the current language."""
    return _current.get().translations.ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    """`message` where the same English words mean two things."""
    return _current.get().translations.pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    """`ngettext` where the same English words mean two things."""
    return _current.get().translations.npgettext(context, singular, plural, number)


def own_name(tag: str) -> str:
    """A language as its speakers call it: whoever looks for theirs in a list may not read the page's."""
    locale = Locale.parse(tag, sep="-")
    name = str(locale.get_display_name(locale) or tag)
    return name[:1].upper() + name[1:]


def mark(message: str) -> str:
    """`message` itself: marks a constant for extraction (``make messages``) that `gettext` gets later."""
    return message


def wall_clock(wall: datetime) -> str:
    """What a clock on a wall shows, in a sentence, as "29 March 2026, 02:30"; its zone stays unsaid."""
    locale = _current.get().locale
    return (
        f"{format_date(wall, 'long', locale=locale)}, {format_time(wall.replace(tzinfo=None), 'short', locale=locale)}"
    )


class Catalogues:
    """The languages that a process can speak."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self._languages = {SOURCE_LANGUAGE: _ENGLISH, **languages}

    @classmethod
    def of(cls, *packages: str) -> "Catalogues":
        """Read the catalogues that lie inside these packages; the first one that knows a message wins."""
        return cls.read(*(Path(str(files(package))) / "locale" for package in packages))

    @classmethod
    def read(cls, *folders: Path) -> "Catalogues":
        """Read ``<language>/LC_MESSAGES/messages.po`` of each folder; one that is absent has no languages."""
        merged: dict[str, NullTranslations] = {}
        for folder in folders:
            for catalogue in sorted(folder.glob("*/LC_MESSAGES/messages.po")):
                tag = catalogue.parent.parent.name.replace("_", "-")
                translations = _read_catalogue(catalogue)
                if tag in merged:
                    merged[tag].add_fallback(translations)
                else:
                    merged[tag] = translations
        return cls({tag: Language(tag, translations) for tag, translations in merged.items()})

    @property
    def tags(self) -> tuple[str, ...]:
        """Language tags, English first."""
        return tuple(self._languages)

    def choose(self, *, chosen: str | None, accepted: str) -> Language:
        """The language that a person chose, else the best of an ``Accept-Language`` header, else English."""
        wished = [chosen] if chosen else []
        wished += _by_preference(accepted)
        tag = negotiate_locale(wished, list(self._languages), sep="-")
        return self._languages.get(tag or SOURCE_LANGUAGE, _ENGLISH)

    @contextmanager
    def speaking(self, language: Language | str) -> Iterator[Language]:
        """Use a language inside the block."""
        spoken = self.choose(chosen=language, accepted="") if isinstance(language, str) else language
        token = _current.set(spoken)
        try:
            yield spoken
        finally:
            _current.reset(token)


def _read_catalogue(path: Path) -> GNUTranslations:
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _by_preference(accepted: str) -> list[str]:
    """Language tags of a header, most wanted first; what is malformed is left out."""
    weighted: list[tuple[float, str]] = []
    for part in accepted.split(",")[:_MOST_LANGUAGES]:
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag and tag != "*" and weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
