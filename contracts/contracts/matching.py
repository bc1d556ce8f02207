"""What matching says: programmes, invitations to them, and the life of a mentorship in three projections.

Outside subscribers see facts that never tell who declined or cancelled; the detail and the state stay on
platform topics. Facts of one mentorship share its id as key, so they arrive in order.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import AggregateId, Event, MemberId, OpenEnum, Part, Plain, Pseudonymous
from contracts.profiles import AreaCodes, Day
from contracts.topics import INVITATION, MENTORSHIP, MENTORSHIP_DETAIL, MENTORSHIP_STATE, PROGRAMME, Topic


class Side(OpenEnum):
    """One of the two people of a mentorship."""

    MENTOR = "mentor"
    MENTEE = "mentee"


class Status(OpenEnum):
    """Where a mentorship stands in its life."""

    PROPOSED = "proposed"
    HALF_ACCEPTED = "half-accepted"
    ACCEPTED = "accepted"
    STARTED = "started"
    PAUSED = "paused"
    ENDED = "ended"
    CLOSED = "closed"


class Answer(OpenEnum):
    """What happened to a proposal, for our own services only."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Outcome(OpenEnum):
    """What became of a session."""

    HELD = "held"
    CANCELLED = "cancelled"


class PlanChange(OpenEnum):
    """What happened to the plan for a session."""

    TIMES_PROPOSED = "times-proposed"
    ARRANGED = "arranged"
    MOVED = "moved"
    CALLED_OFF = "called-off"
    NEAR = "near"
    DELEGATED = "delegated"


class InvitationReason(OpenEnum):
    """Why somebody has something to offer, from what the organisation knows already; none tells of the person alone."""

    NEW_JOINER = "new-joiner"
    SOUGHT = "sought-of-function"
    FUNCTION = "few-of-function"
    SITE = "few-of-site"
    LEVEL = "nobody-of-level"


Timestamp = Annotated[str, Field(description="UTC, RFC 3339."), Pseudonymous]
Direction = Annotated[
    str, Field(description="reverse when the mentee is the senior one, by level or by experience."), Pseudonymous
]


class ProgrammePublished(Event):
    """A programme opened, changed or closed. Titles stay off: they can name a protected group."""

    topic: ClassVar[Topic] = PROGRAMME
    fact: ClassVar[str] = "programme-published"

    programme: AggregateId
    areas: AreaCodes
    open: Annotated[bool, Field(description="Proposals may be made."), Plain]
    opens_on: Annotated[str, Field(description="First day, ISO 8601."), Plain]
    closes_on: Annotated[str, Field(description="Last day, ISO 8601."), Plain]
    rules_version: Annotated[int, Field(ge=1, description="Grows with each change of the rules."), Plain]


class MemberInvited(Event):
    """A programme's lead thinks that a member has something to share. What they answer is told to nobody."""

    topic: ClassVar[Topic] = INVITATION
    fact: ClassVar[str] = "member-invited"

    invitation: AggregateId
    programme: AggregateId
    member: MemberId
    by: Annotated[str, Field(max_length=64, description="Member id of the lead."), Pseudonymous]
    areas: AreaCodes
    reasons: Annotated[
        tuple[InvitationReason, ...], Field(min_length=1, max_length=10, description="Why this member."), Pseudonymous
    ]
    until: Annotated[
        str,
        Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="Last day of the programme, ISO 8601."),
        Plain,
    ]


class MatchProposed(Event):
    """Two members were proposed to each other."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "match-proposed"

    mentorship: AggregateId
    programme: AggregateId
    mentor: MemberId
    mentee: MemberId
    areas: AreaCodes
    direction: Direction
    origin: Annotated[str, Field(description="engine, mentor, mentee or lead."), Pseudonymous]
    expires_at: Timestamp


class MatchAccepted(Event):
    """One side said yes; complete when it was the second, and places are taken on both sides."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "match-accepted"

    mentorship: AggregateId
    by: Annotated[Side, Field(description="Who said yes."), Pseudonymous]
    complete: Annotated[bool, Field(description="Both have said yes."), Pseudonymous]


class MatchClosed(Event):
    """The proposal came to nothing: neither who nor why."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "match-closed"

    mentorship: AggregateId


class MentorshipStarted(Event):
    """Both confirmed the same agreement."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "mentorship-started"

    mentorship: AggregateId
    mentor: MemberId
    mentee: MemberId
    areas: AreaCodes
    cadence: Annotated[str, Field(description="weekly, fortnightly or monthly."), Pseudonymous]
    planned_end: Day


