"""The whole stack on one machine: servers, services, gateway; started in order, watched, stopped without orphans."""

import asyncio
import contextlib
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local import database, gateway, identity, kafka
from local.identity import Someone
from local.places import NODE_MODULES
from local.ports import HOST, Ports, listening
from local.processes import Child, StackError

SERVICES: Final = ("profiles", "matching", "notifications", "analytics")
DEMO: Final = (
    Someone("junior@demo.example", "a junior who has something to offer"),
    Someone("director@demo.example", "a director who wants to learn"),
    Someone("lead@demo.example", "lead of the demo programme"),
    Someone("analyst@demo.example", "analyst: insights"),
    Someone("operator@demo.example", "operator: roster import"),
)
_RESTARTS: Final = 5
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Role:
    """One service process."""

    name: str
    arguments: tuple[str, ...]
    port: int
    instance: str


@dataclass(slots=True)
class Stack:
    """Everything that `make run` starts."""

    state: Path
    ports: Ports
    say: Say = print
    environment: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    watched: dict[str, int] = field(default_factory=dict)
    _watching: "asyncio.Task[None] | None" = None

    @property
    def address(self) -> str:
        """Where people look."""
        return f"http://{HOST}:{self.ports.gateway}"

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
        store = database.choose(self.state, self.ports)
        self.environment |= self._environment(store.uri)
        broker = await asyncio.to_thread(kafka.child, self.state, self.ports)
        servers = [
            broker,
            self._mailbox(),
            identity.child(self.state, self.ports, DEMO),
            gateway.child(self.state, self.ports),
        ]
        if store.child is not None:
            servers.insert(0, store.child)
        self.say(f"starting Apache Kafka, {store.name}, the identity provider, the mailbox and the gateway")
        await asyncio.gather(*(self._up(each) for each in servers if each is not broker), self._broker_up(broker))
        self.say("preparing the databases")
        await asyncio.gather(*(self.command(service, "migrate") for service in SERVICES))
        self.say("starting profiles, matching (api and engine), notifications and analytics")
        await asyncio.gather(*(self._up(self.service(role)) for role in self.roles()))
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop in the reverse order: services first, then what they stand on."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        services = [child for child in self.children if child.name in {role.name for role in self.roles()}]
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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            env={**os.environ, **self.environment, "TURNABOUT_INSTANCE": f"{arguments[0]}-command"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise StackError(f"`python -m {' '.join(arguments)}` failed:\n{output.decode(errors='replace')[-1500:]}")
        return output.decode(errors="replace")

    def child(self, name: str) -> Child:
        """The process of this name."""
        return next(each for each in self.children if each.name == name)

    def service(self, role: Role, **extra: str) -> Child:
        """A service process, not started yet."""
        environment = self.environment | {"TURNABOUT_PORT": str(role.port), "TURNABOUT_INSTANCE": role.instance} | extra
        log = self.state / "logs" / f"{role.name.replace(' ', '-')}.log"
        return Child(role.name, [sys.executable, *role.arguments], log, lambda: _ready(role.port), environment)

    def _environment(self, mongo: str) -> dict[str, str]:
        return {
            "TURNABOUT_ENVIRONMENT": "local",
            "TURNABOUT_PUBLIC_URL": self.address,
            "TURNABOUT_KAFKA": kafka.bootstrap(self.ports),
            "TURNABOUT_MONGO": mongo,
            "TURNABOUT_PROFILES_URL": f"http://{HOST}:{self.ports.profiles}",
            "TURNABOUT_OIDC_ISSUER": identity.issuer(self.ports),
            "TURNABOUT_OIDC_CLIENT_ID": identity.CLIENT,
            "TURNABOUT_OIDC_CLIENT_SECRET": identity.SECRET,
            "TURNABOUT_SMTP": f"{HOST}:{self.ports.smtp}",
            "TURNABOUT_CLOCK_FILE": str(self.state / "clock"),
            "TURNABOUT_SPANS_FILE": str(self.state / "spans.jsonl"),
            "TURNABOUT_VENDOR_DIR": str(NODE_MODULES),
            "TURNABOUT_TENANT": "demo",
            "TURNABOUT_ORGANISATION": "Demo Company",
            # Thread pools of numerical libraries would each start a thread a core in every process.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def _mailbox(self) -> Child:
        arguments = [sys.executable, "-m", "local.mailbox", "--port", str(self.ports.mailbox)]
        arguments += ["--smtp", str(self.ports.smtp), "--folder", str(self.state / "mailbox")]
        ready = lambda: listening(self.ports.mailbox) and listening(self.ports.smtp)  # noqa: E731 - one use
        return Child("the mailbox", arguments, self.state / "logs" / "mailbox.log", ready)

    async def _up(self, child: Child) -> None:
        child.start()
        self.children.append(child)
        await child.wait_ready()

    async def _broker_up(self, broker: Child) -> None:
        await self._up(broker)
        await kafka.create_topics(kafka.bootstrap(self.ports))

    async def _watch(self) -> None:
        """Restart a service that died; give up on a server, or on a service that keeps dying."""
        roles = {role.name for role in self.roles()}
        while True:
            await asyncio.sleep(0.2)
            for child in self.children:
                if child.exit_code is None:
                    continue
                deaths = self.watched[child.name] = self.watched.get(child.name, 0) + 1
                if child.name not in roles or deaths > _RESTARTS:
                    raise StackError(child.obituary())
                self.say(f"{child.name} died and is started again")
                child.start()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


async def first_run(stack: Stack, roster: Path | None, say: Say) -> None:
    """Import the roster and run the demo programme once in the life of a state folder."""
    done = stack.state / "imported"
    if done.exists():
        return
    people = roster or stack.state / "people.csv"
    if roster is None:
        await asyncio.to_thread(_write_demo_company, people)
    say(f"importing {people.name} by the same import that a customer uses")
    say((await stack.command("profiles", "import", str(people))).strip().splitlines()[-1])
    if roster is None:
        say("running the demo programme")
        loaded = await stack.command("matching", "programme", "load", str(Path(__file__).with_name("programme.json")))
        programme = loaded.strip().splitlines()[-1].split()[0]
        ran = await stack.command("matching", "programme", "run", programme, "--wait")
        say(ran.strip().splitlines()[-1])
    done.write_text(f"{time.strftime('%Y-%m-%d')}\n")


def _write_demo_company(path: Path) -> None:
    from local.company import write_roster  # noqa: PLC0415 - only the first start needs it

    write_roster(path, people=400, seed=1)


async def serve(stack: Stack, roster: Path | None, announce: Callable[[Stack, Sequence[Someone]], None]) -> None:
    """Start, fill, announce, and stay until cancelled; always stops what it started."""
    try:
        await stack.start()
        await first_run(stack, roster, stack.say)
        announce(stack, DEMO)
        await stack.died()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(stack.stop())
