"""What operators ask of a service, against the real broker and the real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import poison_shelf
import pytest
from chassis.consuming.letters import Letters
from chassis.consuming.outcomes import DeadLetter
from chassis.consuming.upkeep import Upkeep
from chassis.delivery import Delivery
from chassis.ids import new_id
from chassis.ops.command import carry_out
from chassis.ops.target import RefusedError
from chassis.settings import Settings
from contracts.topics import NOTICE
from poison_shelf import GROUP, TENANT, Jar, Store, eventually, handlers, notice, send, told

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Json]]
GROUPS = {GROUP: frozenset(handlers.groups["jars"].handlers)}


@pytest.fixture
async def settings(kafka: str, database: str) -> Settings:
    """A database of this test alone."""
    return await poison_shelf.settings(kafka, database)


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Store]:
    """The store of a service that consumes in this process."""
    async with poison_shelf.consuming(settings) as store:
        yield store


@pytest.fixture
def ask(settings: Settings) -> Ask:
    """Carries out one command as `python -m shelf ops …` does."""

    async def run(*arguments: str) -> Json:
        answer = await carry_out("shelf", arguments, settings, lambda: poison_shelf.service(settings), GROUPS)
        assert answer["service"] == "shelf"
        return answer

    return run


def letters(ask: Ask, key: str, count: int) -> Callable[[], Awaitable[bool]]:
    """Whether there are this many letters of a key."""

    async def check() -> bool:
        return len((await ask("dead", "list", "--key", key))["letters"]) == count

    return check


def id_of(record: Json) -> str:
    return str(dict(record["headers"])["ce_id"].decode())


async def fate(ask: Ask, record: Json) -> str:
    (group,) = (await ask("why", id_of(record)))["groups"]
    assert group["group"] == GROUP
    assert group["sentence"].endswith(".")
    return str(group["fate"])


async def test_a_mended_bug_a_dry_run_and_a_redrive(shelf: Store, ask: Ask, settings: Settings) -> None:
    """The dry run names the letters in their order and changes nothing; --yes applies them and frees the key."""
    shelf.broken = {"poison"}
    key = new_id()
    sent = [notice(key, 1, "one"), notice(key, 2, "poison"), notice(key, 3, "three"), notice(key, 4, "four")]
    await send_all(settings, sent)
    await eventually(letters(ask, key, 3))
    assert await told(shelf, key, "one")()

    listed = (await ask("dead", "list", "--key", key))["letters"]
    assert [(each["reason"], each["error"], each["attempts"]) for each in listed] == [
        ("handler-failed", "ValueError", 3),
        ("parked", "", 0),
        ("parked", "", 0),
    ]
    (waiting,) = [each for each in (await ask("parked"))["keys"] if each["key"] == key]
    assert (waiting["reason"], waiting["head"], waiting["behind"]) == ("handler-failed", listed[0]["place"], 2)
    assert [await fate(ask, record) for record in sent] == ["applied", "dead", "parked", "parked"]

    shelf.broken = set()
    dry = await ask("dead", "redrive", "--key", key)
    assert (dry["done"], dry["letters"]) == (False, listed)
    assert (await ask("dead", "list", "--key", key))["letters"] == listed
    assert await told(shelf, key, "one")()

    done = await ask("dead", "redrive", "--key", key, "--yes")
    assert (done["done"], done["handled"], done["failed"]) == (True, listed, [])
    assert done["released"] == [f"{GROUP}|{NOTICE.name}|{key}"]
    assert await told(shelf, key, "one", "poison", "three", "four")()
    assert (await ask("dead", "list", "--key", key))["letters"] == []
    assert [await fate(ask, record) for record in sent] == ["applied", "redriven", "redriven", "redriven"]
    await send_all(settings, [notice(key, 5, "five")])
    await eventually(told(shelf, key, "one", "poison", "three", "four", "five"))


async def send_all(settings: Settings, sent: list[Json]) -> None:
    await send(settings.kafka, *sent)


async def test_a_redrive_of_what_still_fails_says_so(
    shelf: Store, ask: Ask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem is named; the letters and the parked key stay as they were."""
    shelf.broken = {"poison"}
    key = new_id()
    await send_all(settings, [notice(key, 1, "poison"), notice(key, 2, "two")])
    await eventually(letters(ask, key, 2))
    made = poison_shelf.make_store

    def still_broken(delivery: Delivery) -> Store:
        store = made(delivery)
        store.broken = {"poison"}
        return store

    monkeypatch.setattr(poison_shelf, "make_store", still_broken)
    answer = await ask("dead", "redrive", "--key", key, "--yes")
    assert [each["problem"] for each in answer["failed"]] == ["handler-failed: ValueError"]
    assert (answer["handled"], answer["released"]) == ([], [])
    assert await letters(ask, key, 2)()


