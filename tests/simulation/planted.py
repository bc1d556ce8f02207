"""Bugs planted in the chassis for one run, each of which the verdict must notice within some seeds.

Those of the relay and of documents stand here, those of consumers in `planted_heard`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

from chassis.delivery import Delivery
from chassis.publishing import relay
from chassis.publishing.relay import Heartbeat, Relay
from chassis.state import documents, outbox
from chassis.state.documents import Documents
from chassis.state.mongo import Raw
from chassis.state.outbox import Additions, Pending
from chassis.state.works import Works
from fakes.log import MemoryProducer

from simulation import services
from simulation.run import Plant


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake: how it gets in, and within how many seeds it must be caught."""

    plant: Plant
    seeds: int
    focus: Mapping[str, Any]
    """What replaces parts of each seed's plan, so that the faults come that it takes."""


SAID: Final[dict[str, Bug]] = {}


def bug(table: dict[str, Bug], name: str, seeds: int = 60, **focus: Any) -> Callable[[Plant], Plant]:
    """Enter a bug into a table."""

    def enter(plant: Plant) -> Plant:
        table[name] = Bug(plant, seeds, focus)
        return plant

    return enter


def swapped(stack: ExitStack, place: Any, name: str, value: Any) -> None:
    """Put another function in the place of one."""
    stack.enter_context(patch.object(place, name, value))


# --- documents ----------------------------------------------------------------------------------------------------


@bug(SAID, "no fence")
def _(stack: ExitStack) -> None:
    swapped(stack, documents, "_check", lambda _raw, _fence, _if_match: None)


@bug(SAID, "fence compares > instead of >=")
def _(stack: ExitStack) -> None:
    right = documents._check

    def check(raw: Any, fence: Any, if_match: Any) -> None:
        lenient = fence and documents.Fence(fence.stream, fence.key, fence.sequence + 1)
        right(raw, lenient, if_match)

    swapped(stack, documents, "_check", check)


def _guard_without(stack: ExitStack, name: str) -> None:
    """Let every compare-and-set of a command forget one of the fields that it names."""
    right = documents.Documents._commit

    async def commit(self: Documents[Any], raw: Any, before: Any, aggregate: Any, fence: Any) -> bool:
        collection = self.collection

        class Lenient:
            def __getattr__(self, attribute: str) -> Any:
                return getattr(collection, attribute)

            async def update(self, guard: Raw, update: Raw) -> int:
                return await collection.update({key: value for key, value in guard.items() if key != name}, update)

        self.collection = Lenient()  # type: ignore[assignment]  # the bug
        try:
            return await right(self, raw, before, aggregate, fence)
        finally:
            self.collection = collection

    swapped(stack, documents.Documents, "_commit", commit)


@bug(SAID, "a command's guard without the revision")
def _(stack: ExitStack) -> None:
    _guard_without(stack, "revision")


@bug(SAID, "a command's guard without the owner", 200)
def _(stack: ExitStack) -> None:
    _guard_without(stack, "relay_owner")


def _additions(stack: ExitStack, change: Callable[[Additions], None]) -> None:
    right = outbox.additions

    def additions(*arguments: Any) -> Additions:
        found = right(*arguments)
        change(found)
        return found

    swapped(stack, documents, "additions", additions)


@bug(SAID, "sequence not advanced")
def _(stack: ExitStack) -> None:
    _additions(stack, lambda found: found.sequences.clear())


@bug(SAID, "fact beside a state dropped")
def _(stack: ExitStack) -> None:
    def drop(found: Additions) -> None:
        if found.slots:
            found.events.clear()

    _additions(stack, drop)


@bug(SAID, "work beside nothing dropped")
def _(stack: ExitStack) -> None:
    _additions(stack, lambda found: found.work.clear())


@bug(SAID, "reused event id")
def _(stack: ExitStack) -> None:
    swapped(stack, outbox, "new_id", lambda: "always-the-same")


@bug(SAID, "state slot not overwritten")
def _(stack: ExitStack) -> None:
    right = documents.Documents._update

    def update(self: Documents[Any], raw: Raw, *rest: Any) -> tuple[Raw, bool]:
        found, owes = right(self, raw, *rest)
        changed = found.get("$set", {})
        for name in [name for name in changed if name.startswith("slots.") and name[6:] in (raw.get("slots") or {})]:
            del changed[name]
        return found, owes

    swapped(stack, documents.Documents, "_update", update)


@bug(SAID, "tombstone as an empty body")
def _(stack: ExitStack) -> None:
    right = outbox._entry

    def entry(*arguments: Any, **options: Any) -> outbox.Entry:
        found = right(*arguments, **options)
        value = b"{}" if found.value is None else found.value
        return outbox.Entry(found.id, found.topic, found.key, value, found.headers)

    swapped(stack, outbox, "_entry", entry)


