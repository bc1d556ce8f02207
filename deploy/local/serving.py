"""From nothing to a company at work: start the stack, import the roster, run the programme, stay, and stop."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local import people
from local.processes import StackError
from local.stack import Stack

DEMO_PEOPLE: Final = 400
_SEED: Final = 1


async def serve(stack: Stack, roster: Path | None, announce: Callable[[Stack, list[people.Someone]], None]) -> None:
    """Start, fill, announce, and stay until cancelled; always stops what it started."""
    try:
        stack.state.mkdir(parents=True, exist_ok=True)
        if roster is not None:
            people.remember(people.of_roster(roster), stack.state)
        await stack.start()
        await fill(stack, roster)
        announce(stack, people.remembered(stack.state))
        await stack.died()
    finally:
        # A second Ctrl-C ends the waiting; the kernel then ends what is left.
        await asyncio.shield(stack.stop())


async def fill(stack: Stack, roster: Path | None, programme: Path | None = None) -> None:
    """Import the roster and run the programme, unless this state folder has seen this very roster already.

    Each step can be done twice, so a start that was broken off is simply done again.
    """
    done = stack.state / "filled"
    if done.exists() and roster is None:
        return
    file = await asyncio.to_thread(_demo_company, stack.state / "people.csv") if roster is None else roster
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if done.exists() and done.read_text() == digest:
        return
    stack.say(f"importing {file.name} by the same import that a customer uses")
    _tell(stack, await stack.command("profiles", "import", str(file)))
    stack.say("running the demo programme")
    programme = programme or people.programme_for(people.remembered(stack.state), stack.state)
    await stack.command("matching", "programme", "load", str(programme))
    _tell(stack, await stack.command("matching", "programme", "run", programme.stem, "--wait"))
    done.write_text(digest)


def _demo_company(path: Path) -> Path:
    from local.company import write_roster  # noqa: PLC0415 - only the first start needs it

    write_roster(path, people=DEMO_PEOPLE, seed=_SEED)
    return path


def _tell(stack: Stack, printed: str) -> None:
    lines = [line for line in printed.splitlines() if line.strip()]
    if not lines:
        raise StackError("A command of the set-up printed nothing, so it may not have done its work.")
    stack.say(lines[-1].strip())
