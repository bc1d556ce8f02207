"""The API and the pages over the real database: who may see what, and what a refused request is told."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from chassis.state.timers import Timer
from contracts.matching import PersonBands, Status
from matching.app import expire, make_app
from matching.domain.mentorship import Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.proposal import Partner, Reason, Terms
from matching.engine.rules import Rules
from matching.store import Store
from matching_world import a_store, api_settings, enrol
from web_edge import PUBLIC_URL, Profiles, a_key, a_token, served

from chassis import clock

pytestmark = pytest.mark.connected
API = "/api/matching/v1"


@dataclass
class Site:
    """The application, its store, and a way to be somebody."""

    store: Store
    tenant: str
    app: object
    key: object

    @asynccontextmanager
    async def as_(self, member: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client in which this member is signed in."""
        token = a_token(self.key, sub=member, tid=self.tenant, roles=[])  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as client:
            yield client

    async def proposed(self, mentor: str, mentee: str, until: str = "2099-01-01T00:00:00.000Z") -> Mentorship:
        """A stored proposal between two members with places."""
        pair = Mentorship.propose(
            uuid.uuid4().hex,
            self.tenant,
            "programme-1",
            mentor=Partner(member=mentor, bands=PersonBands(level=2, unit="retail", country="GB")),
            mentee=Partner(member=mentee, bands=PersonBands(level=9, unit="finance", country="DE")),
            direction="reverse",
            terms=Terms(areas=("ai-tools",), for_mentor=(Reason(code="other-unit"),)),
            at=clock.timestamp(),
            until=until,
        )
        await self.store.mentorships.insert(pair)
        return pair


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    key = a_key("k1")
    async with served(Profiles([key], {"ana": "Ana Diaz", "dora": "Dora <b>Klein</b>"}).app()) as address:
        settings = api_settings(kafka, database).model_copy(update={"profiles_url": address, "public_url": PUBLIC_URL})
        async with a_store(settings) as store:
            yield Site(store, f"tenant-{uuid.uuid4().hex[:8]}", make_app(settings, store), key)


def key() -> dict[str, str]:
    """A fresh idempotency key."""
    return {"Idempotency-Key": uuid.uuid4().hex}


async def test_a_life_over_the_api(site: Site) -> None:
    """Two yeses, one edit based on the version read, two confirmations, a session, an end."""
    await enrol(site.store, site.tenant, "ana", 2)
    await enrol(site.store, site.tenant, "dora", 9)
    pair = await site.proposed("ana", "dora")
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        (item,) = (await ana.get(f"{API}/proposals")).json()["items"]
        assert (item["id"], item["you"], item["status"]) == (pair.id, "mentor", "proposed")
        await ana.post(f"{API}/proposals/{pair.id}/accept", headers=key())
        accepted = await dora.post(f"{API}/proposals/{pair.id}/accept", headers=key())
        assert accepted.json()["status"] == "accepted"

        read = await ana.get(f"{API}/mentorships/{pair.id}")
        intent = read.json()["agreement"]["intent"] | {"goals": "Try two tools", "cadence": "weekly"}
        here = f"{API}/mentorships/{pair.id}"
        edited = await ana.put(f"{here}/agreement", json=intent, headers=key() | {"If-Match": read.headers["ETag"]})
        assert edited.headers["ETag"] == '"2"'
        late = await dora.put(f"{here}/agreement", json=intent, headers=key() | {"If-Match": read.headers["ETag"]})
        assert late.status_code == 409
        assert late.headers["content-type"] == "application/problem+json"
        for client in (ana, dora):
            confirmed = await client.post(f"{here}/agreement/confirmations", json={"version": 2}, headers=key())
        assert confirmed.json()["status"] == "started"

        session = {"day": clock.today().isoformat(), "outcome": "held"}
        logged = await dora.post(f"{here}/sessions", json=session, headers=key())
        assert [each["outcome"] for each in logged.json()["sessions"]] == ["held"]
        ended = await dora.post(f"{here}/end", headers=key())
        assert ended.json()["status"] == "ended"


