"""The JSON API: one's own profile, cards, and what only services and operators may ask."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest
from profile_rosters import a_file, a_row
from profile_site import TENANT, Site
from profiles.taxonomy.starter import STARTER

pytestmark = pytest.mark.connected
V1 = "/api/profiles/v1"
SECRET = "a secret for the local stack only"


async def service_token(site: Site, service: str, purpose: str, secret: str = SECRET) -> httpx.Response:
    """What profiles answers when a service asks for a token."""
    form = {"client_id": service, "client_secret": secret, "purpose": purpose}
    return await site.browser().post(f"{V1}/service-tokens", data=form)


async def bearer(site: Site, service: str, purpose: str) -> dict[str, str]:
    """Headers of a service that has its token."""
    return {"Authorization": f"Bearer {(await service_token(site, service, purpose)).json()['access_token']}"}


async def test_my_profile_is_read_and_changed_by_version(site: Site) -> None:
    """A change answers with the new version; the old one is then refused, and so is a change without any."""
    ana = await site.signed_in("ana@demo.example")
    read = await ana.get(f"{V1}/me")
    etag = read.headers["etag"]

    changed = await ana.patch(f"{V1}/me", json={"seeks": ["fintech"]}, headers={"If-Match": etag})
    late = await ana.patch(f"{V1}/me", json={"seeks": []}, headers={"If-Match": etag})
    blind = await ana.patch(f"{V1}/me", json={"seeks": []})

    assert (read.json()["name"], read.json()["profile"]["seeks"]) == ("Ana Adler", ["generations"])
    assert (changed.status_code, changed.json()["profile"]["seeks"]) == (200, ["fintech"])
    assert changed.json()["profile"]["offers"] == ["ai-tools", "cloud"]
    assert changed.headers["etag"] != etag
    assert (late.status_code, blind.status_code) == (412, 428)
    assert late.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "change",
    [
        {"offers": ["witchcraft"]},
        {"offers": ["ai-tools"] * 13},
        {"mentor_capacity": 11},
        {"wishes": ["witchcraft"]},
        {"in_person": "perhaps"},
        {"mentor_capacity": "many"},
        {"name": "Somebody Else"},
        {"roles": ["operator"]},
    ],
)
async def test_a_change_that_cannot_be_is_a_problem_and_changes_nothing(site: Site, change: dict[str, object]) -> None:
    """Also nobody gives themselves a name or a role."""
    ana = await site.signed_in("ana@demo.example")
    etag = (await ana.get(f"{V1}/me")).headers["etag"]

    response = await ana.patch(f"{V1}/me", json=change, headers={"If-Match": etag})

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert (await ana.get(f"{V1}/me")).headers["etag"] == etag


async def test_wishes_are_functions_that_somebody_has(site: Site) -> None:
    """They are told in one's own entry, each once, beside the function and the site that the directory has."""
    ana = await site.signed_in("ana@demo.example")
    etag = (await ana.get(f"{V1}/me")).headers["etag"]
    change = {"wishes": ["legal", "key-accounts", "legal"], "in_person": True}

    changed = (await ana.patch(f"{V1}/me", json=change, headers={"If-Match": etag})).json()

    assert (changed["profile"]["wishes"], changed["profile"]["in_person"]) == (["legal", "key-accounts"], True)
    assert (changed["directory"]["function"], changed["directory"]["site"]) == ("sales", "leeds-2")


async def test_cards_show_colleagues_in_the_order_asked(site: Site) -> None:
    """Without addresses or numbers; unknown ids are left out; without a session there is nothing to see."""
    ana = await site.signed_in("ana@demo.example")
    olu, ben = await site.member("olu@demo.example"), await site.member("ben@demo.example")
    asked = {"members": [olu.id, "nobody", ben.id, olu.id]}

    response = await ana.post(f"{V1}/cards", json=asked)

    first, second = response.json()["cards"]
    assert first == {
        "member": olu.id,
        "name": "Olu Obi",
        "title": "Specialist",
        "unit": "sales",
        "level": 3,
        "level_name": "Specialist",
        "country": "DE",
    }
    assert second["name"] == "Ben Berg"
    assert (await site.browser().post(f"{V1}/cards", json=asked)).status_code == 401
    assert (await ana.post(f"{V1}/cards", json={"members": ["x"] * 201})).status_code == 422


async def test_addresses_are_told_for_mail_alone(site: Site) -> None:
    """A member's session or a token for something else is not enough."""
    ben, olu = await site.member("ben@demo.example"), await site.member("olu@demo.example")
    asked = {"members": [ben.id, "nobody", olu.id]}
    german = {"language": "de", "time_zone": "Europe/Berlin"}

    told = await site.browser().post(f"{V1}/addresses", json=asked, headers=await bearer(site, "notifications", "mail"))

    assert told.json()["addresses"] == [
        {"member": ben.id, "email": "ben@demo.example", "name": "Ben Berg", **german},
        {"member": olu.id, "email": "olu@demo.example", "name": "Olu Obi", **german, "language": "en"},
    ]
    leads = await bearer(site, "matching", "lookup")
    assert (await site.browser().post(f"{V1}/addresses", json=asked, headers=leads)).status_code == 403
    olu_browser = await site.signed_in("olu@demo.example")
    assert (await olu_browser.post(f"{V1}/addresses", json=asked)).status_code == 401


async def test_leads_are_looked_up_by_address(site: Site) -> None:
    """The answer uses the addresses as they were asked; unknown ones are absent."""
    ben = await site.member("ben@demo.example")

    response = await site.browser().post(
        f"{V1}/lookup",
        json={"emails": ["Ben@Demo.example", "nobody@demo.example"]},
        headers=await bearer(site, "matching", "lookup"),
    )

    assert response.json() == {"members": {"Ben@Demo.example": ben.id}}


