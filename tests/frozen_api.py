"""A matching api whose process stops once between a relay's read and its send; run as a process by the tests.

    python frozen_api.py <file>

The file names documents. Sends that carry any of them are held until the relay has read them all; then the file goes
and the process stops itself. Once it is continued, everything is sent as it was read before.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from chassis.publishing import producer
from chassis.state.outbox import Entry


class FreezingProducer(producer.Producer):
    """Stops its process in front of the send that completes what the file names."""

    file: ClassVar[Path]
    read: ClassVar[set[str]] = set()

    async def send(self, entries: Sequence[Entry]) -> set[int]:
        """Hold what is named, freeze once, send."""
        named = _named(self.file)
        if mine := named & {entry.key for entry in entries}:
            self.read.update(mine)
            while not self.read >= named:
                await asyncio.sleep(0.01)
            _freeze_once(self.file)
        return await super().send(entries)


def _named(file: Path) -> set[str]:
    return set(file.read_text().split()) if file.exists() else set()


def _freeze_once(file: Path) -> None:
    if file.exists():
        file.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    FreezingProducer.file = Path(sys.argv[1])
    producer.Producer = FreezingProducer  # type: ignore[misc] # the planted fault, before delivery is imported
    sys.argv[1:] = ["api"]
    runpy.run_module("matching", run_name="__main__", alter_sys=True)
