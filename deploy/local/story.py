"""`make demo-history` as it is seen: a bar that moves from the first month to the present, and what came of it."""

import asyncio
import signal
import time
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local import history
from local.history import History
from local.stack import Stack

BROKEN_OFF: Final = (
    "Broken off. What was made so far is no whole history: forget it with `make reset`, and run this again."
)


async def show(stack: Stack, pairs: int, months: int, seed: int, console: Console) -> None:
    """Make a history on an empty stack, stop it, and say what came of it."""
    history.refuse_unless_empty(stack.state)
    if (this := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    began = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip
    with bar:
        task = bar.add_task("starting", total=None)

        def tell(stop: int, last: int, at: datetime) -> None:
            bar.update(task, completed=stop + 1, total=last, description=f"{at:%d %B %Y}")

        try:
            made = await history.make(stack, pairs, months, tell, seed)
        finally:
            await asyncio.shield(stack.stop())
    console.print(summary(made, months, time.monotonic() - began))


def summary(made: History, months: int, seconds: float) -> Table:
    """Pairs by what became of them, sessions, and how long it took."""
    told = made.told
    table = Table(f"{months} months", "", box=None, padding=(0, 2, 0, 0), title_justify="left")
    for end, count in told.pairs.items():
        table.add_row(f"pairs {end}", str(count))
    table.add_row("sessions held", str(told.held))
    table.add_row("sessions cancelled", str(told.cancelled))
    table.add_row("of both, remembered differently", str(told.disputed))
    table.add_row("seconds", f"{seconds:.0f}")
    table.add_row("see it", "make run")
    return table
