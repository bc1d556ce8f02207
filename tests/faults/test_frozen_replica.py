"""Two replicas, one frozen between its relay's read and send: what compaction leaves is what the database holds."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frozen_api
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from chassis.broker import client_options
from chassis.consuming.records import Record
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR
from contracts.envelope import Envelope
from contracts.matching import MentorshipState
from contracts.topics import MENTORSHIP_STATE
from local import setup
from local.ports import HOST, free_range
from local.processes import Child
from local.serving import fill
from local.stack import Role, Stack
from people_at_work import Member, emails_by_member, open_pairs, roster_emails
from pymongo import AsyncMongoClient
from topic_records import all_records

from chassis import clock

pytestmark = [pytest.mark.connected, pytest.mark.timeout(200)]

FROZEN_SECONDS = 20
PAIRS = 3
STREAM = MENTORSHIP_STATE.stream
# Closed segments are compacted at once; a segment is closed by the next record that comes.
EAGER = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.001"}


@dataclass(frozen=True)
class Site:
    """The real stack with a second matching api, which freezes as it is told."""

    stack: Stack
    frozen: Child
    frozen_address: str
    named: Path

    @property
    def kafka(self) -> Settings:
        """How to reach the broker and change its topics."""
        return self.stack.settings(ADMINISTRATOR)

    @property
    def healthy_address(self) -> str:
        """The replica that goes on."""
        return f"http://{HOST}:{self.stack.ports.matching}"

    @property
    def is_stopped(self) -> bool:
        """The kernel says that the replica is stopped."""
        assert self.frozen.process is not None
        status = Path(f"/proc/{self.frozen.process.pid}/stat").read_text()
        return status.rsplit(")", 1)[1].split()[0] == "T"

    def go_on(self) -> None:
        """Continue the replica, if it is stopped."""
        assert self.frozen.process is not None
        self.frozen.process.send_signal(signal.SIGCONT)

    async def stored(self) -> dict[str, dict[str, Any]]:
        """Every mentorship in the database, once none of them owes anything."""
        async with (
            asyncio.timeout(20),
            AsyncMongoClient[dict[str, Any]](self.stack.environment["TURNABOUT_MONGO"]) as client,
        ):
            mentorships = client["matching"]["mentorships"]
            while await mentorships.count_documents({"pending": {"$gt": 0}}):
                await asyncio.sleep(0.1)
            return {raw["_id"]: raw for raw in await mentorships.find({}).to_list(10_000)}


@asynccontextmanager
async def a_site(folder: Path) -> AsyncIterator[Site]:
    """Started and filled with the demo company."""
    stack, port, named = Stack(folder, free_range()), free_range().matching, folder / "freeze"
    role = Role("the second matching api", (frozen_api.__file__, str(named)), port, "matching-api-1")
    try:
        await stack.start()
        site = Site(stack, stack.service(role), f"http://{HOST}:{port}", named)
        site.frozen.start()
        try:
            await asyncio.gather(site.frozen.wait_ready(), fill(stack, None))
            yield site
        finally:
            site.go_on()
            site.frozen.ask_to_stop()
            await site.frozen.wait_stopped()
    finally:
        await stack.stop()


async def test_a_reader_after_compaction_equals_the_database() -> None:
    """What the frozen replica sends late is superseded again, and compaction keeps the newest state of each key."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-frozen-") as folder:
        async with a_site(Path(folder)) as site:
            emails = await emails_by_member(
                site.stack.environment["TURNABOUT_PROFILES_URL"], roster_emails(site.stack.state / "people.csv")
            )
            pairs = await open_pairs(site.stack.address, emails, PAIRS)
            late = await _start_across_the_freeze(site, pairs)
            superseded = {(record.partition, record.offset) for record in late}
            await _compact(site, pairs, superseded)

            stored = await site.stored()
            read = await all_records(site.kafka, MENTORSHIP_STATE)
            assert superseded.isdisjoint((record.partition, record.offset) for record in read)
            assert {_key(record): (_sequence(record), record.value) for record in read} == {
                id_: (raw["sequences"][STREAM], raw["slots"][STREAM]["v"]) for id_, raw in stored.items()
            }
            states = {_key(record): MentorshipState.model_validate_json(record.value or b"") for record in read}
            assert {id_: state.status for id_, state in states.items()} == {
                id_: raw["status"] for id_, raw in stored.items()
            }
            for _, _, mentorship in pairs:
                assert (states[mentorship].status, states[mentorship].sessions[0].count) == ("started", 1)


