"""An operator watches the real stack: all is well, an event dies, a service goes away, and each is seen as it is."""

import pytest
from aiokafka import AIOKafkaProducer
from chassis.broker import client_options
from chassis.ids import new_id
from contracts.matching import MatchClosed
from contracts.topics import MENTORSHIP
from local.stack import Stack
from people_at_work import sign_in
from playwright.async_api import Browser, Locator, Page, expect
from topic_records import said

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
OPERATOR, MEMBER = "operator@demo.example", "junior@demo.example"
SERVICES = ("analytics", "matching", "notifications", "profiles")
SECRET = "a secret between two people"
WELL = "Everything is as it should be."
PATIENCE_MS = 90_000  # work that failed a moment before is shown for a minute


def part(page: Page, service: str) -> Locator:
    """What the overview says about a service."""
    return page.locator(f"#summary-{service}")


async def bury_one(stack: Stack, key: str) -> None:
    """An event of matching whose body breaks its contract, and holds what nobody may read."""
    broken = said(MatchClosed(mentorship=key), key, 1, "demo") | {"value": f'{{"mentorship": ["{SECRET}"]}}'.encode()}
    producer = AIOKafkaProducer(**client_options(stack.settings("matching")))
    await producer.start()
    try:
        await producer.send_and_wait(MENTORSHIP.name, **broken)
    finally:
        await producer.stop()


async def test_an_operator_sees_what_is_well_and_what_died(stack: Stack, browser: Browser) -> None:
    """All four services are well; a dead letter shows with its reason and without its content, until it is given up."""
    page = await sign_in(browser, stack.address, OPERATOR)
    await page.get_by_role("link", name="Operations").click()
    for service in SERVICES:
        await expect(part(page, service)).to_contain_text(WELL, timeout=PATIENCE_MS)

    key = new_id()
    await bury_one(stack, key)
    await expect(part(page, "notifications")).to_contain_text("Dead letters", timeout=PATIENCE_MS)
    await page.get_by_role("link", name="notifications").click()
    letters = page.locator("#dead-letters")
    await expect(letters).to_contain_text("the body breaks the contract (bad-body)")
    await expect(letters).to_contain_text("turnabout dead list --service notifications")
    await expect(page.locator("#parked")).to_contain_text("notifications.")
    told = await page.content()
    assert SECRET not in told
    assert key not in told

    await letters.get_by_role("link", name="Dead letters and parked keys").click()
    await expect(page.get_by_text("turnabout dead redrive --key")).to_be_visible()
    await page.go_back()
    await stack.command("notifications", "ops", "dead", "discard", "--key", key, "--yes")
    await expect(letters).to_contain_text("There are no dead letters.", timeout=PATIENCE_MS)
    await expect(page.locator("#parked")).to_contain_text("No key is parked.", timeout=PATIENCE_MS)


async def test_a_service_that_is_away_says_so_and_takes_no_other_with_it(stack: Stack, browser: Browser) -> None:
    """Its part tells that it does not answer; once it is back, the open page says that it is well."""
    page = await sign_in(browser, stack.address, OPERATOR)
    await page.goto(f"{stack.address}/operations")
    await expect(part(page, "analytics")).to_contain_text(WELL, timeout=PATIENCE_MS)
    analytics = stack.child("analytics")
    stack._unwatched.add("analytics")
    try:
        await analytics.kill()
        await expect(part(page, "analytics")).to_contain_text("It does not answer.", timeout=PATIENCE_MS)
        await expect(part(page, "matching")).to_contain_text(WELL, timeout=PATIENCE_MS)
    finally:
        analytics.start()
        await analytics.wait_ready()
        stack._unwatched.discard("analytics")
    await expect(part(page, "analytics")).to_contain_text(WELL, timeout=PATIENCE_MS)


async def test_a_member_is_refused_in_a_plain_sentence(stack: Stack, browser: Browser) -> None:
    """Nothing leads them there, and the address alone opens nothing."""
    page = await sign_in(browser, stack.address, MEMBER)
    await expect(page.get_by_role("link", name="Operations")).to_have_count(0)
    for path in ("/operations", "/operations/matching"):
        await page.goto(f"{stack.address}{path}")
        await expect(page.get_by_text("Your account does not allow this.")).to_be_visible()
