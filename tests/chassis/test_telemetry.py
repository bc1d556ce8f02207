"""One trace, through stored strings, into one file, with nothing personal in it."""

import ast
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chassis.settings import Settings
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY

from chassis import metrics, telemetry

ROOT = Path(__file__).parents[2]
STORED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CANARY = "canary@example.org"
Spans = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def spans(tmp_path: Path) -> Iterator[Spans]:
    """The exported spans so far."""
    path = tmp_path / "deep" / "spans.jsonl"
    telemetry.start(Settings(instance="sample-0", spans_file=path), "sample")
    yield lambda: [json.loads(line) for line in path.read_text().splitlines()]
    telemetry.stop()


def test_a_finished_span_is_one_line(spans: Spans) -> None:
    """Name, service, ids, kind, attributes, start and end, as soon as the span is over."""
    with telemetry.span("work send-mail", kind="client", attributes={"tenant": "demo", "attempt": 2}):
        assert spans() == []
    (line,) = spans()
    assert re.fullmatch("[0-9a-f]{32}", line["trace_id"])
    assert re.fullmatch("[0-9a-f]{16}", line["span_id"])
    assert line["start"] <= line["end"]
    assert {name: line[name] for name in ("name", "service", "instance", "kind", "parent_span_id", "error")} == {
        "name": "work send-mail",
        "service": "sample",
        "instance": "sample-0",
        "kind": "client",
        "parent_span_id": None,
        "error": None,
    }
    assert line["attributes"] == {"tenant": "demo", "attempt": 2}


