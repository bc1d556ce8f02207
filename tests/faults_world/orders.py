"""The first service: commands over HTTP, each changing one order, saying a fact and a state, and asking for work."""

from dataclasses import dataclass
from typing import Annotated, Final

from chassis.app import Service
from chassis.delivery import Delivery
from chassis.errors import ConflictError, TransientError, TurnaboutError
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import Documents
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.matching import Outcome, ProgrammePublished, SessionLogged
from fastapi import FastAPI, Header, HTTPException

TENANT: Final = "acme"
NEXT: Final = {"open": "pack", "packed": "send", "sent": "reopen"}
AFTER: Final = {"pack": "packed", "send": "sent", "reopen": "open"}
_KEYS: Final = 64  # commands that an order remembers; the load never has as many under way on one order
_DAY: Final = "2026-01-01"


class Order(Aggregate):
    """Goes round and round: packed, sent, opened again."""

    status: str = "open"
    step: int = 0
    keys: dict[str, int] = {}

    def move(self, wanted: str, key: str) -> int:
        """Take the next step, once a key; returns its number.

        Raises:
            ConflictError: `wanted` is not the order's next move.
        """
        if (known := self.keys.get(key)) is not None:
            return known
        if NEXT[self.status] != wanted:
            raise ConflictError(f"The order is {self.status}.")
        self.step += 1
        self.status = AFTER[wanted]
        self.keys = dict([*self.keys.items(), (key, self.step)][-_KEYS:])
        name = session(self.step, wanted, key)
        self.say(SessionLogged(mentorship=self.id, session=name, outcome=Outcome.HELD, day=_DAY))
        self.say(
            ProgrammePublished(
                programme=self.id, areas=(), open=True, opens_on=_DAY, closes_on=_DAY, rules_version=self.step
            )
        )
        self.ask("tally", step=self.step)
        return self.step


class Tally(Aggregate):
    """Counts an order's steps from the work that each of them asks for."""

    count: int = 0
    last: int = 0

    def take(self, step: int) -> None:
        """Count a step unless it was counted."""
        if step > self.last:
            self.count += 1
            self.last = step


@dataclass
class Store:
    """Orders, and the tallies that their work changes."""

    orders: Documents[Order]
    tallies: Documents[Tally]


works: Works[Store] = Works()


@works.on("tally")
async def tally(work: Work, store: Store) -> None:
    """Count the step on a document of its own."""

    def create() -> Tally:
        return Tally(id=work.document, tenant=work.tenant)

    await store.tallies.change(
        work.tenant, work.document, lambda found: found.take(work.arguments["step"]), create=create
    )


def session(step: int, move: str, key: str) -> str:
    """The name under which a step is known everywhere."""
    return f"{step}.{move}.{key}"


def read_session(name: str) -> tuple[int, str, str]:
    """Step, move and idempotency key."""
    step, move, key = name.split(".")
    return int(step), move, key


def _app(store: Store) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/orders/{order}/{move}")
    async def move_order(order: str, move: str, idempotency_key: Annotated[str, Header()]) -> dict[str, int]:
        try:
            step = await store.orders.change(
                TENANT,
                order,
                lambda found: found.move(move, idempotency_key),
                create=lambda: Order(id=order, tenant=TENANT),
            )
        except TurnaboutError as error:
            raise HTTPException(error.status, error.detail) from error
        except TransientError as error:
            raise HTTPException(503, str(error)) from error
        return {"step": step}

    return app


def _store(delivery: Delivery) -> Store:
    return Store(delivery.documents(Order, "orders"), delivery.documents(Tally, "tallies"))


def service(settings: Settings) -> Service[Store]:
    """Composed."""
    return Service(settings, "orders", store_factory=_store, app_factory=_app, works=works)


if __name__ == "__main__":
    service(Settings()).main()
