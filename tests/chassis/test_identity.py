"""Only a token that profiles signed for us, now and for this use, tells who calls."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from chassis.errors import UnauthenticatedError, UnavailableError
from chassis.web.http import make_api
from chassis.web.identity import Caller, CallingService, ServiceCaller, ServiceTokens, SignedIn, Verifier, Visitor
from fastapi import FastAPI
from joserfc.jwk import ECKey
from web_edge import PUBLIC_URL, EdgeSettings, Profiles, a_key, a_token, served

KEY = a_key("first")


@pytest.fixture
async def profiles() -> AsyncIterator[tuple[Profiles, str]]:
    """Profiles with one key, and its address."""
    stand_in = Profiles([KEY])
    async with served(stand_in.app()) as address:
        yield stand_in, address


@pytest.fixture
async def verifier(profiles: tuple[Profiles, str]) -> AsyncIterator[Verifier]:
    """A verifier with keys from profiles."""
    made = Verifier(EdgeSettings(profiles[1]))
    yield made
    await made.aclose()


async def test_a_members_token_names_member_tenant_and_roles(verifier: Verifier) -> None:
    """All of the caller comes from the token."""
    token = a_token(KEY, sub="m-7", tid="acme", roles=["analyst", "operator"])
    assert await verifier.member(token) == Caller("m-7", "acme", frozenset({"analyst", "operator"}), token)


async def test_a_service_token_names_service_and_purpose(verifier: Verifier) -> None:
    """A service has a purpose and no tenant."""
    token = a_token(KEY, sub="notifications", tid=None, roles=None, purpose="mail")
    assert await verifier.service(token) == CallingService("notifications", "mail")


def encoded(part: dict[str, Any] | bytes) -> str:
    """One part of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(algorithm: str, secret: bytes | None = None) -> str:
    """A token made by hand, without our key: with a shared secret, or with no signature at all."""
    claims = {"iss": PUBLIC_URL, "aud": "turnabout", "sub": "m", "tid": "demo", "exp": int(time.time()) + 600}
    signed = f"{encoded({'alg': algorithm, 'kid': 'first'})}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256')) if secret else ''}"


def tampered() -> str:
    """Another tenant written into a signed token."""
    head, body, signature = a_token(KEY).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["tid"] = "other"
    return f"{head}.{encoded(claims)}.{signature}"


