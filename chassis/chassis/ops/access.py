"""The broker's ACLs and users, as the administrator sees and changes them.

aiokafka can do neither, so this is librdkafka's administration client. Its calls block; nothing here is for a service.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from contracts.access import Access, Acl, Operation, Resource

from chassis.broker import fault
from chassis.errors import DeniedError, TransientError
from chassis.settings import Settings

_SECONDS: Final = 20.0
_DOOR_SECONDS: Final = 5.0
_LOOK_EVERY_SECONDS: Final = 0.02
_USER: Final = "User:"
_ITERATIONS: Final = 8192


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a broker is from what topics and catalogue say."""

    missing: tuple[Acl, ...]
    extra: tuple[Acl, ...]
    """Of principals that we know; what somebody allowed to others is theirs to say."""

    @classmethod
    def of(cls, there: frozenset[Acl], access: Access) -> "Difference":
        """Between what a broker allows and what it should allow to the platform and to the subscribers it knows."""
        right = access.platform().union(*(access.subscriber(name) for name in subscribers(there, access)))
        known = {acl.principal for acl in right}
        extra = {acl for acl in there - right if acl.principal in known}
        return cls(tuple(sorted(right - there)), tuple(sorted(extra)))


def subscribers(there: frozenset[Acl], access: Access) -> tuple[str, ...]:
    """The systems outside that were granted something: those that have consumer groups named after themselves."""
    others = sorted({acl.principal for acl in there} - {*access.principals})
    return tuple(
        name for name in others if Acl(name, Operation.READ, Resource.GROUP, f"{name}.", prefixed=True) in there
    )


def new_password() -> str:
    """Long enough to be guessed by nobody, and plain enough for every file and shell."""
    return secrets.token_urlsafe(24)


class Administrator:
    """Made by `opened`.

    Raises:
        TransientError: from every method, when the broker does not answer.
    """

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    @classmethod
    async def opened(cls, settings: Settings) -> Self:
        """Connect, as somebody who may do all of this.

        Whoever may not is told here and now: librdkafka would answer a question for ACLs with an empty list, and one
        for users with a crash.

        Raises:
            DeniedError: the password is wrong, or the principal is no administrator.
            TransientError: the broker does not answer.
        """
        if isinstance(turned_away := await fault(settings, KafkaConnectionError()), DeniedError):
            raise turned_away
        made = cls(AdminClient(_options(settings)))
        asked = made._client.describe_cluster(include_authorized_operations=True, request_timeout=_DOOR_SECONDS)
        allowed = (await asyncio.to_thread(_answer, asked)).authorized_operations or ()
        if AclOperation.ALTER not in allowed:
            raise DeniedError(f"The broker refuses: {settings.kafka_user} is not its administrator.")
        return made

    def acls(self) -> frozenset[Acl]:
        """Every ACL that allows something of what we know; others are none of ours."""
        every = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ALLOW
        )
        found = _answer(self._client.describe_acls(every, request_timeout=_SECONDS))
        return frozenset(acl for binding in found if (acl := _acl(binding)) is not None)

    def add(self, acls: Iterable[Acl]) -> None:
        """Allow these; what is allowed already stays."""
        wanted = frozenset(acls)
        if wanted:
            for future in self._client.create_acls([*map(_binding, wanted)], request_timeout=_SECONDS).values():
                _answer(future)
            _until(lambda: wanted <= self.acls())

    def remove(self, acls: Iterable[Acl]) -> None:
        """Allow these no longer."""
        unwanted = frozenset(acls)
        if unwanted:
            for future in self._client.delete_acls([*map(_filter, unwanted)], request_timeout=_SECONDS).values():
                _answer(future)
            _until(lambda: not unwanted & self.acls())

    def difference(self, access: Access) -> Difference:
        """How far it is from what it should allow."""
        return Difference.of(self.acls(), access)

    def put_right(self, access: Access) -> Difference:
        """Allow what is missing, and no longer what is too much; returns what it found."""
        found = self.difference(access)
        self.add(found.missing)
        self.remove(found.extra)
        return found

    def users(self) -> frozenset[str]:
        """Everybody who has a password."""
        return frozenset(_answer(self._client.describe_user_scram_credentials(request_timeout=_SECONDS)))

    def set_password(self, user: str, password: str) -> None:
        """Let a user in by this password, and by no other."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        self._alter(UserScramCredentialUpsertion(user, how, password.encode()))
        _until(lambda: user in self.users())

    def shut_out(self, user: str) -> None:
        """Take the user's password away."""
        self._alter(UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))
        _until(lambda: user not in self.users())

    def _alter(self, change: Any) -> None:
        for future in self._client.alter_user_scram_credentials([change], request_timeout=_SECONDS).values():
            _answer(future)


def _until(visible: Callable[[], bool]) -> None:
    """Wait for a broker to have heard of it: the controller answers a moment earlier, and clients come at once.

    Raises:
        TransientError: it has not within the time.
    """
    end = time.monotonic() + _SECONDS
    while not visible():
        if time.monotonic() > end:
            raise TransientError("broker: it has not heard of the change")
        time.sleep(_LOOK_EVERY_SECONDS)


def _answer(future: Any) -> Any:
    try:
        return future.result()
    except KafkaException as error:
        raise TransientError(f"broker: {error.args[0].name()}") from error


def _options(settings: Settings) -> dict[str, Any]:
    transport = "SSL" if settings.kafka_tls else "PLAINTEXT"
    options: dict[str, Any] = {"bootstrap.servers": settings.kafka, "security.protocol": transport, "log_level": 0}
    if settings.kafka_ca_file is not None:
        options["ssl.ca.location"] = str(settings.kafka_ca_file)
    if settings.kafka_user is not None and settings.kafka_password is not None:
        options |= {
            "security.protocol": f"SASL_{transport}",
            "sasl.mechanism": settings.kafka_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return options


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(*_parts(acl))


def _filter(acl: Acl) -> AclBindingFilter:
    return AclBindingFilter(*_parts(acl))


def _parts(acl: Acl) -> tuple[Any, ...]:
    pattern = ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL
    kind, operation = ResourceType[acl.resource.name], AclOperation[acl.operation.name]
    return (kind, acl.name, pattern, f"{_USER}{acl.principal}", "*", operation, AclPermissionType.ALLOW)


def _acl(binding: AclBinding) -> Acl | None:
    try:
        operation, resource = Operation[binding.operation.name], Resource[binding.restype.name]
    except KeyError:
        return None
    prefixed = binding.resource_pattern_type is ResourcePatternType.PREFIXED
    return Acl(binding.principal.removeprefix(_USER), operation, resource, binding.name, prefixed)
