"""Other frameworks, each in an environment of its own under the user's cache, out of this project's lock."""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.places import CACHE, ROOT

HOME: Final = CACHE / "bench-peers"


class PeerError(Exception):
    """It can't take part; the message says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One framework: what to install, and the module that measures it."""

    name: str
    packages: tuple[str, ...]
    module: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return HOME / self.name / "bin" / "python"

    async def prepare(self) -> str:
        """Install it once; returns its version.

        Raises:
            PeerError: it can't be installed or imported here.
        """
        if not self.python.exists():
            await _run([_uv(), "venv", "--quiet", "--python", sys.executable, HOME / self.name])
        # Its own dependencies decide the rest; what is installed already costs no download.
        await _run([_uv(), "pip", "install", "--quiet", "--python", self.python, *self.packages, "pydantic"])
        return await _run([self.python, "-c", f"import importlib.metadata as m; print(m.version('{self.name}'))"])

    def command(self, *arguments: str) -> list[str]:
        """How it is run; the module finds the contracts by `environment`."""
        return [str(self.python), "-m", f"benchmarks.bus.peers.{self.module}", *arguments]


PEERS: Final = (
    Peer("faust-streaming", ("faust-streaming", "aiokafka[lz4]"), "faust_peer"),
    Peer("quixstreams", ("quixstreams",), "quix_peer"),
)


def environment() -> dict[str, str]:
    """Where the peers find this package and the contracts, and nothing else of ours."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'contracts'}"}


def _uv() -> str:
    found = shutil.which("uv") or str(CACHE / "uv" / "bin" / "uv")
    if not Path(found).exists():
        raise PeerError("uv is not there; `make setup` fetches it")
    return found


async def _run(command: list[str | Path]) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise PeerError(errors.decode().strip().splitlines()[-1][:200] if errors.strip() else "no reason given")
    return output.decode().strip()
