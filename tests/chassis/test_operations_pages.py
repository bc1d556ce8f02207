"""The pages for operators: what metrics say, in words, to operators alone, and nothing that is no figure."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from chassis.web import operations
from chassis.web.http import make_api
from chassis.web.operations import POLICY, READ
from chassis.web.policy import Deny, Permit, Resource
from english_words import english_left, shown
from fastapi import FastAPI, Response
from joserfc.jwk import ECKey
from web_edge import PUBLIC_URL, EdgeSettings, Profiles, a_key, a_token, served

from chassis import clock

AWAY = "http://127.0.0.1:1"
CANARY = "amara.okafor@example.org"
HTML = {"Accept": "text/html"}


@dataclass
class Process:
    """A process of the service that answers for its metrics."""

    text: str = ""
    asked: list[str] = field(default_factory=list)

    def app(self) -> FastAPI:
        """The application to serve."""
        api = FastAPI()

        @api.get("/metrics")
        async def metrics() -> Response:
            self.asked.append("/metrics")
            return Response(self.text, media_type="text/plain")

        return api


def metrics(instance: str, *more: str) -> str:
    """Of a process that started an hour ago and is well."""
    now = clock.real_ms() / 1000
    lines = [
        f'turnabout_process_info{{instance="{instance}",service="matching",version="1.2.3"}} 1.0',
        f"turnabout_started_timestamp_seconds {now - 3600}",
        f'turnabout_answered_timestamp_seconds{{who="database"}} {now - 3}',
        *(f"turnabout_{each}" for each in more),
    ]
    return "\n".join(lines) + "\n"


LETTERS = (
    'dead_letters{group="matching.members",reason="bad-body"} 2',
    'dead_letters_oldest_seconds{group="matching.members",reason="bad-body"} 7300',
)
# What a process may tell beside; nobody who looks at the page has to see it.
OTHERS = (
    f'parked_key{{key="{CANARY}"}} 1',
    f'http_requests_total{{method="GET",route="/people/{CANARY}",status="200"}} 9',
    f'dead_letters_payload{{body="{CANARY}"}} 1',
)


@dataclass(frozen=True)
class Settings(EdgeSettings):
    """What the web layer and the pages read."""

    process_addresses: tuple[str, ...] = ()
    runbooks_url: str | None = f"{PUBLIC_URL}/runbooks"


@pytest.fixture(scope="module")
def key() -> ECKey:
    return a_key("k1")


@pytest.fixture
async def process() -> Process:
    """The API of matching."""
    return Process(metrics("matching-api-0", *LETTERS, *OTHERS))


@pytest.fixture
async def browser(key: ECKey, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody before the pages of matching, whose second process is away."""
    async with served(Profiles([key]).app()) as profiles, served(process.app()) as address:
        api = make_api("chassis", settings=(settings := Settings(profiles, process_addresses=(address, AWAY))))
        api.include_router(operations.router("matching", settings))
        api.include_router(operations.overview())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api), base_url=PUBLIC_URL, headers={"Origin": PUBLIC_URL}
        ) as client:
            yield client


