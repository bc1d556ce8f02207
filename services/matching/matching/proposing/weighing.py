"""A run's arithmetic in a process of its own, so that this one goes on answering and can stop it at any moment."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from matching.engine.bulk.draft import Draft, Task, draft

_CONTEXT: Final = multiprocessing.get_context("spawn")
"""A fork would copy threads' locks in whatever state they are."""


class DiedError(Exception):
    """The process that weighed a run's pairs died before it was done."""


async def weigh(task: Task, progress: Callable[[float], None]) -> Draft:
    """Choose pairs for a task; a cancel ends the process.

    Args:
        task: what to choose from.
        progress: told the share of the work that is done, from 0 to 1.

    Raises:
        DiedError: the process did, for want of memory, say.
    """
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(theirs, task), name="matching-run", daemon=True)
    await asyncio.to_thread(process.start)
    theirs.close()
    try:
        while True:
            try:
                told = await _hear(ours)
            except EOFError as error:
                raise DiedError from error
            if isinstance(told, Draft):
                return told
            progress(told)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        ours.close()


async def _hear(connection: Connection) -> Draft | float:
    """The next word; waits without a thread, which could not be cancelled."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection.fileno())
        # uvloop makes what it watches non-blocking, and a word that is larger than the pipe comes in pieces.
        os.set_blocking(connection.fileno(), True)
    told: Draft | float = await asyncio.to_thread(connection.recv)
    return told


def _work(connection: Connection, task: Task) -> None:
    connection.send(draft(task, connection.send))
