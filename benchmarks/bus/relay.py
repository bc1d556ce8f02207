"""The whole relay: documents of the real database that owe an event each, until all of them are cleared."""

import asyncio
import uuid

from chassis.app import Service
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents

from benchmarks.bus.load import TENANT, identifier, lots, proposal
from benchmarks.bus.meter import Addresses, Meter
from chassis import logs

_AT_ONCE = 500


class Offer(Aggregate):
    """The smallest aggregate that says something."""

    def make(self) -> None:
        """Say it."""
        self.say(proposal(self.id))


async def whole_relay(at: Addresses, meter: Meter) -> None:
    """A replica starts over a backlog of its own: sweep, read, publish, clear."""
    settings = Settings(kafka=at.kafka, mongo=at.mongo, instance="bench", log_level="WARNING")
    name = f"bench-{uuid.uuid4().hex[:8]}"
    logs.configure(settings, name)
    service: Service[Documents[Offer]] = Service(settings, name, store_factory=_offers)
    async with service.opened(relaying=False) as (delivery, offers):
        await delivery.migrate()
        for numbers in lots(range(meter.events), _AT_ONCE):
            made = [Offer(id=identifier(name, number), tenant=TENANT) for number in numbers]
            for each in made:
                each.make()
            await offers.insert_many(made)
    meter.add(0)
    async with service.opened() as (delivery, offers):
        owed = meter.events
        while owed:
            await asyncio.sleep(0.2)
            before, owed = owed, await offers.collection.count(TENANT, {"pending": {"$gt": 0}})
            meter.add(before - owed)


def _offers(delivery: Delivery) -> Documents[Offer]:
    return delivery.documents(Offer, "offers")
