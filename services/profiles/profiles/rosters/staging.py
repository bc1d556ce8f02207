"""Rosters that wait on this machine: for their columns to be told, or to be imported after a trial.

They hold names and addresses, so they are this user's alone and go after an hour; what a process left behind that ended
before goes when another one starts or lets a file wait.
"""

import asyncio
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from chassis.errors import NotFoundError
from chassis.translation import gettext as _

from chassis import clock

_SECONDS: Final = 60 * 60
_PREFIX: Final = "turnabout-roster-"


def keep(path: Path, job: str) -> None:
    """Keep a received file for an import that goes on later."""
    path.rename(_place(job))
    asyncio.get_running_loop().call_later(_SECONDS, lambda: _place(job).unlink(missing_ok=True))


def kept(job: str) -> Path | None:
    """Where the file of an import waits, if it still does."""
    return place if (place := _place(job)).exists() else None


def take(job: str) -> Path:
    """Take the file of an import, which nobody else can take then.

    Raises:
        NotFoundError: it is gone, or waits at another replica.
    """
    taken = _place(job).with_suffix(".taken")
    try:
        return _place(job).rename(taken)
    except FileNotFoundError:
        raise NotFoundError(_("The file is not kept any more. Choose it again.")) from None


def tidy() -> None:
    """Delete what an earlier process left behind."""
    for path in Path(gettempdir()).glob(f"{_PREFIX}*"):
        if clock.real_ms() / 1000 - path.stat().st_mtime > _SECONDS:  # files know no shifted time
            path.unlink(missing_ok=True)


def _place(job: str) -> Path:
    return Path(gettempdir()) / f"{_PREFIX}{job}.csv"
