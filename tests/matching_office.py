"""An office for the tests of delegates: who works where, and mentorships whose mentee lets somebody arrange times."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from matching.domain.agreement import Notes
from matching.domain.members import Member
from matching.domain.mentorship import Mentorship
from matching_people import an_entry
from matching_sessions import a_mentorship
from matching_site import Site, a_site

from chassis import clock

API = "/api/matching/v1"
ZONES = {"ana": "America/New_York", "dora": "Europe/Berlin", "sam": "Europe/London", "emil": "Europe/Berlin"}
GOALS, NOTES = "canary-goals", "canary-notes"


@asynccontextmanager
async def an_office(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana of New York mentors dora of Berlin; sam of London and emil work for others as well."""
    async with a_site(kafka, database, *ZONES) as made:
        for member, zone in ZONES.items():
            entry = an_entry(member, time_zone=zone)
            await made.store.members.insert(Member(id=member, tenant=made.tenant, directory=entry))
        yield made


def key() -> dict[str, str]:
    """The header of a click that nobody made before."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def form(**fields: str) -> dict[str, str]:
    """A form as it is sent for the first time."""
    return fields | {"idempotency_key": uuid.uuid4().hex}


def in_days(days: int, zone: str, hour: int = 10) -> datetime:
    """A full hour some days from now, as the clocks of a zone show it."""
    there = clock.now().astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return there.replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=None)


def iso(wall: datetime) -> str:
    """As a field of a form has it."""
    return wall.isoformat(timespec="minutes")


async def running(site: Site, mentor: str = "ana", mentee: str = "dora") -> Mentorship:
    """A mentorship with goals, and notes of its mentor."""
    pair = a_mentorship(uuid.uuid4().hex, mentor, mentee, site.tenant)
    assert pair.agreement
    pair.agreement.intent = pair.agreement.intent.model_copy(update={"goals": GOALS})
    await site.store.mentorships.insert(pair)
    await site.store.notes.insert(Notes(id=pair.id, tenant=site.tenant, author=mentor, text=NOTES))
    return pair


async def name(site: Site, pair: Mentorship, member: str, by: str = "dora") -> None:
    """The mentee lets somebody arrange their times."""
    async with site.as_(by) as mentee:
        body = {"email": f"{member}@acme.example"}
        answer = await mentee.put(f"{API}/mentorships/{pair.id}/delegate", json=body, headers=key())
        assert (answer.status_code, answer.json()["delegate"]) == (200, member), answer.text


async def stored(site: Site, pair: Mentorship) -> Mentorship:
    """A pair as it is now."""
    return await site.store.mentorships.load(site.tenant, pair.id)
