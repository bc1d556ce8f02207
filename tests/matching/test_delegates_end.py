"""How arranging for somebody ends: with the pair, with who leaves, and by stepping down."""

from collections.abc import AsyncIterator

import pytest
from chassis.ids import new_id
from matching_engine_world import until
from matching_office import API, an_office, form, in_days, iso, key, name, running, stored
from matching_site import Site

pytestmark = pytest.mark.connected


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana of New York mentors dora of Berlin; sam of London and emil work for others as well."""
    async with an_office(kafka, database) as made:
        yield made


async def test_a_delegate_ends_with_the_pair_and_with_their_own_leaving(site: Site) -> None:
    """Dora's page does not name them any more, and she can name another."""
    pair, other = await running(site), await running(site, "luis", "dora")
    for each in (pair, other):
        await name(site, each, "sam")
    async with site.as_("dora") as dora:
        await dora.post(f"{API}/mentorships/{other.id}/end", headers=key())
        assert await site.store.arranged_by(site.tenant, "sam") == [await stored(site, pair)]
        await site.store.members.change(site.tenant, "sam", lambda member: member.learn_directory(None))

        async def gone() -> bool:
            return (await stored(site, pair)).delegate is None

        await until(gone)
        page = (await dora.get(f"/mentorships/{pair.id}")).text
        assert ("Sam" in page, "Let them arrange my times" in page) == (False, True)
    await name(site, pair, "emil")


async def test_a_delegate_steps_down_on_their_page(site: Site) -> None:
    """At once, and of this pair alone; the page asks first, what is arranged stays, and dora can name another."""
    pair, other = await running(site), await running(site, "luis", "dora")
    for each in (pair, other):
        await name(site, each, "sam")
    there, once = f"/arranging/{pair.id}", form()
    async with site.as_("sam") as sam, site.as_("dora") as dora:
        assert "I can't arrange times for Dora any more" in (await sam.get(there)).text
        asked = (await sam.get("/arranging")).text
        assert [f'action="/arranging/{each.id}/step-down"' in asked for each in (pair, other)] == [True, True]
        times = form(time_1=iso(in_days(3, "Europe/London")))
        assert (await sam.post(f"{there}/times", data=times)).status_code == 303
        for _ in range(2):
            done = await sam.post(f"{there}/step-down", data=once)
            assert (done.status_code, done.headers["location"]) == (303, "/arranging")
        after = await sam.get("/arranging")
        assert "You do not arrange these times any more." in after.text
        assert (f"/arranging/{pair.id}" in after.text, f"/arranging/{other.id}" in after.text) == (False, True)
        assert (await sam.get(there)).status_code == 404
        assert "Let them arrange my times" in (await dora.get(f"/mentorships/{pair.id}")).text
        proposed = (await stored(site, pair)).times
        assert proposed
        assert proposed.by.value == "mentee"


async def test_whoever_arranges_nothing_has_nothing_to_step_down_from(site: Site) -> None:
    """Sam a second time, a stranger, the two themselves, and of a pair that does not exist: one plain sentence.

    A key that stopped sam once does not stop him again after he was named anew.
    """
    pair, once = await running(site), {"Idempotency-Key": new_id()}
    await name(site, pair, "sam")
    here = f"{API}/arranging/{pair.id}"
    async with site.as_("sam") as sam, site.as_("emil") as emil, site.as_("ana") as ana, site.as_("dora") as dora:
        assert [(await sam.delete(here, headers=once)).status_code for _ in range(2)] == [204, 204]
        assert (await sam.get(f"{API}/arranging")).json() == []
        for client in (sam, emil, ana, dora):
            for path in (here, f"{API}/arranging/{new_id()}"):
                refused = await client.delete(path, headers=key())
                told = refused.json()["detail"]
                assert (refused.status_code, told) == (
                    404,
                    "You arrange no times here, so there is nothing that you could stop doing.",
                )
        await name(site, pair, "sam")
        await sam.delete(here, headers=once)
        assert (await stored(site, pair)).delegate == "sam"
