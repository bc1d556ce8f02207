"""The words for codes. Nothing here asks anybody: what profiles has to tell comes as an argument."""

from collections.abc import Iterable, Mapping

from babel.core import Locale, UnknownLocaleError
from chassis.translation import current
from chassis.translation import gettext as _

from matching.domain.programme import Scheme
from matching.domain.proposal import Reason
from matching.engine.rules import Direction
from matching.engine.sentences import SENTENCES


def area_label(areas: Mapping[str, str], code: str) -> str:
    """An area's label, or its code as words."""
    return areas.get(code) or code.replace("-", " ")


def language_label(code: str) -> str:
    """A language's name in the language of the request."""
    try:
        return Locale.parse(code).get_display_name(current().locale) or code
    except (UnknownLocaleError, ValueError):
        return code


def scheme_words() -> dict[Scheme, str]:
    """What each scheme is called."""
    return {
        Scheme.REVERSE: _("Reverse mentoring: the less senior person mentors"),
        Scheme.RECIPROCAL: _("Reciprocal mentoring: both learn from each other"),
        Scheme.MUTUAL: _("Mutual mentoring: either may mentor"),
    }


def direction_words() -> dict[Direction, str]:
    """What may make one of two the senior one."""
    return {
        Direction.LEVEL: _("Their level"),
        Direction.EXPERIENCE: _("Their experience: who has been here longer, by the year of joining"),
    }


def customs_words() -> dict[str, dict[str, str]]:
    """How often people meet, and how."""
    return {
        "cadence": {"weekly": _("Every week"), "fortnightly": _("Every two weeks"), "monthly": _("Every month")},
        "medium": {
            "video": _("Video call"),
            "in-person": _("In person"),
            "phone": _("Phone"),
            "mixed": _("A mix of these"),
        },
    }


def sentences(reasons: Iterable[Reason], areas: Mapping[str, str]) -> list[str]:
    """Reasons in words; a code from a newer engine that we have no words for is left out."""
    told = []
    for reason in reasons:
        if (sentence := SENTENCES.get(reason.code)) is None:
            continue
        values = dict(reason.values)
        if "area" in values:
            values["area"] = area_label(areas, str(values["area"]))
        if "language" in values:
            values["language"] = language_label(str(values["language"]))
        told.append(_(sentence).format(**values))
    return told
