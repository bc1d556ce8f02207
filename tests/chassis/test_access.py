"""A real broker with access control: each principal can do what it needs, and is refused whatever else it tries."""

import asyncio
import json
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from chassis.broker import client_options
from chassis.consuming.bystander import bystander
from chassis.errors import DeniedError, TransientError
from chassis.ops.access import Administrator
from chassis.publishing.producer import Producer
from chassis.settings import Settings
from contracts.access import OPERATORS, Access, Acl, Operation, Resource
from contracts.topics import DIRECTORY, MENTORSHIP, MENTORSHIP_STATE, NOTICE, PROFILE, PROGRAMME, TAXONOMY, TOPICS
from guarded_broker import Guarded, consume, produce
from local.ports import free_range
from local.processes import Child, spawn
from pydantic import SecretStr
from restricted_topic import GROUP, VOICE, WITH_VOICE

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

THREADS = "notifications.threads"
WRONG = SecretStr("not-the-password")


@pytest.fixture(scope="module")
async def filled(guarded: Guarded) -> Guarded:
    """Each topic and two dead-letter topics hold a record, written by those who may."""
    for topic in (*TOPICS, VOICE):
        await produce(guarded.settings(topic.owner), topic.name)
    await produce(guarded.settings("notifications"), MENTORSHIP.dead(THREADS))
    await produce(guarded.settings("analytics"), VOICE.dead(GROUP))
    return guarded


@pytest.mark.parametrize(("principal", "topic", "group"), [
    ("matching", PROFILE.name, "matching.members"),
    ("matching", DIRECTORY.name, None),
    ("matching", MENTORSHIP_STATE.name, None),
    ("matching", TAXONOMY.name, None),
    ("notifications", TAXONOMY.name, None),
    ("notifications", MENTORSHIP.name, THREADS),
    ("notifications", NOTICE.name, None),
    ("notifications", MENTORSHIP.dead(THREADS), None),
    ("analytics", MENTORSHIP_STATE.name, "analytics.rows"),
    ("analytics", DIRECTORY.name, "analytics.people"),
    ("analytics", VOICE.name, GROUP),
    (OPERATORS, MENTORSHIP.dead(THREADS), None),
    (OPERATORS, MENTORSHIP_STATE.name, None),
])  # fmt: skip
async def test_what_is_needed_is_allowed(filled: Guarded, principal: str, topic: str, group: str | None) -> None:
    """Declared groups read and commit; whole-topic readers, redrives and operators read without one."""
    await consume(filled.settings(principal), topic, group)


@pytest.mark.parametrize(("principal", "topic"), [
    ("notifications", MENTORSHIP.name),
    ("matching", PROFILE.name),
    ("analytics", MENTORSHIP_STATE.name),
    ("analytics", MENTORSHIP.dead(THREADS)),
    ("matching", MENTORSHIP.dead(THREADS)),
    (OPERATORS, NOTICE.name),
    (OPERATORS, MENTORSHIP.dead(THREADS)),
])  # fmt: skip
async def test_nobody_writes_to_anothers_topic(filled: Guarded, principal: str, topic: str) -> None:
    """Whoever may read it included."""
    with pytest.raises(TopicAuthorizationFailedError):
        await produce(filled.settings(principal), topic, idempotent=False)


@pytest.mark.parametrize(("principal", "topic", "group", "refused"), [
    ("notifications", PROFILE.name, None, TopicAuthorizationFailedError),
    ("notifications", VOICE.name, None, TopicAuthorizationFailedError),
    ("profiles", VOICE.name, None, TopicAuthorizationFailedError),
    (OPERATORS, VOICE.name, None, TopicAuthorizationFailedError),
    (OPERATORS, VOICE.dead(GROUP), None, TopicAuthorizationFailedError),
    ("notifications", NOTICE.name, "analytics.rows", GroupAuthorizationFailedError),
    ("notifications", MENTORSHIP.name, "notifications.undeclared", GroupAuthorizationFailedError),
    (OPERATORS, MENTORSHIP.name, THREADS, GroupAuthorizationFailedError),
])  # fmt: skip
async def test_what_is_not_declared_is_refused(
    filled: Guarded, principal: str, topic: str, group: str | None, refused: type[KafkaError]
) -> None:
    """Undeclared and restricted topics, another's group, and a group of one's own that nobody declared."""
    with pytest.raises(refused):
        await consume(filled.settings(principal), topic, group)


