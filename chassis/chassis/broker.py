"""Connecting to the broker: the one place that knows how, and what it says when the broker refuses.

aiokafka tells a wrong password from a broker that is away in its log alone, so a failed connection of a client that
has a name is tried once more by hand.
"""

import asyncio
import ssl
from typing import Any, Final

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from chassis import logs
from chassis.errors import DeniedError, TransientError
from chassis.settings import Settings

log = logs.get()
_TURNED_AWAY: Final = (AuthenticationFailedError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)
_DOOR_MS: Final = 5000
_QUIET_SECONDS: Final = 10.0  # every client tries again within 5


def client_options(settings: Settings) -> dict[str, Any]:
    """What every client of aiokafka is made with."""
    return {"bootstrap_servers": settings.kafka.split(","), **_security(settings)}


def _security(settings: Settings) -> dict[str, Any]:
    transport = "SSL" if settings.kafka_tls else "PLAINTEXT"
    context = ssl.create_default_context(cafile=settings.kafka_ca_file) if settings.kafka_tls else None
    if settings.kafka_user is None or settings.kafka_password is None:
        return {"security_protocol": transport, "ssl_context": context}
    return {
        "security_protocol": f"SASL_{transport}",
        "ssl_context": context,
        "sasl_mechanism": settings.kafka_mechanism,
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


async def fault(settings: Settings, error: KafkaError, deed: str = "read") -> TransientError:
    """An error of aiokafka as ours: `DeniedError` with its sentence when the broker refuses us."""
    sentence = await _refusal(settings, error, deed)
    return TransientError(f"broker: {type(error).__name__}") if sentence is None else DeniedError(sentence)


class Refusal:
    """What the broker refuses one client of this process: said once, and shown by ``/readyz`` until it is over.

    Args:
        settings: as whom the client connects.
        deed: what it wants to do with topics: read, or write to.
    """

    def __init__(self, settings: Settings, deed: str) -> None:
        self._settings = settings
        self._deed = deed
        self.sentence: str | None = None
        self._heard_at = 0.0

    async def heard(self, error: BaseException | None) -> bool:
        """Whether an error is a refusal."""
        if isinstance(error, TransientError) and error.__cause__ is not None:
            error = error.__cause__
        sentence = await _refusal(self._settings, error, self._deed)
        if sentence is not None and sentence != self.sentence:
            log.error("broker.refused", reason=sentence)
        self.sentence = sentence
        self._heard_at = asyncio.get_running_loop().time()
        return sentence is not None

    async def at_the_door(self) -> bool:
        """Whether the broker does not let us in at all. One that is away refuses nobody."""
        return self._settings.kafka_user is not None and await self.heard(KafkaConnectionError())

    def over(self) -> None:
        """The client got in."""
        self.sentence = None

    def got_through(self) -> None:
        """It did something without being refused, which counts once it has not been refused for a while.

        Between two refusals of the same thing a fetch may bring nothing, and another topic may be open to it.
        """
        if self.sentence is not None and asyncio.get_running_loop().time() - self._heard_at > _QUIET_SECONDS:
            self.sentence = None


async def _refusal(settings: Settings, error: BaseException | None, deed: str) -> str | None:
    who = settings.kafka_user or "a client without a name"
    match error:
        case TopicAuthorizationFailedError():
            return f"The broker refuses: {who} may not {deed} {_named(error)}. See `turnabout access list`."
        case GroupAuthorizationFailedError():
            return f"The broker refuses: {who} may not read as group {_named(error)}. See `turnabout access list`."
        case ClusterAuthorizationFailedError():
            return f"The broker refuses: {who} may not {deed} anything. See `turnabout access list`."
        case KafkaConnectionError() if settings.kafka_user is not None and await _turned_away(settings):
            return f"The broker does not accept the password of {who}. Set TURNABOUT_KAFKA_PASSWORD right."
        case _:
            return None


def _named(error: KafkaError) -> str:
    """The topics or groups that an error of aiokafka holds."""
    names = {name for part in error.args for name in (part if isinstance(part, set | frozenset | list) else [part])}
    return ", ".join(sorted(str(name) for name in names)) or "that it asked for"


async def _turned_away(settings: Settings) -> bool:
    options = client_options(settings)
    for server in options.pop("bootstrap_servers"):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=_DOOR_MS, **options)
        except _TURNED_AWAY:
            return True
        except (KafkaError, OSError, TimeoutError):
            continue
        connection.close()
        return False
    return False
