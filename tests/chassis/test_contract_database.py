"""One specification of the database for the fake and for both drivers on the real server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from chassis.aggregate import Aggregate
from chassis.documents import AlreadyExistsError, Documents, Fence
from chassis.errors import PreconditionError, StaleError, TransientError
from chassis.mongo import Collection, Database, Index, connect
from chassis.settings import Settings
from fakes.database import MemoryDatabase
from local import database as database_server
from local.ports import Ports
from pymongo.errors import DuplicateKeyError, OperationFailure, ServerSelectionTimeoutError, WriteError

pytestmark = pytest.mark.connected

TENANT = "acme"
OTHER = "globex"
FAST = "SecantusDB (fast)"
CLOSED_PORT = "mongodb://127.0.0.1:9/?retryWrites=false"


@dataclass
class Stage:
    """One implementation: its empty database, one whose server is away, and the server's name."""

    database: Database
    away: Database
    server: str


async def _away(_: str) -> None:
    raise ServerSelectionTimeoutError


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def stage(request: pytest.FixtureRequest, database: str, state: Path, ports: Ports) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield Stage(MemoryDatabase(), MemoryDatabase(point=_away), "memory")
        return
    driver: Literal["motor", "pymongo"] = request.param
    prefix = f"t{uuid.uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        there = Settings(mongo=database, driver=driver, database_prefix=prefix)
        gone = Settings(mongo=CLOSED_PORT, driver=driver, database_prefix=prefix)
        opened = await stack.enter_async_context(connect(there, "contract"))
        unreachable = await stack.enter_async_context(connect(gone, "contract"))
        yield Stage(opened, unreachable, database_server.choose(state, ports).name)
        await opened.drop()


@pytest.fixture
def people(stage: Stage) -> Collection:
    return stage.database.collection("people")


async def _ids(people: Collection, filter_: dict[str, Any]) -> list[str]:
    return sorted(raw["_id"] for raw in await people.sweep(filter_))


async def _stored(people: Collection, id_: str) -> dict[str, Any]:
    found = await people.sweep({"_id": id_})
    assert len(found) == 1
    return found[0]


def _person(id_: str, tenant: str = TENANT, **fields: Any) -> dict[str, Any]:
    return {"_id": id_, "tenant": tenant, **fields}


# --- compare-and-set ------------------------------------------------------------------------------------------------


async def test_of_many_writers_that_read_the_same_revision_one_wins(people: Collection) -> None:
    """Eight updates guarded by revision "1": one matches, and the document is what that one wrote."""
    await people.insert(_person("ada", revision="1", relay_owner=None))
    guard = {"_id": "ada", "revision": "1", "relay_owner": None}
    matched = await asyncio.gather(
        *(people.update(guard, {"$set": {"revision": f"by-{number}"}}) for number in range(8))
    )
    assert sorted(matched) == [0, 0, 0, 0, 0, 0, 0, 1]
    assert (await _stored(people, "ada"))["revision"] == f"by-{matched.index(1)}"


async def test_a_guard_of_none_matches_a_missing_field_too(people: Collection) -> None:
    """A document that was never owned has no `relay_owner`; the guard reads it as None."""
    await people.insert(_person("missing"))
    await people.insert(_person("null", relay_owner=None))
    await people.insert(_person("owned", relay_owner="one-0"))
    assert await _ids(people, {"relay_owner": None}) == ["missing", "null"]
    assert await people.update({"_id": "missing", "relay_owner": None}, {"$set": {"relay_owner": "two-0"}}) == 1
    assert await people.update({"_id": "owned", "relay_owner": None}, {"$set": {"relay_owner": "two-0"}}) == 0


async def test_an_update_that_changes_nothing_still_matches(people: Collection) -> None:
    """A second identical update reports a match: a lost answer may be asked for again."""
    await people.insert(_person("ada", coins=1))
    assert await people.update({"_id": "ada"}, {"$set": {"coins": 1}}) == 1
    assert await people.update({"_id": "bob"}, {"$set": {"coins": 1}}) == 0


# --- documents: fences, creation, conflicts -------------------------------------------------------------------------