class SessionLogged(Event):
    """A session was held or cancelled; not by whom."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "session-logged"

    mentorship: AggregateId
    session: AggregateId
    outcome: Annotated[Outcome, Field(description="held or cancelled."), Pseudonymous]
    day: Day


class MentorshipPaused(Event):
    """The two stop for a while; neither who nor why."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "mentorship-paused"

    mentorship: AggregateId


class MentorshipResumed(Event):
    """A paused mentorship goes on."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "mentorship-resumed"

    mentorship: AggregateId


class MentorshipEnded(Event):
    """The mentorship is over; no reason is given to anyone."""

    topic: ClassVar[Topic] = MENTORSHIP
    fact: ClassVar[str] = "mentorship-ended"

    mentorship: AggregateId


class MentorshipDetailed(Event):
    """What our own services may know of a change beyond the outside fact."""

    topic: ClassVar[Topic] = MENTORSHIP_DETAIL
    fact: ClassVar[str] = "mentorship-detailed"

    mentorship: AggregateId
    change: Annotated[
        str, Field(description="answered, closed, agreed, session, paused, resumed, ended."), Pseudonymous
    ]
    by: Annotated[Side | None, Field(description="Who acted; none for the clock."), Pseudonymous] = None
    answer: Annotated[Answer | None, Field(description="Why a proposal closed."), Pseudonymous] = None
    outcome: Annotated[Outcome | None, Field(description="Of a session."), Pseudonymous] = None


class SessionPlanChanged(Event):
    """The plan of the two changed, or who arranges it; or the session is near. When and where stays in matching."""

    topic: ClassVar[Topic] = MENTORSHIP_DETAIL
    fact: ClassVar[str] = "session-plan-changed"

    mentorship: AggregateId
    change: Annotated[
        PlanChange, Field(description="times-proposed, arranged, moved, called-off, near or delegated."), Pseudonymous
    ]
    by: Annotated[
        Side | None, Field(description="Who acted; none for the clock, or when a delegate steps down."), Pseudonymous
    ] = None
    session: Annotated[
        str | None, Field(max_length=64, description="Opaque id of the arranged session, if any."), Pseudonymous
    ] = None
    calendar: Annotated[
        int | None, Field(ge=0, description="Version of the session's calendar entry, which only grows."), Pseudonymous
    ] = None
    delegate: Annotated[
        str | None, Field(max_length=64, description="Member who arranges the mentee's times, if any."), Pseudonymous
    ] = None


class SessionCount(Part):
    """How many sessions ended one way, and who logged them."""

    outcome: Annotated[Outcome, Field(description="held or cancelled."), Pseudonymous]
    by: Annotated[Side, Field(description="The side that logged it."), Pseudonymous]
    month: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", description="Month of the session."), Pseudonymous]
    count: Annotated[int, Field(ge=1, description="How many."), Pseudonymous]


class PausedDays(Part):
    """On how many days of a month a mentorship was paused: the day of pausing is one, that of going on is not."""

    month: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", description="Month of the days."), Pseudonymous]
    days: Annotated[int, Field(ge=1, le=31, description="How many."), Pseudonymous]


class PersonBands(Part):
    """What analytics may group a person by, frozen when the pair was proposed."""

    level: Annotated[int, Field(ge=1, le=12, description="Level at match time."), Pseudonymous]
    unit: Annotated[str, Field(description="Unit at match time."), Pseudonymous]
    country: Annotated[str, Field(description="Country at match time."), Pseudonymous]


class MentorshipState(Event):
    """The whole of a mentorship as our own services may know it; newest wins."""

    topic: ClassVar[Topic] = MENTORSHIP_STATE
    fact: ClassVar[str] = "mentorship-changed"

    mentorship: AggregateId
    programme: AggregateId
    status: Annotated[Status, Field(description="Where it stands."), Pseudonymous]
    mentor: MemberId
    mentee: MemberId
    areas: AreaCodes
    direction: Direction
    mentor_bands: Annotated[PersonBands, Field(description="The mentor at match time."), Pseudonymous]
    mentee_bands: Annotated[PersonBands, Field(description="The mentee at match time."), Pseudonymous]
    proposed_at: Timestamp
    accepted_at: Timestamp | None = None
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    closed_at: Timestamp | None = None
    sessions: Annotated[tuple[SessionCount, ...], Field(description="Sessions by month."), Pseudonymous] = ()
    cadence: Annotated[
        str | None, Field(description="weekly, fortnightly or monthly, once it has started."), Pseudonymous
    ] = None
    paused: Annotated[
        tuple[PausedDays, ...], Field(description="Days of pauses that are over, by month."), Pseudonymous
    ] = ()
    paused_on: Annotated[Day | None, Field(description="First day of the pause that goes on."), Pseudonymous] = None
