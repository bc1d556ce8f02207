"""What the two people of a mentorship, or the mentee's delegate, do about its sessions."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.errors import NotFoundError
from chassis.ids import new_id
from chassis.web.identity import Caller
from contracts.matching import Side, Status

from chassis import clock
from matching.commands import Commands
from matching.domain.mentorship import Mentorship
from matching.domain.times import ArrangedSession, LocalTime
from matching.store import Store

_ANYWHERE: Final = "UTC"


class SessionCommands:
    """Times are proposed, picked, moved and called off; what a command has to know of other pairs is read before."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    @property
    def store(self) -> Store:
        """Where pairs and members are kept."""
        return self._commands.store

    async def propose(
        self, caller: Caller, mentorship: str, key: str, walls: Sequence[dt.datetime], link: str
    ) -> Mentorship:
        """Propose times by the caller's own clocks; of a delegate it is the mentee who has to be free then."""
        pair, side = await self._commands.pair(caller, mentorship, "session.arrange")
        zone = await self.zone(caller.tenant, caller.member)
        busy = await self._busy(pair, [pair.member_on(side)])
        now = clock.timestamp()

        def propose(subject: Mentorship, side: Side) -> None:
            subject.propose_times(side, [LocalTime.of(wall, zone) for wall in walls], link, now, busy)

        return await self._commands.act(
            caller, mentorship, key, propose, name="propose-times", action="session.arrange"
        )

    async def pick(self, caller: Caller, mentorship: str, key: str, at: str) -> Mentorship:
        """Pick the proposed time of this moment."""
        pair, _ = await self._commands.pair(caller, mentorship, "session.arrange")
        busy = await self._busy(pair, [pair.mentor, pair.mentee])
        now, session = clock.timestamp(), new_id()

        def pick(subject: Mentorship, side: Side) -> None:
            subject.pick_time(side, at, session, now, busy)

        return await self._commands.act(caller, mentorship, key, pick, name="pick-time", action="session.arrange")

    async def call_off(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Cancel the session that is ahead, without a reason."""
        now = clock.timestamp()

        def call_off(subject: Mentorship, side: Side) -> None:
            subject.call_off(side, now)

        return await self._commands.act(
            caller, mentorship, key, call_off, name="call-off-session", action="session.call-off"
        )

    async def standing(self, caller: Caller, mentorship: str) -> tuple[Mentorship, ArrangedSession]:
        """The session that is ahead or under way.

        Raises:
            NotFoundError: none is arranged.
        """
        pair, _ = await self._commands.pair(caller, mentorship)
        if (session := pair.session_standing(clock.timestamp())) is None:
            raise NotFoundError("No session is arranged now.")
        return pair, session

    async def zone(self, tenant: str, member: str) -> str:
        """The zone of a member's clocks, after the directory; UTC while that is silent or names none that exists."""
        known = await self.store.members.get(tenant, member)
        return usable_zone(known.directory.time_zone if known and known.directory else _ANYWHERE)

    async def _busy(self, pair: Mentorship, members: Iterable[str]) -> list[ArrangedSession]:
        """What these members have arranged in other mentorships, on either side."""
        now = clock.timestamp()
        return [
            session
            for member in members
            for other in await self.store.of_member(pair.tenant, member, (Status.STARTED,))
            if other.id != pair.id
            for session in other.arranged
            if session.standing(now)
        ]


def usable_zone(name: str) -> str:
    """A zone whose clocks are known here, or UTC."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return _ANYWHERE
    return name


def local_now(zone: str, now: dt.datetime) -> dt.datetime:
    """What a clock in a zone shows now."""
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