async def test_a_subscriber_gets_outside_topics_and_nothing_else(filled: Guarded) -> None:
    """With groups under its own name; platform and restricted topics, other groups and every produce are refused."""
    outside = await filled.let_in("hr-dashboard", Access().subscriber("hr-dashboard"))
    for topic in (PROFILE, TAXONOMY, PROGRAMME, MENTORSHIP):
        await consume(outside, topic.name, "hr-dashboard.mentorships")
    for topic in (DIRECTORY, MENTORSHIP_STATE, NOTICE, VOICE):
        with pytest.raises(TopicAuthorizationFailedError):
            await consume(outside, topic.name, "hr-dashboard.mentorships")
    for group in ("hr-dashboardx.mentorships", "analytics.people", "hr-dashboard"):
        with pytest.raises(GroupAuthorizationFailedError):
            await consume(outside, PROFILE.name, group)
    with pytest.raises(TopicAuthorizationFailedError):
        await produce(outside, PROFILE.name, idempotent=False)
    with pytest.raises(ClusterAuthorizationFailedError):  # nor does it get a producer id
        await produce(outside, PROFILE.name)


async def test_only_the_administrator_makes_topics_and_moves_rights(filled: Guarded) -> None:
    """A service can neither create a topic nor see or change what anybody may do."""
    admin = AIOKafkaAdminClient(**client_options(filled.settings("matching")))
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("matching.mine.v1", 1, 1)])
        assert [error[1] for error in answer.topic_errors] == [TopicAuthorizationFailedError.errno]
    finally:
        await admin.close()
    with pytest.raises(DeniedError) as meddling:
        await Administrator.opened(filled.settings("matching"))
    assert str(meddling.value) == "The broker refuses: matching is not its administrator."


async def test_rights_that_the_contracts_do_not_give_are_taken_again(filled: Guarded) -> None:
    """And missing ones are given; what belongs to a subscriber stays."""
    extra = Acl("matching", Operation.READ, Resource.TOPIC, NOTICE.name)
    missing = Acl("matching", Operation.WRITE, Resource.TOPIC, PROGRAMME.name)
    subscriber = Access().subscriber("payroll")
    administrator = await filled.administrator()
    await asyncio.to_thread(administrator.add, [extra, *subscriber])
    await asyncio.to_thread(administrator.remove, [missing])
    found = await asyncio.to_thread(administrator.put_right, WITH_VOICE)
    assert (found.missing, found.extra) == ((missing,), (extra,))
    there = await asyncio.to_thread(administrator.acls)
    assert extra not in there
    assert {missing, *subscriber} <= there
    await asyncio.to_thread(administrator.remove, subscriber)


async def test_a_wrong_password_is_told_in_a_sentence(guarded: Guarded) -> None:
    """By whatever asks or sends, and never with the password in it."""
    wrong = guarded.settings("notifications", kafka_password=WRONG)
    sentence = "The broker does not accept the password of notifications. Set TURNABOUT_KAFKA_PASSWORD right."
    with pytest.raises(DeniedError) as asked:
        async with bystander(wrong, [NOTICE.name]):
            pass
    assert str(asked.value) == sentence
    producer = Producer(wrong)
    with pytest.raises(DeniedError) as sent:
        await producer.send_raw(NOTICE.name, b"k", b"{}", [])
    assert (str(sent.value), producer.refusal.sentence) == (sentence, sentence)
    with pytest.raises(DeniedError, match="does not accept the password of notifications"):
        await Administrator.opened(wrong)


async def test_a_broker_that_is_away_refuses_nobody() -> None:
    """It is the old error, to be tried again."""
    away = Settings(kafka="127.0.0.1:1", kafka_user="notifications", kafka_password=WRONG)
    with pytest.raises(TransientError) as asked:
        async with bystander(away, [NOTICE.name]):
            pass
    assert type(asked.value) is TransientError
    assert str(asked.value) == "broker: KafkaConnectionError"


