"""One person, or one pair: everything that a rehearsal knows about them, as lines of text."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from chassis.translation import gettext as _
from contracts.matching import Side

from matching.engine.explanation import Reason, explain, unmatched_reasons, why_not
from matching.engine.people import Person
from matching.engine.proposals import Proposal
from matching.engine.sentences import SENTENCES
from matching.rehearsal.figures import Found, why_alone
from matching.rehearsal.loosening import would_change
from matching.rehearsal.reading import FileError, Roster
from matching.wording import gaps

_BEST_TOLD: Final = 3


def require(roster: Roster, members: Iterable[str]) -> None:
    """Know somebody before anything is asked about them.

    Raises:
        FileError: the file does not have them, or their row was left out.
    """
    for member in members:
        if member in roster.line_of:
            continue
        errors = " ".join(error.told() for error in roster.refused if error.person == member)
        if errors:
            raise FileError(_("The row of {member} was left out: {errors}").format(member=member, errors=errors))
        raise FileError(_("Nobody in the people file has the id {member}.").format(member=member))


def about_person(found: Found, member: str) -> list[str]:
    """What becomes of somebody on both sides, why, and what would change it."""
    person = found.engine.person(member)
    lines = [_("{member}, level {level}").format(member=member, level=person.level)]
    for side in (Side.MENTEE, Side.MENTOR):
        name = _("As mentee") if side is Side.MENTEE else _("As mentor")
        lines += [
            f"{name}: {line}" if place == 0 else f"  {line}" for place, line in enumerate(_on(found, side, person))
        ]
    return lines


def about_pair(found: Found, mentor: str, mentee: str) -> list[str]:
    """Why a mentor and a mentee are proposed to each other, or why not."""
    title = _("Mentor {mentor} with mentee {mentee}").format(mentor=mentor, mentee=mentee)
    pairs = found.pairs_of[Side.MENTOR].get(mentor, [])
    if any(proposal.mentee == mentee for proposal in pairs):
        return [_("{pair}: proposed.").format(pair=title), *_indented(_why(found, mentor, mentee))]
    lines = [_("{pair}: not proposed.").format(pair=title)]
    if reasons := why_not(found.engine, mentor, mentee):
        return lines + _indented(sentences(reasons))
    return lines + _indented(_elsewhere(found, mentor, mentee))


def sentences(reasons: Iterable[Reason]) -> list[str]:
    """Reasons in words; areas are shown as codes."""
    return [_sentence(reason.code, reason.values) for reason in reasons]


def points(terms: Mapping[str, int], total: int) -> str:
    """What a pair's points are made of."""
    parts = ", ".join(f"{term} {worth:,}" for term, worth in terms.items() if worth)
    return _("Points: {parts}; together {total}.").format(parts=parts or _("none"), total=f"{total:,}")


def _sentence(code: str, values: Mapping[str, str | int]) -> str:
    return _(SENTENCES[code]).format(**gaps(values)) if code in SENTENCES else code


def _on(found: Found, side: Side, person: Person) -> list[str]:
    pairs = found.pairs_of[side].get(person.id, [])
    if pairs:
        return _has(found, side, person, pairs)
    if absent := _absence(found, side, person):
        return [absent]
    (unmatched,) = why_alone(found.engine, side, np.array([found.engine.directory.row[person.id]], np.int64))
    lines = [_("nobody."), *sentences(unmatched_reasons(unmatched, found.engine.rules))]
    if unmatched.eligible:
        return lines + _best_possible(found, side, person.id)
    return lines + would_change(found.engine, side, person.id)


def _has(found: Found, side: Side, person: Person, pairs: list[Proposal]) -> list[str]:
    lines = [
        _("proposals: {count}, places: {places}.").format(count=len(pairs), places=person.capacity(side)),
    ]
    for proposal in pairs:
        other = proposal.pair.other(person.id)
        title = _("With mentor {other}:") if side is Side.MENTEE else _("With mentee {other}:")
        lines += [title.format(other=other), *_indented(_why(found, proposal.mentor, proposal.mentee))]
    return lines


def _why(found: Found, mentor: str, mentee: str) -> list[str]:
    explanation = explain(found.engine, mentor, mentee)
    return [
        _("The mentor reads: {reasons}").format(reasons=" ".join(sentences(explanation.for_mentor))),
        _("The mentee reads: {reasons}").format(reasons=" ".join(sentences(explanation.for_mentee))),
        points(explanation.points, explanation.score),
    ]


