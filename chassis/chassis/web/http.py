"""The edge of every service: one FastAPI factory with problems, origin check, limits, headers and languages in place.

    api = make_api("matching", settings=settings)
    api.include_router(router)

A body may have a mebibyte; a route that takes more says so:

    @router.post("/import")
    @body_limit(64 * MEBIBYTE)
    async def import_roster(...): ...
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, FastAPI, Header, Request, Response
from starlette.middleware import Middleware

from chassis.errors import InvalidError
from chassis.translation import Catalogues
from chassis.translation import gettext as _
from chassis.web import identity, pages, problems
from chassis.web.edge import (
    BODY_LIMIT_ATTRIBUTE,
    AccessTrace,
    Admission,
    BodyLimit,
    LanguageChoice,
    OriginCheck,
    SecurityHeaders,
    secure,
    speaking_to,
)
from chassis.web.identity import IdentitySettings

Route = TypeVar("Route", bound=Callable[..., Any])

MEBIBYTE: Final = 1024 * 1024
MOST_COMMANDS: Final = 64
VENDOR_VARIABLE: Final = "TURNABOUT_VENDOR_DIR"
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{8,128}")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def make_api(
    title: str,
    *,
    settings: IdentitySettings | None = None,
    catalogues: Catalogues | None = None,
    most_commands: int = MOST_COMMANDS,
) -> FastAPI:
    """The FastAPI application of one service.

    Args:
        title: the service's name, which is also the package that holds its catalogues.
        settings: where tokens come from; without it, call `identity.install` before the first request.
        catalogues: languages to speak, by default those of the chassis and of the service.
        most_commands: how many commands may run at once before further ones are refused with 503.
    """
    spoken = catalogues or _catalogues_of(title)
    api = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"/api/{title}/v1/openapi.json",
        middleware=[
            Middleware(AccessTrace),
            Middleware(SecurityHeaders),
            Middleware(LanguageChoice, catalogues=spoken),
            Middleware(OriginCheck, public_url=settings.public_url if settings else None),
            Middleware(BodyLimit, most_bytes=MEBIBYTE),
            Middleware(Admission, most_commands=most_commands),
        ],
    )
    for error, handler in problems.HANDLERS.items():
        api.add_exception_handler(error, handler)
    api.add_exception_handler(Exception, _failing_in(spoken))
    vendor_dir = os.environ.get(VENDOR_VARIABLE)
    api.mount("/static", pages.Static(Path(vendor_dir) if vendor_dir else pages.DEFAULT_VENDOR_DIR), name="static")
    if settings is not None:
        identity.install(api, settings)
    return api


def _failing_in(catalogues: Catalogues) -> problems.Handler:
    """A bug is answered outside the middleware, so its language is chosen and its headers are put in here."""

    async def failed(request: Request, error: Exception) -> Response:
        with speaking_to(request, catalogues):
            response = await problems.failed(request, error)
        secure(response.headers)
        return response

    return failed


def _catalogues_of(title: str) -> Catalogues:
    try:
        return Catalogues.of(title, "chassis")
    except ModuleNotFoundError:
        return Catalogues.of("chassis")


def body_limit(most_bytes: int) -> Callable[[Route], Route]:
    """Let a route take bodies of up to this size; stands below the router's decorator."""

    def mark(route: Route) -> Route:
        setattr(route, BODY_LIMIT_ATTRIBUTE, most_bytes)
        return route

    return mark


async def _field(request: Request, name: str) -> str | None:
    """One field of a form, if the request is a form."""
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return None
    value = (await request.form()).get(name)
    return value if isinstance(value, str) and value else None


async def idempotency_key(
    request: Request,
    header: Annotated[
        str | None, Header(alias="Idempotency-Key", description="A new random value for each command.")
    ] = None,
) -> str:
    """The key by which a repeated command is recognised: the header, or the form's hidden field.

    Raises:
        InvalidError: it is missing or malformed.
    """
    key = header or await _field(request, "idempotency_key")
    if key is None:
        raise InvalidError(_("Send an Idempotency-Key header with a new random value for each command."))
    # The IETF draft writes the header as a quoted string.
    key = key.strip().strip('"')
    if not _KEY.fullmatch(key):
        raise InvalidError(
            _("The Idempotency-Key must be 8 to 128 letters, digits, dots, colons, dashes or underscores.")
        )
    return key


async def if_match(
    request: Request,
    header: Annotated[str | None, Header(alias="If-Match", description="The ETag that the edit is based on.")] = None,
) -> str | None:
    """The version that an edit is based on, from the header or the form's hidden field; None when not given."""
    tag = header or await _field(request, "if_match")
    if tag is None or tag.strip() == "*":
        return None
    return tag.strip().removeprefix("W/").strip('"') or None


IdempotencyKey = Annotated[str, Depends(idempotency_key)]
IfMatch = Annotated[str | None, Depends(if_match)]


def set_etag(response: Response, etag: str) -> None:
    """Tell the client the version that it has just read."""
    response.headers["ETag"] = f'"{etag}"'
