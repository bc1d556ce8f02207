"""Pages hold nothing that runs, keep what they show apart from what people typed, and lead nowhere but to ours."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chassis.web import pages
from chassis.web.cards import Card
from chassis.web.identity import Caller
from chassis.web.pages import own_path
from web_pages import HOSTILE, MEMBER, an_api, client_of

GALLERY = Path(__file__).with_name("gallery.html")
ANALYST = Caller("m-2", "demo", frozenset({"analyst"}), "token")
CARDS = {
    "amara": Card(member="1", name="Amara Okafor", title="Data analyst", unit="Retail", country="GB"),
    "tom": Card(member="2", name="Tom Lindqvist", title="Director of operations", unit="Logistics", country="SE"),
    "ines": Card(member="3", name="Ines Duarte", title="Head of brand", unit="Marketing", country="PT"),
}


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


@pytest.mark.parametrize(
    ("title", "unit", "told"),
    [
        ("Director, Logistics", "logistics", "Director, Logistics · Sweden"),
        ("Director, Supply Chain", "supply-chain", "Director, Supply Chain · Sweden"),
        ("Director", "Logistics", "Director · Logistics · Sweden"),
    ],
)
def test_a_person_is_told_once_in_words(title: str, unit: str, told: str) -> None:
    """The country by its name, and no unit that the title says already, be it by its code."""
    html = gallery(tom=Card(member="2", name="Tom Lindqvist", title=title, unit=unit, country="SE"))
    assert f">{told}<" in html


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


@pytest.mark.parametrize(
    ("name", "letters"), [("Amara Ngozi Okafor", "AO"), ("Madonna", "M"), ("", ""), ("élise o", "ÉO")]
)
def test_initials(name: str, letters: str) -> None:
    """First and last name's first letters."""
    assert pages.initials(name) == letters


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
