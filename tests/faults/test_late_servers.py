"""A service that starts before its servers waits, says what for, and works once they are there."""

import asyncio
from pathlib import Path

import dial_service
import httpx
import pytest
from chassis.ids import new_id
from chassis.settings import Settings
from dial_service import TENANT, Dial
from local import database as database_server
from local import kafka as broker
from local.ports import HOST, free_range

pytestmark = [pytest.mark.connected, pytest.mark.timeout(120)]


async def test_a_service_waits_for_a_database_and_a_broker_that_come_later(tmp_path: Path) -> None:
    """Alive at once, not ready while they are away, ready afterwards; what is committed then is published."""
    ports = free_range()
    chosen = database_server.choose(tmp_path, ports)
    if chosen.child is None:
        raise AssertionError("this test starts a database of its own; run it without MONGO_URI")
    servers = [await asyncio.to_thread(broker.child, tmp_path, ports), chosen.child]
    settings = Settings(kafka=broker.bootstrap(ports), mongo=chosen.uri, instance="dial-0", port=ports.profiles)
    serving = asyncio.create_task(dial_service.service(settings).serve())
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{ports.profiles}", timeout=10) as client:
            await _answers(client, "/livez", httpx.codes.OK, "alive")
            await _answers(client, "/readyz", httpx.codes.SERVICE_UNAVAILABLE, "waiting for the database")
            await _answers(client, "/metrics", httpx.codes.OK, 'turnabout_waiting_for{what="database"} 1.0')
            for server in servers:
                server.start()
                await server.wait_ready()
            await broker.create_topics(broker.client(ports.kafka))
            await _answers(client, "/readyz", httpx.codes.OK, "ready")
            await _answers(client, "/metrics", httpx.codes.OK, 'turnabout_waiting_for{what="database"} 0.0')
        async with dial_service.service(settings.model_copy(update={"instance": "dial-1"})).opened() as (
            delivery,
            store,
        ):
            made = Dial(id=new_id(), tenant=TENANT)
            made.turn()
            await store.dials.insert(made)
            assert await delivery.drain(seconds=20)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        for server in servers:
            server.ask_to_stop()
            await server.wait_stopped()


async def _answers(client: httpx.AsyncClient, path: str, status: int, text: str) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                answer = await client.get(path)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == status and text in answer.text:
                return
            await asyncio.sleep(0.1)
