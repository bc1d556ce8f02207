"""A member says what changed, and only that."""

import re

import pytest
from chassis.errors import InvalidError, NotFoundError
from chassis.state.aggregate import Tombstone
from contracts.envelope import Event
from contracts.profiles import MOST_LEFT, DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, PROFILE
from profile_rosters import a_row
from profiles.domain import Imported, Member, Profile, Regional, RosterRow
from profiles.rosters.columns import COLUMNS, layout_of
from profiles.rosters.roster import read_row
from profiles.taxonomy.areas import Change, Kind
from profiles.taxonomy.starter import STARTER

AT = "2026-10-05T21:15:00.000Z"


def row(**cells: str) -> RosterRow:
    """A checked row."""
    mapping = a_row("E1", **cells)
    found = read_row(2, layout_of(COLUMNS, None), [mapping.get(column, "") for column in COLUMNS], STARTER.known)
    assert isinstance(found, RosterRow)
    return found


def said(member: Member) -> list[Event | Tombstone]:
    """What the member recorded since last asked."""
    return member.take_uncommitted().said


@pytest.fixture
def member() -> Member:
    """A member whose creation has been told."""
    made = Member.from_row("m-1", "demo", row(), "m-0", AT)
    said(made)
    return made


def test_a_new_member_says_both_states() -> None:
    """The directory holds the manager's member id; neither state holds a name or an address."""
    told = row(function="field-sales", site="leeds-2", likes="legal", in_person="yes")
    first, second = said(Member.from_row("m-1", "demo", told, "m-0", AT))

    assert first == DirectoryUpdated(
        member="m-1",
        manager="m-0",
        level=3,
        unit="sales",
        country="DE",
        time_zone="Europe/Berlin",
        work_from=9,
        work_to=17,
        languages=("de", "en"),
        joined="2021-05",
        function="field-sales",
        site="leeds-2",
        enrolled_on="2026-10-05",
    )
    assert second == ProfileUpdated(
        member="m-1",
        enrolled=True,
        open_to_mentor=True,
        open_to_be_mentored=True,
        offers=("ai-tools", "cloud"),
        seeks=("generations",),
        mentor_capacity=1,
        mentee_capacity=1,
        wishes=("legal",),
        in_person=True,
    )


def test_the_same_row_again_says_nothing(member: Member) -> None:
    """Importing a roster twice is silent."""
    assert member.import_row(row(), "m-0", AT) is Imported.UNCHANGED
    assert said(member) == []


def test_a_new_name_changes_the_member_but_says_nothing(member: Member) -> None:
    """Contact details are nobody else's business."""
    assert member.import_row(row(name="Ana Silva-Costa"), "m-0", AT) is Imported.UPDATED
    assert said(member) == []
    assert member.name == "Ana Silva-Costa"


def test_a_new_manager_says_the_directory_alone(member: Member) -> None:
    """One part changed, one state is said."""
    assert member.import_row(row(), "m-9", AT) is Imported.UPDATED
    (event,) = said(member)
    assert isinstance(event, DirectoryUpdated)
    assert event.manager == "m-9"


def test_new_areas_in_the_roster_say_the_profile_alone(member: Member) -> None:
    """Until the member edits the profile, the roster's columns are followed."""
    member.import_row(row(offers="fintech"), "m-0", AT)
    (event,) = said(member)
    assert isinstance(event, ProfileUpdated)
    assert event.offers == ("fintech",)


def test_a_new_function_says_the_directory_and_a_new_wish_the_profile(member: Member) -> None:
    """Functions and sites are the organisation's facts; wishes are the person's."""
    member.import_row(row(function="legal", site="leeds-2"), "m-0", AT)
    member.import_row(row(function="legal", site="leeds-2", likes="finance"), "m-0", AT)

    entry, profile = said(member)

    assert isinstance(entry, DirectoryUpdated)
    assert (entry.function, entry.site) == ("legal", "leeds-2")
    assert isinstance(profile, ProfileUpdated)
    assert (profile.wishes, profile.in_person) == (("finance",), False)


