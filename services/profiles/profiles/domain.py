"""A member: contact details that never leave this service, directory facts, and what they allow.

`ProfileUpdated` and `DirectoryUpdated` are said only when their own part really changed, so importing the same
roster again says nothing. What a member chose on their own page stands: a roster no longer overrules it.
"""

from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Final, Self

from chassis.errors import InvalidError, NotFoundError
from chassis.state.aggregate import Aggregate
from contracts.profiles import MOST_LEFT, DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, PROFILE
from pydantic import BaseModel, ConfigDict

from profiles.taxonomy.areas import Areas

MAX_AREAS: Final = 12
MAX_CAPACITY: Final = 10
MAX_WISHES: Final = 12


class Role(StrEnum):
    """What a person may do across the tenant; being a lead belongs to a programme instead."""

    ORGANISER = "organiser"
    ANALYST = "analyst"
    OPERATOR = "operator"


class Imported(StrEnum):
    """What a roster row came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Contact(_Part):
    """Who a member is in person: private to this service."""

    employee_id: str
    email: str
    name: str
    title: str


class Directory(_Part):
    """What the organisation knows about a member's place in it; `manager` is a member id."""

    manager: str | None = None
    level: int
    unit: str
    country: str
    time_zone: str
    work_from: int = 9
    work_to: int = 17
    languages: tuple[str, ...] = ("en",)
    joined: str
    function: str = ""
    site: str = ""


class Profile(_Part):
    """What a member offers, seeks and allows."""

    offers: tuple[str, ...] = ()
    seeks: tuple[str, ...] = ()
    mentor_capacity: int = 1
    mentee_capacity: int = 1
    open_to_mentor: bool = False
    open_to_be_mentored: bool = False
    enrolled: bool = False
    wishes: tuple[str, ...] = ()
    in_person: bool = False

    def check(self, before: "Profile", areas: Areas, functions: Container[str]) -> None:
        """Refuse what no programme could use.

        Args:
            before: what it was; an area that stood there may stay although it is no longer offered.
            areas: those of the tenant.
            functions: those that may be wished for.

        Raises:
            InvalidError: an area or function that cannot be chosen, too many of them, or a capacity out of range.
        """
        for chosen, had in ((self.offers, before.offers), (self.seeks, before.seeks)):
            for code in chosen:
                if code not in areas.known and code not in had:
                    raise InvalidError(
                        "There is no area '{code}'. Choose from the areas on the profile page.", code=code
                    )
                if code not in areas.offered and code not in had:
                    raise InvalidError("The area '{code}' is no longer offered. Choose another one.", code=code)
        if max(len(self.offers), len(self.seeks)) > MAX_AREAS:
            raise InvalidError("Choose at most {most} areas to offer and {most} to seek.", most=MAX_AREAS)
        for code in self.wishes:
            if code not in functions:
                raise InvalidError(
                    "Nobody's function is '{code}'. Choose from the functions on the profile page.", code=code
                )
        if len(self.wishes) > MAX_WISHES:
            raise InvalidError("Choose at most {most} functions whose people you would like to meet.", most=MAX_WISHES)
        if not (0 <= self.mentor_capacity <= MAX_CAPACITY and 0 <= self.mentee_capacity <= MAX_CAPACITY):
            raise InvalidError("The number of people at one time is between 0 and {most}.", most=MAX_CAPACITY)


class Regional(_Part):
    """The language and the time zone that a member chose; none leaves it to the roster and the browser."""

    language: str | None = None
    time_zone: str | None = None


class RosterRow(_Part):
    """One checked row of a roster. `directory.manager` stays empty here: `manager_id` is the employee's number."""

    line: int
    contact: Contact
    manager_id: str
    directory: Directory
    profile: Profile
    roles: tuple[Role, ...] = ()

    @property
    def functions(self) -> frozenset[str]:
        """Every function that the row names, the person's own and those wished for."""
        return frozenset({self.directory.function, *self.profile.wishes} - {""})


