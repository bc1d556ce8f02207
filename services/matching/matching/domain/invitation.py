"""Invitations of people who would not think of themselves, and the rounds in which a lead sends them.

What somebody answers stays in their invitation: no event tells it, and no lead's page shows it.
"""

from typing import Annotated, Final
from uuid import UUID, uuid5

from chassis.state.aggregate import Aggregate
from contracts.matching import InvitationReason, MemberInvited
from pydantic import BaseModel, ConfigDict, Field

from matching.domain.programme import Programme

MOST_AT_ONCE: Final = 200
"""So many are invited in one round: a lead should still know whom they have asked."""
_NAMESPACE: Final = UUID("7d1f0a52-1f0e-4c55-9a0b-6e5b4f1c9d27")

Reasons = Annotated[tuple[InvitationReason, ...], Field(min_length=1, max_length=len(InvitationReason))]


class Pick(BaseModel):
    """Somebody whom a lead invites, and why."""

    model_config = ConfigDict(frozen=True)

    member: str
    reasons: Reasons


class Invitation(Aggregate):
    """One member and one programme. The id follows from both: nobody is invited to a programme twice."""

    programme: str
    member: str
    by: str
    reasons: Reasons
    invited_at: str
    declined_at: str | None = None

    @classmethod
    def send(cls, programme: Programme, pick: Pick, by: str, at: str) -> "Invitation":
        """Invite somebody. It is open as long as the programme is."""
        invitation = cls(
            id=invitation_id(programme.id, pick.member),
            tenant=programme.tenant,
            programme=programme.id,
            member=pick.member,
            by=by,
            reasons=pick.reasons,
            invited_at=at,
        )
        invitation.say(
            MemberInvited(
                invitation=invitation.id,
                programme=programme.id,
                member=pick.member,
                by=by,
                areas=programme.plan.rules.areas,
                reasons=pick.reasons,
                until=programme.plan.closes_on.isoformat(),
            )
        )
        return invitation

    def decline(self, at: str) -> None:
        """Not for them, without a reason."""
        self.declined_at = self.declined_at or at


class InvitationRound(Aggregate):
    """Whom a lead has picked at one time. The invitations themselves are work; how far it is stands here."""

    programme: str
    by: str
    picks: Annotated[list[Pick], Field(max_length=MOST_AT_ONCE)]
    """Empty again once all are sent."""
    count: int
    done: int = 0
    sending: bool = True

    @classmethod
    def ask_for(cls, id_: str, programme: Programme, by: str, picks: list[Pick]) -> "InvitationRound":
        """Ask for these people to be invited."""
        round_ = cls(id=id_, tenant=programme.tenant, programme=programme.id, by=by, picks=picks, count=len(picks))
        round_.ask("send-invitations")
        return round_

    def advance(self, done: int) -> None:
        """So many of them have been looked at."""
        self.done = max(self.done, done)

    def finish(self) -> None:
        """All are sent, as far as they still could be."""
        self.picks, self.done, self.sending = [], self.count, False


def invitation_id(programme: str, member: str) -> str:
    """The id of the one invitation that a member can have to a programme."""
    return str(uuid5(_NAMESPACE, f"{programme}/{member}"))


def round_id(programme: str, lead: str, key: str) -> str:
    """The id of the round that a lead's form asks for: the same form sent twice asks once."""
    return str(uuid5(_NAMESPACE, f"{programme}/{lead}/{key}"))
