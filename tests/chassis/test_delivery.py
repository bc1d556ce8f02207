"""Documents, relay, pending work and consumers against the real broker and the real database."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.app import Service
from chassis.consuming.handlers import Handlers
from chassis.consuming.records import Received
from chassis.delivery import Delivery
from chassis.errors import ConflictError, PreconditionError, StaleError, TransientError
from chassis.ids import new_id
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.documents import AlreadyExistsError, Documents, Fence
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.envelope import Envelope
from contracts.matching import MatchClosed
from contracts.notifications import NoticeSent
from contracts.topics import MENTORSHIP, NOTICE
from topic_records import said

pytestmark = pytest.mark.connected

TENANT = "acme"


class Jar(Aggregate):
    """A jar of coins: the smallest aggregate that speaks and asks."""

    coins: int = 0
    seen: list[str] = []

    def drop(self) -> int:
        self.coins += 1
        self.say(MatchClosed(mentorship=self.id))
        return self.coins


@dataclass
class Store:
    jars: Documents[Jar]
    trouble: list[Exception] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)


handlers: Handlers[Store] = Handlers("pantry")
works: Works[Store] = Works()


@handlers.on(NoticeSent, group="jars")
async def remember(event: Received[NoticeSent], store: Store) -> None:
    if store.trouble:
        raise store.trouble.pop()
    if event.data is not None and event.data.kind == "poison":
        raise ValueError

    def see(jar: Jar) -> None:
        jar.seen.append(event.id)

    await store.jars.change(
        event.tenant, event.key, see, fence=event.fence, create=lambda: Jar(id=event.key, tenant=event.tenant)
    )
    store.handled.append(event.id)


@works.on("fill")
async def fill(work: Work, store: Store) -> None:
    if store.trouble:
        raise store.trouble.pop()

    def once(jar: Jar) -> None:
        if work.id not in jar.seen:
            jar.seen.append(work.id)

    await store.jars.change(work.tenant, work.arguments["jar"], once)


@pytest.fixture(params=["motor", "pymongo"])
async def settings(request: pytest.FixtureRequest, kafka: str, database: str) -> Settings:
    await _create_topics(kafka)
    return Settings(
        kafka=kafka,
        mongo=database,
        driver=request.param,
        database_prefix=f"t{uuid.uuid4().hex[:8]}",
        instance="pantry-0",
        port=0,
    )


async def _create_topics(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [
            NewTopic(name, 3, 1, topic_configs=config)
            for name, config in (
                (MENTORSHIP.name, MENTORSHIP.settings()),
                (NOTICE.name, NOTICE.settings()),
                (NOTICE.dead("pantry.jars"), {}),
            )
            if name not in existing
        ]
        if wanted:
            await admin.create_topics(wanted)
    finally:
        await admin.close()


def _service(settings: Settings) -> Service[Store]:
    def store(delivery: Delivery) -> Store:
        return Store(delivery.documents(Jar, "jars"))

    return Service(settings, "pantry", store_factory=store, handlers=handlers, works=works)


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Store]:
    """The documents of a process that relays but does not consume."""
    async with _service(settings).opened() as (delivery, store):
        await delivery.migrate()
        yield store


@pytest.fixture
async def consuming(settings: Settings) -> AsyncIterator[tuple[Store, Settings]]:
    """The store of a process that runs in full."""
    service = _service(settings)
    async with _service(settings).opened(relaying=False) as (delivery, store):
        await delivery.migrate()
        service._store_factory = lambda delivery: _rebind(store, delivery)
        task = asyncio.create_task(service.serve())
        yield store, settings
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _rebind(store: Store, delivery: Delivery) -> Store:
    store.jars = delivery.documents(Jar, "jars")
    return store


async def _records(kafka: str, topic: str, keys: set[str], count: int) -> list[tuple[str, int, bytes | None]]:
    """(key, sequence, value) of the first `count` records with these keys, in the order of their partition."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    found: list[tuple[str, int, bytes | None]] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [
                        (key, Envelope.from_headers(record.headers).sequence, record.value)
                        for record in records
                        if (key := record.key.decode()) in keys
                    ]
    finally:
        await consumer.stop()
    return found


