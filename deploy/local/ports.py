"""Every port of the stack, derived from the one that people visit."""

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from local.processes import StackError

HOST: Final = "127.0.0.1"
_COUNT: Final = 12
_FAR: Final = 369  # has no factor in common with the number of ranges
_given: Final[set[int]] = set()


@dataclass(frozen=True, slots=True)
class Ports:
    """The gateway's port, and what follows from it."""

    gateway: int = 8080

    @property
    def profiles(self) -> int:
        """HTTP."""
        return self.gateway + 1

    @property
    def matching(self) -> int:
        """HTTP of the api role."""
        return self.gateway + 2

    @property
    def notifications(self) -> int:
        """HTTP."""
        return self.gateway + 3

    @property
    def analytics(self) -> int:
        """HTTP."""
        return self.gateway + 4

    @property
    def engine(self) -> int:
        """Probes of the engine role."""
        return self.gateway + 5

    @property
    def identity_provider(self) -> int:
        """OIDC for development."""
        return self.gateway + 6

    @property
    def mailbox(self) -> int:
        """The mailbox's page."""
        return self.gateway + 7

    @property
    def smtp(self) -> int:
        """The mailbox's SMTP."""
        return self.gateway + 8

    @property
    def kafka(self) -> int:
        """The broker."""
        return self.gateway + 9

    @property
    def controller(self) -> int:
        """The broker's controller."""
        return self.gateway + 10

    @property
    def database(self) -> int:
        """MongoDB's protocol."""
        return self.gateway + 11

    @property
    def last(self) -> int:
        """The end of the range."""
        return self.gateway + _COUNT - 1

    def refuse_if_taken(self) -> None:
        """Raises StackError naming the first port that somebody else uses."""
        for port in range(self.gateway, self.gateway + _COUNT):
            if not free(port):
                raise StackError(
                    f"Port {port} is in use. Stop what uses it (perhaps another `make run`), "
                    f"or choose another range: `make run PORT={self.gateway + 1000}`."
                )


def free(port: int) -> bool:
    """Nobody listens there and we may."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listening(port: int) -> bool:
    """Somebody accepts connections there."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.settimeout(0.5)
        # Linux may give the probe this very port to connect from; then it has reached itself.
        return probe.connect_ex((HOST, port)) == 0 and probe.getsockname() != probe.getpeername()


def free_range() -> Ports:
    """A range of ports that is free now, below those that the kernel gives to outgoing connections; for tests."""
    every = [each for each in range(20_080, 32_000, 20) if each not in _given]
    first = os.getpid() * _FAR % len(every)  # test runs at once look in different places, the next process far away
    for gateway in (*every[first:], *every[:first]):
        if all(free(port) for port in range(gateway, gateway + _COUNT)):
            _given.add(gateway)
            return Ports(gateway)
    raise StackError("No free range of ports was found between 20080 and 32000.")
