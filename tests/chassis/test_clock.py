"""One clock, which a local stack can shift."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from chassis.ids import new_id, new_member_id
from chassis.settings import Settings

from chassis import clock

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clock file that this process follows, looked at every time."""
    monkeypatch.setattr(clock, "_LOOK_AGAIN_SECONDS", 0.0)
    path = tmp_path / "clock"
    clock.configure(Settings(clock_file=path))
    yield path
    clock.configure(Settings())


def write(path: Path, text: str, version: int) -> None:
    """Write the file with a modification time of its own, since a test is faster than a file system's clock."""
    path.write_text(text)
    os.utime(path, ns=(version, version))


def off_by() -> timedelta:
    """How far the product's time is from the machine's."""
    return clock.now() - datetime.now(UTC)  # noqa: TID251, RUF100 - the machine's time is the expectation


def test_without_a_clock_file_it_is_the_machines_time() -> None:
    """Aware, in UTC, and now."""
    clock.configure(Settings())
    assert clock.now().tzinfo is UTC
    assert abs(off_by()) < MINUTE


def test_the_clock_file_shifts_time_while_the_process_runs(shift: Path) -> None:
    """Months can be shown in a minute, forwards and back, and an absent file is no shift."""
    assert abs(off_by()) < MINUTE
    write(shift, "2592000", 1)
    assert abs(off_by() - timedelta(days=30)) < MINUTE
    write(shift, "-3600.5\n", 2)
    assert abs(off_by() + timedelta(hours=1)) < MINUTE
    shift.unlink()
    assert abs(off_by()) < MINUTE


def test_a_half_written_clock_file_changes_nothing(shift: Path) -> None:
    """Time doesn't jump back for an instant while somebody writes the file."""
    write(shift, "86400", 1)
    assert abs(off_by() - timedelta(days=1)) < MINUTE
    for number, text in enumerate(("", "tomorrow", "1e99"), start=2):
        write(shift, text, number)
        if text:
            assert abs(off_by() - timedelta(days=1)) < MINUTE, text
    write(shift, "172800", 9)
    assert abs(off_by() - timedelta(days=2)) < MINUTE


def test_the_machinery_is_not_shifted(shift: Path) -> None:
    """Heartbeats and sweeps go on at their own pace."""
    write(shift, "2592000", 1)
    assert clock.now().timestamp() - clock.real_ms() / 1000 > 2_591_000
    assert clock.parse(clock.real_timestamp()) < clock.now() - timedelta(days=29)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    """One form everywhere, so that text sorts as time."""
    berlin = datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert clock.rfc3339(berlin) == "2026-07-01T08:00:00.123Z"
    assert clock.from_unix_ns(1_767_225_600_000_250_000).startswith("2026-01-01T00:00:00.00025")
    assert len(clock.timestamp()) == len("2026-07-01T08:00:00.123Z")
    assert clock.today().isoformat() == clock.timestamp()[:10]


def test_times_are_read_with_their_zone() -> None:
    """What has no zone is refused instead of guessed."""
    assert clock.parse("2026-07-01T10:00:00+02:00") == datetime(2026, 7, 1, 8, tzinfo=UTC)
    for text in ("2026-07-01T10:00:00", "2026-07-01", "soon"):
        with pytest.raises(ValueError, match=r".+"):
            clock.parse(text)


def test_ids_of_events_sort_by_time_and_ids_of_people_do_not() -> None:
    """UUIDv7 for what has an order; UUIDv4 for members, whose joining nobody should see."""
    made = [new_id() for _ in range(200)]
    assert made == sorted(made)
    assert len(set(made)) == 200
    assert {text[14] for text in made} == {"7"}
    members = [new_member_id() for _ in range(200)]
    assert members != sorted(members)
    assert {text[14] for text in members} == {"4"}


def test_those_who_wait_come_back_at_different_times() -> None:
    """Within the upper half of the pause, or within all of it."""
    some, any_ = ([clock.jittered(8, least=least) for _ in range(100)] for least in (0.5, 0))
    assert all(4 <= pause <= 8 for pause in some)
    assert all(0 <= pause <= 8 for pause in any_)
    assert len({*some}) > 1
    assert min(any_) < 4