class Jar(Aggregate):
    """A jar of coins with a name of its own."""

    name: str = ""
    coins: int = 0

    def drop(self) -> int:
        self.coins += 1
        return self.coins

    def paint(self, name: str) -> None:
        self.name = name


class Idle:
    """An owner with nothing to publish."""

    service = "contract"
    instance = "contract-0"

    def wake(self, collection: Collection, document_id: str) -> None:
        raise AssertionError(f"{document_id} of {collection.name} said something")

    async def settle(self, collection: Collection, document_id: str, *, seconds: float) -> bool:
        raise AssertionError(f"{document_id} of {collection.name} is settled for {seconds} s")


@pytest.fixture
async def jars(stage: Stage) -> Documents[Jar]:
    documents = Documents(
        stage.database.collection("jars"), Jar, Idle(), [Index((("tenant", 1), ("name", 1)), unique=True)]
    )
    await documents.migrate()
    return documents


def _drop_for(jars: Documents[Jar], stream: str, key: str, sequence: int) -> Awaitable[int]:
    return jars.change(
        TENANT, "j", Jar.drop, fence=Fence(stream, key, sequence), create=lambda: Jar(id="j", tenant=TENANT)
    )


async def test_a_fence_lets_each_event_through_once_and_nothing_older(jars: Documents[Jar]) -> None:
    """Per stream and key: 2 creates, 2 and 1 are stale, 3 applies; another key starts on its own."""
    assert await _drop_for(jars, "notice", "a.b$c", 2) == 1
    for stale in (2, 1):
        with pytest.raises(StaleError):
            await _drop_for(jars, "notice", "a.b$c", stale)
    assert await _drop_for(jars, "notice", "a.b$c", 3) == 2
    assert await _drop_for(jars, "notice", "a.b", 1) == 3
    assert await _drop_for(jars, "mentorship", "a.b$c", 1) == 4


async def test_of_two_deliveries_of_one_event_at_once_one_is_applied(jars: Documents[Jar]) -> None:
    """Whoever loses the compare-and-set reads again and meets the fence; also when both create."""
    for sequence in (1, 2, 3):
        results = await asyncio.gather(
            *(_drop_for(jars, "notice", "k", sequence) for _ in range(4)), return_exceptions=True
        )
        assert [result for result in results if isinstance(result, int)] == [sequence]
        assert sum(isinstance(result, StaleError) for result in results) == 3


async def test_no_change_is_lost_between_concurrent_commands(jars: Documents[Jar]) -> None:
    """Six drops at once make six coins."""
    await jars.insert(Jar(id="j", tenant=TENANT))
    results = await asyncio.gather(*(jars.change(TENANT, "j", Jar.drop) for _ in range(6)))
    assert sorted(results) == [1, 2, 3, 4, 5, 6]
    assert (await jars.load(TENANT, "j")).coins == 6


async def test_a_command_on_an_older_revision_is_refused(jars: Documents[Jar]) -> None:
    """`if_match` holds the tag of the read; after a change it no longer fits."""
    await jars.insert(Jar(id="j", tenant=TENANT))
    seen = (await jars.load(TENANT, "j")).etag
    await jars.change(TENANT, "j", Jar.drop, if_match=seen)
    with pytest.raises(PreconditionError):
        await jars.change(TENANT, "j", Jar.drop, if_match=seen)


async def test_a_taken_unique_value_is_refused_on_insert_and_on_change(jars: Documents[Jar]) -> None:
    """The tenant is a part of the index: the same name in another tenant is free."""
    await jars.insert(Jar(id="1", tenant=TENANT, name="red"))
    await jars.insert(Jar(id="2", tenant=OTHER, name="red"))
    await jars.insert(Jar(id="3", tenant=TENANT, name="blue"))
    with pytest.raises(AlreadyExistsError):
        await jars.insert(Jar(id="4", tenant=TENANT, name="red"))

    with pytest.raises(AlreadyExistsError):
        await jars.change(TENANT, "3", lambda jar: jar.paint("red"))
    with pytest.raises(AlreadyExistsError):
        await jars.change(TENANT, "5", lambda jar: jar.paint("red"), create=lambda: Jar(id="5", tenant=TENANT))
    assert (await jars.load(TENANT, "3")).name == "blue"
    assert await jars.get(TENANT, "5") is None


