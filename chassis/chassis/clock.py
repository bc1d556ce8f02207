"""The only place that asks what time it is.

On a local stack a *clock file* shifts the time of all processes alike, so that months can be shown and tested: it
holds one number, the seconds to add. Settings refuse the file anywhere else. `real_ms` is never shifted: it paces
the machinery (heartbeats, sweeps), which must not jump when people's time does.
"""

import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

_LOOK_AGAIN_SECONDS: Final = 0.5


class ClockSettings(Protocol):
    """The settings that the clock needs."""

    @property
    def clock_file(self) -> Path | None:
        """Where the seconds to add stand, on a local stack."""


class _Shift:
    """The offset in the clock file, read again when the file changed, at most twice a second."""

    def __init__(self) -> None:
        self.follow(None)

    def follow(self, path: Path | None) -> None:
        self._path = path
        self._offset = timedelta()
        self._changed_at = -1
        self._look_again_at = 0.0

    def offset(self) -> timedelta:
        if self._path is not None and time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + _LOOK_AGAIN_SECONDS
            self._look(self._path)
        return self._offset

    def _look(self, path: Path) -> None:
        try:
            changed_at = path.stat().st_mtime_ns
            if changed_at != self._changed_at:
                self._offset = timedelta(seconds=float(path.read_text().strip() or "0"))
                self._changed_at = changed_at
        except FileNotFoundError:
            self._offset, self._changed_at = timedelta(), -1
        except (OSError, ValueError, OverflowError):
            # A half-written file is read again next time; until then the offset stays what it was.
            self._changed_at = -1


_shift = _Shift()


def configure(settings: ClockSettings) -> None:
    """Follow the clock file of a local stack; without one the time is the machine's."""
    _shift.follow(settings.clock_file)


def now() -> datetime:
    """The time for people and events: aware, UTC, shifted by the clock file."""
    return datetime.now(UTC) + _shift.offset()


def today() -> date:
    """The calendar day of `now` in UTC."""
    return now().date()


def timestamp() -> str:
    """`now` as RFC 3339 with milliseconds, for example ``2026-11-25T08:30:00.000Z``."""
    return rfc3339(now())


def rfc3339(moment: datetime) -> str:
    """Write an aware time the way `timestamp` does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """Read an RFC 3339 time with zone, in UTC.

    Raises:
        ValueError: it is no such time, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone could be any of 26 hours")
    return moment.astimezone(UTC)


def real_ms() -> int:
    """Unix milliseconds of the machine, never shifted."""
    return time.time_ns() // 1_000_000


def real_timestamp() -> str:
    """The machine's time as `timestamp` writes it: for logs, which operators compare with other systems'."""
    return rfc3339(datetime.now(UTC))


def from_unix_ns(nanoseconds: int) -> str:
    """Write a machine time in nanoseconds as RFC 3339 with microseconds."""
    moment = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def jittered(seconds: float, *, least: float = 0.5) -> float:
    """A pause of at most so many seconds and at least this share of them: those who wait don't all come at once."""
    return seconds * random.uniform(least, 1)  # noqa: S311 - nobody gains by guessing it
