"""`turnabout` against a real broker with access control, as its operators, and the database of one service.

That service is the only one that heard anything.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from aiokafka import AIOKafkaProducer
from chassis.broker import client_options
from chassis.consuming.dead_letters import DeadLetters
from chassis.consuming.outcomes import DeadLetter
from chassis.consuming.parking import Parking
from chassis.ids import new_id
from chassis.publishing.producer import Producer
from chassis.settings import Settings
from chassis.state.mongo import Database, connect
from contracts.access import OPERATORS
from contracts.matching import MatchClosed, MatchProposed
from contracts.topics import MENTORSHIP
from guarded_broker import Guarded
from topic_records import said
from typer.testing import CliRunner

from operations import asking, cli

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]

TENANT = "demo"
GROUP = "notifications.threads"
Turnabout = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def settings(guarded: Guarded, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Databases of this test alone, named in the environment as a running process has it."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    kafka = guarded.settings(OPERATORS).kafka
    where = {"TURNABOUT_KAFKA": kafka, "TURNABOUT_MONGO": database, "TURNABOUT_DATABASE_PREFIX": prefix}
    for name, value in (where | guarded.users.of_operators()).items():
        monkeypatch.setenv(name, value)
    yield Settings(instance="notifications-0")
    logging.disable(logging.NOTSET)  # the commands silence libraries for their process, which is this one here


@pytest.fixture
def turnabout(settings: Settings) -> Turnabout:
    """Runs one command; returns its exit code and what it printed."""
    assert settings.kafka

    async def run(*arguments: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


async def two_dead_facts(settings: Settings, database: Database) -> tuple[str, list[str]]:
    """A proposal that notifications could not handle, and its closing behind it: the key and the events' ids."""
    key = new_id()
    proposed = MatchProposed.model_validate(example("match-proposed.v1.by-engine") | {"mentorship": key})
    facts = [said(proposed, key, 1, TENANT), said(MatchClosed(mentorship=key), key, 2, TENANT)]
    kafka = AIOKafkaProducer(**client_options(asking.acting_as(settings, "matching")))
    producer = Producer(asking.acting_as(settings, "notifications"))
    letters = DeadLetters(producer, database.collection("settled_letters"))
    parking = Parking(database.collection("parked_keys"), GROUP)
    await kafka.start()
    try:
        for fact, why in zip(
            facts, (DeadLetter("handler-failed", "KeyError", 3), DeadLetter("parked", "", 0)), strict=True
        ):
            stands = await kafka.send_and_wait(MENTORSHIP.name, **fact)
            record = Sent(stands.topic, stands.partition, stands.offset, stands.timestamp, **fact)
            await letters.bury(record, GROUP, why)
            if why.reason != "parked":
                await parking.park(MENTORSHIP, record, why.reason)
    finally:
        await kafka.stop()
        await producer.stop()
    return key, [dict(fact["headers"])["ce_id"].decode() for fact in facts]


class Sent:
    """A record as a consumer gets it."""

    def __init__(self, topic: str, partition: int, offset: int, timestamp: int, **fact: Any) -> None:
        self.topic, self.partition, self.offset, self.timestamp = topic, partition, offset, timestamp
        self.key: bytes = fact["key"]
        self.value: bytes = fact["value"]
        self.headers: list[tuple[str, bytes | None]] = fact["headers"]


def example(name: str) -> dict[str, Any]:
    """The body of one of the contract's examples."""
    file = Path(__file__).parents[2] / "contracts" / "examples" / f"turnabout.matching.{name}.json"
    body: dict[str, Any] = json.loads(file.read_text())["body"]
    return body


async def test_from_a_dead_letter_to_its_effect(settings: Settings, turnabout: Turnabout) -> None:
    """An operator finds why a fact had no effect, looks, tries dry, redrives by the service's own code, and sees it."""
    async with connect(settings, "notifications") as database:
        key, (proposed, closed) = await two_dead_facts(settings, database)

        code, text = await turnabout("why", proposed)
        assert code == 0, text
        assert f"key {key}, turnabout.matching.match-proposed.v1, sequence 1" in text
        assert "notifications.threads" in text
        assert "handler-failed: KeyError" in text
        code, text = await turnabout("why", closed, "--json")
        fates = {group["group"]: group["fate"] for answer in json.loads(text)["services"] for group in answer["groups"]}
        assert fates == {"notifications.threads": "parked"}

        code, text = await turnabout("parked")
        assert (code, key in text) == (0, True)
        code, text = await turnabout("dead", "list", "--group", "threads", "--key", key, "--json")
        (answer,) = json.loads(text)["services"]
        assert [letter["reason"] for letter in answer["letters"]] == ["handler-failed", "parked"]
        code, text = await turnabout("dead", "show", "--place", answer["letters"][0]["place"])
        assert f"ce_id: {proposed}" in text
        assert "ai-tools" not in text

        code, text = await turnabout("dead", "redrive", "--key", key)
        assert "This would hand 2 letters to the handlers again" in text
        assert "Nothing is done yet: add --yes." in text
        assert await database.collection("threads").find_one(TENANT, {"_id": key}) is None

        code, text = await turnabout("dead", "redrive", "--key", key, "--yes")
        assert (code, text) == (0, "2 letters handled, 1 key released.\n")
        thread = await database.collection("threads").find_one(TENANT, {"_id": key})
        assert thread is not None
        assert thread["fences"] == {f"mentorship:{key}": 2}

        code, text = await turnabout("why", closed)
        assert "redriven" in text
        code, text = await turnabout("dead", "list", "--key", key)
        assert (code, text) == (0, "There are no dead letters that nobody has dealt with.\n")


