"""Where a simulation gets hold of the fakes: crashes, interleaving, and sends that go wrong."""

import asyncio
from collections.abc import Callable

import pytest
from chassis.errors import TransientError
from chassis.publishing.relay import Relay
from chassis.state.mongo import Collection, Index
from chassis.state.outbox import Entry
from fakes.database import MemoryDatabase, Point
from fakes.log import Batch, Fate, MemoryLog, MemoryProducer
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure

TOPIC = "coins"


class Crash(BaseException):
    """The end of a simulated process."""


def failing(moment: str, error: BaseException, *, time: int = 1) -> Point:
    """Raises at the given moment, when it comes for the given time."""
    seen: list[str] = []

    async def point(name: str) -> None:
        seen.append(name)
        if name == moment and seen.count(name) == time:
            raise error

    return point


def _rows(database: MemoryDatabase) -> Collection:
    return MemoryDatabase(database.storage).collection("rows")


# --- database -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "stored"), [("before", 0), ("after", 1)])
async def test_a_crash_before_a_write_loses_it_and_one_after_keeps_it(moment: str, stored: int) -> None:
    """What the next process finds."""
    database = MemoryDatabase(point=failing(f"rows.insert_one.{moment}", Crash()))
    with pytest.raises(Crash):
        await database.collection("rows").insert({"_id": "1", "tenant": "t"})
    assert await _rows(database).count("t", {}) == stored


async def test_a_connection_that_breaks_after_the_write_reads_as_a_fault_that_passes() -> None:
    """The caller can't know that the insert happened, and meets its own document when it tries again."""
    database = MemoryDatabase(point=failing("rows.insert_one.after", AutoReconnect()))
    with pytest.raises(TransientError):
        await database.collection("rows").insert({"_id": "1", "tenant": "t"})
    with pytest.raises(DuplicateKeyError):
        await database.collection("rows").insert({"_id": "1", "tenant": "t"})


@pytest.mark.parametrize("operation", ["insert_many", "update_many", "delete_many", "bulk_write"])
async def test_a_crash_between_two_documents_leaves_the_first_ones_done(operation: str) -> None:
    """Of four, two are done when the second break comes."""
    database = MemoryDatabase(point=failing(f"rows.{operation}.between", Crash(), time=2))
    rows, later = database.collection("rows"), _rows(database)
    four = [{"_id": str(number), "tenant": "t", "sequence": 1} for number in range(4)]
    if operation in {"update_many", "delete_many"}:
        await later.insert_many(four)
    calls: dict[str, Callable[[], object]] = {
        "insert_many": lambda: rows.insert_many(four),
        "update_many": lambda: rows.update_all({}, {"$set": {"sequence": 2}}),
        "delete_many": lambda: rows.delete("t", {}),
        "bulk_write": lambda: rows.replace_newest(four),
    }
    with pytest.raises(Crash):
        await calls[operation]()  # type: ignore[misc]  # each of them is a coroutine
    left = {"update_many": {"sequence": 2}}.get(operation, {})
    assert await later.count("t", left) == 2


async def test_an_update_of_many_looks_again_at_what_somebody_changed_in_between() -> None:
    """The second document loses its mark while the first is cleared: it is left alone, as on the server."""
    database = MemoryDatabase()
    rows = _rows(database)
    await rows.insert_many([{"_id": id_, "tenant": "t", "owner": "a"} for id_ in ("1", "2")])

    async def take(name: str) -> None:
        if name == "rows.update_many.between":
            await rows.update({"_id": "2"}, {"$set": {"owner": "b"}})

    relay = MemoryDatabase(database.storage, take).collection("rows")
    assert await relay.update_all({"owner": "a"}, {"$set": {"owner": None}}) == 1
    assert sorted((raw["_id"], raw["owner"]) for raw in await rows.sweep({})) == [("1", None), ("2", "b")]


