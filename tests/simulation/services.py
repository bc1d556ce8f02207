"""The three services: orders are commanded, parcels follow their facts, letters are what comes out at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from chassis.consuming.handlers import Handlers
from chassis.consuming.outcomes import Outcome
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from chassis.state.mongo import Collection
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.matching import Outcome as Held
from contracts.matching import ProgrammePublished, SessionLogged
from contracts.notifications import NoticeSent
from contracts.topics import PROGRAMME
from pymongo.errors import DuplicateKeyError

from chassis import telemetry

TENANT: Final = "acme"
POISON: Final = "poison"
_DAY: Final = "2026-01-01"


class Order(Aggregate):
    """Says a fact, a state, both or an end, and asks for work on its tally."""

    rules_version: int = 1
    ended: bool = False
    asked: list[str] = []

    def do(self, kind: str, name: str) -> None:
        """Carry out one command; its name is unique."""
        if kind in {"fact", "both", POISON}:
            self.say(SessionLogged(mentorship=self.id, session=name, outcome=Held.HELD, day=_DAY))
        if kind in {"state", "both"}:
            self.rules_version += 1
            self.ended = False
            self.say(
                ProgrammePublished(
                    programme=self.id,
                    areas=(),
                    open=True,
                    opens_on=_DAY,
                    closes_on=_DAY,
                    rules_version=self.rules_version,
                )
            )
        if kind == "ask":
            self.asked = [*self.asked, name]
            self.ask("count", tally=f"tally-{self.id}", name=name)
        if kind == "end":
            self.rules_version += 1
            self.ended = True
            self.bury(PROGRAMME)


class Tally(Aggregate):
    """What orders asked for, by name."""

    names: list[str] = []


class Parcel(Aggregate):
    """What an order's facts amount to, in the order in which they came."""

    seen: list[str] = []
    numbers: list[int] = []


@dataclass(slots=True)
class Store:
    """Of all three services; each uses its part. `trouble` raises what the simulation wishes, or nothing."""

    orders: Documents[Order]
    tallies: Documents[Tally]
    parcels: Documents[Parcel]
    letters: Collection
    rows: Collection
    trouble: Callable[[str], None]


works: Works[Store] = Works()
parcels: Handlers[Store] = Handlers("parcels")
letters: Handlers[Store] = Handlers("letters")
TABLES: Final[dict[str, Handlers[Store]]] = {"orders": Handlers("orders"), "parcels": parcels, "letters": letters}


def opened(service: str, delivery: Delivery, trouble: Callable[[str], None]) -> Store:
    """The store of one service's process."""
    collections: dict[str, Any] = {
        "orders": delivery.documents(Order, "orders") if service == "orders" else None,
        "tallies": delivery.documents(Tally, "tallies") if service == "orders" else None,
        "parcels": delivery.documents(Parcel, "parcels") if service == "parcels" else None,
        "letters": delivery.collection("letters") if service == "letters" else None,
        "rows": delivery.collection("rows") if service == "letters" else None,
    }
    return Store(**collections, trouble=trouble)


@works.on("count")
async def count(work: Work, store: Store) -> None:
    """Note once what an order asked for."""
    tally, name = work.arguments["tally"], work.arguments["name"]
    store.trouble("work")

    def note(found: Tally) -> None:
        if name not in found.names:
            found.names = [*found.names, name]

    await store.tallies.change(work.tenant, tally, note, create=lambda: Tally(id=tally, tenant=work.tenant))


@parcels.on(SessionLogged, group="orders")
async def follow(event: Received[SessionLogged], store: Store) -> None:
    """Take one fact of an order, and say so."""
    if event.data is None:
        return
    name = event.data.session
    store.trouble(f"event {name}")

    def take(parcel: Parcel) -> None:
        parcel.seen = [*parcel.seen, event.id]
        parcel.numbers = [*parcel.numbers, event.sequence]
        parcel.say(NoticeSent(notice=name, member="m", thread=parcel.id, kind="moved"))

    await store.parcels.change(
        event.tenant, event.key, take, fence=event.fence, create=lambda: Parcel(id=event.key, tenant=event.tenant)
    )


@letters.on(NoticeSent, group="notices")
async def send(event: Received[NoticeSent], store: Store) -> Outcome | None:
    """Write the letter under the notice's name, once."""
    if event.data is None:
        return None
    name, trace = event.data.notice, telemetry.current_traceparent()
    row = {"_id": name, "tenant": event.tenant, "notice": name, "event": event.id, "trace": trace}
    try:
        await store.letters.insert(row)
    except DuplicateKeyError:
        return None
    return None


@letters.batch(ProgrammePublished, group="rows")
async def fold(events: list[Received[ProgrammePublished]], store: Store) -> None:
    """Keep the newest state of each order."""
    newest: dict[str, dict[str, Any]] = {}
    for event in events:
        row = {"_id": event.key, "tenant": event.tenant, "sequence": event.sequence, "gone": event.data is None}
        if event.data is not None:
            row["rules_version"] = event.data.rules_version
        if event.sequence > newest.get(event.key, {}).get("sequence", 0):
            newest[event.key] = row
    await store.rows.replace_newest(list(newest.values()))
