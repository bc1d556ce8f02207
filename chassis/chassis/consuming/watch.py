"""The watch: measures every few seconds, from beside, what nobody tells by doing their work.

A group that stands still counts nothing, and a process that waits for its database can't write down that it does. So
somebody looks: how far groups and readers are behind, what died and what is parked, and who answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError
from contracts.topics import Topic

from chassis import clock, logs, metrics
from chassis.consuming.consumer import Consumer
from chassis.consuming.open_letters import OpenLetters, seconds_since
from chassis.consuming.reader import TopicReader
from chassis.consuming.upkeep import Upkeep
from chassis.errors import TransientError
from chassis.settings import Settings

log = logs.get()
LOOK_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 10.0
_READERS: Final = "reader"
Look = Callable[[], Awaitable[None]]


class Watch:
    """Of one process.

    Args:
        settings: how to reach the broker.
        groups: the consumer groups of the service by their name on the wire, and what each reads.
        upkeep: what they keep in the database.
        consumers: the members of this process, which change with the connection to the broker.
        readers: its whole-topic readers.
    """

    def __init__(
        self,
        settings: Settings,
        groups: Mapping[str, Iterable[Topic]],
        upkeep: Upkeep,
        consumers: Callable[[], Sequence[Consumer[Any]]],
        readers: Sequence[TopicReader],
    ) -> None:
        self._groups = [*groups]
        self._upkeep = upkeep
        self._consumers = consumers
        self._readers = readers
        self._letters = OpenLetters(settings, groups, upkeep.letters)

    async def run(self, *others: Look) -> None:
        """Look until cancelled, `others` beside its own; what goes wrong with one stops neither it nor the others."""
        looks = [_within(look) for look in (self.behind, self.parked, *others)]
        async with asyncio.TaskGroup() as tasks:
            for look in looks:
                tasks.create_task(_for_ever(look))
            if self._groups:
                tasks.create_task(_for_ever(lambda: self._letters.follow(LOOK_SECONDS)))

    async def behind(self) -> None:
        """How far groups and readers are from the end of their topics."""
        answers = [(consumer.group, await consumer.behind()) for consumer in self._consumers()]
        if self._readers:
            answers.append((_READERS, [each for reader in self._readers for each in await reader.behind()]))
        for group, found in answers:
            seconds = max((each.seconds for each in found), default=0.0)
            metrics.CONSUMER_LAG_SECONDS.labels(group=group).set(seconds)
            metrics.CONSUMER_LAG_RECORDS.labels(group=group).set(sum(each.records for each in found))
        if any(found for _, found in answers):
            metrics.ANSWERED.labels(who="broker").set(clock.real_ms() / 1000)

    async def parked(self) -> None:
        """How many keys wait, and since when."""
        for group in self._groups:
            since = [key.since for key in await self._upkeep.parking(group).all()]
            metrics.PARKED_KEYS.labels(group=group).set(len(since))
            metrics.PARKED_SECONDS.labels(group=group).set(seconds_since(since))


def _within(look: Look) -> Look:
    async def bounded() -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await look()

    return bounded


async def _for_ever(look: Look) -> None:
    while True:
        try:
            await look()
        except (TransientError, KafkaError, TimeoutError) as error:
            log.warning("watch.waiting", error=type(error).__name__)
        except Exception as error:  # a figure that can't be told must not end the service that it is about
            log.exception("watch.failed", error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)
