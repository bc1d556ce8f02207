"""What the specification of the database is played on, and the words in which it is written."""

from dataclasses import dataclass
from typing import Any

from chassis.state.mongo import Collection, Database

TENANT = "acme"
OTHER = "globex"
FAST = "SecantusDB (fast)"


@dataclass
class Stage:
    """One implementation: its empty database, one whose server is away, and the server's name."""

    database: Database
    away: Database
    server: str


async def ids(people: Collection, filter_: dict[str, Any]) -> list[str]:
    """Ids of the documents that fit, sorted."""
    return sorted(raw["_id"] for raw in await people.sweep(filter_))


async def stored(people: Collection, id_: str) -> dict[str, Any]:
    """The one document of this id, whatever its tenant."""
    found = await people.sweep({"_id": id_})
    assert len(found) == 1
    return found[0]


def person(id_: str, tenant: str = TENANT, **fields: Any) -> dict[str, Any]:
    """A document with an id and a tenant."""
    return {"_id": id_, "tenant": tenant, **fields}