async def test_records_that_arrive_during_a_redrive_are_not_lost(shelf: Store, ask: Ask, settings: Settings) -> None:
    """While the letters of a key are fed, a hundred more of its facts come: all are applied, in order."""
    shelf.broken = {"poison"}
    key = new_id()
    await send_all(settings, [notice(key, 1, "poison"), *(notice(key, n, f"{n}") for n in range(2, 21))])
    await eventually(letters(ask, key, 20))
    shelf.broken = set()
    more = asyncio.create_task(send_all(settings, [notice(key, n, f"{n}") for n in range(21, 121)]))
    await ask("dead", "redrive", "--key", key, "--yes")
    await more
    await eventually(told(shelf, key, "poison", *(f"{n}" for n in range(2, 121))))
    assert await letters(ask, key, 0)()


async def test_a_discard_gives_up_the_one_and_keeps_what_waits_behind(
    shelf: Store, ask: Ask, settings: Settings
) -> None:
    """The dry run changes nothing; --yes settles the dead letter alone, and a redrive hands on the ones behind it."""
    shelf.broken = {"poison"}
    key = new_id()
    sent = [notice(key, 1, "poison"), notice(key, 2, "two")]
    await send_all(settings, sent)
    await eventually(letters(ask, key, 2))
    with pytest.raises(RefusedError, match="Name what to discard"):
        await ask("dead", "discard", "--yes")

    dry = await ask("dead", "discard", "--key", key)
    assert (dry["done"], [each["reason"] for each in dry["discarded"]]) == (False, ["handler-failed"])
    assert await letters(ask, key, 2)()

    done = await ask("dead", "discard", "--key", key, "--yes")
    assert (done["done"], done["discarded"], done["released"]) == (True, dry["discarded"], [])
    assert [each["reason"] for each in (await ask("dead", "list", "--key", key))["letters"]] == ["parked"]
    done = await ask("dead", "redrive", "--key", key, "--yes")
    assert len(done["released"]) == 1
    assert await told(shelf, key, "two")()
    assert [await fate(ask, record) for record in sent] == ["discarded", "redriven"]


async def test_a_discard_of_the_last_letter_frees_the_key(shelf: Store, ask: Ask, settings: Settings) -> None:
    """Nothing waits any more, so later facts of the key flow again."""
    shelf.broken = {"poison"}
    key = new_id()
    await send_all(settings, [notice(key, 1, "poison"), notice(key, 2, "two")])
    await eventually(letters(ask, key, 2))
    done = await ask("dead", "discard", "--key", key, "--parked", "--yes")
    assert (len(done["discarded"]), done["released"]) == (2, [f"{GROUP}|{NOTICE.name}|{key}"])
    await send_all(settings, [notice(key, 3, "three")])
    await eventually(told(shelf, key, "three"))


async def test_a_letter_that_fails_after_its_release_says_why(ask: Ask, settings: Settings) -> None:
    """A record that was parked, came free and then failed by itself is one letter, and no follower any more."""
    key = new_id()
    record = notice(key, 1, "poison") | {"topic": NOTICE.name, "partition": 0, "offset": 2 * 10**9, "timestamp": 1}
    async with poison_shelf.service(settings).opened(relaying=False) as (delivery, _):
        upkeep = Upkeep.of(delivery)
        for why in (DeadLetter("parked", "", 0), DeadLetter("handler-failed", "ValueError", 3)):
            await upkeep.letters.bury(SimpleNamespace(**record), GROUP, why)
        await delivery.producer.stop()
    found = (await ask("dead", "list", "--key", key))["letters"]
    assert [(each["reason"], each["attempts"]) for each in found] == [("handler-failed", 3)]


