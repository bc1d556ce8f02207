"""Each process is killed with -9 while pairs are on their way: nothing is lost, nothing happens twice."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from local.stack import Stack
from people_at_work import Member, emails_by_member, open_pairs, roster_emails

pytestmark = [pytest.mark.journey, pytest.mark.timeout(280)]

VICTIMS = (
    "profiles",
    "matching api",
    "matching engine",
    "notifications",
    "analytics",
    "Kafka",
    "the database",
    "the gateway",
    "the mailbox",
)


async def test_every_process_dies_once_and_every_pair_arrives(stack: Stack) -> None:
    """Nine pairs say yes and agree, each across the death of one process; every pair starts, told and mailed once."""
    emails = await emails_by_member(stack.environment["TURNABOUT_PROFILES_URL"], _people(stack))
    pairs = await open_pairs(stack.address, emails, len(VICTIMS))
    assert len(pairs) == len(VICTIMS)
    for victim, (mentor, mentee, mentorship) in zip(VICTIMS, pairs, strict=True):
        await mentor.accept(mentorship)
        killed = asyncio.create_task(stack.bounce(victim))
        await _across(lambda mentee=mentee, mentorship=mentorship: mentee.accept(mentorship))  # type: ignore[misc]
        await killed
        await _until_status(mentor, mentorship, "accepted")
        await mentor.agree(mentorship)
        await mentee.agree(mentorship)
    for mentor, mentee, mentorship in pairs:
        await _until_status(mentor, mentorship, "started")
        for person in (mentor, mentee):
            kinds = await _told(person, mentorship, "mentorship-started")
            assert kinds.count("mentorship-started") == 1
            assert kinds.count("match-accepted") <= 1
    await _mailed_once(stack, pairs)


def _people(stack: Stack) -> list[str]:
    return roster_emails(stack.state / "people.csv")


async def _across(action: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """The command of a patient client; `Member.persist` sends it until it is answered."""
    await action()


async def _until_status(person: Member, mentorship: str, status: str) -> None:
    async with asyncio.timeout(40):
        while (await person.mentorship(mentorship))["status"] != status:
            await asyncio.sleep(0.2)


async def _told(person: Member, mentorship: str, kind: str) -> list[str]:
    """Kinds of one's notices about a mentorship, once `kind` is among them."""
    async with asyncio.timeout(40):
        while True:
            kinds = [notice["kind"] for notice in await person.notices() if notice["thread"] == mentorship]
            if kind in kinds:
                return kinds
            await asyncio.sleep(0.3)


async def _mailed_once(stack: Stack, pairs: list[tuple[Member, Member, str]]) -> None:
    """Proposal, an answer that was waited for, start: none of the mails came twice."""
    await asyncio.sleep(3)
    async with httpx.AsyncClient(timeout=30) as client:
        mails = (await client.get(f"{stack.address}/mailbox/api")).json()
    for mentor, mentee, _ in pairs:
        for person in (mentor, mentee):
            ids = [mail["message_id"] for mail in mails if person.email in mail["to"]]
            assert len(ids) == len(set(ids))
