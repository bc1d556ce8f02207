"""Facts of one mentorship, as the tests of notifications send them."""

from dataclasses import dataclass, field

from chassis.ids import new_id
from contracts.matching import (
    InvitationReason,
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MemberInvited,
    MentorshipStarted,
    PlanChange,
    SessionPlanChanged,
    Side,
)
from notifications.calendars import Session, Time
from notifications.domain.notice import Kind

PLANS = {
    PlanChange.ARRANGED: Kind.SESSION_ARRANGED,
    PlanChange.MOVED: Kind.SESSION_MOVED,
    PlanChange.CALLED_OFF: Kind.SESSION_CALLED_OFF,
    PlanChange.NEAR: Kind.SESSION_NEAR,
}


def a_proposal(origin: str = "engine") -> MatchProposed:
    """Mia and dan are proposed to each other; by one of them, when a side is the origin."""
    return MatchProposed(
        mentorship="m-1",
        programme="p-1",
        mentor="mia",
        mentee="dan",
        areas=("ai-tools",),
        direction="reverse",
        origin=origin,
        expires_at="2026-03-12T09:00:00.000Z",
    )


def an_invitation(member: str, reasons: tuple[str, ...] = ("new-joiner", "few-of-function")) -> MemberInvited:
    """Somebody is invited to share AI tools."""
    return MemberInvited(
        invitation="i-1",
        programme="p-1",
        member=member,
        by="lena",
        areas=("ai-tools",),
        reasons=tuple(InvitationReason(reason) for reason in reasons),
        until="2026-12-31",
    )


def a_start() -> MentorshipStarted:
    """They begin, with another focus than was proposed."""
    return MentorshipStarted(
        mentorship="m-1", mentor="mia", mentee="dan", areas=("cloud",), cadence="monthly", planned_end="2026-09-02"
    )


def yes(by: Side, *, complete: bool = False) -> MatchAccepted:
    """One side says yes."""
    return MatchAccepted(mentorship="m-1", by=by, complete=complete)


def planned(
    change: PlanChange, *, by: Side | None = None, version: int = 0, delegate: str | None = None
) -> SessionPlanChanged:
    """Something about the plan of their first session, which a delegate may arrange for dan."""
    if change in (PlanChange.TIMES_PROPOSED, PlanChange.DELEGATED):
        return SessionPlanChanged(mentorship="m-1", change=change, by=by, delegate=delegate)
    return SessionPlanChanged(
        mentorship="m-1", change=change, by=by, session="s-1", calendar=version, delegate=delegate
    )


def delegated(to: str | None) -> SessionPlanChanged:
    """Dan lets somebody arrange his times, or arranges them himself again."""
    return planned(PlanChange.DELEGATED, by=Side.MENTEE, delegate=to)


def a_session(**changes: object) -> Session:
    """Ten in the morning in Berlin, for a reader in New York."""
    plain = {
        "version": 0,
        "called_off": False,
        "over": False,
        "uid": "s-1@turnabout.example",
        "time": Time(local="2026-03-10T10:00", zone="Europe/Berlin", at="2026-03-10T09:00:00.000Z"),
        "minutes": 50,
        "summary": "Mentoring session: you mentor",
        "description": "Your role: mentor, you share what you know.",
        "page": "https://turnabout.example/mentorships/m-1",
        "place": "https://meet.example/j/1",
        "reader_zone": "America/New_York",
    }
    return Session.model_validate(plain | changes)


CLOSED = MatchClosed(mentorship="m-1")


@dataclass(frozen=True)
class Pair:
    """The facts of two given members, under an id of their own."""

    mentor: str
    mentee: str
    id: str = field(default_factory=new_id)

    @property
    def proposed(self) -> MatchProposed:
        """They are proposed to each other; they may answer for years."""
        people = {"mentorship": self.id, "mentor": self.mentor, "mentee": self.mentee}
        return a_proposal().model_copy(update={**people, "expires_at": "2099-01-01T00:00:00.000Z"})

    @property
    def started(self) -> MentorshipStarted:
        """They begin."""
        people = {"mentorship": self.id, "mentor": self.mentor, "mentee": self.mentee}
        return a_start().model_copy(update=people)

    @property
    def closed(self) -> MatchClosed:
        """Nothing comes of it."""
        return MatchClosed(mentorship=self.id)

    def planned(
        self, change: PlanChange, *, by: Side | None = None, version: int = 0, delegate: str | None = None
    ) -> SessionPlanChanged:
        """Something about the plan of their session, which is named after the pair."""
        told = planned(change, by=by, version=version, delegate=delegate)
        session = None if told.session is None else f"s-{self.id}"
        return told.model_copy(update={"mentorship": self.id, "session": session})

    def yes(self, by: Side, *, complete: bool = False) -> MatchAccepted:
        """One side says yes."""
        return MatchAccepted(mentorship=self.id, by=by, complete=complete)