async def test_a_discard_is_said_before_it_is_done(settings: Settings, turnabout: Turnabout) -> None:
    """Dry it changes nothing; with --yes both letters are gone and the key is free."""
    async with connect(settings, "notifications") as database:
        key, (proposed, _) = await two_dead_facts(settings, database)
        code, text = await turnabout("dead", "discard", "--key", key, "--parked")
        assert "This would give up 2 letters" in text
        assert "Nothing is done yet" in text
        code, text = await turnabout("dead", "discard", "--key", key, "--parked", "--yes")
        assert (code, text.splitlines()[0]) == (0, "2 letters given up, 1 key released.")
        code, text = await turnabout("why", proposed, "--service", "notifications")
        assert "It was given up at" in text
        assert (await turnabout("parked"))[1] == "No key is parked.\n"


async def test_nothing_to_tell_is_a_sentence(turnabout: Turnabout) -> None:
    """An empty table would leave open whether somebody looked."""
    assert await turnabout("pending") == (0, "No document owes anything.\n")
    assert await turnabout("parked") == (0, "No key is parked.\n")
    assert await turnabout("dead", "redrive", "--key", new_id(), "--yes") == (0, "There are no such dead letters.\n")
    code, text = await turnabout("why", new_id())
    assert (code, text.startswith("No service knows this event")) == (1, True)


async def test_lag_names_groups_that_nobody_reads_for(settings: Settings, turnabout: Turnabout) -> None:
    """Every group of every service has a row; records wait where no process runs."""
    async with connect(settings, "notifications") as database:
        await two_dead_facts(settings, database)
    code, text = await turnabout("lag")
    assert code == 0
    for group in ("analytics.people", "analytics.rows", "matching.members", "notifications.threads"):
        assert group in text
    assert "nobody reads" in text


async def test_what_is_not_possible_is_one_sentence_and_exit_code_2(
    settings: Settings, turnabout: Turnabout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No traceback, whatever is away or wrong."""
    unknown = "There is no service payroll. There are profiles, matching, notifications, analytics.\n"
    assert await turnabout("lag", "--service", "payroll") == (2, unknown)
    code, text = await turnabout("parked", "--group", "lids")
    assert (code, text.startswith("There is no consumer group lids here.")) == (2, True)
    code, text = await turnabout("dead", "discard", "--yes")
    assert (code, text) == (2, "Name what to discard: --place, --key or --group.\n")
    code, text = await turnabout("lag", "--state", str(tmp_path))
    assert (code, text.startswith(f"{tmp_path} holds no stack")) == (2, True)
    monkeypatch.setenv("TURNABOUT_KAFKA", "127.0.0.1:1")
    away = "The broker at 127.0.0.1:1 does not answer. Nothing is lost; try again once it is back.\n"
    assert await turnabout("lag") == (2, away)
    assert settings.kafka != "127.0.0.1:1"


def test_a_local_stack_is_found_by_its_folder(settings: Settings, tmp_path: Path) -> None:
    """As a process of its own, with nothing in its environment but what the stack wrote down."""
    assert settings.kafka_user == OPERATORS
    stack = {name: value for name, value in os.environ.items() if name.startswith("TURNABOUT_")}
    (tmp_path / "environment.json").write_text(json.dumps(stack))
    asked = [sys.executable, "-m", "operations.cli", "parked", "--state", str(tmp_path), "--json"]
    answer = json.loads(subprocess.run(asked, env={}, capture_output=True, check=True, text=True).stdout)
    assert answer == {
        "services": [{"service": name, "keys": []} for name in ("profiles", "matching", "notifications", "analytics")]
    }


def test_a_services_own_command_line_answers_too(settings: Settings) -> None:
    """`python -m <service> ops`: JSON on stdout and nothing on stderr, for every service."""
    assert settings.kafka
    for service in ("profiles", "matching", "notifications", "analytics"):
        done = subprocess.run([sys.executable, "-m", service, "ops", "parked"], capture_output=True, check=True)
        assert (json.loads(done.stdout), done.stderr) == ({"service": service, "keys": []}, b"")


RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


def commands() -> list[list[str]]:
    """Every command that stands on a line of its own in any of them."""
    text = "\n".join(page.read_text() for page in sorted(RUNBOOKS.glob("*.md")))
    lines = (line.strip() for line in text.splitlines() if line.startswith("    "))
    return [line.split()[1:] for line in lines if line.startswith("turnabout ")]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_commands_of_the_runbooks_exist(words: list[str]) -> None:
    """Each is a command with these options; what it does is shown above."""
    command: Any = typer.main.get_command(cli.app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands")
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_runbooks_have_commands() -> None:
    """The test above looks at something."""
    assert len(commands()) >= 18
