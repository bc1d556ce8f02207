"""Preferences of the real process: the page without scripts, the API, and the one click from a mail program."""

import re
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from chassis.state.documents import RESERVED
from notification_facts import Pair
from notification_stage import Stage, eventually
from notifications.domain.notice import AWAITING, MAILED, Kind
from notifications.kinds import NAMES

pytestmark = pytest.mark.connected

PAGE = "/preferences"
API = "/api/notifications/v1/preferences"
QUIET = {"quiet": "yes", "begins": "20:00", "ends": "07:00"}


def a_pair(stage: Stage) -> Pair:
    return Pair(stage.somebody("Mia Okafor"), stage.somebody("Dan Lind"))


async def fates_are(stage: Stage, *fates: str) -> None:
    async def settled() -> bool:
        return await stage.fates() == sorted(fates)

    await eventually(settled)


def fields(page: str) -> dict[str, Any]:
    """What the page's form would send as it stands."""
    form = page[page.index('<form class="form"') :]
    sent: dict[str, Any] = {name: re.findall(rf'name="{name}" value="([^"]*)"', form) for name in ("if_match", "shown")}
    for name in ("mail", "inbox", "days"):
        sent[name] = re.findall(rf'name="{name}" value="([^"]*)" checked', form)
    for name in ("begins", "ends"):
        sent[name] = re.findall(rf'type="time" value="([^"]*)" id="field-{name}"', form)
    if re.search(r'value="yes" checked id="field-quiet"', form):
        sent["quiet"] = "yes"
    return sent


async def chosen(browser: httpx.AsyncClient) -> dict[str, Any]:
    """What the API tells."""
    found: dict[str, Any] = (await browser.get(API)).json()["choice"]
    return found


async def test_the_page_shows_every_kind_and_saves_what_is_ticked(running: Stage) -> None:
    """All is on at first; what asks for an answer has no box for the inbox, and the page says why."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        page = await mia.get(PAGE)
        sent = fields(page.text)
        assert sent["mail"] == [kind for kind in Kind if kind in MAILED]
        assert sent["inbox"] == [kind for kind in Kind if kind not in AWAITING]
        assert (sent["begins"], sent["ends"], "quiet" in sent) == (["20:00"], ["07:00"], False)
        always = page.text.index("always stands in your inbox")
        assert all(NAMES[kind] in page.text[always : always + 300] for kind in AWAITING)

        sent |= QUIET | {"mail": ["answer-awaited"], "days": ["6", "7"]}
        sent["inbox"].remove("session-held")
        saved = await mia.post(PAGE, data=sent, follow_redirects=True)

        assert "Saved." in saved.text
        again = fields(saved.text)
        assert [again[name] for name in ("mail", "inbox", "days")] == [sent[name] for name in ("mail", "inbox", "days")]
        assert (again["begins"], again["ends"], again["quiet"]) == (["20:00"], ["07:00"], "yes")
        choice = await chosen(mia)
        assert choice["quiet"] == {"hours": {"begins": "20:00", "ends": "07:00"}, "days": [6, 7]}
        assert choice["off"]["inbox"] == ["session-held"]
        assert choice["off"]["mail"] == [kind for kind in Kind if kind in MAILED and kind != Kind.ANSWER_AWAITED]


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({**QUIET, "ends": "20:00"}, "Quiet hours must end at another time"),
        ({**QUIET, "begins": "half past"}, "Write quiet hours in hours and minutes"),
        ({**QUIET, "ends": ""}, "Write quiet hours in hours and minutes"),
        ({**QUIET, "ends": "25:00"}, "Write quiet hours in hours and minutes"),
        ({"days": ["1", "2", "3", "4", "5", "6", "7"]}, "Leave at least one day with mail"),
    ],
)
async def test_what_cannot_be_is_told_and_what_was_entered_stays(
    running: Stage, entered: dict[str, Any], words: str
) -> None:
    """Nothing is stored, and nothing has to be ticked again."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        sent = fields((await mia.get(PAGE)).text) | entered | {"mail": ["match-proposed"]}
        refused = await mia.post(PAGE, data=sent)
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert words in refused.text
        again = fields(refused.text)
        assert again["mail"] == ["match-proposed"]
        assert again.get("quiet") == entered.get("quiet")
        assert again["days"] == entered.get("days", [])
        assert again["ends"] == [entered.get("ends", "07:00")]
        assert (await chosen(mia))["off"] == {"inbox": [], "mail": []}


