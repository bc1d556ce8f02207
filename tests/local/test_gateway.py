"""The gateway: one origin, streams at once, patience with a service that is being restarted."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from local import gateway
from local.ports import Ports, free_range

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A gateway whose services are not there yet."""
    ports = free_range()
    child = gateway.child(tmp_path_factory.mktemp("gateway"), ports)
    child.start()
    try:
        await child.wait_ready()
        yield ports
    finally:
        child.ask_to_stop()
        await child.wait_stopped()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say on which port and path we were asked; a stream says one event and then stays open."""
    path = (await reader.readline()).split()[1].decode()
    port = writer.get_extra_info("sockname")[1]
    if path.endswith("/stream"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: notice\ndata: 1\n\n")
        await writer.drain()
        await asyncio.sleep(5)
    else:
        body = f"{port} {path}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
    writer.close()


async def test_each_path_goes_to_the_service_that_answers_it(ports: Ports) -> None:
    """The path map; whatever nobody else claims is matching's."""
    owners = {
        "/": ports.matching,
        "/proposals/7": ports.matching,
        "/mentorships/7": ports.matching,
        "/programmes": ports.matching,
        "/api/matching/v1/programmes": ports.matching,
        "/static/turnabout.css": ports.matching,
        "/sign-in?next=/": ports.profiles,
        "/signed-in?code=x": ports.profiles,
        "/sign-out": ports.profiles,
        "/profile": ports.profiles,
        "/people/7": ports.profiles,
        "/import": ports.profiles,
        "/taxonomy/areas/cloud": ports.profiles,
        "/api/profiles/v1/cards": ports.profiles,
        "/.well-known/jwks.json": ports.profiles,
        "/inbox": ports.notifications,
        "/inbox/count": ports.notifications,
        "/preferences": ports.notifications,
        "/profile/language": ports.profiles,
        "/api/notifications/v1/notices": ports.notifications,
        "/insights": ports.analytics,
        "/api/analytics/v1/funnel": ports.analytics,
        "/mailbox": ports.mailbox,
        "/oidc/auth": ports.identity_provider,
        "/operations": ports.profiles,
        "/operations/profiles": ports.profiles,
        "/operations/profiles/summary": ports.profiles,
        "/operations/matching/summary": ports.matching,
        "/operations/notifications": ports.notifications,
        "/operations/notifications/summary": ports.notifications,
        "/operations/analytics": ports.analytics,
        "/operations/analytics/figures": ports.analytics,
    }
    servers = [await asyncio.start_server(_answer, "127.0.0.1", port) for port in set(owners.values())]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.gateway}") as browser:
        answers = {path: (await browser.get(path)).text for path in owners}
    for server in servers:
        server.close()

    assert answers == {path: f"{port} {path}" for path, port in owners.items()}


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez"])
async def test_what_only_operators_ask_is_not_answered_outside(ports: Ports, path: str) -> None:
    """Figures and probes of a process are for whoever reaches the process itself."""
    server = await asyncio.start_server(_answer, "127.0.0.1", ports.matching)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.gateway}") as browser:
        answer = await browser.get(path)
    server.close()

    assert (answer.status_code, answer.text) == (404, "")


async def test_the_runbooks_can_be_read(ports: Ports) -> None:
    """As they are written, in a browser that shows text."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.gateway}") as browser:
        answer = await browser.get(f"{gateway.RUNBOOKS}/delivery.md")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "## Old pending" in answer.text


async def test_events_are_not_held_back(ports: Ports) -> None:
    """The first event arrives while the stream stays open."""
    server = await asyncio.start_server(_answer, "127.0.0.1", ports.notifications)
    begun = time.monotonic()
    async with (
        httpx.AsyncClient() as browser,
        browser.stream("GET", f"http://127.0.0.1:{ports.gateway}/inbox/stream") as stream,
    ):
        first = await anext(stream.aiter_lines())
    server.close()

    assert first == "event: notice"
    assert time.monotonic() - begun < 3


async def test_a_request_waits_for_a_service_that_is_being_restarted(ports: Ports) -> None:
    """Nobody sees an error page because a process was just started again."""

    async def later() -> asyncio.Server:
        await asyncio.sleep(1.5)
        return await asyncio.start_server(_answer, "127.0.0.1", ports.analytics)

    coming = asyncio.create_task(later())
    async with httpx.AsyncClient(timeout=20) as browser:
        answer = await browser.get(f"http://127.0.0.1:{ports.gateway}/insights")
    (await coming).close()

    assert answer.text == f"{ports.analytics} /insights"


async def test_a_service_that_stays_away_is_said_in_a_sentence(ports: Ports) -> None:
    """After some patience: 503, when to come back, and what is the matter, in words."""
    async with httpx.AsyncClient(timeout=30) as browser:
        answer = await browser.get(f"http://127.0.0.1:{ports.gateway}/profile")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "try again" in answer.text