def as_(key: ECKey, *roles: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {a_token(key, roles=list(roles))}"}


PATHS = ("/operations", "/operations/matching", "/operations/matching/figures", "/operations/matching/summary")


@pytest.mark.parametrize("path", PATHS)
async def test_operators_see_the_pages(browser: httpx.AsyncClient, key: ECKey, path: str) -> None:
    """They have them in their navigation."""
    answer = await browser.get(path, headers=HTML | as_(key, "operator"))

    assert answer.status_code == 200
    if "<html" in answer.text:
        assert re.findall(r'href="([^"]+)" aria-current="page"', answer.text) == ["/operations"]


@pytest.mark.parametrize("path", [*PATHS, "/api/matching/v1/operations"])
@pytest.mark.parametrize("roles", [(), ("analyst",), ("organiser",), ("analyst", "organiser")])
async def test_nobody_else_does(
    browser: httpx.AsyncClient, process: Process, key: ECKey, path: str, roles: tuple[str, ...]
) -> None:
    """A plain sentence, and no process is asked for anything."""
    answer = await browser.get(path, headers=HTML | as_(key, *roles))

    assert answer.status_code == 403
    assert "Your account does not allow this." in answer.text
    assert (process.asked, "matching-api-0" in answer.text) == ([], False)


@pytest.mark.parametrize("path", PATHS)
async def test_whoever_is_not_signed_in_is_sent_to_sign_in(browser: httpx.AsyncClient, path: str) -> None:
    """And comes back from there."""
    answer = await browser.get(path, headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


def test_the_policy_lets_operators_in_and_nobody_else() -> None:
    """Of their own tenant; nothing else is an action of these pages."""

    @dataclass(frozen=True)
    class Subject:
        tenant: str
        roles: frozenset[str]

    operator, analyst = Subject("demo", frozenset({"operator"})), Subject("demo", frozenset({"analyst"}))
    assert POLICY.decide(operator, READ, Resource("demo")) == Permit()
    assert POLICY.decide(operator, READ, Resource("globex")) == Deny("other-tenant", hide=True)
    assert POLICY.decide(operator, "operations.change", Resource("demo")) == Deny("unknown-action")
    assert POLICY.decide(analyst, READ, Resource("demo", relations=frozenset({"lead"}))) == Deny("not-granted")


async def test_the_page_says_what_is_wrong_and_what_to_do(browser: httpx.AsyncClient, key: ECKey) -> None:
    """In words; each part with its command, and the runbook that its operators can read."""
    page = (await browser.get("/operations/matching", headers=HTML | as_(key, "operator"))).text
    text = " ".join(shown(page))

    assert "Not as it should be: Processes, Dead letters." in text
    assert "matching-api-0 ready" in text
    assert "127.0.0.1:1 does not answer" in text
    assert "matching.members the body breaks the contract (bad-body) 2 2 hours Look at it" in text
    assert "turnabout dead list --service matching" in text
    assert f'href="{PUBLIC_URL}/runbooks/delivery.md"' in page
    assert re.findall(r'href="#([\w-]+)">(?:Processes|Dead letters)<', page) == ["processes", "dead-letters"]


async def test_a_page_holds_nothing_but_its_figures(browser: httpx.AsyncClient, key: ECKey) -> None:
    """Whatever else a process tells: no key, no body, no address of a person reaches anybody."""
    for path in (*PATHS, "/api/matching/v1/operations"):
        answer = await browser.get(path, headers=HTML | as_(key, "operator"))
        assert answer.status_code == 200
        assert CANARY not in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_no_english_is_left_in_german(browser: httpx.AsyncClient, key: ECKey, path: str) -> None:
    """Reasons, sentences and durations too."""
    headers = HTML | as_(key, "operator") | {"Accept-Language": "de"}
    page = (await browser.get(path, headers=headers)).text

    assert english_left(shown(page)) == set()
    if path.endswith("/figures"):
        assert "2 Stunden" in page


async def test_a_page_refreshes_itself_until_it_is_told_to_stand_still(browser: httpx.AsyncClient, key: ECKey) -> None:
    """Nothing that moves by itself can't be stopped, and nothing of it is read out unasked."""
    operator = HTML | as_(key, "operator")
    for path in ("/operations", "/operations/matching"):
        moving = (await browser.get(path, headers=operator)).text
        still = (await browser.get(f"{path}?refresh=off", headers=operator)).text
        assert ("every 10s" in moving, "every 10s" in still) == (True, False)
        assert f'href="{path}?refresh=off"' in moving
        assert f'<a href="{path}">Look again by itself</a>' in still
        assert "aria-live" not in moving.partition('<main class="main"')[2]


async def test_the_overview_lists_the_services_of_the_catalogue(browser: httpx.AsyncClient, key: ECKey) -> None:
    """Each a link to its page, which fills by itself where there are scripts."""
    page = (await browser.get("/operations", headers=HTML | as_(key, "operator"))).text

    services = ["analytics", "matching", "notifications", "profiles"]
    assert re.findall(r'<a href="/operations/(\w+)">', page) == services
    assert re.findall(r'hx-get="/operations/(\w+)/summary"', page) == services


async def test_programs_get_the_same(browser: httpx.AsyncClient, key: ECKey) -> None:
    """Judged alike, with the command that shows more; the description says so."""
    standing = (await browser.get("/api/matching/v1/operations", headers=as_(key, "operator"))).json()

    assert (standing["service"], standing["judgement"]) == ("matching", "bad")
    assert [(each["instance"], each["answers"], each["judgement"]) for each in standing["processes"]] == [
        ("matching-api-0", True, "good"),
        ("127.0.0.1:1", False, "bad"),
    ]
    letters = next(each for each in standing["promises"] if each["promise"] == "dead-letters")
    assert letters == {
        "promise": "dead-letters",
        "judgement": "attention",
        "command": "turnabout dead list --service matching",
        "figures": [
            {"subject": "matching.members", "why": "bad-body", "count": 2, "seconds": 7300, "judgement": "attention"}
        ],
    }
    described = (await browser.get("/api/chassis/v1/openapi.json")).json()
    assert list(described["paths"]) == ["/api/matching/v1/operations"]


async def test_a_service_whose_every_process_is_well_is_good(
    browser: httpx.AsyncClient, process: Process, key: ECKey
) -> None:
    """The one process that answers is well; the other one still keeps the service from it."""
    process.text = metrics("matching-api-0")
    standing = (await browser.get("/api/matching/v1/operations", headers=as_(key, "operator"))).json()

    assert [each["judgement"] for each in standing["promises"]] == ["good"] * 8
    assert standing["judgement"] == "bad"
