"""Areas, the families they stand in, and what people read of them: the content of a taxonomy, and what may change it.

A taxonomy is never edited in place: each change makes the next content of the one before, so a list of changes is a
taxonomy's whole past. Codes are for ever. Members, agreements and programmes name them; so nothing is taken out, an
area is only no longer offered.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final, Self

from chassis.errors import InvalidError, NotFoundError
from pydantic import BaseModel, ConfigDict

MOST_IN_USE: Final = 60
"""A programme tells at most 64 areas apart, by a bit each."""
MOST_AREAS_EVER: Final = 400
MOST_FAMILIES: Final = 12
LONGEST_LABEL: Final = 60
LONGEST_SENTENCE: Final = 200
LONGEST_CODE: Final = 40

_SPELLED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "&": " and "})
_UNREADABLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BETWEEN_WORDS: Final = re.compile(r"[^a-z0-9]+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Words(_Part):
    """What people read of an area or a family, by language."""

    labels: dict[str, str]
    sentences: dict[str, str] = {}

    @classmethod
    def of(cls, labels: Mapping[str, str], sentences: Mapping[str, str] | None = None) -> Self:
        """What somebody typed, without the spaces around it and without what was left empty."""
        return cls(labels=_typed(labels), sentences=_typed(sentences or {}))

    def beside(self, others: Self, asked: Iterable[str]) -> Self:
        """These, and in languages that nobody asked for what others say."""
        spoken = frozenset(asked)
        labels = {language: text for language, text in others.labels.items() if language not in spoken}
        sentences = {language: text for language, text in others.sentences.items() if language not in spoken}
        return self.model_copy(update={"labels": self.labels | labels, "sentences": self.sentences | sentences})

    def label(self, language: str) -> str:
        """The label in a language, or in another one that has it."""
        return self.labels.get(language) or next(iter(self.labels.values()), "")

    def sentence(self, language: str) -> str:
        """What the area is about, in a language or in another one that says it."""
        return self.sentences.get(language) or next(iter(self.sentences.values()), "")

    def missing(self, languages: Iterable[str]) -> tuple[str, ...]:
        """Languages whose readers get another one's words."""
        return tuple(
            each for each in languages if each not in self.labels or (self.sentences and each not in self.sentences)
        )

    def check(self) -> None:
        """Refuse what nobody could read.

        Raises:
            InvalidError: there is no label, or something is too long or not one line of text.
        """
        if not self.labels:
            raise InvalidError("Write a label in at least one language.")
        for texts, longest in ((self.labels, LONGEST_LABEL), (self.sentences, LONGEST_SENTENCE)):
            for text in texts.values():
                if any(unicodedata.category(each) in _UNREADABLE for each in text):
                    raise InvalidError("A label or sentence holds a control character. Type it on one line.")
                if len(text) > longest:
                    raise InvalidError(
                        "'{text}…' is too long: a label has at most {short} characters, a sentence {long}.",
                        text=text[:LONGEST_CODE],
                        short=LONGEST_LABEL,
                        long=LONGEST_SENTENCE,
                    )


class Family(_Part):
    """Areas that belong together on a page."""

    code: str
    words: Words


class Area(_Part):
    """What can be offered or sought."""

    code: str
    family: str
    words: Words
    retired: bool = False


class Kind(StrEnum):
    """What a change did."""

    AREA_ADDED = "area-added"
    AREA_EDITED = "area-edited"
    AREA_RETIRED = "area-retired"
    AREA_RESTORED = "area-restored"
    FAMILY_ADDED = "family-added"
    FAMILY_EDITED = "family-edited"


class Change(_Part):
    """One step from a content to the next."""

    kind: Kind
    code: str
    words: Words = Words(labels={})
    family: str = ""
    behind: str | None = None
    """The area behind which it is put; empty puts it first, and none leaves it where it is."""


