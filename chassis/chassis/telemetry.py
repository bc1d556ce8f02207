"""Traces: one from the click to the mail, through documents, relay and bus.

A trace crosses time as a W3C ``traceparent`` string: stored with what a document owes, sent in the record's header,
and taken up again with ``span(..., parent=...)``. Attributes come from a closed list, and a failed span tells the
type of the exception only, so spans never hold what people entered.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Link, NoOpTracerProvider, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import clock, metrics
from chassis.settings import Settings

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool

SPANS: Final = (
    "http <METHOD>",  # answering a request, until its route is known
    "http <METHOD> <route>",  # answering a request; the route's template, never the path
    "call <service> <purpose>",  # asking another service or the identity provider
    "command <name>",  # one compare-and-set on one document, with its retries
    "relay.publish",  # sending what one document owes to the broker
    "<group> batch",  # one batch of records, for handlers that take batches
    "<group> <stream>",  # one record, in the trace of what caused it
    "work <kind>",  # one piece of pending work, in the trace of what asked for it
    "timer <name>",  # one document whose time came
    "mail <kind>",  # handing one mail to the mail server
    "run <step>",  # a step of a matching run
    "import <step>",  # a step of a roster import
    "report <name>",  # building one report
)
"""The forms of span names; what stands in angle brackets is a constant of the code, never an id."""

ATTRIBUTES: Final = frozenset(
    {
        *("http.method", "http.route", "http.status"),
        *("topic", "group", "partition", "event.type", "event.id", "sequence", "outcome", "count", "attempt"),
        *("tenant", "document", "collection", "command", "work", "timer", "kind"),
        *("programme", "run", "mentorship", "thread", "notice"),
        *("service", "purpose", "reason"),
    }
)
_LONGEST: Final = 200
_TRACER: Final = "turnabout"
_propagator = TraceContextTextMapPropagator()
_handed_on: ContextVar[str | None] = ContextVar("traceparent", default=None)  # where no spans are recorded
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context


class _Running:
    """The provider of this process; without one, spans cost nothing and their traces go on all the same."""

    provider: TracerProvider | None = None
    tracer: Tracer = NoOpTracerProvider().get_tracer(_TRACER)


def start(settings: Settings, service: str) -> None:
    """Begin to record spans, if the settings name somewhere to export them to."""
    stop()
    if settings.spans_file is None and settings.otlp_endpoint is None:
        return
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.instance.id": settings.instance}),
        shutdown_on_exit=False,
    )
    if settings.spans_file is not None:
        provider.add_span_processor(SimpleSpanProcessor(SpansFile(settings.spans_file)))
    if settings.otlp_endpoint is not None:
        provider.add_span_processor(BatchSpanProcessor(_otlp(settings.otlp_endpoint)))
    _Running.provider, _Running.tracer = provider, provider.get_tracer(_TRACER)


def stop() -> None:
    """Send what is left and stop recording."""
    provider = _Running.provider
    _Running.provider, _Running.tracer = None, NoOpTracerProvider().get_tracer(_TRACER)
    if provider is not None:
        provider.shutdown()


def _otlp(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - 15 MB that few need
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")


def tracer() -> Tracer:
    """The tracer of this process."""
    return _Running.tracer


def current_traceparent() -> str | None:
    """The current span as a ``traceparent`` string, to be logged, stored or sent; None outside any trace."""
    if _Running.provider is None:
        return _handed_on.get()
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def span(
    name: str,
    *,
    kind: Kind | SpanKind = "internal",
    parent: str | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, Value | None] | None = None,
) -> AbstractContextManager[Span]:
    """Record the block as one span; where none are recorded, it still belongs to a trace.

    Args:
        name: one of the forms in `SPANS`, filled with constants of the code.
        kind: which side of a conversation it is.
        parent: a stored ``traceparent``; without one the span belongs to the current one, if any.
        links: stored ``traceparent`` strings of what else led here, as for a batch.
        attributes: facts about it; only names in `ATTRIBUTES` are kept.

    Returns:
        A context with the span; use `annotate` to add attributes that are known later.
    """
    if _Running.provider is None:
        return _Unrecorded(parent)
    return _recorded(name, kind, parent, links, attributes or {})


class _Unrecorded(AbstractContextManager[Span]):
    """A span of a process that records none: it surrounds every record, so it must cost nothing.

    Logs and events carry a trace nevertheless: the stored one, the one around it, or a new one marked as not recorded.
    """

    __slots__ = ("_before", "_parent")

    def __init__(self, parent: str | None) -> None:
        self._parent = parent

    def __enter__(self) -> Span:
        handed_on = self._parent if self._parent and _TRACEPARENT.fullmatch(self._parent) else None
        if handed_on is None and (self._parent is not None or _handed_on.get() is None):
            handed_on = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"
        self._before = None if handed_on is None else _handed_on.set(handed_on)
        return trace.INVALID_SPAN

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _handed_on.reset(self._before)


@contextmanager
def _recorded(
    name: str,
    kind: Kind | SpanKind,
    parent: str | None,
    links: Iterable[str | None],
    attributes: Mapping[str, Value | None],
) -> Iterator[Span]:
    with tracer().start_as_current_span(
        name,
        context=_context(parent) if parent else None,
        kind=kind if isinstance(kind, SpanKind) else SpanKind[kind.upper()],
        attributes=_allowed(attributes),
        links=[link for text in links if text and (link := _link(text)) is not None],
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        try:
            yield started
        except BaseException as error:
            started.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def annotate(**attributes: Value | None) -> None:
    """Add facts to the current span; a double underscore stands for the dot in a name."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    trace.get_current_span().set_attributes(_allowed(named))


def _context(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent}, Context())


def _link(traceparent: str) -> Link | None:
    context = trace.get_current_span(_context(traceparent)).get_span_context()
    return Link(context) if context.is_valid else None


def _allowed(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            metrics.FIELDS_DROPPED.labels("span").inc()
        elif value is not None:
            kept[name] = value[:_LONGEST] if isinstance(value, str) else value
    return kept


class SpansFile(SpanExporter):
    """Appends each finished span to a file at once, one JSON object a line, so that even kill -9 loses none of them.

    Several processes may share the file: a line is one append.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans; a full disk loses them and nothing else."""
        try:
            for finished in spans:
                os.write(self._file, json.dumps(_line(finished)).encode() + b"\n")
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        os.close(self._file)


def _line(finished: ReadableSpan) -> dict[str, object]:
    context, parent = finished.get_span_context(), finished.parent
    return {
        "name": finished.name,
        "service": finished.resource.attributes.get("service.name"),
        "instance": finished.resource.attributes.get("service.instance.id"),
        "trace_id": trace.format_trace_id(context.trace_id) if context else None,
        "span_id": trace.format_span_id(context.span_id) if context else None,
        "parent_span_id": trace.format_span_id(parent.span_id) if parent else None,
        "kind": finished.kind.name.lower(),
        "links": [
            {
                "trace_id": trace.format_trace_id(link.context.trace_id),
                "span_id": trace.format_span_id(link.context.span_id),
            }
            for link in finished.links
        ],
        "attributes": dict(finished.attributes or {}),
        "error": finished.status.description if finished.status.status_code is StatusCode.ERROR else None,
        "start": clock.from_unix_ns(finished.start_time or 0),
        "end": clock.from_unix_ns(finished.end_time or 0),
    }
