"""A mailbox that takes every mail over SMTP and shows it in the browser; for one machine only."""

import argparse
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from local.ports import HOST

_STYLE = """<style>
body{font:1rem/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d2733}
li{margin:.6rem 0}small{color:#52606d}
pre{white-space:pre-wrap;font:inherit;background:#f4f6f8;padding:1rem;border-radius:.5rem}
</style>"""


@dataclass(frozen=True, slots=True)
class Mail:
    """What a page shows of a mail."""

    to: str
    subject: str
    message_id: str
    text: str

    @classmethod
    def read(cls, path: Path) -> "Mail":
        """The mail of a file."""
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if not isinstance(message, EmailMessage):
            raise TypeError(path.name)
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        return cls(str(message["To"]), str(message["Subject"]), str(message["Message-ID"]), text)


class Mailbox:
    """Mails as files, the newest last. A file is read once: there may be thousands, and nobody changes one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, Mail] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep one mail before it is acknowledged."""
        number = len(list(self._folder.glob("*.eml"))) + 1
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        arriving = self._folder / f"{number:06}.part"
        arriving.write_bytes(content)
        arriving.rename(arriving.with_suffix(".eml"))  # whoever reads it reads all of it
        return "250 kept"

    def mails(self) -> dict[int, Mail]:
        """Number → mail."""
        for path in self._folder.glob("*.eml"):
            if (number := int(path.stem)) not in self._known:
                self._known[number] = Mail.read(path)
        return dict(sorted(self._known.items()))


def application(mailbox: Mailbox, smtp_port: int) -> FastAPI:
    """The pages, and the SMTP server beside them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        controller: Any = Controller(mailbox, hostname=HOST, port=smtp_port)
        controller.start()
        yield
        controller.stop()

    app = FastAPI(title="mailbox", lifespan=lifespan, openapi_url=None)

    @app.get("/mailbox")
    def index() -> HTMLResponse:
        rows = "".join(
            f'<li><a href="/mailbox/{number}">{html.escape(mail.subject)}</a><br>'
            f"<small>to {html.escape(mail.to)}</small></li>"
            for number, mail in reversed(mailbox.mails().items())
        )
        return _page(
            "Mailbox", f"<ul>{rows}</ul>" if rows else "<p>No mail yet. It appears here as soon as it is sent.</p>"
        )

    @app.get("/mailbox/api")
    def listing() -> list[Mail]:
        return [*mailbox.mails().values()]

    @app.get("/mailbox/{number}")
    def read(number: int) -> HTMLResponse:
        if (mail := mailbox.mails().get(number)) is None:
            raise HTTPException(404, "There is no such mail.")
        head = f"<p><small>to {html.escape(mail.to)}</small></p>"
        back = '<p><a href="/mailbox">All mail</a></p>'
        return _page(mail.subject, f"{head}<pre>{html.escape(mail.text)}</pre>{back}")

    return app


def _page(title: str, body: str) -> HTMLResponse:
    name = html.escape(title)
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{name}</title>{_STYLE}</head><body><main><h1>{name}</h1>{body}</main></body></html>"
    )


def main() -> None:
    """`python -m local.mailbox --port P --smtp P --folder F`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    uvicorn.run(application(Mailbox(given.folder), given.smtp), host=HOST, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