async def test_an_edit_in_two_windows_loses_nothing_silently(running: Stage) -> None:
    """Not even the first one ever: the later one sees what they entered, is told, and can save it knowingly."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        sent = fields((await mia.get(PAGE)).text)
        await mia.post(PAGE, data=sent | {"mail": []})
        late = await mia.post(PAGE, data=sent | {"days": ["7"]})
        assert late.status_code == httpx.codes.PRECONDITION_FAILED
        assert "changed elsewhere meanwhile" in late.text
        assert (fields(late.text)["days"], (await chosen(mia))["quiet"]["days"]) == (["7"], [])
        await mia.post(PAGE, data=fields(late.text))
        assert (await chosen(mia))["quiet"]["days"] == [7]


async def test_a_kind_that_is_newer_than_the_open_page_stays_as_it_was(running: Stage) -> None:
    """The page did not show a box for it, so the box that is missing says nothing."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        sent = fields((await mia.get(PAGE)).text)
        sent["shown"].remove("mail~mentorship-started")
        await mia.post(PAGE, data=sent | {"mail": []})
        assert "mentorship-started" not in (await chosen(mia))["off"]["mail"]


async def test_a_mails_link_marks_its_kind_and_one_click_ends_it(running: Stage) -> None:
    """Signed in, the page begins with that kind; looking changes nothing; afterwards it says that it is off."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        page = await mia.get(PAGE, params={"kind": "match-proposed"})
        assert "Mails of the kind “A new proposal”" in page.text
        assert (await chosen(mia))["off"]["mail"] == []
        off = await mia.post(f"{PAGE}/mail-off", data={"kind": "match-proposed"}, follow_redirects=True)
        assert "You get no more mail of the kind “A new proposal”" in off.text
        assert (await chosen(mia))["off"] == {"inbox": [], "mail": ["match-proposed"]}
        assert "You get no mail of this kind" in (await mia.get(PAGE, params={"kind": "match-proposed"})).text
        for kind in ("", "session-held", "unheard-of"):
            refused = await mia.post(f"{PAGE}/mail-off", data={"kind": kind}, headers={"Accept": "text/html"})
            assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
            assert "There is no mail of this kind" in refused.text
            assert "Mails of the kind" not in (await mia.get(PAGE, params={"kind": kind})).text


async def test_what_is_hidden_in_the_inbox_is_not_counted_and_comes_back(running: Stage) -> None:
    """A start is hidden from page, count and API, and is there again once the box is ticked."""
    pair = a_pair(running)
    await running.say(pair.started)
    await fates_are(running, "sent", "sent")
    async with running.browser(pair.mentor) as mia:
        sent = fields((await mia.get(PAGE)).text)
        shown = sent["inbox"]
        await mia.post(PAGE, data=sent | {"inbox": [kind for kind in shown if kind != "mentorship-started"]})
        assert await running.kinds(pair.mentor) == []
        assert (await mia.get("/inbox/count")).text == ""
        await mia.post(PAGE, data=fields((await mia.get(PAGE)).text) | {"inbox": shown})
        assert await running.kinds(pair.mentor) == ["mentorship-started"]
        assert (await mia.get("/inbox/count")).text.startswith("1<")


async def test_the_api_says_what_can_be_chosen_and_takes_it_by_version(running: Stage) -> None:
    """Without a version, or with an old one, nothing is taken over; unknown words are refused."""
    async with running.browser(running.somebody("Mia Okafor")) as mia:
        first = await mia.get(API)
        kinds = {each["kind"]: each["can_be_off"] for each in first.json()["kinds"]}
        assert list(kinds) == list(Kind)
        assert (kinds["match-proposed"], kinds["session-held"]) == (["mail"], ["inbox"])
        body = {"off": {"mail": ["match-proposed"]}, "quiet": {"hours": {"begins": "22:30", "ends": "06:00"}}}
        version = {"If-Match": first.headers["etag"]}
        assert (await mia.put(API, json=body)).status_code == 428
        told = await mia.put(API, json=body, headers=version)
        assert told.json()["choice"] == {
            "off": {"inbox": [], "mail": ["match-proposed"]},
            "quiet": {"hours": {"begins": "22:30", "ends": "06:00"}, "days": []},
        }
        assert (await mia.put(API, json={}, headers=version)).status_code == httpx.codes.PRECONDITION_FAILED
        now = {"If-Match": told.headers["etag"]}
        wrongs: list[dict[str, Any]] = [
            {"off": {"inbox": ["match-proposed"]}},
            {"off": {"mail": ["unheard-of"]}},
            {"off": {"pigeon": []}},
            {"quiet": {"days": [0]}},
            {"quiet": {"days": [1, 2, 3, 4, 5, 6, 7]}},
            {"quiet": {"hours": {"begins": "22:30"}}},
            {"quiet": {"hours": {"begins": "22:30", "ends": "22:30"}}},
            {"quiet": {"zone": "UTC"}},
            {"member": "somebody-else"},
        ]
        for wrong in wrongs:
            refused = await mia.put(API, json=wrong, headers=now)
            assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY, wrong
        assert (await mia.get(API)).headers["etag"] == told.headers["etag"]


async def test_everybody_has_their_own(running: Stage) -> None:
    """What mia chose is not dan's, nor that of a member of the same id elsewhere; strangers choose nothing."""
    mia, dan = running.somebody("Mia Okafor"), running.somebody("Dan Lind")
    async with running.browser(mia) as browser:
        await browser.post(f"{PAGE}/mail-off", data={"kind": "match-proposed"})
    for member, tenant in ((dan, None), (mia, "another-tenant")):
        async with running.browser(member, tenant=tenant) as browser:
            assert (await chosen(browser))["off"]["mail"] == []
    async with running.browser(None) as stranger:
        page = await stranger.get(f"{PAGE}?kind=match-proposed", headers={"Accept": "text/html"})
        assert page.headers["location"] == "/sign-in?next=/preferences%3Fkind%3Dmatch-proposed"
        assert (await stranger.get(API)).status_code == httpx.codes.UNAUTHORIZED


