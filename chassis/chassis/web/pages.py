"""Pages: templates of one service inside the shell of all of them, in the language of the request.

    pages = Pages("matching")

    @router.get("/proposals")
    async def proposals(request: Request, caller: SignedIn) -> HTMLResponse:
        return pages.render(request, "proposals.html", caller=caller, proposals=...)

A template extends ``shell.html`` and fills its blocks ``title`` and ``main``; the parts it is made of are the macros
of ``components.html``. Both say at their top what they offer.
"""

import json
from collections.abc import Awaitable, Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from chassis import clock, translation, zones
from chassis.errors import ConflictError, InvalidError
from chassis.ids import new_id
from chassis.web.identity import Caller

_SHELL: Final = "chassis.web"
_STATIC: Final = Path(str(files(_SHELL))) / "static"
_NOTICE_COOKIE: Final = "turnabout_notice"
_NOTICE_LONGEST: Final = 300
_NOTICE_KINDS: Final = ("success", "info", "warning", "problem")
_LONG: Final = "public, max-age=31536000, immutable"
DEFAULT_VENDOR_DIR: Final = Path("~/.cache/turnabout/npm/node_modules")


class Pages:
    """Renders the templates of one service."""

    def __init__(self, package: str) -> None:
        self._environment = environment(package)

    def render(
        self, request: Request, template: str, *, caller: Caller | None = None, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A whole page."""
        notice = _read_notice(request)
        html = self._environment.get_template(template).render(
            request=request, caller=caller, notice_shown=notice, path=request.url.path, **context
        )
        response = HTMLResponse(html, status_code=status)
        response.headers["Content-Language"] = translation.current().tag
        if notice is not None:
            response.delete_cookie(_NOTICE_COOKIE, path="/")
        return response

    def fragment(
        self, request: Request, template: str, *, caller: Caller | None = None, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A part of a page that htmx puts in place; a waiting notice stays for the next whole page."""
        html = self._environment.get_template(template).render(
            request=request, caller=caller, notice_shown=None, path=request.url.path, **context
        )
        return HTMLResponse(html, status_code=status, headers={"Content-Language": translation.current().tag})


def redirect(to: str, *, notice: str | None = None, kind: str = "success") -> RedirectResponse:
    """Send the browser to a page of ours after a command; the notice is shown there once.

    Args:
        to: a path of ours. Anything else becomes the home page, so that a stored address cannot lead people away.
        notice: a sentence, translated already.
        kind: success, info, warning or problem.
    """
    response = RedirectResponse(own_path(to), status_code=303)
    if notice is not None:
        value = quote(json.dumps([kind, notice[:_NOTICE_LONGEST]]))
        response.set_cookie(_NOTICE_COOKIE, value, max_age=60, path="/", httponly=True, samesite="lax")
    return response


async def after(
    command: Awaitable[object], to: str, *, notice: str | None = None, kind: str = "success", refused_to: str = ""
) -> RedirectResponse:
    """Carry a command out and send the browser on; when it is refused, the page says why.

    Args:
        command: what was asked for.
        to: a path of ours, afterwards.
        notice: what came of it, translated already.
        kind: of the notice.
        refused_to: where a refusal is told, when that is another page.
    """
    try:
        await command
    except (ConflictError, InvalidError) as refusal:
        return redirect(refused_to or to, notice=refusal.detail, kind="problem")
    return redirect(to, notice=notice, kind=kind)


def own_path(to: str | None) -> str:
    """`to` when it is a path of this site, else ``/``."""
    if to is None or not to.startswith("/") or to.startswith(("//", "/\\")) or any(c in to for c in "\\\r\n\t"):
        return "/"
    return to


def _read_notice(request: Request) -> tuple[str, str] | None:
    """Kind and text of the notice that a redirect left, if it is one of ours."""
    try:
        kind, text = json.loads(unquote(request.cookies.get(_NOTICE_COOKIE, "")))
    except (ValueError, TypeError):
        return None
    if kind not in _NOTICE_KINDS or not isinstance(text, str):
        return None
    return kind, text[:_NOTICE_LONGEST]


@cache
def environment(package: str) -> Environment:
    """The templates of a service, with those of the chassis behind them."""
    own = [] if package == _SHELL else [PackageLoader(package)]
    made = Environment(
        loader=ChoiceLoader([*own, PackageLoader(_SHELL)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # a template that changes below a running process may need code that it does not have
        extensions=["jinja2.ext.i18n"],
    )
    made.globals.update(
        static=static_url,
        new_key=new_id,
        current_language=lambda: translation.current().tag,
        today=clock.today,
    )
    made.filters.update(
        day=day,
        moment=moment,
        when=when,
        ago=ago,
        number=number,
        percent=percent,
        initials=initials,
        country=country,
    )
    # The extension adds this method, which its types do not know.
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    return made


# --- Filters ----------------------------------------------------------------------------------------------------------


def day(value: date | str, style: str = "long") -> str:
    """A calendar day, as in "25 November 2026"; takes a date, or in ISO form a day or a moment."""
    return str(format_date(_day_of(value), format=style, locale=_locale()))


def _day_of(value: date | str) -> date:
    if not isinstance(value, str):
        return value
    if "T" not in value:
        return date.fromisoformat(value)
    return clock.parse(value).astimezone(zones.current()).date()


def moment(value: datetime | str, zone: str | None = None, style: str = "medium") -> str:
    """A point in time in a zone, by default the reader's; takes an aware datetime or its RFC 3339 form."""
    parsed = clock.parse(value) if isinstance(value, str) else value
    told_in = ZoneInfo(zone) if zone else zones.current()
    return str(format_datetime(parsed, format=style, tzinfo=told_in, locale=_locale()))


def when(value: datetime | str, zone: str) -> str:
    """When to be somewhere, and whose clocks say so: "Tuesday, 3 March 2026, 10:00 (Europe/Berlin)"."""
    local = (clock.parse(value) if isinstance(value, str) else value).astimezone(ZoneInfo(zone))
    time = format_time(local, format="short", locale=_locale())
    return f"{day(local.date(), 'full')}, {time} ({zone.replace('_', ' ')})"


def ago(value: datetime | str) -> str:
    """How long ago, roughly, as in "3 hours ago"."""
    parsed = clock.parse(value) if isinstance(value, str) else value
    return str(format_timedelta(parsed - clock.now(), add_direction=True, locale=_locale()))


def number(value: float) -> str:
    """A number with the separators of the language."""
    return str(format_decimal(value, locale=_locale()))


def percent(value: float) -> str:
    """A share between 0 and 1 as a percentage."""
    return str(format_percent(value, locale=_locale()))


def country(code: str) -> str:
    """The name of a country by its two letters, in the current language; what is no country stays as it is."""
    return str(translation.current().locale.territories.get(code.upper(), code))


def initials(name: str) -> str:
    """One or two letters for the circle beside a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def _locale() -> Locale:
    return translation.current().locale


# --- Static files -----------------------------------------------------------------------------------------------------


def vendor() -> Mapping[str, Mapping[str, str]]:
    """The npm packages with their versions (``packages``), and which of their files we serve (``files``)."""
    loaded: Mapping[str, Mapping[str, str]] = json.loads((_STATIC / "vendor.json").read_text())
    return loaded


@cache
def _version(path: str) -> str:
    """What changes when the file does: its hash, or for npm files the version of the package."""
    name = path.removeprefix("vendor/")
    if name != path:
        listed = vendor()
        return listed["packages"][listed["files"][name].partition("/")[0]]
    return sha256((_STATIC / path).read_bytes()).hexdigest()[:12]


def static_url(path: str) -> str:
    """Address of a static file, which is new whenever its content is: ``/static/turnabout.css?v=1a2b3c4d5e6f``."""
    return f"/static/{path}?v={_version(path)}"


class Static(StaticFiles):
    """The chassis's static files, and below ``vendor/`` those of npm packages."""

    def __init__(self, vendor_dir: Path = DEFAULT_VENDOR_DIR) -> None:
        super().__init__(directory=_STATIC)
        self._vendor = StaticFiles(directory=vendor_dir.expanduser(), check_dir=False)
        self._vendor_files = vendor()["files"]

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept for a year when the address names this very version."""
        if (name := path.removeprefix("vendor/")) != path:
            if name not in self._vendor_files:
                raise HTTPException(404)
            response = await self._vendor.get_response(self._vendor_files[name], scope)
        else:
            response = await super().get_response(path, scope)
        current = f"v={_version(path)}".encode() == scope.get("query_string")
        response.headers["Cache-Control"] = _LONG if current else "no-cache"
        return response
