"""The breaker: a bad deploy fails nearly everything, and must stop instead of filling the dead-letter topic."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW: Final = 50  # handled events that are looked at
SECONDS: Final = 300.0  # older ones say nothing about the present code
FAILURES: Final = 10  # fewer are bad records, not a bad deploy
SHARE: Final = 0.5


class Breaker:
    """Counts whether the handlers of one consumer group succeed."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lately: deque[tuple[float, bool]] = deque(maxlen=WINDOW)

    def succeeded(self) -> None:
        """An event was handled."""
        self._lately.append((self._now(), True))

    def allows_dead_letter(self) -> bool:
        """Whether an event that failed may be buried; False when too many of the last ones failed as well."""
        self._lately.append((self._now(), False))
        recent = [good for at, good in self._lately if at > self._now() - SECONDS]
        failures = recent.count(False)
        return failures < FAILURES or failures < SHARE * len(recent)
