"""Signing in: who gets a session, and who gets one sentence instead."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from chassis.web.identity import SESSION_COOKIE
from profile_site import Site
from profiles.keys import KeySet, new_key
from profiles.settings import ProfilesSettings
from profiles.store import Store
from profiles.tokens import Tokens

pytestmark = pytest.mark.connected


async def test_the_way_in_uses_pkce_state_and_nonce(site: Site) -> None:
    """Nothing that the provider sends back can be used twice or by another browser."""
    response = await site.browser().get("/sign-in", params={"go": "yes"})

    asked = parse_qs(urlsplit(response.headers["location"]).query)
    assert response.status_code == 303
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://turnabout.example/signed-in"]
    assert asked["scope"] == ["openid email"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize("in_token", [True, False])
async def test_a_listed_person_gets_a_session_of_eight_hours(site: Site, *, in_token: bool) -> None:
    """The address may come in the token or from userinfo; letter case does not matter."""
    site.provider.email, site.provider.email_in_token = "Ana@Demo.example", in_token
    browser = site.browser()

    back = await browser.get("/sign-in", params={"go": "yes", "next": "/profile?x=1"}, follow_redirects=True)

    assert str(back.url) == "http://turnabout.example/profile?x=1"
    assert "Ana Adler" in back.text
    session = next(each for each in back.history[-1].headers.get_list("set-cookie") if SESSION_COOKIE in each)
    assert "Max-Age=28800" in session
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert (await site.member("ana@demo.example")).identity == "http://idp.example|Ana@Demo.example"


async def test_an_address_that_nobody_has_gets_a_plain_sentence(site: Site) -> None:
    """And no session; another account can be tried from the same page."""
    site.provider.email = "stranger@demo.example"
    browser = site.browser()

    response = await browser.get("/sign-in", params={"go": "yes"}, follow_redirects=True)

    assert response.status_code == 403
    assert "its mentoring directory does not list you yet" in response.text
    assert "afresh=yes" in response.text
    assert SESSION_COOKIE not in browser.cookies


async def test_an_unconfirmed_address_is_not_enough(site: Site) -> None:
    """Otherwise anybody could claim to be anybody."""
    site.provider.email, site.provider.verified = "ana@demo.example", False

    response = await site.browser().get("/sign-in", params={"go": "yes"}, follow_redirects=True)

    assert response.status_code == 403
    assert "has not confirmed an e-mail address" in response.text


async def test_an_address_that_passed_to_somebody_else_does_not_open_the_old_profile(site: Site) -> None:
    """The first sign-in ties the member to the provider's subject."""
    site.provider.subject = "person-1"
    await site.signed_in("ana@demo.example")
    site.provider.subject = "person-2"

    response = await site.browser().get("/sign-in", params={"go": "yes"}, follow_redirects=True)

    assert response.status_code == 403
    assert "Another sign-in already uses this profile" in response.text


@pytest.mark.parametrize(
    "lie",
    [{"nonce": "another"}, {"aud": "someone-else"}, {"iss": "http://evil.example"}, {"exp": 1}, {"azp": "other"}],
)
async def test_a_token_that_is_not_meant_for_this_sign_in_is_refused(site: Site, lie: dict[str, object]) -> None:
    """Wrong nonce, audience, issuer, age or party: no session."""
    site.provider.email, site.provider.claims = "ana@demo.example", lie
    browser = site.browser()

    response = await browser.get("/sign-in", params={"go": "yes"}, follow_redirects=True)

    assert response.status_code == 503
    assert SESSION_COOKIE not in browser.cookies


async def test_a_callback_with_anothers_state_is_refused(site: Site) -> None:
    """A link that somebody else prepared signs nobody in."""
    browser = site.browser()
    await browser.get("/sign-in", params={"go": "yes"})

    response = await browser.get("/signed-in", params={"code": "x", "state": "forged"})

    assert response.status_code == 400
    assert "Please start again" in response.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_sign_in_leads_back_to_our_own_pages_only(site: Site, target: str) -> None:
    """An address in the link cannot lead people away."""
    site.provider.email = "ana@demo.example"
    browser = site.browser()

    response = await browser.get("/sign-in", params={"go": "yes", "next": target})
    response = await browser.get(response.headers["location"])
    response = await browser.get(response.headers["location"])

    assert response.headers["location"] == "/"


async def test_signing_out_ends_the_session_and_asks_for_the_account_again(site: Site) -> None:
    """On a shared machine the next person is not signed in as the last one."""
    browser = await site.signed_in("ana@demo.example")

    response = await browser.post("/sign-out")
    assert response.headers["location"] == "/sign-in?afresh=yes"
    assert (await browser.get("/profile")).status_code == 303
    await browser.get("/sign-in", params={"go": "yes", "afresh": "yes"}, follow_redirects=True)

    assert site.provider.asked[-1]["prompt"] == "login"


async def test_all_replicas_sign_with_one_key(settings: ProfilesSettings, store: Store) -> None:
    """Even when two of them start at the same moment on an empty database, and after a restart."""
    replicas = [Tokens(store, settings) for _ in range(4)]

    published = await asyncio.gather(*(each.keys() for each in replicas))

    kids = {key["kid"] for keys in published for key in keys.published()["keys"]}
    assert len(kids) == 1
    assert {key["kid"] for key in (await Tokens(store, settings).keys()).published()["keys"]} == kids


def test_an_old_key_stays_published_until_its_last_token_is_dead() -> None:
    """A key signs for 30 days; the next one takes over while the old one still verifies; private halves stay in."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    keys = KeySet.empty("demo")
    keys.rotate(new_key("first", start), start)
    keys.rotate(new_key("too-early", start), start + timedelta(days=29))
    later = start + timedelta(days=30, hours=1)
    keys.rotate(new_key("second", later), later)

    assert [key["kid"] for key in keys.published()["keys"]] == ["first", "second"]
    assert keys.signing().kid == "second"
    assert not any("d" in key for key in keys.published()["keys"])

    much_later = later + timedelta(days=31)
    keys.rotate(new_key("third", much_later), much_later)
    assert [key["kid"] for key in keys.published()["keys"]] == ["third"]
