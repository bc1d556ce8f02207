"""The way out that a mail carries in its headers: one click in the mail program, without signing in (RFC 8058).

The address holds a sealed permission to switch off the mail of one kind for one member, and nothing else: it is
encrypted, so it names nobody; nobody can make or alter one without the key; and it is spent once the member has
switched that kind on again. The key is derived for this purpose alone from the secret that our services share.
"""

import hmac
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import Policy
from typing import Final, Protocol

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from notifications.domain.notice import Kind

PATH: Final = "/api/notifications/v1/unsubscribe"
ONE_CLICK: Final = "One-Click"
_PURPOSE: Final = b"turnabout notifications unsubscribe 1"
_ALGORITHM, _CIPHER = "dir", "A256GCM"


class SealSettings(Protocol):
    """The settings that sealing needs."""

    @property
    def public_url(self) -> str:
        """Where people reach Turnabout."""

    @property
    def service_secret(self) -> SecretStr:
        """What the key is derived from."""


class Permission(BaseModel):
    """Switch off the mail of one kind for one member."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    member: str
    kind: Kind
    round: int


class Seal:
    """Turns permissions into addresses and back."""

    def __init__(self, settings: SealSettings) -> None:
        secret = settings.service_secret.get_secret_value().encode()
        self._key = OctKey.import_key(hmac.digest(secret, _PURPOSE, "sha256"))
        self._public_url = settings.public_url.rstrip("/")

    def address(self, permission: Permission) -> str:
        """Where a mail program sends its one click."""
        return f"{self._public_url}{PATH}/{self.token(permission)}"

    def token(self, permission: Permission) -> str:
        """The permission, sealed."""
        header = {"alg": _ALGORITHM, "enc": _CIPHER}
        return jwe.encrypt_compact(header, permission.model_dump_json().encode(), self._key)

    def opened(self, token: str) -> Permission | None:
        """The permission that a token holds; none when we did not make it."""
        try:
            opened = jwe.decrypt_compact(token, self._key, algorithms=[_ALGORITHM, _CIPHER])
            return Permission.model_validate_json(opened.plaintext or b"")
        except (JoseError, ValidationError, ValueError):
            return None


class _Address(UnstructuredHeader, BaseHeader):
    """An address in angle brackets: too long for a line, it would become an encoded word, which no program reads."""

    def fold(self, *, policy: Policy) -> str:
        """One line, however long."""
        return f"List-Unsubscribe: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Address)
MAIL_POLICY: Final = SMTP_POLICY.clone(header_factory=_HEADERS)
"""How mails are written that carry this way out."""


def put_into(message: EmailMessage, address: str) -> None:
    """Let a mail program offer the one click."""
    message["List-Unsubscribe"] = f"<{address}>"
    message["List-Unsubscribe-Post"] = f"List-Unsubscribe={ONE_CLICK}"
