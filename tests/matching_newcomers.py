"""New joiners who have not thought of mentoring, directors who seek, and programmes that could invite the former."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from matching.domain.members import Member
from matching.domain.programme import Plan, Programme
from matching.engine.rules import Rules
from matching_people import an_entry
from matching_site import Site, a_site

from chassis import clock

JUNIORS: Final = [f"j{number}" for number in range(8)]


@asynccontextmanager
async def newcomers(kafka: str, database: str) -> AsyncIterator[Site]:
    """Eight new joiners of four units who take no part, and four directors who seek."""
    async with a_site(kafka, database, *JUNIORS) as made:
        for number, junior in enumerate(JUNIORS):
            await _employ(made, junior, level=2, unit=f"unit-{number % 4}", joined=clock.today().strftime("%Y-%m"))
        for number in range(4):
            await made.employ(f"d{number}", 9, "board", offers=(), open_to_mentor=False)
        yield made


async def programme(site: Site, name: str = "p-1", **plan: object) -> Programme:
    """An open programme that olga leads."""
    made = Plan(
        title="Fresh Eyes",
        about="What newcomers see.",
        opens_on=dt.date(2020, 1, 1),
        closes_on=dt.date(2099, 1, 1),
        leads=("olga",),
        rules=Rules(areas=("ai-tools", "social-media")),
    )
    found = Programme.draft(f"{name}-{site.tenant}", site.tenant, made.model_copy(update=plan))
    found.turn(open_=True)
    found.take_uncommitted()
    await site.store.programmes.insert(found)
    return found


async def _employ(site: Site, member: str, **entry: object) -> None:
    """Somebody in the directory who has no profile."""
    person = Member.unknown(site.tenant, member)
    person.learn_directory(an_entry(member, **entry))
    person.take_uncommitted()
    await site.store.members.insert(person)
