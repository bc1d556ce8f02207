"""A dead letter read from its record: where it came from, why it died, and what the record itself was."""

from dataclasses import dataclass
from typing import Final

from operations.checker.model import Headers, TopicRecord

PREFIX: Final = "dlq-"
UNPARKED: Final = frozenset({"bad-envelope", "quarantined"})
"""Reasons behind which nothing is parked: no readable key proves what would have to wait."""
PARKED: Final = "parked"


@dataclass(frozen=True, slots=True)
class Letter:
    """One record of a dead-letter topic."""

    record: TopicRecord
    group: str
    topic: str
    partition: int
    offset: int
    reason: str
    attempts: int
    last: int | None
    """The last offset, when the letter only says where records stand that were set aside unread."""
    headers: Headers
    """The record's own headers, without those of the letter."""

    @property
    def offsets(self) -> range:
        """The source offsets that it is about."""
        return range(self.offset, (self.offset if self.last is None else self.last) + 1)

    @property
    def origin(self) -> tuple[str, str, int, int]:
        """What makes it one letter, however often it was written."""
        return self.group, self.topic, self.partition, self.offset


def read_letter(record: TopicRecord) -> Letter | None:
    """The letter, or None when its headers do not say where it came from."""
    facts = {name.removeprefix(PREFIX): value for name, value in record.headers if name.startswith(PREFIX)}
    try:
        text = {name: (value or b"").decode() for name, value in facts.items()}
        letter = Letter(
            record=record,
            group=text["group"],
            topic=text["topic"],
            partition=int(text["partition"]),
            offset=int(text["offset"]),
            reason=text["reason"],
            attempts=int(text["attempts"]),
            last=int(text["last-offset"]) if "last-offset" in text else None,
            headers=tuple(header for header in record.headers if not header[0].startswith(PREFIX)),
        )
    except (KeyError, ValueError):
        return None
    named = f"{letter.topic}.{letter.group}.dead" == record.topic and letter.reason
    return letter if named and letter.attempts >= 0 else None
