"""Calendar entries, read by another library than the one that writes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from chassis.web.calendar import Entry, as_file, as_invitation, uid
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event, EventStatus
from ical.timezone import IcsTimezoneInfo

STAMPED = datetime(2026, 3, 1, 8, tzinfo=UTC)
ENTRY = Entry(
    uid="s-1@turnabout.example",
    version=0,
    starts=datetime(2026, 3, 10, 10, tzinfo=ZoneInfo("Europe/Berlin")),
    minutes=50,
    summary="Mentoring session: you mentor",
    description="Your role: mentor, you share what you know.\nFocus: KI-Werkzeuge, Übung; mehr",
    page="https://turnabout.example/mentorships/m-1",
    place="https://meet.example/j/1?a=b,c;d",
)


def read(written: bytes) -> Calendar:
    return IcsCalendarStream.calendar_from_ics(written.decode())


def start(event: Event) -> datetime:
    assert isinstance(event.start, datetime)
    return event.start


def invited(entry: Entry) -> Calendar:
    return read(as_invitation(entry, STAMPED, organiser="Turnabout <out@turnabout.example>", reader="mia@demo.example"))


def test_a_file_holds_one_private_entry_with_its_time_zone() -> None:
    """Ten o'clock in Berlin for fifty minutes; texts arrive as they were, and a file asks for nothing."""
    calendar = read(as_file(ENTRY, STAMPED))
    (event,) = calendar.events
    assert (calendar.method, event.attendees, event.organizer) == (None, [], None)
    assert (event.uid, event.sequence, event.dtstamp) == (ENTRY.uid, 0, STAMPED)
    assert (event.summary, event.description, event.location) == (ENTRY.summary, ENTRY.description, ENTRY.place)
    assert start(event) == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert str(start(event).tzinfo) == "Europe/Berlin"
    assert event.end - event.start == timedelta(minutes=50)
    assert event.url is not None
    assert (str(event.url), event.classification) == (ENTRY.page, "PRIVATE")


def test_an_invitation_names_its_reader_alone_who_has_agreed() -> None:
    """Turnabout invites, one person is asked, and calendars need not send an answer."""
    calendar = invited(ENTRY)
    (event,) = calendar.events
    (reader,) = event.attendees
    assert event.organizer is not None
    assert calendar.method == "REQUEST"
    assert (str(event.organizer.uri), event.organizer.common_name) == ("mailto:out@turnabout.example", "Turnabout")
    assert (str(reader.uri), reader.status, reader.rsvp) == ("mailto:mia@demo.example", "ACCEPTED", False)


def test_an_update_and_a_cancellation_follow_under_the_same_id() -> None:
    """A higher sequence each; the last one takes the entry out."""
    moved = replace(ENTRY, version=1, starts=ENTRY.starts + timedelta(days=1))
    off = replace(moved, version=2, cancelled=True)
    told = [(each.method, each.events[0]) for each in map(invited, (ENTRY, moved, off))]
    assert [(method, event.uid, event.sequence, event.status) for method, event in told] == [
        ("REQUEST", ENTRY.uid, 0, EventStatus.CONFIRMED),
        ("REQUEST", ENTRY.uid, 1, EventStatus.CONFIRMED),
        ("CANCEL", ENTRY.uid, 2, EventStatus.CANCELLED),
    ]
    assert [start(event).astimezone(UTC).day for _, event in told] == [10, 11, 11]


@pytest.mark.parametrize(
    ("wall", "offset"),
    [("2026-03-29 03:30", 2), ("2026-07-01 12:00", 2), ("2026-10-25 02:30", 2), ("2026-10-25 03:30", 1)],
)
def test_the_file_itself_says_when_clocks_change(wall: str, offset: int) -> None:
    """Who knows no "Europe/Berlin" reads its rules in the file, from the first minute after the change on."""
    (zone,) = read(as_file(ENTRY, STAMPED)).timezones
    there = IcsTimezoneInfo.from_timezone(zone)
    assert datetime.fromisoformat(wall).replace(tzinfo=there).utcoffset() == timedelta(hours=offset)


def test_a_session_through_the_end_of_summer_time_is_as_long_as_any_other() -> None:
    """From half past two in summer time for 50 minutes: it ends at twenty past two, in winter time."""
    entry = replace(ENTRY, starts=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")))
    (event,) = invited(entry).events
    assert start(event).astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert event.duration == timedelta(minutes=50)


def test_a_zone_without_rules_needs_none() -> None:
    """Coordinated universal time is known to every calendar."""
    calendar = read(as_file(replace(ENTRY, starts=datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("UTC"))), STAMPED))
    assert calendar.timezones == []
    assert calendar.events[0].start == datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_ids_of_entries_are_of_the_host_that_people_visit() -> None:
    """Two installations never mean the same entry."""
    assert uid("s-1", "https://turnabout.example:8443/") == "s-1@turnabout.example"
