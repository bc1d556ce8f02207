"""The way out: mail over SMTP, to addresses that profiles tells for this purpose alone.

A mail is handed over in two halves. Everything that can be refused or away comes first: address, connection, sender,
recipient. Only then is the mail claimed, and only the claimed mail's content is sent, so the moment in which a crash
leaves its fate unknown lasts from the last line to the server's answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib
import httpx
from chassis.errors import TransientError, UnavailableError
from chassis.trust import trusted
from chassis.web import calendar, pages
from chassis.web.identity import ServiceTokens
from pydantic import BaseModel, ValidationError

from chassis import clock, translation
from notifications.ledger import Fate
from notifications.settings import NotificationsSettings
from notifications.unsubscribe import MAIL_POLICY, put_into
from notifications.words import Letter

_PATH: Final = "/api/profiles/v1/addresses"
_PROFILES_TIMEOUT: Final = httpx.Timeout(3.0, connect=1.0)
_SMTP_SECONDS: Final = 10.0
_PERMANENT: Final = 500

Claim = Callable[[], Awaitable[bool]]


class Recipient(BaseModel):
    """Where a member's mail goes; held for one mail and never stored."""

    member: str
    email: str
    name: str
    language: str = "en"
    time_zone: str = "UTC"


class _Answer(BaseModel):
    addresses: list[Recipient]


class AddressBook:
    """Asks profiles where mail reaches a member."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._tokens = ServiceTokens(settings, "mail")
        self._client = httpx.AsyncClient(base_url=settings.profiles_url, timeout=_PROFILES_TIMEOUT, verify=trusted())

    async def recipient(self, member: str) -> Recipient | None:
        """The member's address; none when the member has left.

        Raises:
            TransientError: profiles can't be asked now.
        """
        try:
            headers = await self._tokens.headers()
            response = await self._client.post(_PATH, json={"members": [member]}, headers=headers)
            response.raise_for_status()
            found = _Answer.model_validate_json(response.content).addresses
        except (httpx.HTTPError, UnavailableError, ValidationError) as error:
            raise TransientError(f"profiles: {type(error).__name__}") from error
        return next((each for each in found if each.member == member), None)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tokens.aclose()
        await self._client.aclose()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a mail is for, the id by which a mailbox recognises a second copy, and where one click ends such mails."""

    recipient: Recipient
    id: str
    unsubscribe: str


class Mailer:
    """Hands mails to the mail server."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._gate = asyncio.Semaphore(settings.smtp_connections)

    async def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Fate | None:
        """Hand one mail over.

        Args:
            envelope: whom it is for.
            letter: what it says.
            claim: takes the mail for this process; called when nothing but the content is left to send.

        Returns:
            What became of it; none when `claim` said that another process has it.

        Raises:
            TransientError: the server is away or busy, and nothing was claimed.
        """
        if (message := self._message(envelope, letter)) is None:
            return Fate.REFUSED
        async with self._gate, self._connected() as server:
            if not await _accepted(server, parseaddr(self._settings.mail_from)[1], envelope.recipient.email):
                return Fate.REFUSED
            return await _hand_over(server, message) if await claim() else None

    def _message(self, envelope: Envelope, letter: Letter) -> bytes | None:
        """The mail as it travels; none when the address is none."""
        to, domain = envelope.recipient, urlsplit(self._settings.public_url).hostname or "localhost"
        if not to.email.isascii():
            return None
        message = EmailMessage(policy=MAIL_POLICY)
        try:
            message["To"] = Address(" ".join(to.name.split()), addr_spec=to.email)
        except (ValueError, MessageError, IndexError):
            return None
        message["From"] = self._settings.mail_from
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{envelope.id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = translation.current().tag
        put_into(message, envelope.unsubscribe)
        message.set_content(letter.text)
        template = pages.environment("notifications").get_template("mail.html")
        message.add_alternative(template.render(letter=letter), subtype="html")
        if letter.entry is not None:
            sender = self._settings.mail_from
            invitation = calendar.as_invitation(letter.entry, clock.now(), organiser=sender, reader=to.email)
            message.add_alternative(invitation.decode(), subtype="calendar", params={"method": letter.entry.method})
        return message.as_bytes()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        host, port = self._settings.smtp_address
        password = self._settings.smtp_password
        server = aiosmtplib.SMTP(
            hostname=host,
            port=port,
            username=self._settings.smtp_user,
            password=password.get_secret_value() if password else None,
            start_tls=True if self._settings.smtp_start_tls else None,
            timeout=_SMTP_SECONDS,
        )
        try:
            await server.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TransientError(f"mail server: {type(error).__name__}") from error
        try:
            yield server
        finally:
            server.close()


async def _accepted(server: aiosmtplib.SMTP, sender: str, recipient: str) -> bool:
    """Whether the server takes mail for this recipient; raises when it may later."""
    try:
        await server.mail(sender)
        await server.rcpt(recipient)
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
        if error.code >= _PERMANENT:
            return False
        raise TransientError(f"mail server: {error.code}") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise TransientError(f"mail server: {type(error).__name__}") from error
    return True


async def _hand_over(server: aiosmtplib.SMTP, message: bytes) -> Fate:
    """Send the content of a claimed mail; says WAITING only when the server has certainly not taken it."""
    try:
        await server.data(message)
    except aiosmtplib.SMTPDataError as error:
        return Fate.REFUSED if error.code >= _PERMANENT else Fate.WAITING
    except (aiosmtplib.SMTPException, OSError):
        return Fate.UNKNOWN
    return Fate.SENT