REFUSED = {
    "expired 61 seconds ago": a_token(KEY, exp=int(time.time()) - 61),
    "never expires": a_token(KEY, exp=None),
    "from another issuer": a_token(KEY, iss="https://elsewhere.example"),
    "for another audience": a_token(KEY, aud="payroll"),
    "without an audience": a_token(KEY, aud=None),
    "without a subject": a_token(KEY, sub=None),
    "without a tenant": a_token(KEY, tid=None),
    "of a service": a_token(KEY, tid=None, purpose="mail"),
    "of a member with a purpose": a_token(KEY, purpose="mail"),
    "roles are no list": a_token(KEY, roles="analyst"),
    "signed by somebody else under our key's name": a_token(a_key("first")),
    "of an unknown key": a_token(a_key("unknown")),
    "unsigned": forged("none"),
    "signed with the public key": forged("HS256", KEY.as_pem(private=False)),
    "tampered": tampered(),
    "no token at all": "hello",
    "empty": "",
    "not ASCII": "ü.ü.ü",
    "endless": a_token(KEY, padding="x" * 9000),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
async def test_anything_else_is_nobody(verifier: Verifier, token: str) -> None:
    """Refused with the same words, whatever is wrong with it."""
    with pytest.raises(UnauthenticatedError, match="Please sign in to go on"):
        await verifier.member(token)


async def test_clocks_may_differ_by_a_minute(verifier: Verifier) -> None:
    """A token that ran out 30 seconds ago still counts."""
    assert (await verifier.member(a_token(KEY, exp=int(time.time()) - 30))).member == "member-1"


async def test_a_members_token_is_no_service_token(verifier: Verifier) -> None:
    """A person cannot use what is meant for services."""
    with pytest.raises(UnauthenticatedError):
        await verifier.service(a_token(KEY))


async def test_unknown_keys_make_one_fetch(profiles: tuple[Profiles, str], verifier: Verifier) -> None:
    """Two hundred forged key names at once ask profiles once, not two hundred times."""
    forged = [a_token(KEY, kid=f"forged-{number}") for number in range(200)]
    results = await asyncio.gather(*(verifier.member(token) for token in forged), return_exceptions=True)
    assert {type(result) for result in results} == {UnauthenticatedError}
    assert profiles[0].fetches == 1


async def test_a_new_key_is_fetched(profiles: tuple[Profiles, str]) -> None:
    """After a rotation tokens of the old and of the new key are good."""
    verifier = Verifier(EdgeSettings(profiles[1]), refetch_seconds=0)
    old = a_token(KEY)
    await verifier.member(old)
    new_key = a_key("second")
    profiles[0].keys.append(new_key)
    assert (await verifier.member(a_token(new_key))).member == "member-1"
    assert (await verifier.member(old)).member == "member-1"
    assert profiles[0].fetches == 2
    await verifier.aclose()


async def test_profiles_may_be_away_once_we_have_keys() -> None:
    """Nobody is signed out because profiles restarts; without any keys we say that we cannot tell."""
    stand_in = Profiles([KEY])
    async with served(stand_in.app()) as address:
        verifier = Verifier(EdgeSettings(address), refetch_seconds=0)
        await verifier.member(a_token(KEY))
    assert (await verifier.member(a_token(KEY))).member == "member-1"
    with pytest.raises(UnauthenticatedError):
        await verifier.member(a_token(a_key("unknown")))
    never_had_any = Verifier(EdgeSettings(address))
    with pytest.raises(UnavailableError):
        await never_had_any.member(a_token(KEY))


async def test_a_service_token_is_kept_until_shortly_before_its_end(profiles: tuple[Profiles, str]) -> None:
    """It is asked for once by many, with name, secret and purpose, and again a minute before it runs out."""
    tokens = ServiceTokens(EdgeSettings(profiles[1]), "mail")
    first = await asyncio.gather(*(tokens.token() for _ in range(20)))
    assert set(first) == {"token 1"}
    assert profiles[0].service_tokens == [
        {"client_id": "matching", "client_secret": "between services", "purpose": "mail"}
    ]
    await asyncio.sleep(1.1)  # the stand-in's tokens last 61 seconds, so they are renewed after one
    assert (await tokens.headers())["Authorization"] == "Bearer token 2"
    await tokens.aclose()


def an_api(address: str) -> FastAPI:
    """Routes for members, visitors and services."""
    api = make_api("chassis", settings=EdgeSettings(address))

    @api.get("/page")
    async def page(caller: SignedIn) -> str:
        return caller.member

    @api.post("/page")
    async def change(caller: SignedIn) -> str:
        return caller.member

    @api.get("/open")
    async def open_to_all(caller: Visitor) -> str:
        return caller.member if caller else "nobody"

    @api.get("/api/chassis/v1/mine")
    async def mine(caller: SignedIn) -> str:
        return caller.member

    @api.get("/api/chassis/v1/internal")
    async def internal(service: ServiceCaller) -> str:
        return service.purpose

    return api


async def answer(address: str, path: str, **request: Any) -> httpx.Response:
    """What the API answers to a GET."""
    transport = httpx.ASGITransport(an_api(address))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        return await client.get(path, **request)


async def test_cookie_and_bearer_both_sign_in_and_bearer_wins(profiles: tuple[Profiles, str]) -> None:
    """A browser sends the cookie, a program the header."""
    cookie = {"Cookie": f"turnabout_session={a_token(KEY, sub='by-cookie')}"}
    bearer = {"Authorization": f"Bearer {a_token(KEY, sub='by-bearer')}"}
    assert (await answer(profiles[1], "/page", headers=cookie)).json() == "by-cookie"
    assert (await answer(profiles[1], "/page", headers=bearer)).json() == "by-bearer"
    assert (await answer(profiles[1], "/page", headers=cookie | bearer)).json() == "by-bearer"


async def test_a_page_sends_strangers_to_sign_in_and_back(profiles: tuple[Profiles, str]) -> None:
    """The address they wanted comes along."""
    response = await answer(profiles[1], "/page?tab=two words")
    assert response.status_code == 303
    sign_in = urlsplit(response.headers["location"])
    assert (sign_in.netloc, sign_in.path) == ("", "/sign-in")
    assert parse_qs(sign_in.query) == {"next": ["/page?tab=two%20words"]}


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"Referer": f"{PUBLIC_URL}/proposals?tab=2"}, "/proposals?tab=2"),
        ({"Referer": "https://evil.example/proposals"}, "/"),
        ({}, "/"),
    ],
)
async def test_a_command_leads_back_to_the_page_that_sent_it(
    profiles: tuple[Profiles, str], headers: dict[str, str], back: str
) -> None:
    """The command's own address could not be opened."""
    transport = httpx.ASGITransport(an_api(profiles[1]))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        response = await client.post("/page", headers={"Sec-Fetch-Site": "same-origin"} | headers)
    assert parse_qs(urlsplit(response.headers["location"]).query) == {"next": [back]}


async def test_a_part_of_a_page_leads_back_to_the_page(profiles: tuple[Profiles, str]) -> None:
    """The open page shows a notice with a link, and stays as it is."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"{PUBLIC_URL}/proposals"}
    response = await answer(profiles[1], "/page", headers=headers)
    assert response.status_code == 401
    assert 'href="/sign-in?next=/proposals"' in response.text


async def test_the_api_answers_401_with_a_sentence(profiles: tuple[Profiles, str]) -> None:
    """A program learns what is missing instead of being redirected."""
    response = await answer(profiles[1], "/api/chassis/v1/mine")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"] == "Please sign in to go on."


async def test_a_visitor_needs_no_token(profiles: tuple[Profiles, str]) -> None:
    """An open page works without, with, and with a worthless token."""
    assert (await answer(profiles[1], "/open")).json() == "nobody"
    good, bad = {"Authorization": f"Bearer {a_token(KEY)}"}, {"Authorization": "Bearer junk"}
    assert (await answer(profiles[1], "/open", headers=good)).json() == "member-1"
    assert (await answer(profiles[1], "/open", headers=bad)).json() == "nobody"


async def test_a_service_token_in_a_cookie_is_not_enough(profiles: tuple[Profiles, str]) -> None:
    """Services say who they are in the header, where no browser puts anything by itself."""
    token = a_token(KEY, sub="notifications", tid=None, roles=None, purpose="mail")
    in_cookie = await answer(profiles[1], "/api/chassis/v1/internal", headers={"Cookie": f"turnabout_session={token}"})
    in_header = await answer(profiles[1], "/api/chassis/v1/internal", headers={"Authorization": f"Bearer {token}"})
    assert in_cookie.status_code == 401
    assert in_header.json() == "mail"


def test_a_caller_in_a_log_or_traceback_shows_no_token() -> None:
    """The token stays out of what developers print."""
    assert "s3cret" not in repr(Caller("m", "demo", frozenset(), "s3cret"))


def test_keys_are_of_the_agreed_kind() -> None:
    """The tests sign as profiles does: ES256 on P-256."""
    assert isinstance(KEY, ECKey)
    assert KEY.curve_name == "P-256"
