"""Child processes that never become orphans: readable start, logs in files, a sentence when one dies."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
# Looked up before any fork: the child of a process with threads must do as little as it can.
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_LAST_LINES: Final = 12
STOP_SECONDS: Final = 12.0


class StackError(Exception):
    """Something a person has to do something about; the message says what."""


@dataclass(slots=True)
class Child:
    """One process of the stack. `ready` answers True once it serves."""

    name: str
    arguments: Sequence[str | Path]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready_seconds: float = 60.0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Call it from the main thread: Linux ends a child with the thread that began it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = spawn(self.arguments, self.environment, output)

    async def wait_ready(self) -> None:
        """Until it serves.

        Raises:
            StackError: it died or took too long; the message holds the end of its log.
        """
        end = time.monotonic() + self.ready_seconds
        while not await asyncio.to_thread(self.ready):
            if self.exit_code is not None:
                raise StackError(self.obituary())
            if time.monotonic() > end:
                raise StackError(f"{self.name} did not get ready in {self.ready_seconds:.0f} s.\n{self._tail()}")
            await asyncio.sleep(0.05)

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return None if self.process is None else self.process.poll()

    def obituary(self) -> str:
        """What a person should know about its death."""
        end = f"Its log, {self.log}, ends with:\n{self._tail()}"
        return f"{self.name} stopped by itself (exit code {self.exit_code}). {end}"

    def ask_to_stop(self) -> None:
        """SIGTERM."""
        if self.process is not None and self.exit_code is None:
            self.process.send_signal(signal.SIGTERM)

    async def wait_stopped(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the end, and kill the whole session when it takes longer."""
        if self.process is None:
            return
        end = time.monotonic() + seconds
        while self.exit_code is None and time.monotonic() < end:
            await asyncio.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None and self.exit_code is None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    def _tail(self) -> str:
        if not self.log.exists():
            return "  (its log is empty)"
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "\n".join(f"  {line[:300]}" for line in lines)


@contextlib.asynccontextmanager
async def running(child: Child) -> AsyncIterator[Child]:
    """The child, ready, for the length of the block."""
    child.start()
    try:
        await child.wait_ready()
        yield child
    finally:
        child.ask_to_stop()
        await child.wait_stopped()


def spawn(
    arguments: Sequence[str | Path], environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches the supervisor alone, that ends with us."""
    parent = os.getpid()
    return subprocess.Popen(
        [str(part) for part in arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, **environment},
        start_new_session=True,
        preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - one system call, nothing that takes a lock
    )


def _die_with(parent: int) -> None:
    """Let the kernel kill this child when the supervisor ends in whatever way; whatever we start survives kill -9."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)
