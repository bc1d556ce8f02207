"""A TCP proxy that breaks connections: cut them, make them slow, or swallow what they carry."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from typing import Any, Final

from local.ports import HOST

_CHUNK: Final = 64 * 1024  # bytes
_TICK: Final = 0.05  # seconds between two looks of a swallowing connection


class Mode(Enum):
    """What becomes of connections."""

    PASS = auto()
    CUT = auto()
    """Open ones are reset, new ones are closed at once."""
    SLOW = auto()
    """Every piece arrives late."""
    BLACKHOLE = auto()
    """Open, and silent: nothing arrives, nobody is told."""


class Proxy:
    """Stands before one server. Its mode may be changed at any time."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._mode = Mode.PASS
        self._delay = 0.0
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._connect, HOST, self._port)
        try:
            yield self
        finally:
            server.close()
            self._reset()
            await server.wait_closed()

    def heal(self) -> None:
        """Let everything pass again. What a swallowing connection held back arrives now."""
        self._mode = Mode.PASS

    def cut(self) -> None:
        """Reset all connections and accept none."""
        self._mode = Mode.CUT
        self._reset()

    def slow(self, seconds: float) -> None:
        """Delay each piece, in each direction."""
        self._mode, self._delay = Mode.SLOW, seconds

    def blackhole(self) -> None:
        """Carry nothing, and keep the connections open."""
        self._mode = Mode.BLACKHOLE

    def _reset(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a client with the server until either of them, or a cut, ends it."""
        self._open.add(writer)
        try:
            if self._mode is Mode.CUT:
                return
            back_reader, back_writer = await asyncio.open_connection(HOST, self._target)
            self._open.add(back_writer)
            try:
                await _first(self._pump(reader, back_writer), self._pump(back_reader, writer))
            finally:
                self._open.discard(back_writer)
                back_writer.transport.abort()
        except OSError:
            pass  # the server is away; the client sees its connection closed
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._mode is Mode.SLOW:
                    await asyncio.sleep(self._delay)
                while self._mode is Mode.BLACKHOLE:
                    await asyncio.sleep(_TICK)
                writer.write(data)
                await writer.drain()


async def _first(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends; the others end with it."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