class Member(Aggregate):
    """One person of the tenant."""

    employee_id: str
    email: str
    name: str
    title: str
    directory: Directory
    profile: Profile
    regional: Regional = Regional()
    left: tuple[str, ...] = ()  # ids of programmes in which the member takes no part
    roles: tuple[Role, ...] = ()
    enrolled_on: str | None = None  # the day on which they first took part
    enrolled_until: str | None = None  # the day on which they stopped, if they did
    edited: bool = False  # the member saved their profile: the roster's profile columns no longer apply
    identity: str | None = None  # issuer and subject of the sign-in this member is linked to
    removed: bool = False

    @classmethod
    def from_row(cls, member: str, tenant: str, row: RosterRow, manager: str | None, at: str) -> Self:
        """A new member as the roster has them; says both states."""
        created = cls(
            id=member,
            tenant=tenant,
            **row.contact.model_dump(),
            directory=row.directory.model_copy(update={"manager": manager}),
            profile=row.profile,
            enrolled_on=at[:10] if row.profile.enrolled else None,
            roles=row.roles,
        )
        created.say(created._listing())
        created._say_profile()
        return created

    @property
    def entry(self) -> Directory:
        """The directory entry as everybody else learns it: in the time zone that the member chose, if they did."""
        chosen = self.regional.time_zone
        return self.directory.model_copy(update={"time_zone": chosen}) if chosen else self.directory

    @property
    def language(self) -> str:
        """What is written to the member is written in this."""
        return self.regional.language or next(iter(self.directory.languages), "en")

    def import_row(self, row: RosterRow, manager: str | None, at: str) -> Imported:
        """Take over what the roster says; says only the states that changed."""
        before, listed = self._content(), self._listing()
        for field, value in row.contact:
            setattr(self, field, value)
        self.roles = row.roles
        self.directory = row.directory.model_copy(update={"manager": manager})
        if not self.edited:
            self._set_profile(row.profile, at)
        self._say_listing_after(listed)
        return Imported.UNCHANGED if self._content() == before else Imported.UPDATED

    def edit_profile(self, profile: Profile, at: str, areas: Areas, functions: Iterable[str] = ()) -> None:
        """The member's own choice; from now on it stands against the roster's profile columns.

        Args:
            profile: what they chose.
            at: when.
            areas: those of the tenant; one that was there before may stay although it is no longer offered.
            functions: those of the directory; a wish that was there before may stay without being one of them.

        Raises:
            InvalidError: the profile names an area or function that cannot be chosen, or a number out of range.
            NotFoundError: the member was removed.
        """
        if self.removed:
            raise NotFoundError("This person is no longer a member.")
        profile.check(self.profile, areas, {*functions, *self.profile.wishes})
        self.edited, listed = True, self._listing()
        self._set_profile(profile, at)
        self._say_listing_after(listed)

    def choose_regional(self, regional: Regional) -> None:
        """The member's own language and time zone; they stand against the roster.

        Raises:
            NotFoundError: the member was removed.
        """
        if self.removed:
            raise NotFoundError("This person is no longer a member.")
        listed, self.regional = self._listing(), regional
        self._say_listing_after(listed)

    def take_part(self, programme: str, *, part: bool) -> None:
        """Take part in one programme or not; whether the member takes part in mentoring at all is another choice.

        Raises:
            InvalidError: there are too many already.
            NotFoundError: the member was removed.
        """
        if self.removed:
            raise NotFoundError("This person is no longer a member.")
        listed, others = self._listing(), tuple(each for each in self.left if each != programme)
        if not part and len(others) == MOST_LEFT:
            raise InvalidError(
                "You take no part in {most} programmes already. Take part in one of them again, "
                "or say in your profile that you take no part in mentoring.",
                most=MOST_LEFT,
            )
        self.left = others if part else (*others, programme)
        self._say_listing_after(listed)

    def link(self, identity: str) -> bool:
        """Tie the member to their first sign-in; False when they are tied to a different one."""
        if self.identity is None:
            self.identity = identity
        return self.identity == identity

    def remove(self) -> None:
        """Forget the person: tombstones on both topics; the document keeps only its id and sequences."""
        if self.removed:
            return
        self.removed, self.identity, self.roles = True, None, ()
        # Both stay unique without saying anything about the person.
        self.employee_id = self.email = f"removed:{self.id}"
        self.name = self.title = ""
        self.directory = Directory(level=1, unit="", country="", time_zone="UTC", joined="")
        self.profile, self.regional, self.left = Profile(), Regional(), ()
        self.enrolled_on = self.enrolled_until = None
        self.bury(DIRECTORY)
        self.bury(PROFILE)

    def _content(self) -> dict[str, object]:
        return self.model_dump()

    def _set_profile(self, profile: Profile, at: str) -> None:
        if profile == self.profile:
            return
        self.profile = profile
        if profile.enrolled:
            self.enrolled_on, self.enrolled_until = self.enrolled_on or at[:10], None
        elif self.enrolled_on:
            self.enrolled_until = self.enrolled_until or at[:10]
        self._say_profile()

    def _listing(self) -> DirectoryUpdated:
        """The entry as our own services read it. Since when and in what one takes part is nobody else's business."""
        return DirectoryUpdated(
            member=self.id,
            **self.entry.model_dump(),
            left=self.left,
            enrolled_on=self.enrolled_on,
            enrolled_until=self.enrolled_until,
        )

    def _say_listing_after(self, before: DirectoryUpdated) -> None:
        if (listing := self._listing()) != before:
            self.say(listing)

    def _say_profile(self) -> None:
        self.say(ProfileUpdated(member=self.id, **self.profile.model_dump()))
