"""Every service answers refusals, strangers' pages, large bodies and crowds in the same way."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from chassis.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionError,
    TransientError,
    TurnaboutError,
    UnavailableError,
)
from chassis.settings import Settings
from chassis.web.http import MEBIBYTE, IdempotencyKey, IfMatch, body_limit, make_api, set_etag
from fastapi import APIRouter, FastAPI, Form, Request, Response
from prometheus_client import REGISTRY
from pydantic import BaseModel
from sse_starlette import EventSourceResponse
from web_edge import PUBLIC_URL, EdgeSettings

from chassis import logs, telemetry

OURS = {"Origin": PUBLIC_URL}
REFUSALS: list[tuple[type[TurnaboutError], int]] = [
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (ConflictError, 409),
    (PreconditionError, 412),
    (InvalidError, 422),
    (UnavailableError, 503),
]


class Answer(BaseModel):
    """A body with one field."""

    yes: bool


def commands(going_on: asyncio.Event) -> APIRouter:
    """Routes that take something."""
    router = APIRouter()

    @router.post("/answers/{proposal}")
    async def answer(proposal: str, body: Answer) -> dict[str, Any]:
        return {"proposal": proposal, "yes": body.yes}

    @router.post("/forms")
    async def form(key: IdempotencyKey, version: IfMatch, goal: Annotated[str, Form()]) -> list[str | None]:
        return [key, version, goal]

    @router.post("/small")
    async def small(request: Request) -> int:
        return len(await request.body())

    @router.post("/large")
    @body_limit(3 * MEBIBYTE)
    async def large(request: Request) -> int:
        return len(await request.body())

    @router.post("/slow")
    async def slow() -> str:
        await going_on.wait()
        return "done"

    return router


def queries() -> APIRouter:
    """Routes that only answer."""
    router = APIRouter()

    @router.get("/fails/{name}")
    async def fails(name: str) -> None:
        known = {refusal.__name__: refusal for refusal, _ in REFUSALS}
        if name in known:
            raise known[name]("Do it differently.")
        raise TransientError("database: away") if name == "away" else RuntimeError("a secret about Amara")

    @router.get("/versioned")
    async def versioned(response: Response) -> str:
        set_etag(response, "r7")
        return "seven"

    @router.get("/stream")
    async def stream() -> EventSourceResponse:
        async def events() -> AsyncIterator[dict[str, str]]:
            yield {"event": "notice", "data": "1"}

        return EventSourceResponse(events())

    return router


def an_api(most_commands: int = 64) -> FastAPI:
    """An API that shows each behaviour, below prefixes as services have them."""
    api = make_api("chassis", settings=EdgeSettings("http://127.0.0.1:1"), most_commands=most_commands)
    api.state.going_on = asyncio.Event()
    for router in (queries(), commands(api.state.going_on)):
        api.include_router(router, prefix="/api/chassis/v1")
        api.include_router(router, prefix="/pages")
    return api


@pytest.fixture(autouse=True)
def logged_as_in_production() -> None:
    """The unconfigured logger would draw every bug with its local variables."""
    logs.configure(Settings(instance="chassis-0"), "chassis")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh API."""
    async with client_of(an_api()) as made:
        yield made


def client_of(api: FastAPI) -> httpx.AsyncClient:
    """A client that sees what a browser would see."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(api, raise_app_exceptions=False), base_url=PUBLIC_URL)


@pytest.mark.parametrize(("refusal", "status"), REFUSALS)
async def test_a_refusal_is_a_problem_document(
    client: httpx.AsyncClient, refusal: type[TurnaboutError], status: int
) -> None:
    """Status, title and the plain sentence; 503 says when to come back."""
    response = await client.get(f"/api/chassis/v1/fails/{refusal.__name__}")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": refusal.title,
        "status": status,
        "detail": "Do it differently.",
    }
    assert ("retry-after" in response.headers) is (status == 503)


@pytest.mark.parametrize(("refusal", "status"), REFUSALS)
async def test_a_browser_gets_a_page_instead(
    client: httpx.AsyncClient, refusal: type[TurnaboutError], status: int
) -> None:
    """With the same words, a way out, and the same status."""
    response = await client.get(f"/pages/fails/{refusal.__name__}", headers={"Accept": "text/html,*/*"})
    assert response.status_code == status
    assert f"<h1>{refusal.title}</h1>" in response.text
    assert "Do it differently." in response.text
    assert 'href="/"' in response.text


async def test_htmx_gets_a_notice_for_the_open_page(client: httpx.AsyncClient) -> None:
    """It goes to the notices' place, wherever the request came from."""
    response = await client.get("/pages/fails/ConflictError", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["hx-retarget"]) == (409, "#notices")
    assert 'role="alert"' in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize("path", ["/api/chassis/v1/fails/bug", "/pages/fails/bug"])
