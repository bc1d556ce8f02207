"""The pages of profiles, as a browser without JavaScript uses them."""

import asyncio
import re
from datetime import date
from pathlib import Path

import httpx
import pytest
from chassis.settings import Settings
from contracts.profiles import DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, PROFILE, Topic
from matching.eligibility import engine_person
from profile_rosters import a_file, a_row
from profile_site import TENANT, Site, silent
from profiles.app import compose
from profiles.functions import function_label
from profiles.rosters.columns import REQUIRED
from profiles.rosters.importing import import_roster
from profiles.settings import ProfilesSettings
from topic_records import all_records

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


async def test_an_invitation_leads_to_a_profile_that_is_ticked_and_not_saved(site: Site) -> None:
    """What was offered comes first; what nobody knows is no box; as long as nobody saves, nothing is different."""
    ana = await site.signed_in("ana@demo.example")
    before = (await site.member("ana@demo.example")).profile
    page = (await ana.get("/profile?offer=fintech&offer=ai-tools&offer=walking-on-water")).text
    assert "This is your profile as it could be; nothing is saved yet." in page
    assert sorted(ticked(page, "offers")) == ["ai-tools", "cloud", "fintech"]
    for box in ("enrolled", "open_to_mentor"):
        assert re.search(rf'value="yes" checked id="field-{box}"', page)
    assert (await site.member("ana@demo.example")).profile == before
    assert "nothing is saved yet" not in (await ana.get("/profile")).text


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


async def test_the_profile_page_asks_whom_one_would_like_to_meet(site: Site) -> None:
    """The directory's functions are boxes in words, saved as codes; what nobody does is refused, not stored."""
    ana = await site.signed_in("ana@demo.example")
    page = (await ana.get("/profile")).text
    assert re.findall(r'name="wishes" value="([^"]+)"> <span>([^<]+)<', page) == [
        ("key-accounts", "Key accounts"),
        ("legal", "Legal"),
        ("sales", "Sales"),
    ]
    form = {"if_match": version_in(page), "mentor_capacity": "1", "mentee_capacity": "1", "in_person": "yes"}

    made_up = await ana.post("/profile", data={**form, "wishes": ["witchcraft"]})
    saved = await ana.post("/profile", data={**form, "wishes": ["legal", "key-accounts"]}, follow_redirects=True)

    assert made_up.status_code == 422
    assert "Nobody&#39;s function is" in made_up.text
    assert ticked(saved.text, "wishes") == ["key-accounts", "legal"]
    assert re.search(r'value="yes" checked id="field-in_person"', saved.text)
    profile = (await site.member("ana@demo.example")).profile
    assert (profile.wishes, profile.in_person) == (("legal", "key-accounts"), True)


@pytest.mark.parametrize(
    ("code", "words"),
    [("field-sales", "Field sales"), ("hr", "HR"), ("Risk & Audit", "Risk & Audit"), ("eBusiness", "eBusiness")],
)
def test_a_functions_code_reads_as_words(code: str, words: str) -> None:
    """There is no list of labels: the organisation's own spelling stands, and small letters begin with a large one."""
    assert function_label(code) == words


async def test_without_functions_in_the_directory_nobody_is_asked_for_them(site: Site, tmp_path: Path) -> None:
    """Meeting in person is asked all the same."""
    emails = {"E1": "ben@demo.example", "E2": "ana@demo.example", "E3": "olu@demo.example"}
    rows = (a_row(each, email=email) for each, email in emails.items())
    await import_roster(site.store, TENANT, a_file(tmp_path / "r.csv", *rows), silent)

    page = (await (await site.signed_in("ana@demo.example")).get("/profile")).text

    assert "wishes" not in page
    assert 'name="in_person"' in page


async def test_what_one_wishes_reaches_the_engine(site: Site, settings: ProfilesSettings, kafka: str) -> None:
    """Function and site come from the roster, the rest from the form; both go out, each on its own topic."""
    ana = await site.signed_in("ana@demo.example")
    member = await site.member("ana@demo.example")
    form = {"if_match": version_in((await ana.get("/profile")).text), "mentor_capacity": "1", "mentee_capacity": "1"}
    await ana.post("/profile", data={**form, "wishes": ["legal"], "in_person": "yes"})

    async with compose(settings.model_copy(update={"kafka": kafka})).opened():
        entry = DirectoryUpdated.model_validate_json(await newest(kafka, DIRECTORY, member.id))
        profile = ProfileUpdated.model_validate_json(await newest(kafka, PROFILE, member.id))

    person = engine_person(entry, profile, date(2026, 3, 2))
    assert (person.function, person.site, person.likes, person.in_person) == ("sales", "leeds-2", ("legal",), True)


async def newest(kafka: str, topic: Topic, key: str) -> bytes:
    """The newest state of a key, once it is there."""
    async with asyncio.timeout(20):
        while True:
            found = [each.value for each in await all_records(Settings(kafka=kafka), topic) if each.key == key.encode()]
            if found and found[-1]:
                return found[-1]
            await asyncio.sleep(0.1)


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
    sent = await operator.post("/import", files={"file": ("r.csv", ",".join(REQUIRED).encode())}, follow_redirects=True)

    assert "Choose a file first." in nothing.text
    assert re.fullmatch(r"http://turnabout.example/import\?job=[0-9a-f-]{36}", str(sent.url))
    for _ in range(200):
        page = (await operator.get(str(sent.url))).text
        if "Nothing was imported" in page:
            break
    assert "holds no people" in page


