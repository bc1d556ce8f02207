"""Both yeses under concurrency, on the real database and broker."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from chassis.errors import ConflictError, NotFoundError
from contracts.matching import PersonBands, Side, Status
from matching.commands import Commands
from matching.domain.agreement import Intent
from matching.domain.mentorship import Mentorship
from matching.domain.places import places_id
from matching.domain.proposal import Partner, Terms
from matching.store import Store
from matching_world import a_store, api_settings, caller, enrol

from chassis import clock

pytestmark = pytest.mark.connected


@pytest.fixture
async def store(kafka: str, database: str) -> AsyncIterator[Store]:
    async with a_store(api_settings(kafka, database)) as opened:
        yield opened


@pytest.fixture
def tenant() -> str:
    return f"tenant-{uuid.uuid4().hex[:8]}"


def a_pair(tenant: str, mentor: str, mentee: str) -> Mentorship:
    """A fresh proposal."""
    return Mentorship.propose(
        uuid.uuid4().hex,
        tenant,
        "programme-1",
        mentor=Partner(member=mentor, bands=PersonBands(level=2, unit="retail", country="GB")),
        mentee=Partner(member=mentee, bands=PersonBands(level=9, unit="finance", country="DE")),
        direction="reverse",
        terms=Terms(areas=("ai-tools",)),
        at=clock.timestamp(),
        until="2099-01-01T00:00:00.000Z",
    )


async def settled(store: Store, tenant: str, ids: list[str]) -> Counter[Status]:
    """How the pairs stand once none of them waits any more."""
    async with asyncio.timeout(30):
        while True:
            pairs = await store.mentorships.find_ids(tenant, ids)
            counts = Counter(pair.status for pair in pairs.values())
            if not counts[Status.HALF_ACCEPTED] and not counts[Status.PROPOSED]:
                return counts
            await asyncio.sleep(0.1)


async def test_twenty_second_yeses_at_once_take_the_one_place(store: Store, tenant: str) -> None:
    """A mentor with one place and twenty mentees who say yes in the same moment: one accepted, nineteen closed."""
    await enrol(store, tenant, "ana", 2)
    mentees = [f"dora-{number}" for number in range(20)]
    pairs = [a_pair(tenant, "ana", mentee) for mentee in mentees]
    for mentee, pair in zip(mentees, pairs, strict=True):
        await enrol(store, tenant, mentee, 9)
        pair.accept(Side.MENTOR, clock.timestamp())
    # One change says one fact a topic: the first yes is a change of its own.
    for pair in pairs:
        pair.take_uncommitted()
    await store.mentorships.insert_many(pairs)
    commands = Commands(store)

    answers = await asyncio.gather(
        *(
            commands.accept(caller(mentee, tenant), pair.id, "a-key-12345")
            for mentee, pair in zip(mentees, pairs, strict=True)
        ),
        return_exceptions=True,
    )

    counts = await settled(store, tenant, [pair.id for pair in pairs])
    assert counts == {Status.ACCEPTED: 1, Status.CLOSED: 19}
    places = await store.places.load(tenant, places_id("ana", Side.MENTOR))
    (accepted,) = await store.of_member(tenant, "ana", [Status.ACCEPTED])
    assert (places.capacity, places.taken) == (1, [accepted.id])
    assert not [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, ConflictError)]
    for mentee in mentees:
        held = await store.places.get(tenant, places_id(mentee, Side.MENTEE))
        assert held is None or held.taken == ([accepted.id] if mentee == accepted.mentee else [])


async def test_the_second_yes_answers_with_the_result(store: Store, tenant: str) -> None:
    """Whoever clicks second sees the mentorship accepted in the answer; the same click again changes nothing."""
    await enrol(store, tenant, "ana", 2)
    await enrol(store, tenant, "dora", 9)
    pair = a_pair(tenant, "ana", "dora")
    await store.mentorships.insert(pair)
    commands = Commands(store)
    first = await commands.accept(caller("ana", tenant), pair.id, "first-key-1")
    assert first.status is Status.HALF_ACCEPTED
    second = await commands.accept(caller("dora", tenant), pair.id, "second-key-1")
    assert second.status is Status.ACCEPTED
    again = await commands.accept(caller("dora", tenant), pair.id, "second-key-1")
    assert (again.status, len(again.yes)) == (Status.ACCEPTED, 2)


async def test_becoming_full_withdraws_the_rest(store: Store, tenant: str) -> None:
    """A mentor whose only place is taken is not offered to anybody else any more."""
    await enrol(store, tenant, "ana", 2)
    for mentee in ("dora", "emil"):
        await enrol(store, tenant, mentee, 9)
    taken, other = a_pair(tenant, "ana", "dora"), a_pair(tenant, "ana", "emil")
    await store.mentorships.insert_many([taken, other])
    commands = Commands(store)
    await commands.accept(caller("ana", tenant), taken.id, "key-ana-123")
    await commands.accept(caller("dora", tenant), taken.id, "key-dora-123")
    counts = await settled(store, tenant, [taken.id, other.id])
    assert counts == {Status.ACCEPTED: 1, Status.CLOSED: 1}
    withdrawn = await store.mentorships.load(tenant, other.id)
    assert (withdrawn.status, withdrawn.again) == (Status.CLOSED, True)


async def test_a_whole_life_gives_the_places_back(store: Store, tenant: str) -> None:
    """Agree, start, leave: afterwards both places are free for somebody else."""
    await enrol(store, tenant, "ana", 2)
    await enrol(store, tenant, "dora", 9)
    pair = a_pair(tenant, "ana", "dora")
    await store.mentorships.insert(pair)
    commands, ana, dora = Commands(store), caller("ana", tenant), caller("dora", tenant)
    await commands.accept(ana, pair.id, "key-ana-123")
    await commands.accept(dora, pair.id, "key-dora-123")
    intent = Intent(mentor="ana", areas=("ai-tools",), goals="Read a model card together")
    await commands.save_agreement(ana, pair.id, "key-ana-456", 1, intent, confirm=True)
    started = await commands.confirm(dora, pair.id, "key-dora-456", 2)
    assert started.status is Status.STARTED
    await commands.end(dora, pair.id, "key-dora-789")
    after = await store.mentorships.settle(tenant, pair.id, seconds=10)
    assert after.status is Status.ENDED
    places = await store.places.load(tenant, places_id("ana", Side.MENTOR))
    assert places.taken == []


async def test_a_stranger_finds_nothing(store: Store, tenant: str) -> None:
    """Knowing an id gives no access: a colleague and a member of another tenant both find nothing."""
    pair = a_pair(tenant, "ana", "dora")
    await store.mentorships.insert(pair)
    commands = Commands(store)
    for stranger in (caller("mallory", tenant), caller("ana", "another-tenant")):
        for attempt in (commands.accept, commands.decline, commands.end):
            with pytest.raises(NotFoundError):
                await attempt(stranger, pair.id, "a-key-12345")
        with pytest.raises(NotFoundError):
            await commands.pair(stranger, pair.id)


async def test_the_mentee_never_learns_of_the_mentors_notes(store: Store, tenant: str) -> None:
    """Only the mentor reads and writes the notes; the mentee's page has no such part."""
    pair = a_pair(tenant, "ana", "dora")
    await store.mentorships.insert(pair)
    commands = Commands(store)
    await commands.keep_notes(caller("ana", tenant), pair.id, "ask about the budget")
    assert await commands.notes(caller("ana", tenant), pair.id) == "ask about the budget"
    assert await commands.notes(caller("dora", tenant), pair.id) is None
