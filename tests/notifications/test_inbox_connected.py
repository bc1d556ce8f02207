"""The inbox of the real process: pages, API and the stream that wakes open pages."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from contracts.matching import Side
from notification_facts import Pair
from notification_stage import Stage, eventually

pytestmark = pytest.mark.connected

READ = "/api/notifications/v1/notices/read"


async def a_told_pair(stage: Stage, *, areas: tuple[str, ...] = ("ai-tools",)) -> Pair:
    """Two people whose inboxes hold one proposal."""
    pair = Pair(stage.somebody("Mia Okafor"), stage.somebody("Dan Lind"))
    await stage.say(pair.proposed.model_copy(update={"areas": areas}))

    async def told() -> bool:
        return len(await stage.notices(pair.mentee)) == 1

    await eventually(told)
    return pair


@asynccontextmanager
async def listening(stage: Stage, member: str) -> AsyncIterator[asyncio.Queue[str]]:
    """The names of the events on a member's open page."""
    names: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> None:
        async with stage.browser(member) as browser, browser.stream("GET", "/inbox/stream") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    names.put_nowait(line.removeprefix("event: "))

    task = asyncio.create_task(listen())
    try:
        yield names
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_open_page_is_woken_and_finds_the_notice_there(running: Stage) -> None:
    """A yes wakes the other side's page, whose inbox then holds it; the sayer's page stays quiet."""
    pair = Pair(running.somebody("Mia Okafor"), running.somebody("Dan Lind"))
    async with listening(running, pair.mentor) as mentors, listening(running, pair.mentee) as mentees:
        assert [await asyncio.wait_for(names.get(), 10) for names in (mentors, mentees)] == ["opened", "opened"]
        await running.say(pair.proposed)
        assert [await asyncio.wait_for(names.get(), 10) for names in (mentors, mentees)] == ["notice", "notice"]
        await running.say(pair.yes(Side.MENTEE))
        assert await asyncio.wait_for(mentors.get(), 10) == "notice"
        assert await running.kinds(pair.mentor) == ["match-proposed", "answer-awaited"]
        assert mentees.empty()


async def test_the_page_shows_name_role_and_focus(running: Stage) -> None:
    """Each side reads the other's name, its own role and the label of the area."""
    pair = await a_told_pair(running)
    for member, line, role in (
        (pair.mentor, "You could mentor Dan Lind.", "You mentor"),
        (pair.mentee, "You could learn from Mia Okafor.", "You learn"),
    ):
        async with running.browser(member) as browser:
            page = await browser.get("/inbox")
            assert page.status_code == 200
            assert line in page.text
            assert role in page.text
            assert "AI tools in daily work" in page.text
            assert (await browser.get("/inbox/count")).text.startswith("1<")


