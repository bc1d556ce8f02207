"""A service of one kind of document, as small as a service can be."""

from dataclasses import dataclass

from chassis.app import Service
from chassis.delivery import Delivery
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
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