def test_a_trace_is_taken_up_from_a_stored_string(spans: Spans) -> None:
    """What a document kept for hours goes on in the trace of the click, and is handed on to what it causes."""
    with telemetry.span("command accept", parent=STORED):
        carried = telemetry.current_traceparent()
    with telemetry.span("work reserve-places", parent=carried, kind=SpanKind.CONSUMER):
        pass
    first, second = spans()
    assert first["trace_id"] == second["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert first["parent_span_id"] == "00f067aa0ba902b7"
    assert second["parent_span_id"] == first["span_id"]
    assert second["kind"] == "consumer"


def test_spans_nest_by_themselves(spans: Spans) -> None:
    """Without a parent of its own a span belongs to the one around it."""
    with telemetry.span("http GET /inbox", kind="server"), telemetry.span("command read"):
        pass
    inner, outer = spans()
    assert inner["parent_span_id"] == outer["span_id"]


def test_a_batch_is_linked_to_what_led_to_it(spans: Spans) -> None:
    """Links keep the way back; what is no trace context is passed over."""
    with telemetry.span("analytics.rows batch", links=[STORED, None, "nonsense", ""]):
        pass
    assert spans()[0]["links"] == [{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}]


@pytest.mark.parametrize("bad", ["nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff" + STORED[2:]])
def test_a_bad_parent_begins_a_new_trace(spans: Spans, bad: str) -> None:
    """Somebody else's broken header is no reason to fail."""
    with telemetry.span("work sample", parent=bad):
        pass
    assert spans()[0]["parent_span_id"] is None


def test_a_failed_span_tells_the_type_only(spans: Spans) -> None:
    """The exception goes on to its caller, and its text isn't exported."""
    with pytest.raises(ValueError, match=CANARY), telemetry.span("work sample"):
        raise ValueError(CANARY)
    (line,) = spans()
    assert line["error"] == "ValueError"
    assert CANARY not in json.dumps(line)


def test_attributes_come_from_the_closed_list(spans: Spans) -> None:
    """Others are left out and counted, now or later in the span's life; long text is cut."""
    counted = metrics.FIELDS_DROPPED.labels("span")._value.get()
    with telemetry.span("work sample", attributes={"email": CANARY, "reason": "x" * 500, "thread": None}):
        telemetry.annotate(event__type="turnabout.matching.match-closed.v1", query=CANARY)
    (line,) = spans()
    assert line["attributes"] == {"reason": "x" * 200, "event.type": "turnabout.matching.match-closed.v1"}
    assert metrics.FIELDS_DROPPED.labels("span")._value.get() == counted + 2


def test_a_process_that_exports_nothing_hands_a_stored_trace_on() -> None:
    """A service without an exporter, or a one-off command, doesn't cut the trace; spans inside belong to it."""
    telemetry.start(Settings(), "sample")
    assert telemetry.current_traceparent() is None
    with telemetry.span("work sample", parent=STORED), telemetry.span("command accept"):
        assert telemetry.current_traceparent() == STORED
    assert telemetry.current_traceparent() is None


@pytest.mark.parametrize("bad", [None, "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff" + STORED[2:]])
def test_a_process_that_exports_nothing_begins_traces_marked_as_not_recorded(bad: str | None) -> None:
    """Logs and events of a click belong together anyway, and nobody's broken header is stored or sent on."""
    telemetry.start(Settings(), "sample")
    with telemetry.span("http GET /inbox", parent=bad):
        begun = telemetry.current_traceparent()
        with telemetry.span("command read"):
            assert telemetry.current_traceparent() == begun
    assert begun is not None
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", begun)


def test_two_services_can_share_the_file(tmp_path: Path) -> None:
    """Each line stays whole."""
    path = tmp_path / "spans.jsonl"
    services = ["profiles", "matching", "profiles"]
    for service in services:
        telemetry.start(Settings(spans_file=path), service)
        with telemetry.span("work sample"):
            pass
        telemetry.stop()
    assert [json.loads(line)["service"] for line in path.read_text().splitlines()] == [
        "profiles",
        "matching",
        "profiles",
    ]


_DIES_AFTER_A_SPAN = """
import os, signal, sys
from pathlib import Path
from chassis import telemetry
from chassis.settings import Settings

telemetry.start(Settings(spans_file=Path(sys.argv[1])), "sample")
with telemetry.span("work sample"):
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_has_written_its_finished_spans(tmp_path: Path) -> None:
    """A trace that ends in a crash shows how far it got."""
    path = tmp_path / "spans.jsonl"
    died = subprocess.run([sys.executable, "-c", _DIES_AFTER_A_SPAN, str(path)], check=False, timeout=90)
    assert died.returncode == -signal.SIGKILL
    assert json.loads(path.read_text())["name"] == "work sample"


def test_every_span_in_the_code_has_one_of_the_known_forms() -> None:
    """Names are a closed list, so a dashboard can rely on them."""
    forms = [re.compile(re.sub(r"<[^>]+>", "[^ ]+", form.replace(".", r"\."))) for form in telemetry.SPANS]
    used = {name for path in _sources() for name in _span_names(path)}
    assert used
    assert [name for name in used if not any(form.fullmatch(name) for form in forms)] == []


def test_every_metric_is_ours_and_has_few_labels() -> None:
    """Label names are the closed ones: an id as a label would be one time series a person."""
    labels = {"why", "method", "route", "status", "command", "outcome", "group", "kind", "collection", "where"}
    labels |= {"what", "who", "reason", "timer"}
    ours = [item for item in vars(metrics).values() if hasattr(item, "_labelnames")]
    assert len(ours) >= 13
    for metric in ours:
        assert set(metric._labelnames) <= labels, metric
        assert metric._name.startswith("turnabout_")
    assert len(REGISTRY._names_to_collectors) > len(ours)


def test_every_metric_is_declared_in_one_place() -> None:
    """Another module that makes a metric would escape the manual."""
    made = re.compile(r"\b(Counter|Gauge|Histogram|Info|Summary)\(\s*\"")
    outside = [path.name for path in _sources() if path.name != "metrics.py" and made.search(path.read_text())]
    assert outside == []


def _sources() -> list[Path]:
    return [*(ROOT / "chassis" / "chassis").rglob("*.py"), *(ROOT / "services").rglob("*.py")]


def _span_names(path: Path) -> list[str]:
    """First arguments of calls of `span`; what is computed stands as X."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in {"telemetry.span", "span"}):
            continue
        match node.args[0]:
            case ast.Constant(value=str(name)):
                found.append(name)
            case ast.JoinedStr(values=parts):
                found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts))
    return found
