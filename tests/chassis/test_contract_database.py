"""One specification of the database for the fake and for both drivers on the real server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from chassis.errors import PreconditionError, StaleError, TransientError
from chassis.state.aggregate import Aggregate
from chassis.state.documents import AlreadyExistsError, Documents, Fence
from chassis.state.mongo import Collection, Index
from database_stage import FAST, OTHER, TENANT, Stage, ids, person, stored
from pymongo.errors import DuplicateKeyError, OperationFailure

pytestmark = pytest.mark.connected


# --- compare-and-set ------------------------------------------------------------------------------------------------


async def test_of_many_writers_that_read_the_same_revision_one_wins(people: Collection) -> None:
    """Eight updates guarded by revision "1": one matches, and the document is what that one wrote."""
    await people.insert(person("ada", revision="1", relay_owner=None))
    guard = {"_id": "ada", "revision": "1", "relay_owner": None}
    matched = await asyncio.gather(
        *(people.update(guard, {"$set": {"revision": f"by-{number}"}}) for number in range(8))
    )
    assert sorted(matched) == [0, 0, 0, 0, 0, 0, 0, 1]
    assert (await stored(people, "ada"))["revision"] == f"by-{matched.index(1)}"


async def test_a_guard_of_none_matches_a_missing_field_too(people: Collection) -> None:
    """A document that was never owned has no `relay_owner`; the guard reads it as None."""
    await people.insert(person("missing"))
    await people.insert(person("null", relay_owner=None))
    await people.insert(person("owned", relay_owner="one-0"))
    assert await ids(people, {"relay_owner": None}) == ["missing", "null"]
    assert await people.update({"_id": "missing", "relay_owner": None}, {"$set": {"relay_owner": "two-0"}}) == 1
    assert await people.update({"_id": "owned", "relay_owner": None}, {"$set": {"relay_owner": "two-0"}}) == 0


async def test_an_update_that_changes_nothing_still_matches(people: Collection) -> None:
    """A second identical update reports a match: a lost answer may be asked for again."""
    await people.insert(person("ada", coins=1))
    assert await people.update({"_id": "ada"}, {"$set": {"coins": 1}}) == 1
    assert await people.update({"_id": "bob"}, {"$set": {"coins": 1}}) == 0
    assert (await people.raw.update_one({"_id": "ada"}, {"$set": {"coins": 1}})).modified_count == 0
    assert (await people.raw.update_one({"_id": "ada"}, {"$set": {"coins": 2}})).modified_count == 1


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
    """Per stream and key: 2 creates, 2 and 1 are stale, 3 applies once; another key starts on its own."""
    assert await _drop_for(jars, "notice", "a.b$c", 2) == 1
    for stale in (2, 1):
        with pytest.raises(StaleError):
            await _drop_for(jars, "notice", "a.b$c", stale)
    assert await _drop_for(jars, "notice", "a.b$c", 3) == 2
    with pytest.raises(StaleError):
        await _drop_for(jars, "notice", "a.b$c", 3)
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
    await people.insert(person("1"))
    for second in (person("2"), person("2", email=None)):
        with pytest.raises(DuplicateKeyError):
            await people.insert(second)


async def test_a_sparse_unique_index_leaves_out_who_has_no_value(people: Collection) -> None:
    """Any number may have none; two may not have the same."""
    await people.create_indexes([Index((("email", 1),), unique=True, sparse=True)])
    await people.insert(person("1"))
    await people.insert(person("2"))
    await people.insert(person("3", email="a@example.org"))
    with pytest.raises(DuplicateKeyError):
        await people.update({"_id": "1"}, {"$set": {"email": "a@example.org"}})
    assert "email" not in await stored(people, "1")


async def test_a_sweep_over_a_sparse_index_finds_only_what_is_due(people: Collection) -> None:
    """`pending` between 1 and 100: not the later one, not 0, not the ones without."""
    await people.create_indexes([Index((("pending", 1),), sparse=True)])
    for id_, pending in {"due": 100, "later": 101, "never": 0}.items():
        await people.insert(person(id_, pending=pending))
    await people.insert(person("none"))
    await people.insert(person("cleared", pending=50))
    assert await people.update({"_id": "cleared"}, {"$set": {"events": []}, "$unset": {"pending": ""}}) == 1
    assert await ids(people, {"pending": {"$gt": 0, "$lte": 100}}) == ["due"]


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
    await people.insert(person("old", email="old@example.org", revision="0"))
    batch = [
        person("1", email="1@example.org", revision="a"),
        person("old", email="2@example.org", revision="b"),
        person("3", email="old@example.org", revision="c"),
        person("4", email="4@example.org", revision="d"),
        person("5", email="4@example.org", revision="e"),
    ]
    assert sorted(await people.insert_many(batch)) == ["3", "5", "old"]
    assert await ids(people, {}) == ["1", "4", "old"]
    assert (await stored(people, "old"))["revision"] == "0"


async def test_insert_many_of_only_known_documents_refuses_them_all(people: Collection) -> None:
    """A repeated batch stores nothing and says so; the first writer's content stays."""
    assert await people.insert_many([person("1", by="first"), person("2", by="first")]) == []
    assert sorted(await people.insert_many([person("1", by="second"), person("2", by="second")])) == ["1", "2"]
    assert {raw["by"] for raw in await people.sweep({})} == {"first"}