async def test_a_bug_tells_nothing_but_what_to_do(client: httpx.AsyncClient, path: str) -> None:
    """The exception's words, which may quote people, stay inside; the headers are as strict as elsewhere."""
    response = await client.get(path)
    assert response.status_code == 500
    assert "Try again in a minute" in response.text
    assert "Amara" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'self'")


async def test_a_database_that_is_away_is_503(client: httpx.AsyncClient) -> None:
    """Nothing was lost, so the client may repeat the request soon."""
    response = await client.get("/api/chassis/v1/fails/away")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["detail"] == "Nothing is lost. Wait a few seconds and try again."


async def test_wrong_input_names_the_field_and_never_repeats_it(client: httpx.AsyncClient) -> None:
    """The place and what is expected there."""
    response = await client.post("/api/chassis/v1/answers/1", json={"yes": "amara@example.org"})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == "yes"
    assert "boolean" in error["detail"]
    assert "amara" not in response.text


async def test_broken_json_is_422(client: httpx.AsyncClient) -> None:
    """As any other wrong input."""
    response = await client.post(
        "/api/chassis/v1/answers/1", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422


@pytest.mark.parametrize(("path", "kind"), [("/api/nothing", "application/problem+json"), ("/nothing", "text/html")])
async def test_an_unknown_address(client: httpx.AsyncClient, path: str, kind: str) -> None:
    """Programs and people each get their kind of 404."""
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith(kind)


# --- Commands of other sites ------------------------------------------------------------------------------------------

COOKIE = {"Cookie": "turnabout_session=x"}
FROM = {
    "same origin": ({"Sec-Fetch-Site": "same-origin"}, 200),
    "typed by the person": ({"Sec-Fetch-Site": "none"}, 200),
    "another site": ({"Sec-Fetch-Site": "cross-site", **OURS}, 403),
    "a sister domain": ({"Sec-Fetch-Site": "same-site", **OURS}, 403),
    "our origin": (OURS, 200),
    "this host without TLS in between": ({"Origin": "http://turnabout.example"}, 200),
    "another origin": ({"Origin": "https://evil.example"}, 403),
    "an origin that begins like ours": ({"Origin": f"{PUBLIC_URL}.evil.example"}, 403),
    "a sandboxed frame": ({"Origin": "null"}, 403),
    "our page by referrer": ({"Referer": f"{PUBLIC_URL}/proposals"}, 200),
    "a foreign page by referrer": ({"Referer": f"https://evil.example/?{PUBLIC_URL}"}, 403),
    "nothing said": ({}, 403),
}


@pytest.mark.parametrize(("headers", "status"), FROM.values(), ids=FROM.keys())
async def test_a_command_must_come_from_our_pages(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """A browser sends the cookie from any site; only our own pages may use it."""
    for path in ("/pages/answers/1", "/api/chassis/v1/answers/1"):
        response = await client.post(path, json={"yes": True}, headers=COOKIE | headers)
        assert response.status_code == status, path


async def test_programs_need_no_origin(client: httpx.AsyncClient) -> None:
    """A bearer token is never sent by a browser on its own, and without a cookie there is nothing to misuse."""
    bearer = await client.post(
        "/api/chassis/v1/answers/1", json={"yes": True}, headers=COOKIE | {"Authorization": "Bearer x"}
    )
    bare = await client.post("/api/chassis/v1/answers/1", json={"yes": True})
    assert (bearer.status_code, bare.status_code) == (200, 200)


async def test_reading_is_open_to_links_from_elsewhere(client: httpx.AsyncClient) -> None:
    """A mail may link to a page."""
    response = await client.get("/pages/versioned", headers=COOKIE | {"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200


# --- Keys and versions ------------------------------------------------------------------------------------------------


async def test_key_and_version_come_by_header_or_by_hidden_field(client: httpx.AsyncClient) -> None:
    """A program sends headers, a form without scripts sends fields; a header wins."""
    fields = {"goal": "learn", "idempotency_key": "form-key-1", "if_match": "r1"}
    by_form = await client.post("/pages/forms", data=fields, headers=OURS)
    assert by_form.json() == ["form-key-1", "r1", "learn"]
    headers = OURS | {"Idempotency-Key": '"head-key-1"', "If-Match": 'W/"r2"'}
    by_header = await client.post("/pages/forms", data=fields, headers=headers)
    assert by_header.json() == ["head-key-1", "r2", "learn"]


@pytest.mark.parametrize("key", ["short", "x" * 129, "has space", "ümlaut-ümlaut", ""])
async def test_a_malformed_or_missing_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    """With a sentence that says what a key looks like."""
    fields = {"goal": "learn", "idempotency_key": key}
    response = await client.post("/api/chassis/v1/forms", data=fields)
    assert response.status_code == 422
    assert "Idempotency-Key" in response.json()["detail"]


async def test_any_version_means_no_version(client: httpx.AsyncClient) -> None:
    """`If-Match: *` asks for no particular one."""
    fields = {"goal": "learn", "idempotency_key": "form-key-1"}
    response = await client.post("/api/chassis/v1/forms", data=fields, headers={"If-Match": "*"})
    assert response.json() == ["form-key-1", None, "learn"]


async def test_an_etag_is_quoted(client: httpx.AsyncClient) -> None:
    """As HTTP wants it."""
    assert (await client.get("/pages/versioned")).headers["etag"] == '"r7"'


# --- Limits -----------------------------------------------------------------------------------------------------------


async def chunks(count: int) -> AsyncIterator[bytes]:
    """A body of so many half mebibytes that does not announce its length."""
    for _ in range(count):
        yield b"x" * (MEBIBYTE // 2)


@pytest.mark.parametrize(
    ("path", "halves", "status"), [("small", 2, 200), ("small", 3, 413), ("large", 6, 200), ("large", 7, 413)]
)
async def test_a_body_may_be_as_large_as_its_route_allows(
    client: httpx.AsyncClient, path: str, halves: int, status: int
) -> None:
    """A mebibyte, or what the route says; whether the length is announced or not."""
    announced = await client.post(f"/api/chassis/v1/{path}", content=b"x" * (halves * MEBIBYTE // 2))
    streamed = await client.post(f"/api/chassis/v1/{path}", content=chunks(halves))
    assert (announced.status_code, streamed.status_code) == (status, status)
    if status == 413:
        assert announced.json()["detail"] == "Send less at once, for example by splitting the file."


async def test_a_crowd_is_turned_away_at_the_door() -> None:
    """Two commands run, a third is told to wait, reading goes on, and afterwards there is room again."""
    api = an_api(most_commands=2)
    async with client_of(api) as client:
        running = [asyncio.create_task(client.post("/api/chassis/v1/slow")) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused = await client.post("/api/chassis/v1/slow")
        read = await client.get("/api/chassis/v1/versioned")
        api.state.going_on.set()
        finished = await asyncio.gather(*running)
        after = await client.post("/api/chassis/v1/slow")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert read.status_code == 200
    assert [response.status_code for response in finished] == [200, 200]
    assert after.status_code == 200


# --- Headers, spans, metrics ------------------------------------------------------------------------------------------


async def test_every_answer_is_sealed(client: httpx.AsyncClient) -> None:
    """No scripts or styles but our own files, no frames, no guessing of types, nothing kept by caches."""
    for path in ("/pages/versioned", "/api/nothing", "/nothing", "/pages/fails/bug"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


@pytest.fixture
def spans(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """What was exported so far."""
    path = tmp_path / "spans.jsonl"
    telemetry.start(Settings(instance="chassis-0", spans_file=path), "chassis")
    yield path.read_text
    telemetry.stop()


async def test_a_request_is_one_span_of_the_callers_trace(client: httpx.AsyncClient, spans: Callable[[], str]) -> None:
    """Its name and attributes hold the route as written, never the id in the address."""
    caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await client.post("/api/chassis/v1/answers/p-77", json={"yes": True}, headers={"traceparent": caller})
    exported = spans()
    line = json.loads(exported)
    assert line["name"] == "http POST /api/chassis/v1/answers/{proposal}"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert line["parent_span_id"] == "00f067aa0ba902b7"
    assert line["attributes"] == {
        "http.method": "POST",
        "http.route": "/api/chassis/v1/answers/{proposal}",
        "http.status": 200,
    }
    assert "p-77" not in exported


def requests(route: str, status: str) -> float:
    """How many GET answers were counted."""
    return (
        REGISTRY.get_sample_value("turnabout_http_requests_total", {"method": "GET", "route": route, "status": status})
        or 0
    )


def timed(route: str) -> float:
    """How many answers were timed."""
    return REGISTRY.get_sample_value("turnabout_http_seconds_count", {"route": route}) or 0


async def test_answers_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    """Also those of bugs and of unknown addresses, which share one label."""
    bugs, unknown = requests("/pages/fails/{name}", "500"), requests("unmatched", "404")
    await client.get("/pages/fails/bug")
    await client.get("/wp-admin.php")
    await client.get("/etc/passwd")
    assert requests("/pages/fails/{name}", "500") == bugs + 1
    assert requests("unmatched", "404") == unknown + 2


async def test_event_streams_are_counted_and_not_timed(client: httpx.AsyncClient) -> None:
    """A page that stays open for an hour is no slow answer."""
    counted, timed_before = requests("/pages/stream", "200"), timed("/pages/stream")
    response = await client.get("/pages/stream")
    assert "event: notice" in response.text
    assert requests("/pages/stream", "200") == counted + 1
    assert timed("/pages/stream") == timed_before