async def test_strangers_and_the_signed_out_learn_nothing(site: Site) -> None:
    """A colleague gets 404 for every route of a pair; nobody at all gets 401, or the way to sign in."""
    pair = await site.proposed("ana", "dora")
    async with site.as_("mallory") as mallory:
        assert (await mallory.get(f"{API}/mentorships/{pair.id}")).status_code == 404
        assert (await mallory.get(f"/mentorships/{pair.id}")).status_code == 404
        for path in (f"proposals/{pair.id}/accept", f"proposals/{pair.id}/decline", f"mentorships/{pair.id}/end"):
            assert (await mallory.post(f"{API}/{path}", headers=key())).status_code == 404
        mallory.headers.pop("Authorization")
        assert (await mallory.get(f"{API}/proposals")).status_code == 401
        page = await mallory.get("/proposals", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/proposals")


async def test_a_command_without_a_key_or_with_nonsense_is_refused_in_plain_words(site: Site) -> None:
    """Each refusal is a problem document with a sentence, and changes nothing."""
    pair = await site.proposed("ana", "dora")
    async with site.as_("ana") as ana:
        bare = await ana.post(f"{API}/proposals/{pair.id}/accept")
        assert (bare.status_code, "Idempotency-Key" in bare.json()["detail"]) == (422, True)
        wrong = await ana.post(f"{API}/mentorships/{pair.id}/sessions", json={"day": "soon"}, headers=key())
        assert wrong.status_code == 422
        early = {"day": "2026-01-01", "outcome": "held"}
        refused = await ana.post(f"{API}/mentorships/{pair.id}/sessions", json=early, headers=key())
        assert refused.status_code == 409
    assert (await site.store.mentorships.load(site.tenant, pair.id)).status is Status.PROPOSED


async def test_pages_show_people_by_name_and_escape_them(site: Site) -> None:
    """The proposal page names both, gives the reader's own reasons, and trusts no name."""
    await site.proposed("ana", "dora")
    async with site.as_("ana") as ana:
        for path in ("/", "/proposals"):
            page = await ana.get(path)
            assert page.status_code == 200
            assert "Dora &lt;b&gt;Klein" in page.text
        assert "You work in different parts of the organisation." in page.text


async def test_whoever_agreed_waits_for_the_other(site: Site) -> None:
    """Before she agrees ana's page asks her to; afterwards it says whom it waits for, and can be opened again."""
    await enrol(site.store, site.tenant, "ana", 2)
    await enrol(site.store, site.tenant, "dora", 9)
    pair = await site.proposed("ana", "dora")
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        for client in (ana, dora):
            await client.post(f"{API}/proposals/{pair.id}/accept", headers=key())
        asked, folded, waits = (
            "I agree to this",
            "Change it after all",
            "as soon as Dora &lt;b&gt;Klein&lt;/b&gt; agrees",
        )
        here = f"/mentorships/{pair.id}"
        before = (await ana.get(here)).text
        assert (asked in before, folded in before, waits in before) == (True, False, False)
        await ana.post(f"{API}{here}/agreement/confirmations", json={"version": 1}, headers=key())
        after = (await ana.get(here)).text
        assert waits in after
        assert after.index(folded) < after.index(asked)
        assert folded not in (await dora.get(here)).text


async def test_an_agreement_that_is_refused_comes_back_as_it_was_typed(site: Site) -> None:
    """Ten thousand emojis, no area, and an edit of the other side in between: a sentence, and nothing is lost."""
    await enrol(site.store, site.tenant, "ana", 2)
    await enrol(site.store, site.tenant, "dora", 9)
    pair = await site.proposed("ana", "dora")
    here = f"/mentorships/{pair.id}"
    form: dict[str, Any] = {"version": 1, "areas": ["ai-tools"], "cadence": "weekly", "medium": "phone"}
    form |= {"minutes": 45, "months": 3, "do": "agree"}
    async with site.as_("ana") as ana, site.as_("dora") as dora:
        for client in (ana, dora):
            await client.post(f"{API}/proposals/{pair.id}/accept", headers=key())
        long = await ana.post(f"{here}/agreement", data=form | {"goals": "🙂" * 10_000}, headers=key())
        bare = await ana.post(f"{here}/agreement", data=form | {"areas": [], "goals": "To listen"}, headers=key())
        await dora.post(f"{here}/agreement", data=form | {"goals": "To be heard", "do": "save"}, headers=key())
        late = await ana.post(f"{here}/agreement", data=form | {"goals": "To listen"}, headers=key())

    assert [each.status_code for each in (long, bare, late)] == [422, 422, 422]
    assert "has 10000 characters. Shorten it to 2000." in long.text
    assert "🙂" * 10_000 in long.text
    assert "Choose at least one area to focus on." in bare.text
    assert "To listen</textarea>" in bare.text
    assert "edited in the meantime" in late.text
    assert "To be heard" in late.text
    assert "To listen</textarea>" in late.text
    assert (await site.store.mentorships.load(site.tenant, pair.id)).status is Status.ACCEPTED


async def test_only_a_lead_runs_a_programme_and_sees_its_pairs(site: Site) -> None:
    """Everybody may read the list; the rest is for its leads, and one run at a time is asked for."""
    plan = Plan(
        title="Fresh Eyes",
        opens_on=clock.today(),
        closes_on=clock.today(),
        leads=("lena",),
        rules=Rules(areas=("ai-tools",)),
    )
    programme = Programme.draft(uuid.uuid4().hex, site.tenant, plan)
    programme.publish(plan)
    await site.store.programmes.insert(programme)
    async with site.as_("ana") as ana, site.as_("lena") as lena:
        assert "Fresh Eyes" in (await ana.get("/programmes")).text
        assert (await ana.get(f"/programmes/{programme.id}")).status_code == 403
        assert (await ana.post(f"{API}/programmes/{programme.id}/runs")).status_code == 403
        assert (await lena.get(f"/programmes/{programme.id}")).status_code == 200
        first = (await lena.post(f"{API}/programmes/{programme.id}/runs")).json()
        second = (await lena.post(f"{API}/programmes/{programme.id}/runs")).json()
        assert (first["state"], second["id"]) == ("queued", first["id"])
        assert (await ana.get(f"{API}/runs/{first['id']}")).status_code == 403
        cancelled = (await lena.post(f"{API}/runs/{first['id']}/cancel")).json()
        third = (await lena.post(f"{API}/programmes/{programme.id}/runs")).json()
        assert (cancelled["state"], third["id"] != first["id"]) == ("cancelled", True)


async def test_the_clock_expires_what_nobody_answered(site: Site) -> None:
    """A proposal whose time has passed is swept and closed; another one stays."""
    old = await site.proposed("ana", "dora", until="2026-01-01T00:00:00.000Z")
    young = await site.proposed("ana", "emil")
    await Timer(site.store.mentorships, expire).sweep()
    assert (await site.store.mentorships.load(site.tenant, old.id)).status is Status.CLOSED
    assert (await site.store.mentorships.load(site.tenant, young.id)).status is Status.PROPOSED


async def test_lists_continue_where_they_stopped(site: Site) -> None:
    """`next` of one page is `after` of the following one; every proposal comes exactly once."""
    made = {(await site.proposed("ana", f"dora-{number}")).id for number in range(5)}
    seen: list[str] = []
    after: str | None = None
    async with site.as_("ana") as ana:
        while True:
            params = {"limit": "2"} | ({"after": after} if after else {})
            page = (await ana.get(f"{API}/proposals", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            if (after := page["next"]) is None:
                break
    assert (len(seen), set(seen)) == (5, made)
