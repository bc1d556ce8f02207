"""What the process of notifications reads from its environment."""

from chassis.settings import Settings
from pydantic import Field, SecretStr


class NotificationsSettings(Settings):
    """Settings of notifications."""

    instance: str = Field(default="notifications-0", min_length=1, description="Stable name of this replica.")
    port: int = Field(default=8104, ge=0, le=65535, description="Port to listen on.")

    matching_url: str = Field(default="http://127.0.0.1:8102", description="Where services reach matching.")

    smtp: str = Field(default="127.0.0.1:1025", pattern=r"^.+:\d{1,5}$", description="Mail server, host:port.")
    smtp_user: str | None = Field(default=None, description="Name to log in with; none for a server that asks nobody.")
    smtp_password: SecretStr | None = Field(default=None, description="Password to log in with.")
    smtp_start_tls: bool = Field(default=False, description="Refuse to speak to a mail server without STARTTLS.")
    smtp_connections: int = Field(default=4, ge=1, le=50, description="Mails that are handed over at the same time.")
    mail_from: str = Field(default="Turnabout <turnabout@localhost>", description="Sender of every mail.")

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Host and port of the mail server."""
        host, _, port = self.smtp.rpartition(":")
        return host.strip("[]"), int(port)
