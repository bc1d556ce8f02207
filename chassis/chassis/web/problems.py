"""How a refusal or a failure is answered: a page for browsers, `application/problem+json` (RFC 9457) for machines.

Every answer has a title and one plain sentence on what to do. No answer repeats what was sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from chassis import logs
from chassis.errors import TransientError, TurnaboutError, UnavailableError
from chassis.translation import gettext as _
from chassis.translation import mark
from chassis.web import identity, pages
from chassis.web.identity import Caller

SIGN_IN_PATH: Final = "/sign-in"
_RETRY_AFTER_SECONDS: Final = 2
_UNAUTHENTICATED: Final = 401
_INVALID: Final = 422
_FAILED: Final = 500
_UNAVAILABLE: Final = 503
Handler = Callable[[Request, Exception], Awaitable[Response]]
_log = logs.get()

_KNOWN: Final[Mapping[int, tuple[str, str]]] = {
    400: (mark("We could not read that request"), mark("Go back and try again.")),
    401: (mark("Please sign in"), mark("Sign in and try again.")),
    403: (mark("Not allowed"), mark("Your account does not allow this. Ask the lead of your programme for help.")),
    404: (mark("Not found"), mark("We could not find that. It may have been removed, or the address has a mistake.")),
    405: (mark("That does not work here"), mark("Go back and use the buttons of the page.")),
    409: (mark("This has changed in the meantime"), mark("Load the page again to see how it stands now.")),
    412: (
        mark("Someone changed this while you were editing"),
        mark("Load the page again, look at what changed and repeat your edit."),
    ),
    413: (mark("That is too large"), mark("Send less at once, for example by splitting the file.")),
    415: (mark("We cannot read this kind of content"), mark("Send it as the form or the documentation says.")),
    422: (mark("Please check what you entered"), mark("Correct the marked fields and send them again.")),
    429: (mark("That was a lot at once"), mark("Wait a moment, then try again.")),
    500: (
        mark("Something went wrong on our side"),
        mark("Nothing you entered was at fault. Try again in a minute; if it stays, tell your administrator."),
    ),
    503: (mark("Briefly unavailable"), mark("Nothing is lost. Wait a few seconds and try again.")),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to correct."""

    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, said to the person or program that asked."""

    status: int
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()

    @classmethod
    def of(cls, status: int, *, title: str | None = None, detail: str | None = None) -> "Problem":
        """A problem of this status, in its usual words where no others are given."""
        usual_title, usual_detail = _KNOWN.get(status) or _KNOWN[_FAILED if status >= _FAILED else 400]
        return cls(status, _(title or usual_title), detail or _(usual_detail))

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457; `errors` is ours."""
        errors = [{"field": each.field, "detail": each.detail} for each in self.errors]
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **({"errors": errors} if errors else {}),
        }


async def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as this client can read it."""
    sent = dict(headers or {})
    if problem.status == _UNAVAILABLE:
        sent.setdefault("Retry-After", str(_RETRY_AFTER_SECONDS))
    if wants_json(request):
        if problem.status == _UNAUTHENTICATED:
            sent.setdefault("WWW-Authenticate", "Bearer")
        return JSONResponse(problem.as_json(), problem.status, sent, media_type="application/problem+json")
    if "hx-request" in request.headers:
        return _fragment(request, problem, sent)
    if problem.status == _UNAUTHENTICATED:
        return RedirectResponse(sign_in_address(request), status_code=303)
    return await _page(request, problem, sent)


def wants_json(request: Request) -> bool:
    """True for the API, and for clients elsewhere that ask for JSON and not for a page."""
    if request.url.path.startswith(("/api/", "/.well-known/")):
        return True
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


def sign_in_address(request: Request) -> str:
    """Sign-in that afterwards returns to the page; a command or a part returns to the page that it was sent from."""
    wanted = request.url
    sent_from = request.headers.get("hx-current-url")
    if sent_from is None and request.method not in {"GET", "HEAD"}:
        sent_from = request.headers.get("referer", "")
    if sent_from is not None:
        page = urlsplit(sent_from)
        path, query = (page.path, page.query) if page.netloc == wanted.netloc else ("/", "")
    else:
        path, query = wanted.path, wanted.query
    back = pages.own_path(f"{path}?{query}" if query else path)
    return f"{SIGN_IN_PATH}?next={quote(back, safe='/')}"


async def _page(request: Request, problem: Problem, headers: Mapping[str, str]) -> Response:
    html = _render(request, "problem.html", problem, await _viewer(request))
    return HTMLResponse(html, problem.status, dict(headers))


async def _viewer(request: Request) -> Caller | None:
    """Who looks, so that the page keeps its navigation; a problem with that is not the problem to tell about."""
    try:
        return await identity.visitor(request)
    except UnavailableError:
        return None


def _fragment(request: Request, problem: Problem, headers: Mapping[str, str]) -> Response:
    """For htmx: a notice at the top of the page that is open, which stays as it is."""
    html = _render(request, "problem_notice.html", problem, None)
    return HTMLResponse(html, problem.status, {**headers, "HX-Retarget": "#notices", "HX-Reswap": "innerHTML"})


def _render(request: Request, template: str, problem: Problem, viewer: Caller | None) -> str:
    return (
        pages.environment("chassis.web")
        .get_template(template)
        .render(
            request=request,
            caller=viewer,
            notice_shown=None,
            path=request.url.path,
            problem=problem,
            sign_in=sign_in_address(request),
        )
    )


# --- Exception handlers -----------------------------------------------------------------------------------------------


async def refused(request: Request, error: TurnaboutError) -> Response:
    """An expected refusal."""
    return await answer(request, Problem.of(error.status, title=error.title, detail=error.detail))


async def away(request: Request, error: Exception) -> Response:
    """A dependency is away: the command was not carried out, and may be sent again."""
    _log.warning("http.unavailable", method=request.method, cause=type(error).__name__)
    return await answer(request, Problem.of(_UNAVAILABLE))


async def http_exception(request: Request, error: HTTPException) -> Response:
    """What the framework refuses; its own words are for developers, so we use ours."""
    return await answer(request, Problem.of(error.status_code), error.headers)


async def invalid(request: Request, error: RequestValidationError) -> Response:
    """Input that does not fit its model."""
    errors = tuple(
        FieldError(field=".".join(str(part) for part in each["loc"][1:]) or "body", detail=str(each["msg"]))
        for each in error.errors()
    )
    usual = Problem.of(_INVALID)
    return await answer(request, Problem(usual.status, usual.title, usual.detail, errors))


async def failed(request: Request, error: Exception) -> Response:
    """A bug: logged without its message, which may quote what a person entered."""
    _log.error("http.failed", method=request.method, error=type(error).__name__, exc_info=error)
    return await answer(request, Problem.of(_FAILED))


HANDLERS: Final[Mapping[type[Exception], Handler]] = {
    TurnaboutError: cast("Handler", refused),
    TransientError: away,
    HTTPException: cast("Handler", http_exception),
    RequestValidationError: cast("Handler", invalid),
}
"""Each is called with errors of its class alone, which the framework's type of a handler does not tell."""
