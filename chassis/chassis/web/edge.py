"""What every request passes before and after its route, as plain ASGI so that event streams are never buffered."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import metrics, telemetry, zones
from chassis.translation import LANGUAGE_COOKIE, Catalogues
from chassis.translation import gettext as _
from chassis.web import problems

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_AFTER: Final = {"Retry-After": "1"}
UNMATCHED: Final = "unmatched"
BODY_LIMIT_ATTRIBUTE: Final = "turnabout_body_limit"

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}


def route_template(scope: Scope) -> str:
    """The route as it is written in the code: ids and what people type never reach metrics or spans."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(included, "path_format", None) or getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else UNMATCHED


class AccessTrace:
    """One span and one count per request, in the caller's trace when it sends one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer inside a span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, streamed = 500, False

        async def watch(message: Message) -> None:
            nonlocal status, streamed
            if message["type"] == "http.response.start":
                status = message["status"]
                streamed = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
            await send(message)

        method, began = scope["method"], time.perf_counter()
        with telemetry.span(f"http {method}", kind="server", parent=Headers(scope=scope).get("traceparent")) as span:
            try:
                await self.app(scope, receive, watch)
            finally:
                route = route_template(scope)
                span.update_name(f"http {method} {route}")
                telemetry.annotate(http__method=method, http__route=route, http__status=status)
                metrics.HTTP_REQUESTS.labels(method, route, str(status)).inc()
                if not streamed:
                    metrics.HTTP_SECONDS.labels(route).observe(time.perf_counter() - began)


class SecurityHeaders:
    """The same headers on every answer; what is not meant to be kept is not kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers as the answer begins."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


def secure(headers: MutableHeaders) -> None:
    """Put the headers in; a route that set its own ``Cache-Control`` keeps it."""
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")


@contextmanager
def speaking_to(request: Request, catalogues: Catalogues) -> Iterator[None]:
    """Speak as this reader wishes: their language and time zone stand in cookies.

    Without them the language is what the browser asks for, and times are told in UTC.
    """
    chosen = catalogues.choose(
        chosen=request.cookies.get(LANGUAGE_COOKIE), accepted=request.headers.get("accept-language", "")
    )
    with catalogues.speaking(chosen), zones.reading_in(request.cookies.get(zones.ZONE_COOKIE, "")):
        yield


class LanguageChoice:
    """Chooses how this request is answered."""

    def __init__(self, app: ASGIApp, catalogues: Catalogues) -> None:
        self.app = app
        self._catalogues = catalogues

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the reader's language and zone."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with speaking_to(Request(scope), self._catalogues):
            await self.app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that are too large, by their announced length or as soon as they turn out to be.

    The limit is looked up when the route begins to read, because only then is it known which route it is.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count while the route reads."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        length = int(announced) if announced.isdecimal() else 0
        counted = 0

        async def count() -> Message:
            nonlocal counted
            most = getattr(scope.get("endpoint"), BODY_LIMIT_ATTRIBUTE, self._most)
            if length > most:
                raise HTTPException(413)
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > most:
                raise HTTPException(413)
            return message

        await self.app(scope, count, send)


class Admission:
    """At most so many commands at once; more are refused at the door, while they can still be sent again."""

    def __init__(self, app: ASGIApp, most_commands: int) -> None:
        self.app = app
        self._most = most_commands
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in or answer 503."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        if self._running >= self._most:
            problem = problems.Problem.of(503, detail=_("Many people are busy here. Wait a moment and try again."))
            answer = await problems.answer(Request(scope), problem, _RETRY_AFTER)
            await answer(scope, receive, send)
            return
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1


class OriginCheck:
    """Refuses commands that another site's page makes a browser send with the person's cookie.

    Calls with a bearer token are exempt, since no browser adds one by itself, and so are API calls without any cookie.
    """

    def __init__(self, app: ASGIApp, public_url: str | None = None) -> None:
        self.app = app
        self._public = _origin(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in or answer 403."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or self._is_ours(Request(scope)):
            await self.app(scope, receive, send)
            return
        detail = _("This was sent from another site, so we did not do it. Open the page here and try again.")
        answer = await problems.answer(Request(scope), problems.Problem.of(403, detail=detail))
        await answer(scope, receive, send)

    def _is_ours(self, request: Request) -> bool:
        headers = request.headers
        if headers.get("authorization", "").lower().startswith("bearer "):
            return True
        if "cookie" not in headers and request.url.path.startswith("/api/"):
            return True
        if (site := headers.get("sec-fetch-site")) is not None:
            return site in {"same-origin", "none"}
        source = headers.get("origin") or headers.get("referer")
        if not source:
            return False
        origin = _origin(source)
        return origin is not None and (origin == self._public or origin[1] == headers.get("host"))


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.netloc else None
