"""The service that is measured: it stores what each fact told, and remembers when the database had acknowledged it.

Two roles of a process: `migrate` creates the indexes, `serve` consumes until SIGTERM and then writes the moments.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from contracts.notifications import NoticeSent

from benchmarks.poison.kinds import BUG

SERVICE: Final = "bench-poison"
GROUP: Final = f"{SERVICE}.jars"


class Jar(Aggregate):
    """Remembers the notices that it was told, in order."""

    told: list[str] = []  # noqa: RUF012 - pydantic copies defaults


@dataclass(slots=True)
class Store:
    """The jars, and when each notice was stored: seconds of the machine's monotonic clock."""

    jars: Documents[Jar]
    stored: dict[str, float] = field(default_factory=dict)


handlers: Handlers[Store] = Handlers(SERVICE)


@handlers.on(NoticeSent, group="jars")
async def tell(event: Received[NoticeSent], store: Store) -> None:
    """Add one notice."""
    if event.data is None:
        return
    notice = event.data.notice
    if event.data.kind == BUG:
        raise ValueError

    def add(jar: Jar) -> None:
        jar.told = [*jar.told, notice]

    def create() -> Jar:
        return Jar(id=event.key, tenant=event.tenant)

    await store.jars.change(event.tenant, event.key, add, fence=event.fence, create=create)
    store.stored[notice] = time.monotonic()


def jars(delivery: Delivery) -> Documents[Jar]:
    """Where the effects are."""
    return delivery.documents(Jar, "jars")


def settings(kafka: str, mongo: str) -> Settings:
    """Of the service."""
    return Settings(kafka=kafka, mongo=mongo, instance=f"{SERVICE}-0", port=0)


def main(role: str, kafka: str, mongo: str, moments: str) -> None:
    """One process."""
    stores: list[Store] = []

    def make_store(delivery: Delivery) -> Store:
        stores.append(Store(jars(delivery)))
        return stores[-1]

    service = Service(settings(kafka, mongo), SERVICE, store_factory=make_store, handlers=handlers)
    if role == "migrate":
        service.migrate()
        return
    service.run()
    Path(moments).write_text(json.dumps(stores[-1].stored))


if __name__ == "__main__":
    main(*sys.argv[1:])