async def test_what_the_fake_does_not_know_it_says() -> None:
    """A filter, an update or an index that is new to the code base is no silent mismatch."""
    rows = MemoryDatabase().collection("rows")
    await rows.insert({"_id": "1", "tenant": "t", "tags": [{"a": 1}]})
    with pytest.raises(NotImplementedError):
        await rows.sweep({"$or": [{"a": 1}]})
    with pytest.raises(OperationFailure):
        await rows.sweep({"a": {"$regex": "x"}})
    with pytest.raises(NotImplementedError):
        await rows.update({"_id": "1"}, {"$rename": {"a": "b"}})
    with pytest.raises(NotImplementedError):
        await rows.update({"_id": "1"}, {"$set": {"tags.0": 1}})
    with pytest.raises(NotImplementedError):
        await rows.raw.create_index("a", expireAfterSeconds=1)
    await rows.create_indexes([Index((("a", 1),))])


# --- log ------------------------------------------------------------------------------------------------------------


def _entries(*numbers: int) -> list[Entry]:
    return [Entry(str(number), TOPIC, "key", str(number).encode(), []) for number in numbers]


def _values(log: MemoryLog) -> list[int]:
    return [int(record.value or b"") for record in log.records(TOPIC)]


def _log() -> MemoryLog:
    log = MemoryLog()
    log.create(TOPIC)
    return log


def fates(*each: Fate) -> Callable[[Batch], asyncio.Future[Fate]]:
    """One after the other."""
    rest = list(each)

    def next_one(_: Batch) -> asyncio.Future[Fate]:
        future: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        future.set_result(rest.pop(0))
        return future

    return next_one


@pytest.mark.parametrize(
    ("fate", "written", "arrived"),
    [(Fate.UNCONFIRMED, [1, 2], [1, 2]), (Fate.REFUSED, [1], [1]), (Fate.LATE, [1], [1, 2])],
)
async def test_a_send_that_fails_ends_its_partition(fate: Fate, written: list[int], arrived: list[int]) -> None:
    """Of three batches the second fails: the first is acknowledged, the third not sent, the second there or not."""
    log = _log()
    producer = MemoryProducer(log, fate=fates(Fate.TAKEN, fate), batch_records=1)
    assert await producer.send(_entries(1, 2, 3)) == {0}
    assert _values(log) == written
    producer.arrive()
    assert _values(log) == arrived


async def test_a_late_send_comes_behind_what_was_sent_meanwhile() -> None:
    """The late old state that compaction would keep: the flaw that healing is there for."""
    log = _log()
    slow, quick = MemoryProducer(log, fate=fates(Fate.LATE)), MemoryProducer(log)
    assert await slow.send(_entries(1)) == set()
    assert await quick.send(_entries(2)) == {0}
    slow.arrive()
    log.compact(TOPIC)
    assert _values(log) == [1]


async def test_a_single_record_that_fails_says_to_try_again() -> None:
    """As the real producer names it."""
    producer = MemoryProducer(_log(), fate=fates(Fate.REFUSED))
    with pytest.raises(TransientError):
        await producer.send_raw(TOPIC, b"key", b"1", [])


@pytest.mark.parametrize(("moment", "written"), [("before", []), ("after", [1])])
async def test_a_crash_around_a_send_leaves_it_unsent_or_sent(moment: str, written: list[int]) -> None:
    """What the broker holds when the process is gone."""
    log = _log()
    place = log.partition_for(TOPIC, b"key")
    producer = MemoryProducer(log, failing(f"producer.{TOPIC}-{place}.{moment}", Crash()))
    with pytest.raises(Crash):
        await producer.send(_entries(1))
    assert _values(log) == written


# --- together -------------------------------------------------------------------------------------------------------


async def test_the_relay_publishes_from_one_fake_to_the_other_and_clears() -> None:
    """A fact and the newest state, in this order; afterwards nothing is owed and the fake holds no mark."""
    log, database = _log(), MemoryDatabase()
    rows = database.collection("rows")
    fact, state = (entry.to_raw() for entry in _entries(1, 2))
    owed = {"events": [fact], "slots": {"coins": state}, "unsent": ["coins"], "work": [], "pending": 5}
    await rows.insert({"_id": "key", "tenant": "t", "revision": "r", "relay_owner": "one-0", **owed})
    relay = Relay(rows, MemoryProducer(log), "one-0")
    assert await relay.publish(await relay.read(["key"])) == {"key"}
    assert await relay.clear({"key": "r"}) == set()
    assert _values(log) == [1, 2]
    left = await rows.find_one("t", {"_id": "key"})
    assert left is not None
    assert (left["events"], left["unsent"], left["relay_owner"], "pending" in left) == ([], [], None, False)
