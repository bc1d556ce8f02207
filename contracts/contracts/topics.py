"""One `Topic` a stream: who may read it, how it is kept, and every name derived from it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Audience(StrEnum):
    """Who may read a topic; broker ACLs follow from it."""

    OUTSIDE = "outside"
    PLATFORM = "platform"
    RESTRICTED = "restricted"


class Kind(StrEnum):
    """Facts are kept for a time; states are compacted to the newest per key."""

    FACTS = "facts"
    STATE = "state"


_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A stream of one service. The Kafka key is the aggregate's id."""

    owner: str
    stream: str
    audience: Audience
    kind: Kind
    version: int = 1

    @property
    def name(self) -> str:
        """The Kafka topic name, for example ``matching.mentorship.v1``."""
        return f"{self.owner}.{self.stream}.v{self.version}"

    @property
    def removed(self) -> str:
        """The ``ce_type`` of a tombstone, for example ``turnabout.profiles.profile-removed.v1``."""
        return f"turnabout.{self.owner}.{self.stream}-removed.v{self.version}"

    def dead(self, group: str) -> str:
        """Where one consumer group puts the records of this topic that it could not handle."""
        return f"{self.name}.{group}.dead"

    def settings(self) -> dict[str, str]:
        """Kafka topic configuration."""
        if self.kind is Kind.FACTS:
            return {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY_MS)}
        return {
            "cleanup.policy": "compact",
            "max.compaction.lag.ms": str(_DAY_MS),
            "delete.retention.ms": str(7 * _DAY_MS),
        }


DEAD_SETTINGS: Final = {
    "cleanup.policy": "delete",
    "retention.ms": str(14 * _DAY_MS),
    "max.message.bytes": str(2 * 1024 * 1024),  # the largest record that a broker takes elsewhere, and its origin
}

PROFILE = Topic("profiles", "profile", Audience.OUTSIDE, Kind.STATE)
DIRECTORY = Topic("profiles", "directory", Audience.PLATFORM, Kind.STATE)
TAXONOMY = Topic("profiles", "taxonomy", Audience.OUTSIDE, Kind.STATE)
PROGRAMME = Topic("matching", "programme", Audience.OUTSIDE, Kind.STATE)
MENTORSHIP = Topic("matching", "mentorship", Audience.OUTSIDE, Kind.FACTS)
MENTORSHIP_DETAIL = Topic("matching", "mentorship-detail", Audience.PLATFORM, Kind.FACTS)
MENTORSHIP_STATE = Topic("matching", "mentorship-state", Audience.PLATFORM, Kind.STATE)
INVITATION = Topic("matching", "invitation", Audience.PLATFORM, Kind.FACTS)
NOTICE = Topic("notifications", "notice", Audience.PLATFORM, Kind.FACTS)

TOPICS: Final = (
    *(PROFILE, DIRECTORY, TAXONOMY),
    *(PROGRAMME, MENTORSHIP, MENTORSHIP_DETAIL, MENTORSHIP_STATE, INVITATION),
    NOTICE,
)