@pytest.mark.parametrize(
    ("service", "purpose", "secret", "status"),
    [
        ("notifications", "mail", SECRET, 200),
        ("notifications", "mail", "wrong", 401),
        ("matching", "mail", SECRET, 403),
        ("notifications", "calendar", SECRET, 200),
        ("matching", "calendar", SECRET, 403),
        ("notifications", "everything", SECRET, 403),
    ],
)
async def test_a_service_gets_a_token_for_its_own_purpose_only(
    site: Site, service: str, purpose: str, secret: str, status: int
) -> None:
    """One secret does not open every door."""
    assert (await service_token(site, service, purpose, secret)).status_code == status


async def test_the_taxonomy_is_for_every_member_and_for_services_that_show_areas(site: Site) -> None:
    """Each area once, with its family and label; twelve levels have names; nobody else learns what areas are called."""
    ana, matching = await site.signed_in("ana@demo.example"), await bearer(site, "matching", "taxonomy")
    answer = (await ana.get(f"{V1}/taxonomy")).json()

    listed = [area["code"] for family in answer["families"] for area in family["areas"]]
    assert [family["code"] for family in answer["families"]] == ["technology", "inclusion", "ground", "trends"]
    assert sorted(listed) == sorted(STARTER.offered)
    assert len(listed) == 24
    assert answer["areas"]["fintech"] == "Fintech"
    assert list(answer["levels"]) == [str(level) for level in range(1, 13)]
    assert (await site.browser().get(f"{V1}/taxonomy", headers=matching)).json() == answer
    assert (await site.browser().get(f"{V1}/taxonomy")).status_code == 401
    mail = await bearer(site, "notifications", "mail")
    assert (await site.browser().get(f"{V1}/taxonomy", headers=mail)).status_code == 403


async def finished(browser: httpx.AsyncClient, location: str) -> dict[str, object]:
    """The import's last answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer: dict[str, object] = (await browser.get(location)).json()
        if answer["status"] != "running":
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError("the import did not end")


@pytest.mark.parametrize("form", [True, False])
async def test_an_operator_imports_a_roster(site: Site, tmp_path: Path, *, form: bool) -> None:
    """As a body or as a form's file; the job ends with figures and with each refused row."""
    operator = await site.signed_in("olu@demo.example")
    content = a_file(tmp_path / "more.csv", a_row("E8", manager_id="E1"), a_row("E9", level="0")).read_bytes()

    if form:
        begun = await operator.post(f"{V1}/imports", files={"file": ("more.csv", content, "text/csv")})
    else:
        begun = await operator.post(f"{V1}/imports", content=content, headers={"Content-Type": "text/csv"})

    assert begun.status_code == 202
    answer = await finished(operator, begun.headers["location"])
    assert (answer["status"], answer["percent"]) == ("done", 100)
    assert answer["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 1, "missing": 2, "left": 0}
    assert answer["errors"] == [
        {"line": 3, "column": "level", "reason": "is '0', but must be a whole number from 1 to 12"}
    ]
    assert (await site.store.by_employee_id(TENANT, ["E8"]))["E8"].email == "e8@demo.example"


async def test_a_file_that_is_no_roster_ends_as_refused(site: Site) -> None:
    """With the sentence that says why."""
    operator = await site.signed_in("olu@demo.example")

    begun = await operator.post(f"{V1}/imports", content=b"\xff\xfe\x00", headers={"Content-Type": "text/csv"})

    answer = await finished(operator, begun.headers["location"])
    assert answer["status"] == "refused"
    assert "not UTF-8" in str(answer["reason"])


async def test_a_roster_may_be_larger_than_other_requests(site: Site) -> None:
    """Two mebibytes are a small company's file, while a profile of that size is refused."""
    operator = await site.signed_in("olu@demo.example")
    large = b"x" * 2_000_000

    assert (await operator.post(f"{V1}/imports", content=large)).status_code == 202
    assert (await operator.post("/import", files={"file": ("r.csv", large)})).status_code == 303
    assert (await operator.patch(f"{V1}/me", content=large)).status_code == 413


async def test_imports_and_removals_are_for_operators_and_their_tools(site: Site) -> None:
    """Everybody else is refused; a tool with a token for imports is not."""
    ana = await site.signed_in("ana@demo.example")
    ben = await site.member("ben@demo.example")

    assert (await ana.post(f"{V1}/imports", content=b"x")).status_code == 403
    assert (await ana.get("/import")).status_code == 403
    assert (await ana.delete(f"{V1}/members/{ben.id}")).status_code == 403
    assert (await site.browser().post(f"{V1}/imports", content=b"x")).status_code == 401
    mail = await bearer(site, "notifications", "mail")
    assert (await site.browser().post(f"{V1}/imports", content=b"x", headers=mail)).status_code == 403
    tool = await bearer(site, "operations", "import")
    assert (await site.browser().post(f"{V1}/imports", content=b"x", headers=tool)).status_code == 202


async def test_a_removed_member_is_gone_from_every_answer(site: Site) -> None:
    """Their session shows nothing more, their card is unknown, mail has no address, and sign-in does not know them."""
    ana, operator = await site.signed_in("ana@demo.example"), await site.signed_in("olu@demo.example")
    member = await site.member("ana@demo.example")

    assert (await operator.delete(f"{V1}/members/{member.id}")).status_code == 204

    assert (await ana.get(f"{V1}/me")).status_code == 404
    assert (await operator.post(f"{V1}/cards", json={"members": [member.id]})).json() == {"cards": []}
    site.provider.email = "ana@demo.example"
    again = await site.browser().get("/sign-in", params={"go": "yes"}, follow_redirects=True)
    assert again.status_code == 403
