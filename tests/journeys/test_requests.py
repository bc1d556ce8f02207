"""A request by hand in each direction, in a browser on the real stack: asked and agreed to, offered and "not now"."""

import pytest
from local.stack import Stack
from people_at_work import emails_by_member, member, roster_emails, sign_in
from playwright.async_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def emails(stack: Stack) -> dict[str, str]:
    """Everybody's address by their id."""
    people = roster_emails(stack.state / "people.csv")
    return await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], people)


async def somebody(stack: Stack, side: str) -> str:
    """Who finds at least three on the page for a side, and has agreed with nobody: other journeys are under way."""
    for email in roster_emails(stack.state / "people.csv")[20:]:
        person = await member(stack.address, email)
        mentorships = (await person.client.get("/api/matching/v1/mentorships")).raise_for_status().json()["items"]
        page = (await person.client.get("/discover", params={"as": side})).raise_for_status().text
        if not mentorships and page.count('name="member"') > 2:
            return email
    raise AssertionError(f"nobody finds anybody as {side}")


async def choose(page: Page, side: str) -> tuple[Locator, str]:
    """The first card on the page for a side, and whose it is."""
    await page.get_by_role("link", name="Discover").click()
    await page.get_by_role("link", name=side).click()
    card = page.locator(".card").first
    await expect(card.get_by_role("listitem").first).to_be_visible()
    return card, await card.locator("input[name=member]").get_attribute("value") or ""


async def test_somebody_is_asked_to_mentor_and_says_yes(stack: Stack, browser: Browser, emails: dict[str, str]) -> None:
    """The mentee finds a mentor by an area, with reasons, and asks; the mentor says yes, and both settle how."""
    mentee = await sign_in(browser, stack.address, await somebody(stack, "mentee"))
    card, asked = await choose(mentee, "Somebody to learn from")
    name = await card.locator(".person__name").inner_text()
    await card.get_by_role("button", name=f"Ask {name} to mentor me").click()
    await expect(mentee.get_by_text("Sent. They can say yes")).to_be_visible()
    await expect(mentee.locator(f"#m-{asked}")).to_have_count(0)

    mentor = await sign_in(browser, stack.address, emails[asked])
    await mentor.get_by_role("link", name="Proposals").click()
    request = mentor.locator(".card", has=mentor.get_by_text("They asked you."))
    await request.get_by_role("button", name="Yes, I would like to").click()
    await mentor.get_by_role("link", name="Home").click()
    await expect(mentor.get_by_role("heading", name="Settle your agreement").first).to_be_visible()


async def test_an_offer_is_answered_not_now_and_another_taken_back(
    stack: Stack, browser: Browser, emails: dict[str, str]
) -> None:
    """A mentor offers to two people: one says "not now" and is not shown again, of the other it is taken back."""
    mentor = await sign_in(browser, stack.address, await somebody(stack, "mentor"))
    card, first = await choose(mentor, "Somebody to mentor")
    await card.get_by_role("button", name="Offer to mentor").click()
    await expect(mentor.locator(f"#m-{first}")).to_have_count(0)
    mentee = await sign_in(browser, stack.address, emails[first])
    await mentee.get_by_role("link", name="Proposals").click()
    request = mentee.locator(".card", has=mentee.get_by_text("They asked you."))
    await request.get_by_role("button", name="Not now").click()

    card, second = await choose(mentor, "Somebody to mentor")
    assert second != first
    await expect(mentor.locator(f"#m-{first}")).to_have_count(0)
    await card.get_by_role("button", name="Offer to mentor").click()
    await mentor.get_by_role("link", name="Proposals").click()
    await mentor.get_by_role("button", name="Take it back").click()
    await expect(mentor.get_by_text("Taken back.")).to_be_visible()
    await expect(mentor.get_by_role("button", name="Take it back")).to_have_count(0)
