"""How kernels are compiled: once for each version of the engine's sources, kept in the user's cache.

numba keeps machine code beside a hash of the file it comes from. A kernel that uses a constant or a kernel of another
file would be kept when only that file changes, and compute with what was true before. So all sources together name the
folder. `TURNABOUT_KERNELS` puts the folders elsewhere, for a process that has no home.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

CACHE: Final = "TURNABOUT_KERNELS"
DEFAULT_CACHE: Final = "~/.cache/turnabout/kernels"


def _version() -> str:
    sources = hashlib.blake2b(digest_size=8)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        sources.update(path.read_bytes())
    return sources.hexdigest()


numba.config.CACHE_DIR = str(  # type: ignore[attr-defined]  # made up at run time
    Path(os.environ.get(CACHE, DEFAULT_CACHE)).expanduser() / _version()
)


def kernel(function: F) -> F:
    """Compile it for the types it is called with, to run without the interpreter's lock; it can make no arrays.

    So it need not count who holds the arrays that it is lent. The counts are atomic, one for each array of a tuple and
    each call: with them, two thirds of an answer to one change were counting.
    """
    return _compiled(function, _nrt=False)


def allocating(function: F) -> F:
    """The same for what makes arrays or hands them out."""
    return _compiled(function, _nrt=True)


def inlined(function: F) -> F:
    """The same, copied into every kernel that calls it, for what is called too often to be called."""
    return _compiled(function, inline="always")


def _compiled(function: F, **options: Any) -> F:
    return cast(F, numba.njit(cache=True, nogil=True, **options)(function))