async def test_a_unique_value_is_free_again_after_a_delete(jars: Documents[Jar]) -> None:
    """The next may have it."""
    await jars.insert(Jar(id="1", tenant=TENANT, name="red"))
    await jars.collection.delete(TENANT, {"_id": "1"})
    await jars.insert(Jar(id="2", tenant=TENANT, name="red"))
    assert [each.id for each in await jars.find(TENANT, {"name": "red"})] == ["2"]


async def test_a_unique_value_is_free_again_after_a_change(
    jars: Documents[Jar], stage: Stage, request: pytest.FixtureRequest
) -> None:
    """Who gives a name up leaves it to the next, old or new."""
    if stage.server == FAST:
        reason = "the fast server keeps the index entry of a value that an update replaced, and refuses it to inserts"
        request.applymarker(pytest.mark.xfail(raises=AlreadyExistsError, strict=True, reason=reason))
    await jars.insert(Jar(id="1", tenant=TENANT, name="red"))
    await jars.insert(Jar(id="2", tenant=TENANT, name="blue"))
    await jars.change(TENANT, "1", lambda jar: jar.paint("green"))
    await jars.change(TENANT, "2", lambda jar: jar.paint("red"))
    await jars.insert(Jar(id="3", tenant=TENANT, name="blue"))
    assert {each.id: each.name for each in await jars.find(TENANT, {})} == {"1": "green", "2": "red", "3": "blue"}


# --- unique and sparse indexes --------------------------------------------------------------------------------------


async def test_a_missing_value_is_a_value_of_a_unique_index(people: Collection) -> None:
    """None and missing collide with each other within a tenant."""
    await people.create_indexes([Index((("tenant", 1), ("email", 1)), unique=True)])
    await people.insert(_person("1"))
    for second in (_person("2"), _person("2", email=None)):
        with pytest.raises(DuplicateKeyError):
            await people.insert(second)


async def test_a_sparse_unique_index_leaves_out_who_has_no_value(people: Collection) -> None:
    """Any number may have none; two may not have the same."""
    await people.create_indexes([Index((("email", 1),), unique=True, sparse=True)])
    await people.insert(_person("1"))
    await people.insert(_person("2"))
    await people.insert(_person("3", email="a@example.org"))
    with pytest.raises(DuplicateKeyError):
        await people.update({"_id": "1"}, {"$set": {"email": "a@example.org"}})
    assert "email" not in await _stored(people, "1")


async def test_a_sweep_over_a_sparse_index_finds_only_what_is_due(people: Collection) -> None:
    """`pending` between 1 and 100: not the later one, not 0, not the ones without."""
    await people.create_indexes([Index((("pending", 1),), sparse=True)])
    for id_, pending in {"due": 100, "later": 101, "never": 0}.items():
        await people.insert(_person(id_, pending=pending))
    await people.insert(_person("none"))
    await people.insert(_person("cleared", pending=50))
    assert await people.update({"_id": "cleared"}, {"$set": {"events": []}, "$unset": {"pending": ""}}) == 1
    assert await _ids(people, {"pending": {"$gt": 0, "$lte": 100}}) == ["due"]


async def test_creating_an_index_again_changes_nothing_and_other_options_are_refused(people: Collection) -> None:
    """`migrate` runs at every start; a changed index needs a migration of its own."""
    await people.create_indexes([Index((("email", 1),), unique=True)])
    await people.create_indexes([Index((("email", 1),), unique=True)])
    with pytest.raises(OperationFailure) as refused:
        await people.create_indexes([Index((("email", 1),))])
    assert refused.value.code == 86


# --- inserting many -------------------------------------------------------------------------------------------------


