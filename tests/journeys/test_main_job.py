"""The main job in a browser on the real stack: from the lead's run to a mentorship with its first session."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from chassis.consuming.records import Record
from contracts.access import OPERATORS
from contracts.envelope import Envelope
from contracts.notifications import NoticeSent
from contracts.topics import NOTICE
from local.stack import Stack
from people_at_work import emails_by_member, member, roster_emails, sign_in, soon
from playwright.async_api import Browser, Page, expect
from topic_records import all_records

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Couple:
    """An open proposal and its two people."""

    mentor: str
    mentee: str
    mentor_name: str
    mentee_name: str
    mentorship: str


@pytest.fixture(scope="session")
async def couple(stack: Stack) -> Couple:
    """The junior of the demo company and whoever is proposed as mentee."""
    people = roster_emails(stack.state / "people.csv")
    emails = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], people)
    mentor = await member(stack.address, "junior@demo.example")
    proposal = next(pair for pair in await mentor.proposals() if pair["you"] == "mentor")
    mentee = await member(stack.address, emails[proposal["mentee"]])
    return Couple(mentor.email, mentee.email, await mentor.name(), await mentee.name(), proposal["id"])


async def eventually(check: Callable[[], bool], seconds: float = 15) -> None:
    """Until the check holds; fails by time-out."""
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.1)


def mails(stack: Stack, to: str) -> list[dict[str, str]]:
    """What the mailbox holds for one address."""
    found: list[dict[str, str]] = httpx.get(f"{stack.address}/mailbox/api", timeout=30).json()
    return [mail for mail in found if to in mail["to"]]


def spans(stack: Stack) -> list[dict[str, Any]]:
    """Every finished span of every process."""
    files = stack.state.glob("spans*")
    return [json.loads(line) for file in files for line in file.read_text().splitlines() if line.endswith("}")]


async def test_a_lead_runs_the_programme(stack: Stack, browser: Browser) -> None:
    """The lead finds the programme, runs it again, and sees coverage and who has nobody and why."""
    lead = await sign_in(browser, stack.address, "lead@demo.example")
    await lead.get_by_role("link", name="Programmes").click()
    await lead.get_by_role("link", name="Run and coverage").click()
    async with lead.expect_navigation():  # the page before it tells of an earlier run in the same words
        await lead.get_by_role("button", name="Run now").click()
    main = lead.get_by_role("main")
    await expect(main).to_contain_text(re.compile(r"Last run: \d+ second"), timeout=30_000)
    await expect(main).to_contain_text("Mentees with somebody")
    await expect(main.get_by_role("heading", name="People without a pair")).to_be_visible()
    await _unfold_the_strongest_pair(lead)


async def _unfold_the_strongest_pair(lead: Page) -> None:
    """By keyboard, the lead opens the first pair and finds its areas and points that add up to its score."""
    pair = lead.locator("details.row").first
    parts = pair.get_by_role("table", name="What the score is made of")
    await expect(parts).to_be_hidden()
    await pair.locator("summary").focus()
    await lead.keyboard.press("Enter")
    await expect(parts).to_be_visible()
    await expect(pair).to_contain_text("They share:")
    points = [int(cell.replace(",", "")) for cell in await parts.locator("td").all_inner_texts()]
    assert sum(points[:-1]) == points[-1] > 0
    assert f"{points[-1]:,} points" in await pair.locator("summary").inner_text()


async def test_two_people_become_a_mentorship(stack: Stack, browser: Browser, couple: Couple) -> None:
    """Both say yes, both agree, it starts; each step reaches the other's open inbox, and mail comes once."""
    mentor = await sign_in(browser, stack.address, couple.mentor)
    mentee = await sign_in(browser, stack.address, couple.mentee)
    await mentee.goto(f"{stack.address}/inbox")
    before = await mentee.get_by_role("main").inner_text()

    await _say_yes(stack, mentor, couple, to=couple.mentee_name)
    await expect(mentee.get_by_role("main")).not_to_have_text(before, timeout=5_000)
    await _mailed_once(stack, couple.mentee, "Your answer is waited for")
    await _say_yes(stack, mentee, couple, to=couple.mentor_name)

    for page in (mentor, mentee):
        await page.goto(f"{stack.address}/mentorships/{couple.mentorship}")
        await page.get_by_role("button", name="I agree to this").click()
    await expect(mentee.get_by_role("heading", name="Log a session")).to_be_visible()

    await _mailed_once(stack, couple.mentor, "Your mentorship has started")
    await _mailed_once(stack, couple.mentee, "Your mentorship has started")

    await mentor.goto(f"{stack.address}/mentorships/{couple.mentorship}")
    await mentor.get_by_role("button", name="Log it").click()
    await expect(mentor.get_by_role("main")).to_contain_text("Held")
    await mentee.reload()
    await expect(mentee.get_by_role("main")).to_contain_text("Held")


async def _mailed_once(stack: Stack, to: str, subject: str) -> None:
    """A mail with this subject comes, and none of this person's mails came twice."""
    await eventually(lambda: subject in [mail["subject"] for mail in mails(stack, to)])
    ids = [mail["message_id"] for mail in mails(stack, to)]
    assert len(ids) == len(set(ids))


async def _say_yes(stack: Stack, page: Page, couple: Couple, *, to: str) -> None:
    await page.goto(f"{stack.address}/proposals")
    proposal = await soon(page, page.locator(f"#p-{couple.mentorship}", has_text=to))
    await proposal.get_by_role("button", name="Yes, I would like to").click()
    await page.wait_for_load_state()


