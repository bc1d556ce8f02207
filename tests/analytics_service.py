"""Analytics as its own process, with somebody who signs tokens and a voice for the other services."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from contracts.envelope import Envelope, Event
from contracts.topics import MENTORSHIP_STATE, Topic
from joserfc import jwt
from joserfc.jwk import ECKey

PUBLIC_URL = "http://127.0.0.1:8080"


class Signer:
    """Profiles, as far as checking tokens needs it."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "test", "alg": "ES256", "use": "sig"})
        document = json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def token(self, tenant: str, *roles: str) -> str:
        """A member's token."""
        now = int(time.time())
        claims = {"iss": PUBLIC_URL, "aud": "turnabout", "iat": now, "exp": now + 3600}
        claims |= {"sub": "member-1", "tid": tenant, "roles": list(roles)}
        return jwt.encode({"alg": "ES256", "kid": "test"}, claims, self._key)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()


class Analytics:
    """One process of the service; the clock file moves its time."""

    def __init__(self, kafka: str, database: str, signer: Signer, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._clock_file = folder / "clock"
        self._environment = os.environ | {
            "TURNABOUT_KAFKA": kafka,
            "TURNABOUT_MONGO": database,
            "TURNABOUT_DATABASE_PREFIX": f"t{uuid.uuid4().hex[:8]}-",
            "TURNABOUT_PORT": str(port),
            "TURNABOUT_PUBLIC_URL": PUBLIC_URL,
            "TURNABOUT_PROFILES_URL": signer.url,
            "TURNABOUT_CLOCK_FILE": str(self._clock_file),
            "TURNABOUT_INSTANCE": f"analytics-{uuid.uuid4().hex[:8]}",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "analytics", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self) -> None:
        """Migrate, start, and wait until it is ready."""
        assert self.command("migrate").returncode == 0
        self._process = subprocess.Popen([sys.executable, "-m", "analytics"], env=self._environment)
        deadline = time.monotonic() + 60
        while not self._ready():
            assert self._process.poll() is None, "analytics ended"
            assert time.monotonic() < deadline, "analytics never became ready"
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=3).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it the way an operator does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)

    def go_to(self, moment: datetime) -> None:
        """Let the service believe that it is this moment."""
        self._clock_file.write_text(str((moment - datetime.now(UTC)).total_seconds()))
        time.sleep(0.7)  # the clock file is looked at twice a second


class Voice:
    """Says events as profiles and matching do, with the times of the story."""

    def __init__(self, producer: AIOKafkaProducer, tenant: str) -> None:
        self._producer = producer
        self._tenant = tenant
        self._sequences: dict[tuple[Topic, str], int] = {}

    async def say(self, key: str, event: Event, at: str) -> None:
        """Publish one event with the next sequence of its key."""
        await self._send(event.topic, key, event.event_type(), event.model_dump_json().encode(), at)

    async def bury(self, key: str, at: str) -> None:
        """Publish a tombstone for a mentorship."""
        await self._send(MENTORSHIP_STATE, key, "turnabout.matching.mentorship-changed.v1", None, at)

    async def _send(self, topic: Topic, key: str, kind: str, body: bytes | None, at: str) -> None:
        sequence = self._sequences[topic, key] = self._sequences.get((topic, key), 0) + 1
        envelope = Envelope(
            id=uuid.uuid4().hex,
            source=f"/turnabout/{topic.owner}",
            type=kind,
            subject=key,
            time=at,
            tenant=self._tenant,
            sequence=sequence,
            partition_key=key,
            data_schema="",
        )
        await self._producer.send_and_wait(topic.name, body, key=key.encode(), headers=envelope.to_headers())


def month_start(months: int) -> datetime:
    """The first noon of a month, counted from the running one."""
    today = datetime.now(UTC)
    number = today.year * 12 + today.month - 1 + months
    return datetime(number // 12, number % 12 + 1, 1, 12, tzinfo=UTC)


def at(moment: datetime, *, hours: int = 0) -> str:
    """A moment as events write it."""
    return (moment + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def figures(page: dict[str, Any]) -> dict[str, int | None]:
    """People per stage of a report's funnel."""
    return {step["stage"]: step["people"] for step in page["funnel"]}
