"""On what terms two people are put before each other, in the words that documents keep."""

from collections.abc import Iterable

from matching.domain.proposal import Reason, Term, Terms
from matching.engine import explanation as engine_words
from matching.engine.engine import Engine
from matching.engine.explanation import explain
from matching.engine.proposals import Proposal


def terms_of(engine: Engine, proposal: Proposal, price: int) -> Terms:
    """On what terms two people are proposed: what they share, its worth, and why."""
    explanation = explain(engine, proposal.mentor, proposal.mentee)
    return Terms(
        areas=proposal.areas[:12],
        score=proposal.score,
        price=price,
        points=tuple(Term(code=code, points=points) for code, points in proposal.terms.items() if points),
        for_mentor=_reasons(explanation.for_mentor),
        for_mentee=_reasons(explanation.for_mentee),
    )


def _reasons(reasons: Iterable[engine_words.Reason]) -> tuple[Reason, ...]:
    return tuple(Reason(code=reason.code, values=dict(reason.values)) for reason in reasons)
