"""Dead letters and parked keys: look at them, feed them to the handlers again, or give them up."""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chassis.consuming.letters import BEHIND, Letter, Letters
from chassis.consuming.redrive import Redrive, Report
from chassis.consuming.upkeep import Upkeep
from chassis.ops.target import Composed, Json, RefusedError, Target


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant; what is not named does not matter."""

    group: str | None = None
    key: str | None = None
    place: str | None = None

    def __bool__(self) -> bool:
        return bool(self.group or self.key or self.place)

    def wanted(self, letter: Letter) -> bool:
        """Whether a letter of the chosen group is meant."""
        return self.key in {None, letter.key_text} and self.place in {None, letter.place}


async def listing(target: Target, choice: Choice) -> Json:
    """The letters that nobody has settled."""
    found = await _letters(target, choice)
    return {"letters": [_summary(group, letter) for group, letters in found.items() for letter in letters]}


async def show(target: Target, choice: Choice, *, payload: bool) -> Json:
    """The letters with their headers; the body only when it is asked for, because it may be somebody's."""
    found = await _letters(target, choice)
    return {
        "letters": [
            _summary(group, letter) | _details(letter, payload=payload)
            for group, letters in found.items()
            for letter in letters
        ]
    }


async def parked(target: Target, group: str | None) -> Json:
    """The keys that wait, what they wait behind, and how many records wait there."""
    keys = [key for name in target.chosen(group) for key in await _waiting(target.letters(name))]
    return {"keys": keys}


async def _waiting(letters: Letters) -> list[Json]:
    keys = await letters.parked()
    lots: dict[tuple[str, bytes], list[Letter]] = {}
    for letter in await letters.open() if keys else ():
        lots.setdefault(letter.lot, []).append(letter)
    return [
        {
            "group": letters.group,
            "topic": key.topic,
            "key": key.key,
            "reason": key.reason,
            "since": key.since,
            "head": lot[0].place if (lot := lots.get((key.topic, key.key.encode()), [])) else None,
            "behind": sum(letter.reason == BEHIND for letter in lot),
        }
        for key in keys
    ]


async def discard(target: Target, choice: Choice, *, followers: bool, yes: bool) -> Json:
    """Settle letters unhandled. Those that only wait behind them stay, unless they are named or asked for.

    Raises:
        RefusedError: nothing was named; all letters at once are never meant.
    """
    if not choice:
        raise RefusedError("Name what to discard: --place, --key or --group.")
    given_up, released = [], []
    for group, letters in (await _letters(target, choice)).items():
        doomed = [letter for letter in letters if followers or choice.place or letter.reason != BEHIND]
        given_up += [_summary(group, letter) for letter in doomed]
        if yes and doomed:
            await target.letters(group).settle(doomed, "discarded")
            released += [key.id for key in await target.letters(group).release_empty()]
    return {"done": yes, "discarded": given_up, "released": released}


async def redrive(target: Target, choice: Choice, compose: Callable[[], Composed], *, yes: bool) -> Json:
    """Feed the chosen letters and what is parked behind them through the service's own pipeline."""
    plans = {group: await target.letters(group).with_followers(choice.wanted) for group in target.chosen(choice.group)}
    plan = [_summary(group, letter) for group, letters in plans.items() for letter in letters]
    if not yes or not plan:
        return {"done": False, "letters": plan}
    reports = await _feed(target, choice, compose, [group for group, letters in plans.items() if letters])
    released = [each for report in reports.values() for each in report.released]
    for group in reports:
        released += [key.id for key in await target.letters(group).release_empty()]
    return {
        "done": True,
        "handled": [_summary(group, letter) for group, report in reports.items() for letter in report.handled],
        "failed": [
            _summary(group, letter) | {"problem": problem}
            for group, report in reports.items()
            for letter, problem in report.failed
        ],
        "released": released,
        "interrupted": next((report.interrupted for report in reports.values() if report.interrupted), None),
    }


async def _feed(
    target: Target, choice: Choice, compose: Callable[[], Composed], groups: list[str]
) -> dict[str, Report]:
    service = compose()
    # A name of its own: what this command commits must not wait behind, or race with, a server's relay.
    own = {"instance": f"{target.service}-ops-{os.getpid()}"}
    service.settings = service.settings.model_copy(update=own)
    reports: dict[str, Report] = {}
    async with service.opened() as (delivery, store):
        for group in groups:
            again = Redrive(service.settings, service.groups[group], store, Upkeep.of(delivery))
            reports[group] = await again.run(choice.wanted)
            if reports[group].interrupted:
                break
    return reports


async def _letters(target: Target, choice: Choice) -> dict[str, list[Letter]]:
    return {group: await target.letters(group).open(choice.wanted) for group in target.chosen(choice.group)}


def _summary(group: str, letter: Letter) -> Json:
    return {
        "group": group,
        "place": letter.place,
        "last_offset": letter.last_offset,
        "key": letter.key_text,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "at": letter.at,
    }


def _details(letter: Letter, *, payload: bool) -> Json:
    details: dict[str, Any] = {
        "timestamp": letter.timestamp,
        "headers": [[name, None if text is None else _readable(text)] for name, text in letter.headers],
        "bytes": None if letter.value is None else len(letter.value),
    }
    if payload:
        details["payload"] = None if letter.value is None else _readable(letter.value)
    return details


def _readable(text: bytes) -> str:
    """As text, or in base64 with its name in front when it is none."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(text).decode()}"
