"""Finds English sentences of the source on what is shown in another language."""

import re
from html.parser import HTMLParser

from local.messages import PACKAGES, catalogue_of, read
from profiles.taxonomy.starter import STARTER

_GAP = re.compile(r"%\(\w+\)s|\{\w+\}")
_READ_OUT = {"aria-label", "alt", "title", "placeholder", "content"}
_FEWEST_WORDS = 3
"""A piece of a sentence with fewer words may be part of what somebody has typed."""


class _Shown(HTMLParser):
    """Collects what a person reads or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}
        self.texts += [value for name, value in attrs if name in _READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(" ".join(data.split()))


def shown(html: str) -> list[str]:
    """Each text of a page, and each label that is read out."""
    parser = _Shown()
    parser.feed(html)
    return parser.texts


def english_left(texts: list[str], language: str = "de") -> set[str]:
    """Messages of any package, and areas, that stand there untranslated: whole, or pieces of a sentence with gaps."""
    whole, pieces = _untranslated(language)
    return {text for text in texts if text in whole} | {piece for text in texts for piece in pieces if piece in text}


def _untranslated(language: str) -> tuple[set[str], set[str]]:
    whole: set[str] = set()
    pieces: set[str] = set()
    translations: set[str] = set()
    for package in PACKAGES.values():
        for message in read(catalogue_of(package, language), language):
            translations |= set(_forms(message.string))
            for form in filter(None, _forms(message.id)):
                whole.add(form)
                pieces |= {
                    piece for each in _GAP.split(form) if len((piece := each.strip(" .,:;")).split()) >= _FEWEST_WORDS
                }
    for words in (*(each.words for each in STARTER.families), *(each.words for each in STARTER.areas)):
        whole.add(words.label("en"))
        translations.add(words.label(language))
    # "Programme" is the plural of "Programm".
    return whole - translations, pieces


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (str(text),)
