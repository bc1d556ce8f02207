"""One entry of a calendar: as a file to keep (RFC 5545), or as the part of a mail that calendars act upon (RFC 5546).

A calendar knows an entry again by its `uid` and takes the one with the highest `version`, whatever arrives first. An
entry names nobody but the person whose calendar it is for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from icalendar import Calendar, Event, Timezone, vCalAddress, vUri


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in the calendar. `starts` is aware: its zone is the one whose wall clock counts."""

    uid: str
    version: int
    starts: datetime
    minutes: int
    summary: str
    description: str
    page: str
    place: str = ""
    cancelled: bool = False

    @property
    def method(self) -> str:
        """What a mail asks of a calendar."""
        return "CANCEL" if self.cancelled else "REQUEST"


def uid(name: str, public_url: str) -> str:
    """The id of an entry among the entries of everybody."""
    return f"{name}@{urlsplit(public_url).hostname or 'localhost'}"


def as_file(entry: Entry, stamped: datetime) -> bytes:
    """The entry to keep."""
    return _calendar(_event(entry, stamped), None)


def as_invitation(entry: Entry, stamped: datetime, *, organiser: str, reader: str) -> bytes:
    """The entry as a mail carries it to one reader, who has agreed to it already and need not answer.

    Args:
        entry: what stands in the calendar.
        stamped: when this was written.
        organiser: who sends it, as a header of a mail has it.
        reader: the address of the one whom the mail is for.
    """
    event = _event(entry, stamped)
    name, address = parseaddr(organiser)
    event.add("organizer", vCalAddress(f"mailto:{address}"), parameters={"CN": name} if name else {})
    agreed = {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    event.add("attendee", vCalAddress(f"mailto:{reader}"), parameters=agreed)
    return _calendar(event, entry.method)


def _event(entry: Entry, stamped: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", stamped)
    event.add("sequence", entry.version)
    event.add("dtstart", entry.starts)
    # Not an end by the wall clock: where clocks go back, that could be read as one before the start.
    event.add("duration", timedelta(minutes=entry.minutes))
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("url", vUri(entry.page))
    if entry.place:
        event.add("location", entry.place)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    # Colleagues who may look into a calendar see that somebody is busy, and not with what.
    event.add("class", "PRIVATE")
    return event


def _calendar(event: Event, method: str | None) -> bytes:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Turnabout//Sessions//EN")
    if method is not None:
        calendar.add("method", method)
    calendar.add_component(event)
    year = event.start.year
    calendar.add_missing_timezones(date(year - 1, 1, 1), date(year + 1, 12, 31))
    for zone in calendar.timezones:
        _begin_as_clocks_show_it(zone)
    written: bytes = calendar.to_ical()
    return written


def _begin_as_clocks_show_it(zone: Timezone) -> None:
    """Say when clocks go forward in the time that they show until then, as RFC 5545 asks; the library says it after."""
    for part in zone.subcomponents:
        skipped = part.TZOFFSETTO - part.TZOFFSETFROM
        if skipped > timedelta():
            begins = [part.DTSTART, *(begin for begin, _ in part.rdates)]
            part.DTSTART, *later = [moment - skipped for moment in begins]
            part.pop("rdate", None)
            if later:
                part.add("rdate", later)
