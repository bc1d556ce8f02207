"""The subscriber's page is enough: its code, taken from the page and nothing else, does what the page promises."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from chassis.broker import client_options
from contracts.access import Access
from contracts.topics import TOPICS, Audience
from guarded_broker import Guarded

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "subscribing.md").read_text()
MENTOR = "3f2b6c1e-8d4a-4c57-9b0e-5a1d7e9f2c33"
BOSS = "5d9e7a10-2c3b-4f68-a1d4-90ce6b7f8e25"
SHIP = "019abc20-2000-7000-8000-00000000cafe"


def code(name: str) -> dict[str, Any]:
    """One file of the page, executed."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no {name}"
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(found[1], name, "exec"), names)  # noqa: S102 - running the page's code is the test
    return names


consumer = code("consumer.py")
try_it = code("try.py")


def example(name: str, **changes: Any) -> SimpleNamespace:
    """A golden example as a record, loaded by the page's own code."""
    record: SimpleNamespace = try_it["example"](name, ROOT / "contracts" / "examples")
    for field, value in changes.items():
        setattr(record, field, value)
    return record


def with_header(record: SimpleNamespace, name: str, value: bytes) -> SimpleNamespace:
    """The same record with one header replaced."""
    record.headers = [(header, value if header == name else old) for header, old in record.headers]
    return record


@pytest.fixture
def database() -> Iterator[Connection]:
    """The page's database, empty."""
    opened: Connection = consumer["open_database"](":memory:")
    yield opened
    opened.close()


def receive(database: Connection, *records: SimpleNamespace) -> list[str]:
    """What the page's consumer makes of the records."""
    return [consumer["receive"](database, record) for record in records]


def mentorships(database: Connection) -> list[tuple[str, str]]:
    """The rows that the page's consumer keeps."""
    return database.execute("select id, status from mentorships").fetchall()


def test_it_follows_a_mentorship_from_proposal_to_end(database: Connection) -> None:
    """Proposed, half-accepted, accepted, running, and gone at the end; sessions are types that it doesn't know."""
    steps = ("match-proposed.v1.by-engine", "match-accepted.v1.first-yes", "match-accepted.v1.complete")
    seen = []
    for step in (*steps, "mentorship-started.v1.monthly"):
        receive(database, example(f"turnabout.matching.{step}"))
        seen += [status for _, status in mentorships(database)]
    assert seen == ["proposed", "half-accepted", "accepted", "running"]
    assert receive(database, example("turnabout.matching.session-logged.v1.held")) == ["ignored"]
    receive(database, example("turnabout.matching.mentorship-ended.v1.ended"))
    assert mentorships(database) == []


def test_twice_or_late_changes_nothing(database: Connection) -> None:
    """A repeated record and an older one are skipped, so a replay leaves the rows as they are."""
    proposed = example("turnabout.matching.match-proposed.v1.by-engine")
    complete = example("turnabout.matching.match-accepted.v1.complete")
    first = example("turnabout.matching.match-accepted.v1.first-yes")
    assert receive(database, proposed, complete, complete, first, proposed) == [
        "applied",
        "applied",
        "old",
        "old",
        "old",
    ]
    assert mentorships(database) == [(SHIP, "accepted")]


def test_sequences_are_compared_as_numbers(database: Connection) -> None:
    """10 comes after 9, although it would not as text."""
    proposed = with_header(example("turnabout.matching.match-proposed.v1.by-engine"), "ce_sequence", b"9")
    complete = with_header(example("turnabout.matching.match-accepted.v1.complete"), "ce_sequence", b"10")
    assert receive(database, proposed, complete) == ["applied", "applied"]


def test_a_tombstone_forgets_the_person(database: Connection) -> None:
    """After the erasure nothing that was held under the id is left, and a late profile doesn't bring it back."""
    profile = example("turnabout.profiles.profile-updated.v1.not-enrolled")
    receive(database, profile)
    assert database.execute("select id from members").fetchall() == [(BOSS,)]
    assert receive(database, example("turnabout.profiles.profile-removed.v1.erased"), profile) == ["applied", "old"]
    assert database.execute("select id from members").fetchall() == []


def test_it_copes_with_what_comes_later(database: Connection) -> None:
    """A new field and a new type within the major version don't stop it."""
    record = example("turnabout.matching.match-proposed.v1.by-engine")
    record.value = json.dumps({**json.loads(record.value), "colour": "green"}).encode()
    newer = with_header(
        example("turnabout.matching.match-closed.v1.closed"), "ce_type", b"turnabout.matching.mentorship-paused.v1"
    )
    assert receive(database, record, newer) == ["applied", "ignored"]
    assert mentorships(database) == [(SHIP, "proposed")]


@pytest.mark.parametrize(
    "changes",
    [{"headers": []}, {"value": b"{"}, {"key": None}, {"headers": [("ce_sequence", b"\xff")]}],
    ids=["no headers", "no JSON", "no key", "no UTF-8"],
)
def test_a_bad_record_is_set_aside(database: Connection, changes: dict[str, Any]) -> None:
    """What can't be read is remembered with its place, and the next record is handled."""
    bad = example("turnabout.matching.match-proposed.v1.by-engine", **changes)
    good = example("turnabout.matching.match-proposed.v1.by-engine", offset=1)
    assert receive(database, bad, good) == ["set-aside", "applied"]


def test_a_crash_between_effect_and_commit_leaves_neither_half(database: Connection) -> None:
    """When applying fails midway the sequence isn't kept, so the next delivery does it all."""
    broken = example("turnabout.matching.match-proposed.v1.by-engine")
    whole, broken.value = broken.value, b'{"mentor": "only half of it"}'
    with pytest.raises(KeyError):
        receive(database, broken)
    broken.value = whole
    assert receive(database, broken) == ["applied"]


@pytest.mark.connected
async def test_the_whole_of_it_runs_as_a_subscriber(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the principal that an outside system is granted, against a broker that refuses everything else."""
    subscriber = await guarded.let_in("page-reader", Access().subscriber("page-reader"))
    assert subscriber.kafka_password
    record = example("turnabout.matching.match-proposed.v1.by-engine")
    async with AIOKafkaProducer(**client_options(guarded.settings("matching"))) as producer:
        await producer.send_and_wait(record.topic, key=record.key, value=record.value, headers=record.headers)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAFKA_PASSWORD", subscriber.kafka_password.get_secret_value())
    running = asyncio.create_task(consumer["main"]("page-reader.mentorships", subscriber.kafka))
    try:
        async with asyncio.timeout(30):
            while (SHIP, "proposed") not in kept(tmp_path):
                assert not running.done(), running.exception()
                await asyncio.sleep(0.1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def kept(folder: Path) -> list[tuple[str, str]]:
    """The rows of the page's own database file, once it has its tables."""
    opened: Connection = consumer["open_database"](folder / "mentorships.db")
    try:
        return mentorships(opened)
    finally:
        opened.close()


def test_the_page_names_each_outside_topic_and_no_other() -> None:
    """The table of topics is what outside principals are really granted."""
    table = set(re.findall(r"^\| `([a-z.\-0-9]+)` \|", PAGE, re.MULTILINE))
    assert table == {topic.name for topic in TOPICS if topic.audience is Audience.OUTSIDE}