async def test_a_refused_topic_is_named(filled: Guarded) -> None:
    """Who may not do what, as `turnabout` and logs tell it."""
    producer = Producer(filled.settings("notifications"))
    with pytest.raises(DeniedError) as sent:
        await producer.send_raw(PROFILE.name, b"k", b"{}", [])
    await producer.stop()
    assert str(sent.value) == (
        "The broker refuses: notifications may not write to profiles.profile.v1. See `turnabout access list`."
    )


# --- a service that is refused -------------------------------------------------------------------------------------


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator["Refused"]:
    """Notifications, not started yet, with a database of its own."""
    refused = Refused(tmp_path / "notifications.log", free_range().gateway)
    refused.environment = {
        "TURNABOUT_MONGO": database,
        "TURNABOUT_DATABASE_PREFIX": f"t{uuid.uuid4().hex[:8]}",
        "TURNABOUT_PORT": str(refused.port),
    }
    yield refused
    refused.child.ask_to_stop()
    await refused.child.wait_stopped()


class Refused:
    """The process, what it says of its readiness, and what it logs."""

    def __init__(self, log: Path, port: int) -> None:
        self.log, self.port = log, port
        self.environment: dict[str, str] = {}
        self.child: Child

    def start(self, settings: Settings) -> None:
        """As this principal."""
        assert settings.kafka_user
        assert settings.kafka_password
        who = {"TURNABOUT_KAFKA": settings.kafka, "TURNABOUT_KAFKA_USER": settings.kafka_user}
        who["TURNABOUT_KAFKA_PASSWORD"] = settings.kafka_password.get_secret_value()
        command = [sys.executable, "-m", "notifications"]
        self.child = Child("notifications", command, self.log, lambda: True, self.environment | who)
        with self.log.open("ab") as output:
            migration = spawn([*command, "migrate"], self.environment | who, output)
        assert migration.wait(60) == 0
        self.child.start()

    def readiness(self) -> str:
        """What `/readyz` answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    async def until(self, words: str) -> str:
        """Wait for words in the answer."""
        async with asyncio.timeout(60):
            while words not in (told := await asyncio.to_thread(self.readiness)):
                await asyncio.sleep(0.1)
        return told

    async def tried(self, complaint: str, times: int) -> None:
        """Wait until aiokafka has complained that often, for each attempt anew."""
        async with asyncio.timeout(60):
            while self.log.read_text().count(complaint) < times:
                await asyncio.sleep(0.1)

    def refusals(self) -> list[str]:
        """The sentences in its log."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["reason"] for line in lines if line["event"] == "broker.refused"]


async def test_a_service_with_a_wrong_password_says_so_once_and_is_not_ready(
    guarded: Guarded, service: Refused
) -> None:
    """One line from the consumers and one from each reader, however long it waits; the password stands nowhere."""
    service.start(guarded.settings("notifications", kafka_password=WRONG))
    sentence = "The broker does not accept the password of notifications. Set TURNABOUT_KAFKA_PASSWORD right."
    told = await service.until(sentence)
    assert told.splitlines().count(sentence) == 1
    await service.tried("Unable connect to", 6)
    assert set(service.refusals()) == {sentence}
    assert len(service.refusals()) == 3
    assert WRONG.get_secret_value() not in service.log.read_text()


async def test_a_service_is_ready_once_it_is_granted_what_it_lacks(guarded: Guarded, service: Refused) -> None:
    """Without a restart; until then one line a client names who lacks what, however often it tries."""
    service.start(await guarded.let_in("newcomer", frozenset()))
    await service.until("The broker refuses: newcomer may not read")
    for topic in (MENTORSHIP.name, NOTICE.name, TAXONOMY.name):
        await service.tried(f"Topic {topic} is not authorized", 4)
    told = sorted(service.refusals())
    assert [sentence.partition("may not read ")[2].partition(".")[0] for sentence in told] == [
        "matching",
        "notifications",
        "profiles",
    ]
    assert "\nready" not in f"\n{await asyncio.to_thread(service.readiness)}"
    rights = [Acl("newcomer", *_rest(acl)) for acl in Access().service("notifications")]
    await asyncio.to_thread((await guarded.administrator()).add, rights)
    assert await service.until("ready") == "ready\n"


def _rest(acl: Acl) -> tuple[Operation, Resource, str, bool]:
    return acl.operation, acl.resource, acl.name, acl.prefixed
