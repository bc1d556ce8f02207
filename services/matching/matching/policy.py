"""Who may do what in matching. Whoever is not in the table may not."""

from typing import Final

from chassis.web.identity import Caller
from chassis.web.policy import Grant, Policy, Resource

from matching.domain.mentorship import Mentorship
from matching.domain.programme import Programme

_PARTIES: Final = frozenset({"mentor", "mentee"})

POLICY: Final = Policy(
    {
        "mentorship.read": Grant(relations=_PARTIES),
        "proposal.answer": Grant(relations=_PARTIES),
        "agreement.edit": Grant(relations=_PARTIES),
        "agreement.confirm": Grant(relations=_PARTIES),
        "session.log": Grant(relations=_PARTIES),
        "session.arrange": Grant(relations=_PARTIES),
        "session.call-off": Grant(relations=_PARTIES),
        "reflection.keep": Grant(relations=_PARTIES),
        "mentorship.end": Grant(relations=_PARTIES),
        "notes.keep": Grant(relations=frozenset({"mentor"})),
        "programme.list": Grant(everyone=True),
        "programme.lead": Grant(relations=frozenset({"lead"})),
    }
)


def may(caller: Caller, action: str, subject: Mentorship | Programme) -> None:
    """Go on only when the table allows it; a stranger learns not even that the thing exists.

    Raises:
        NotFoundError: not one of theirs.
        ForbiddenError: theirs, but not for this.
    """
    POLICY.require(
        caller, action, Resource(subject.tenant, relations(caller, subject), secret=_hidden(caller, subject))
    )


def relations(caller: Caller, subject: Mentorship | Programme) -> frozenset[str]:
    """What a caller is to a mentorship or a programme."""
    if isinstance(subject, Programme):
        return frozenset({"lead"}) if subject.led_by(caller.member) else frozenset()
    side = subject.side_of(caller.member)
    return frozenset({side.value}) if side else frozenset()


def _hidden(caller: Caller, subject: Mentorship | Programme) -> bool:
    return isinstance(subject, Mentorship) and subject.side_of(caller.member) is None
