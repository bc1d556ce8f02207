"""The ledger on the real database: one claim a mail, across processes and faults."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from chassis.errors import TransientError
from chassis.settings import Settings
from chassis.state.mongo import Collection, Raw, connect
from notifications.ledger import Fate, Ledger

pytestmark = pytest.mark.connected


@pytest.fixture
async def collection(database: str) -> AsyncIterator[Collection]:
    """An empty ledger's collection."""
    settings = Settings(mongo=database, database_prefix=f"t{uuid.uuid4().hex[:8]}-")
    async with connect(settings, "notifications") as opened:
        yield opened.collection("ledger")
        await opened.drop()


async def test_of_many_processes_one_claims(collection: Collection) -> None:
    """Eight try at once: one gets it, nobody gets it later."""
    ledgers = [Ledger(collection) for _ in range(8)]
    assert sum(await asyncio.gather(*(ledger.claim("acme", "n") for ledger in ledgers))) == 1
    assert not await ledgers[0].claim("acme", "n")


async def test_a_mail_that_waits_is_claimed_again_by_one(collection: Collection) -> None:
    """The server said "not now": the next try belongs to one process again, and then the fate is final."""
    first, second = Ledger(collection), Ledger(collection)
    assert await first.claim("acme", "n")
    await first.settle("acme", "n", Fate.WAITING)
    assert await second.fate("acme", "n") is Fate.WAITING
    assert sorted([await first.claim("acme", "n"), await second.claim("acme", "n")]) == [False, True]
    await first.settle("acme", "n", Fate.SENT)
    await second.settle("acme", "n", Fate.UNKNOWN)
    assert await second.fate("acme", "n") is Fate.SENT


async def test_a_claim_that_failed_on_the_way_back_is_good_for_its_process_alone(collection: Collection) -> None:
    """The database stored the claim and the answer was lost: this process may go on, another one may not."""
    original = collection.insert_many
    trouble = [TransientError("the answer was lost")]

    async def store_then_fail(documents: Sequence[Raw]) -> list[str]:
        refused = await original(documents)
        if trouble:
            raise trouble.pop()
        return refused

    collection.insert_many = store_then_fail  # type: ignore[method-assign]  # plays the lost answer
    mine, other = Ledger(collection), Ledger(collection)
    with pytest.raises(TransientError):
        await mine.claim("acme", "n")
    assert await other.fate("acme", "n") is Fate.CLAIMED
    assert not await other.claim("acme", "n")
    assert await mine.fate("acme", "n") is Fate.WAITING
    assert await mine.claim("acme", "n")
    assert await mine.fate("acme", "n") is Fate.CLAIMED
