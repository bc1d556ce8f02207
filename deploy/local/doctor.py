"""What the local stack finds on this machine, and what is missing: one line a part, with what to do."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local import browser, database, kafka
from local.places import CACHE, FAST_DATABASE, NODE_MODULES
from local.ports import Ports
from local.processes import StackError
from local.setup import FREE_BYTES, npm_installed

_GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: whether it is as it should be, and a sentence."""

    well: bool
    part: str
    sentence: str


def look(state: Path, ports: Ports) -> Iterator[Finding]:
    """Look at everything that a start needs."""
    free = shutil.disk_usage(CACHE if CACHE.exists() else Path.home()).free
    yield Finding(free > FREE_BYTES, "disk", f"{free / _GIB:.1f} GiB are free where {CACHE} lies.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding(memory >= 2 * _GIB, "memory", f"{memory / _GIB:.1f} GiB; the stack takes up to 1.5 GiB.")
    there = kafka.downloaded()
    yield Finding(there, "Kafka", f"version {kafka.VERSION} is there." if there else "not fetched yet: `make setup`.")
    there = npm_installed()
    yield Finding(there, "npm packages", f"in {NODE_MODULES}." if there else "not fetched yet: `make setup`.")
    yield _database(state, ports)
    yield _ports(ports)
    yield _browser()


def _database(state: Path, ports: Ports) -> Finding:
    try:
        name = database.choose(state, ports).name
    except StackError as error:
        return Finding(well=False, part="database", sentence=str(error))
    hint = "" if FAST_DATABASE.exists() else " `make fast-db` builds a faster one."
    return Finding(well=True, part="database", sentence=f"{name}.{hint}")


def _ports(ports: Ports) -> Finding:
    try:
        ports.refuse_if_taken()
    except StackError as error:
        return Finding(well=False, part="ports", sentence=str(error))
    return Finding(well=True, part="ports", sentence=f"{ports.gateway} to {ports.last} are free.")


def _browser() -> Finding:
    try:
        return Finding(well=True, part="browser", sentence=f"{browser.find()}, for the tests.")
    except StackError as error:
        return Finding(well=False, part="browser", sentence=f"{error} Only the tests need it.")
