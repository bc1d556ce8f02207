"""Pages speak the reader's language, hold nothing that runs, and keep what they show apart from what people typed."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from chassis.errors import InvalidError
from chassis.translation import Catalogues, gettext, ngettext, own_name
from chassis.web import pages
from chassis.web.cards import Card
from chassis.web.http import make_api
from chassis.web.identity import Caller
from chassis.web.pages import Pages, own_path, redirect, static_url, vendor
from fastapi import FastAPI, Request, Response
from web_edge import PUBLIC_URL, EdgeSettings

from chassis import clock, zones

STATIC = Path(pages.__file__).parent / "static"
GALLERY = Path(__file__).with_name("gallery.html")
MEMBER = Caller("m-1", "demo", frozenset(), "token")
ANALYST = Caller("m-2", "demo", frozenset({"analyst"}), "token")
HOSTILE = "<script>alert(1)</script>\" onload='x"
CARDS = {
    "amara": Card(member="1", name="Amara Okafor", title="Data analyst", unit="Retail", country="GB"),
    "tom": Card(member="2", name="Tom Lindqvist", title="Director of operations", unit="Logistics", country="SE"),
    "ines": Card(member="3", name="Ines Duarte", title="Head of brand", unit="Marketing", country="PT"),
}


def an_api(catalogues: Catalogues | None = None) -> FastAPI:
    """Two pages and a command."""
    api = make_api("chassis", settings=EdgeSettings("http://127.0.0.1:1"), catalogues=catalogues)
    chassis_pages = Pages("chassis.web")

    @api.get("/proposals")
    async def proposals(request: Request) -> Response:
        return show(request, MEMBER)

    @api.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        return show(request, None)

    @api.get("/broken")
    async def broken() -> Response:
        raise RuntimeError

    @api.post("/proposals")
    async def answer(to: str = "/proposals", text: str = "Saved.") -> Response:
        return redirect(to, notice=text)

    def show(request: Request, caller: Caller | None) -> Response:
        problem = {"title": gettext("Not found"), "status": 404, "detail": HOSTILE, "errors": []}
        return chassis_pages.render(request, "problem.html", caller=caller, problem=problem)

    return api


def client_of(api: FastAPI) -> httpx.AsyncClient:
    """A browser without scripts."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url=PUBLIC_URL, headers={"Origin": PUBLIC_URL, "Accept": "text/html"}
    )


def gallery(**context: Any) -> str:
    """The page with every component."""
    template = pages.environment("chassis.web").from_string(GALLERY.read_text())
    usual = {"caller": ANALYST, "path": "/proposals", "notice_shown": None, **CARDS}
    return template.render(**{**usual, **context})


# --- Shell and components ---------------------------------------------------------------------------------------------


def test_no_page_holds_anything_that_the_policy_forbids() -> None:
    """No inline script, style or handler, and no address of another site."""
    html = gallery()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", html) == []
    assert re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', html) == []


def test_what_people_typed_is_text() -> None:
    """A name that is markup stays a name, in every component that shows it."""
    hostile = Card(member="1", name=HOSTILE, title=HOSTILE, unit=f"{HOSTILE}, too")
    html = gallery(amara=hostile, notice_shown=("info", HOSTILE))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)") == 4


def test_a_person_is_told_once_in_words() -> None:
    """The country by its name, and no unit that the title says already."""
    html = gallery(
        tom=Card(member="2", name="Tom Lindqvist", title="Director, Logistics", unit="logistics", country="SE")
    )
    assert "Director, Logistics · Sweden" in html


def test_the_navigation_marks_where_one_is() -> None:
    """Exactly one link is current; a page below a section counts to it, and Home is only itself."""
    current = r'href="([^"]*)" aria-current="page"'
    assert re.findall(current, gallery(path="/proposals")) == ["/proposals"]
    assert re.findall(current, gallery(path="/programmes/p1/runs")) == ["/programmes"]
    assert re.findall(current, gallery(path="/")) == ["/"]
    assert re.findall(current, gallery(path="/profile-of-somebody")) == []


def test_the_navigation_offers_what_the_caller_may_see() -> None:
    """What belongs to a role stands in a row of its own; without a caller there is only sign-in."""
    links = r'<a class="nav__link" href="([^"]*)"'
    mine = ["/", "/proposals", "/discover", "/inbox", "/programmes", "/profile", "/preferences"]
    assert re.findall(links, gallery(caller=MEMBER)) == mine
    assert re.findall(links, gallery(caller=ANALYST)) == [*mine, "/insights"]
    organiser, operator = (replace(MEMBER, roles=frozenset({role})) for role in ("organiser", "operator"))
    assert re.findall(links, gallery(caller=organiser)) == [*mine, "/taxonomy"]
    assert re.findall(links, gallery(caller=operator)) == [*mine, "/insights", "/import", "/operations"]
    stranger = gallery(caller=None)
    assert re.findall(links, stranger) == []
    assert 'href="/sign-in"' in stranger
    assert "sse-connect" not in stranger


def test_every_field_has_its_label_hint_and_error() -> None:
    """Labels point at inputs, and inputs at what describes them."""
    html = gallery()
    labels = set(re.findall(r'<label class="field__label" for="([^"]+)"', html))
    assert labels == {"field-focus", "field-sessions", "field-cadence", "field-goals"}
    described = re.search(r'<input[^>]*id="field-sessions"[^>]*>', html)
    assert described is not None
    assert 'aria-invalid="true"' in described[0]
    assert 'aria-describedby="field-sessions-error"' in described[0]
    assert 'id="field-sessions-error">Enter a number from 3 to 12.' in html


