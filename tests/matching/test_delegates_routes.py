"""Which routes answer a delegate: looked up in the application, and tried one by one."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from contracts.matching import Status
from fastapi.routing import APIRoute
from matching.domain.mentorship import Mentorship
from matching_office import API, an_office, in_days, iso, key, name, running
from matching_site import Site
from web_edge import PUBLIC_URL, a_token

pytestmark = pytest.mark.connected
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
BODIES: dict[str, dict[str, Any]] = {
    f"{API}/mentorships/{{mentorship}}/agreement/confirmations": {"version": 1},
    f"{API}/mentorships/{{mentorship}}/sessions": {"day": "2026-03-09", "outcome": "held"},
    f"{API}/mentorships/{{mentorship}}/plan/times": {"times": [iso(in_days(5, "Europe/London"))]},
    f"{API}/mentorships/{{mentorship}}/plan/pick": {"at": "2026-03-10T09:00:00Z"},
    f"{API}/mentorships/{{mentorship}}/sessions/{{session}}/reflection": {"text": "mine"},
    f"{API}/mentorships/{{mentorship}}/delegate": {"email": "emil@acme.example"},
    "/mentorships/{mentorship}/agreement": {
        "version": "1",
        "areas": "ai-tools",
        "cadence": "weekly",
        "medium": "video",
        "minutes": "30",
        "months": "3",
    },
    "/mentorships/{mentorship}/sessions": {"day": "2026-03-09", "outcome": "held"},
    "/mentorships/{mentorship}/times": {"time_1": iso(in_days(6, "Europe/London"))},
    "/mentorships/{mentorship}/times/pick": {"at": "2026-03-10T09:00:00.000Z"},
    "/arranging/{mentorship}/times/pick": {"at": "2026-03-10T09:00:00.000Z"},
    "/mentorships/{mentorship}/delegate": {"email": "emil@acme.example"},
}
"""What a route needs to look at who asks."""
ARRANGING = {
    ("GET", f"{API}/mentorships/{{mentorship}}/plan"),
    *(("POST", f"{API}/mentorships/{{mentorship}}/plan/{path}") for path in ("times", "pick", "call-off")),
    *(
        ("POST", f"/{base}/{{mentorship}}/{path}")
        for base in ("mentorships", "arranging")
        for path in ("times", "times/pick", "call-off")
    ),
    ("GET", "/arranging/{mentorship}"),
}
"""All that a delegate may do about a pair, but to stop."""
STEPPING_DOWN = {("POST", "/arranging/{mentorship}/step-down"), ("DELETE", f"{API}/arranging/{{mentorship}}")}


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    """Ana of New York mentors dora of Berlin; sam of London and emil work for others as well."""
    async with an_office(kafka, database) as made:
        yield made


def routes_of(router: Any) -> Iterator[APIRoute]:
    """Every route of an application, or of a router that it includes."""
    for each in router.routes:
        if isinstance(each, APIRoute):
            yield each
        elif (included := getattr(each, "original_router", None)) is not None:
            yield from routes_of(included)


async def routes_open_to(site: Site, member: str, pair: Mentorship) -> set[tuple[str, str]]:
    """Every route of a pair that does not answer as if there were none."""
    routes = [each for each in routes_of(site.app) if "{mentorship}" in each.path]
    assert len(routes) > 30
    intent = pair.agreement.intent.model_dump(mode="json") if pair.agreement else {}
    found = set()
    async with site.as_(member) as client:
        for route in routes:
            names = {"mentorship": pair.id, "session": "s-1"}
            path = _PATH_PARAMETER.sub(lambda match, names=names: names[match[1]], route.path)  # type: ignore[misc]
            for method in set(route.methods or ()) - {"HEAD"}:
                body = intent if path.startswith(API) and path.endswith("/agreement") else BODIES.get(route.path)
                sent: dict[str, Any] = {"json": body} if path.startswith(API) else {"data": body or {}}
                headers = key() | {"If-Match": "1"}
                answer = await client.request(method, path, headers=headers, **(sent if method != "GET" else {}))
                assert answer.status_code not in {405, 422} or (method, route.path) in ARRANGING, (route.path, answer)
                if answer.status_code != 404:
                    found.add((method, route.path))
                    if (method, route.path) in STEPPING_DOWN:
                        await name(site, pair, member)
    return found


async def test_every_route_of_a_pair_but_those_of_times_answers_a_delegate_as_a_stranger(site: Site) -> None:
    """Looked up in the application itself, so that a route that is added later is looked at, too."""
    pair = await running(site)
    await name(site, pair, "sam")
    assert await routes_open_to(site, "sam", pair) == ARRANGING | STEPPING_DOWN
    assert await routes_open_to(site, "emil", pair) == set()
    after = await site.store.mentorships.load(site.tenant, pair.id)
    assert (after.status, after.agreement, after.sessions, after.delegate) == (
        Status.STARTED,
        pair.agreement,
        [],
        "sam",
    )


async def test_a_delegate_is_one_of_exactly_that_pair_until_it_is_taken_back(site: Site) -> None:
    """Neither of the mentor's other pairs, nor of the mentee's; another takes the place of the first."""
    pair, others = await running(site), [await running(site, "ana", "emil"), await running(site, "luis", "dora")]
    await name(site, pair, "sam")
    for other in others:
        assert await routes_open_to(site, "sam", other) == set()
    await name(site, pair, "luis")
    assert await routes_open_to(site, "sam", pair) == set()
    async with site.as_("dora") as dora:
        await dora.delete(f"{API}/mentorships/{pair.id}/delegate", headers=key())
    assert await routes_open_to(site, "luis", pair) == set()


async def test_another_organisation_has_no_delegates_here(site: Site) -> None:
    """The same id under another tenant arranges nothing."""
    pair = await running(site)
    await name(site, pair, "sam")
    headers = {"Authorization": f"Bearer {a_token(site.key, sub='sam', tid='another', roles=[])}"}
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as stranger:
        assert (await stranger.get(f"/arranging/{pair.id}")).status_code == 404
        assert (await stranger.get(f"{API}/arranging")).json() == []