async def test_the_import_page_remembers_and_the_rows_left_out_can_be_taken_along(site: Site, tmp_path: Path) -> None:
    """A file is tried out with one wrong row: the list says by whom, the download which line, column and why."""
    operator = await site.signed_in("olu@demo.example")
    file = a_file(tmp_path / "r.csv", a_row("E9", email="new@demo.example"), a_row("E8", level="99")).read_bytes()
    sent = await operator.post("/import", files={"file": ("r.csv", file)}, data={"do": "try"}, follow_redirects=True)
    for _ in range(200):
        page = (await operator.get(str(sent.url))).text
        if "would be left out" in page:
            break
    assert "Nothing has changed." in page
    assert "Tried out" in page
    assert "new@demo.example" not in str(await site.store.by_email(TENANT, ["new@demo.example"]))
    (where,) = set(re.findall(r'href="(/import/problems.csv[^"]+)"', page))
    taken = await operator.get(where)
    assert taken.headers["content-type"].startswith("text/csv")
    header, row = taken.text.splitlines()
    assert header == "line,column,reason"
    assert row.startswith("3,level,")
    ana = await site.signed_in("ana@demo.example")
    assert (await ana.get(where)).status_code == 403


async def test_how_many_may_leave_is_a_number(site: Site) -> None:
    """Words are refused before anything is read."""
    operator = await site.signed_in("olu@demo.example")
    page = await operator.post(
        "/import", files={"file": ("r.csv", b"x")}, data={"most_leavers": "all"}, follow_redirects=True
    )
    assert "Say with a whole number how many people may leave" in page.text


HR_FILE = (
    "Personnel number;First name;Last name;E-mail;Job title;Manager ID;Grade;Department;Country\n"
    "H1;Ida;Roth;ida@demo.example;Analyst;;3;data;DE\n"
)


async def test_a_file_with_columns_of_its_own_asks_what_they_tell_once(site: Site) -> None:
    """Missing answers are asked for, nothing typed is lost; after a trial the same file goes in, the next one too."""
    operator = await site.signed_in("olu@demo.example")
    sent = await operator.post("/import", files={"file": ("hr.csv", HR_FILE)}, follow_redirects=True)
    assert "What do the columns of this file tell?" in sent.text
    assert "ida@demo.example" in sent.text  # its first lines are shown
    job = str(sent.url).partition("job=")[2]
    form = {
        "from-employee_id": "Personnel number",
        "from-email": "E-mail",
        "from-name": "First name",
        "and-name": "Last name",
        "from-title": "Job title",
        "from-manager_id": "Manager ID",
        "from-level": "Grade",
        "from-unit": "Department",
        "from-country": "Country",
        "otherwise-time_zone": "Europe/Berlin",
        "otherwise-languages": "de",
        "do": "try",
    }

    lacking = await operator.post(f"/import/columns?job={job}", data=form)
    tried = await operator.post(f"/import/columns?job={job}", data=form | {"otherwise-joined": "2020-01"})
    again = await operator.post(f"/import/columns?job={job}", data=form | {"otherwise-joined": "2020-01"})

    assert lacking.status_code == 422
    assert "Say where these come from: Month or day of joining." in lacking.text
    assert 'value="Europe/Berlin"' in lacking.text
    assert tried.status_code == 303
    assert "begun already" in (await operator.get(again.headers["location"])).text
    await _told(operator, f"/import?job={job}", "Every row is right")
    assert await site.store.by_email(TENANT, ["ida@demo.example"]) == {}
    begun = await operator.post(f"/import/after-trial?job={job}", follow_redirects=True)
    await _told(operator, str(begun.url), "Every row of the file is in the directory.")
    (ida,) = (await site.store.by_email(TENANT, ["ida@demo.example"])).values()
    assert (ida.name, ida.directory.unit, ida.directory.time_zone) == ("Ida Roth", "data", "Europe/Berlin")

    later = HR_FILE.replace("Analyst", "Senior analyst").replace(";3;", ";33;")
    sent = await operator.post("/import", files={"file": ("hr.csv", later)}, follow_redirects=True)
    page = await _told(operator, str(sent.url), "1 row was left out")
    assert "<td>Grade</td>" in page  # named as in the file
    gone = await operator.post(f"/import/after-trial?job={job}", follow_redirects=True)
    assert "The file is not kept any more. Choose it again." in gone.text


async def test_only_operators_choose_columns_and_only_of_their_own_files(site: Site) -> None:
    """A stranger's id, or a job that there is not, changes nothing."""
    operator, ana = await site.signed_in("olu@demo.example"), await site.signed_in("ana@demo.example")
    sent = await operator.post("/import", files={"file": ("hr.csv", HR_FILE)}, data={"do": "look"})
    where = sent.headers["location"].replace("/import?", "/import/columns?")

    assert (await ana.post(where, data={})).status_code == 403
    assert (await ana.post(where.replace("columns", "after-trial"))).status_code == 403
    assert (await operator.post("/import/columns?job=none", data={})).status_code == 404


async def _told(client: httpx.AsyncClient, where: str, words: str) -> str:
    async with asyncio.timeout(20):
        while words not in (page := (await client.get(where)).text):
            await asyncio.sleep(0.05)
    return page