async def test_insert_many_names_the_refused_and_stores_the_rest(people: Collection) -> None:
    """Refused are an id that is there, a unique value that is there, and the second of two equal ones in the batch."""
    await people.create_indexes([Index((("email", 1),), unique=True)])
    await people.insert(_person("old", email="old@example.org", revision="0"))
    batch = [
        _person("1", email="1@example.org", revision="a"),
        _person("old", email="2@example.org", revision="b"),
        _person("3", email="old@example.org", revision="c"),
        _person("4", email="4@example.org", revision="d"),
        _person("5", email="4@example.org", revision="e"),
    ]
    assert sorted(await people.insert_many(batch)) == ["3", "5", "old"]
    assert await _ids(people, {}) == ["1", "4", "old"]
    assert (await _stored(people, "old"))["revision"] == "0"


async def test_insert_many_of_only_known_documents_refuses_them_all(people: Collection) -> None:
    """A repeated batch stores nothing and says so; the first writer's content stays."""
    assert await people.insert_many([_person("1", by="first"), _person("2", by="first")]) == []
    assert sorted(await people.insert_many([_person("1", by="second"), _person("2", by="second")])) == ["1", "2"]
    assert {raw["by"] for raw in await people.sweep({})} == {"first"}


async def _given_up(people: Collection, value: int) -> None:
    """Let an update give a unique value up: a server that holds it for taken refuses a whole batch with one error."""
    await people.create_indexes([Index((("tenant", 1), ("n", 1)), unique=True)])
    await people.insert(_person("old", revision="0", n=value, sequence=1))
    await people.replace_newest([_person("old", revision="1", n=100, sequence=2)])


async def test_a_batch_that_is_refused_as_a_whole_is_inserted_one_by_one(people: Collection) -> None:
    """Either way the new documents are stored, and the one that was there before counts as refused."""
    await _given_up(people, 9)
    batch = [_person(id_, revision="2", n=n) for id_, n in (("1", 1), ("old", 4), ("2", 2), ("maybe", 9))]
    assert set(await people.insert_many(batch)) - {"maybe"} == {"old"}
    assert [id_ for id_ in await _ids(people, {}) if id_ != "maybe"] == ["1", "2", "old"]
    assert await _stored(people, "old") == _person("old", revision="1", n=100, sequence=2)


async def test_a_row_without_a_revision_that_was_there_counts_as_refused(
    people: Collection, stage: Stage, request: pytest.FixtureRequest
) -> None:
    """A claim that somebody else holds must not be taken for one's own: it would be acted on twice."""
    if stage.server == FAST:
        reason = "after a whole batch was refused, any stored row of the same id counts as inserted just now"
        request.applymarker(pytest.mark.xfail(raises=AssertionError, strict=True, reason=reason))
    await _given_up(people, 9)
    await people.insert(_person("claim", n=5, by="somebody"))
    assert "claim" in await people.insert_many([_person("claim", n=6, by="me"), _person("maybe", n=9)])


async def test_of_several_who_insert_the_same_documents_each_is_refused_or_first(people: Collection) -> None:
    """Four claim the same five: every document has one winner."""
    batches = [[_person(str(number), by=claimer) for number in range(5)] for claimer in range(4)]
    refused = await asyncio.gather(*(people.insert_many(batch) for batch in batches))
    won = [id_ for lost in refused for id_ in ("0", "1", "2", "3", "4") if id_ not in lost]
    assert sorted(won) == ["0", "1", "2", "3", "4"]
    for id_ in won:
        assert id_ not in refused[(await _stored(people, id_))["by"]]


# --- newest rows, guarded clearing ----------------------------------------------------------------------------------


async def test_replace_newest_keeps_the_highest_sequence_whatever_the_order(people: Collection) -> None:
    """New rows are stored, newer ones replace the whole row, older and equal ones change nothing."""
    await people.replace_newest([_person("a", sequence=1, colour="red"), _person("b", sequence=5, colour="red")])
    await people.replace_newest(
        [
            _person("a", sequence=2, shape="round"),
            _person("b", sequence=4, colour="blue"),
            _person("c", sequence=1, colour="blue"),
        ]
    )
    await people.replace_newest([_person("b", sequence=5, colour="blue")])
    assert await _stored(people, "a") == _person("a", sequence=2, shape="round")
    assert await _stored(people, "b") == _person("b", sequence=5, colour="red")
    assert await _stored(people, "c") == _person("c", sequence=1, colour="blue")


