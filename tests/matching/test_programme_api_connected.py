"""Programmes over the API: what the pages can, with their sentences; real database, profiles' voice beside it."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from contracts.matching import Side
from matching.commands import queue_run
from matching.domain.programme import Plan, Programme
from matching.domain.proposal import Terms
from matching.domain.run import Coverage, Result, Run, RunState
from matching.domain.suggestion import Suggestion, suggestion_id
from matching.engine.rules import Rules, Weights
from matching_site import Site, a_site

from chassis import clock

pytestmark = pytest.mark.connected
API = "/api/matching/v1/programmes"
PLAN: dict[str, Any] = {
    "title": "Fresh Eyes",
    "about": "What juniors see and directors do not.",
    "scheme": "mutual",
    "areas": ["ai-tools", "social-media"],
    "opens_on": "2026-03-02",
    "closes_on": "2099-12-31",
    "direction": "level",
    "level_gap": 3,
    "different_unit": True,
    "common_minutes": 90,
    "mentor_tenure": 0,
    "mentee_tenure": 6,
    "new_joiner_months": 0,
    "proposals_per_person": 2,
    "expiry_days": 14,
    "review": True,
    "cadence": "fortnightly",
    "medium": "video",
    "minutes": 45,
    "months": 9,
}


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    async with a_site(kafka, database) as made:
        yield made


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or uuid.uuid4().hex}


async def draft(olga: httpx.AsyncClient, **fields: object) -> httpx.Response:
    """What olga's plan becomes."""
    answer = await olga.post(API, json=PLAN | fields, headers=key())
    assert answer.status_code == 201, answer.text
    return answer


def told(answer: httpx.Response) -> dict[str, str]:
    """Which fields are wrong, and why."""
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    return {each["field"]: each["detail"] for each in answer.json()["errors"]}


async def test_a_draft_is_read_as_it_was_sent_and_its_leads_alone_know_of_it(site: Site) -> None:
    """Whoever sets it up leads it, beside whom they name by address; what was not sent is off."""
    async with site.as_("olga") as olga, site.as_("ana") as ana, site.as_("luis") as luis:
        made = (await draft(olga, leads=["luis@acme.example"])).json()
        read = await luis.get(f"{API}/{made['id']}")
        off = {"reverse_only": False, "common_language": False, "unknown_chains": False}
        assert read.json()["plan"] == PLAN | off | {"leads": ["olga", "luis"]}
        assert (read.json()["stage"], read.json()["you_lead"]) == ("draft", True)
        assert (await ana.get(f"{API}/{made['id']}")).status_code == 404
        assert (await ana.get(API)).json() == []
        assert (await ana.post(API, json=PLAN, headers=key())).status_code == 403


