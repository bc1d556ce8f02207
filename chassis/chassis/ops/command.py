"""The command line: arguments in, one JSON document out.

Exit codes: 0 done, 1 something failed again, 2 not possible (a sentence on stderr says why).
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from contracts.catalogue import CATALOGUE

from chassis import clock, logs, telemetry
from chassis.errors import DeniedError, TransientError
from chassis.ops import dead
from chassis.ops.dead import Choice
from chassis.ops.lag import lag
from chassis.ops.pending import pending
from chassis.ops.target import Composed, Groups, Json, RefusedError, Target
from chassis.ops.why import why
from chassis.settings import Settings
from chassis.state.mongo import connect

_SECONDS: Final = 30.0  # what only reads gives up after
_LEADING: Final = 100


def operate(
    service: str, arguments: Sequence[str], compose: Callable[[], Composed], groups: Groups | None = None
) -> int:
    """Carry out one command of `python -m <service> ops`; returns the exit code.

    Args:
        service: its name, which is also its database's.
        arguments: what stands after ``ops``.
        compose: builds the service; called only to run handlers.
        groups: its consumer groups on the wire, for a service that is not in the catalogue.
    """
    settings = Settings(log_level="ERROR")
    logging.disable(logging.ERROR)  # what libraries log about a broker that is away would drown the sentence
    logs.configure(settings, service)
    clock.configure(settings)
    telemetry.start(settings, service)
    try:
        answer = asyncio.run(carry_out(service, arguments, settings, compose, groups))
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        telemetry.stop()
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    return 1 if answer.get("failed") or answer.get("interrupted") else 0


async def carry_out(
    service: str,
    arguments: Sequence[str],
    settings: Settings,
    compose: Callable[[], Composed],
    groups: Groups | None = None,
) -> Json:
    """The answer to one command.

    Raises:
        RefusedError: it makes no sense here, or the broker or the database is away.
    """
    asked = _parser(service).parse_args(arguments)
    if groups is None:
        groups = {name: events for name, events in CATALOGUE.consumers().items() if name.startswith(f"{service}.")}
    # Handlers take the time that they need; everything else is a look.
    seconds = None if getattr(asked, "yes", False) else _SECONDS
    try:
        async with connect(settings, service) as database, asyncio.timeout(seconds):
            target = Target(service, settings, groups, database)
            return {"service": service, **await _command(target, asked, compose)}
    except (TransientError, TimeoutError) as error:
        raise RefusedError(_away(settings, error)) from error


async def _command(target: Target, asked: argparse.Namespace, compose: Callable[[], Composed]) -> Json:
    choice = Choice(getattr(asked, "group", None), getattr(asked, "key", None), getattr(asked, "place", None))
    commands: dict[str, Callable[[], Awaitable[Json]]] = {
        "lag": lambda: lag(target),
        "pending": lambda: pending(target, limit=asked.limit),
        "parked": lambda: dead.parked(target, choice.group),
        "why": lambda: why(target, asked.event),
        "list": lambda: dead.listing(target, choice),
        "show": lambda: dead.show(target, choice, payload=asked.payload),
        "discard": lambda: dead.discard(target, choice, followers=asked.parked, yes=asked.yes),
        "redrive": lambda: dead.redrive(target, choice, compose, yes=asked.yes),
    }
    return await commands[getattr(asked, "deed", asked.command)]()


def _away(settings: Settings, error: Exception) -> str:
    """Who does not answer; the database's address may hold a password, so it is not named."""
    if isinstance(error, DeniedError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"There was no answer within {_SECONDS:.0f} s. Look at the broker and the database, and try again."
    if str(error).startswith("broker"):
        return f"The broker at {settings.kafka} does not answer. Nothing is lost; try again once it is back."
    return "The database does not answer. Nothing is lost; try again once it is back."


def _parser(service: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {service} ops", description="What operators ask. JSON on stdout.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lag", help="what each consumer group has before it")
    owing = commands.add_parser("pending", help="documents that owe events or work, oldest first")
    owing.add_argument("--limit", type=int, default=_LEADING, help="how many at most")
    waiting = commands.add_parser("parked", help="keys that wait behind a dead letter")
    waiting.add_argument("--group", help="only this consumer group")
    reason = commands.add_parser("why", help="what each consumer group did with an event")
    reason.add_argument("event", help="its id, or <topic>/<partition>/<offset>")
    _add_dead(commands.add_parser("dead", help="dead letters").add_subparsers(dest="deed", required=True))
    return parser


def _add_dead(deeds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--group", help="only this consumer group")
    chosen.add_argument("--key", help="only letters of this key")
    chosen.add_argument("--place", help="only the letter of <topic>/<partition>/<offset>")
    deeds.add_parser("list", parents=[chosen], help="those that nobody has dealt with")
    show = deeds.add_parser("show", parents=[chosen], help="with their headers")
    show.add_argument("--payload", action="store_true", help="and with their bodies, which may be somebody's")
    again = deeds.add_parser("redrive", parents=[chosen], help="hand them, and what waits behind, to the handlers")
    again.add_argument("--yes", action="store_true", help="do it; otherwise it is only said")
    discard = deeds.add_parser("discard", parents=[chosen], help="give them up")
    discard.add_argument("--yes", action="store_true", help="do it; otherwise it is only said")
    discard.add_argument("--parked", action="store_true", help="also those that only wait behind another")
