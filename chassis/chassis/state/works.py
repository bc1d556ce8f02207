"""Pending work: effects on other documents or on the outside, done after the commit that asked for them."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from chassis import clock, logs, metrics, telemetry
from chassis.errors import TransientError
from chassis.state.outbox import Work

S = TypeVar("S")
WorkHandler = Callable[[Work, S], Awaitable[None]]
log = logs.get()


class Works(Generic[S]):
    """The table of pending work: kind → handler."""

    def __init__(self) -> None:
        self.handlers: dict[str, WorkHandler[S]] = {}

    def on(self, kind: str) -> Callable[[WorkHandler[S]], WorkHandler[S]]:
        """Register the handler of one kind of work; it must be idempotent."""

        def register(handler: WorkHandler[S]) -> WorkHandler[S]:
            self.handlers[kind] = handler
            return handler

        return register

    async def attempt(self, work: Work, store: Any) -> bool:
        """Do one piece of work inside the trace that asked for it; False when it has to be tried again."""
        handler = self.handlers.get(work.kind)
        if handler is None:
            log.error("work.unknown", kind=work.kind)  # an older replica meets a newer one's work: that one does it
            return _failed("unknown")
        try:
            with telemetry.span(f"work {work.kind}", parent=work.traceparent):
                await handler(work, store)
        except TransientError as error:
            log.warning("work.waiting", kind=work.kind, error=error)
        except Exception as error:  # a handler's bug must neither lose the work nor stop other work
            log.exception("work.failed", kind=work.kind, error=type(error).__name__)
        else:
            return True
        return _failed(work.kind)


def _failed(kind: str) -> bool:
    metrics.WORK_FAILURES.labels(kind=kind).inc()
    metrics.WORK_FAILED.labels(kind=kind).set(clock.real_ms() / 1000)
    return False
