"""An area's life in a browser: added in two languages, chosen, put into a programme, retired, and still read."""

import re

import pytest
from local.stack import Stack
from people_at_work import sign_in, soon
from playwright.async_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
ENGLISH, GERMAN = "Shift work at night", "Schichtdienst bei Nacht"


async def test_an_area_is_added_chosen_and_retired(stack: Stack, browser: Browser) -> None:
    """Where it stands it stays; nobody new can choose it, and it is offered again when it is brought back."""
    lead = await sign_in(browser, stack.address, "lead@demo.example")
    await _add(lead)
    junior = await sign_in(browser, stack.address, "junior@demo.example")
    await _choose_in_german(junior, stack.address)
    programme = await _name_it_in_a_programme(lead, stack.address)

    await lead.goto(f"{stack.address}/taxonomy/areas/shift-work-at-night")
    await expect(lead.get_by_role("main")).to_contain_text("people who share it: fewer than 5")
    await lead.get_by_role("button", name="Retire this area").click()
    await expect(lead.locator("#notices")).to_contain_text("Retired.")

    await junior.goto(f"{stack.address}/profile")
    await expect(junior.locator("#offers").get_by_role("checkbox", name=GERMAN)).to_be_checked()
    director = await sign_in(browser, stack.address, "director@demo.example")
    await director.goto(f"{stack.address}/profile")
    await expect(director.locator("#seeks").get_by_role("checkbox", name="Fintech")).to_be_visible()
    await expect(director.get_by_role("checkbox", name=ENGLISH)).to_have_count(0)
    await lead.goto(f"{programme}/edit")
    retired = await soon(lead, _no_longer_offered(lead).get_by_role("checkbox", name=ENGLISH))
    await expect(retired).to_be_checked()
    await lead.get_by_role("button", name="Save").click()
    await expect(lead.locator("#notices")).to_contain_text("Saved.")
    await lead.goto(f"{stack.address}/programmes/new")
    await expect(lead.get_by_role("checkbox", name="Fintech")).to_be_visible()
    await expect(lead.get_by_role("checkbox", name=ENGLISH)).to_have_count(0)

    await lead.goto(f"{stack.address}/taxonomy/areas/shift-work-at-night")
    await lead.get_by_role("button", name="Bring it back").click()
    await director.reload()
    await expect(director.locator("#seeks").get_by_role("checkbox", name=ENGLISH)).to_be_visible()


async def test_the_second_of_two_tabs_is_told_and_loses_nothing(stack: Stack, browser: Browser) -> None:
    """The first one's label stands; the second one's is in its form, and saved knowingly it stands."""
    first = await sign_in(browser, stack.address, "lead@demo.example")
    second = await first.context.new_page()
    for tab in (first, second):
        await tab.goto(f"{stack.address}/taxonomy/areas/social-mobility")
    await first.get_by_label("Label (English)").fill("Ways up")
    await first.get_by_role("button", name="Save").click()
    await expect(first.get_by_role("heading", name="Ways up")).to_be_visible()

    await second.get_by_label("Label (German)").fill("Wege nach oben")
    await second.get_by_role("button", name="Save").click()

    await expect(second.get_by_role("alert")).to_contain_text("Somebody else changed the areas meanwhile.")
    await expect(second.get_by_label("Label (German)")).to_have_value("Wege nach oben")
    await second.get_by_role("button", name="Save").click()
    await second.get_by_role("link", name="Back").click()
    await second.get_by_role("link", name="What changed").click()
    await expect(second.get_by_role("main")).to_contain_text("German: “Sozialer Aufstieg” became “Wege nach oben”.")


async def _add(lead: Page) -> None:
    await lead.get_by_role("link", name="My profile", exact=True).click()
    await lead.get_by_role("link", name="Edit the areas").click()
    await lead.get_by_role("link", name="Add an area to What happens on the ground").click()
    await lead.get_by_label("Label (English)").fill(ENGLISH)
    await lead.get_by_label("Label (German)").fill(GERMAN)
    await lead.get_by_role("button", name="Add this area").click()
    await expect(lead.get_by_role("heading", name=ENGLISH)).to_be_visible()


async def _choose_in_german(member: Page, address: str) -> None:
    await member.set_extra_http_headers({"Accept-Language": "de"})
    await member.goto(f"{address}/profile")
    await member.locator("#offers").get_by_role("checkbox", name=GERMAN).check()
    await member.get_by_role("button", name="Mein Profil speichern").click()
    await expect(member.locator("#notices")).to_contain_text("Gespeichert.")
    await expect(member.locator("#offers").get_by_role("checkbox", name=GERMAN)).to_be_checked()


async def _name_it_in_a_programme(lead: Page, address: str) -> str:
    """The form offers it within a moment: matching hears that there is a new version."""
    await lead.goto(f"{address}/programmes/new")
    area = await soon(lead, lead.get_by_role("checkbox", name=ENGLISH))
    await lead.get_by_label("Title").fill("Night and Day")
    await area.check()
    await lead.get_by_role("button", name="Keep as a draft").click()
    await lead.wait_for_url(re.compile(r"/programmes/[0-9a-f-]{36}$"))
    await expect(lead.get_by_role("main")).to_contain_text(ENGLISH)
    return lead.url


def _no_longer_offered(page: Page) -> Locator:
    return page.get_by_role("group", name="Areas that are no longer offered")
