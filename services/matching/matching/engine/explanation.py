"""Why this pair, and why not that one: codes with values, which `sentences.py` turns into words.

Each side reads its own half. Neither half tells what is the other's own affair: how long they have waited, or what
stands on their list beyond what the two share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from contracts.matching import Side

from matching.engine.engine import Engine
from matching.engine.packed.detail import RULE_BIT
from matching.engine.people import Person
from matching.engine.proposals import Unmatched
from matching.engine.rules import Direction, Rule, Rules

_WORTH_TELLING_DAYS = 7
_BEST_AREAS = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence to be: its code in `SENTENCES` and what fills its gaps. Areas and languages are codes."""

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two people were proposed to each other, for each in their own words and for a lead in points."""

    for_mentor: tuple[Reason, ...]
    for_mentee: tuple[Reason, ...]
    score: int
    points: Mapping[str, int]


def explain(engine: Engine, mentor: str, mentee: str) -> Explanation:
    """What speaks for a pair, strongest first for each side.

    Raises:
        KeyError: One of the two is not known to the engine.
    """
    proposal = engine.score(mentor, mentee)
    sharer, learner = engine.person(mentor), engine.person(mentee)
    areas = proposal.areas[:_BEST_AREAS]
    between = _between(engine, sharer, learner)
    return Explanation(
        for_mentor=(
            *(_shared(engine, Side.MENTOR, area, sharer.offers) for area in areas),
            *between,
            *_wished(sharer, learner),
            *_waited(sharer),
        ),
        for_mentee=(
            *(_shared(engine, Side.MENTEE, area, learner.seeks) for area in areas),
            *between,
            *_wished(learner, sharer),
            *_waited(learner),
        ),
        score=proposal.score,
        points=proposal.terms,
    )


def why_not(engine: Engine, mentor: str, mentee: str) -> tuple[Reason, ...]:
    """Everything that keeps two people from being proposed now; empty when nothing does.

    A former or blocked pair only reads "not available": who declined, left or blocked whom is nobody's to see.

    Raises:
        KeyError: One of the two is not known to the engine.
    """
    if mentor == mentee:
        engine.person(mentor)
        return (Reason("same-person"),)
    return (*_sides(engine, mentor, mentee), *_broken_rules(engine, mentor, mentee))


def unmatched_reasons(unmatched: Unmatched, rules: Rules) -> tuple[Reason, ...]:
    """Why somebody has nobody, for a lead: the obstacles by how many people they keep away."""
    if not unmatched.others:
        return (Reason("nobody-on-the-other-side"),)
    if unmatched.eligible:
        return (Reason("none-was-free", {"people": unmatched.eligible}),)
    return tuple(
        Reason(
            f"excluded-by-{rules.code(exclusion.rule)}",
            {"people": exclusion.people, "others": unmatched.others, "alone": exclusion.alone},
        )
        for exclusion in unmatched.exclusions
    )


def _shared(engine: Engine, side: Side, area: str, wishes: tuple[str, ...]) -> Reason:
    first = next(wish for wish in wishes if engine.counts(wish)) == area
    return Reason(f"shared-area-for-{side.value}{'-first' if first else ''}", {"area": area})


def _between(engine: Engine, mentor: Person, mentee: Person) -> tuple[Reason, ...]:
    reasons = [Reason("common-hours", _hours(engine.common_minutes(mentor.id, mentee.id)))]
    if mentor.unit != mentee.unit:
        reasons.append(Reason("other-unit"))
    if mentor.country != mentee.country:
        reasons.append(Reason("other-country"))
    if mentor.function and mentee.function and mentor.function != mentee.function:
        reasons.append(Reason("other-function"))
    here = mentor.site != "" and (mentor.site, mentor.country) == (mentee.site, mentee.country)
    if here and mentor.in_person and mentee.in_person:
        reasons.append(Reason("both-in-person"))
    if apart := _apart(engine, mentor.id, mentee.id):
        counted = _counted(engine)
        reasons.append(Reason(f"{counted}-apart", {counted: abs(apart)}))
    shared = [language for language in mentee.languages if language in mentor.languages]
    if shared:
        reasons.append(Reason("common-language", {"language": shared[0]}))
    return tuple(reasons)


def _apart(engine: Engine, mentor: str, mentee: str) -> int:
    """How far the mentee is above the mentor, in whatever it is counted."""
    row, rank = engine.directory.row, engine.directory.rank
    return int(rank[row[mentee]] - rank[row[mentor]])


def _counted(engine: Engine) -> str:
    """In what a gap is counted."""
    return "levels" if engine.rules.direction is Direction.LEVEL else "years"


def _wished(person: Person, other: Person) -> tuple[Reason, ...]:
    """Only one's own wish: what the other one wishes for is theirs to tell."""
    return (Reason("you-wished"),) if other.function in person.likes else ()


def _waited(person: Person) -> tuple[Reason, ...]:
    if person.waiting_days < _WORTH_TELLING_DAYS:
        return ()
    return (Reason("you-have-waited", {"days": person.waiting_days}),)


def _hours(minutes: int) -> dict[str, str | int]:
    return {"hours": minutes // 60, "minutes": minutes % 60}


def _sides(engine: Engine, mentor: str, mentee: str) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    for member, side in ((mentor, Side.MENTOR), (mentee, Side.MENTEE)):
        if engine.waits(member):
            reasons.append(Reason(f"{side.value}-has-unknown-chain"))
        elif not engine.person(member).capacity(side):
            reasons.append(Reason(f"{side.value}-takes-no-part"))
        elif not engine.free_places(member, side):
            reasons.append(Reason(f"{side.value}-has-no-place"))
    return tuple(reasons)


def _broken_rules(engine: Engine, mentor: str, mentee: str) -> tuple[Reason, ...]:
    rows = (np.array([engine.directory.row[member]], np.int64) for member in (mentor, mentee))
    failed = int(engine.failed(*rows)[0, 0])
    return tuple(
        Reason(f"fails-{engine.rules.code(rule)}", _values(engine, rule, mentor, mentee))
        for rule, bit in RULE_BIT.items()
        if failed & bit
    )


def _values(engine: Engine, rule: Rule, mentor: str, mentee: str) -> dict[str, str | int]:
    """What a sentence about a failed rule says beside its name."""
    if rule is Rule.LEVEL:
        above = _apart(engine, mentor, mentee)
        return {_counted(engine): above if engine.rules.reverse_only else abs(above), "needed": engine.rules.level_gap}
    if rule is Rule.TENURE:
        return {"needed": max(engine.rules.mentor_tenure, engine.rules.mentee_tenure)}
    if rule is Rule.NEW_JOINER:
        return {"needed": engine.rules.new_joiner_months}
    if rule is Rule.HOURS:
        minutes = engine.common_minutes(mentor, mentee)
        return {**_hours(minutes), "needed": engine.rules.common_minutes}
    return {}