async def test_reading_works_by_plain_forms(running: Stage) -> None:
    """Without scripts: the page's own form marks as read and comes back; the step marks too and leads on."""
    pair = await a_told_pair(running)
    async with running.browser(pair.mentor) as browser:
        seen = re.findall(r'name="seen" value="([^"]+)"', (await browser.get("/inbox")).text)
        assert len(set(seen)) == 1
        answer = await browser.post("/inbox/read", data={"seen": seen[:1]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
        assert (await browser.get("/inbox/count")).text == ""
        assert "Earlier" in (await browser.get("/inbox")).text
        opened = await browser.post("/inbox/open", data={"seen": seen[:1]})
        assert (opened.status_code, opened.headers["location"]) == (303, "/proposals")
    assert [notice["read_at"] for notice in await running.notices(pair.mentee)] == [None]


async def test_with_scripts_the_list_comes_back_fresh(running: Stage) -> None:
    """The same form by htmx answers with the list."""
    pair = await a_told_pair(running)
    [notice] = await running.notices(pair.mentor)
    async with running.browser(pair.mentor) as browser:
        seen = {"seen": f"{pair.id}~{notice['id']}"}
        answer = await browser.post("/inbox/read", data=seen, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert "<html" not in answer.text
        assert "Earlier" in answer.text


async def test_reading_on_one_page_is_seen_on_ones_other_pages(running: Stage) -> None:
    """Marking wakes one's own open pages, so that their counts follow."""
    pair = await a_told_pair(running)
    [notice] = await running.notices(pair.mentor)
    async with listening(running, pair.mentor) as names:
        assert await asyncio.wait_for(names.get(), 10) == "opened"
        async with running.browser(pair.mentor) as browser:
            body = {"notices": [{"thread": pair.id, "notice": notice["id"]}]}
            assert (await browser.post(READ, json=body)).status_code == 204
        assert await asyncio.wait_for(names.get(), 10) == "notice"
        assert (await running.notices(pair.mentor))[0]["read_at"] is not None


async def test_others_threads_cannot_be_told_from_missing_ones(running: Stage) -> None:
    """A stranger, and somebody of the same name in another tenant, get the answer of a thread that is not there."""
    pair = await a_told_pair(running)
    [notice] = await running.notices(pair.mentor)
    stranger = running.somebody("Eve Holm")
    real = {"notices": [{"thread": pair.id, "notice": notice["id"]}]}
    missing = {"notices": [{"thread": "nowhere", "notice": notice["id"]}]}
    answers = []
    for member, tenant, body in (
        (stranger, None, real),
        (stranger, None, missing),
        (pair.mentor, "another-tenant", real),
    ):
        async with running.browser(member, tenant=tenant) as browser:
            answer = await browser.post(READ, json=body)
            answers.append((answer.status_code, answer.json()))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]
    assert (await running.notices(pair.mentor))[0]["read_at"] is None


async def test_a_list_goes_on_behind_its_cursor(running: Stage) -> None:
    """Pages of two hold everything once, newest first."""
    pair = await a_told_pair(running)
    await running.say(pair.yes(Side.MENTEE), pair.yes(Side.MENTOR, complete=True), pair.started)

    async def told() -> bool:
        return len(await running.notices(pair.mentor)) == 4

    await eventually(told)
    kinds: list[str] = []
    cursor: str | None = None
    async with running.browser(pair.mentor) as browser:
        for _ in range(2):
            parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            answer = (await browser.get("/api/notifications/v1/notices", params=parameters)).json()
            kinds += [notice["kind"] for notice in answer["notices"]]
            cursor = answer["next"]
    assert kinds == ["mentorship-started", "match-accepted", "answer-awaited", "match-proposed"]
    assert cursor is None


async def test_who_is_not_signed_in_is_led_to_sign_in(running: Stage) -> None:
    """The page leads there, the API says so, and the stream tells the browser to ask no more."""
    async with running.browser(None) as browser:
        page = await browser.get("/inbox", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/inbox")
        assert (await browser.get("/api/notifications/v1/notices")).status_code == 401
        assert (await browser.get("/inbox/stream")).status_code == 204


@pytest.mark.parametrize("seen", [[], ["no-tilde"], ["~"], ["a" * 70 + "~b"], ["a~b"] * 101])
async def test_a_form_that_names_nothing_is_refused_in_plain_words(running: Stage, seen: list[str]) -> None:
    """Malformed, missing, too many: 422 and a page, never a fault."""
    async with running.browser("anybody") as browser:
        answer = await browser.post("/inbox/read", data={"seen": seen}, headers={"Accept": "text/html"})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "Please check what you entered" in answer.text


async def test_names_are_not_stored(running: Stage) -> None:
    """The database of notifications holds ids only: no name and no address of anybody told."""
    await a_told_pair(running)
    documents = [
        document
        for collection in (running.database.threads, running.database.ledger)
        for document in await collection.find({}).to_list(1000)
    ]
    assert documents
    assert not re.search(r"Okafor|Lind|demo\.example", repr(documents))
