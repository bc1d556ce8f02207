"""What a process answers those who look after it: is it alive, is it ready, and its metrics.

`/livez` looks at nothing: a database that is away is no reason to start a process again.
"""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis import clock, metrics
from chassis.broker import Refusal
from chassis.consuming.consumer import Consumer
from chassis.consuming.reader import TopicReader
from chassis.delivery import Delivery
from chassis.errors import TransientError

_PING_SECONDS: Final = 2.0
WHATS: Final = ("database", "broker", "topics", "access")


class Missing(NamedTuple):
    """One thing that keeps the process from being ready: which of `WHATS`, and a sentence."""

    what: str
    sentence: str


class Probes:
    """Of one process.

    Args:
        delivery: asks the database.
        readers: have to have reached the end of their topics once.
        refusal: what the broker refuses before there is a consumer.
        consuming: whether its members of groups are started, and which they are.
    """

    def __init__(
        self,
        delivery: Delivery,
        readers: Sequence[TopicReader],
        refusal: Refusal,
        consuming: Callable[[], tuple[bool, Sequence[Consumer[Any]]]],
    ) -> None:
        self._delivery = delivery
        self._readers = readers
        self._refusal = refusal
        self._consuming = consuming
        instance = delivery.instance.partition("#")[0]
        metrics.PROCESS.info({"service": delivery.service, "instance": instance, "version": _version(delivery.service)})
        metrics.STARTED.set(clock.real_ms() / 1000)

    def add_to(self, app: FastAPI) -> None:
        """Answer under the three addresses."""

        @app.get("/livez", include_in_schema=False)
        async def livez() -> Response:
            return Response("alive\n", media_type="text/plain")

        @app.get("/readyz", include_in_schema=False)
        async def readyz() -> Response:
            missing = dict.fromkeys(each.sentence for each in await self.missing())
            return Response("\n".join(missing or ["ready"]) + "\n", 503 if missing else 200, media_type="text/plain")

        @app.get("/metrics", include_in_schema=False)
        async def scraped() -> Response:
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def look(self) -> None:
        """Tell by metrics what `/readyz` answers."""
        missing = {each.what for each in await self.missing()}
        for what in WHATS:
            metrics.WAITING_FOR.labels(what=what).set(what in missing)

    async def missing(self) -> list[Missing]:
        """What keeps the process from being ready."""
        missing = []
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self._delivery.ping()
            metrics.ANSWERED.labels(who="database").set(clock.real_ms() / 1000)
        except (TransientError, TimeoutError):
            missing.append(Missing("database", "waiting for the database"))
        started, consumers = self._consuming()
        if not started or not all(consumer.assigned for consumer in consumers):
            missing.append(Missing("broker", "waiting for the broker"))
        if not all(reader.ready for reader in self._readers):
            missing.append(Missing("topics", "reading topics"))
        refusals = [self._refusal, self._delivery.producer.refusal]
        refusals += [each.refusal for each in self._readers] + [each.refusal for each in consumers]
        return missing + [Missing("access", each.sentence) for each in refusals if each.sentence is not None]


def _version(service: str) -> str:
    """Of the service's code; a test's service has none."""
    try:
        return version(f"turnabout-{service}")
    except PackageNotFoundError:
        return "unknown"
