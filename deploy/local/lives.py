"""What becomes of the pairs of a made-up history, from a seed: who does what at which stop of the clock.

Pure. A stop is a moment at which the clock stands for a while: each Monday and Thursday at midnight UTC, and at last
the present. A session is arranged at one stop for the day of the next, so that its reminder falls due there, and is
logged at the one after.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from typing import Final

from contracts.matching import Side

STOPS_A_MONTH: Final = 9
_STOP_DAYS: Final = (0, 3)
"""Monday and Thursday: both half-weeks hold working days."""
EXPIRY_DAYS: Final = 21
_LAPSED: Final = 7
"""Stops after which a proposal that nobody answers has surely expired: six are three weeks, and the clock runs on."""
_READ: Final = 0.4
"""Of the stops somebody opens their inbox; until then their notices wait."""


class Fate(StrEnum):
    """What becomes of a pair, in the words of the summary."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    LEFT = "ended, because one left the organisation"
    AGREEING = "settling their agreement"
    WAITING = "waiting for an answer"
    DECLINED = "turned down with “not now”"
    TAKEN_BACK = "asked for, then taken back"
    EXPIRED = "expired without an answer"


class Do(StrEnum):
    """What somebody does, or waits for, at a stop."""

    ACCEPT = "accept"
    DECLINE = "decline"
    TAKE_BACK = "take back"
    LAPSE = "see it expire"
    EDIT = "edit the agreement"
    AGREE = "agree"
    PROPOSE = "propose times"
    PICK = "pick a time"
    REMINDED = "be reminded"
    CALL_OFF = "call off"
    HELD = "log as held"
    CANCELLED = "log as cancelled"
    REFLECT = "reflect"
    NOTE = "keep notes"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    LEAVE = "leave the organisation"
    READ = "read the inbox"


