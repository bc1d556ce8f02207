"""The operator: redrives what is dead, through the service's own pipeline, from a process of its own."""

import asyncio
from typing import Any, Final

from chassis.consuming.letters import Letter, Letters, letter_of
from chassis.consuming.redrive import Redrive
from chassis.errors import TransientError
from chassis.settings import Settings
from contracts.topics import Topic

from simulation import services
from simulation.broker import SimulatedLog
from simulation.process import Process

_TRIES: Final = 6


class _LettersInMemory(Letters):
    """Letters, read from the log in memory and not by a bystander of the real broker."""

    def __init__(self, log: SimulatedLog, group: str, topics: tuple[Topic, ...], process: Process) -> None:
        super().__init__(process.settings, group, topics, process.upkeep)
        self._log = log

    async def all(self) -> list[Letter]:
        """Each letter once, settled ones included, in the order of their source."""
        found: dict[str, Letter] = {}
        for topic in self._topics:
            for record in self._log.records(topic.dead(self.group)):
                if (letter := letter_of(record)) is not None:
                    found.setdefault(letter.place, letter)
        return sorted(found.values(), key=lambda each: (each.topic, each.partition, each.offset))


def redrive(process: Process, group: str) -> Redrive[services.Store]:
    """A redrive of one group, as the command line makes it."""
    table = services.TABLES[process.service].groups[group.partition(".")[2]]
    made: Redrive[Any] = Redrive(Settings.model_construct(kafka="memory"), table, process.store, process.upkeep)
    made._letters = _LettersInMemory(process.world.log, group, made._pipeline.words.topics, process)
    return made


async def everything(process: Process, group: str) -> None:
    """Redrive until nothing is left that can be handled."""
    made = redrive(process, group)
    while (report := await made.run()).handled or report.interrupted:
        pass
    await made._letters.release_empty()


async def patiently(process: Process, group: str) -> None:
    """Try again and again for a while; a fault of the database ends one command."""
    for _ in range(_TRIES):
        try:
            await redrive(process, group).run()
        except TransientError:
            process.world.tell("redrive gave up")
        await asyncio.sleep(process.world.random.random())
