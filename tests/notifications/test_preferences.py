"""What a member may choose, and when quiet ends by the clock on their wall; all in memory."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from chassis.errors import InvalidError
from hypothesis import given
from hypothesis import strategies as st
from notifications.domain.notice import AWAITING, MAILED, Kind
from notifications.kinds import NAMES
from notifications.preferences import SWITCHABLE, Channel, Choice, Preferences, Quiet, QuietHours
from pydantic import ValidationError

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana"]
NIGHT = Quiet(hours=QuietHours(begins=time(20), ends=time(7)))
WEEKEND = Quiet(days=(6, 7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def minutes() -> st.SearchStrategy[time]:
    return st.builds(time, st.integers(0, 23), st.integers(0, 59))


@st.composite
def quiets(draw: st.DrawFn) -> Quiet:
    """Anything that may be chosen."""
    begins, ends = draw(minutes()), draw(minutes())
    hours = QuietHours(begins=begins, ends=ends) if begins != ends and draw(st.booleans()) else None
    return Quiet(hours=hours, days=tuple(sorted(draw(st.sets(st.integers(1, 7), max_size=6)))))


def quiet_by_hand(quiet: Quiet, local: datetime) -> bool:
    """The same question, asked by counting the minutes of a day."""
    if local.isoweekday() in quiet.days:
        return True
    if quiet.hours is None:
        return False
    now, begins, ends = (each.hour * 60 + each.minute for each in (local, quiet.hours.begins, quiet.hours.ends))
    return (now - begins) % 1440 < (ends - begins) % 1440


def test_every_kind_has_a_name_that_members_can_choose_by() -> None:
    """A new kind appears on the page, in the API and below its mails once it has words."""
    missing = {f"Kind.{kind.name}" for kind in set(Kind) - set(NAMES)}
    assert not missing, f"Say in notifications/kinds.py, NAMES, what members call {', '.join(sorted(missing))}"
    assert len(set(NAMES.values())) == len(NAMES)


def test_everything_can_be_switched_off_except_questions_in_the_inbox() -> None:
    """Worked out from the kinds themselves, so that a new one has its switches by itself."""
    assert set(SWITCHABLE[Channel.MAIL]) == set(MAILED)
    assert set(SWITCHABLE[Channel.INBOX]) == set(Kind) - AWAITING


def test_without_a_choice_everything_comes_at_any_hour() -> None:
    """What happens to whoever never opens the page."""
    nobody = Preferences.none_yet("acme", "mia")
    assert all(nobody.allows(kind, channel) for kind in Kind for channel in Channel)
    assert nobody.quiet.until(at("2026-03-02T03:00"), BERLIN) is None


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, "2026-03-02T18:59", None),
        (NIGHT, "2026-03-02T19:00", "2026-03-03T06:00"),
        (NIGHT, "2026-03-02T23:30:07", "2026-03-03T06:00"),
        (NIGHT, "2026-03-03T05:59:59", "2026-03-03T06:00"),
        (NIGHT, "2026-03-03T06:00", None),
        (Quiet(hours=QuietHours(begins=time(12), ends=time(13))), "2026-03-03T11:30", "2026-03-03T12:00"),
        (WEEKEND, "2026-02-27T22:59", None),
        (WEEKEND, "2026-02-28T12:00", "2026-03-01T23:00"),
        (Quiet(hours=NIGHT.hours, days=(6, 7)), "2026-02-27T20:00", "2026-03-02T06:00"),
        (Quiet(days=(1, 2, 3, 4, 5, 6)), "2026-03-01T23:00", "2026-03-07T23:00"),
    ],
)
def test_quiet_ends_by_the_members_own_clock(quiet: Quiet, now: str, until: str | None) -> None:
    """In Berlin's winter, an hour ahead: nights go past midnight, and a weekend joins the nights beside it."""
    assert quiet.until(at(now), BERLIN) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("begins", "ends", "now", "until"),
    [
        # On 29 March 2026 the clocks go from 02:00 straight to 03:00, and 07:00 is at 05:00 UTC.
        ("20:00", "07:00", "2026-03-28T22:00", "2026-03-29T05:00"),
        # 02:30 does not come that night: what would end then is over when the clocks show 03:00.
        ("22:00", "02:30", "2026-03-28T23:00", "2026-03-29T01:00"),
        # On 25 October 2026 they go from 03:00 back to 02:00, so the night is an hour longer.
        ("20:00", "07:00", "2026-10-24T20:00", "2026-10-25T06:00"),
        # 02:30 comes twice: after the first one it is 02:00 again, and quiet until the second.
        ("22:00", "02:30", "2026-10-24T23:00", "2026-10-25T00:30"),
        ("22:00", "02:30", "2026-10-25T01:10", "2026-10-25T01:30"),
    ],
)
def test_quiet_follows_the_clocks_when_they_change(begins: str, ends: str, now: str, until: str) -> None:
    """Spring and autumn in Berlin."""
    hours = QuietHours(begins=time.fromisoformat(begins), ends=time.fromisoformat(ends))
    assert Quiet(hours=hours).until(at(now), BERLIN) == at(until)