async def _given_up(people: Collection, value: int) -> None:
    """Let an update give a unique value up: a server that holds it for taken refuses a whole batch with one error."""
    await people.create_indexes([Index((("tenant", 1), ("n", 1)), unique=True)])
    await people.insert(person("old", revision="0", n=value, sequence=1))
    await people.replace_newest([person("old", revision="1", n=100, sequence=2)])


async def test_a_batch_that_is_refused_as_a_whole_is_inserted_one_by_one(people: Collection) -> None:
    """Either way the new documents are stored, and the one that was there before counts as refused."""
    await _given_up(people, 9)
    batch = [person(id_, revision="2", n=n) for id_, n in (("1", 1), ("old", 4), ("2", 2), ("maybe", 9))]
    assert set(await people.insert_many(batch)) - {"maybe"} == {"old"}
    assert [id_ for id_ in await ids(people, {}) if id_ != "maybe"] == ["1", "2", "old"]
    assert await stored(people, "old") == person("old", revision="1", n=100, sequence=2)


async def test_a_row_without_a_revision_that_was_there_counts_as_refused(people: Collection) -> None:
    """A claim that somebody else holds must not be taken for one's own: it would be acted on twice."""
    await _given_up(people, 9)
    await people.insert(person("claim", n=5, by="somebody"))
    assert "claim" in await people.insert_many([person("claim", n=6, by="me"), person("maybe", n=9)])


async def test_of_several_who_insert_the_same_documents_each_is_refused_or_first(people: Collection) -> None:
    """Four claim the same five: every document has one winner."""
    batches = [[person(str(number), by=claimer) for number in range(5)] for claimer in range(4)]
    refused = await asyncio.gather(*(people.insert_many(batch) for batch in batches))
    won = [id_ for lost in refused for id_ in ("0", "1", "2", "3", "4") if id_ not in lost]
    assert sorted(won) == ["0", "1", "2", "3", "4"]
    for id_ in won:
        assert id_ not in refused[(await stored(people, id_))["by"]]


# --- newest rows, guarded clearing ----------------------------------------------------------------------------------


async def test_replace_newest_keeps_the_highest_sequence_whatever_the_order(people: Collection) -> None:
    """New rows are stored, newer ones replace the whole row, older and equal ones change nothing."""
    await people.replace_newest([person("a", sequence=1, colour="red"), person("b", sequence=5, colour="red")])
    await people.replace_newest(
        [
            person("a", sequence=2, shape="round"),
            person("b", sequence=4, colour="blue"),
            person("c", sequence=1, colour="blue"),
        ]
    )
    await people.replace_newest([person("b", sequence=5, colour="blue")])
    assert await stored(people, "a") == person("a", sequence=2, shape="round")
    assert await stored(people, "b") == person("b", sequence=5, colour="red")
    assert await stored(people, "c") == person("c", sequence=1, colour="blue")


async def test_replace_newest_settles_two_writers_of_the_same_rows(people: Collection) -> None:
    """Whoever is faster, the row ends at the higher sequence."""
    older = [person(str(number), sequence=1) for number in range(10)]
    newer = [person(str(number), sequence=2) for number in range(10)]
    await asyncio.gather(people.replace_newest(older), people.replace_newest(newer))
    assert {raw["sequence"] for raw in await people.sweep({})} == {2}


