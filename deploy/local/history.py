"""A made-up past for an empty stack: pairs live for months, over HTTP, while the clock file moves to the present.

Nothing is written past the services and nothing inside them is replaced: the clock begins months ago, the roster is
imported and the programme runs then, and at each stop people do what their lives say. Only effects are waited for.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any, Final

import httpx
from contracts.matching import Outcome

from chassis import clock
from local import people
from local.acting import act
from local.casting import Cast, Pair
from local.company import write_roster
from local.lives import EXPIRY_DAYS, Act, Do, Fate, Life, lives, stops
from local.members import Member, emails_by_member, member, roster_rows, until
from local.people import DEMO, Someone
from local.processes import StackError
from local.serving import fill
from local.stack import Stack

SEED: Final = 1
_AT_ONCE: Final = 12
_FEWEST_PEOPLE: Final = 120
_COMPANY: Final = 1
_NEVER_BEGAN: Final = (Fate.DECLINED, Fate.TAKEN_BACK, Fate.EXPIRED)
_LEAD, _ANALYST, _OPERATOR = (person.email for person in DEMO[2:])
_COMES_TO: Final = {
    Fate.RUNNING: "started",
    Fate.PAUSED: "paused",
    Fate.ENDED: "ended",
    Fate.LEFT: "ended",
    Fate.AGREEING: "accepted",
    Fate.WAITING: "half-accepted",
}
_WORTH_A_LOOK: Final = (Fate.PAUSED, Fate.ENDED, Fate.AGREEING, Fate.WAITING)

Tell = Callable[[int, int, datetime], None]
"""Told before each stop: which one, of how many, and when it is."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a history, as the API tells it."""

    pairs: dict[str, int]
    held: int
    cancelled: int
    disputed: int


@dataclass(frozen=True, slots=True)
class History:
    """Everybody who lived, and what came of it."""

    pairs: tuple[Pair, ...]
    told: Told

    def one(self, fate: Fate) -> Pair | None:
        """The first pair that came to this."""
        return next((pair for pair in self.pairs if pair.life.fate is fate), None)


def refuse_unless_empty(state: Path) -> None:
    """A history begins months ago, so it can only be made before anything else.

    Raises:
        StackError: the folder holds data of an earlier start.
    """
    if (state / "environment.json").exists():
        raise StackError(
            f"History can only be made on an empty stack, and {state} holds data already. "
            "Forget it with `make reset`, and run this again. `make run` shows what is there."
        )


async def make(stack: Stack, pairs: int, months: int, tell: Tell, seed: int = SEED) -> History:
    """Start an empty stack months ago, and let pairs live until the present; it goes on running.

    Raises:
        StackError: the stack holds data already, or the services did not do their part in time.
    """
    refuse_unless_empty(stack.state)
    stack.state.mkdir(parents=True, exist_ok=True)
    moments = stops(_present(), months)
    _stand_at(stack, moments[0])
    try:
        await stack.start()
        await fill(stack, await asyncio.to_thread(_company, stack.state, pairs), _programme(stack.state))
        return await _live(stack, lives(seed, pairs, len(moments) - 1), moments, tell, seed)
    except (TimeoutError, httpx.HTTPError) as error:
        raise StackError(
            f"The history stopped: {error or 'a service did not do its part in time'}. {stack.logs} says more. "
            "Forget what is there with `make reset`, and run this again."
        ) from error
    finally:
        _stand_at(stack, _present())


async def _live(stack: Stack, planned: Sequence[Life], moments: Sequence[datetime], tell: Tell, seed: int) -> History:
    cast = await _cast(stack, seed)
    try:
        lead, analyst, operator = [await cast.member(email) for email in (_LEAD, _ANALYST, _OPERATOR)]
        found: list[Pair] = []
        for stop, at in enumerate(moments):
            tell(stop, len(moments), at)
            now = _present() if stop == len(moments) - 1 else at
            _stand_at(stack, now)
            await _matching_knows(lead, now)
            if stop and at.month != moments[stop - 1].month:
                await _published(analyst, moments[stop - 1])
            begin = [await cast.find(life, now) for life in planned if life.begins == stop]
            found += [pair for pair in begin if pair is not None]
            await _all_act(found, stop, at, operator)
            for pair in found:
                if pair.life.fate in _NEVER_BEGAN and pair.life.acts[-1].stop == stop:
                    cast.let_go(pair)
        told = await _ask(found, nobody=len(planned) - len(found))
        _offer_sign_ins(stack, found)
        return History(tuple(found), told)
    finally:
        await cast.close()