def test_what_a_member_chose_stands_against_the_roster(member: Member) -> None:
    """After an edit the roster changes the directory only."""
    mine = Profile(offers=("neurodiversity",), open_to_mentor=True, enrolled=True)
    member.edit_profile(mine, AT, STARTER)
    said(member)

    outcome = member.import_row(row(offers="fintech", enrolled="no", level="4"), "m-0", AT)

    assert outcome is Imported.UPDATED
    assert member.profile == mine
    assert [type(event) for event in said(member)] == [DirectoryUpdated]


def test_since_when_somebody_takes_part_is_said_in_the_directory_by_days(member: Member) -> None:
    """The first day stays; the day of stopping comes and goes with taking part. Another change says neither again."""
    days: list[tuple[str | None, str | None]] = []
    for at, enrolled, in_person in (
        ("2026-10-19T08:00:00.000Z", False, False),
        ("2026-10-21T08:00:00.000Z", False, True),
        ("2026-11-02T08:00:00.000Z", True, True),
    ):
        member.edit_profile(Profile(enrolled=enrolled, in_person=in_person), at, STARTER)
        entries = [event for event in said(member) if isinstance(event, DirectoryUpdated)]
        days += [(entry.enrolled_on, entry.enrolled_until) for entry in entries]

    assert days == [("2026-10-05", "2026-10-19"), ("2026-10-05", None)]


def test_who_never_took_part_has_no_such_day() -> None:
    """Until they do: a roster may enrol somebody later."""
    member = Member.from_row("m-1", "demo", row(enrolled="no"), "m-0", AT)
    (first, _profile) = said(member)
    member.import_row(row(), "m-0", "2026-12-01T08:00:00.000Z")
    (then,) = [event for event in said(member) if isinstance(event, DirectoryUpdated)]

    assert isinstance(first, DirectoryUpdated)
    assert (first.enrolled_on, first.enrolled_until) == (None, None)
    assert (then.enrolled_on, then.enrolled_until) == ("2026-12-01", None)


def test_saving_an_unchanged_profile_says_nothing(member: Member) -> None:
    """Pressing save twice is not news."""
    member.edit_profile(member.profile, AT, STARTER)
    assert said(member) == []


@pytest.mark.parametrize(
    "profile",
    [
        Profile(offers=("witchcraft",)),
        Profile(seeks=("witchcraft",)),
        Profile(mentor_capacity=11),
        Profile(mentee_capacity=-1),
        Profile(offers=("ai-tools",) * 13),
        Profile(wishes=("witchcraft",)),
        Profile(wishes=("legal",) * 13),
    ],
)
def test_a_profile_that_no_programme_could_use_is_refused(member: Member, profile: Profile) -> None:
    """And the member stays as they were."""
    before = member.model_dump()
    with pytest.raises(InvalidError):
        member.edit_profile(profile, AT, STARTER, functions=["legal"])
    assert (member.model_dump(), said(member)) == (before, [])


def test_a_wish_may_stay_after_its_function_is_gone_and_no_other_comes(member: Member) -> None:
    """Whoever changes something else need not notice that the organisation renamed a function."""
    member.edit_profile(Profile(wishes=("legal",)), AT, STARTER, functions=["legal"])

    member.edit_profile(Profile(wishes=("legal",), in_person=True), AT, STARTER, functions=["law"])

    with pytest.raises(InvalidError, match="Nobody's function is 'sales'"):
        member.edit_profile(Profile(wishes=("legal", "sales")), AT, STARTER, functions=["law"])
    assert (member.profile.wishes, member.profile.in_person) == (("legal",), True)


def test_ones_own_time_zone_stands_in_the_directory_entry_and_against_the_roster(member: Member) -> None:
    """Other services learn the chosen zone; a new one in the roster is kept for when the choice is taken back."""
    member.choose_regional(Regional(time_zone="Asia/Tokyo"))
    (chosen,) = said(member)
    assert isinstance(chosen, DirectoryUpdated)
    assert (chosen.time_zone, chosen.level, chosen.manager) == ("Asia/Tokyo", 3, "m-0")

    assert member.import_row(row(time_zone="Europe/Paris"), "m-0", AT) is Imported.UPDATED
    assert said(member) == []
    assert member.import_row(row(time_zone="Europe/Paris", level="4"), "m-0", AT) is Imported.UPDATED
    (moved,) = said(member)
    assert isinstance(moved, DirectoryUpdated)
    assert (moved.time_zone, moved.level) == ("Asia/Tokyo", 4)

    member.choose_regional(Regional())
    (back,) = said(member)
    assert isinstance(back, DirectoryUpdated)
    assert back.time_zone == "Europe/Paris"