async def test_the_same_key_makes_one_programme(site: Site) -> None:
    """A client that did not hear the answer sends it again."""
    async with site.as_("olga") as olga:
        first, again = [(await olga.post(API, json=PLAN, headers=key("k" * 32))).json() for _ in range(2)]
        assert first["id"] == again["id"]
        assert (await olga.post(API, json=PLAN)).status_code == 422
    assert len(await site.store.all_programmes(site.tenant)) == 1


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"title": " "}, "title", "Fill this in."),
        ({"title": "x" * 121}, "title", "This is too long: keep to 120 characters."),
        ({"areas": []}, "areas", "Choose between one and 12 areas."),
        ({"areas": ["astrology"]}, "areas", "We do not know the area astrology. Load the page again."),
        ({"opens_on": "soon"}, "opens_on", "Enter a day."),
        ({"closes_on": "2026-03-01"}, "closes_on", "The last day is before the first one."),
        ({"level_gap": "a few"}, "level_gap", "Enter a whole number from 0 to 11."),
        ({"scheme": "upside-down"}, "scheme", "Choose one of the list."),
        ({"leads": ["nobody@acme.example"]}, "leads", "Not in the directory: nobody@acme.example."),
        ({"leads": ["mallory"]}, "leads", "We could not find that person. They may have left."),
        ({"leads": ["olga"] * 21}, "leads", "At most 20 people lead a programme."),
        ({"tittle": "Fresh"}, "tittle", "Extra inputs are not permitted"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_what_is_wrong_is_said_as_on_the_form(
    site: Site, wrong: dict[str, object], field: str, sentence: str
) -> None:
    """Each field with its sentence, and no programme is made."""
    async with site.as_("olga") as olga:
        errors = told(await olga.post(API, json=PLAN | wrong, headers=key()))
    assert list(errors) == [field]
    assert errors[field].startswith(sentence)
    assert await site.store.all_programmes(site.tenant) == []


async def test_what_is_missing_is_said_field_by_field(site: Site) -> None:
    """An area that is named twice concerns none of them alone."""
    async with site.as_("olga") as olga:
        errors = told(await olga.post(API, json={"title": "Fresh Eyes"}, headers=key()))
        assert (errors["areas"], errors["scheme"]) == ("Choose between one and 12 areas.", "Choose one of the list.")
        assert (errors["opens_on"], errors["minutes"]) == ("Enter a day.", "Enter a whole number from 15 to 180.")
        twice = told(await olga.post(API, json=PLAN | {"areas": ["ai-tools", "ai-tools"]}, headers=key()))
        assert "names an area twice" in twice["body"]


async def test_an_edit_is_based_on_what_was_read(site: Site) -> None:
    """Without a version it is not taken, with an old one neither; whoever hands it over knows no more of a draft."""
    async with site.as_("olga") as olga, site.as_("ana") as ana:
        made = await draft(olga)
        here, plan = f"{API}/{made.json()['id']}", made.json()["plan"]
        seen = {"If-Match": made.headers["ETag"]}
        assert (await olga.put(here, json=plan)).status_code == 428
        edited = await olga.put(here, json=plan | {"title": "First"}, headers=seen)
        assert (edited.status_code, edited.json()["title"]) == (200, "First")
        assert edited.headers["ETag"] != made.headers["ETag"]
        assert (await olga.put(here, json=plan | {"title": "Second"}, headers=seen)).status_code == 412
        seen = {"If-Match": edited.headers["ETag"]}
        nobody = told(await olga.put(here, json=plan | {"leads": []}, headers=seen))
        assert "Keep at least one lead." in nobody["leads"]
        assert (await ana.put(here, json=plan, headers=seen)).status_code == 404
        await site.employ("luis", level=5, unit="shops")
        handed_over = await olga.put(here, json=plan | {"leads": ["luis"]}, headers=seen)
        assert (handed_over.json()["you_lead"], handed_over.json()["plan"]) == (False, None)
        assert (await olga.get(here)).status_code == 404


async def test_what_the_fields_do_not_ask_stays_and_what_they_do_not_let_in_is_told(site: Site) -> None:
    """A programme of a file has weights of its own, and more common minutes than the form offers."""
    rules = Rules(areas=("ai-tools",), common_minutes=1000, weights=Weights(area=7))
    window = {"opens_on": dt.date(2026, 3, 2), "closes_on": dt.date(2099, 1, 1)}
    of_file = Programme.draft(
        uuid.uuid4().hex, site.tenant, Plan(title="Filed", leads=("olga",), rules=rules, **window)
    )
    await site.store.programmes.insert(of_file)
    async with site.as_("olga") as olga:
        here = f"{API}/{of_file.id}"
        read = await olga.get(here)
        plan, seen = read.json()["plan"], {"If-Match": read.headers["ETag"]}
        assert plan["common_minutes"] == 1000
        errors = told(await olga.put(here, json=plan, headers=seen))
        assert errors == {"common_minutes": "Enter a whole number from 0 to 720."}
        assert (await olga.put(here, json=plan | {"common_minutes": 60}, headers=seen)).status_code == 200
    kept = (await site.store.programmes.load(site.tenant, of_file.id)).plan.rules
    assert (kept.weights.area, kept.common_minutes) == (7, 60)


async def test_opened_it_is_everybodys_to_read_and_its_plan_is_not(site: Site) -> None:
    """From a draft to open, to closed; only its leads may, and a draft cannot be closed."""
    async with site.as_("olga") as olga, site.as_("ana") as ana:
        here = f"{API}/{(await draft(olga)).json()['id']}"
        assert (await ana.post(f"{here}/open")).status_code == 404
        assert (await olga.post(f"{here}/close")).status_code == 409
        assert (await olga.post(f"{here}/open")).json()["stage"] == "open"
        read = (await ana.get(here)).json()
        assert (read["title"], read["you_lead"], read["plan"]) == ("Fresh Eyes", False, None)
        assert (await ana.post(f"{here}/close")).status_code == 403
        assert (await olga.post(f"{here}/close")).json()["stage"] == "closed"


async def test_rules_say_whom_they_leave_before_anything_is_saved(site: Site) -> None:
    """Two people of one unit: the rule of units leaves nobody, and without it both could have somebody."""
    await site.employ("1-ana", level=2, unit="shops")
    await site.employ("e-dora", level=9, unit="shops")
    rules = {"areas": ["ai-tools"], "level_gap": 3}
    async with site.as_("olga") as olga, site.as_("ana") as ana:
        made = (await draft(olga)).json()
        for address in (f"{API}/reach", f"{API}/{made['id']}/reach"):
            apart = (await olga.post(address, json=rules | {"different_unit": True})).json()
            assert (apart["possible"], apart["in_the_way"]) == (0, "different-unit")
            assert apart["mentees"] == {"people": 2, "possible": 0, "but_for": apart["mentees"]["but_for"]}
            assert apart["mentees"]["but_for"]["different-unit"] == 1
            together = (await olga.post(address, json=rules | {"different_unit": False})).json()
            assert (together["pairs"], together["possible"], together["in_the_way"]) == (2, 1, None)
        of_its_own = (await olga.post(f"{API}/{made['id']}/reach")).json()
        assert (of_its_own["possible"], of_its_own["in_the_way"]) == (0, "different-unit")
        assert told(await olga.post(f"{API}/reach", json={"level_gap": 99})) == {
            "level_gap": "Enter a whole number from 0 to 11."
        }
        assert (await ana.post(f"{API}/reach", json=rules)).status_code == 403
        assert (await ana.post(f"{API}/{made['id']}/reach", json=rules)).status_code == 404


async def looked_over(site: Site, programme: str, pairs: int) -> Run:
    """A run that has found so many pairs for its leads to look over."""
    run = await queue_run(site.store, await site.store.programmes.load(site.tenant, programme), "olga")
    await site.store.suggest(
        [
            Suggestion(
                id=suggestion_id(run.id, rank),
                tenant=site.tenant,
                run=run.id,
                mentor=f"junior-{rank}",
                mentee=f"senior-{rank}",
                terms=Terms(areas=("ai-tools",), score=1000 - rank),
            )
            for rank in range(1, pairs + 1)
        ]
    )

    def hand_in(job: Run) -> None:
        job.claim("engine-0", clock.real_ms() // 1000)
        side = Coverage(people=pairs, paired=pairs)
        job.hand_in("engine-0", Result(proposed=pairs, mentors=side, mentees=side), clock.timestamp())

    await site.store.runs.change(site.tenant, run.id, hand_in)
    return run


async def test_a_lead_looks_over_what_a_run_has_found(site: Site) -> None:
    """Page by page, the best first; one is left out, and then the others are sent; nobody else sees any of it."""
    async with site.as_("olga") as olga, site.as_("ana") as ana:
        made = (await draft(olga)).json()
        await olga.post(f"{API}/{made['id']}/open")
        here = f"/api/matching/v1/runs/{(await looked_over(site, made['id'], 5)).id}"
        assert (await ana.get(f"{here}/suggestions")).status_code == 403
        assert (await ana.put(f"{here}/suggestions/1", json={"left_out": True})).status_code == 403

        assert (await olga.put(f"{here}/suggestions/2", json={"left_out": True})).status_code == 204
        assert (await olga.put(f"{here}/suggestions/9", json={"left_out": True})).status_code == 404
        seen: list[tuple[int, str, bool]] = []
        after: str | None = None
        while True:
            asked = {"limit": "2"} | ({"after": after} if after else {})
            page = (await olga.get(f"{here}/suggestions", params=asked)).json()
            seen += [(each["rank"], each["mentee"], each["left_out"]) for each in page["items"]]
            if (after := page["next"]) is None:
                break
        assert seen == [(rank, f"senior-{rank}", rank == 2) for rank in range(1, 6)]
        assert (await olga.get(f"{here}/suggestions", params={"after": "behind"})).status_code == 422

        assert (await olga.post(f"{here}/send")).json()["state"] == RunState.QUEUED
        assert (await olga.get(f"{here}/suggestions")).json() == {"items": [], "next": None}
        assert (await olga.put(f"{here}/suggestions/2", json={"left_out": False})).status_code == 409


async def test_discarded_it_is_gone(site: Site) -> None:
    """And a second click on send is told so."""
    async with site.as_("olga") as olga:
        made = (await draft(olga)).json()
        here = f"/api/matching/v1/runs/{(await looked_over(site, made['id'], 2)).id}"
        assert (await olga.post(f"{here}/discard")).json()["state"] == RunState.CANCELLED
        assert (await olga.post(f"{here}/send")).status_code == 409
        assert (await olga.get(f"{here}/suggestions")).json()["items"] == []


async def test_who_could_be_asked_is_asked_and_the_request_taken_back(site: Site) -> None:
    """The same key asks once; the one who was asked cannot take it back."""
    await site.employ("ana", 2, "shops", seeks=(), mentor_capacity=1)
    await site.employ("dora", 9, "board", offers=(), mentee_capacity=1)
    api = "/api/matching/v1"
    async with site.as_("olga") as olga, site.as_("ana") as ana, site.as_("dora") as dora:
        programme = (await draft(olga)).json()["id"]
        look = {"as": "mentor", "programme": programme}
        assert (await ana.get(f"{api}/discover", params=look)).status_code == 404
        await olga.post(f"{API}/{programme}/open")
        (found,) = (await ana.get(f"{api}/discover", params=look)).json()["items"]
        assert (found["member"], found["areas"], len(found["why"]) > 0) == ("dora", ["ai-tools"], True)
        assert (await ana.get(f"{api}/discover", params=look | {"area": "social-media"})).json() == {"items": []}

        wanted, once = {"member": "dora", **look}, key()
        asked = [await ana.post(f"{api}/requests", json=wanted, headers=once) for _ in range(2)]
        assert [each.status_code for each in asked] == [201, 201]
        pair = asked[0].json()
        assert (pair["id"], pair["you"], pair["you_said_yes"]) == (asked[1].json()["id"], Side.MENTOR, True)
        again = await ana.post(f"{api}/requests", json=wanted, headers=key())
        assert (again.status_code, "open between the two of you" in again.json()["detail"]) == (409, True)
        assert (await ana.get(f"{api}/discover", params=look)).json() == {"items": []}
        there = f"{api}/proposals/{pair['id']}/take-back"
        assert (await dora.post(there, headers=key())).status_code == 409
        assert (await ana.post(there, headers=key())).json()["status"] == "closed"
        assert len((await ana.get(f"{api}/discover", params=look)).json()["items"]) == 1
        await olga.post(f"{API}/{programme}/close")
        closed = await ana.get(f"{api}/discover", params=look)
        assert (closed.status_code, "not open today" in closed.json()["detail"]) == (409, True)