async def test_replace_newest_settles_two_writers_of_the_same_rows(people: Collection) -> None:
    """Whoever is faster, the row ends at the higher sequence."""
    older = [_person(str(number), sequence=1) for number in range(10)]
    newer = [_person(str(number), sequence=2) for number in range(10)]
    await asyncio.gather(people.replace_newest(older), people.replace_newest(newer))
    assert {raw["sequence"] for raw in await people.sweep({})} == {2}


async def test_clearing_a_hundred_leaves_out_who_moved_on_and_who_was_taken_over(people: Collection) -> None:
    """Guarded by ids, revisions and the mark: 98 of 100 match, the other two keep what they owe."""
    batch = [
        _person(f"{n:03}", revision=f"r{n}", relay_owner="one-0", pending=7, events=[{"id": n}]) for n in range(100)
    ]
    assert await people.insert_many(batch) == []
    assert await people.update(
        {"_id": "003"}, {"$set": {"revision": "new"}, "$push": {"events": {"$each": [{"id": 1}]}}}
    )
    assert await people.update({"_id": "005"}, {"$set": {"relay_owner": "two-0"}})
    guard = {
        "_id": {"$in": [raw["_id"] for raw in batch]},
        "revision": {"$in": [raw["revision"] for raw in batch]},
        "relay_owner": "one-0",
    }
    cleared = {"$set": {"events": [], "relay_owner": None}, "$unset": {"pending": ""}}
    assert await people.update_all(guard, cleared) == 98
    assert await _ids(people, {"pending": {"$gt": 0}}) == ["003", "005"]
    assert (await _stored(people, "003"))["events"] == [{"id": 3}, {"id": 1}]
    assert await _stored(people, "004") == _person("004", revision="r4", relay_owner=None, events=[])


async def test_several_different_updates_go_in_one_call(people: Collection) -> None:
    """Each meets its own filter; one that matches nothing hinders none."""
    await people.insert_many([_person("1", coins=1), _person("2", coins=1)])
    await people.update_each(
        [
            ({"_id": "1"}, {"$inc": {"coins": 1}}),
            ({"_id": "9"}, {"$inc": {"coins": 1}}),
            ({"_id": "2", "coins": 1}, {"$set": {"coins": 5}}),
        ]
    )
    assert [raw["coins"] for raw in sorted(await people.sweep({}), key=lambda raw: str(raw["_id"]))] == [2, 5]


# --- filters, updates, projections ----------------------------------------------------------------------------------

SAMPLE = [
    _person("one", n=1, flag=True, tags=["a", "b"], place={"city": "Bern"}),
    _person("two", n=2.5, flag=1, tags=[{"k": 1}], place={"city": None}),
    _person("text", n="1", flag=False, tags=[]),
    _person("none", n=None),
]
FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"n": 1}, ["one"]),
    ({"n": 1.0}, ["one"]),
    ({"n": None}, ["none"]),
    ({"flag": True}, ["one"]),
    ({"flag": 1}, ["two"]),
    ({"flag": None}, ["none"]),
    ({"n": {"$ne": 1}}, ["none", "text", "two"]),
    ({"flag": {"$ne": None}}, ["one", "text", "two"]),
    ({"n": {"$gt": 0}}, ["one", "two"]),
    ({"n": {"$gte": 1, "$lt": 2.5}}, ["one"]),
    ({"n": {"$lte": "2"}}, ["text"]),
    ({"n": {"$in": [None, 2.5, "nobody"]}}, ["none", "two"]),
    ({"n": {"$in": []}}, []),
    ({"tags": "a"}, ["one"]),
    ({"tags": ["a", "b"]}, ["one"]),
    ({"tags": ["b", "a"]}, []),
    ({"tags": {"$ne": "a"}}, ["none", "text", "two"]),
    ({"tags": {"$in": ["b", "c"]}}, ["one"]),
    ({"tags.k": 1}, ["two"]),
    ({"place.city": "Bern"}, ["one"]),
    ({"place.city": None}, ["none", "text", "two"]),
    ({"place": {"city": "Bern"}}, ["one"]),
    ({"_id": {"$in": ["one", "two", "one", "nobody"]}, "n": {"$gt": 1}}, ["two"]),
]


