"""The whole stack on one machine: servers, services, gateway; started in order, watched, stopped without orphans."""

import asyncio
import http.client
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from chassis.settings import Settings
from contracts.access import ADMINISTRATOR

from local import access, database, gateway, identity, kafka, people
from local.access import Users
from local.places import NODE_MODULES
from local.ports import HOST, Ports, listening
from local.processes import Child, StackError, spawn

SERVICES: Final = ("profiles", "matching", "notifications", "analytics")
_RESTARTS: Final = 5
_RESTART_SECONDS: Final = 60.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Role:
    """One service process."""

    name: str
    arguments: tuple[str, ...]
    port: int
    instance: str

    @property
    def service(self) -> str:
        """Whose code it runs, and as whom it speaks to the broker: an instance is named after its service."""
        return self.instance.partition("-")[0]


@dataclass
class Stack:
    """Everything that `make run` starts."""

    state: Path
    ports: Ports
    say: Say = print
    environment: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    _deaths: dict[str, deque[float]] = field(default_factory=dict)
    _unwatched: set[str] = field(default_factory=set)
    _watching: "asyncio.Task[None] | None" = None

    @property
    def address(self) -> str:
        """Where people look."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.state / "logs"

    @cached_property
    def users(self) -> Users:
        """Whom the broker lets in."""
        return Users.of(self.state)

    def settings(self, principal: str) -> Settings:
        """How one of them reaches the broker."""
        return kafka.client(self.ports.kafka, self.users, principal)

    def roles(self) -> list[Role]:
        """The service processes."""
        ports = self.ports
        return [
            Role("profiles", ("-m", "profiles"), ports.profiles, "profiles-0"),
            Role("matching api", ("-m", "matching", "api"), ports.matching, "matching-api-0"),
            Role("matching engine", ("-m", "matching", "engine"), ports.engine, "matching-engine-0"),
            Role("notifications", ("-m", "notifications"), ports.notifications, "notifications-0"),
            Role("analytics", ("-m", "analytics"), ports.analytics, "analytics-0"),
        ]

    async def start(self) -> None:
        """Start everything and return once each process answers.

        Raises:
            StackError: something is in the way; the message says what to do.
        """
        self.ports.refuse_if_taken()
        self.state.mkdir(parents=True, exist_ok=True)
        store = self.use_environment()
        self._tell_operators()
        self.say(f"starting Apache Kafka, {store.name}, the identity provider, the mailbox and the gateway")
        await _together(
            self._broker_up(),
            self._databases_up(store.child),
            self._up(mailbox(self.state, self.ports)),
            self._up(identity.child(self.state, self.ports, people.remembered(self.state))),
            self._up(gateway.child(self.state, self.ports)),
        )
        self.say("starting profiles, matching (api and engine), notifications and analytics")
        await _together(*(self._up(self.service(role)) for role in self.roles()))
        self._watching = asyncio.create_task(self._watch())

    def use_environment(self) -> database.Database:
        """Settle what services and commands read from their environment; returns the chosen database."""
        store = database.choose(self.state, self.ports)
        self.environment |= self._environment(store.uri)
        return store

    def _tell_operators(self) -> None:
        """Write down the environment for `turnabout --state`; it holds passwords."""
        told = self.environment | self.users.of_operators()
        access.write_secret(self.state / "environment.json", json.dumps(told, indent=2))

    async def stop(self) -> None:
        """Stop in the reverse order: services first, then what they stand on."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        names = {role.name for role in self.roles()}
        services = [child for child in self.children if child.name in names]
        for group in (services, [child for child in self.children if child not in services]):
            for child in group:
                child.ask_to_stop()
            await asyncio.gather(*(child.wait_stopped() for child in group))
        self.children.clear()

    async def died(self) -> None:
        """Returns never while all is well; raises StackError when a server died or a service keeps dying."""
        if self._watching is not None:
            await self._watching

    async def command(self, *arguments: str) -> str:
        """Run `python -m …` of a service to its end; returns what it printed.

        Raises:
            StackError: it failed.
        """
        environment = self.environment | {"TURNABOUT_INSTANCE": f"{arguments[0]}-command"}
        if arguments[0] in SERVICES:
            environment |= self.users.environment(arguments[0])
        with tempfile.TemporaryFile() as output:
            process = spawn([sys.executable, "-m", *arguments], environment, output)
            try:
                while process.poll() is None:
                    await asyncio.sleep(0.02)
            finally:
                process.kill()
                process.wait()
            output.seek(0)
            printed = output.read().decode(errors="replace")
        if process.returncode:
            raise StackError(f"`python -m {' '.join(arguments)}` failed:\n{printed[-1500:]}")
        return printed

    def child(self, name: str) -> Child:
        """The process of this name."""
        return next(each for each in self.children if each.name == name)

    async def bounce(self, name: str) -> None:
        """Kill one process with -9, whichever it is, and start it again."""
        child = self.child(name)
        self._unwatched.add(name)
        try:
            await child.kill()
            child.start()
            await child.wait_ready()
        finally:
            self._unwatched.discard(name)

    def service(self, role: Role, **extra: str) -> Child:
        """A service process, not started yet."""
        environment = self.environment | self.users.environment(role.service)
        environment |= {"TURNABOUT_PORT": str(role.port), "TURNABOUT_INSTANCE": role.instance}
        environment |= {"TURNABOUT_PROCESSES": self._processes(role.service)} | extra
        log = self.logs / f"{role.name.replace(' ', '-')}.log"
        return Child(role.name, [sys.executable, *role.arguments], log, lambda: _ready(role.port), environment)

    def _processes(self, service: str) -> str:
        """Where the processes of a service answer, for its page of operations."""
        return ",".join(f"http://{HOST}:{role.port}" for role in self.roles() if role.service == service)

    def _environment(self, mongo: str) -> dict[str, str]:
        return {
            "TURNABOUT_ENVIRONMENT": "local",
            "TURNABOUT_PUBLIC_URL": self.address,
            "TURNABOUT_KAFKA": kafka.bootstrap(self.ports),
            "TURNABOUT_MONGO": mongo,
            "TURNABOUT_PROFILES_URL": f"http://{HOST}:{self.ports.profiles}",
            "TURNABOUT_MATCHING_URL": f"http://{HOST}:{self.ports.matching}",
            "TURNABOUT_OIDC_ISSUER": identity.issuer(self.ports),
            "TURNABOUT_OIDC_CLIENT_ID": identity.CLIENT,
            "TURNABOUT_OIDC_CLIENT_SECRET": identity.SECRET,
            "TURNABOUT_SMTP": f"{HOST}:{self.ports.smtp}",
            "TURNABOUT_CLOCK_FILE": str(self.state / "clock"),
            "TURNABOUT_SPANS_FILE": str(self.state / "spans.jsonl"),
            "TURNABOUT_RUNBOOKS_URL": f"{self.address}{gateway.RUNBOOKS}",
            "TURNABOUT_VENDOR_DIR": str(NODE_MODULES),
            "TURNABOUT_TENANT": "demo",
            "TURNABOUT_ORGANISATION": "Demo Company",
            # Thread pools of numerical libraries would each start a thread a core in every process.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    async def _up(self, child: Child) -> None:
        child.start()
        self.children.append(child)
        await child.wait_ready()

    async def _broker_up(self) -> None:
        await self._up(await asyncio.to_thread(kafka.child, self.state, self.ports, users=self.users))
        administrator = self.settings(ADMINISTRATOR)
        await kafka.create_topics(administrator)
        await access.grant(administrator)

    async def _databases_up(self, server: Child | None) -> None:
        if server is not None:
            await self._up(server)
        await _together(*(self.command(service, "migrate") for service in SERVICES))

    async def _watch(self) -> None:
        """Restart a service that died; give up on a server, or on a service that keeps dying."""
        roles = {role.name for role in self.roles()}
        while True:
            await asyncio.sleep(0.2)
            for child in self.children:
                if child.exit_code is None or child.name in self._unwatched:
                    continue
                if child.name not in roles or self._keeps_dying(child.name):
                    raise StackError(child.obituary())
                self.say(f"{child.name} died and is started again; {child.log} says why")
                child.start()

    def _keeps_dying(self, name: str) -> bool:
        deaths = self._deaths.setdefault(name, deque(maxlen=_RESTARTS + 1))
        deaths.append(time.monotonic())
        return len(deaths) > _RESTARTS and deaths[-1] - deaths[0] < _RESTART_SECONDS


def mailbox(state: Path, ports: Ports) -> Child:
    """Where all mail of this machine goes."""
    arguments = [sys.executable, "-m", "local.mailbox", "--port", str(ports.mailbox)]
    arguments += ["--smtp", str(ports.smtp), "--folder", str(state / "mailbox")]
    return Child(
        "the mailbox",
        arguments,
        state / "logs" / "mailbox.log",
        lambda: listening(ports.mailbox) and listening(ports.smtp),
    )


async def _together(*starts: Coroutine[Any, Any, object]) -> None:
    """Run them at once; the first failure ends all of them and is the one that is told."""
    tasks = [asyncio.ensure_future(each) for each in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False
