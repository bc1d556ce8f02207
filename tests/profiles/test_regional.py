"""A member's own language and time zone: chosen on a page or by the API, followed by mails, topics and browsers."""

import asyncio
import re

import httpx
import pytest
from chassis.settings import Settings
from contracts.profiles import DirectoryUpdated
from contracts.topics import DIRECTORY
from english_words import english_left, shown
from profile_site import Site
from profiles.app import compose
from profiles.settings import ProfilesSettings
from topic_records import all_records

pytestmark = pytest.mark.connected
PAGE = "/profile/language"
API = "/api/profiles/v1/me/regional"


def version_in(page: str) -> str:
    found = re.search(r'name="if_match" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def selected(page: str) -> list[str]:
    """What the two lists show as chosen."""
    return re.findall(r'<option value="([^"]*)" selected>', page)


def cookies(browser: httpx.AsyncClient) -> tuple[str | None, str | None]:
    """Language and zone that this browser's pages are in."""
    zone = browser.cookies.get("turnabout_time_zone")
    return browser.cookies.get("turnabout_language"), zone and zone.strip('"')


async def test_the_page_offers_languages_that_there_are_and_keeps_the_choice(site: Site) -> None:
    """Those with a catalogue, in their own words; the next page is in the chosen one, and so is this browser's zone."""
    ana = await site.signed_in("ana@demo.example")
    assert cookies(ana) == (None, "Europe/Berlin")
    page = (await ana.get(PAGE)).text
    languages = page[: page.index('id="field-time_zone"')]
    assert re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)<', languages) == [("en", "English"), ("de", "Deutsch")]
    assert "As in the directory: Europe/Berlin" in page
    assert selected(page) == ["", ""]

    form = {"if_match": version_in(page), "language": "de", "time_zone": "America/New_York"}
    saved = await ana.post(PAGE, data=form, follow_redirects=True)

    assert "Sprache und Zeitzone" in saved.text
    assert selected(saved.text) == ["de", "America/New_York"]
    assert cookies(ana) == ("de", "America/New_York")


@pytest.mark.parametrize("path", ["/sign-in", "/profile", PAGE, "/import", "/nowhere"])
async def test_pages_in_german_are_german_throughout(site: Site, path: str) -> None:
    """No sentence, label or name of an area or level of the source is left in English; a refusal is German too."""
    olu = site.browser() if path == "/sign-in" else await site.signed_in("olu@demo.example")
    page = await olu.get(path, headers={"Accept": "text/html", "Accept-Language": "de-AT, en;q=0.5"})
    assert '<html lang="de">' in page.text
    assert english_left(shown(page.text)) == set()


async def test_a_refusal_of_the_domain_is_told_in_the_readers_language(site: Site) -> None:
    """With the same values, to a program as to a page."""
    ana = await site.signed_in("ana@demo.example")
    etag = (await ana.get("/api/profiles/v1/me")).headers["etag"]
    headers = {"If-Match": etag, "Accept-Language": "de"}
    refused = await ana.patch("/api/profiles/v1/me", json={"offers": ["rhubarb"]}, headers=headers)
    told = refused.json()
    assert told["title"] == "Bitte prüfen Sie Ihre Eingaben"
    assert told["detail"] == "Das Thema „rhubarb“ gibt es nicht. Wählen Sie aus den Themen auf der Profilseite."


async def test_the_choice_reaches_mail_and_matching(site: Site, settings: ProfilesSettings, kafka: str) -> None:
    """The address book tells it, and the directory entry carries the zone; colleagues' languages stay as they were."""
    ana = await site.signed_in("ana@demo.example")
    read = await ana.get(API)
    assert read.json()["mail_language"] == "de"

    body = {"language": "en", "time_zone": "Asia/Kolkata"}
    told = await ana.put(API, json=body, headers={"If-Match": read.headers["etag"]})

    assert told.json() == {
        **body,
        "languages": ["en", "de"],
        "mail_language": "en",
        "mail_time_zone": "Asia/Kolkata",
    }
    member = await site.member("ana@demo.example")
    async with compose(settings.model_copy(update={"kafka": kafka})).opened():
        entry = await entry_in(kafka, member.id, "Asia/Kolkata")
    assert entry.languages == ("de", "en")


async def entry_in(kafka: str, member: str, zone: str) -> DirectoryUpdated:
    """The directory entry of a member, once the topic has it in this zone."""
    async with asyncio.timeout(20):
        while True:
            records = [
                each for each in await all_records(Settings(kafka=kafka), DIRECTORY) if each.key == member.encode()
            ]
            if records and (value := records[-1].value):
                entry = DirectoryUpdated.model_validate_json(value)
                if entry.time_zone == zone:
                    return entry
            await asyncio.sleep(0.1)


async def test_another_browser_follows_at_its_next_sign_in(site: Site) -> None:
    """And one that somebody else used before takes over nothing of theirs."""
    ana = await site.signed_in("ana@demo.example")
    form = {"language": "de", "time_zone": "America/New_York"}
    await ana.post(PAGE, data={**form, "if_match": version_in((await ana.get(PAGE)).text)})

    assert cookies(await site.signed_in("ana@demo.example")) == ("de", "America/New_York")
    site.provider.email = "olu@demo.example"
    await ana.post("/sign-out")
    await ana.get("/sign-in", params={"go": "yes", "next": "/profile"}, follow_redirects=True)
    assert cookies(ana) == (None, "Europe/Berlin")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("language", "fr", "does not speak this language yet"),
        ("language", "../../etc", "does not speak this language yet"),
        ("time_zone", "Europe/Atlantis", "There is no such time zone"),
        ("time_zone", "../../etc/passwd", "There is no such time zone"),
    ],
)
async def test_what_there_is_not_is_refused_in_plain_words(site: Site, field: str, value: str, words: str) -> None:
    """On the page what else was chosen stays; by the API it is a problem; nothing is stored."""
    ana = await site.signed_in("ana@demo.example")
    page = await ana.get(PAGE)
    good = {"language": "de", "time_zone": "Asia/Tokyo"}

    refused = await ana.post(PAGE, data={**good, field: value, "if_match": version_in(page.text)})
    problem = await ana.put(API, json={**good, field: value}, headers={"If-Match": version_in(page.text)})

    assert (refused.status_code, problem.status_code) == (422, 422)
    assert words in refused.text
    assert words in problem.json()["detail"]
    [other] = [each for name, each in good.items() if name != field]
    assert other in selected(refused.text)
    member = await site.member("ana@demo.example")
    assert (member.regional.language, member.regional.time_zone) == (None, None)


async def test_an_edit_in_two_windows_is_told(site: Site) -> None:
    """The later one sees what they chose and why it was not saved; without a version the API saves nothing."""
    ana = await site.signed_in("ana@demo.example")
    version = version_in((await ana.get(PAGE)).text)
    await ana.post(PAGE, data={"language": "de", "if_match": version})

    late = await ana.post(PAGE, data={"language": "en", "if_match": version})

    assert late.status_code == 412
    assert selected(late.text) == ["en", ""]
    assert (await ana.put(API, json={"language": None, "time_zone": None})).status_code == 428
    assert (await site.member("ana@demo.example")).regional.language == "de"


async def test_whoever_is_not_signed_in_is_led_to_the_way_in(site: Site) -> None:
    """And the API says so."""
    stranger = site.browser()
    assert (await stranger.get(PAGE)).headers["location"] == f"/sign-in?next={PAGE}"
    assert (await stranger.get(API)).status_code == 401
