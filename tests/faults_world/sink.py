"""The outside: a file with one line an effect, on the disk before it counts as accepted.

Like a mail provider it refuses an idempotency key that it has seen, and writes the refusal down. Whoever delivers the
same effect under two keys is not helped by that: the effect then stands there twice.
"""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One accepted or refused delivery."""

    id: str
    at: float
    """Unix seconds."""
    by: str
    again: bool
    order: str
    name: str
    follower: str
    trace: str
    """The trace id that it was delivered under."""


class Sink:
    """Accepts effects; several processes may share the file."""

    def __init__(self, path: Path, by: str) -> None:
        self._path = path
        self._by = by
        self._known: set[str] = set()
        self._read = 0  # bytes

    def accept(self, key: str, effect: dict[str, Any]) -> None:
        """Write the effect down, durably; a known key is noted as a repeat."""
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._learn()
            fact = {"id": key, "at": time.time(), "by": self._by, "again": key in self._known, **effect}
            # A newline first as well: a process that died within a line must not spoil the next one.
            file.write(b"\n" + json.dumps(fact).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _learn(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        self._known |= {line.id for line in _lines(text)}


def read(path: Path, offset: int = 0) -> tuple[list[Line], int]:
    """The complete lines from `offset` on, and where to go on."""
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    return _lines(whole), offset + len(whole)


def _lines(text: bytes) -> list[Line]:
    found = []
    for line in text.splitlines():
        try:
            found.append(Line(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # empty, or broken off by a kill: never accepted
    return found
