"""What consumer groups keep in their service's database: parked keys, settled letters, positions."""

from dataclasses import dataclass
from typing import Self

from chassis.consuming import dead_letters, parking, suspects
from chassis.consuming.dead_letters import DeadLetters
from chassis.consuming.parking import Parking
from chassis.consuming.suspects import Suspects
from chassis.delivery import Delivery
from chassis.state.mongo import Collection


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The three collections, and what is built on them for each group."""

    letters: DeadLetters
    parked: Collection
    positions: Collection

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Name the collections to the delivery, which creates their indexes."""
        settled = delivery.collection(dead_letters.COLLECTION, dead_letters.INDEXES)
        return cls(
            letters=DeadLetters(delivery.producer, settled),
            parked=delivery.collection(parking.COLLECTION, parking.INDEXES),
            positions=delivery.collection(suspects.COLLECTION, suspects.INDEXES),
        )

    def parking(self, group: str) -> Parking:
        """The parked keys of one group."""
        return Parking(self.parked, group)

    def suspects(self, group: str) -> Suspects:
        """The positions of one group."""
        return Suspects(self.positions, group)
