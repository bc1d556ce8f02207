"""A replica that can be told to freeze between reading what it owes and sending it; run as a process by the tests."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.aggregate import Aggregate
from chassis.app import Service
from chassis.delivery import Delivery
from chassis.documents import Documents
from chassis.mongo import Raw
from chassis.relay import Relay
from chassis.settings import Settings
from contracts.profiles import ProfileUpdated

TENANT = "acme"


class Dial(Aggregate):
    """A number whose newest value is a compacted state."""

    value: int = 0

    def turn(self) -> None:
        """One further; says the whole state."""
        self.value += 1
        self.say(
            ProfileUpdated(
                member=self.id,
                enrolled=True,
                open_to_mentor=True,
                open_to_be_mentored=False,
                mentor_capacity=self.value,
                mentee_capacity=0,
            )
        )


@dataclass
class Store:
    """The dials."""

    dials: Documents[Dial]


def service(settings: Settings) -> Service[Store]:
    """A service of dials alone."""

    def store(delivery: Delivery) -> Store:
        return Store(delivery.documents(Dial, "dials"))

    return Service(settings, "dial", store_factory=store)


class FreezingRelay(Relay):
    """Stops its whole process once, after the read and before the send."""

    frozen = False

    async def publish(self, raws: Sequence[Raw]) -> set[str]:
        """Freeze, then send what was read before."""
        if not FreezingRelay.frozen:
            FreezingRelay.frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return await super().publish(raws)


async def main(dial: str) -> None:
    """Create the dial, freeze while publishing it, and go on for half a minute once continued."""
    running = service(Settings())
    async with running.opened() as (delivery, store):
        delivery._relays["dials"].__class__ = FreezingRelay  # the planted fault
        made = Dial(id=dial, tenant=TENANT)
        made.turn()
        await store.dials.insert(made)
        await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