async def test_clearing_a_hundred_leaves_out_who_moved_on_and_who_was_taken_over(people: Collection) -> None:
    """Guarded by ids, revisions and the mark: 98 of 100 match, the other two keep what they owe."""
    batch = [
        person(f"{n:03}", revision=f"r{n}", relay_owner="one-0", pending=7, events=[{"id": n}]) for n in range(100)
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
    assert await ids(people, {"pending": {"$gt": 0}}) == ["003", "005"]
    assert (await stored(people, "003"))["events"] == [{"id": 3}, {"id": 1}]
    assert await stored(people, "004") == person("004", revision="r4", relay_owner=None, events=[])


async def test_several_different_updates_go_in_one_call(people: Collection) -> None:
    """Each meets its own filter; one that matches nothing hinders none."""
    await people.insert_many([person("1", coins=1), person("2", coins=1)])
    await people.update_each(
        [
            ({"_id": "1"}, {"$inc": {"coins": 1}}),
            ({"_id": "9"}, {"$inc": {"coins": 1}}),
            ({"_id": "2", "coins": 1}, {"$set": {"coins": 5}}),
        ]
    )
    assert [raw["coins"] for raw in sorted(await people.sweep({}), key=lambda raw: str(raw["_id"]))] == [2, 5]


async def test_removing_takes_the_document_only_while_it_fits(people: Collection) -> None:
    """Guarded like an update: a document that moved on stays."""
    await people.insert(person("ada", sequence=2))
    assert await people.remove({"_id": "ada", "sequence": 1}) == 0
    assert await people.remove({"_id": "ada", "sequence": 2}) == 1
    assert await ids(people, {}) == []


# --- tenants --------------------------------------------------------------------------------------------------------


async def test_a_tenant_sees_counts_and_deletes_its_own_only(people: Collection) -> None:
    """A filter that names another tenant is overruled by the call's."""
    await people.insert_many([person("1"), person("2"), person("3", OTHER)])
    assert await people.find_one(TENANT, {"_id": "3"}) is None
    assert await people.find_one(OTHER, {"_id": "1", "tenant": TENANT}) is None
    assert [raw["_id"] for raw in await people.find(OTHER, {"tenant": TENANT})] == ["3"]
    assert (await people.count(TENANT, {}), await people.count(OTHER, {}), await people.count("x", {})) == (2, 1, 0)
    await people.delete(OTHER, {"_id": "1"})
    await people.delete(TENANT, {"tenant": OTHER})
    assert await ids(people, {}) == ["3"]


# --- renaming and faults --------------------------------------------------------------------------------------------


async def test_a_renamed_collection_takes_its_documents_and_indexes_along(stage: Stage, people: Collection) -> None:
    """Onto one that exists only when that one may go."""
    await people.create_indexes([Index((("email", 1),), unique=True)])
    await people.insert(person("1", email="1"))
    other = stage.database.collection("others")
    await other.insert(person("2"))
    with pytest.raises(OperationFailure) as refused:
        await people.raw.rename("others")
    assert refused.value.code == 48
    await people.raw.rename("others", dropTarget=True)
    assert (await ids(people, {}), await ids(other, {})) == ([], ["1"])
    with pytest.raises(DuplicateKeyError):
        await other.insert(person("3", email="1"))


CALLS: list[Callable[[Collection], Awaitable[Any]]] = [
    lambda people: people.find_one(TENANT, {"_id": "1"}),
    lambda people: people.find(TENANT, {}),
    lambda people: people.count(TENANT, {}),
    lambda people: people.insert(person("1")),
    lambda people: people.insert_many([person("1")]),
    lambda people: people.update({"_id": "1"}, {"$set": {"a": 1}}),
    lambda people: people.update_all({}, {"$set": {"a": 1}}),
    lambda people: people.replace_newest([person("1", sequence=1)]),
    lambda people: people.delete(TENANT, {}),
]


async def test_while_the_server_is_away_every_call_says_to_try_again(stage: Stage) -> None:
    """The drivers' many connection errors have one name; at once, so that the test waits for one time limit."""
    away = stage.away.collection("people")
    away.gate = asyncio.Semaphore(len(CALLS))
    results = await asyncio.gather(*(call(away) for call in CALLS), stage.away.ping(), return_exceptions=True)
    assert [type(result) for result in results] == [TransientError] * (len(CALLS) + 1)