def test_ids_on_a_page_are_unique() -> None:
    """Two elements with one id would send labels to the wrong place."""
    ids = re.findall(r'\sid="([^"]+)"', gallery())
    assert sorted(ids) == sorted(set(ids))


def test_every_form_that_changes_something_has_a_key_of_its_own() -> None:
    """So that a repeated click is recognised; and the version that the page was drawn from."""
    html = gallery()
    keys = re.findall(r'name="idempotency_key" value="([0-9a-f-]{36})"', html)
    assert len(keys) == len(set(keys)) == 2
    assert 'name="if_match" value="r1"' in html


# --- Notices and redirects --------------------------------------------------------------------------------------------


async def test_a_notice_is_shown_once_after_a_command() -> None:
    """The next whole page shows it, the one after does not."""
    async with client_of(an_api()) as client:
        sent = await client.post("/proposals", params={"text": "Saved, “now”; 100 %."})
        first = await client.get("/proposals")
        second = await client.get("/proposals")
    assert (sent.status_code, sent.headers["location"]) == (303, "/proposals")
    assert 'class="notice notice--success"' in first.text
    assert "Saved, “now”; 100 %." in first.text
    assert "Saved" not in second.text


@pytest.mark.parametrize("cookie", ["junk", "%5B%22evil%22%2C%22x%22%5D", "%5B1%2C2%5D", "%5B%22info%22%5D", "%ff"])
async def test_a_made_up_notice_is_ignored(cookie: str) -> None:
    """The page comes as if there were none."""
    async with client_of(an_api()) as client:
        response = await client.get("/proposals", headers={"Cookie": f"turnabout_notice={cookie}"})
    assert response.status_code == 200
    assert 'class="notice ' not in response.text


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/proposals?tab=2#x", "/proposals?tab=2#x"),
        (None, "/"),
        ("", "/"),
        ("proposals", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_only_paths_of_ours_are_followed(wanted: str | None, path: str) -> None:
    """Anything that a browser might take for another site becomes the home page."""
    assert own_path(wanted) == path


# --- Static files -----------------------------------------------------------------------------------------------------


async def test_a_static_file_is_kept_as_long_as_it_is_the_same() -> None:
    """Its address has its hash; that very version may be kept for a year, any other is asked for again."""
    digest = sha256((STATIC / "turnabout.css").read_bytes()).hexdigest()[:12]
    assert static_url("turnabout.css") == f"/static/turnabout.css?v={digest}"
    async with client_of(an_api()) as client:
        exact = await client.get(static_url("turnabout.css"))
        old = await client.get("/static/turnabout.css?v=000000000000")
    assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert exact.headers["content-type"].startswith("text/css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


async def test_npm_files_come_from_the_vendor_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the listed ones, by the version of their package; a missing one leaves the page working without scripts."""
    listed = vendor()
    assert set(listed["packages"]) == {"htmx.org", "htmx-ext-sse"}
    script = tmp_path / listed["files"]["htmx.min.js"]
    script.parent.mkdir(parents=True)
    script.write_text("htmx")
    (tmp_path / "htmx.org" / "package.json").write_text("{}")
    monkeypatch.setenv("TURNABOUT_VENDOR_DIR", str(tmp_path))
    assert static_url("vendor/htmx.min.js") == f"/static/vendor/htmx.min.js?v={listed['packages']['htmx.org']}"
    async with client_of(an_api()) as client:
        found = await client.get(static_url("vendor/htmx.min.js"))
        absent = await client.get(static_url("vendor/sse.min.js"))
        unlisted = await client.get("/static/vendor/htmx.org/package.json")
        climbing = await client.get("/static/vendor/..%2f..%2fpages.py")
    assert (found.status_code, found.text) == (200, "htmx")
    assert "immutable" in found.headers["cache-control"]
    assert [absent.status_code, unlisted.status_code, climbing.status_code] == [404, 404, 404]


def luminance(colour: str) -> float:
    """Relative luminance of a colour as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAIRS = [
    *[("ink", ground, 4.5) for ground in ("paper", "surface", "sunken", "accent-tint", "good-tint", "warn-tint")],
    *[("soft", ground, 4.5) for ground in ("paper", "surface", "sunken", "accent-tint")],
    *[("accent", "paper", 4.5), ("accent", "surface", 4.5), ("accent-ink", "accent-tint", 4.5)],
    *[("on-accent", "accent", 4.5), ("on-accent", "accent-strong", 4.5), ("on-bad", "bad", 4.5)],
    *[("good", "good-tint", 4.5), ("warn", "warn-tint", 4.5), ("bad", "bad-tint", 4.5), ("bad", "surface", 4.5)],
    *[("edge", "surface", 3.0), ("focus", "paper", 3.0), ("focus", "surface", 3.0), ("accent", "sunken", 3.0)],
    *[(f"chart-{number}", "surface", 3.0) for number in (1, 3, 4)],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart(scheme: str) -> None:
    """Text 4.5 to 1, edges, focus and charts 3 to 1, in both schemes: WCAG 2.2 AA."""
    light, dark = (STATIC / "turnabout.css").read_text().split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark))
    for front, ground, least in PAIRS:
        high, low = sorted((luminance(colours[front]), luminance(colours[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, f"{front} on {ground}"


# --- Languages --------------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize(
    ("name", "letters"), [("Amara Ngozi Okafor", "AO"), ("Madonna", "M"), ("", ""), ("élise o", "ÉO")]
)
def test_initials(name: str, letters: str) -> None:
    """First and last name's first letters."""
    assert pages.initials(name) == letters


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
