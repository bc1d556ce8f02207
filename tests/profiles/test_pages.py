"""The pages of profiles, as a browser without JavaScript uses them."""

import re

import pytest
from profile_site import Site

pytestmark = pytest.mark.connected


def version_in(page: str) -> str:
    """The version that the form was made from."""
    found = re.search(r'name="if_match" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def ticked(page: str, name: str) -> list[str]:
    """The boxes of a name that are ticked."""
    return re.findall(rf'name="{name}" value="([^"]+)" checked', page)


async def test_whoever_is_not_signed_in_is_led_to_the_way_in_and_back(site: Site) -> None:
    """The page asked for is kept."""
    response = await site.browser().get("/profile")

    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=/profile"


async def test_the_profile_page_shows_and_saves_what_somebody_allows(site: Site) -> None:
    """Ticked boxes are the profile; saving leads back with one sentence; what was chosen first stays first."""
    ana = await site.signed_in("ana@demo.example")
    page = (await ana.get("/profile")).text
    assert ticked(page, "offers") == ["ai-tools", "cloud"]

    form = {
        "if_match": version_in(page),
        "offers": ["data-literacy", "cloud"],
        "seeks": ["wellbeing"],
        "mentor_capacity": "3",
        "mentee_capacity": "0",
        "open_to_mentor": "yes",
        "enrolled": "yes",
    }
    saved = await ana.post("/profile", data=form, follow_redirects=True)

    assert "Saved." in saved.text
    profile = (await site.member("ana@demo.example")).profile
    assert profile.offers == ("cloud", "data-literacy")
    assert profile.seeks == ("wellbeing",)
    assert (profile.mentor_capacity, profile.mentee_capacity) == (3, 0)
    assert (profile.open_to_mentor, profile.open_to_be_mentored, profile.enrolled) == (True, False, True)


async def test_an_edit_in_two_windows_loses_nothing_silently(site: Site) -> None:
    """The later one sees what they entered, is told, and can save it knowingly."""
    ana = await site.signed_in("ana@demo.example")
    version = version_in((await ana.get("/profile")).text)
    form = {"if_match": version, "mentor_capacity": "1", "mentee_capacity": "1", "enrolled": "yes"}
    await ana.post("/profile", data={**form, "offers": ["fintech"]})

    late = await ana.post("/profile", data={**form, "offers": ["wellbeing"]})

    assert late.status_code == 412
    assert "changed elsewhere meanwhile" in late.text
    assert ticked(late.text, "offers") == ["wellbeing"]
    assert (await site.member("ana@demo.example")).profile.offers == ("fintech",)
    await ana.post("/profile", data={**form, "offers": ["wellbeing"], "if_match": version_in(late.text)})
    assert (await site.member("ana@demo.example")).profile.offers == ("wellbeing",)


async def test_too_many_areas_are_told_on_the_page(site: Site) -> None:
    """And what was ticked stays ticked."""
    ana = await site.signed_in("ana@demo.example")
    page = (await ana.get("/profile")).text
    many = re.findall(r'name="offers" value="([^"]+)"', page)[:13]

    response = await ana.post(
        "/profile",
        data={"if_match": version_in(page), "offers": many, "mentor_capacity": "1", "mentee_capacity": "1"},
    )

    assert response.status_code == 422
    assert "at most 12 areas" in response.text
    assert ticked(response.text, "offers") == many


async def test_another_sites_form_changes_nothing(site: Site) -> None:
    """A browser sends the cookie along; the origin gives it away."""
    ana = await site.signed_in("ana@demo.example")
    before = (await site.member("ana@demo.example")).etag

    response = await ana.post("/profile", data={"enrolled": ""}, headers={"Origin": "http://evil.example"})

    assert response.status_code == 403
    assert (await site.member("ana@demo.example")).etag == before


async def test_somebody_who_takes_part_with_nothing_open_is_told_so(site: Site) -> None:
    """Rather than waiting for proposals that cannot come."""
    ana = await site.signed_in("ana@demo.example")
    version = version_in((await ana.get("/profile")).text)
    form = {"if_match": version, "mentor_capacity": "1", "mentee_capacity": "1", "enrolled": "yes"}

    page = await ana.post("/profile", data=form, follow_redirects=True)

    assert "nobody can be proposed yet" in page.text


async def test_an_operator_uploads_a_roster_and_follows_it(site: Site) -> None:
    """Choosing no file is told too."""
    operator = await site.signed_in("olu@demo.example")

    nothing = await operator.post("/import", files={"file": ("", b"")}, follow_redirects=True)
    sent = await operator.post("/import", files={"file": ("r.csv", b"employee_id,email\n")}, follow_redirects=True)

    assert "Choose a file first." in nothing.text
    assert re.fullmatch(r"http://turnabout.example/import\?job=[0-9a-f-]{36}", str(sent.url))
    for _ in range(200):
        page = (await operator.get(str(sent.url))).text
        if "Nothing was imported" in page:
            break
    assert "these columns are missing" in page
