"""Asking the services: `chassis.ops` answers here what only reads; what runs a service's code runs as that service.

Reading in this one process is what keeps a question to all services within a second: four Python processes would
spend two on their imports alone.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from chassis.ops.command import carry_out
from chassis.ops.target import Composed, RefusedError
from chassis.settings import Settings
from contracts.catalogue import CATALOGUE
from pydantic import SecretStr, ValidationError

from chassis import clock, logs

SERVICES: Final = ("profiles", "matching", "notifications", "analytics")
ENVIRONMENT: Final = "environment.json"
_NOT_POSSIBLE: Final = 2
Answer = dict[str, Any]


class NotPossibleError(Exception):
    """It can't be answered; the message is one plain sentence."""


def settings(state: Path | None) -> Settings:
    """What this process's environment says or, with the folder of a local stack, what that stack's does.

    Raises:
        NotPossibleError: there is no such stack, or a setting is wrong.
    """
    if state is not None:
        try:
            os.environ.update(json.loads((state / ENVIRONMENT).read_text()))
        except (OSError, ValueError) as error:
            raise NotPossibleError(f"{state} holds no stack: {ENVIRONMENT} can't be read. Start it first.") from error
    try:
        found = Settings(instance="turnabout", log_level="ERROR")
    except ValidationError as error:
        names = ", ".join(f"TURNABOUT_{part['loc'][0]}".upper() for part in error.errors() if part["loc"])
        raise NotPossibleError(f"The environment is not right: look at {names or 'its settings'}.") from error
    logging.disable(logging.ERROR)  # what libraries log about a broker that is away would drown the sentence
    logs.configure(found, "turnabout")
    clock.configure(found)
    return found


def acting_as(found: Settings, principal: str) -> Settings:
    """The same, but speaking to the broker as another principal, whose password the environment holds.

    Raises:
        NotPossibleError: it holds none.
    """
    if found.kafka_user in {None, principal}:
        return found
    name = f"TURNABOUT_KAFKA_PASSWORD_{principal.upper()}"
    if not (password := os.environ.get(name)):
        raise NotPossibleError(f"This is done as {principal}, whose password is missing: set {name}.")
    return found.model_copy(update={"kafka_user": principal, "kafka_password": SecretStr(password)})


def chosen(service: str | None, group: str | None) -> list[str]:
    """The services to ask: the one that is named, or those that have a consumer group of this name.

    Raises:
        NotPossibleError: there is no such service or group.
    """
    if service is not None and service not in SERVICES:
        raise NotPossibleError(f"There is no service {service}. There are {', '.join(SERVICES)}.")
    asked = [service] if service else list(SERVICES)
    if group is None:
        return asked
    groups = [name for name in CATALOGUE.consumers() if group in {name, name.partition(".")[2]}]
    having = [name for name in asked if any(each.startswith(f"{name}.") for each in groups)]
    if not having:
        known = ", ".join(CATALOGUE.consumers())
        raise NotPossibleError(f"There is no consumer group {group} here. There are {known}.")
    return having


def ask(found: Settings, services: Sequence[str], *arguments: str) -> list[Answer]:
    """Put one question to several services at once.

    Raises:
        NotPossibleError: one of them can't answer.
    """

    async def all_of_them() -> list[Answer]:
        answers = (carry_out(name, arguments, found, _not_here) for name in services)
        results = await asyncio.gather(*answers, return_exceptions=True)
        sentences = list(dict.fromkeys(str(each) for each in results if isinstance(each, RefusedError)))
        if sentences:
            raise NotPossibleError("\n".join(sentences))
        for each in results:
            if isinstance(each, BaseException):
                raise each
        return [each for each in results if isinstance(each, dict)]

    return asyncio.run(all_of_them())


def _not_here() -> Composed:
    raise NotPossibleError("A service's own code runs in that service alone.")


def run(found: Settings, services: Sequence[str], *arguments: str) -> list[Answer]:
    """Run `python -m <service> ops …`, one service after the other, in this environment and as that service.

    Raises:
        NotPossibleError: one of them could not do it; its own sentence says why.
    """
    answers = []
    for name in services:
        environment = os.environ | _credentials(acting_as(found, name))
        command = [sys.executable, "-m", name, "ops", *arguments]
        done = subprocess.run(  # noqa: S603 - our own modules, and arguments that are passed on as they are
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in {0, 1} or not done.stdout:
            lines = done.stderr.strip().splitlines() or ["it said nothing"]
            raise NotPossibleError(lines[-1] if done.returncode == _NOT_POSSIBLE else f"{name} failed: {lines[-1]}")
        answers.append(json.loads(done.stdout))
    return answers


def _credentials(found: Settings) -> dict[str, str]:
    if found.kafka_user is None or found.kafka_password is None:
        return {}
    password = found.kafka_password.get_secret_value()
    return {"TURNABOUT_KAFKA_USER": found.kafka_user, "TURNABOUT_KAFKA_PASSWORD": password}
