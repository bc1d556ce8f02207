"""One run: two processes of orders, one of parcels, one of letters; commands and faults; healing, and the verdict."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final

from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from fakes.database import Storage
from fakes.log import Batch, Fate
from pymongo.errors import AutoReconnect

from simulation import clients, faults, operator, services
from simulation.broker import SESSION_SECONDS, GroupOnBroker, SimulatedLog
from simulation.faults import Blow, Kind
from simulation.loop import OWNER, SimulatedLoop, State
from simulation.process import Process

PARTITIONS: Final = 2
NAMES: Final = {"orders": ("orders-0", "orders-1"), "parcels": ("parcels-0",), "letters": ("letters-0",)}
HEARD: Final = {
    "parcels.orders": (MENTORSHIP,),
    "letters.notices": (NOTICE,),
    "letters.rows": (PROGRAMME,),
}
HEALED_AT: Final = 30.0  # virtual seconds: later than any fault lasts
_PATIENCE: Final = 400.0


class World:
    """Everything that runs, and what goes wrong with it."""

    def __init__(self, seed: int, plan: faults.Plan, loop: SimulatedLoop, random: Random) -> None:
        self.seed, self.plan, self.loop, self.random = seed, plan, loop, random
        self.history: list[str] = []
        self.breaches: list[str] = []
        self.log = SimulatedLog()
        self.storages = {service: Storage() for service in ("orders", "parcels", "letters")}
        self.groups: dict[str, GroupOnBroker] = {}
        self.processes: list[Process] = []
        self.given: list[clients.Given] = []
        self.points: Counter[str] = Counter()
        self.spoiled: list[tuple[str, int, int]] = []
        self.reachable = 0
        self.deaths = 0
        self.mended = False
        self.healed = False
        self._late = 0
        self._replaced: list[Process] = []
        self._due: Counter[str] = Counter()

    def tell(self, what: str) -> None:
        """Write down what happened, when and where."""
        owner = OWNER.get()
        self.history.append(f"{self.loop.time():.6f} {owner or '-'} {what}")

    # --- what happens at points -------------------------------------------------------------------------------

    async def reached(self, process: Process, name: str) -> None:
        """A process is at a point of the fakes: it may die there, freeze, wait, or meet a fault."""
        self.tell(name)
        self.points[name] += 1
        if not name.startswith("instances") and not self.healed:
            self.reachable += 1
            if (blow := self.plan.blows.get(self.reachable)) is not None:
                self.strike(process, blow)
        if self.plan.crash == (name, self.points[name]):
            self.strike(process, Blow(Kind.CRASH, self.reachable, 1.0, replaced=False, same_name=True))
        if process.state is not State.RUNNING:
            await asyncio.sleep(0)
        if name.startswith(("producer", "consumer")):
            await self._wait()
            return
        now, plan = self.loop.time(), self.plan.database
        if self.plan.outage.now(now) or (plan.now(now) and not self.healed and self.random.random() < plan.share):
            self.tell(f"fault at {name}")
            raise AutoReconnect("as the simulation wished")
        await self._wait()

    async def _wait(self) -> None:
        chance = self.random.random()
        if chance < self.plan.slow:
            await asyncio.sleep(self.random.choice([0.001, 0.02, 0.3]) * self.random.random())
        elif chance < 0.6:
            await asyncio.sleep(0)

    async def fate(self, process: Process, batch: Batch) -> Fate:
        """What becomes of a batch; late ones arrive by themselves, whatever becomes of their sender."""
        if self.plan.outage.share == 1 and self.plan.outage.now(self.loop.time()):
            return Fate.REFUSED
        plan = self.plan.broker
        if self.healed or not plan.now(self.loop.time()) or self.random.random() >= plan.share:
            return Fate.TAKEN
        found = self.random.choice([Fate.REFUSED, Fate.UNCONFIRMED, Fate.LATE, Fate.TAKEN])
        self.tell(f"{found.name.lower()} {batch.topic}-{batch.partition} ({len(batch.records)})")
        if found is Fate.LATE:
            self._late += 1
            self._later(faults.lateness(self.random), self._arrive, process)
        elif found is Fate.TAKEN:
            await asyncio.sleep(self.random.uniform(0, 5))
        return found

    def _arrive(self, process: Process) -> None:
        self._late -= 1
        self.tell(f"{len(process.producer.late)} late batches of {process} arrive")
        process.producer.arrive()

    def _later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Outside every process."""
        token = OWNER.set(None)
        try:
            self.loop.call_later(seconds, call, *arguments)
        finally:
            OWNER.reset(token)

    def trouble(self, process: Process, what: str) -> None:
        """Raises for poison until it is mended, and now and then while there are bugs."""
        del process
        if services.POISON in what and not self.mended:
            raise ValueError
        plan = self.plan.bugs
        if not self.healed and plan.now(self.loop.time()) and self.random.random() < plan.share:
            self.tell(f"bug in {what}")
            raise ValueError

    # --- processes --------------------------------------------------------------------------------------------

    def strike(self, process: Process, blow: Blow) -> None:
        """Let a process die or freeze, and see to what comes after."""
        self.tell(f"{blow.kind.name.lower()} for {blow.seconds:.1f} s, replaced {blow.replaced}, {blow.same_name}")
        self._gone(process)
        self.deaths += blow.kind is Kind.CRASH
        other = process.name if blow.same_name else f"{process.name}-other"
        if blow.kind is Kind.CRASH:
            process.state = State.DEAD
            self._due[process.service] += 1
            self._later(blow.seconds, self._start_again, process.service, other if blow.replaced else process.name)
            return
        process.state = State.FROZEN
        self._later(blow.seconds, self._thaw, process)
        if blow.replaced:
            self._due[process.service] += 1
            self._later(blow.seconds / 2, self._start_again, process.service, other)
            self._replaced.append(process)
            self._later(blow.seconds + 8.0, self._kill, process)  # who started another ends this one

    def _gone(self, process: Process) -> None:
        process.struck = True
        for group, _, connection in process.consumers:
            expire = self.groups[group].expire
            self._later(
                SESSION_SECONDS,
                lambda expire=expire, connection=connection: self.outside(expire(process.name, connection)),
            )

    def _start_again(self, service: str, name: str) -> None:
        self._due[service] -= 1
        self.start(service, name)

    def _thaw(self, process: Process) -> None:
        if process.state is not State.FROZEN:
            return
        self.tell(f"{process} goes on")
        self.loop.thaw(process)
        for group, _, connection in process.consumers:
            self._later(1.0, self._return, process, group, connection)

    def _return(self, process: Process, group: str, connection: Any) -> None:
        if process.state is State.RUNNING:
            self.outside(self.groups[group].return_of(process.name, connection))

    def _kill(self, process: Process) -> None:
        if process.state is not State.DEAD:
            self.tell(f"{process} is killed")
            process.state = State.DEAD
            self._gone(process)

    def outside(self, coroutine: Any) -> Any:
        """Run something in no process: on a server."""
        token = OWNER.set(None)
        try:
            return self.loop.create_task(coroutine)
        finally:
            OWNER.reset(token)

    def start(self, service: str, name: str) -> Process:
        """Start a process."""
        process = Process(self, service, name, len(self.processes))
        self.processes.append(process)
        self.tell(f"{process} starts")
        token = OWNER.set(None)
        try:
            process.start(clients.commanding(self) if service == "orders" else _nothing)
        finally:
            OWNER.reset(token)
        return process

    # --- the run ----------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """From the start to rest."""
        self._prepare()
        for service, names in NAMES.items():
            for name in names:
                self.start(service, name)
        for moment in self.plan.compactions:
            self._later(moment, self.log.compact, PROGRAMME.name)
        for moment, group in self.plan.rewinds:
            self._later(moment, lambda group=group: self.outside(self.groups[group].rewind()))
        for moment in self.plan.stops:
            self._later(moment, self._stop_one)
        for moment in self.plan.redrives:
            self._later(moment, self._redrive)
        for _ in range(self.plan.spoiled):
            self._later(self.random.uniform(0, faults.ACTIVE_SECONDS), self._spoil)
        await asyncio.sleep(HEALED_AT)
        self._heal()
        await self._quiet()
        if self.random.random() < 0.7:
            await self._mend()
            await self._quiet()
        self.log.compact(PROGRAMME.name)

    def _prepare(self) -> None:
        for topic in (MENTORSHIP, NOTICE, PROGRAMME):
            self.log.create(topic.name, PARTITIONS)
        for name, topics in HEARD.items():
            self.groups[name] = GroupOnBroker(name, tuple(topic.name for topic in topics), self.log, _in_process)
            for topic in topics:
                self.log.create(topic.dead(name), 1)

    def _stop_one(self) -> None:
        """A process ends in good order and is started again, as in a rolling deployment."""
        running = [each for each in self.processes if each.state is State.RUNNING]
        process = self.random.choice(running)
        self.tell(f"{process} is stopped")
        self._due[process.service] += 1
        process.spawn(process.stop())
        self._later(self.random.uniform(6, 12), self._after_stop, process)

    def _after_stop(self, process: Process) -> None:
        self._kill(process)
        self._start_again(process.service, process.name)

    def _spoil(self) -> None:
        """Somebody writes what is no event."""
        topic = self.random.choice([MENTORSHIP.name, NOTICE.name, PROGRAMME.name])
        keys = [None, b"\xff\xfe", b"order-0"]  # the last would end an order's state on a compacted topic
        key = self.random.choice(keys[:2] if topic == PROGRAMME.name else keys)
        headers = self.random.choice([(), (("ce_id", b"\xff"),), (("ce_specversion", None),)])
        record = self.log.append(topic, key, b"{", headers)
        self.tell(f"spoiled {topic}-{record.partition}@{record.offset}")
        self.spoiled.append((topic, record.partition, record.offset))

    def _heal(self) -> None:
        self.healed = True
        self.tell("healed")
        for process in self._replaced:
            self._kill(process)
        for process in self.processes:
            if process.state is State.FROZEN:
                self._thaw(process)

    def _supervise(self) -> None:
        """Start what is missing, as whatever runs the processes does in the end."""
        for service, names in NAMES.items():
            alive = {each.name for each in self.processes if each.service == service and each.state is State.RUNNING}
            absent = [name for name in names if name not in alive]
            for name in absent[: len(names) - len(alive) - self._due[service]]:
                self.start(service, name)

    def ended(self, process: Process, task: "asyncio.Task[Any]") -> None:
        """A part of a process that should have no end has one: the process dies of it, and that is a breach."""
        if process.state is State.DEAD:
            return
        error = None if task.cancelled() else task.exception()
        causes = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
        self.breaches.append(f"{process} died of {', '.join(repr(each) for each in causes)}")
        self._kill(process)

    async def _quiet(self) -> None:
        """Until nothing is owed, read or on its way, or patience ends: the verdict then says what is left."""
        until = self.loop.time() + _PATIENCE
        while self.loop.time() < until:
            await asyncio.sleep(1.0)
            self._supervise()
            if not (self._late or self._due.total() or self._owing() or self._behind()):
                return

    def _owing(self) -> bool:
        tables = [table for storage in self.storages.values() for table in storage.tables.values()]
        return any("pending" in raw or "heal_at" in raw for table in tables for raw in table.documents.values())

    def _behind(self) -> bool:
        return any(
            self.log.read(topic.name, place, self.log.committed(group, topic.name, place) or 0, 1)
            for group, topics in HEARD.items()
            for topic in topics
            for place in range(PARTITIONS)
        )

    async def _mend(self) -> None:
        """The handler's bug is mended, and an operator redrives what it buried."""
        self.mended = True
        self.tell("mended")
        for group in HEARD:
            while not await self._mended(group):
                await self._quiet()  # until another process has taken the place of the one that died over it

    async def _mended(self, group: str) -> bool:
        process = self._running(group)
        task = process.spawn(operator.everything(process, group))
        while not task.done() and process.state is State.RUNNING:
            await asyncio.sleep(0.1)
        return task.done() and task.result() is None

    def _redrive(self) -> None:
        """The same, while everything goes on."""
        self.mended = self.mended or self.random.random() < 0.5
        self.tell(f"redriven, mended is {self.mended}")
        if any(each.service == "parcels" and each.state is State.RUNNING for each in self.processes):
            process = self._running("parcels.orders")
            process.spawn(operator.patiently(process, "parcels.orders"))

    def _running(self, group: str) -> Process:
        service = group.partition(".")[0]
        return [each for each in self.processes if each.service == service and each.state is State.RUNNING][-1]


def _in_process(owner: Any, coroutine: Any) -> Any:
    return owner.spawn(coroutine)


async def _nothing(_: Process) -> None:
    """Gives no commands."""
