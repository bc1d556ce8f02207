"""What a lead reads about pairs and people: a score in its parts, where a pair stands, why somebody has nobody.

Members read reasons and never points; a lead reads points, and nothing that is a pair's own: no answer of one side, no
agreement, no note.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chassis.translation import gettext as _
from chassis.translation import mark, ngettext
from chassis.web.pages import number
from contracts.matching import Side, Status

from matching.domain.mentorship import UNANSWERED
from matching.domain.proposal import Terms
from matching.domain.run import Unpaired
from matching.engine.rules import EXPERIENCE_GAP, Rule, Term

_STRONG: Final = 0.75
_GOOD: Final = 0.5

PARTS: Final = {
    Term.AREAS: mark("Areas they share; rare ones count more"),
    Term.MENTEE_CHOICE: mark("An area high on the mentee's list"),
    Term.MENTOR_CHOICE: mark("An area high on the mentor's list"),
    Term.HOURS: mark("Working hours they have in common"),
    Term.UNIT: mark("They work in different units"),
    Term.COUNTRY: mark("They work in different countries"),
    Term.FUNCTION: mark("They work in different functions"),
    Term.LEVEL: mark("Levels or years between them, beyond the least that the rules ask for"),
    Term.MENTEE_WISH: mark("The mentee would like to meet somebody of the mentor's function"),
    Term.MENTOR_WISH: mark("The mentor would like to meet somebody of the mentee's function"),
    Term.IN_PERSON: mark("Both would rather meet in person, and work at the same site"),
    Term.MENTEE_WAITING: mark("Days the mentee has waited for somebody"),
    Term.MENTOR_WAITING: mark("Days the mentor has waited for somebody"),
}
"""Every part of a score in words."""


class Standing(StrEnum):
    """Where a pair stands, as far as a lead may know: that answers are awaited, never from whom."""

    WAITING = "waiting"
    SETTLING = "settling"
    RUNNING = "running"

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that look like this."""
        return _STATUSES[self]

    @property
    def words(self) -> str:
        """As the page says it."""
        match self:
            case Standing.WAITING:
                return _("Waiting for answers")
            case Standing.SETTLING:
                return _("Settling the agreement")
            case Standing.RUNNING:
                return _("Running")

    @classmethod
    def of(cls, status: Status) -> "Standing":
        """Where a living pair of this status stands."""
        return next(standing for standing, statuses in _STATUSES.items() if status in statuses)


_STATUSES: Final[dict[Standing, tuple[Status, ...]]] = {
    Standing.WAITING: UNANSWERED,
    Standing.SETTLING: (Status.ACCEPTED,),
    Standing.RUNNING: (Status.STARTED, Status.PAUSED),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score."""

    words: str
    points: int


@dataclass(frozen=True, slots=True)
class Nobody:
    """Why somebody has nobody: a sentence, and what stands in the way, each with how many people it keeps away."""

    sentence: str
    obstacles: list[str]


def band(score: int, best: int) -> str:
    """How a pair compares with the best one of its programme: strong, good or fair."""
    share = score / best if best else 0.0
    return "strong" if share >= _STRONG else "good" if share >= _GOOD else "fair"


def parts(terms: Terms) -> list[Part]:
    """The parts of a score, the greatest first; what nobody here has words for is one part, so that they add up."""
    known = [
        Part(_(PARTS[Term(term.code)]), term.points) for term in terms.points if term.code in PARTS and term.points
    ]
    told = sorted(known, key=lambda part: -part.points)
    rest = terms.score - sum(part.points for part in told)
    return [*told, Part(_("Other reasons"), rest)] if rest else told


def nobody(unpaired: Unpaired) -> Nobody:
    """Why somebody has nobody, in words."""
    first = next(iter(unpaired.why), None)
    if first is None:
        return Nobody("", [])
    if first.code == "nobody-on-the-other-side":
        return Nobody(_("Nobody takes part on the other side yet."), [])
    if first.code == "none-was-free":
        count = int(first.values["people"])
        sentence = ngettext(
            "One person passes every rule, but was not free.",
            "{people} people pass every rule, but none of them was free.",
            count,
        )
        return Nobody(sentence.format(people=number(count)), [])
    told = [_obstacle(reason.code, reason.values) for reason in unpaired.why]
    return Nobody(_among(unpaired.side, int(first.values.get("others", 0))), [each for each in told if each])


def _among(side: Side, others: int) -> str:
    if side is Side.MENTOR:
        sentence = ngettext("Of {others} mentee who takes part:", "Of {others} mentees who take part:", others)
    else:
        sentence = ngettext("Of {others} mentor who takes part:", "Of {others} mentors who take part:", others)
    return sentence.format(others=number(others))


def _obstacle(code: str, values: dict[str, str | int]) -> str:
    """One rule and how many people it keeps away; empty for a rule of a newer engine."""
    people, alone = int(values.get("people", 0)), int(values.get("alone", 0))
    told = _obstacles(people).get(code.removeprefix("excluded-by-"), "").format(people=number(people))
    if not told or not alone:
        return told
    if alone == people:
        return _("{obstacle}, and nothing else stands in the way").format(obstacle=told)
    only = ngettext(
        "{obstacle}; for one of them nothing else stands in the way",
        "{obstacle}; for {alone} of them nothing else stands in the way",
        alone,
    )
    return only.format(obstacle=told, alone=number(alone))


def _obstacles(count: int) -> dict[str, str]:
    return {
        Rule.LEVEL: ngettext(
            "{people} does not have the level gap that the rules ask for",
            "{people} do not have the level gap that the rules ask for",
            count,
        ),
        EXPERIENCE_GAP: ngettext(
            "{people} did not join so many years apart as the rules ask for",
            "{people} did not join so many years apart as the rules ask for",
            count,
        ),
        Rule.AREAS: ngettext("{people} shares no area", "{people} share no area", count),
        Rule.HOURS: ngettext(
            "{people} has too few working hours in common", "{people} have too few working hours in common", count
        ),
        Rule.LANGUAGE: ngettext("{people} shares no language", "{people} share no language", count),
        Rule.UNIT: ngettext("{people} works in the same unit", "{people} work in the same unit", count),
        Rule.CHAIN: ngettext(
            "{people} is in the same management chain", "{people} are in the same management chain", count
        ),
        Rule.MANAGER: ngettext("{people} has the same manager", "{people} have the same manager", count),
        Rule.TENURE: ngettext(
            "with {people}, one of the two joined too recently",
            "with {people}, one of the two joined too recently",
            count,
        ),
        Rule.NEW_JOINER: ngettext(
            "with {people}, the mentor is no new joiner any more",
            "with {people}, the mentor is no new joiner any more",
            count,
        ),
    }