async def test_a_letter_that_dies_again_after_it_was_settled_is_open_again(ask: Ask, settings: Settings) -> None:
    """A group that is set back hears a discarded record anew; that it fails again is not hidden by the discard."""
    key = new_id()
    record = notice(key, 1, "poison") | {"topic": NOTICE.name, "partition": 0, "offset": 2 * 10**9 + 1, "timestamp": 1}
    async with poison_shelf.service(settings).opened(relaying=False) as (delivery, _):
        bury = Upkeep.of(delivery).letters.bury
        await bury(SimpleNamespace(**record), GROUP, DeadLetter("handler-failed", "ValueError", 3))
        await ask("dead", "discard", "--key", key, "--yes")
        assert (await ask("dead", "list", "--key", key))["letters"] == []
        await bury(SimpleNamespace(**record), GROUP, DeadLetter("handler-failed", "ValueError", 3))
        await delivery.producer.stop()
    assert len((await ask("dead", "list", "--key", key))["letters"]) == 1


async def test_a_forged_record_does_not_hold_up_the_facts_of_its_key(
    shelf: Store, ask: Ask, settings: Settings
) -> None:
    """A record with a broken envelope stays dead; the key's real facts are handed on past it."""
    shelf.broken = {"poison"}
    key = new_id()
    forged = notice(key, 1, "forged") | {"headers": [("ce_specversion", b"0.3")]}
    await send_all(settings, [forged, notice(key, 1, "poison"), notice(key, 2, "two")])
    await eventually(letters(ask, key, 3))
    shelf.broken = set()
    done = await ask("dead", "redrive", "--key", key, "--yes")
    assert [each["problem"].partition(":")[0] for each in done["failed"]] == ["bad-envelope"]
    assert len(done["released"]) == 1
    assert await told(shelf, key, "poison", "two")()


async def test_a_key_that_gets_a_letter_while_it_is_released_stays(shelf: Store, ask: Ask, settings: Settings) -> None:
    """A record parked between looking for letters and releasing is not left behind a key that flows."""
    shelf.broken = {"poison"}
    key = new_id()
    record = notice(key, 2, "two")
    await send_all(settings, [notice(key, 1, "poison")])
    await eventually(letters(ask, key, 1))
    await ask("dead", "discard", "--key", key)  # a dry run: the letter stays
    async with poison_shelf.service(settings.model_copy(update={"instance": "look"})).opened(relaying=False) as opened:
        upkeep = Upkeep.of(opened[0])
        group = Letters(settings, GROUP, [NOTICE], upkeep)
        await group.settle(await group.open(lambda letter: letter.key_text == key), "discarded")
        reading = group.open

        async def open_then_lose() -> list[Any]:
            found = await reading()
            await send_all(settings, [record])
            while not await letters(ask, key, 1)():
                await asyncio.sleep(0.05)
            return found

        group.open = open_then_lose  # type: ignore[method-assign,assignment]  # the consumer is faster
        assert key not in {each.key for each in await group.release_empty()}
    assert await fate(ask, record) == "parked"


async def test_show_hides_the_body_until_it_is_asked_for(shelf: Store, ask: Ask, settings: Settings) -> None:
    """Headers and sizes are always shown; the body, which may be somebody's, only with --payload."""
    shelf.broken = {"poison"}
    key = new_id()
    record = notice(key, 1, "poison")
    await send_all(settings, [record])
    await eventually(letters(ask, key, 1))
    (shown,) = (await ask("dead", "show", "--key", key))["letters"]
    assert shown["headers"] == [[name, text.decode()] for name, text in record["headers"]]
    assert (shown["bytes"], "payload" in shown) == (len(record["value"]), False)
    (shown,) = (await ask("dead", "show", "--place", shown["place"], "--payload"))["letters"]
    assert shown["payload"] == record["value"].decode()


