"""What is measured from beside, against the real broker and the real database: it tells of those that stand still."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import poison_shelf
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from chassis.consuming import watch
from chassis.consuming.consumer import Consumer
from chassis.consuming.dead_letters import DeadLetters, origin
from chassis.consuming.open_letters import OpenLetters
from chassis.consuming.outcomes import DeadLetter
from chassis.consuming.parking import Parking
from chassis.consuming.reader import TopicReader
from chassis.consuming.upkeep import Upkeep
from chassis.consuming.watch import Watch
from chassis.delivery import Delivery
from chassis.errors import ConflictError, TransientError
from chassis.ids import new_id
from chassis.publishing.producer import Producer
from chassis.settings import Settings
from chassis.state.aggregate import Aggregate
from chassis.state.mongo import connect
from chassis.state.outbox import Work
from chassis.state.timers import Timer
from chassis.state.works import Works
from contracts.notifications import NoticeSent
from contracts.topics import NOTICE, Audience, Kind, Topic
from poison_shelf import GROUP, TENANT, Store, eventually, handlers, notice, send, told
from prometheus_client import REGISTRY

from chassis import clock, metrics

WHY = DeadLetter("bad-body", "", attempts=0)

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]


def told_by(metric: str, **labels: str) -> float | None:
    """What a scrape of this process would say."""
    return REGISTRY.get_sample_value(f"turnabout_{metric}", labels)


@pytest.fixture
async def settings(kafka: str, database: str) -> Settings:
    """A database of this test alone."""
    return await poison_shelf.settings(kafka, database)


@pytest.fixture
async def delivery(settings: Settings) -> AsyncIterator[Delivery]:
    """The documents of a service whose relay is not running."""
    async with connect(settings, "shelf") as opened:
        yield Delivery(settings, "shelf", opened)


# --- Lag --------------------------------------------------------------------------------------------------------------


async def test_lag_grows_while_a_group_stands_still(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It handles nothing and says nothing, and its oldest record grows older; once it goes on there is no lag."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    key = new_id()
    async with poison_shelf.consuming(settings) as shelf:
        await send(settings.kafka, notice(key, 1, "one"))
        await eventually(told(shelf, key, "one"))
        for gauge in (metrics.CONSUMER_LAG_SECONDS, metrics.CONSUMER_LAG_RECORDS):
            gauge.clear()  # what was measured of this group before is no answer: other tests' notices lie there too
        await eventually(lambda: none_left(GROUP))
        shelf.fault = TransientError("away")
        await send(settings.kafka, notice(key, 2, "two"), notice(key, 3, "three"))

        async def older(seconds: float) -> bool:
            records = told_by("consumer_lag_records", group=GROUP)
            return (told_by("consumer_lag_seconds", group=GROUP) or 0) > seconds and records == 2

        await eventually(lambda: older(1))
        await eventually(lambda: older(3))
        assert (told_by("answered_timestamp_seconds", who="broker") or 0) > clock.real_ms() / 1000 - 5

        shelf.fault = None
        await eventually(told(shelf, key, "one", "two", "three"))
        await eventually(lambda: none_left(GROUP))


async def none_left(group: str) -> bool:
    return (told_by("consumer_lag_seconds", group=group), told_by("consumer_lag_records", group=group)) == (0, 0)


async def test_a_reader_that_stands_still_is_behind(settings: Settings) -> None:
    """What it was given and has not done with is not handled, however long ago it was fetched."""
    goes_on = asyncio.Event()
    async with TopicReader(settings, [NoticeSent], lambda _: _waited(goes_on), from_now=True) as reader:
        await reader.caught_up()
        assert [each.records for each in await reader.behind()] == [0, 0, 0]

        await send(settings.kafka, notice(new_id(), 1, "one"))

        async def behind() -> bool:
            found = await reader.behind()
            return sum(each.records for each in found) == 1 and max(each.seconds for each in found) > 0.5

        await eventually(behind)
        goes_on.set()

        async def done() -> bool:
            return {(each.records, each.seconds) for each in await reader.behind()} == {(0, 0.0)}

        await eventually(done)


async def _waited(goes_on: asyncio.Event) -> None:
    await goes_on.wait()


def test_partitions_that_pause_twice_are_counted_once_each(settings: Settings, delivery: Delivery) -> None:
    """Two lots pause for one reason, and one goes on: the other is still paused."""
    consumer: Consumer[Store] = Consumer(handlers.groups["jars"], None, Upkeep.of(delivery), settings)  # type: ignore[arg-type]  # nothing is handled
    zero, one, two = (TopicPartition(NOTICE.name, number) for number in range(3))
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731
    broker = SimpleNamespace(pause=nothing, resume=nothing, assignment=lambda: {zero, one, two})
    consumer._subscriber = SimpleNamespace(consumer=broker)

    def paused() -> tuple[float | None, ...]:
        return tuple(told_by("consumer_paused", group=GROUP, why=why) for why in ("opening", "fault", "breaker"))

    assert paused() == (0, 0, 0)
    consumer._pause([zero, one], "fault")
    consumer._pause([one, two], "fault")
    consumer._pause([one], "opening")
    assert paused() == (1, 3, 0)
    consumer._resume([zero], "fault")
    assert paused() == (1, 2, 0)


# --- Letters and parked keys ------------------------------------------------------------------------------------------


async def test_letters_are_counted_by_reason_until_somebody_settles_them(
    settings: Settings, delivery: Delivery
) -> None:
    """Those from before the look began and those that die meanwhile, each once; who settles one is another process."""
    topic = Topic("shelf", f"odd-{uuid.uuid4().hex[:8]}", Audience.PLATFORM, Kind.FACTS)
    group = f"shelf.{topic.stream}"
    await create(settings, topic.dead(group))
    letters = DeadLetters(Producer(settings), Upkeep.of(delivery).letters._settled)
    await letters.bury(record(topic, 1), group, WHY)
    await letters.bury(record(topic, 2), group, DeadLetter("parked", "", attempts=0))

    counting = asyncio.create_task(OpenLetters(settings, {group: [topic]}, letters).follow(0.1))
    await eventually(counted(group, {"bad-body": 1, "parked": 1, "handler-failed": 0, "quarantined": 0}))
    assert 0 < (told_by("dead_letters_oldest_seconds", group=group, reason="bad-body") or 0) < 60
    assert told_by("dead_letters_oldest_seconds", group=group, reason="handler-failed") == 0

    # The one that was parked fails by itself; another process settles the first; a stranger writes nonsense, twice.
    await letters.bury(record(topic, 2), group, DeadLetter("handler-failed", "ValueError", attempts=3))
    await letters.bury(record(topic, 3), group, DeadLetter("what nobody says", "", attempts=0))
    nonsense = [
        (name, b"yesterday" if name == "dlq-at" else text) for name, text in origin(topic.name, 0, 4, group, WHY)
    ]
    await letters._producer.send_raw(topic.dead(group), b"k", None, nonsense)
    await letters.settle([record(topic, 1)], group, "discarded")
    await eventually(counted(group, {"bad-body": 0, "parked": 0, "handler-failed": 1, "bad-envelope": 1}))

    # It dies once more after that, as it does when its group is set back.
    await letters.bury(record(topic, 1), group, WHY)
    await eventually(counted(group, {"bad-body": 1, "handler-failed": 1}))
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    await letters._producer.stop()  # type: ignore[attr-defined]  # it is a Producer


def record(topic: Topic, offset: int) -> SimpleNamespace:
    """A record as a consumer gets it, as far as its letter needs it."""
    return SimpleNamespace(
        topic=topic.name, partition=0, offset=offset, timestamp=0, key=b"k", value=b"a secret", headers=()
    )


def counted(group: str, expected: dict[str, float]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return {reason: told_by("dead_letters", group=group, reason=reason) for reason in expected} == expected

    return check


async def create(settings: Settings, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 3, 1) for name in names])
    finally:
        await admin.close()


async def test_a_key_that_was_released_elsewhere_is_parked_no_longer(settings: Settings, delivery: Delivery) -> None:
    """A redrive runs in a process of its own, and the service that holds the key meets no record of it for days."""
    upkeep = Upkeep.of(delivery)
    looking = Watch(settings, {GROUP: [NOTICE]}, upkeep, list, [])
    await upkeep.parking(GROUP).park(NOTICE, record(NOTICE, 1), "bad-body")
    await looking.parked()
    assert told_by("parked_keys", group=GROUP) == 1
    assert 0 <= (told_by("parked_keys_oldest_seconds", group=GROUP) or 0) < 60

    elsewhere = Parking(upkeep.parked, GROUP)
    assert [await elsewhere.release(key) for key in await elsewhere.all()] == [True]
    await looking.parked()
    assert told_by("parked_keys", group=GROUP) == 0
    assert told_by("parked_keys_oldest_seconds", group=GROUP) == 0


# --- Timers and work --------------------------------------------------------------------------------------------------


class Egg(Aggregate):
    """Boils until it is due."""

    due: int = 0


async def test_a_timer_that_does_not_fire_is_late(delivery: Delivery) -> None:
    """It is refused, so it stays due, and the oldest says how late it is; others fire, and one of tomorrow waits."""
    eggs = delivery.documents(Egg, "eggs")
    now = int(clock.now().timestamp())
    for name, due in (("stuck", now - 300), ("fine", now - 200), ("later", now + 86_400)):
        await eggs.insert(Egg(id=name, tenant=TENANT, due=due))
    broken = {"stuck"}

    def fire(egg: Egg) -> None:
        if egg.id in broken:
            raise ConflictError("not now")
        egg.due = 0

    timer = Timer(eggs, fire)
    await timer.sweep()
    assert told_by("timers_due", timer="eggs.due") == 1
    assert 300 <= (told_by("timers_late_seconds", timer="eggs.due") or 0) < 330

    broken.clear()
    await timer.sweep()
    assert told_by("timers_due", timer="eggs.due") == 0
    assert told_by("timers_late_seconds", timer="eggs.due") == 0


async def test_work_that_fails_says_when() -> None:
    """By its kind; work of a kind that this process does not know counts as such."""
    works: Works[None] = Works()

    @works.on("boil-water")
    async def boil(_work: Work, _store: None) -> None:
        raise ValueError

    before = clock.real_ms() / 1000
    for kind in ("boil-water", "fly"):
        work = Work("w", kind, {}, TENANT, "d", None, 0)
        assert await works.attempt(work, None) is False
    assert (told_by("work_failed_timestamp_seconds", kind="boil-water") or 0) >= before
    assert (told_by("work_failed_timestamp_seconds", kind="unknown") or 0) >= before
    assert told_by("work_failures_total", kind="boil-water") == 1