async def test_filters_mean_the_same_everywhere(people: Collection) -> None:
    """Types are told apart, None is like missing, an array matches by its elements, paths go into objects."""
    assert await people.insert_many(SAMPLE) == []
    assert [(filter_, await _ids(people, filter_)) for filter_, _ in FILTERS] == FILTERS


async def test_an_unknown_operator_is_an_error(people: Collection) -> None:
    """A typing mistake must not match nothing in silence."""
    await people.insert(SAMPLE[0])
    with pytest.raises(OperationFailure) as refused:
        await people.sweep({"n": {"$greater": 1}})
    assert refused.value.code == 2


async def test_updates_mean_the_same_everywhere(people: Collection) -> None:
    """Missing objects and arrays come into being, the rest of the document stays."""
    await people.insert(_person("ada", tags=[1, 2, 1], work=[{"id": "a", "at": 1}, {"id": "b", "at": 2}]))
    for update in (
        {"$set": {"place.city": "Bern", "sequences.notice": 3}, "$inc": {"coins": 2, "place.visits": 1}},
        {"$push": {"tags": 3, "log": {"$each": ["x", "y"]}, "deep.log": {"$each": []}}, "$inc": {"coins": -1}},
        {"$pull": {"tags": 1, "work": {"id": {"$in": ["a", "z"]}}, "nowhere": 1}},
        {"$unset": {"sequences.notice": "", "nowhere.at.all": ""}},
    ):
        assert await people.update({"_id": "ada"}, update) == 1
    assert await _stored(people, "ada") == _person(
        "ada",
        tags=[2, 3],
        work=[{"id": "b", "at": 2}],
        place={"city": "Bern", "visits": 1},
        sequences={},
        coins=1,
        log=["x", "y"],
        deep={"log": []},
    )


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"$push": {"name": 1}}, 2),
        ({"$inc": {"name": 1}}, 14),
        ({"$set": {"name.first": "A"}}, 28),
        ({"$set": {"place": 1}, "$unset": {"place.city": ""}}, 40),
        ({"$set": {"_id": "bob"}}, 66),
    ],
)
async def test_an_update_that_does_not_fit_is_refused_as_a_bug(people: Collection, update: Any, code: int) -> None:
    """It is no fault that passes: it reaches the caller under the driver's name, and changes nothing."""
    await people.insert(_person("ada", name="Ada"))
    with pytest.raises(WriteError) as refused:
        await people.update({"_id": "ada"}, update)
    assert refused.value.code == code
    assert await _stored(people, "ada") == _person("ada", name="Ada")


async def test_an_upsert_starts_from_the_equalities_of_its_filter(people: Collection) -> None:
    """The second time it updates; when the filter doesn't fit the document that is there, its id collides."""
    beat = {"_id": "one-0", "tenant": TENANT, "beat": {"$lt": 5}}
    assert await people.update(beat, {"$set": {"beat": 1}}, upsert=True) == 0
    assert await _stored(people, "one-0") == _person("one-0", beat=1)
    assert await people.update(beat, {"$set": {"beat": 9}}, upsert=True) == 1
    with pytest.raises(DuplicateKeyError):
        await people.update(beat, {"$set": {"beat": 2}}, upsert=True)


async def test_a_projection_keeps_the_named_fields_and_the_id(people: Collection) -> None:
    """Paths keep their objects; fields that are missing stay missing."""
    await people.insert(
        _person("ada", revision="1", place={"city": "Bern", "street": "x"}, work=[{"id": 1, "kind": "k"}])
    )
    await people.insert(_person("bob"))
    shape = {"revision": 1, "place.city": 1, "work.id": 1}
    found = sorted(await people.sweep({}, projection=shape), key=lambda raw: str(raw["_id"]))
    assert found == [
        {"_id": "ada", "revision": "1", "place": {"city": "Bern"}, "work": [{"id": 1}]},
        {"_id": "bob"},
    ]


async def test_a_limit_bounds_what_is_read(people: Collection) -> None:
    """Of five at most three; of five at most nine are five."""
    await people.insert_many([_person(str(number)) for number in range(5)])
    assert len(await people.sweep({}, limit=3)) == 3
    assert len(await people.find(TENANT, {}, limit=9)) == 5