async def _eventually(check: object, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # type: ignore[operator]  # an async predicate
            await asyncio.sleep(0.05)


async def test_concurrent_commands_each_count_and_say_their_fact_in_order(shelf: Store, settings: Settings) -> None:
    """Ten commands at once on one document: ten coins, sequences 1 to 10 on the topic without a gap, nothing owed."""
    jar = new_id()
    await shelf.jars.insert(Jar(id=jar, tenant=TENANT))
    await asyncio.gather(*(shelf.jars.change(TENANT, jar, Jar.drop) for _ in range(10)))
    assert (await shelf.jars.load(TENANT, jar)).coins == 10
    records = await _records(settings.kafka, MENTORSHIP.name, {jar}, 10)
    assert [sequence for _, sequence, _ in records] == list(range(1, 11))

    async def cleared() -> bool:
        raw = await shelf.jars.collection.find_one(TENANT, {"_id": jar})
        return raw is not None and "pending" not in raw and raw["events"] == [] and raw["relay_owner"] is None

    await _eventually(cleared)


async def test_a_second_insert_of_the_same_id_is_refused(shelf: Store) -> None:
    """The id is taken: AlreadyExistsError, and the first document stays as it is."""
    jar = new_id()
    await shelf.jars.insert(Jar(id=jar, tenant=TENANT, coins=3))
    with pytest.raises(AlreadyExistsError):
        await shelf.jars.insert(Jar(id=jar, tenant=TENANT))
    assert await shelf.jars.insert_many([Jar(id=jar, tenant=TENANT), Jar(id=new_id(), tenant=TENANT)]) == {jar}
    assert (await shelf.jars.load(TENANT, jar)).coins == 3


async def test_another_tenant_sees_nothing(shelf: Store) -> None:
    """A document is found under its own tenant only."""
    jar = new_id()
    await shelf.jars.insert(Jar(id=jar, tenant=TENANT))
    assert await shelf.jars.get("other", jar) is None
    assert await shelf.jars.find("other", {"_id": jar}) == []


async def test_an_older_etag_is_refused(shelf: Store) -> None:
    """If-Match with a revision that has passed changes nothing."""
    jar = new_id()
    await shelf.jars.insert(Jar(id=jar, tenant=TENANT))
    seen = (await shelf.jars.load(TENANT, jar)).etag
    await shelf.jars.change(TENANT, jar, Jar.drop, if_match=seen)
    with pytest.raises(PreconditionError):
        await shelf.jars.change(TENANT, jar, Jar.drop, if_match=seen)
    assert (await shelf.jars.load(TENANT, jar)).coins == 1


async def test_the_fence_lets_each_event_in_once(shelf: Store) -> None:
    """Sequence 2 applied: 1 and 2 are stale whatever their order, 3 passes."""
    jar = new_id()
    fence = Fence("notice", "k.1", 2)
    await shelf.jars.change(TENANT, jar, Jar.drop, fence=fence, create=lambda: Jar(id=jar, tenant=TENANT))
    for sequence in (1, 2):
        with pytest.raises(StaleError):
            await shelf.jars.change(TENANT, jar, Jar.drop, fence=Fence("notice", "k.1", sequence))
    await shelf.jars.change(TENANT, jar, Jar.drop, fence=Fence("notice", "k.1", 3))
    assert (await shelf.jars.load(TENANT, jar)).coins == 2


async def test_work_is_done_after_trouble_and_settles(shelf: Store) -> None:
    """Two infrastructure faults delay the effect and lose nothing; settle waits for it."""
    asking, asked = new_id(), new_id()
    await shelf.jars.insert(Jar(id=asked, tenant=TENANT))
    shelf.trouble += [TransientError("away"), ValueError("a bug that heals")]
    jar = Jar(id=asking, tenant=TENANT)
    jar.ask("fill", jar=asked)
    await shelf.jars.insert(jar)
    await shelf.jars.settle(TENANT, asking, seconds=10)
    assert len((await shelf.jars.load(TENANT, asked)).seen) == 1


async def test_an_instance_takes_over_what_a_dead_one_owed(settings: Settings) -> None:
    """A document committed by a process that died before it could publish is published by the next one."""
    jar = new_id()
    dead = settings.model_copy(update={"instance": "dead-0"})
    async with _service(dead).opened(relaying=False) as (delivery, store):
        await delivery.migrate()
        owing = Jar(id=jar, tenant=TENANT)
        owing.drop()
        await store.jars.insert(owing)
    async with _service(settings).opened():
        records = await _records(settings.kafka, MENTORSHIP.name, {jar}, 1)
    assert [(key, sequence) for key, sequence, _ in records] == [(jar, 1)]


async def _send(
    settings: Settings, records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(NOTICE.name, value, key=key, headers=headers)
    finally:
        await producer.stop()


def _notice(key: str, sequence: int, kind: str = "hello") -> tuple[bytes, bytes, list[tuple[str, bytes | None]]]:
    record = said(NoticeSent(notice=new_id(), member="m", thread=key, kind=kind), key, sequence, TENANT)
    return record["key"], record["value"], record["headers"]


async def test_poison_goes_to_the_dead_letters_and_the_rest_flows(consuming: tuple[Store, Settings]) -> None:
    """Bad headers, a bad body, an unknown type and a handler's bug stop nobody; dead letters keep their bytes."""
    store, settings = consuming
    good, bad, unknown, bug = (new_id() for _ in range(4))
    key, value, headers = _notice(good, 1)
    other_type = [
        ("ce_type", b"turnabout.notifications.notice-sung.v9") if n == "ce_type" else (n, v) for n, v in headers
    ]
    await _send(
        settings,
        [
            (bad.encode(), value, [("ce_id", b"\xff\xfe"), *headers[2:]]),
            (bad.encode(), value, [("ce_specversion", None)]),
            (bad.encode(), b"{not json", headers),
            (unknown.encode(), value, other_type),
            _notice(bug, 1, "poison"),
            (key, value, headers),
            (key, value, headers),
            _notice(good, 2),
        ],
    )

    async def arrived() -> bool:
        jar = await store.jars.get(TENANT, good)
        return jar is not None and len(jar.seen) == 2

    await _eventually(arrived)
    dead = await _records_raw(settings.kafka, NOTICE.dead("pantry.jars"), {bad, bug}, 4)
    assert sorted(reason for _, reason in dead) == [b"bad-body", b"bad-envelope", b"bad-envelope", b"handler-failed"]
    assert (b"{not json", b"bad-body") in dead
    assert await store.jars.get(TENANT, unknown) is None


async def _records_raw(kafka: str, topic: str, keys: set[str], count: int) -> list[tuple[bytes, bytes]]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    found: list[tuple[bytes, bytes]] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [
                        (record.value, dict(record.headers)["dlq-reason"])
                        for record in records
                        if record.key.decode() in keys
                    ]
    finally:
        await consumer.stop()
    return found


async def test_a_fault_in_place_keeps_the_order(consuming: tuple[Store, Settings]) -> None:
    """The database is away for the first event: nothing behind it on its key overtakes."""
    store, settings = consuming
    key = new_id()
    store.trouble += [TransientError("away")] * 3
    sent = [_notice(key, sequence) for sequence in range(1, 6)]
    await _send(settings, list(sent))

    async def arrived() -> bool:
        jar = await store.jars.get(TENANT, key)
        return jar is not None and len(jar.seen) == 5

    await _eventually(arrived)
    wanted = [dict(headers)["ce_id"].decode() for _, _, headers in sent]  # type: ignore[union-attr]  # all are set
    assert (await store.jars.load(TENANT, key)).seen == wanted


async def test_too_many_conflicts_end_in_a_plain_refusal(shelf: Store) -> None:
    """A document that changes under every attempt gives up instead of spinning."""
    jar = new_id()
    await shelf.jars.insert(Jar(id=jar, tenant=TENANT))
    collection = shelf.jars.collection
    original = collection.find_one

    async def read_then_lose(tenant: str, filter_: dict[str, object]) -> dict[str, object] | None:
        raw = await original(tenant, filter_)
        await collection.update({"_id": jar}, {"$set": {"revision": new_id()}})
        return raw

    collection.find_one = read_then_lose  # type: ignore[method-assign,assignment]  # plays the other writer
    with pytest.raises(ConflictError):
        await shelf.jars.change(TENANT, jar, Jar.drop)
