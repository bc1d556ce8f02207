"""Logs hold what is on the allow-list, and nothing that a person entered."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from chassis.settings import Settings
from pydantic import BaseModel

from chassis import logs, metrics, telemetry

CANARY = "canary@example.org"
Lines = Callable[[], list[dict[str, Any]]]


class Person(BaseModel):
    """Something with input to be refused."""

    age: int
    extras: dict[str, int] = {}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """The log lines since the last look."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure(Settings(instance="sample-0"), "sample")
    telemetry.start(Settings(), "sample")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    telemetry.stop()
    structlog.reset_defaults()
    root.handlers[:], root.level = before
    logging.getLogger("uvicorn.access").disabled = False


def test_a_line_says_who_when_and_what(lines: Lines) -> None:
    """One JSON object a line, with service and instance on each."""
    logs.get().info("relay.adopted", owner="matching-1", count=3)
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "service": "sample",
        "instance": "sample-0",
        "event": "relay.adopted",
        "owner": "matching-1",
        "count": 3,
    }


def test_a_field_that_is_not_allowed_is_left_out_and_counted(lines: Lines) -> None:
    """The line stands, the value doesn't, and the counter tells that somebody should look."""
    counted = metrics.FIELDS_DROPPED.labels("log")._value.get()
    logs.get().warning("member.saved", email=CANARY, tenant="demo")
    (line,) = lines()
    assert line["tenant"] == "demo"
    assert CANARY not in str(line)
    assert metrics.FIELDS_DROPPED.labels("log")._value.get() == counted + 1


def test_an_allowed_field_can_not_smuggle_an_object(lines: Lines) -> None:
    """Objects are told by type, long text and long lists are cut."""
    logs.get().info("a.b", kind=Person(age=1), reason="x" * 500, places=list(range(50)), error=ValueError(CANARY))
    (line,) = lines()
    assert (line["kind"], line["error"], len(line["reason"]), len(line["places"])) == ("Person", "ValueError", 200, 8)
    assert CANARY not in str(line)


def _fail() -> None:
    try:
        os.environ[CANARY]
    except KeyError as cause:
        raise ValueError(f"no such member: {CANARY}") from cause


def test_an_exception_is_told_by_type_and_place(lines: Lines) -> None:
    """Neither its message nor that of its cause is logged."""
    try:
        _fail()
    except ValueError:
        logs.get().exception("member.failed")
    (line,) = lines()
    assert (line["level"], line["error"], line["cause"]) == ("error", "ValueError", "KeyError")
    assert line["frames"][-1].startswith("test_logs.py:")
    assert line["frames"][-1].endswith(" _fail")
    assert CANARY not in str(line)


def test_a_validation_error_is_told_by_type_and_location(lines: Lines) -> None:
    """What was entered, and keys of people's own making, stay out."""
    try:
        Person.model_validate({"age": CANARY, "extras": {CANARY: "many"}})
    except ValueError as error:
        logs.get().error("body.refused", exc_info=error)
    (line,) = lines()
    assert line["places"] == ["int_parsing at age", "int_parsing at extras.?"]
    assert CANARY not in str(line)


def test_lines_within_a_span_name_the_trace(lines: Lines) -> None:
    """From a line one finds the trace, and from the trace the click."""
    with telemetry.span("command sample"):
        logs.get().info("inside.span")
        traceparent = telemetry.current_traceparent()
    logs.get().info("outside.span")
    inside, outside = lines()
    assert traceparent is not None
    assert [inside["trace_id"], inside["span_id"]] == traceparent.split("-")[1:3]
    assert "trace_id" not in outside


def test_libraries_speak_through_the_same_door(lines: Lines) -> None:
    """Only the unformatted text of a library's line is kept, except of those whose arguments are technical."""
    logging.getLogger("some.library").warning("cannot greet %s", CANARY)
    logging.getLogger("aiokafka.consumer").warning("topic %s not found", "matching.mentorship.v1")
    logging.getLogger("some.library").debug("chatter")
    first, second = lines()
    assert (first["event"], first["logger"], first["level"]) == ("cannot greet %s", "some.library", "warning")
    assert second["event"] == "topic matching.mentorship.v1 not found"


def test_access_logs_are_silent(lines: Lines) -> None:
    """Paths and queries hold ids and tokens; the metrics know the route."""
    logging.getLogger("uvicorn.access").info('%s - "%s %s"', "1.2.3.4", "GET", f"/signed-in?code={CANARY}")
    assert lines() == []


def test_a_forgotten_task_does_not_tell_its_secret(lines: Lines) -> None:
    """The event loop reports what nobody fetched with its text; only the first line and the type get through."""
    loop = asyncio.new_event_loop()
    try:
        _fail()
    except ValueError as error:
        loop.default_exception_handler({"message": "Task exception was never retrieved", "exception": error})
    loop.close()
    (line,) = lines()
    assert (line["event"], line["error"]) == ("Task exception was never retrieved", "ValueError")
    assert CANARY not in str(line)
