"""A mailbox that takes every mail over SMTP and shows it in the browser; for one machine only."""

import argparse
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


class Mailbox:
    """Mails as files, the newest last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep one mail before it is acknowledged."""
        number = len(list(self._folder.glob("*.eml"))) + 1
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        (self._folder / f"{number:06}.eml").write_bytes(content)
        return "250 kept"

    def mails(self) -> dict[int, EmailMessage]:
        """Number → mail."""
        return {int(path.stem): _read(path) for path in sorted(self._folder.glob("*.eml"))}


def _read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError(path.name)
    return message


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
            f'<li><a href="/mailbox/{number}">{html.escape(str(mail["Subject"]))}</a><br>'
            f"<small>to {html.escape(str(mail['To']))}</small></li>"
            for number, mail in reversed(mailbox.mails().items())
        )
        return _page(
            "Mailbox", f"<ul>{rows}</ul>" if rows else "<p>No mail yet. It appears here as soon as it is sent.</p>"
        )

    @app.get("/mailbox/api")
    def listing() -> list[dict[str, str]]:
        return [
            {
                "to": str(mail["To"]),
                "subject": str(mail["Subject"]),
                "message_id": str(mail["Message-ID"]),
                "text": _text(mail),
            }
            for mail in mailbox.mails().values()
        ]

    @app.get("/mailbox/{number}")
    def read(number: int) -> HTMLResponse:
        if (mail := mailbox.mails().get(number)) is None:
            raise HTTPException(404, "There is no such mail.")
        head = f"<p><small>to {html.escape(str(mail['To']))}</small></p>"
        back = '<p><a href="/mailbox">All mail</a></p>'
        return _page(str(mail["Subject"]), f"{head}<pre>{html.escape(_text(mail))}</pre>{back}")

    return app


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""


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
