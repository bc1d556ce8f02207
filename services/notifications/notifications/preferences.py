"""What a member wants to be told, by which channel, and when no mail should come. Ids only, and no clock.

What stands here unless somebody chooses is what happens without any preferences: every kind, at any hour.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Final, Self

from chassis.errors import InvalidError
from chassis.state.aggregate import Aggregate
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from notifications.domain.notice import AWAITING, MAILED, Kind


class Channel(StrEnum):
    """A way by which a notice reaches its member."""

    INBOX = "inbox"
    MAIL = "mail"


SWITCHABLE: Final[Mapping[Channel, tuple[Kind, ...]]] = {
    Channel.INBOX: tuple(kind for kind in Kind if kind not in AWAITING),
    Channel.MAIL: tuple(kind for kind in Kind if kind in MAILED),
}
"""What a member may switch off: not the inbox for what asks for an answer, which would be waited for in vain."""

NOT_STORED: Final = "none"
"""The version of preferences that nobody has saved yet, so that a first save can find itself overtaken too."""


def minute(value: time) -> time:
    """A local time of day as it can be chosen.

    Raises:
        ValueError: it has a zone, or parts of a minute.
    """
    if value.tzinfo or value.second or value.microsecond:
        raise ValueError("write a local time of day in hours and minutes, for example 20:00")
    return value


Minute = Annotated[time, AfterValidator(minute), PlainSerializer(lambda each: f"{each:%H:%M}", when_used="json")]
Weekday = Annotated[int, Field(ge=1, le=7, description="1 is Monday, 7 is Sunday.")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietHours(_Part):
    """A stretch of each day, which may go past midnight; its end does not belong to it."""

    begins: Minute
    ends: Minute

    def hold(self, at: time) -> bool:
        """Whether a local time of day is inside."""
        if self.begins < self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


class Quiet(_Part):
    """When a member wants no mail, in their own local time."""

    hours: QuietHours | None = None
    days: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()

    def until(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet that holds at `now` is over, in UTC; none when it does not hold.

        It goes through the minutes instead of reckoning: clocks that jump, back and forth, then need no rules here.
        """
        at = now.astimezone(UTC)
        while self._holds(at.astimezone(zone)):
            at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return at if at > now else None

    def check(self) -> None:
        """Refuse what would let no mail through, ever.

        Raises:
            InvalidError: no time of the week is left.
        """
        if self.hours and self.hours.begins == self.hours.ends:
            raise InvalidError("Quiet hours must end at another time than they begin. To get no mail, switch it off.")
        if len(set(self.days)) == len(range(1, 8)):
            raise InvalidError("Leave at least one day with mail. To get no mail at all, switch it off.")

    def _holds(self, local: datetime) -> bool:
        return local.isoweekday() in self.days or (self.hours is not None and self.hours.hold(local.time()))


class Choice(_Part):
    """Everything that a member can choose: what they do not want by each channel, and when they want no mail."""

    off: dict[Channel, tuple[Kind, ...]] = Field(default_factory=dict)
    quiet: Quiet = Quiet()

    def check(self) -> None:
        """Refuse what can't be chosen.

        Raises:
            InvalidError: a kind can't be switched off by a channel, or no time is left for mail.
        """
        for channel, kinds in self.off.items():
            if fixed := [kind for kind in kinds if kind not in SWITCHABLE[channel]]:
                raise InvalidError(
                    "{kind} can't be switched off by {channel}: what asks for an answer always stands in the inbox, "
                    "and not every kind comes by mail.",
                    kind=fixed[0].value,
                    channel=channel.value,
                )
        self.quiet.check()


class Preferences(Aggregate):
    """The choice of one member, whose id is the document's.

    Kinds are kept as words: one that a newer release knows and this one does not must not make them unreadable.
    """

    off: dict[str, list[str]] = Field(default_factory=dict)
    quiet: Quiet = Quiet()
    renewed: dict[str, int] = Field(default_factory=dict)
    """How often the mail of a kind was switched on again: an unsubscribe link from before can't undo that."""

    @classmethod
    def none_yet(cls, tenant: str, member: str) -> Self:
        """What holds for somebody who has chosen nothing."""
        return cls(id=member, tenant=tenant)

    @property
    def version(self) -> str:
        """What an edit is based on."""
        return self.etag or NOT_STORED

    def allows(self, kind: Kind, channel: Channel) -> bool:
        """Whether notices of this kind may reach the member by this channel."""
        return kind not in self.off.get(channel, ()) or kind not in SWITCHABLE[channel]

    def round_of(self, kind: Kind) -> int:
        """What an unsubscribe link of a mail that is sent now has to name."""
        return self.renewed.get(kind, 0)

    @property
    def choice(self) -> Choice:
        """As the member sees it."""
        off = {
            channel: tuple(kind for kind in kinds if not self.allows(kind, channel))
            for channel, kinds in SWITCHABLE.items()
        }
        return Choice(off=off, quiet=self.quiet)

    def choose(self, choice: Choice) -> None:
        """Take over what the member chose.

        Raises:
            InvalidError: it can't be chosen.
        """
        choice.check()
        off = {channel.value: sorted({kind.value for kind in choice.off.get(channel, ())}) for channel in Channel}
        for kind in self.off.get(Channel.MAIL, ()):
            if kind not in off[Channel.MAIL]:
                self.renewed = {**self.renewed, kind: self.renewed.get(kind, 0) + 1}
        self.off, self.quiet = off, choice.quiet

    def switch_mail_off(self, kind: Kind) -> None:
        """No more mail of one kind; everything else stays.

        Raises:
            InvalidError: nothing of this kind comes by mail.
        """
        already = self.choice.off[Channel.MAIL]
        self.choose(self.choice.model_copy(update={"off": {**self.choice.off, Channel.MAIL: (*already, kind)}}))

    def unsubscribe(self, kind: Kind, round_: int) -> bool:
        """What a mail's own link does: the same, unless the member has switched this kind on again since that mail."""
        if round_ != self.round_of(kind):
            return False
        self.switch_mail_off(kind)
        return True