class Turn(StrEnum):
    """What becomes of an arranged session."""

    HELD = "held"
    MOVED = "moved, then held"
    CANCELLED = "cancelled"
    CALLED_OFF = "called off"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one side does at a stop."""

    stop: int
    do: Do
    side: Side


@dataclass(frozen=True, slots=True)
class Life:
    """One pair: when it begins, what becomes of it, and each step after the first yes.

    Nobody asked when the programme proposed it; nobody says yes when it lapses.
    """

    number: int
    begins: int
    asked_by: Side | None
    first_yes: Side | None
    fate: Fate
    acts: tuple[Act, ...]

    def at(self, stop: int) -> tuple[Act, ...]:
        """What happens at a stop, in order."""
        return tuple(act for act in self.acts if act.stop == stop)


# Whatever the number of pairs, the first of them are as different as they can be.
_FATES: Final = (
    *(Fate.RUNNING, Fate.PAUSED, Fate.DECLINED, Fate.ENDED, Fate.RUNNING, Fate.TAKEN_BACK, Fate.EXPIRED, Fate.LEFT),
    *(Fate.RUNNING, Fate.WAITING, Fate.RUNNING, Fate.ENDED, Fate.RUNNING, Fate.DECLINED, Fate.AGREEING, Fate.PAUSED),
    *(Fate.RUNNING, Fate.ENDED, Fate.RUNNING, Fate.RUNNING),
)
_TURNS: Final = (
    *(Turn.HELD, Turn.MOVED, Turn.HELD, Turn.CANCELLED, Turn.HELD, Turn.CALLED_OFF, Turn.HELD, Turn.DISPUTED),
    *(Turn.HELD, Turn.HELD),
)
_RHYTHMS: Final = (4, 8, 8, 2)
"""Stops between two sessions: a fortnight, a month, a week."""


def stops(now: datetime, months: int) -> tuple[datetime, ...]:
    """The moments at which the clock stands, the last of them the present."""
    day, found = now.astimezone(UTC).date(), [now]
    while len(found) <= months * STOPS_A_MONTH:
        midnight = datetime.combine(day, time(), UTC)
        if day.weekday() in _STOP_DAYS and midnight < now:
            found.append(midnight)
        day -= timedelta(days=1)
    return tuple(reversed(found))


def next_stop_day(at: datetime) -> datetime:
    """Midnight of the first Monday or Thursday after a moment."""
    day = at.astimezone(UTC).date() + timedelta(days=1)
    while day.weekday() not in _STOP_DAYS:
        day += timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def lives(seed: int, pairs: int, last: int) -> tuple[Life, ...]:
    """The lives of so many pairs over the stops 0 to `last`; the same for the same seed."""
    return tuple(_life(seed, number, last) for number in range(pairs))


def summary(planned: Sequence[Life]) -> dict[Fate, int]:
    """How many pairs come to which end."""
    return {fate: found for fate in Fate if (found := sum(life.fate is fate for life in planned))}


def other(side: Side) -> Side:
    """The side across."""
    return Side.MENTEE if side is Side.MENTOR else Side.MENTOR


def _life(seed: int, number: int, last: int) -> Life:
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
    fate = _FATES[number % len(_FATES)]
    asked_by = {2: Side.MENTEE, 4: Side.MENTOR}.get(number % 5)
    if fate is Fate.TAKEN_BACK:
        asked_by = (Side.MENTEE, Side.MENTOR)[number // len(_FATES) % 2]
    begins = _begin(fate, number, last, chance)
    first = asked_by or chance.choice(tuple(Side))
    acts = sorted(_acts(fate, begins, last, first, number=number, chance=chance), key=lambda act: act.stop)
    first_yes = asked_by if fate is Fate.EXPIRED else first
    return Life(number, begins, asked_by, first_yes, fate, tuple(acts))


def _begin(fate: Fate, number: int, last: int, chance: random.Random) -> int:
    """Early enough for what has to happen; the first pair, whom everybody looks at, begins at once."""
    match fate:
        case Fate.WAITING:
            return last
        case Fate.AGREEING:
            return last - 1
        case Fate.DECLINED | Fate.TAKEN_BACK | Fate.EXPIRED:
            return chance.randint(0, max(0, last - _LAPSED - 1))
        case Fate.RUNNING:
            return chance.randint(0, last * 2 // 3) if number else 0
        case _:
            return chance.randint(0, last // 3)


def _acts(fate: Fate, begins: int, last: int, first: Side, *, number: int, chance: random.Random) -> Iterator[Act]:
    second = other(first)
    match fate:
        case Fate.EXPIRED:
            yield Act(begins + _LAPSED, Do.LAPSE, first)
            return
        case Fate.TAKEN_BACK:
            yield Act(begins + 1, Do.TAKE_BACK, first)
            return
        case Fate.WAITING:
            return
        case Fate.DECLINED:
            yield Act(begins + 1, Do.DECLINE, second)
            return
    yield Act(begins + 1, Do.ACCEPT, second)
    yield Act(begins + 1, Do.EDIT, second)
    yield Act(begins + 1, Do.AGREE, second)
    if fate is Fate.AGREEING:
        return
    agreed = begins + 1 + number % 2
    yield Act(agreed, Do.AGREE, first)
    yield from _running(fate, agreed, last, number, chance)


def _running(fate: Fate, agreed: int, last: int, number: int, chance: random.Random) -> Iterator[Act]:
    """From the start on: sessions, reading, and how it stops."""
    rhythm = _RHYTHMS[number % len(_RHYTHMS)] if last > STOPS_A_MONTH else 2
    stops_at = chance.randint(min(agreed + 3 + 2 * rhythm, last - 1), last - 1)
    if fate is Fate.RUNNING:
        rests = agreed + 3 * rhythm if number % 3 == 1 else last + 1
        if rests + 6 < last:
            yield from _sessions(agreed, rests, last, rhythm, number)
            yield Act(rests, Do.PAUSE, chance.choice(tuple(Side)))
            yield Act(rests + 4, Do.RESUME, chance.choice(tuple(Side)))
            yield from _sessions(rests + 4, last + 2, last, rhythm, number)
        else:
            yield from _sessions(agreed, last + 2, last, rhythm, number)
    else:
        yield from _sessions(agreed, stops_at, last, rhythm, number)
        stops_by = {Fate.PAUSED: Do.PAUSE, Fate.ENDED: Do.END, Fate.LEFT: Do.LEAVE}[fate]
        yield Act(stops_at, stops_by, chance.choice(tuple(Side)))
    still = last if fate in {Fate.RUNNING, Fate.PAUSED} else stops_at
    for stop in range(agreed, still):
        for side in Side:
            if chance.random() < _READ:
                yield Act(stop, Do.READ, side)


def _sessions(begins: int, until: int, last: int, rhythm: int, number: int) -> Iterator[Act]:
    """One session after another, each over before `until`; the last ones may still be ahead of the last stop."""
    for index in count():
        stop = begins + index * rhythm
        if stop + 2 > until or stop > last:
            return
        turn = _TURNS[(number + index) % len(_TURNS)]
        yield from (act for act in _session(turn, stop, last, number + index) if act.stop <= last)


def _session(turn: Turn, stop: int, last: int, order: int) -> Iterator[Act]:
    asking = tuple(Side)[order % 2]
    yield Act(stop, Do.PROPOSE, asking)
    if stop == last and order % 3 == 0:
        return  # the other side has not picked one yet
    yield Act(stop, Do.PICK, other(asking))
    if stop + 2 > last:
        return  # still ahead, or it was just now
    yield Act(stop + 1, Do.REMINDED, asking)
    if turn is Turn.CALLED_OFF:
        yield Act(stop + 1, Do.CALL_OFF, other(asking))
        return
    if turn is Turn.MOVED:
        yield Act(stop + 1, Do.PROPOSE, other(asking))
        yield Act(stop + 1, Do.PICK, asking)
    over = stop + 2
    if turn is Turn.CANCELLED:
        yield Act(over, Do.CANCELLED, asking)
        return
    yield Act(over, Do.HELD, asking)
    if turn is Turn.DISPUTED:
        yield Act(over, Do.CANCELLED, other(asking))
    if order % 2:
        yield Act(over, Do.REFLECT, asking)
    if order % 3 == 0:
        yield Act(over, Do.NOTE, Side.MENTOR)