async def _cast(stack: Stack, seed: int) -> Cast:
    roster = roster_rows(stack.state / "people.csv")
    emails = [row["email"] for row in roster]
    ids = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], emails)
    lead = await member(stack.address, _LEAD)
    [programme] = (await lead.persist("GET", "/api/matching/v1/programmes")).json()
    await lead.client.aclose()
    return Cast.of(stack.address, ids, programme["id"], roster, seed)


def _company(state: Path, pairs: int) -> Path:
    """Four people for each pair: most take part, and many have somebody already when others look."""
    file = state / "people.csv"
    write_roster(file, people=max(_FEWEST_PEOPLE, 4 * pairs), seed=_COMPANY)
    return file


def _programme(state: Path) -> Path:
    """People take their time, so that what is seldom read does not expire and come again twice a month."""
    return people.patient_programme(EXPIRY_DAYS, state)


def _present() -> datetime:
    """The machine's time: the one that everybody comes to in the end."""
    return clock.parse(clock.real_timestamp())


def _stand_at(stack: Stack, moment: datetime) -> None:
    """Move every service's clock; a file that was read while it is written would stand for the present."""
    file = stack.state / "clock"
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    # Up to the next second: a moment before a stop would still be the day before.
    beside.write_text(str(ceil((moment - _present()).total_seconds())))
    beside.replace(file)


async def _matching_knows(lead: Member, moment: datetime) -> None:
    """A new programme begins with the day that matching's clock shows."""

    async def shown() -> bool:
        page = (await lead.client.get("/programmes/new")).raise_for_status().text
        return f'value="{moment.date().isoformat()}"' in page

    await until(shown)


async def _published(analyst: Member, before: datetime) -> None:
    """Insights of a month follow soon after its close."""

    async def there() -> bool:
        answer = await analyst.client.get("/api/analytics/v1/reports/participation")
        return answer.is_success and answer.json()["period"] == f"{before:%Y-%m}"

    await until(there, seconds=60)


async def _all_act(pairs: Sequence[Pair], stop: int, at: datetime, operator: Member) -> None:
    """Every pair does what its life says of this stop, several pairs at once, each one thing after the other."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def live(pair: Pair, acts: Sequence[Act]) -> None:
        async with some:
            for one in acts:
                await act(pair, one, at, operator)

    try:
        async with asyncio.TaskGroup() as group:
            for pair in pairs:
                if acts := pair.life.at(stop):
                    group.create_task(live(pair, acts))
    except* StackError as failed:
        raise failed.exceptions[0] from None


async def _ask(pairs: Sequence[Pair], nobody: int) -> Told:
    """What the API says became of everybody; a pair that came to something else than planned is told as such."""
    ends: Counter[str] = Counter({"found nobody": nobody} if nobody else {})
    sessions: list[dict[str, Any]] = []
    for pair in pairs:
        gone = {one.side for one in pair.life.acts if one.do is Do.LEAVE}
        who = next(person for side, person in pair.people.items() if side not in gone)
        now = await who.mentorship(pair.id)
        wanted = _COMES_TO.get(pair.life.fate, "closed")
        ends[pair.life.fate if now["status"] == wanted else f"{now['status']}, which was not planned"] += 1
        sessions += now["sessions"]
    outcomes = Counter(each["outcome"] for each in sessions)
    disputed = sum(each["disputed"] for each in sessions)
    return Told(dict(ends), outcomes[Outcome.HELD.value], outcomes[Outcome.CANCELLED.value], disputed)


def _offer_sign_ins(stack: Stack, pairs: Sequence[Pair]) -> None:
    """From the next start on, the sign-in page also offers people whose mentorships stand elsewhere."""
    more = [
        Someone(next(iter(pair.people.values())).email, f"one of a pair: {fate}")
        for fate in _WORTH_A_LOOK
        if (pair := next((each for each in pairs if each.life.fate is fate), None)) is not None
    ]
    people.remember([*DEMO, *more], stack.state)
