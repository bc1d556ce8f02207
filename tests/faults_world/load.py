"""Open-loop load: commands begin at a fixed rate whatever becomes of the earlier ones, and every fate is recorded."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal

import httpx
from local.ports import HOST

from faults_world.orders import AFTER, NEXT

_ATTEMPTS: Final = 40
_PAUSE: Final = 0.25
_TIMEOUT: Final = 5.0
_ILLEGAL: Final = 0.05  # share of moves that are chosen blindly: most of them are refused and must leave nothing


@dataclass(slots=True)
class Command:
    """One command and its fate: `info` when nobody can say whether it was carried out."""

    key: str
    order: str
    move: str
    invoked: float
    """Unix seconds."""
    outcome: Literal["ok", "fail", "info"] = "info"
    ended: float = 0.0
    step: int = 0
    answered_by: str = ""
    attempts: int = 0


@dataclass
class Load:
    """Commands a second over some orders, sent to whichever replica answers, again with the same key if it must be."""

    ports: Sequence[int]
    rate: float
    seed: int
    orders: int = 60
    history: list[Command] = field(default_factory=list)
    _expected: dict[str, str] = field(default_factory=dict)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    async def run(self, enough: asyncio.Event) -> None:
        """Issue commands until `enough`, then wait for those under way."""
        limits = httpx.Limits(max_keepalive_connections=8)
        async with httpx.AsyncClient(timeout=_TIMEOUT, limits=limits) as client, asyncio.TaskGroup() as group:
            next_at = time.monotonic()
            while not enough.is_set():
                group.create_task(self._carry_out(client, self._invoke()))
                next_at += self._random.expovariate(self.rate)
                await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    def _invoke(self) -> Command:
        order = f"order-{self._random.randrange(self.orders)}"
        move = NEXT[self._expected.get(order, "open")]
        if self._random.random() < _ILLEGAL:
            move = self._random.choice(sorted(AFTER))
        self._expected.setdefault(order, "open")
        key = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        command = Command(key, order, move, time.time())
        self.history.append(command)
        return command

    async def _carry_out(self, client: httpx.AsyncClient, command: Command) -> None:
        """Send until there is an answer; a refusal is final only if no earlier attempt is in doubt."""
        first = self._random.randrange(len(self.ports))
        doubt = False
        for attempt in range(_ATTEMPTS):
            command.attempts = attempt + 1
            place = (first + attempt) % len(self.ports)
            url = f"http://{HOST}:{self.ports[place]}/orders/{command.order}/{command.move}"
            try:
                answer = await client.post(url, headers={"idempotency-key": command.key})
            except httpx.ConnectError:
                await asyncio.sleep(_PAUSE)  # nobody was there: certainly not carried out
                continue
            except httpx.TransportError:
                doubt = True
                await asyncio.sleep(_PAUSE)
                continue
            if answer.is_success:
                command.outcome, command.step = "ok", answer.json()["step"]
                command.answered_by = f"orders-{place}"
                self._expected[command.order] = AFTER[command.move]
                break
            if answer.status_code == httpx.codes.CONFLICT:
                command.outcome = "info" if doubt else "fail"
                break
            doubt = True
            await asyncio.sleep(_PAUSE)
        command.ended = time.time()

    def write(self, path: Path) -> None:
        """Keep the history, one command a line."""
        path.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in self.history))