def _absence(found: Found, side: Side, person: Person) -> str:
    """Why somebody takes no part on a side; empty when they do."""
    mentor = side is Side.MENTOR
    named = person.offers if mentor else person.seeks
    if not named:
        return _("takes no part, offers nothing.") if mentor else _("takes no part, seeks nothing.")
    if not (person.mentor_capacity if mentor else person.mentee_capacity):
        return _("takes no part, has no place (capacity 0).")
    if not person.capacity(side):
        return _("takes no part, is not enrolled.")
    if not any(found.engine.counts(area) for area in named):
        return _("takes no part, names only areas that do not count: {areas}.").format(areas=", ".join(named))
    if found.engine.waits(person.id):
        return _chain(found, person.id)
    return ""


def _chain(found: Found, member: str) -> str:
    market = found.engine.directory
    if member in market.circular:
        return _("waits: following the managers leads back to the same person.")
    if member in market.unreachable:
        manager = found.engine.person(member).manager
        return _("waits: the manager {manager} is in no row that can be used.").format(manager=manager)
    return _("waits: further up, the managers lead in a circle or to somebody who is in no row.")


def _best_possible(found: Found, side: Side, member: str) -> list[str]:
    """The best of those who pass every rule, and whom they have instead."""
    market, other_side = found.engine.directory, Side.MENTOR if side is Side.MENTEE else Side.MENTEE
    row, others = np.array([market.row[member]], np.int64), market.open_rows(other_side)
    if side is Side.MENTEE:
        others = others[found.engine.failed(others, row)[0] == 0]
        scores = found.engine.scores(others, np.repeat(row, len(others)))
    else:
        others = others[found.engine.failed(row, others)[:, 0] == 0]
        scores = found.engine.scores(np.repeat(row, len(others)), others)
    lines = []
    for place in np.argsort(-scores, kind="stable")[:_BEST_TOLD].tolist():
        other = market.known(int(others[place])).id
        line = _("Best possible: {other} with {points} points, who has instead: {pairs}.")
        lines.append(
            line.format(other=other, points=f"{int(scores[place]):,}", pairs=_partners(found, other_side, other))
        )
    return lines


def _partners(found: Found, side: Side, member: str) -> str:
    pairs = found.pairs_of[side].get(member, [])
    told = _("{other} ({points} points)")
    return ", ".join(told.format(other=each.pair.other(member), points=f"{each.score:,}") for each in pairs) or _(
        "nobody"
    )


def _elsewhere(found: Found, mentor: str, mentee: str) -> list[str]:
    """For a pair that passes every rule: whose places are taken, and by whom."""
    lines = [_("The two pass every rule.")]
    turned = any(proposal.mentee == mentor for proposal in found.pairs_of[Side.MENTOR].get(mentee, []))
    if turned:
        lines.append(_("They are proposed to each other the other way round."))
    for side, member in ((Side.MENTOR, mentor), (Side.MENTEE, mentee)):
        taken, free = len(found.pairs_of[side].get(member, [])), found.engine.free_places(member, side)
        text = (
            _("{member} has no free place; has instead: {pairs}.")
            if taken >= free
            else _("{member} has a free place left; has: {pairs}.")
        )
        lines.append(text.format(member=member, pairs=_partners(found, side, member)))
    proposal = found.engine.score(mentor, mentee)
    lines.append(_("Their places went to other pairs, which together count for more."))
    lines += _short(found, proposal)
    return [*lines, points(proposal.terms, proposal.score)]


def _short(found: Found, proposal: Proposal) -> list[str]:
    """How far a pair is from being proposed, in points."""
    short = found.run.shortfall(proposal)
    if short <= 0:
        return []
    text = _("{short} points are missing: {mentor}'s place is wanted for {place}, and {mentee} has {gain} elsewhere.")
    place, gain = found.run.claims[Side.MENTOR][proposal.mentor], found.run.claims[Side.MENTEE][proposal.mentee]
    told = {"mentor": proposal.mentor, "mentee": proposal.mentee, "place": f"{place:,}", "gain": f"{gain:,}"}
    return [text.format(short=f"{short:,}", **told)]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
