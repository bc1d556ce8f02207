"""The third service: claims one letter a fact by its id, then delivers it to the outside."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.outcomes import Duplicate
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import AlreadyExistsError, Documents
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.notifications import NoticeSent

from faults_world.sink import Sink

DELIVERY_SECONDS: Final = 0.3  # a mail server takes its time


class Letter(Aggregate):
    """The claim on one effect. Its id is the event's, so claiming it twice is refused."""

    order: str
    name: str
    follower: str


@dataclass
class Store:
    """Claims, and where the letters go."""

    letters: Documents[Letter]
    sink: Sink


handlers: Handlers[Store] = Handlers("letters")
works: Works[Store] = Works()


@handlers.on(NoticeSent, group="notices")
async def claim(event: Received[NoticeSent], store: Store) -> Duplicate | None:
    """Claim the effect; delivering it is work that the claim owes."""
    if event.data is None:
        return None
    letter = Letter(
        id=event.id,
        tenant=event.tenant,
        order=event.data.thread,
        name=event.data.notice,
        follower=event.data.member,
    )
    letter.ask("deliver", order=letter.order, name=letter.name, follower=letter.follower)
    try:
        await store.letters.insert(letter)
    except AlreadyExistsError:
        return Duplicate()
    return None


@works.on("deliver")
async def deliver(work: Work, store: Store) -> None:
    """Hand the letter to the outside, which knows it by its id."""
    await asyncio.sleep(DELIVERY_SECONDS)
    trace = (work.traceparent or "--").split("-")[1]
    store.sink.accept(work.document, work.arguments | {"trace": trace})


def service(settings: Settings, outside: Path) -> Service[Store]:
    """Composed."""

    def store(delivery: Delivery) -> Store:
        return Store(delivery.documents(Letter, "letters"), Sink(outside, settings.instance))

    return Service(settings, "letters", store_factory=store, handlers=handlers, works=works)


if __name__ == "__main__":
    service(Settings(), Path(os.environ["FAULTS_SINK"])).main()
