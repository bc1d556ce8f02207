"""The time zone of whoever reads: a page's stands in the person's cookie, a mail's comes with the address.

In a request `chassis.web.http` has chosen; a mail is written inside ``with zones.reading_in("Europe/Berlin"):``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

ZONE_COOKIE: Final = "turnabout_time_zone"
_UTC: Final = ZoneInfo("UTC")
_current: ContextVar[ZoneInfo] = ContextVar("time_zone", default=_UTC)


def current() -> ZoneInfo:
    """The zone of this request or mail, or UTC."""
    return _current.get()


@cache
def known() -> frozenset[str]:
    """Names of the zones that a person may live in."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def named(name: str) -> ZoneInfo:
    """The zone of this name; UTC for what is none, since a cookie can hold anything."""
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):  # a path, an unknown name, or the folder of a continent
        return _UTC


@contextmanager
def reading_in(name: str) -> Iterator[ZoneInfo]:
    """Tell times in this zone inside the block."""
    token = _current.set(named(name))
    try:
        yield _current.get()
    finally:
        _current.reset(token)