class Areas(_Part):
    """Every family and every area there ever was, in the order in which pages show them."""

    families: tuple[Family, ...]
    areas: tuple[Area, ...]

    @cached_property
    def offered(self) -> frozenset[str]:
        """Codes of the areas that can be chosen."""
        return frozenset(area.code for area in self.areas if not area.retired)

    @cached_property
    def known(self) -> frozenset[str]:
        """Codes of all areas."""
        return frozenset(area.code for area in self.areas)

    def area(self, code: str) -> Area:
        """The area of a code.

        Raises:
            NotFoundError: there never was one.
        """
        for area in self.areas:
            if area.code == code:
                return area
        raise NotFoundError("There is no area of this code. Look for it in the list of areas.")

    def family(self, code: str) -> Family:
        """The family of a code.

        Raises:
            NotFoundError: there is none.
        """
        for family in self.families:
            if family.code == code:
                return family
        raise NotFoundError("There is no family of this code. Look for it in the list of areas.")

    def in_family(self, family: str, *, retired: bool = False) -> tuple[Area, ...]:
        """Its areas that are offered, or those that no longer are."""
        return tuple(area for area in self.areas if area.family == family and area.retired == retired)

    def in_front_of(self, code: str) -> str:
        """The offered area behind which an area stands in its family; empty when it is the first."""
        before = ""
        for area in self.areas:
            if area.code == code:
                break
            if area.family == self.area(code).family and not area.retired:
                before = area.code
        return before

    def after(self, change: Change) -> "Areas":
        """What a change makes of this."""
        kind = change.kind
        if kind is Kind.FAMILY_ADDED:
            return self._with(families=(*self.families, Family(code=change.code, words=change.words)))
        if kind is Kind.FAMILY_EDITED:
            family = Family(code=change.code, words=change.words)
            return self._with(families=tuple(family if each.code == change.code else each for each in self.families))
        if kind is Kind.AREA_ADDED:
            added = Area(code=change.code, family=change.family, words=change.words)
            return self._with(areas=_placed((*self.areas, added), added, change.behind))
        if kind is Kind.AREA_EDITED:
            edited = self.area(change.code).model_copy(update={"family": change.family, "words": change.words})
            return self._with(areas=_placed(self.areas, edited, change.behind))
        turned = self.area(change.code).model_copy(update={"retired": kind is Kind.AREA_RETIRED})
        return self._with(areas=_placed(self.areas, turned, None))

    def check(self) -> None:
        """Refuse what could not be shown or matched.

        Raises:
            InvalidError: too many areas or families, or two with one label.
        """
        used = [area for area in self.areas if not area.retired]
        if len(used) > MOST_IN_USE:
            raise InvalidError(
                "At most {most} areas can be in use at one time. Retire one that nobody needs first.", most=MOST_IN_USE
            )
        if len(self.areas) > MOST_AREAS_EVER:
            raise InvalidError(
                "There are {most} areas, retired ones included. Bring one of those back and give it a new label.",
                most=MOST_AREAS_EVER,
            )
        if len(self.families) > MOST_FAMILIES:
            raise InvalidError("At most {most} families fit on a page. Rename one instead.", most=MOST_FAMILIES)
        if double := _double(family.words for family in self.families):
            raise InvalidError("There is a family called '{label}' already. Choose another label.", label=double)
        if double := _double(area.words for area in used):
            raise InvalidError("There is an area called '{label}' already. Choose another label.", label=double)

    def _with(self, *, families: tuple[Family, ...] | None = None, areas: tuple[Area, ...] | None = None) -> "Areas":
        # Not validated again: a page of versions makes hundreds of these, of parts that have been.
        return Areas.model_construct(
            families=self.families if families is None else families, areas=self.areas if areas is None else areas
        )


def _placed(areas: Iterable[Area], area: Area, behind: str | None) -> tuple[Area, ...]:
    """All of them with this one as it is now: where it stood, behind another one, or first in its family."""
    if behind is None:
        return tuple(area if each.code == area.code else each for each in areas)
    others = [each for each in areas if each.code != area.code]
    if behind:
        at = next(at for at, each in enumerate(others, start=1) if each.code == behind)
    else:
        at = next((at for at, each in enumerate(others) if each.family == area.family), len(others))
    return (*others[:at], area, *others[at:])


def new_code(words: Words, taken: Iterable[str], otherwise: str) -> str:
    """A code for what has these words: their first label in plain letters, numbered when it is taken.

    Args:
        words: what people read.
        taken: every code there ever was.
        otherwise: what to call it when no letter of the label can be written plainly.
    """
    first = next(iter(words.labels.values()), "").lower().translate(_SPELLED)
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode()
    stem = _BETWEEN_WORDS.sub("-", plain).strip("-") or otherwise
    known = frozenset(taken)
    code, number = stem[:LONGEST_CODE].strip("-"), 1
    while code in known:
        number += 1
        ending = f"-{number}"
        code = stem[: LONGEST_CODE - len(ending)].strip("-") + ending
    return code


def _typed(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: text.strip() for language, text in texts.items() if text.strip()}


def _double(all_words: Iterable[Words]) -> str:
    """A label that two of them show to the readers of one language; empty when there is none."""
    found = list(all_words)
    for language in {language for words in found for language in words.labels}:
        seen: set[str] = set()
        for label in (words.label(language) for words in found):
            if label.casefold() in seen:
                return label
            seen.add(label.casefold())
    return ""
