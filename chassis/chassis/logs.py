"""Structured logs: JSON lines on stderr that can hold only what is on the allow-list.

The name of an entry is a constant (``relay.send-failed``); everything that varies goes into a field. A field that
is not in `ALLOWED` is left out and counted. An exception is logged as its type, where it was raised and, for a
validation error, the places that failed: never its message, which may quote what a person entered.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, cast

import structlog
from pydantic import ValidationError
from structlog.typing import FilteringBoundLogger, Processor

from chassis import clock, metrics, telemetry
from chassis.settings import Settings

ALLOWED: Final = frozenset(
    {
        # who speaks
        *("service", "instance", "role", "logger", "version", "environment"),
        # one trace from the click to the mail
        *("trace_id", "span_id"),
        # what it is about: opaque ids and constants only
        *("tenant", "document", "collection", "event_id", "event_type", "topic", "group", "partition", "offset"),
        *("sequence", "owner", "kind", "work", "timer", "command", "programme", "mentorship", "run", "thread", "key"),
        # what happened
        *("outcome", "reason", "status", "method", "route", "attempt", "limit", "index", "driver", "host", "port"),
        *("count", "rows", "bad_rows", "seconds", "milliseconds", "bytes", "age_seconds", "lag_seconds", "signal"),
        # what went wrong
        *("error", "cause", "frames", "places"),
    }
)
# Libraries whose log arguments are addresses, topics and counts. Of all others only the unformatted text is kept.
_TECHNICAL: Final = ("aiokafka", "uvicorn.error")
_SILENT: Final = ("uvicorn.access",)  # paths and queries; the HTTP metrics and spans have the route
_LONGEST: Final = 200
_FRAMES: Final = 8
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

Entry = MutableMapping[str, Any]


def get() -> FilteringBoundLogger:
    """The logger; usable at import time, since it looks up the configuration on its first use."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def configure(settings: Settings, service: str) -> None:
    """Send this process's logs, those of libraries included, to stderr as JSON lines."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    who = {"service": service, "instance": settings.instance}
    structlog.configure(
        processors=_processors(who),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # as it is then, which tests redirect
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_FromLibraries()], level=max(level, logging.INFO), force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _SILENT:
        logging.getLogger(name).disabled = True


def _processors(who: Mapping[str, str]) -> list[Processor]:
    def stamp(_logger: object, method: str, entry: Entry) -> Entry:
        return {"time": clock.real_timestamp(), "level": method, **who, **entry}

    return [
        structlog.contextvars.merge_contextvars,
        _describe_exception,
        _allow,
        _trace,
        stamp,
        structlog.processors.JSONRenderer(),
    ]


def _allow(_logger: object, _method: str, entry: Entry) -> Entry:
    kept: Entry = {"event": entry.pop("event", "")}
    for name, value in entry.items():
        if name in ALLOWED:
            kept[name] = _plain(value)
        else:
            metrics.FIELDS_DROPPED.labels("log").inc()
    return kept


def _plain(value: object) -> object:
    """Only what JSON has, and never much of it: an object's text could hold anything."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in list(value)[:_FRAMES]]
    return type(value).__name__


def _trace(_logger: object, _method: str, entry: Entry) -> Entry:
    if traceparent := telemetry.current_traceparent():
        _, entry["trace_id"], entry["span_id"], _ = traceparent.split("-")
    return entry


def _describe_exception(_logger: object, _method: str, entry: Entry) -> Entry:
    raised = entry.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        entry.update(describe(error))
    return entry


def describe(error: BaseException) -> dict[str, Any]:
    """What may be told about an exception: types and places in the code, nothing that anybody entered."""
    told: dict[str, Any] = {"error": type(error).__name__, "frames": _frames(error)}
    cause = error.__cause__ or error.__context__
    if cause is not None:
        told["cause"] = type(cause).__name__
    if isinstance(error, ValidationError):
        told["places"] = [
            f"{problem['type']} at {'.'.join(map(_place, problem['loc']))}"
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    return told


def _frames(error: BaseException) -> list[str]:
    stack = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack]


def _place(part: int | str) -> str:
    """A field's name. A key of somebody's own making is not one."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "?"


class _FromLibraries(logging.Handler):
    """Takes what libraries log through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        technical = record.name.startswith(_TECHNICAL)
        text = record.getMessage() if technical else str(record.msg)
        level = record.levelname.lower() if record.levelname != "CRITICAL" else "error"
        log = structlog.get_logger()
        getattr(log, level, log.info)(
            (text.splitlines() or [""])[0][:_LONGEST], logger=record.name, exc_info=record.exc_info
        )
