"""Dead letters: the record's key, value and headers untouched, with its origin beside them."""

from typing import Final

from chassis import clock
from chassis.outcomes import DeadLetter
from chassis.producer import Producer
from chassis.records import Record

PREFIX: Final = "dlq-"


async def bury(producer: Producer, record: Record, group: str, why: DeadLetter) -> None:
    """Write the record to ``<topic>.<group>.dead`` and wait for the broker to have it.

    Raises:
        TransientError: the broker did not take it; the source offset must not be committed.
    """
    origin = {
        "reason": why.reason,
        "error": why.error[:500],
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "group": group,
        "attempts": str(why.attempts),
        "at": clock.timestamp(),
    }
    headers = [*record.headers, *((PREFIX + name, text.encode()) for name, text in origin.items())]
    await producer.send_raw(f"{record.topic}.{group}.dead", record.key, record.value, headers)
