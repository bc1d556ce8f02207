"""Wall clocks and moments: what clocks skip, what they show twice, what is too late or too far, and links."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from chassis.errors import InvalidError
from hypothesis import given
from hypothesis import strategies as st
from matching.domain.times import ArrangedSession, LocalTime, video_link

NOW = "2026-03-03T10:00:00.000Z"
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
minutes = st.integers(0, 24 * 366 * 24 * 60).map(
    lambda count: datetime.fromisoformat("2011-01-01T00:00") + timedelta(minutes=count)
)


def at(wall: str, zone: str = "Europe/Berlin") -> LocalTime:
    return LocalTime.of(datetime.fromisoformat(wall), zone)


def test_a_wall_clock_gives_its_moment() -> None:
    """Ten in the morning in Berlin is nine in winter's UTC and eight in summer's; seconds do not count."""
    assert at("2026-03-10 10:00:59").model_dump() == {
        "local": "2026-03-10T10:00",
        "zone": "Europe/Berlin",
        "at": "2026-03-10T09:00:00.000Z",
    }
    assert at("2026-07-10 10:00").at == "2026-07-10T08:00:00.000Z"


@pytest.mark.parametrize(
    ("wall", "zone", "next_one"),
    [
        ("2026-03-29 02:00", "Europe/Berlin", "29 March 2026, 03:00"),
        ("2026-03-29 02:59", "Europe/Berlin", "29 March 2026, 03:00"),
        ("2026-10-04 02:15", "Australia/Lord_Howe", "4 October 2026, 02:30"),
        ("2011-12-30 12:00", "Pacific/Apia", "31 December 2011, 00:00"),
    ],
)
def test_a_time_that_clocks_skip_is_refused_and_the_next_one_named(wall: str, zone: str, next_one: str) -> None:
    """An hour in Berlin, half of one on Lord Howe, a whole day when Samoa moved over the date line."""
    with pytest.raises(InvalidError, match=f"The next time that does is {next_one}.$"):
        at(wall, zone)


def test_of_a_time_that_comes_twice_the_first_is_taken() -> None:
    """Half past two on 25 October is first in summer time, two hours ahead of UTC."""
    assert at("2026-10-25 02:30").at == "2026-10-25T00:30:00.000Z"
    assert at("2026-10-25 03:00").at == "2026-10-25T02:00:00.000Z"


@given(minutes, st.sampled_from(ZONES))
def test_every_minute_is_shown_by_its_clock_or_refused(wall: datetime, zone: str) -> None:
    """A moment read off the zone's clock is the wall time that it came from, and no earlier moment shows it."""
    there = ZoneInfo(zone)
    shown = {wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)}
    moments = sorted(each for each in shown if each.astimezone(there).replace(tzinfo=None) == wall)
    if not moments:
        with pytest.raises(InvalidError):
            LocalTime.of(wall, zone)
    else:
        assert datetime.fromisoformat(LocalTime.of(wall, zone).at) == moments[0]


@pytest.mark.parametrize(
    ("wall", "words"),
    [
        ("2026-03-03 11:00", "3 March 2026, 11:00 has passed"),
        ("2027-03-03 11:01", "3 March 2027, 11:01 is more than a year ahead"),
    ],
)
def test_what_has_passed_or_lies_too_far_is_refused(wall: str, words: str) -> None:
    """The present minute is over; 365 days from now can be planned, a minute more can't."""
    with pytest.raises(InvalidError, match=words):
        at(wall).must_be_possible(NOW)
    for fine in ("2026-03-03 11:01", "2027-03-03 11:00"):
        at(fine).must_be_possible(NOW)


def test_a_year_that_no_calendar_reaches_is_refused_in_words() -> None:
    """The end of year 9999 west of Greenwich is no moment any more."""
    with pytest.raises(InvalidError, match="twelve months"):
        at("9999-12-31 23:59", "America/New_York")


@given(st.integers(-200, 200), st.integers(15, 180), st.integers(15, 180))
def test_two_sessions_overlap_when_a_minute_belongs_to_both(gap: int, first: int, second: int) -> None:
    """One that begins when the other ends does not."""
    begins = datetime(2026, 3, 10, 12, tzinfo=UTC)
    one = ArrangedSession(id="s", time=LocalTime.of(begins, "UTC"), minutes=first)
    other = LocalTime.of(begins + timedelta(minutes=gap), "UTC")
    assert one.meets(other, second) == bool({*range(first)} & {*range(gap, gap + second)})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  ", ""),
        (" https://meet.example/abc?pwd=x ", "https://meet.example/abc?pwd=x"),
        ("HTTPS://Call.example", "https://call.example/"),
        ("https://münchen.example/1", "https://xn--mnchen-3ya.example/1"),
    ],
)
def test_a_link_is_an_https_address_of_any_vendor(typed: str, kept: str) -> None:
    """It is kept as a browser would read it, so that a look-alike name shows."""
    assert video_link(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "http://meet.example/abc",
        "javascript:alert(1)",
        "meet.example/abc",
        "https://",
        "https://zoom.example@evil.example/",
        "https://meet.example/" + "a" * 500,
        "data:text/html,x",
    ],
)
def test_anything_else_is_refused_in_a_sentence(typed: str) -> None:
    """Neither another scheme, nor a name before the address that only looks like one."""
    with pytest.raises(InvalidError, match="begins with https://"):
        video_link(typed)
