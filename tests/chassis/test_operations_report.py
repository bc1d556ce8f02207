"""What metrics say about a service's promises: each figure as its table judges it, and processes put together."""

import re
from pathlib import Path

import pytest
from chassis.web.operations_report import THRESHOLDS, Judgement, Process, Promise, report
from prometheus_client import REGISTRY

NOW = 1_000_000.0
GOOD, ATTENTION, BAD = Judgement
DAY = 86_400
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def scrape(instance: str = "matching-api-0", more: dict[str, str] | None = None, started: float = NOW - 3600) -> str:
    """The metrics of a process that is well, and some more, named without what all begin with."""
    lines = [
        f'turnabout_process_info{{instance="{instance}",service="matching",version="1.2.3"}} 1.0',
        f"turnabout_started_timestamp_seconds {started}",
        *(f'turnabout_waiting_for{{what="{what}"}} 0.0' for what in ("database", "broker", "topics", "access")),
        f'turnabout_answered_timestamp_seconds{{who="database"}} {NOW - 3}',
        f'turnabout_answered_timestamp_seconds{{who="broker"}} {NOW - 4}',
        *(f"turnabout_{name}{rest}" for name, rest in (more or {}).items()),
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("promise", "metrics", "expected"),
    [
        (Promise.LAG, {"consumer_lag_seconds": '{group="g"} 14.9'}, GOOD),
        (Promise.LAG, {"consumer_lag_seconds": '{group="g"} 15'}, ATTENTION),
        (Promise.LAG, {"consumer_lag_seconds": '{group="g"} 119'}, ATTENTION),
        (Promise.LAG, {"consumer_lag_seconds": '{group="g"} 120'}, BAD),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="opening"} 3'}, GOOD),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="fault"} 1'}, ATTENTION),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="breaker"} 1'}, BAD),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="failed"} 1'}, BAD),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="new"} 1'}, BAD),
        (Promise.PAUSED, {"consumer_paused": '{group="g",why="failed"} 0'}, GOOD),
        (Promise.DEAD_LETTERS, {"dead_letters": '{group="g",reason="bad-body"} 0'}, GOOD),
        (Promise.DEAD_LETTERS, {"dead_letters": '{group="g",reason="bad-body"} 1'}, ATTENTION),
        (Promise.PARKED, {"parked_keys": '{group="g"} 0'}, GOOD),
        (Promise.PARKED, {"parked_keys": '{group="g"} 2'}, ATTENTION),
        (Promise.PENDING, {"pending_oldest_seconds": '{collection="c"} 14'}, GOOD),
        (Promise.PENDING, {"pending_oldest_seconds": '{collection="c"} 15'}, ATTENTION),
        (Promise.PENDING, {"pending_oldest_seconds": '{collection="c"} 60'}, BAD),
        (Promise.WORK, {"work_failures_total": '{kind="send_mail"} 7'}, GOOD),
        (Promise.RELAY, {"relay_healed_total": " 7"}, GOOD),
    ],
)
def test_each_figure_is_judged_by_its_table(promise: Promise, metrics: dict[str, str], expected: Judgement) -> None:
    """From the threshold on and not before; of nothing, there is nothing to look at."""
    found = report({"a": scrape(more=metrics)}, NOW)

    assert found.of(promise) is expected
    assert found.judgement is expected


@pytest.mark.parametrize(
    ("promise", "metric", "age", "expected"),
    [
        (Promise.DEAD_LETTERS, "dead_letters", DAY - 1, ATTENTION),
        (Promise.DEAD_LETTERS, "dead_letters", DAY, BAD),
        (Promise.TIMERS, "timers", 59, GOOD),
        (Promise.TIMERS, "timers", 60, ATTENTION),
        (Promise.TIMERS, "timers", 600, BAD),
        (Promise.PARKED, "parked_keys", DAY, BAD),
    ],
)
def test_what_is_counted_is_judged_by_its_oldest(
    promise: Promise, metric: str, age: float, expected: Judgement
) -> None:
    """One that is old is worse than a hundred of this minute."""
    told = {
        "dead_letters": ("dead_letters", "dead_letters_oldest_seconds", '{group="g",reason="bad-body"}'),
        "parked_keys": ("parked_keys", "parked_keys_oldest_seconds", '{group="g"}'),
        "timers": ("timers_due", "timers_late_seconds", '{timer="c.due"}'),
    }
    count, oldest, labels = told[metric]
    found = report({"a": scrape(more={count: f"{labels} 2", oldest: f"{labels} {age}"})}, NOW)

    assert found.of(promise) is expected
    (figure,) = found.promises[promise]
    assert (figure.count, figure.seconds) == (2, age)