async def the_way_out(stage: Stage, member: str) -> str:
    """The path to which a mail program would send its click, from the newest mail."""
    address = str(stage.mailbox.to(member)[-1]["List-Unsubscribe"]).strip("<>")
    return address.removeprefix("https://turnabout.example")


async def test_one_click_in_a_mail_program_ends_one_kind_and_nothing_else(running: Stage) -> None:
    """Without signing in; looking changes nothing; a second click neither; after switching on again it is spent."""
    pair = a_pair(running)
    await running.say(pair.proposed)
    await fates_are(running, "sent", "sent")
    address = await the_way_out(running, pair.mentor)
    click = {"List-Unsubscribe": "One-Click"}
    async with (
        httpx.AsyncClient(base_url=running.url) as program,
        running.browser(pair.mentor) as mia,
        running.browser(pair.mentee) as dan,
    ):
        looked = await program.get(address)
        assert (looked.status_code, looked.headers["location"]) == (303, "/preferences?kind=match-proposed")
        assert (await program.post(address, data={})).status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert (await program.post(address, data={"List-Unsubscribe": "No"})).status_code == 422
        altered = address[:-5] + ("AAAAA" if not address.endswith("AAAAA") else "BBBBB")
        assert (await program.post(altered, data=click)).status_code == httpx.codes.NOT_FOUND
        assert (await program.get(altered)).headers["location"] == PAGE
        assert (await chosen(mia))["off"]["mail"] == []

        for _ in range(2):
            assert (await program.post(address, data=click)).status_code == httpx.codes.NO_CONTENT
        assert (await chosen(mia))["off"] == {"inbox": [], "mail": ["match-proposed"]}
        assert (await chosen(dan))["off"]["mail"] == []

        await mia.post(PAGE, data=fields((await mia.get(PAGE)).text) | {"mail": ["match-proposed"]})
        spent = await program.post(address, data=click)
        assert spent.status_code == httpx.codes.CONFLICT
        assert "switched this mail on again" in spent.json()["detail"]
        assert "match-proposed" not in (await chosen(mia))["off"]["mail"]
        token = address.rpartition("/")[2]
        me = await program.get(API, headers={"Authorization": f"Bearer {token}"})
        assert me.status_code == httpx.codes.UNAUTHORIZED


async def test_a_mail_waits_through_a_death_and_comes_once_when_quiet_is_over(running: Stage) -> None:
    """Killed while it waits; the next process finds the moment in the thread. The other side wants no such mail."""
    pair = a_pair(running)
    running.profiles.zones[pair.mentor] = "Asia/Tokyo"
    now = datetime.now(UTC) + timedelta(hours=9)  # what the clocks show in Tokyo, which never change
    begins, ends = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (-1, 2))
    async with running.browser(pair.mentor) as mia, running.browser(pair.mentee) as dan:
        sent = fields((await mia.get(PAGE)).text)
        await mia.post(PAGE, data=sent | {"quiet": "yes", "begins": begins, "ends": ends})
        await dan.post(f"{PAGE}/mail-off", data={"kind": "match-proposed"})
    await running.say(pair.proposed)
    await fates_are(running, "switched-off")

    async def waits() -> bool:
        thread = await running.database.threads.find_one({"_id": pair.id})
        return bool(thread and thread["mails_due"])

    await eventually(waits)
    await running.stop(signal.SIGKILL)
    assert await running.fates() == ["switched-off"]
    try:
        running.clock.write_text(str(3 * 3600))
        await running.start()
        await fates_are(running, "sent", "switched-off")
    finally:
        running.clock.write_text("0")
    assert [len(running.mailbox.to(member)) for member in (pair.mentor, pair.mentee)] == [1, 0]
    assert await running.kinds(pair.mentor) == ["match-proposed"]


async def test_preferences_hold_ids_alone(running: Stage) -> None:
    """No name, no address and no zone of anybody is stored with what they chose."""
    mia = running.somebody("Mia Okafor")
    async with running.browser(mia) as browser:
        await browser.post(PAGE, data=fields((await browser.get(PAGE)).text) | QUIET)
    stored = await running.database.preferences.find_one({"_id": mia})
    assert stored is not None
    assert set(stored) - RESERVED == {"_id", "tenant", "shape", "off", "quiet", "renewed"}
    assert "Okafor" not in repr(stored)
