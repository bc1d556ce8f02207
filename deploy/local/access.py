"""Who gets in: the local stack's own passwords, and a broker that refuses whatever is not allowed.

Passwords are made at the first start and lie in the state folder, readable by its owner alone. They reach processes
through files and environments, never through arguments. Everything is bound to this machine, so nothing is encrypted.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from chassis.ops.access import Administrator, new_password
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR, OPERATORS, Access

from local.processes import StackError

FILE: Final = "kafka-users.json"
_BROKER: Final = "broker"
_MECHANISM: Final = "SCRAM-SHA-512"
_MODULE: Final = "org.apache.kafka.common.security"
_GUARDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Both listeners ask for a password; names of listeners are not those of protocols here.
        "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": _MECHANISM,
        "listener.name.plaintext.sasl.enabled.mechanisms": _MECHANISM,
        # A controller has to let its brokers in before it knows of any SCRAM user.
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{_BROKER};User:{ADMINISTRATOR}",
    }
)


@dataclass(frozen=True, slots=True)
class Users:
    """Principals with their passwords: the broker itself, its administrator, the operators and each service."""

    passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def made(cls) -> "Users":
        """New passwords for everybody."""
        return cls({name: new_password() for name in (_BROKER, ADMINISTRATOR, *Access().principals)})

    @classmethod
    def of(cls, state: Path) -> "Users":
        """Those of a state folder, made at its first start.

        Raises:
            StackError: there is a broker's data, and nobody's password.
        """
        file = state / FILE
        if file.exists():
            return cls(json.loads(file.read_text()))
        if (state / "kafka" / "logs").exists():
            raise StackError(
                f"The broker's data in {state} is from before it asked for passwords, or {FILE} is gone. "
                "Forget the data with `make reset` and start again."
            )
        users = cls.made()
        state.mkdir(parents=True, exist_ok=True)
        write_secret(file, json.dumps(dict(users.passwords), indent=2))
        return users

    def settings(self, name: str) -> dict[str, str]:
        """What `Settings` needs to connect as this principal."""
        return {"kafka_user": name, "kafka_password": self.passwords[name]}

    def environment(self, name: str) -> dict[str, str]:
        """The same as a process's environment."""
        return {f"TURNABOUT_{field.upper()}": value for field, value in self.settings(name).items()}

    def of_operators(self) -> dict[str, str]:
        """The environment of `turnabout`: it looks as the operators, and has what it acts for a service with."""
        others = {name: password for name, password in self.passwords.items() if name != _BROKER}
        acting = {f"TURNABOUT_KAFKA_PASSWORD_{name.upper()}": password for name, password in others.items()}
        return self.environment(OPERATORS) | acting


async def grant(settings: Settings) -> None:
    """Allow the platform's principals what topics and catalogue say, as the administrator."""
    administrator = await Administrator.opened(settings)
    await asyncio.to_thread(administrator.put_right, Access())


def properties(users: Users) -> dict[str, str]:
    """What makes a broker ask for passwords and refuse what nobody allowed."""
    secret = users.passwords[_BROKER]
    who = f'required username="{_BROKER}" password="{secret}"'
    return {
        **_GUARDED,
        f"listener.name.plaintext.{_MECHANISM.lower()}.sasl.jaas.config": f"{_MODULE}.scram.ScramLoginModule {who};",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{_MODULE}.plain.PlainLoginModule {who} user_{_BROKER}="{secret}";'
        ),
    }


@contextmanager
def first_passwords(folder: Path, users: Users | None) -> Iterator[Sequence[str]]:
    """Arguments that format a broker's storage with everybody's password, read from a file that goes afterwards."""
    if users is None:
        yield []
        return
    file = folder / "format.arguments"
    lines = [f"--add-scram\n{_MECHANISM}=[name={name},password={each}]\n" for name, each in users.passwords.items()]
    write_secret(file, "".join(lines))
    try:
        yield [f"@{file}"]
    finally:
        file.unlink()


def without_secrets(text: str, users: Users | None) -> str:
    """What a program said, with no password in it."""
    for password in users.passwords.values() if users else ():
        text = text.replace(password, "…")
    return text


def write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)
