"""What the two people of a pair do over HTTP, one function for each thing that can be done."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import httpx
from contracts.matching import Outcome, Side

from local.casting import Pair
from local.lives import Act, Do, next_stop_day, other
from local.members import Member, until
from local.processes import StackError

_API: Final = "/api/matching/v1"
_INBOX: Final = "/api/notifications/v1/notices"
_FIRST_HOUR: Final = 10
_GOALS: Final = (
    "Try one new tool a month at real work, and say honestly what it is worth.",
    "Understand how people who join now choose where they stay.",
    "Read our own figures without asking somebody to prepare them.",
    "Hear early what colleagues on site think of our plans.",
)
_REFLECTIONS: Final = (
    "We got to the point faster than last time. Next time I bring an example of my own.",
    "I talked too much in the first half. Ask first, then tell.",
    "The short demonstration helped more than all the explaining.",
    "I had not expected to change my mind about this.",
)
_NOTES: Final = (
    "Wants examples, not theory. Bring the dashboard next time.",
    "Has little time before the end of the quarter: keep it to half an hour.",
    "Tried it with the whole team. Ask how it went.",
)
_CUSTOMS: Final = (("fortnightly", "video"), ("monthly", "mixed"), ("monthly", "in-person"), ("weekly", "video"))


@dataclass(frozen=True, slots=True)
class Scene:
    """Who acts, on which side, and when by the clock of the history."""

    pair: Pair
    side: Side
    at: datetime
    operator: Member

    @property
    def me(self) -> Member:
        """Whoever acts."""
        return self.pair.people[self.side]

    @property
    def them(self) -> Member:
        """The other one."""
        return self.pair.people[other(self.side)]

    @property
    def here(self) -> str:
        """The pair in the API."""
        return f"{_API}/mentorships/{self.pair.id}"

    def some(self, texts: tuple[str, ...]) -> str:
        """One of several texts; a pair comes to all of them in the end."""
        return texts[(self.pair.life.number + self.at.toordinal()) % len(texts)]


async def act(pair: Pair, one: Act, at: datetime, operator: Member) -> None:
    """Let a side do one thing, and wait for what has to come of it.

    Raises:
        StackError: it was refused, or what has to come of it did not come in time.
    """
    try:
        await _DOING[one.do](Scene(pair, one.side, at, operator))
    except (TimeoutError, httpx.HTTPError) as error:
        why = str(error) or "it took too long"
        raise StackError(f"Pair {pair.life.number} could not {one.do} on {at:%d %B %Y}: {why}.") from error


async def status(who: Member, mentorship: str) -> str:
    """Where a pair stands."""
    return str((await who.mentorship(mentorship))["status"])


async def _accept(scene: Scene) -> None:
    """The second yes: both places are taken then."""
    await scene.me.accept(scene.pair.id)
    await _comes_to(scene, "accepted")


async def _decline(scene: Scene) -> None:
    await scene.me.persist("POST", f"{_API}/proposals/{scene.pair.id}/decline")


async def _take_back(scene: Scene) -> None:
    await scene.me.submit(f"/proposals/{scene.pair.id}/take-back", {})
    await _comes_to(scene, "closed")


async def _lapse(scene: Scene) -> None:
    await _comes_to(scene, "closed")


async def _edit(scene: Scene) -> None:
    agreement = (await scene.me.mentorship(scene.pair.id))["agreement"]
    number = scene.pair.life.number
    cadence, medium = _CUSTOMS[number % len(_CUSTOMS)]
    intent = agreement["intent"] | {"goals": _GOALS[number % len(_GOALS)], "cadence": cadence, "medium": medium}
    await scene.me.persist("PUT", f"{scene.here}/agreement", intent, if_match=f'"{agreement["version"]}"')


async def _agree(scene: Scene) -> None:
    await scene.me.agree(scene.pair.id)


async def _propose(scene: Scene) -> None:
    """On the day of the next stop; when a session is ahead already, a day later than now instead."""
    moving = (await _plan(scene))["session"] is not None
    day = scene.at + timedelta(days=1) if moving else next_stop_day(scene.at)
    hour = _FIRST_HOUR + (scene.pair.life.number + scene.at.toordinal()) % 6
    times = [f"{day:%Y-%m-%d}T{hour + later:02d}:00" for later in range(1 + scene.pair.life.number % 3)]
    body = {"times": times, "link": f"https://meet.example/fresh-eyes/{scene.pair.life.number}"}
    await scene.me.persist("POST", f"{scene.here}/plan/times", body)


async def _pick(scene: Scene) -> None:
    time = (await _plan(scene))["proposed"]["times"][-1]
    await scene.me.persist("POST", f"{scene.here}/plan/pick", {"at": time["at"]})
    scene.pair.day = time["local"][:10]


async def _reminded(scene: Scene) -> None:
    """Both hear a day before; this one waits for it."""
    since = scene.at.isoformat()[:10]

    async def told() -> bool:
        return any(
            notice["kind"] == "session-near" and notice["thread"] == scene.pair.id and notice["at"] >= since
            for notice in await scene.me.notices()
        )

    await until(told)


async def _call_off(scene: Scene) -> None:
    await scene.me.persist("POST", f"{scene.here}/plan/call-off")


async def _held(scene: Scene) -> None:
    await scene.me.log_session(scene.pair.id, date.fromisoformat(scene.pair.day), Outcome.HELD.value)


async def _cancelled(scene: Scene) -> None:
    await scene.me.log_session(scene.pair.id, date.fromisoformat(scene.pair.day), Outcome.CANCELLED.value)


async def _reflect(scene: Scene) -> None:
    session = (await scene.me.mentorship(scene.pair.id))["sessions"][-1]["id"]
    text = {"text": scene.some(_REFLECTIONS)}
    await scene.me.persist("PUT", f"{scene.here}/sessions/{session}/reflection", text)


async def _note(scene: Scene) -> None:
    await scene.me.submit(f"/mentorships/{scene.pair.id}/notes", {"text": scene.some(_NOTES)})


async def _pause(scene: Scene) -> None:
    await scene.me.persist("POST", f"{scene.here}/pause")


async def _resume(scene: Scene) -> None:
    await scene.me.persist("POST", f"{scene.here}/resume")


async def _end(scene: Scene) -> None:
    await scene.me.persist("POST", f"{scene.here}/end")


async def _leave(scene: Scene) -> None:
    """An operator takes them out of the directory; the pair then ends by itself."""
    await scene.operator.persist("DELETE", f"/api/profiles/v1/members/{scene.me.id}")

    async def over() -> bool:
        return await status(scene.them, scene.pair.id) == "ended"

    await until(over)


async def _read(scene: Scene) -> None:
    unread = [
        {"thread": each["thread"], "notice": each["id"]} for each in await scene.me.notices() if not each["read_at"]
    ]
    if unread:
        await scene.me.persist("POST", f"{_INBOX}/read", {"notices": unread})


async def _plan(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = (await scene.me.persist("GET", f"{scene.here}/plan")).json()
    return found


async def _comes_to(scene: Scene, wanted: str) -> None:
    async def there() -> bool:
        return await status(scene.me, scene.pair.id) == wanted

    await until(there)


_DOING: Final[Mapping[Do, Callable[[Scene], Awaitable[None]]]] = {
    Do.ACCEPT: _accept,
    Do.DECLINE: _decline,
    Do.TAKE_BACK: _take_back,
    Do.LAPSE: _lapse,
    Do.EDIT: _edit,
    Do.AGREE: _agree,
    Do.PROPOSE: _propose,
    Do.PICK: _pick,
    Do.REMINDED: _reminded,
    Do.CALL_OFF: _call_off,
    Do.HELD: _held,
    Do.CANCELLED: _cancelled,
    Do.REFLECT: _reflect,
    Do.NOTE: _note,
    Do.PAUSE: _pause,
    Do.RESUME: _resume,
    Do.END: _end,
    Do.LEAVE: _leave,
    Do.READ: _read,
}
