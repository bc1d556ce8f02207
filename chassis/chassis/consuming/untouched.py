"""What FastStream is given in place of its parser and decoder: the records pass through it untouched.

A poison header must not reach FastStream's own parser. And FastStream keeps the message in a context variable, and
every timer that is made meanwhile keeps the context, for as long as a request to the broker may take. So the records
go in a list that is emptied after them.
"""

from typing import Any

from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage


async def parse_nothing(message: Any, _original: Any) -> KafkaMessage:
    """A message around the records; FastStream takes the context of its own log lines from the first."""
    return KafkaMessage(body=list(message), headers={}, raw_message=message[:1], message_id="", consumer=FAKE_CONSUMER)


async def keep_records(message: Any, _original: Any) -> Any:
    """The records again."""
    return message.body
