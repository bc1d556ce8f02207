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


def time_label(hours: int, minutes: int) -> str:
    """A length of time without what is nothing of it: 8 h, 45 min, 1 h 5 min."""
    if not hours:
        return _("{minutes} min").format(minutes=minutes)
    if not minutes:
        return _("{hours} h").format(hours=hours)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def gaps(values: Mapping[str, str | int]) -> dict[str, str | int]:
    """What fills the gaps of a reason's sentence, but for areas: the language and the time in words."""
    filled = dict(values)
    if "language" in filled:
        filled["language"] = language_label(str(filled["language"]))
    if "hours" in filled:
        filled["time"] = time_label(int(filled["hours"]), int(filled["minutes"]))
    return filled


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
        values = gaps(reason.values)
        if "area" in values:
            values["area"] = area_label(areas, str(values["area"]))
        told.append(_(sentence).format(**values))
    return told
