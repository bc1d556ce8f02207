"""When two people meet: what a wall clock shows somewhere, and the moment that this is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from chassis.errors import InvalidError
from contracts.matching import Side
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter, UrlConstraints, ValidationError

MOST_TIMES: Final = 3
LONGEST_AHEAD: Final = timedelta(days=365)
_LONGEST_LINK: Final = 500
_LINK: Final = TypeAdapter(
    Annotated[AnyUrl, UrlConstraints(allowed_schemes=["https"], host_required=True, max_length=_LONGEST_LINK)]
)


class LocalTime(BaseModel):
    """A time as somebody reads it off a clock in their zone, with the moment that was computed of it."""

    model_config = ConfigDict(frozen=True)

    local: str
    zone: str
    at: str

    @classmethod
    def of(cls, wall: datetime, zone: str) -> Self:
        """What a clock in a zone shows; where it shows this twice, the first of the two moments.

        Raises:
            InvalidError: the clocks there skip it, or it lies beyond what can be counted.
        """
        wall = wall.replace(second=0, microsecond=0, tzinfo=None, fold=0)
        try:
            if (moment := _moment(wall, zone)) is None:
                raise InvalidError(
                    "The clocks go forward in {zone}: {skipped} does not exist there. "
                    "The next time that does is {next}.",
                    zone=zone,
                    skipped=wall,
                    next=_next_shown(wall, zone),
                )
            return cls(local=wall.isoformat(timespec="minutes"), zone=zone, at=rfc3339(moment))
        except OverflowError as error:
            raise InvalidError("Choose a time within the next twelve months.") from error

    @property
    def day(self) -> str:
        """The calendar day, where it was proposed."""
        return self.local[:10]

    @property
    def wall(self) -> datetime:
        """The wall clock, in its zone."""
        return datetime.fromisoformat(self.local).replace(tzinfo=ZoneInfo(self.zone))

    def must_be_possible(self, now: str) -> None:
        """Refuse what has passed or lies far ahead.

        Raises:
            InvalidError: nobody can meet then, or plans so far.
        """
        if self.at <= now:
            raise InvalidError("{time} has passed. Choose a time that lies ahead.", time=self.wall)
        if self.at > later(now, LONGEST_AHEAD):
            raise InvalidError(
                "{time} is more than a year ahead. Choose a time within the next twelve months.", time=self.wall
            )


class ProposedTimes(BaseModel):
    """Up to three times that one side proposes; the other picks one, or proposes others."""

    model_config = ConfigDict(frozen=True)

    by: Side
    times: Annotated[tuple[LocalTime, ...], Field(min_length=1, max_length=MOST_TIMES)]
    link: str = ""

    def find(self, at: str) -> LocalTime | None:
        """The one of this moment."""
        return next((time for time in self.times if time.at == at), None)

    def open(self, now: str) -> bool:
        """Whether one of them still lies ahead."""
        return any(time.at > now for time in self.times)


class ArrangedSession(BaseModel):
    """A session with its time. `version` counts what became of its calendar entry, which its id names."""

    model_config = ConfigDict(frozen=True)

    id: str
    time: LocalTime
    minutes: int
    link: str = ""
    version: int = 0
    called_off: bool = False

    @property
    def ends_at(self) -> str:
        """The moment after which it is over."""
        return later(self.time.at, timedelta(minutes=self.minutes))

    def ahead(self, now: str) -> bool:
        """It has not begun, and nobody called it off."""
        return not self.called_off and now < self.time.at

    def standing(self, now: str) -> bool:
        """It is ahead or under way."""
        return not self.called_off and now < self.ends_at

    def over(self, now: str) -> bool:
        """Its time has passed."""
        return not self.called_off and self.ends_at <= now

    def meets(self, time: LocalTime, minutes: int) -> bool:
        """Whether a session of this length at that time would overlap it."""
        ends_at = later(time.at, timedelta(minutes=minutes))
        return not self.called_off and time.at < self.ends_at and self.time.at < ends_at


def video_link(text: str) -> str:
    """A link to a call, whoever offers it; empty when there is none.

    Raises:
        InvalidError: it is no https address, or holds a name or password.
    """
    if not text.strip():
        return ""
    try:
        link = _LINK.validate_python(text.strip())
    except ValidationError as error:
        raise _no_link() from error
    if link.username is not None or link.password is not None:
        raise _no_link()
    return str(link)


def _no_link() -> InvalidError:
    return InvalidError("The link must be an address that begins with https://, as your video service gives it to you.")


def collides(time: LocalTime, minutes: int, others: Iterable[ArrangedSession]) -> bool:
    """Whether one of the other sessions overlaps it."""
    return any(other.meets(time, minutes) for other in others)


def rfc3339(moment: datetime) -> str:
    """A moment as every document writes it, so that two of them compare as texts."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_seconds(at: str) -> int:
    """An RFC 3339 time as whole seconds since 1970."""
    return int(datetime.fromisoformat(at).timestamp())


def later(at: str, by: timedelta) -> str:
    """An RFC 3339 time so much later."""
    return rfc3339(datetime.fromisoformat(at) + by)


def _moment(wall: datetime, zone: str) -> datetime | None:
    """The first moment at which a clock there shows this; none where it is skipped."""
    there = ZoneInfo(zone)
    moment = wall.replace(tzinfo=there).astimezone(UTC)
    return moment if moment.astimezone(there).replace(tzinfo=None) == wall else None


def _next_shown(wall: datetime, zone: str) -> datetime:
    """The first whole minute after a skipped one that a clock there shows. A zone may skip a whole day."""
    while _moment(wall, zone) is None:
        wall += timedelta(minutes=1)
    return wall
