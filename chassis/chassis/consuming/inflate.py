"""Whether a batch inflates to a size that a process bears: tried in a process of its own, whose memory is limited.

Three deaths in front of a batch prove little by themselves: somebody may have killed three times. So nothing is set
aside unless inflating it really fails here.
"""

import asyncio
import resource
import sys
from pathlib import Path
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatch

LIMIT: Final = 256 * 1024 * 1024  # bytes beyond what the process needs to begin with
SECONDS: Final = 30.0
_COMPRESSION: Final = 0x07  # bits of the attributes; 0 is none
_ATTRIBUTES: Final = 21  # after base offset, length, leader epoch, magic and checksum


async def inflates(batch: bytes) -> bool:
    """Whether the records of a batch (format v2) can be read within `LIMIT` bytes and `SECONDS`."""
    if not int.from_bytes(batch[_ATTRIBUTES : _ATTRIBUTES + 2], "big") & _COMPRESSION:
        return True  # as large as it was on the way here
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            await process.communicate(batch)
    except TimeoutError:
        process.kill()
        await process.wait()
    return process.returncode == 0


def _used() -> int:
    """Bytes of address space of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def main() -> None:
    """Read a batch from standard input and every record of it; ends with an error when that takes too much."""
    batch = sys.stdin.buffer.read()
    limit = _used() + LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for _ in DefaultRecordBatch(batch):
        pass


if __name__ == "__main__":
    main()
