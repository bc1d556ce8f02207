"""The second service: follows every order's facts behind a fence, and says a fact of its own for each."""

import os
from dataclasses import dataclass

from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from contracts.matching import SessionLogged
from contracts.notifications import NoticeSent

from faults_world.orders import read_session


class Parcel(Aggregate):
    """What an order's facts amount to, each counted by hand, so that one too many or too few shows."""

    count: int = 0
    last: int = 0
    breaches: list[str] = []

    def follow(self, name: str, who: str) -> None:
        """Apply one step; one that does not follow the last is noted."""
        step, _, _ = read_session(name)
        if step != self.last + 1:
            self.breaches = [*self.breaches, f"{name} after {self.last}"][:10]
        self.count += 1
        self.last = step
        self.say(NoticeSent(notice=name, member=who, thread=self.id, kind="moved"))


@dataclass
class Store:
    """The parcels."""

    parcels: Documents[Parcel]


handlers: Handlers[Store] = Handlers("parcels")


@handlers.on(SessionLogged, group="orders")
async def follow(event: Received[SessionLogged], store: Store) -> None:
    """One step of an order."""
    if event.data is None:
        return
    name, who = event.data.session, os.environ["TURNABOUT_INSTANCE"]
    await store.parcels.change(
        event.tenant,
        event.key,
        lambda parcel: parcel.follow(name, who),
        fence=event.fence,
        create=lambda: Parcel(id=event.key, tenant=event.tenant),
    )


def service(settings: Settings) -> Service[Store]:
    """Composed."""

    def store(delivery: Delivery) -> Store:
        return Store(delivery.documents(Parcel, "parcels"))

    return Service(settings, "parcels", store_factory=store, handlers=handlers)


if __name__ == "__main__":
    service(Settings()).main()
