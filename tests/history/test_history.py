"""A small history on a stack of its own: what came of it, as everybody's own API tells it."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local import history, setup
from local.history import History
from local.lives import Fate, Life, lives
from local.members import member
from local.people import DEMO, remembered
from local.ports import free_range
from local.processes import StackError
from local.stack import Stack

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]
SIX_PAIRS = {
    Fate.RUNNING: 2,
    Fate.PAUSED: 1,
    Fate.DECLINED: 1,
    Fate.ENDED: 1,
    Fate.TAKEN_BACK: 1,
}


@dataclass(frozen=True)
class Lived:
    """A stack with its history."""

    stack: Stack
    made: History
    stops: list[datetime]


@pytest.fixture(scope="module")
async def lived() -> AsyncIterator[Lived]:
    """Six pairs who lived through the last month."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-history-") as folder:
        stack, told = Stack(Path(folder), free_range()), list[datetime]()
        try:
            made = await history.make(stack, 6, 1, lambda _stop, _of, at: told.append(at))
            yield Lived(stack, made, told)
        finally:
            await stack.stop()


async def test_every_pair_came_to_its_end(lived: Lived) -> None:
    """As planned, asked of the two people themselves; sessions as the seed has them."""
    told = lived.made.told

    assert told.pairs == SIX_PAIRS
    assert (told.held, told.cancelled, told.disputed) == (6, 2, 0)


async def test_the_clock_is_right_again(lived: Lived) -> None:
    """Ten stops, from a month ago to the present; nothing is shifted afterwards."""
    assert len(lived.stops) == 10
    assert timedelta(days=28) < lived.stops[-1] - lived.stops[0] < timedelta(days=36)
    assert abs(float((lived.stack.state / "clock").read_text())) <= 1


async def test_the_months_that_are_over_were_published(lived: Lived) -> None:
    """The newest report is of the month before this one, and says that people were proposed."""
    analyst = await member(lived.stack.address, DEMO[3].email)

    report = (await analyst.client.get("/api/analytics/v1/reports/participation")).raise_for_status().json()

    this_month = datetime.now(UTC).replace(day=1)
    assert report["period"] == f"{this_month - timedelta(days=1):%Y-%m}"
    assert {step["stage"]: step["people"] for step in report["funnel"]}["proposed"] > 20


async def test_the_demo_people_have_a_life_to_show(lived: Lived) -> None:
    """The junior mentors somebody, has met, has a session ahead and something unread."""
    junior = await member(lived.stack.address, DEMO[0].email)

    [pair] = (await junior.client.get("/api/matching/v1/mentorships")).raise_for_status().json()["items"]
    plan = (await junior.client.get(f"/api/matching/v1/mentorships/{pair['id']}/plan")).raise_for_status().json()

    assert pair["status"] == "started"
    assert len(pair["sessions"]) == 4
    assert pair["agreement"]["intent"]["goals"]
    assert datetime.fromisoformat(plan["session"]["time"]["at"]) > datetime.now(UTC)
    assert {bool(notice["read_at"]) for notice in await junior.notices()} == {True, False}


async def test_mails_lie_in_the_mailbox(lived: Lived) -> None:
    """Those of the junior tell of a session that is near, among others."""
    junior = await member(lived.stack.address, DEMO[0].email)

    mails = (await junior.client.get("/mailbox/api")).raise_for_status().json()

    assert "Your session is a day away" in {mail["subject"] for mail in mails if junior.email in mail["to"]}


async def test_the_next_start_offers_people_to_sign_in_as(lived: Lived) -> None:
    """The demo's, and one of the pair that is paused."""
    offered = {person.email: person.role for person in remembered(lived.stack.state)}
    paused = lived.made.one(Fate.PAUSED)

    assert set(offered) > {person.email for person in DEMO}
    assert paused is not None
    assert "paused" in {offered.get(person.email, "").rpartition(" ")[2] for person in paused.people.values()}


async def test_a_second_history_says_what_to_do(lived: Lived) -> None:
    """A stack that holds data is left as it is."""
    with pytest.raises(StackError, match="make reset"):
        await history.make(lived.stack, 6, 1, lambda *_: None)


def test_the_plan_of_six_pairs() -> None:
    """What the tests above count on: the first pair is the demo's, and begins at once."""
    first: Life = lives(history.SEED, 6, 9)[0]

    assert (first.begins, first.asked_by, first.fate) == (0, None, Fate.RUNNING)
