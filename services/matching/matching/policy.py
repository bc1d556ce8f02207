"""Who may do what in matching. Whoever is not in the table may not."""

from typing import Final

from chassis.web.identity import Caller
from chassis.web.policy import Grant, Permit, Policy, Resource

from matching.domain.invitation import Invitation
from matching.domain.mentorship import Mentorship
from matching.domain.programme import Programme, Stage

ORGANISER: Final = "organiser"
_PARTIES: Final = frozenset({"mentor", "mentee"})
_ARRANGING: Final = _PARTIES | {"delegate"}

Subject = Mentorship | Programme | Invitation

POLICY: Final = Policy(
    {
        "mentorship.read": Grant(relations=_PARTIES),
        "proposal.answer": Grant(relations=_PARTIES),
        "proposal.take-back": Grant(relations=_PARTIES),
        "agreement.edit": Grant(relations=_PARTIES),
        "agreement.confirm": Grant(relations=_PARTIES),
        "session.log": Grant(relations=_PARTIES),
        "session.arrange": Grant(relations=_ARRANGING),
        "session.call-off": Grant(relations=_ARRANGING),
        "delegate.name": Grant(relations=frozenset({"mentee"})),
        "delegate.step-down": Grant(relations=frozenset({"delegate"})),
        "reflection.keep": Grant(relations=_PARTIES),
        "mentorship.pause": Grant(relations=_PARTIES),
        "mentorship.end": Grant(relations=_PARTIES),
        "notes.keep": Grant(relations=frozenset({"mentor"})),
        "invitation.answer": Grant(relations=frozenset({"invited"})),
        "programme.list": Grant(everyone=True),
        "programme.set-up": Grant(roles=frozenset({ORGANISER})),
        "programme.lead": Grant(relations=frozenset({"lead"})),
    }
)


def may(caller: Caller, action: str, subject: Subject) -> None:
    """Go on only when the table allows it; a stranger learns not even that the thing exists.

    Raises:
        NotFoundError: not one of theirs.
        ForbiddenError: theirs, but not for this.
    """
    POLICY.require(
        caller, action, Resource(subject.tenant, relations(caller, subject), secret=_hidden(caller, subject))
    )


def may_set_up(caller: Caller) -> None:
    """Go on only for somebody who may set programmes up.

    Raises:
        ForbiddenError: they may not.
    """
    POLICY.require(caller, "programme.set-up", Resource(caller.tenant))


def sets_up(caller: Caller) -> bool:
    """Whether somebody may set programmes up."""
    return isinstance(POLICY.decide(caller, "programme.set-up", Resource(caller.tenant)), Permit)


def may_step_down(caller: Caller, pair: Mentorship) -> bool:
    """Whether somebody arranges the times of a mentee, and so can stop."""
    subject = Resource(pair.tenant, relations(caller, pair))
    return isinstance(POLICY.decide(caller, "delegate.step-down", subject), Permit)


def may_know(caller: Caller, programme: Programme) -> bool:
    """Whether somebody may know that a programme exists: a draft is its leads'."""
    return programme.stage is not Stage.DRAFT or programme.led_by(caller.member)


def relations(caller: Caller, subject: Subject) -> frozenset[str]:
    """What a caller is to a mentorship, a programme or an invitation."""
    if isinstance(subject, Programme):
        return frozenset({"lead"}) if subject.led_by(caller.member) else frozenset()
    if isinstance(subject, Invitation):
        return frozenset({"invited"}) if subject.member == caller.member else frozenset()
    if subject.delegate == caller.member:
        return frozenset({"delegate"})
    side = subject.side_of(caller.member)
    return frozenset({side.value}) if side else frozenset()


def _hidden(caller: Caller, subject: Subject) -> bool:
    """A pair is its two people's, also before a delegate; an invitation theirs who got it; a draft its leads'."""
    if isinstance(subject, Programme):
        return not may_know(caller, subject)
    if isinstance(subject, Invitation):
        return subject.member != caller.member
    return subject.side_of(caller.member) is None