async def test_why_tells_every_fate(shelf: Store, ask: Ask, settings: Settings) -> None:
    """Applied, waiting, a type that is not for the group, a place, an id that nobody knows: a fate each."""
    key, other = new_id(), new_id()
    applied, foreign = notice(key, 1, "one"), notice(other, 1, "one")
    foreign["headers"] = [
        (name, b"turnabout.notifications.notice-sung.v9" if name == "ce_type" else text)
        for name, text in foreign["headers"]
    ]
    await send_all(settings, [applied, foreign])
    await eventually(told(shelf, key, "one"))
    answer = await ask("why", id_of(applied))
    assert answer["found"]["sequence"] == 1
    assert answer["groups"][0] == {
        "group": GROUP,
        "fate": "applied",
        "sentence": f"It was applied to jars/{key}: the fence there stands at its sequence, 1.",
    }
    assert (await ask("why", answer["found"]["place"]))["groups"] == answer["groups"]
    assert await fate(ask, foreign) == "skipped"

    await send_all(settings, [notice(key, 2, "two")])
    await eventually(told(shelf, key, "one", "two"))
    assert "has come to sequence 2 since" in (await ask("why", id_of(applied)))["groups"][0]["sentence"]

    unknown = await ask("why", new_id())
    assert (unknown["found"], unknown["owed"], unknown["groups"]) == (None, None, [])
    assert unknown["sentence"].startswith("shelf does not know it")

    async with poison_shelf.service(settings.model_copy(update={"instance": "look"})).opened(relaying=False) as opened:
        upkeep = Upkeep.of(opened[0])
        await upkeep.letters.bury_reference(
            NOTICE.name, 0, range(10**9, 10**9 + 3), GROUP, DeadLetter("quarantined", "-")
        )
        await opened[0].producer.stop()
    quarantined = await ask("why", f"{NOTICE.name}/0/{10**9}")
    assert quarantined["groups"][0]["fate"] == "quarantined"


async def test_lag_counts_what_nobody_has_read(settings: Settings, ask: Ask) -> None:
    """Without a member the records wait, `why` says so, and their age grows."""
    before = (await ask("lag"))["groups"][0]
    record = notice(new_id(), 1, "one")
    await send_all(settings, [record, notice(new_id(), 1, "one"), notice(new_id(), 1, "one")])
    await asyncio.sleep(1)
    (group,) = (await ask("lag"))["groups"]
    assert group["group"] == GROUP
    assert group["lag"] == before["lag"] + 3
    assert sum(each["lag"] for each in group["partitions"]) == group["lag"]
    assert group["seconds"] >= 1
    assert await fate(ask, record) == "waiting"


async def test_pending_names_who_owes_what(settings: Settings, ask: Ask) -> None:
    """A document that a dead process left is listed with its owner, its entries and its work."""
    jar = new_id()
    dead = settings.model_copy(update={"instance": "dead-0"})
    async with poison_shelf.service(dead).opened(relaying=False) as (delivery, store):
        await delivery.migrate()
        owing = Jar(id=jar, tenant=TENANT)
        owing.ask("fill", jar="another")
        await store.jars.insert(owing)
    answer = await ask("pending")
    assert answer["total"] == 1
    (document,) = answer["documents"]
    assert (document["collection"], document["id"]) == ("jars", jar)
    assert document["owner"].startswith("dead-0#")
    assert (document["entries"], document["work"]) == ([], ["fill"])
    assert (document["owner_seen_seconds_ago"], document["seconds"] >= 0) == (None, True)


@pytest.mark.parametrize(
    ("away", "arguments", "sentence"),
    [
        ({"kafka": "127.0.0.1:1"}, ["lag"], "The broker at 127.0.0.1:1 does not answer"),
        ({"mongo": "mongodb://somebody:secret@127.0.0.1:1/"}, ["pending"], "The database does not answer"),
        ({}, ["parked", "--group", "lids"], "shelf has no consumer group lids. Its groups: shelf.jars"),
    ],
)
async def test_what_is_not_possible_is_one_sentence(
    settings: Settings, away: Json, arguments: list[str], sentence: str
) -> None:
    """It says who does not answer or what does not exist, and nothing of an address that holds a password."""
    without = settings.model_copy(update=away)
    with pytest.raises(RefusedError) as refused:
        await carry_out("shelf", arguments, without, lambda: poison_shelf.service(without), GROUPS)
    assert str(refused.value).startswith(sentence)
    assert "secret" not in str(refused.value)