@given(
    quiet=quiets(),
    now=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda each: each.replace(tzinfo=UTC)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_a_mail_never_goes_out_in_quiet_and_waits_no_longer_than_that(
    quiet: Quiet, now: datetime, zone: ZoneInfo
) -> None:
    """Whatever is chosen, wherever, on whatever day: it ends, the end is not quiet, and all before it is."""
    until = quiet.until(now, zone)
    assert (until is not None) == quiet_by_hand(quiet, now.astimezone(zone))
    if until is not None:
        assert now < until <= now + timedelta(days=8)
        assert not quiet_by_hand(quiet, until.astimezone(zone))
        assert quiet_by_hand(quiet, (until - timedelta(seconds=1)).astimezone(zone))
        quarters = range(int((until - now) / timedelta(minutes=15)))
        assert all(quiet_by_hand(quiet, (now + timedelta(minutes=15 * each)).astimezone(zone)) for each in quarters)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(quiet=Quiet(hours=QuietHours(begins=time(7), ends=time(7)))), "another time"),
        (Choice(quiet=Quiet(days=(1, 2, 3, 4, 5, 6, 7))), "at least one day"),
        (Choice(off={Channel.INBOX: (Kind.MATCH_PROPOSED,)}), "asks for an answer"),
        (Choice(off={Channel.MAIL: (Kind.MATCH_ACCEPTED,)}), "not every kind comes by mail"),
    ],
)
def test_what_cannot_be_chosen_changes_nothing(choice: Choice, words: str) -> None:
    """And the sentence says why."""
    mine = Preferences.none_yet("acme", "mia")
    mine.choose(Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)}, quiet=WEEKEND))
    before = mine.model_dump()
    with pytest.raises(InvalidError, match=words):
        mine.choose(choice)
    assert mine.model_dump() == before


@pytest.mark.parametrize("text", ["20:00:30", "20:00+01:00", "24:00", "noon"])
def test_quiet_hours_are_whole_minutes_on_the_wall(text: str) -> None:
    """A zone of their own would contradict the member's."""
    with pytest.raises(ValidationError):
        QuietHours.model_validate({"begins": text, "ends": "07:00"})


def test_a_choice_reads_back_as_it_was_made() -> None:
    """Through the stored form as well, where times stand as people write them."""
    choice = Choice(off={Channel.INBOX: (Kind.SESSION_HELD,), Channel.MAIL: (Kind.MATCH_PROPOSED,)}, quiet=NIGHT)
    mine = Preferences.none_yet("acme", "mia")
    mine.choose(choice)
    stored = mine.model_dump(mode="json", by_alias=True)
    assert Preferences.model_validate(stored).choice == choice
    assert stored["quiet"] == {"hours": {"begins": "20:00", "ends": "07:00"}, "days": []}


def test_a_kind_of_a_newer_release_does_no_harm() -> None:
    """A release that is taken back finds the preferences readable."""
    mine = Preferences.model_validate(
        {
            "_id": "mia",
            "tenant": "acme",
            "off": {"mail": ["pigeon-arrived", "match-proposed"], "chat": ["match-closed"]},
        }
    )
    assert mine.choice.off == {Channel.INBOX: (), Channel.MAIL: (Kind.MATCH_PROPOSED,)}


def test_the_inbox_shows_questions_even_if_they_were_stored_as_off() -> None:
    """A kind that begins to ask for an answer comes back to whoever had switched it off."""
    mine = Preferences.model_validate({"_id": "mia", "tenant": "acme", "off": {"inbox": ["match-proposed"]}})
    assert mine.allows(Kind.MATCH_PROPOSED, Channel.INBOX)


def test_a_mails_own_way_out_works_until_one_chooses_anew() -> None:
    """It switches off one kind; again it changes nothing; switched on again by the member, the old one is spent."""
    mine = Preferences.none_yet("acme", "mia")
    mine.choose(Choice(quiet=NIGHT))
    old = mine.round_of(Kind.MATCH_PROPOSED)
    assert mine.unsubscribe(Kind.MATCH_PROPOSED, old)
    assert mine.unsubscribe(Kind.MATCH_PROPOSED, old)
    assert mine.choice == Choice(off={Channel.INBOX: (), Channel.MAIL: (Kind.MATCH_PROPOSED,)}, quiet=NIGHT)

    mine.choose(Choice(quiet=NIGHT))
    assert not mine.unsubscribe(Kind.MATCH_PROPOSED, old)
    assert mine.allows(Kind.MATCH_PROPOSED, Channel.MAIL)
    assert mine.unsubscribe(Kind.ANSWER_AWAITED, mine.round_of(Kind.ANSWER_AWAITED))
    assert mine.unsubscribe(Kind.MATCH_PROPOSED, mine.round_of(Kind.MATCH_PROPOSED))


@given(st.lists(st.sampled_from(["off", "on", "old link", "new link"]), max_size=12))
def test_a_link_never_undoes_a_later_choice(steps: list[str]) -> None:
    """Whatever happens in between, the link of a mail from before the last time of switching on changes nothing."""
    mine, link, on = Preferences.none_yet("acme", "mia"), 0, True
    for before, step in pairwise(["", *steps]):
        if step in {"on", "off"}:
            mine.choose(Choice(off={Channel.MAIL: (Kind.MATCH_PROPOSED,)} if step == "off" else {}))
            on = step == "on"
        elif step == "new link":
            link = mine.round_of(Kind.MATCH_PROPOSED)
        elif mine.unsubscribe(Kind.MATCH_PROPOSED, link):
            on = False
        elif before == "new link":
            pytest.fail("the link of a mail that was just sent must work")
        assert mine.allows(Kind.MATCH_PROPOSED, Channel.MAIL) is on