# --- values ---------------------------------------------------------------------------------------------------------


async def test_values_come_back_in_the_stored_form(people: Collection) -> None:
    """Bytes stay bytes, tuples become lists, times are UTC with milliseconds, big integers survive."""
    moment = datetime(2026, 5, 4, 3, 2, 1, 123_456, tzinfo=UTC)
    await people.insert(_person("ada", body=b"\x00\xff", pair=(1, "a"), at=moment, big=2**62, ratio=0.1, text="ü·§"))
    stored = await _stored(people, "ada")
    assert stored == _person(
        "ada", body=b"\x00\xff", pair=[1, "a"], at=moment.replace(microsecond=123_000), big=2**62, ratio=0.1, text="ü·§"
    )
    assert isinstance(stored["body"], bytes)


async def test_what_a_caller_holds_is_not_what_is_stored(people: Collection) -> None:
    """Changing an inserted, a written or a read document changes nothing in the database."""
    ada, tags = _person("ada", tags=["a"]), ["b"]
    await people.insert(ada)
    ada["tags"].append("mine")
    await people.update({"_id": "ada"}, {"$set": {"more": tags}})
    tags.append("mine")
    (await _stored(people, "ada"))["tags"].append("mine")
    found = await people.find_one(TENANT, {"_id": "ada"})
    assert found is not None
    found["more"].clear()
    assert await _stored(people, "ada") == _person("ada", tags=["a"], more=["b"])


# --- tenants --------------------------------------------------------------------------------------------------------


async def test_a_tenant_sees_counts_and_deletes_its_own_only(people: Collection) -> None:
    """A filter that names another tenant is overruled by the call's."""
    await people.insert_many([_person("1"), _person("2"), _person("3", OTHER)])
    assert await people.find_one(TENANT, {"_id": "3"}) is None
    assert [raw["_id"] for raw in await people.find(OTHER, {"tenant": TENANT})] == ["3"]
    assert (await people.count(TENANT, {}), await people.count(OTHER, {}), await people.count("x", {})) == (2, 1, 0)
    await people.delete(OTHER, {"_id": "1"})
    await people.delete(TENANT, {"tenant": OTHER})
    assert await _ids(people, {}) == ["3"]


# --- renaming and faults --------------------------------------------------------------------------------------------


async def test_a_renamed_collection_takes_its_documents_and_indexes_along(stage: Stage, people: Collection) -> None:
    """Onto one that exists only when that one may go."""
    await people.create_indexes([Index((("email", 1),), unique=True)])
    await people.insert(_person("1", email="1"))
    other = stage.database.collection("others")
    await other.insert(_person("2"))
    with pytest.raises(OperationFailure) as refused:
        await people.raw.rename("others")
    assert refused.value.code == 48
    await people.raw.rename("others", dropTarget=True)
    assert (await _ids(people, {}), await _ids(other, {})) == ([], ["1"])
    with pytest.raises(DuplicateKeyError):
        await other.insert(_person("3", email="1"))


CALLS: list[Callable[[Collection], Awaitable[Any]]] = [
    lambda people: people.find_one(TENANT, {"_id": "1"}),
    lambda people: people.find(TENANT, {}),
    lambda people: people.count(TENANT, {}),
    lambda people: people.insert(_person("1")),
    lambda people: people.insert_many([_person("1")]),
    lambda people: people.update({"_id": "1"}, {"$set": {"a": 1}}),
    lambda people: people.update_all({}, {"$set": {"a": 1}}),
    lambda people: people.replace_newest([_person("1", sequence=1)]),
    lambda people: people.delete(TENANT, {}),
]


async def test_while_the_server_is_away_every_call_says_to_try_again(stage: Stage) -> None:
    """The drivers' many connection errors have one name; at once, so that the test waits for one time limit."""
    away = stage.away.collection("people")
    away.gate = asyncio.Semaphore(len(CALLS))
    results = await asyncio.gather(*(call(away) for call in CALLS), stage.away.ping(), return_exceptions=True)
    assert [type(result) for result in results] == [TransientError] * (len(CALLS) + 1)
