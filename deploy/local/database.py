"""The database: a real MongoDB by `MONGO_URI`, the fast server when it is built, the one from the wheel otherwise."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from local.places import FAST_DATABASE
from local.ports import HOST, Ports, listening
from local.processes import Child, StackError

OPTIONS = "retryWrites=false&w=majority&journal=true"


@dataclass(frozen=True, slots=True)
class Database:
    """What to connect to, what it is, and the process to start for it, if any."""

    uri: str
    name: str
    child: Child | None


def choose(state: Path, ports: Ports) -> Database:
    """Pick the server that `MONGO_URI` or `DATABASE` (fast, python) names, else the fastest there is."""
    if external := os.environ.get("MONGO_URI"):
        return Database(external, "the MongoDB at MONGO_URI", None)
    wanted = os.environ.get("DATABASE", "fast" if FAST_DATABASE.exists() else "python")
    if wanted not in {"fast", "python"}:
        raise StackError(f"DATABASE={wanted} is not known. Use DATABASE=fast or DATABASE=python.")
    if wanted == "fast" and not FAST_DATABASE.exists():
        raise StackError("The fast database is not built yet. Run `make fast-db` once, or leave DATABASE unset.")
    uri = f"mongodb://{HOST}:{ports.database}/?{OPTIONS}"
    server: Path = FAST_DATABASE if wanted == "fast" else Path(sys.executable).parent / "secantusd-py"
    # The two servers' files differ, so each keeps its own folder.
    storage = state / f"database-{wanted}"
    storage.mkdir(parents=True, exist_ok=True)
    arguments: list[str | Path] = [server, "--host", HOST, "--port", str(ports.database)]
    arguments += ["--storage-path", storage, "--sync-on-commit"]
    if wanted == "fast":
        arguments += ["--cache-size", "256M"]
    log = state / "logs" / "database.log"
    return Database(uri, f"SecantusDB ({wanted})", Child("the database", arguments, log, lambda: _answers(ports, uri)))


def _answers(ports: Ports, uri: str) -> bool:
    if not listening(ports.database):
        return False
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=1000)
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True
