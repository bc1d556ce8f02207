"""The awaits at which a service touches the database, the broker and the outside, each named twice: before and after.

A name is the function that waits, the seam, the operation and the moment: ``Relay.clear orders.update_all.before``. So
the same operation has one name for clearing and another for taking over.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from chassis.state.mongo import Collection

from faults_world.sink import Sink

Reached = Callable[[str], None]
_OPERATIONS: Final = (
    "find_one", "sweep", "insert", "insert_many", "update", "update_all", "update_each", "remove", "delete",
)  # fmt: skip


def watch(reached: Reached) -> None:
    """Call `reached` with the name of every point of this process from now on."""
    for operation in _OPERATIONS:
        _surround(Collection, operation, lambda collection: str(collection.name), reached)
    _surround(AIOKafkaConsumer, "commit", lambda _: "consumer", reached)
    _watch_fetching(reached)
    _watch_sending(reached)
    _watch_outside(reached)


def _surround(place: type, operation: str, seam: Callable[[Any], str], reached: Reached) -> None:
    right: Callable[..., Awaitable[Any]] = getattr(place, operation)

    async def surrounded(self: Any, *arguments: Any, **options: Any) -> Any:
        name = f"{_waiting()} {seam(self)}.{operation}"
        reached(f"{name}.before")
        result = await right(self, *arguments, **options)
        reached(f"{name}.after")
        return result

    setattr(place, operation, surrounded)


def _waiting() -> str:
    """The function that awaits the surrounded one, which is two frames up."""
    return sys._getframe(2).f_code.co_qualname


def _watch_fetching(reached: Reached) -> None:
    """Fetching waits nearly all the time, so there is only the moment when it brought something."""
    right = AIOKafkaConsumer.getmany

    async def getmany(self: Any, *partitions: Any, **options: Any) -> Any:
        records = await right(self, *partitions, **options)
        if records:
            reached("consumer.fetch.after")
        return records

    AIOKafkaConsumer.getmany = getmany


def _watch_sending(reached: Reached) -> None:
    """A batch is handed over, and acknowledged later: between the two nobody knows whether the broker has it."""
    right = AIOKafkaProducer.send_batch

    async def send_batch(self: Any, batch: Any, topic: str, *, partition: int) -> Any:
        reached(f"{topic}.send.before")
        sent = await right(self, batch, topic, partition=partition)
        reached(f"{topic}.send.between")
        return _acknowledged(sent, f"{topic}.send.after", reached)

    AIOKafkaProducer.send_batch = send_batch


async def _acknowledged(sent: Awaitable[Any], name: str, reached: Reached) -> Any:
    result = await sent
    reached(name)
    return result


def _watch_outside(reached: Reached) -> None:
    right = Sink.accept

    def accept(self: Sink, key: str, effect: dict[str, Any]) -> None:
        reached("outside.accept.before")
        right(self, key, effect)
        reached("outside.accept.after")

    setattr(Sink, "accept", accept)  # noqa: B010 - mypy refuses the plain assignment of a method
