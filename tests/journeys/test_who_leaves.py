"""Somebody leaves the organisation: the roster comes without them, and in a browser nothing of them is left behind.

The last of the journeys on their stack: the people below a leaver stand elsewhere in the chain, and proposals move.
"""

import asyncio
import csv
from pathlib import Path

import pytest
from contracts.access import OPERATORS
from contracts.topics import DIRECTORY, PROFILE
from local.stack import Stack
from people_at_work import emails_by_member, open_pairs, roster_emails, sign_in
from playwright.async_api import Browser, expect
from topic_records import all_records

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


def without(roster: Path, email: str, to: Path) -> Path:
    """The roster as it comes once somebody has left; whoever they managed has nobody above them now."""
    with roster.open(newline="") as rows:
        people = list(csv.DictReader(rows))
    gone = next(row for row in people if row["email"] == email)
    with to.open("w", newline="") as file:
        writer = csv.DictWriter(file, people[0].keys())
        writer.writeheader()
        for row in people:
            if row is not gone:
                manager = "" if row["manager_id"] == gone["employee_id"] else row["manager_id"]
                writer.writerow(row | {"manager_id": manager})
    return to


async def test_a_leaver_is_taken_out_and_their_pair_ends(stack: Stack, browser: Browser, tmp_path: Path) -> None:
    """Tried out first, then imported: the other side reads that it has ended, and no name; both topics forget."""
    emails = await emails_by_member(
        stack.environment["TURNABOUT_PROFILES_URL"], roster_emails(stack.state / "people.csv")
    )
    [(mentor, mentee, pair)] = await open_pairs(stack.address, emails, 1)
    name = await mentee.name()
    for person in (mentor, mentee):
        await person.accept(pair)
    for person in (mentor, mentee):
        await person.agree(pair)
    other = await sign_in(browser, stack.address, mentor.email)
    await other.goto(f"{stack.address}/mentorships/{pair}")
    await expect(other.get_by_role("heading", name=f"You mentor {name}")).to_be_visible()

    operator = await sign_in(browser, stack.address, "operator@demo.example")
    roster = without(stack.state / "people.csv", mentee.email, tmp_path / "people.csv")
    for button, said in (("Try it out", "Every row is right"), ("Import", "Every row of the file is in the directory")):
        await operator.goto(f"{stack.address}/import")
        await operator.get_by_label("Roster").set_input_files(roster)
        await operator.get_by_label("Take out who is missing").fill("1")
        await operator.get_by_role("button", name=button, exact=True).click()
        await expect(operator.locator("#import-progress")).to_contain_text(said, timeout=60_000)
        taken_out = operator.locator("#import-progress .stat", has_text="Taken out")
        await expect(taken_out).to_contain_text("1")

    async with asyncio.timeout(30):
        while (await mentor.mentorship(pair))["status"] != "ended":
            await asyncio.sleep(0.1)
    await other.reload()
    await expect(other.get_by_text("This mentorship has ended").first).to_be_visible()
    # Pages keep a card for a minute at most; where names come from there is none any more.
    cards = await mentor.client.post("/api/profiles/v1/cards", json={"members": [mentee.id]})
    assert cards.raise_for_status().json() == {"cards": []}
    for topic in (DIRECTORY, PROFILE):
        records = await all_records(stack.settings(OPERATORS), topic)
        assert not [record for record in records if record.key == mentee.id.encode()][-1].value