async def _start_across_the_freeze(site: Site, pairs: list[tuple[Member, Member, str]]) -> list[Record]:
    """Each mentor says yes where it freezes; the rest happens elsewhere.

    Returns:
        The records of the pairs that are superseded: all but the last of each key.
    """
    site.named.write_text("\n".join(mentorship for _, _, mentorship in pairs))
    yeses = [asyncio.create_task(mentor.at(site.frozen_address).accept(pair)) for mentor, _, pair in pairs]
    async with asyncio.timeout(20):
        while not site.is_stopped:
            await asyncio.sleep(0.02)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(_start(site, *pair) for pair in pairs))
    assert site.is_stopped
    await asyncio.sleep(began + FROZEN_SECONDS - asyncio.get_running_loop().time())
    site.go_on()
    await asyncio.gather(*yeses)

    superseded: list[Record] = []
    for _, _, mentorship in pairs:
        superseded += (await _healed(site, mentorship))[:-1]
    return superseded


async def _healed(site: Site, mentorship: str) -> list[Record]:
    """The records of a pair once the old state has come late, and behind it the one that heals it."""
    sequences: list[int] = []
    deadline = asyncio.get_running_loop().time() + 20
    while sequences[-3:] != [4, 2, 4] and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.3)
        found = [each for each in await all_records(site.kafka, MENTORSHIP_STATE) if _key(each) == mentorship]
        sequences = [_sequence(record) for record in found]
    # Proposed, the mentor's yes, places taken, started: then, late, the yes again, and what heals it.
    assert (sequences[0], sequences[-3:]) == (1, [4, 2, 4])
    return found


async def _start(site: Site, mentor: Member, mentee: Member, mentorship: str) -> None:
    """The second yes and both agreements, while whoever owns the document is frozen."""
    mentor, mentee = mentor.at(site.healthy_address), mentee.at(site.healthy_address)
    await mentee.accept(mentorship)
    async with asyncio.timeout(FROZEN_SECONDS):
        while (await mentee.mentorship(mentorship))["status"] != "accepted":
            await asyncio.sleep(0.2)
    await mentor.agree(mentorship)
    await mentee.agree(mentorship)


async def _compact(site: Site, pairs: list[tuple[Member, Member, str]], superseded: set[tuple[int, int]]) -> None:
    """Have the broker compact the topic for real, under new sessions on the replica that was frozen."""
    admin = AIOKafkaAdminClient(**client_options(site.kafka))
    await admin.start()
    try:
        await admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "200"}),
                ConfigResource(ConfigResourceType.TOPIC, MENTORSHIP_STATE.name, MENTORSHIP_STATE.settings() | EAGER),
            ]
        )
    finally:
        await admin.close()
    outcomes = ["held", "cancelled"]
    async with asyncio.timeout(30):
        while superseded & {(each.partition, each.offset) for each in await all_records(site.kafka, MENTORSHIP_STATE)}:
            for mentor, _, mentorship in pairs:
                await mentor.at(site.frozen_address).log_session(mentorship, clock.today(), outcomes[0])
            outcomes.reverse()
            await asyncio.sleep(0.5)


def _key(record: Record) -> str:
    assert record.key is not None
    return record.key.decode()


def _sequence(record: Record) -> int:
    return Envelope.from_headers(record.headers).sequence
