"""The places a member has on one side. Load never exceeds capacity at the moment a place is taken."""

from chassis.state.aggregate import Aggregate
from contracts.matching import Side
from pydantic import Field


class Places(Aggregate):
    """One member's places as mentor or as mentee; `taken` holds mentorship ids."""

    member: str
    side: Side
    capacity: int = 0
    capacity_version: int = 0
    taken: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, tenant: str, member: str, side: Side) -> "Places":
        """Places of which nothing is known yet."""
        return cls(id=places_id(member, side), tenant=tenant, member=member, side=side)

    @property
    def full(self) -> bool:
        """No further place can be taken."""
        return len(self.taken) >= self.capacity

    def set_capacity(self, capacity: int, version: int) -> None:
        """Follow the member's profile; an older version is ignored. Lowering it ends nothing."""
        if version <= self.capacity_version:
            return
        was_full = self.full and self.capacity_version > 0
        self.capacity, self.capacity_version = capacity, version
        if self.full and not was_full:
            self.ask("withdraw-rest", member=self.member, side=self.side.value)

    def reserve(self, mentorship: str) -> bool:
        """Take a place for a mentorship, or find it taken already; false when there is none left."""
        if mentorship in self.taken:
            return True
        if self.full:
            return False
        self.taken.append(mentorship)
        return True

    def release(self, mentorship: str) -> None:
        """Give a place back; harmless when it was not taken."""
        if mentorship in self.taken:
            self.taken.remove(mentorship)


def places_id(member: str, side: Side) -> str:
    """The document that holds a member's places on one side."""
    return f"{member}:{side.value}"
