"""The service as it runs: from events on the real bus to figures on a page, and rows rebuilt from the topics alone."""

import asyncio
import csv
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from analytics_service import Analytics, Signer, Voice, at, figures, month_start
from contracts.matching import MentorshipState, Outcome, PersonBands, SessionCount, Side, Status
from contracts.profiles import DirectoryUpdated

pytestmark = pytest.mark.connected

PAIRS = 26
THIS_MONTH = month_start(0)
REPORT = "/api/analytics/v1/reports/participation"
HIDDEN = "fewer than 5 or protected"


def waiting(report: dict[str, Any]) -> dict[str, int | None]:
    """People by how long they wait."""
    return {each["weeks"]: each["people"] for each in report["time_to_match"]["waiting_since"]}


def times(report: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Weeks to a start by level, as a median and for nine in ten; none is protected."""

    def told(time: dict[str, Any]) -> Any:
        return "not yet" if time["reached"] is False else time["weeks"]

    groups = report["time_to_match"]["groups"]
    return {each["group"]: (told(each["median"]), told(each["ninetieth"])) for each in groups}


class Story:
    """One tenant of 60 people, seen through the service."""

    def __init__(self, service: Analytics, signer: Signer, producer: AIOKafkaProducer) -> None:
        self.tenant = f"tenant-{uuid.uuid4().hex[:8]}"
        self.service = service
        self.voice = Voice(producer, self.tenant)
        self.signer = signer

    def get(self, path: str, *roles: str, accept: str = "application/json") -> httpx.Response:
        """Read a path as a member with these roles, an analyst by default."""
        token = self.signer.token(self.tenant, *(roles or ("analyst",)))
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        return httpx.get(self.service.url + path, headers=headers, timeout=30)

    async def published(self, months: int) -> dict[str, Any]:
        """The newest report, once this many months are published; projections may lag behind the topics a little."""
        async with asyncio.timeout(60):
            while True:
                answer = self.get(REPORT)
                if answer.status_code == 200 and len(answer.json()["periods"]) == months:
                    report: dict[str, Any] = answer.json()
                    return report
                await asyncio.sleep(0.2)

    def strange(self, path: str) -> httpx.Response:
        """Read a path as a browser that nobody has signed in with."""
        return httpx.get(self.service.url + path, headers={"Accept": "text/html"})

    def page(self) -> httpx.Response:
        """The insights page as a browser gets it."""
        return self.get("/insights", accept="text/html")

    async def join(self, people: int) -> None:
        """People of two levels and two units, who all enrolled the day before."""
        enrolled_on = (THIS_MONTH - timedelta(days=1)).date().isoformat()
        for number in range(people):
            member = f"{self.tenant}-m{number}"
            level, unit = (2, "retail") if number % 2 else (8, "head-office")
            entry = DirectoryUpdated(
                member=member,
                level=level,
                unit=unit,
                country="GB",
                time_zone="Europe/London",
                joined="2020-01",
                enrolled_on=enrolled_on,
            )
            await self.voice.say(member, entry, at(THIS_MONTH))

    async def pair(
        self, number: int, *, started: datetime | None = None, held: int = 0, cadence: str = "fortnightly"
    ) -> None:
        """The state of one pair; the mentor is the junior."""
        begun = at(started) if started else None
        month = at(started)[:7] if started else ""
        sessions = (SessionCount(outcome=Outcome.HELD, by=Side.MENTOR, month=month, count=held),) if held else ()
        state = MentorshipState(
            mentorship=f"{self.tenant}-p{number}",
            programme="programme-1",
            status=Status.STARTED if started else Status.PROPOSED,
            mentor=f"{self.tenant}-m{2 * number + 1}",
            mentee=f"{self.tenant}-m{2 * number}",
            areas=("ai-tools",),
            direction="reverse",
            mentor_bands=PersonBands(level=2, unit="retail", country="GB"),
            mentee_bands=PersonBands(level=8, unit="head-office", country="GB"),
            proposed_at=at(THIS_MONTH),
            accepted_at=begun,
            started_at=begun,
            sessions=sessions,
            cadence=cadence if started else None,
        )
        await self.voice.say(state.mentorship, state, at(started or THIS_MONTH))


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    """Profiles' keys."""
    made = Signer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(kafka: str, database: str, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analytics]:
    """The running process, shared by the tests of this module."""
    made = Analytics(kafka, database, signer, tmp_path_factory.mktemp("analytics"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
async def story(kafka: str, service: Analytics, signer: Signer) -> AsyncIterator[Story]:
    """A new tenant, in the running month."""
    service.go_to(THIS_MONTH)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    yield Story(service, signer, producer)
    await producer.stop()


async def test_closed_months_alone_change_the_page(story: Story) -> None:
    """Nothing in the running month; the funnel once it has closed; then nothing again until the next one closes."""
    await story.join(60)
    for number in range(PAIRS):
        await story.pair(number, started=THIS_MONTH if number < 12 else None, held=1 if number < 12 else 0)

    assert "No month is over yet" in story.page().text
    assert story.get(REPORT).status_code == 404

    next_month, month_after = month_start(1), month_start(2)
    story.service.go_to(next_month)
    first = await story.published(1)
    page = story.page().text
    assert figures(first) == {
        "eligible": 60,
        "enrolled": 60,
        "proposed": 50,
        "accepted": 25,
        "started": 25,
        "met": 25,
    }
    assert [(group["group"], group["people"]["started"]) for group in first["levels"]] == [("1-3", 10), ("7-9", 10)]
    month = first["months"][0]
    # 12 pairs, a session every 14 days of 28 to 31: 24 to 27, which is 25; 12 were held, which is 10.
    assert (month["sessions_asked_for"], month["sessions_held"], month["percent_held"]) == (25, 10, 40)
    assert waiting(first) == {"0-4": None, "5-12": 35, "13-": None}
    assert first["time_to_match"]["waiting"] == 35
    assert times(first) == {"": ("not yet", "not yet"), "1-3": ("not yet", None), "7-9": ("not yet", None)}

    await story.pair(0, started=THIS_MONTH, held=2)
    for number in range(12, PAIRS):
        await story.pair(number, started=next_month, held=1, cadence="monthly")
    assert story.page().text == page
    assert story.get(REPORT).json() == first

    story.service.go_to(month_after)
    second = await story.published(2)
    assert figures(second)["started"] == 50
    assert [month["sessions_held"] for month in second["months"]] == [10, 15]
    # 14 pairs more, once a month: 38 to 41, which is 40. Held 25 of 65 by both months as they are shown.
    assert [month["sessions_asked_for"] for month in second["months"]] == [25, 40]
    assert [month["percent_held"] for month in second["months"]] == [40, 38]
    assert second["agreed"]["percent_held"] == 38
    # 24 of 60 started a day after they enrolled, 28 a month later, in the fifth week: 8 of 60 are more than a tenth.
    assert times(second)[""] == (5, "not yet")
    for words in ("5 weeks", "not reached yet", "38%"):
        assert words in story.page().text
    assert story.page().text != page
    assert story.get(f"{REPORT}?period={first['period']}").json()["funnel"] == first["funnel"]


async def test_the_file_holds_every_figure_with_what_it_is_of(story: Story) -> None:
    """Each line names its base and how many that are; what is hidden or not reached yet says so in words."""
    await story.join(60)
    for number in range(12):
        await story.pair(number, started=THIS_MONTH, held=1)
    story.service.go_to(month_start(1))
    month = (await story.published(1))["period"]

    lines = list(csv.DictReader(story.get(f"{REPORT}?format=csv").text.splitlines()))

    told = {
        (line["breakdown"], line["group"], line["figure"]): (line["value"], line["base"], line["of"]) for line in lines
    }
    assert told["all", "", "sessions asked for"] == ("25", "", "")
    assert told["all", "", "percent held"] == ("40", "sessions asked for", "25")
    assert told["all", "", "median weeks to a start"] == ("not reached yet", "enrolled", "60")
    assert told["level", "1-3", "90th percentile of weeks to a start"] == (HIDDEN, "enrolled", "30")
    assert told["weeks of waiting", "5-12", "waiting"] == ("35", "enrolled", "60")
    assert told["weeks of waiting", "13-", "waiting"] == (HIDDEN, "enrolled", "60")
    assert {line["period"] for line in lines} == {month}
    assert all(line["definition"] for line in lines)


async def test_rows_are_rebuilt_from_the_topics_alone(story: Story) -> None:
    """The rebuilt rows have the same bytes as the live ones, also after a tombstone; a lost projection comes back."""
    await story.join(20)
    for number in range(8):
        await story.pair(number, started=THIS_MONTH, held=1)
    await story.voice.bury(f"{story.tenant}-p3", at(THIS_MONTH, hours=1))
    # The broker is shared with other tests, whose older events this group may have passed under another database.
    rebuilt = story.service.command("rebuild")
    checked = story.service.command("rebuild", "--check")

    assert rebuilt.returncode == 0, rebuilt.stderr
    assert checked.returncode == 0, checked.stdout
    digests = [line.split()[0] for line in checked.stdout.splitlines()]
    assert digests == [rebuilt.stdout.strip()] * 2
    assert len(digests[0]) == 64


async def test_only_analysts_and_operators_may_look(story: Story) -> None:
    """Other members get a page that says so; strangers are sent to sign-in; the API answers with a problem."""
    refused: dict[str, Any] = story.get(REPORT, "lead").json()

    assert story.get("/insights", "lead", accept="text/html").status_code == 403
    assert refused["status"] == 403
    assert story.get("/insights", "operator", accept="text/html").status_code == 200
    stranger = story.strange("/insights")
    assert stranger.status_code == 303
    assert stranger.headers["location"].startswith("/sign-in")


async def test_wrong_requests_say_what_is_wrong(story: Story) -> None:
    """Months that don't exist, that are running, and formats that nobody has."""
    assert story.get(f"{REPORT}?period=last-month").status_code == 422
    assert story.get(f"{REPORT}?period=1999-01").status_code == 404
    assert story.get(f"{REPORT}?format=xlsx").status_code == 422
