"""What profiles says: a member's open profile, the directory that only our own services read, and the taxonomy."""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from contracts.envelope import AggregateId, Event, MemberId, Part, Plain, Pseudonymous
from contracts.topics import DIRECTORY, PROFILE, TAXONOMY, Topic

MOST_FUNCTIONS: Final = 64
"""How many functions one tenant's entries and profiles name at most: who tells them apart may do it by a bit each."""

MOST_LEFT: Final = 50
"""Programmes that one member can take no part in."""

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="Calendar day, ISO 8601."), Pseudonymous]
AreaCodes = Annotated[
    tuple[str, ...], Field(max_length=12, description="Area codes, most important first."), Pseudonymous
]


class ProfileUpdated(Event):
    """A member changed what they offer, seek or allow. State: the newest one is the whole profile."""

    topic: ClassVar[Topic] = PROFILE
    fact: ClassVar[str] = "profile-updated"

    member: MemberId
    enrolled: Annotated[bool, Field(description="Takes part in mentoring at all."), Pseudonymous]
    open_to_mentor: Annotated[bool, Field(description="May be proposed as a mentor."), Pseudonymous]
    open_to_be_mentored: Annotated[bool, Field(description="May be proposed as a mentee."), Pseudonymous]
    offers: AreaCodes = ()
    seeks: AreaCodes = ()
    mentor_capacity: Annotated[int, Field(ge=0, le=10, description="Mentees at one time."), Pseudonymous]
    mentee_capacity: Annotated[int, Field(ge=0, le=10, description="Mentors at one time."), Pseudonymous]
    wishes: Annotated[
        tuple[str, ...],
        Field(max_length=12, description="Codes of functions whose people the member would like to meet."),
        Pseudonymous,
    ] = ()
    in_person: Annotated[bool, Field(description="Would rather meet in person."), Pseudonymous] = False


class DirectoryUpdated(Event):
    """The organisation's facts about a member changed. State: the newest one is the whole entry."""

    topic: ClassVar[Topic] = DIRECTORY
    fact: ClassVar[str] = "directory-updated"

    member: MemberId
    manager: Annotated[str | None, Field(description="The manager's member id; none at the top."), Pseudonymous] = None
    level: Annotated[int, Field(ge=1, le=12, description="1 is the most junior."), Pseudonymous]
    unit: Annotated[str, Field(max_length=80, description="Code of the unit."), Pseudonymous]
    country: Annotated[str, Field(min_length=2, max_length=2, description="ISO 3166-1 alpha-2."), Pseudonymous]
    time_zone: Annotated[str, Field(max_length=64, description="IANA zone."), Pseudonymous]
    work_from: Annotated[int, Field(ge=0, le=23, description="Local hour the working day begins."), Pseudonymous] = 9
    work_to: Annotated[int, Field(ge=1, le=24, description="Local hour the working day ends."), Pseudonymous] = 17
    languages: Annotated[tuple[str, ...], Field(description="ISO 639-1, best first."), Pseudonymous] = ("en",)
    joined: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", description="Month of joining."), Pseudonymous]
    function: Annotated[str, Field(max_length=80, description="Code of what they do, or empty."), Pseudonymous] = ""
    site: Annotated[str, Field(max_length=80, description="Code of where they work, or empty."), Pseudonymous] = ""
    left: Annotated[
        tuple[str, ...],
        Field(
            max_length=MOST_LEFT,
            description="Ids of programmes in which the member takes no part, although they take part in mentoring.",
        ),
        Pseudonymous,
    ] = ()
    enrolled_on: Annotated[
        Day | None, Field(description="Day on which the member first took part in mentoring."), Pseudonymous
    ] = None
    enrolled_until: Annotated[
        Day | None, Field(description="Day on which they stopped; none while they take part."), Pseudonymous
    ] = None


class KnownArea(Part):
    """An area as everybody may know it: its code is for ever, its labels stay off topics."""

    code: Annotated[str, Field(max_length=40, description="Code of the area; never changed and never reused."), Plain]
    family: Annotated[str, Field(max_length=40, description="Code of the family that it stands in."), Plain]
    retired: Annotated[
        bool, Field(description="Nobody can choose it any more; where it stands it goes on counting."), Plain
    ] = False


class TaxonomyPublished(Event):
    """The areas of an organisation, or what they are called, changed. State: the newest one is the whole taxonomy."""

    topic: ClassVar[Topic] = TAXONOMY
    fact: ClassVar[str] = "taxonomy-published"

    taxonomy: AggregateId
    version: Annotated[
        int, Field(ge=1, description="Counts every change, of labels too: read the labels again when it grows."), Plain
    ]
    families: Annotated[
        tuple[str, ...], Field(max_length=12, description="Codes of all families, in their order."), Plain
    ]
    areas: Annotated[
        tuple[KnownArea, ...], Field(max_length=400, description="All areas there ever were, in their order."), Plain
    ]
