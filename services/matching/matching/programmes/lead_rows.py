"""Pairs as a lead sees them in a list, whether people have heard of them or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.translation import gettext as _

from matching.domain.mentorship import Mentorship
from matching.domain.suggestion import Suggestion
from matching.programmes.lead_words import Part, Standing, band, parts
from matching.wording import area_label

PAIRS: Final = 25
"""On one page, which stays below a hundred kilobytes also when what a run has found stands on it, too."""


@dataclass(frozen=True, slots=True)
class Row:
    """A pair as a lead sees it: open, agreed or running. What came to nothing is nobody's to list.

    It holds no more than the page may show, so that no template can tell what is the pair's own.
    """

    id: str
    mentor: str
    mentee: str
    score: int
    band: str
    stands: str
    areas: list[str]
    parts: list[Part]


def pair_row(pair: Mentorship, best: int, areas: Mapping[str, str]) -> Row:
    """A pair that people know of."""
    return Row(
        id=pair.id,
        mentor=pair.mentor,
        mentee=pair.mentee,
        score=pair.terms.score,
        band=band(pair.terms.score, best),
        stands=Standing.of(pair.status).words,
        areas=[area_label(areas, code) for code in pair.terms.areas],
        parts=parts(pair.terms),
    )


def suggested_row(rank: int, suggestion: Suggestion, best: int, areas: Mapping[str, str]) -> Row:
    """A pair that nobody has heard of yet."""
    terms = suggestion.terms
    return Row(
        id=str(rank),
        mentor=suggestion.mentor,
        mentee=suggestion.mentee,
        score=terms.score,
        band=band(terms.score, best),
        stands=_("Left out") if suggestion.left_out else "",
        areas=[area_label(areas, code) for code in terms.areas],
        parts=parts(terms),
    )