def test_a_programme_that_one_left_stands_in_the_entry_and_against_the_roster(member: Member) -> None:
    """Saying it again says nothing; the roster cannot take it back; taking part again does."""
    member.take_part("p-1", part=False)
    member.take_part("p-1", part=False)
    (left,) = said(member)
    assert isinstance(left, DirectoryUpdated)
    assert left.left == ("p-1",)

    assert member.import_row(row(level="4"), "m-0", AT) is Imported.UPDATED
    (moved,) = said(member)
    assert isinstance(moved, DirectoryUpdated)
    assert (moved.left, moved.level) == (("p-1",), 4)

    member.take_part("p-1", part=True)
    (back,) = said(member)
    assert isinstance(back, DirectoryUpdated)
    assert back.left == ()


def test_there_is_an_end_to_programmes_that_one_can_leave(member: Member) -> None:
    """One more than fits is refused with what to do; what was chosen before stays."""
    for number in range(MOST_LEFT):
        member.take_part(f"p-{number}", part=False)
    with pytest.raises(InvalidError, match="take no part in 50 programmes already"):
        member.take_part("p-one-more", part=False)
    member.take_part("p-0", part=True)
    member.take_part("p-one-more", part=False)
    assert len(member.left) == MOST_LEFT


def test_ones_own_language_is_for_reading_alone(member: Member) -> None:
    """Mail follows it; the languages that colleagues could meet in stay the directory's."""
    assert member.language == "de"
    member.choose_regional(Regional(language="en"))
    assert (member.language, member.entry.languages, said(member)) == ("en", ("de", "en"), [])


def test_removal_leaves_tombstones_and_no_trace_of_the_person(member: Member) -> None:
    """The document keeps only its id; a second removal and a later edit do nothing."""
    member.link("https://idp.example|ana")
    member.choose_regional(Regional(language="pt", time_zone="Atlantic/Azores"))
    member.import_row(row(function="field-sales", site="leeds-2", likes="legal", in_person="yes"), "m-0", AT)
    said(member)
    member.remove()

    assert said(member) == [Tombstone(DIRECTORY), Tombstone(PROFILE)]
    assert not {"field-sales", "leeds-2", "legal"} & set(re.findall(r'"([^"]*)"', member.model_dump_json()))
    assert not member.profile.in_person
    assert "Azores" not in member.model_dump_json()
    assert "e1@demo.example" not in member.model_dump_json()
    assert "Name E1" not in member.model_dump_json()
    assert member.identity is None
    member.remove()
    assert said(member) == []
    with pytest.raises(NotFoundError):
        member.edit_profile(Profile(), AT, STARTER)
    with pytest.raises(NotFoundError):
        member.choose_regional(Regional(time_zone="Asia/Tokyo"))


def test_a_member_is_linked_to_one_identity_for_good(member: Member) -> None:
    """The first sign-in links; the same one passes again; another with the same address does not."""
    assert member.link("https://idp.example|ana")
    assert member.link("https://idp.example|ana")
    assert not member.link("https://idp.example|someone-else")
    assert member.identity == "https://idp.example|ana"


def test_a_retired_area_may_stay_where_it_stands_and_nowhere_else(member: Member) -> None:
    """Whoever shares it goes on; seeking it, and sharing it as somebody new, is refused in a sentence."""
    retired = STARTER.after(Change(kind=Kind.AREA_RETIRED, code="cloud"))

    member.edit_profile(Profile(offers=("cloud", "fintech")), AT, retired)

    assert member.profile.offers == ("cloud", "fintech")
    with pytest.raises(InvalidError, match="'cloud' is no longer offered"):
        member.edit_profile(Profile(offers=("cloud",), seeks=("cloud",)), AT, retired)
    member.edit_profile(Profile(offers=("fintech",)), AT, retired)
    with pytest.raises(InvalidError, match="'cloud' is no longer offered"):
        member.edit_profile(Profile(offers=("cloud", "fintech")), AT, retired)