async def test_one_trace_runs_from_the_accept_click_to_the_mail(stack: Stack, couple: Couple) -> None:
    """The first yes caused the mail to the other side: relay, bus and `NoticeSent` are in its trace."""
    mentee = await member(stack.address, couple.mentee)
    notice = next(
        each["id"]
        for each in await mentee.notices()
        if (each["thread"], each["kind"]) == (couple.mentorship, "answer-awaited")
    )
    await eventually(lambda: len(_up_from_the_mail(spans(stack), notice)) > 1)
    path = _up_from_the_mail(spans(stack), notice)
    assert [(span["service"], span["name"]) for span in path] == [
        ("notifications", "mail answer-awaited"),
        ("notifications", "work send-mail"),
        ("notifications", "notifications.threads mentorship"),
        ("matching", "command accept-proposal"),
        ("matching", "http POST /proposals/{mentorship}/accept"),
    ]
    told, accepted, click = path[2:]
    assert path[0]["attributes"]["outcome"] == "sent"
    assert {span["trace_id"] for span in path} == {click["trace_id"]}
    assert click["parent_span_id"] is None
    for cause in (accepted, told):  # what each of them said was sent by the relay of its own service
        assert _services_that_published_for(cause, spans(stack)) == {cause["service"]}
    announced = await all_records(stack.settings(OPERATORS), NOTICE)
    traceparent = next(
        Envelope.from_headers(record.headers).traceparent for record in announced if _announces(record, notice)
    )
    assert traceparent is not None
    assert traceparent.split("-")[1:3] == [told["trace_id"], told["span_id"]]


def _up_from_the_mail(found: list[dict[str, Any]], notice: str) -> list[dict[str, Any]]:
    """The span of the mail about a notice, what it is below, and so on up to the click."""
    by_id = {span["span_id"]: span for span in found}
    path = [span for span in found if span["name"].startswith("mail ") and span["attributes"]["notice"] == notice]
    while path and (parent := by_id.get(path[-1]["parent_span_id"])) is not None:
        path.append(parent)
    return path


def _services_that_published_for(cause: dict[str, Any], found: list[dict[str, Any]]) -> set[str]:
    """Whose relays sent something below a span, or linked to it because one send carried several documents."""
    return {
        span["service"]
        for span in found
        if span["name"] == "relay.publish"
        and cause["span_id"] in {span["parent_span_id"], *(link["span_id"] for link in span["links"])}
    }


def _announces(record: Record, notice: str) -> bool:
    return record.value is not None and NoticeSent.model_validate_json(record.value).notice == notice


async def test_one_trace_runs_from_the_last_agreement_to_the_mail(stack: Stack) -> None:
    """The last "I agree" and the mails about the start share one trace, through relay, bus and pending work."""

    def linked() -> bool:
        found = spans(stack)
        clicks = {
            span["trace_id"] for span in found if span["service"].startswith("matching") and "agreement" in span["name"]
        }
        services = {(span["service"], span["name"].split()[0]) for span in found if span["trace_id"] in clicks}
        return any(name == "mail" for service, name in services if service == "notifications")

    await eventually(linked)
    assert linked()


async def test_a_stranger_finds_nothing_by_its_id(stack: Stack, browser: Browser, couple: Couple) -> None:
    """Somebody who is not party to a mentorship gets the same answer as for one that does not exist."""
    stranger = await sign_in(browser, stack.address, "operator@demo.example")
    for mentorship in (couple.mentorship, "there-is-none"):
        answer = await stranger.goto(f"{stack.address}/mentorships/{mentorship}")
        assert answer is not None
        assert answer.status == 404


async def test_insights_wait_for_a_closed_month(stack: Stack, browser: Browser) -> None:
    """The running month shows nothing whatever happens in it; once it is over its figures are there."""
    analyst = await sign_in(browser, stack.address, "analyst@demo.example")
    await analyst.goto(f"{stack.address}/insights")
    await expect(analyst.get_by_text("No month is over yet")).to_be_visible()
    (stack.state / "clock").write_text(str(int(timedelta(days=32).total_seconds())))
    try:
        await asyncio.sleep(2)
        analyst = await sign_in(browser, stack.address, "analyst@demo.example")
        await analyst.goto(f"{stack.address}/insights")
        await expect(analyst.locator("svg[role=img]").first).to_be_visible()
        await expect(analyst.locator("table").first).to_be_visible()
        # One pair has started: enough to wait for, too few for a time or a share; both say so in words.
        await expect(analyst.get_by_role("heading", name="Time to a first mentorship")).to_be_visible()
        await expect(analyst.get_by_role("row", name="All who wait")).to_contain_text(re.compile(r"\d+"))
        await expect(analyst.get_by_text("No time can be told yet")).to_be_visible()
        await expect(analyst.get_by_role("heading", name="Sessions held, of those agreed")).to_be_visible()
        await expect(analyst.get_by_text("Nothing to compare yet")).to_be_visible()
        async with analyst.expect_download() as downloading:
            await analyst.get_by_role("link", name="Download as CSV").click()
        text = (await (await downloading.value).path()).read_text()
        assert ",median weeks to a start,fewer than 5 or protected,enrolled," in text
    finally:
        (stack.state / "clock").write_text("0")
