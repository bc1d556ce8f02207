"""What a change of somebody means for proposals that wait, on the real database: time alone means nothing."""

import datetime as dt
import uuid

import pytest
from contracts.matching import PersonBands, Status
from matching.domain.members import Member
from matching.domain.mentorship import Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.proposal import Partner, Terms
from matching.engine.rules import Rules
from matching.store import Store
from matching_people import a_profile, an_entry
from matching_world import a_store, api_settings

pytestmark = pytest.mark.connected
PROPOSED_AT = "2026-03-15T09:00:00.000Z"
JOINED = "2025-09"
"""Six months before the proposal, and more by now."""


async def proposed(store: Store, tenant: str) -> str:
    """A proposal of March to somebody who was a new joiner then."""
    plan = Plan(
        title="Fresh Eyes",
        opens_on=dt.date(2020, 1, 1),
        closes_on=dt.date(2099, 1, 1),
        rules=Rules(areas=("ai-tools",), new_joiner_months=6),
    )
    await store.programmes.insert(Programme.draft("p-1", tenant, plan))
    for member, level, unit, joined in (("ana", 2, "shops", JOINED), ("dora", 9, "board", "2001-01")):
        entry = an_entry(member, level=level, unit=unit, joined=joined)
        profile = a_profile(member, seeks=("ai-tools",))
        await store.members.insert(Member(id=member, tenant=tenant, profile=profile, directory=entry))
    pair = Mentorship.propose(
        uuid.uuid4().hex,
        tenant,
        "p-1",
        mentor=Partner(member="ana", bands=PersonBands(level=2, unit="shops", country="GB")),
        mentee=Partner(member="dora", bands=PersonBands(level=9, unit="board", country="GB")),
        direction="reverse",
        terms=Terms(areas=("ai-tools",)),
        at=PROPOSED_AT,
        until="2099-01-01T00:00:00.000Z",
    )
    await store.mentorships.insert(pair)
    return pair.id


async def test_a_month_that_has_passed_takes_nothing_back_and_one_that_was_corrected_does(
    kafka: str, database: str
) -> None:
    """Ana says later that she would rather meet in person: her proposal stands. She had joined long before: it goes."""
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    async with a_store(api_settings(kafka, database)) as store:
        pair = await proposed(store, tenant)
        in_person = a_profile("ana", seeks=("ai-tools",), in_person=True)
        await store.members.change(tenant, "ana", lambda member: member.learn_profile(in_person, 2))
        await store.members.settle(tenant, "ana", seconds=10)
        assert (await store.mentorships.load(tenant, pair)).status is Status.PROPOSED
        corrected = an_entry("ana", level=2, unit="shops", joined="2019-09")
        await store.members.change(tenant, "ana", lambda member: member.learn_directory(corrected))
        await store.members.settle(tenant, "ana", seconds=10)
        assert (await store.mentorships.load(tenant, pair)).status is Status.CLOSED