@pytest.mark.parametrize(("rested", "expected"), [(0, ATTENTION), (59, ATTENTION), (60, GOOD)])
def test_work_that_failed_lately_fails_now(rested: float, expected: Judgement) -> None:
    """It is tried every few seconds, so after a minute without a failure it was done."""
    labels = '{kind="send_mail"}'
    failing = {"work_failures_total": f"{labels} 7", "work_failed_timestamp_seconds": f"{labels} {NOW - rested}"}
    (figure,) = report({"a": scrape(more=failing)}, NOW).promises[Promise.WORK]

    assert (figure.subject, figure.count, figure.seconds, figure.judgement) == ("send_mail", 7, rested, expected)


def only(text: str | None, now: float = NOW) -> Process:
    """The one process."""
    (process,) = report({"http://127.0.0.1:8105": text}, now).processes
    return process


def test_a_process_that_is_well() -> None:
    """Its name, its version, since when, and when database and broker answered."""
    assert only(scrape()) == Process(
        instance="matching-api-0",
        judgement=GOOD,
        answers=True,
        version="1.2.3",
        started=NOW - 3600,
        answered={"database": 3, "broker": 4},
    )


@pytest.mark.parametrize("text", [None, "", "<html>no metrics</html>", "python_info 1.0\n"])
def test_a_process_that_does_not_answer_as_ours_do_is_bad(text: str | None) -> None:
    """It is told by its address, for nobody knows its name."""
    assert only(text) == Process(instance="127.0.0.1:8105", judgement=BAD)
    assert report({"a": text, "b": scrape()}, NOW).judgement is BAD


@pytest.mark.parametrize(("age", "expected"), [(10, ATTENTION), (59, ATTENTION), (60, BAD)])
def test_waiting_is_bad_once_it_takes_longer_than_a_start(age: float, expected: Judgement) -> None:
    """What it waits for is named."""
    text = scrape(started=NOW - age).replace('what="broker"} 0.0', 'what="broker"} 1.0')

    assert (only(text).waiting_for, only(text).judgement) == (("broker",), expected)


@pytest.mark.parametrize(("later", "expected"), [(15, GOOD), (16, ATTENTION), (56, BAD)])
def test_a_broker_that_answers_no_more_is_seen(later: float, expected: Judgement) -> None:
    """It answered four seconds before now; from then on the figures stand still, and that is told."""
    assert only(scrape(), NOW + later).judgement is expected


def test_what_each_process_sees_alike_is_not_counted_twice() -> None:
    """Letters, keys, timers are the service's; records before a group, pauses and failures are each process's own."""
    alike = {
        "dead_letters": '{group="g",reason="parked"} 4',
        "parked_keys": '{group="g"} 1',
        "timers_due": '{timer="c.due"} 3',
    }
    own = {
        "consumer_lag_seconds": '{group="g"} 2',
        "consumer_lag_records": '{group="g"} 5',
        "consumer_paused": '{group="g",why="fault"} 1',
        "work_failures_total": '{kind="k"} 2',
        "relay_published_total": " 10",
    }
    found = report({"a": scrape("a-0", alike | own), "b": scrape("a-1", alike | own)}, NOW).promises

    assert [figure.count for figure in found[Promise.DEAD_LETTERS]] == [4]
    assert [figure.count for figure in found[Promise.PARKED]] == [1]
    assert [figure.count for figure in found[Promise.TIMERS]] == [3]
    assert [(figure.count, figure.seconds) for figure in found[Promise.LAG]] == [(10, 2)]
    assert [figure.count for figure in found[Promise.PAUSED]] == [2]
    assert [figure.count for figure in found[Promise.WORK]] == [4]
    assert [figure.count for figure in found[Promise.RELAY]] == [20, 0]


def test_the_report_reads_metrics_that_there_are() -> None:
    """Each name that it looks for is one of the process's own."""
    source = Path(report.__code__.co_filename).read_text()
    read = set(re.findall(r'(?:by|one)\("(\w+)"', source)) | set(re.findall(r'heard\.one\("(\w+)"', source))
    there = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    there |= {family.name for family in REGISTRY.collect()} | {f"{family.name}_total" for family in REGISTRY.collect()}
    there |= {f"{family.name}_info" for family in REGISTRY.collect()}

    assert len(read) > 15
    assert {f"turnabout_{name}" for name in read} <= there


def test_the_documentation_holds_the_table() -> None:
    """What operators read about thresholds is what the code judges by."""
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) s \| (\d+) s \|", OPERATING.read_text(), re.MULTILINE)

    assert {name: (int(first), int(second)) for name, first, second in rows} == {
        str(name): (each.attention, each.bad) for name, each in THRESHOLDS.items()
    }
