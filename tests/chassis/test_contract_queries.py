"""One specification of filters, updates and values for the fake and for both drivers on the real server."""

from datetime import UTC, datetime
from typing import Any

import pytest
from chassis.state.mongo import Collection
from database_stage import TENANT, ids, person, stored
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

pytestmark = pytest.mark.connected

SAMPLE = [
    person("one", n=1, flag=True, tags=["a", "b"], place={"city": "Bern"}),
    person("two", n=2.5, flag=1, tags=[{"k": 1}], place={"city": None}),
    person("text", n="1", flag=False, tags=[]),
    person("none", n=None),
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
    assert [(filter_, await ids(people, filter_)) for filter_, _ in FILTERS] == FILTERS


async def test_an_unknown_operator_is_an_error(people: Collection) -> None:
    """A typing mistake must not match nothing in silence."""
    await people.insert(SAMPLE[0])
    with pytest.raises(OperationFailure) as refused:
        await people.sweep({"n": {"$greater": 1}})
    assert refused.value.code == 2


async def test_updates_mean_the_same_everywhere(people: Collection) -> None:
    """Missing objects and arrays come into being, the rest of the document stays."""
    await people.insert(person("ada", tags=[1, 2, 1], work=[{"id": "a", "at": 1}, {"id": "b", "at": 2}]))
    for update in (
        {"$set": {"place.city": "Bern", "sequences.notice": 3}, "$inc": {"coins": 2, "place.visits": 1}},
        {"$push": {"tags": 3, "log": {"$each": ["x", "y"]}, "deep.log": {"$each": []}}, "$inc": {"coins": -1}},
        {"$pull": {"tags": 1, "work": {"id": {"$in": ["a", "z"]}}, "nowhere": 1}},
        {"$unset": {"sequences.notice": "", "nowhere.at.all": ""}},
    ):
        assert await people.update({"_id": "ada"}, update) == 1
    assert await stored(people, "ada") == person(
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
    await people.insert(person("ada", name="Ada"))
    with pytest.raises(WriteError) as refused:
        await people.update({"_id": "ada"}, update)
    assert refused.value.code == code
    assert await stored(people, "ada") == person("ada", name="Ada")


async def test_an_upsert_starts_from_the_equalities_of_its_filter(people: Collection) -> None:
    """The second time it updates; when the filter doesn't fit the document that is there, its id collides."""
    beat = {"_id": "one-0", "tenant": TENANT, "beat": {"$lt": 5}}
    assert await people.update(beat, {"$set": {"beat": 1}}, upsert=True) == 0
    assert await stored(people, "one-0") == person("one-0", beat=1)
    assert await people.update(beat, {"$set": {"beat": 9}}, upsert=True) == 1
    with pytest.raises(DuplicateKeyError):
        await people.update(beat, {"$set": {"beat": 2}}, upsert=True)


async def test_a_projection_keeps_the_named_fields_and_the_id(people: Collection) -> None:
    """Paths keep their objects; fields that are missing stay missing."""
    await people.insert(
        person("ada", revision="1", place={"city": "Bern", "street": "x"}, work=[{"id": 1, "kind": "k"}])
    )
    await people.insert(person("bob"))
    shape = {"revision": 1, "place.city": 1, "work.id": 1}
    found = sorted(await people.sweep({}, projection=shape), key=lambda raw: str(raw["_id"]))
    assert found == [
        {"_id": "ada", "revision": "1", "place": {"city": "Bern"}, "work": [{"id": 1}]},
        {"_id": "bob"},
    ]


async def test_a_limit_bounds_what_is_read(people: Collection) -> None:
    """Of five at most three; of five at most nine are five."""
    await people.insert_many([person(str(number)) for number in range(5)])
    assert len(await people.sweep({}, limit=3)) == 3
    assert len(await people.find(TENANT, {}, limit=9)) == 5
    assert len(await people.raw.find({}).limit(2).to_list(4)) == 2
    assert len(await people.raw.find({}).limit(4).to_list(2)) == 2


# --- values ---------------------------------------------------------------------------------------------------------


async def test_values_come_back_in_the_stored_form(people: Collection) -> None:
    """Bytes stay bytes, tuples become lists, times are UTC with milliseconds, big integers survive."""
    moment = datetime(2026, 5, 4, 3, 2, 1, 123_456, tzinfo=UTC)
    await people.insert(person("ada", body=b"\x00\xff", pair=(1, "a"), at=moment, big=2**62, ratio=0.1, text="ü·§"))
    found = await stored(people, "ada")
    assert found == person(
        "ada", body=b"\x00\xff", pair=[1, "a"], at=moment.replace(microsecond=123_000), big=2**62, ratio=0.1, text="ü·§"
    )
    assert isinstance(found["body"], bytes)


async def test_what_a_caller_holds_is_not_what_is_stored(people: Collection) -> None:
    """Changing an inserted, a written or a read document changes nothing in the database."""
    ada, tags = person("ada", tags=["a"]), ["b"]
    await people.insert(ada)
    ada["tags"].append("mine")
    await people.update({"_id": "ada"}, {"$set": {"more": tags}})
    tags.append("mine")
    (await stored(people, "ada"))["tags"].append("mine")
    found = await people.find_one(TENANT, {"_id": "ada"})
    assert found is not None
    found["more"].clear()
    assert await stored(people, "ada") == person("ada", tags=["a"], more=["b"])
