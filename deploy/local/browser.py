"""A Chromium for the journeys: the one that is installed, or one fetched when that is possible without asking."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.processes import StackError

# A browser of a test asks nobody on the net, and root has no sandbox.
ARGUMENTS: Final = ("--no-sandbox", "--disable-background-networking")
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PACKAGES: Final = ("chromium", "fonts-dejavu-core")


def find() -> Path:
    """The browser's executable.

    Raises:
        StackError: there is none.
    """
    for name in _NAMES:
        if (path := shutil.which(name)) is not None:
            return Path(path)
    if (own := _of_playwright()) is not None:
        return own
    raise StackError("No Chromium was found. Run `make browser`, which fetches one where it can.")


def provide() -> Path:
    """The browser, fetched if it is missing.

    Raises:
        StackError: it can't be fetched here; the message says what to do.
    """
    try:
        return find()
    except StackError:
        _fetch()
    try:
        return find()
    except StackError as error:
        raise StackError(
            "The journeys need Chromium, and it could not be fetched. Install it "
            "(Debian: `apt-get install chromium`) and run the command again."
        ) from error


def _fetch() -> None:
    print("fetching Chromium for the browser tests")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and (apt := shutil.which("apt-get")) is not None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", *_PACKAGES]):
            subprocess.run([apt, "-qq", *arguments], env=environment, capture_output=True, check=False)
        if any(shutil.which(name) for name in _NAMES):
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, check=False)


def _of_playwright() -> Path | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)
