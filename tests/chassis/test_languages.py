"""Whoever reads a page gets their language, with its dates and numbers, and times by their own clock."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from chassis.errors import InvalidError
from chassis.translation import Catalogues, ngettext, own_name
from chassis.web import pages
from chassis.web.http import make_api
from fastapi import Response
from web_edge import PUBLIC_URL, EdgeSettings
from web_pages import an_api, client_of

from chassis import clock, zones

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n'


@pytest.fixture
def catalogues(tmp_path: Path) -> Catalogues:
    """German in two folders: the service's own words win over the chassis's."""
    texts = {
        "service": 'msgid "Not found"\nmsgstr "Nicht da"\n',
        "chassis": (
            'msgid "Not found"\nmsgstr "Nicht gefunden"\n\nmsgid "Home"\nmsgstr "Start"\n\n'
            'msgid "%(number)d day"\nmsgid_plural "%(number)d days"\n'
            'msgstr[0] "%(number)d Tag"\nmsgstr[1] "%(number)d Tage"\n'
        ),
    }
    for name, text in texts.items():
        file = tmp_path / name / "de" / "LC_MESSAGES" / "messages.po"
        file.parent.mkdir(parents=True)
        file.write_text(f"{HEADER}\n{text}")
    return Catalogues.read(tmp_path / "service", tmp_path / "chassis", tmp_path / "absent")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}, "de"),
        ({"Accept-Language": "fr,en;q=0.8,de;q=0.3"}, "en"),
        ({"Accept-Language": "fr;q=0.9, de;q=0.3"}, "de"),
        ({"Accept-Language": "de;q=0"}, "en"),
        ({"Accept-Language": "*;q=nonsense,,;;q=1"}, "en"),
        ({"Accept-Language": "en", "Cookie": "turnabout_language=de"}, "de"),
        ({"Accept-Language": "de", "Cookie": "turnabout_language=../../etc"}, "de"),
    ],
)
async def test_the_language_is_chosen_per_request(
    catalogues: Catalogues, headers: dict[str, str], language: str
) -> None:
    """The person's choice, then the browser's best wish that we can fulfil, then English."""
    async with client_of(an_api(catalogues)) as client:
        response = await client.get("/proposals", headers=headers)
    assert f'<html lang="{language}">' in response.text
    assert response.headers["content-language"] == language
    assert ("Nicht da" in response.text, ">Start</a>" in response.text) == ((language == "de",) * 2)


async def test_a_bug_is_told_in_the_language_of_its_reader(catalogues: Catalogues) -> None:
    """Although it is answered outside everything else."""
    transport = httpx.ASGITransport(an_api(catalogues), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        response = await client.get("/broken", headers={"Accept-Language": "de"})
    assert (response.status_code, '<html lang="de">' in response.text) == (500, True)


def test_plurals_dates_and_numbers_follow_the_language(catalogues: Catalogues) -> None:
    """Outside the block everything is English again."""
    with catalogues.speaking("de"):
        assert ngettext("%(number)d day", "%(number)d days", 2) % {"number": 2} == "2 Tage"
        assert pages.day("2026-11-25") == "25. November 2026"
        assert pages.number(12345.5) == "12.345,5"
        assert pages.country("gb") == "Vereinigtes Königreich"
    assert ngettext("%(number)d day", "%(number)d days", 1) % {"number": 1} == "1 day"
    assert pages.day(date(2026, 11, 25)) == "25 November 2026"
    assert pages.number(12345.5) == "12,345.5"
    assert pages.percent(0.256) == "26%"
    assert (pages.country("GB"), pages.country("XQ"), pages.country("")) == ("United Kingdom", "XQ", "")


def test_moments_are_shown_in_the_readers_time_zone() -> None:
    """Half past eight in London is half past one at night in Los Angeles in summer."""
    at = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert pages.moment(at, "Europe/London") == "1 Jul 2026, 08:30:00"
    assert pages.moment("2026-07-01T07:30:00Z", "America/Los_Angeles", "short") == "01/07/2026, 00:30"
    assert pages.when("2026-07-01T07:30:00Z", "America/Los_Angeles") == (
        "Wednesday, 1 July 2026, 00:30 (America/Los Angeles)"
    )
    assert pages.ago(clock.now() - timedelta(hours=3)) == "3 hours ago"


def test_a_day_is_the_readers_day() -> None:
    """Seven at night in New York is the next day in Tokyo; a day without a time is the same everywhere."""
    with zones.reading_in("Asia/Tokyo"):
        assert pages.day("2026-07-01T23:00:00.000Z") == "2 July 2026"
        assert pages.moment("2026-07-01T23:00:00.000Z") == "2 Jul 2026, 08:00:00"
        assert pages.day("2026-07-01") == pages.day(date(2026, 7, 1)) == "1 July 2026"
    assert pages.day("2026-07-01T23:00:00.000Z") == "1 July 2026"


@pytest.mark.parametrize(
    ("cookie", "told"),
    [
        ("turnabout_time_zone=Asia/Tokyo", "2 July 2026"),
        ('turnabout_time_zone="Asia/Tokyo"', "2 July 2026"),
        ("turnabout_time_zone=../../etc/passwd", "1 July 2026"),
        ("turnabout_time_zone=Europe", "1 July 2026"),
        ("turnabout_time_zone=Europe/Atlantis", "1 July 2026"),
        (f"turnabout_time_zone={'x' * 3000}", "1 July 2026"),
        ("turnabout_time_zone=", "1 July 2026"),
        ("", "1 July 2026"),
    ],
)
async def test_a_page_tells_times_in_the_zone_of_the_persons_cookie(cookie: str, told: str) -> None:
    """What is no zone is left aside."""
    api = make_api("chassis", settings=EdgeSettings("http://127.0.0.1:1"))

    @api.get("/day")
    async def day() -> Response:
        return Response(pages.day("2026-07-01T23:00:00.000Z"))

    async with client_of(api) as client:
        assert (await client.get("/day", headers={"Cookie": cookie} if cookie else {})).text == told


@pytest.mark.parametrize(("tag", "name"), [("en", "English"), ("de", "Deutsch"), ("pt-BR", "Português (Brasil)")])
def test_a_language_is_listed_in_its_own_words(tag: str, name: str) -> None:
    """Whoever looks for theirs may not read the page's."""
    assert own_name(tag) == name


def test_a_refusal_is_told_in_the_language_of_its_reader(tmp_path: Path) -> None:
    """Its sentence is translated before its gaps are filled, and a time in it is told as clocks show it."""
    file = tmp_path / "de" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text(f'{HEADER}\nmsgid "{{time}} has passed, {{name}}."\nmsgstr "{{name}}, {{time}} ist vorbei."\n')
    wall = datetime.fromisoformat("2026-03-29T02:30")
    refusal = InvalidError("{time} has passed, {name}.", time=wall, name="{time}")
    assert refusal.detail == str(refusal) == "29 March 2026, 02:30 has passed, {time}."
    with Catalogues.read(tmp_path).speaking("de"):
        assert refusal.detail == "{time}, 29. März 2026, 02:30 ist vorbei."
    assert InvalidError("A {brace} stays.").detail == "A {brace} stays."
