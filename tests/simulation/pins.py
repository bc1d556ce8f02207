"""What chassis takes from the machine (time, ids, jitter), pinned to the seed and the virtual clock from outside."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import structlog
from chassis.consuming import pipeline
from chassis.consuming.breaker import Breaker
from chassis.publishing import relay

from chassis import clock, ids

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
START_MS: Final = int(START.timestamp() * 1000)
HEAL_SECONDS: Final = 20.0
"""In place of the relay's minute, so that a seed takes less time; nothing in this world comes later than that."""
PATIENCE_SECONDS: Final = 2.0
"""In place of the pipeline's twenty seconds."""

Tell = Callable[[str], None]


@contextmanager
def pinned(seed: int, time: Callable[[], float], tell: Tell) -> Iterator[None]:
    """Let every source of chance and time follow the seed and `time`, and every log line go to `tell`."""
    numbers = count(1)
    pins: list[tuple[Any, str, Any]] = [
        (clock, "real_ms", lambda: START_MS + int(time() * 1000)),
        (clock, "now", lambda: START + timedelta(seconds=time())),
        (ids, "uuid7", lambda: f"{next(numbers):08}"),
        (pipeline, "Breaker", partial(Breaker, now=time)),
        (pipeline, "PATIENCE_SECONDS", PATIENCE_SECONDS),
        (relay, "HEAL_MS", int(HEAL_SECONDS * 1000)),
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in pins]
    state = random.getstate()
    random.seed(seed)
    for place, name, value in pins:
        setattr(place, name, value)
    structlog.configure(processors=[partial(_told, tell)], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.reset_defaults()
        for place, name, value in before:
            setattr(place, name, value)
        random.setstate(state)


def _told(tell: Tell, _logger: Any, _method: str, entry: Any) -> Any:
    shown = [str(entry[name]) for name in ("group", "reason", "kind", "error") if name in entry]
    tell(" ".join([f"log {entry['event']}", *shown]))
    raise structlog.DropEvent
