"""A programme from nothing to closed in a browser: set up, rules tried out, opened, run, looked over, sent, closed."""

import re
import time

import pytest
from local.stack import Stack
from people_at_work import sign_in
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
_MOST_SECONDS = 300
"""A lead who has never seen it gets from sign-in to sent proposals in five minutes; a machine clicks faster."""


async def test_a_lead_takes_a_programme_from_nothing_to_closed(stack: Stack, browser: Browser) -> None:
    """Rules that leave nobody say so before anything is saved; nobody hears of a pair before it is sent."""
    begun = time.monotonic()
    lead = await sign_in(browser, stack.address, "lead@demo.example")
    await lead.get_by_role("link", name="Programmes").click()
    await lead.get_by_role("link", name="Set up a programme").click()
    await _fill_in(lead)
    await _try_rules_out(lead)
    await lead.get_by_role("button", name="Keep as a draft").click()
    await expect(lead.get_by_role("main")).to_contain_text("Nobody but its leads sees it.")
    address = lead.url
    await _is_hidden_from_others(stack, browser, address)

    await lead.get_by_role("button", name="Open the programme").click()
    await lead.get_by_role("button", name="Run now").click()
    await expect(lead.get_by_role("heading", name="What the run has found")).to_be_visible(timeout=30_000)
    found = await _leave_the_strongest_out(lead)
    await lead.get_by_role("button", name=re.compile(r"^Send")).click()
    await expect(lead.get_by_role("main")).to_contain_text(re.compile(r"Last run: \d+ second"), timeout=30_000)
    await expect(lead.locator("#pairs .filters__count").first).to_have_text(str(found - 1))
    assert time.monotonic() - begun < _MOST_SECONDS

    await lead.get_by_text("Close this programme").click()
    await lead.get_by_role("button", name="Yes, close it").click()
    await expect(lead.get_by_role("main")).to_contain_text("The programme is closed: nobody is proposed.")
    await lead.get_by_role("link", name="Programmes").click()
    card = lead.locator(".card", has=lead.get_by_role("heading", name="Open Ears"))
    await expect(card).to_contain_text("Closed")


async def _fill_in(lead: Page) -> None:
    await lead.get_by_label("Title").fill("Open Ears")
    await lead.get_by_label("What it is for").fill("What it is like to begin here, told by those who just have.")
    for area in (
        "Wellbeing",
        "Working remotely",
        "Neurodiversity",
        "Cloud services",
        "Fintech",
        "The customer's voice",
    ):
        await lead.get_by_role("checkbox", name=area).check()


async def _try_rules_out(lead: Page) -> None:
    """A gap that nobody has leaves nobody, and the page says so while it is typed; then it is taken back."""
    reach = lead.locator("#reach")
    await expect(reach).to_contain_text(re.compile(r"[1-9]\d* of \d+ mentees"))
    await lead.get_by_label("Least levels, or years, between the two").fill("11")
    await lead.get_by_label("Least levels, or years, between the two").blur()
    await expect(reach).to_contain_text(re.compile(r"\b0 of \d+ mentees"))
    await lead.get_by_label("Least levels, or years, between the two").fill("2")
    await lead.get_by_label("Least levels, or years, between the two").blur()
    await expect(reach).to_contain_text(re.compile(r"[1-9]\d* of \d+ mentees"))


async def _is_hidden_from_others(stack: Stack, browser: Browser, address: str) -> None:
    """Somebody else neither lists the draft nor opens it by its address."""
    junior = await sign_in(browser, stack.address, "junior@demo.example")
    await junior.get_by_role("link", name="Programmes").click()
    await expect(junior.get_by_role("heading", name="Fresh Eyes")).to_be_visible()
    await expect(junior.get_by_role("heading", name="Open Ears")).to_have_count(0)
    answer = await junior.goto(address)
    assert answer is not None
    assert answer.status == 404


async def _leave_the_strongest_out(lead: Page) -> int:
    """How many were found; one of them is not to be sent."""
    button = lead.get_by_role("button", name=re.compile(r"^Send \d+ proposals$"))
    found = int(re.sub(r"\D", "", await button.inner_text()))
    await lead.locator("#pair-1 summary").click()
    await lead.locator("#pair-1").get_by_role("button", name="Leave this pair out").click()
    await expect(lead.get_by_role("button", name=f"Send {found - 1} proposals")).to_be_visible()
    await expect(lead.locator("#pair-1 summary")).to_contain_text("Left out")
    return found