@bug(SAID, "a taken id counts as stored", 200)
def _(stack: ExitStack) -> None:
    right = documents.Documents._commit

    async def commit(self: Documents[Any], raw: Any, *rest: Any) -> bool:
        return await right(self, raw, *rest) or raw is None

    swapped(stack, documents.Documents, "_commit", commit)


# --- relay --------------------------------------------------------------------------------------------------------


@bug(SAID, "cleared whatever was acknowledged", 200)
def _(stack: ExitStack) -> None:
    right = relay.Relay.publish

    async def publish(self: Relay, raws: Sequence[Raw]) -> set[str]:
        await right(self, raws)
        return {raw["_id"] for raw in raws}

    swapped(stack, relay.Relay, "publish", publish)


@bug(SAID, "later batches sent after one that failed")
def _(stack: ExitStack) -> None:
    right = MemoryProducer._send

    async def send(self: MemoryProducer, batch: Any) -> bool:
        await right(self, batch)
        return True

    swapped(stack, MemoryProducer, "_send", send)


@bug(SAID, "only the newest entry sent")
def _(stack: ExitStack) -> None:
    right = Pending.of

    def of(raw: Raw) -> Pending:
        found = right(raw)
        return Pending(found.entries[-1:], found.work)

    swapped(stack, outbox.Pending, "of", of)


@bug(SAID, "entries sent in reverse")
def _(stack: ExitStack) -> None:
    right = Pending.of

    def of(raw: Raw) -> Pending:
        found = right(raw)
        return Pending(found.entries[::-1], found.work)

    swapped(stack, outbox.Pending, "of", of)


def _clearing_without(stack: ExitStack, name: str) -> None:
    right = relay.Relay._unchanged

    def unchanged(self: Relay, batch: dict[str, str]) -> Raw:
        return {key: value for key, value in right(self, batch).items() if key != name}

    swapped(stack, relay.Relay, "_unchanged", unchanged)


@bug(SAID, "clearing without the revision")
def _(stack: ExitStack) -> None:
    _clearing_without(stack, "revision")


async def _nothing(*_: Any, **__: Any) -> None:
    """In place of what should be done."""


@bug(SAID, "no healing at all", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, relay.Relay, "_heal_at", _nothing)
    swapped(stack, relay.Relay, "_heal_now", _nothing)

    async def adopt(self: Relay, owner: str | None, ids: list[str]) -> set[str]:
        taken: Raw = {"$set": {"relay_owner": self._owner}, "$inc": {"hands": 1}}
        await self._collection.update_all({"_id": {"$in": ids}, "relay_owner": owner}, taken)
        return set(ids)

    swapped(stack, relay.Relay, "_adopt", adopt)


@bug(SAID, "no healing after a doubtful send", 200)
def _(stack: ExitStack) -> None:
    swapped(stack, relay.Relay, "_doubt", _nothing)


@bug(SAID, "nobody adopted")
def _(stack: ExitStack) -> None:
    right = Heartbeat.alive

    async def alive(self: Heartbeat, *, at_start: bool = False) -> set[str]:
        await right(self, at_start=at_start)
        return {raw["_id"] for raw in await self._collection.sweep({}, limit=1000)} | {self.owner}

    swapped(stack, Heartbeat, "alive", alive)


@bug(SAID, "no sweep")
def _(stack: ExitStack) -> None:
    swapped(stack, Delivery, "_sweep", _nothing)


# --- pending work -------------------------------------------------------------------------------------------------


@bug(SAID, "work dropped when it fails")
def _(stack: ExitStack) -> None:
    right = Works.attempt

    async def attempt(self: Works[Any], work: Any, store: Any) -> bool:
        await right(self, work, store)
        return True

    swapped(stack, Works, "attempt", attempt)


@bug(SAID, "work not idempotent")
def _(stack: ExitStack) -> None:
    async def count(work: Any, store: services.Store) -> None:
        tally, name = work.arguments["tally"], work.arguments["name"]

        def note(found: services.Tally) -> None:
            found.names = [*found.names, name]

        create = lambda: services.Tally(id=tally, tenant=work.tenant)  # noqa: E731 - as in the handler itself
        await store.tallies.change(work.tenant, tally, note, create=create)

    stack.enter_context(patch.dict(services.works.handlers, {"count": count}))


@bug(SAID, "cleared with work undone")
def _(stack: ExitStack) -> None:
    right = Delivery._published

    def published(self: Delivery, key: tuple[str, str], raw: Raw, *, done: bool) -> None:
        right(self, key, raw, done=done)
        if done:
            self._clearing.setdefault(key[0], {})[key[1]] = raw["revision"]

    swapped(stack, Delivery, "_published", published)
