"""A lead sets a programme up, changes it, opens it and closes it: pages over the real database."""

import re
import uuid
from collections.abc import AsyncIterator

import pytest
from matching.domain.agreement import Cadence
from matching.domain.programme import Programme, Scheme, Stage
from matching.engine.rules import Direction
from matching_site import Site, a_site

pytestmark = pytest.mark.connected
FORM = {
    "title": "Fresh Eyes",
    "about": "What juniors see and directors do not.",
    "scheme": "mutual",
    "areas": ["ai-tools", "social-media"],
    "opens_on": "2026-03-02",
    "closes_on": "2099-12-31",
    "direction": "level",
    "level_gap": "3",
    "different_unit": "yes",
    "common_minutes": "90",
    "mentor_tenure": "0",
    "new_joiner_months": "",
    "mentee_tenure": "6",
    "proposals_per_person": "2",
    "expiry_days": "14",
    "cadence": "fortnightly",
    "medium": "video",
    "minutes": "45",
    "months": "9",
    "new_leads": "",
    "do": "save",
}


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    async with a_site(kafka, database) as made:
        yield made


async def draft(site: Site, **fields: object) -> Programme:
    """What olga's form becomes."""
    async with site.as_("olga") as olga:
        answer = await olga.post("/programmes", data=FORM | {"idempotency_key": uuid.uuid4().hex} | fields)
    assert answer.status_code == 303, answer.text
    return await site.store.programmes.load(site.tenant, answer.headers["location"].removeprefix("/programmes/"))


async def test_a_form_becomes_a_draft_that_only_its_leads_know_of(site: Site) -> None:
    """All that was entered stands in it; whoever set it up leads it, and so does whom they named."""
    made = await draft(site, new_leads="luis@acme.example", direction="experience")
    plan = made.plan
    assert made.stage is Stage.DRAFT
    assert (plan.title, plan.scheme, plan.leads) == ("Fresh Eyes", Scheme.MUTUAL, ("olga", "luis"))
    assert (plan.rules.level_gap, plan.rules.reverse_only, plan.rules.common_language) == (3, False, False)
    assert (plan.rules.areas, plan.rules.mentee_tenure) == (("ai-tools", "social-media"), 6)
    assert (plan.rules.direction, plan.rules.new_joiner_months) == (Direction.EXPERIENCE, 0)
    assert (plan.customs.cadence, plan.customs.minutes, plan.customs.months) == (Cadence.FORTNIGHTLY, 45, 9)
    async with site.as_("ana") as ana:
        assert (await ana.get(f"/programmes/{made.id}")).status_code == 404
        assert (await ana.get(f"/api/matching/v1/programmes/{made.id}")).status_code == 404
        assert "Fresh Eyes" not in (await ana.get("/programmes")).text
        assert (await ana.get("/api/matching/v1/programmes")).json() == []


async def test_the_same_form_sent_twice_makes_one_programme(site: Site) -> None:
    """A double click, or a page that is loaded again."""
    first = await draft(site, idempotency_key="k" * 32)
    again = await draft(site, idempotency_key="k" * 32)
    assert first.id == again.id


async def test_only_organisers_set_programmes_up(site: Site) -> None:
    """Nobody else sees the form, the button, or has a programme made."""
    async with site.as_("ana") as ana:
        assert (await ana.get("/programmes/new")).status_code == 403
        assert (await ana.post("/programmes", data=FORM | {"idempotency_key": uuid.uuid4().hex})).status_code == 403
        assert "/programmes/new" not in (await ana.get("/programmes")).text
    async with site.as_("olga") as olga:
        assert "/programmes/new" in (await olga.get("/programmes")).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Fill this in."),
        ({"title": "x" * 121}, "keep to 120 characters"),
        ({"areas": []}, "Choose between one and 12 areas."),
        ({"areas": ["astrology"]}, "We do not know the area astrology."),
        ({"opens_on": "soon"}, "Enter a day."),
        ({"closes_on": "2026-03-01"}, "The last day is before the first one."),
        ({"level_gap": "a few"}, "Enter a whole number from 0 to 11."),
        ({"level_gap": "0", "reverse_only": "yes"}, "a gap of at least one level"),
        ({"mentor_tenure": "12", "new_joiner_months": "6"}, "Nobody can have been here that long"),
        ({"minutes": "500"}, "Enter a whole number from 15 to 180."),
        ({"scheme": "upside-down"}, "Choose one of the list."),
        ({"new_leads": "nobody@acme.example"}, "Not in the directory: nobody@acme.example."),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    site: Site, wrong: dict[str, object], sentence: str
) -> None:
    """The rest of the form is as it was typed, and no programme is made."""
    async with site.as_("olga") as olga:
        answer = await olga.post(
            "/programmes", data=FORM | {"about": "A & B", "idempotency_key": uuid.uuid4().hex} | wrong
        )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "A &amp; B" in answer.text
    assert re.search(r'name="months"[^>]*value="9"|value="9"[^>]*name="months"', answer.text)
    assert await site.store.all_programmes(site.tenant) == []


async def test_two_who_edit_at_once_lose_nothing(site: Site) -> None:
    """The second is told, keeps what they entered, and may save it over the first."""
    made = await draft(site)
    async with site.as_("olga") as olga:
        sent = {"keep": ["olga"], "if_match": made.etag}
        first = await olga.post(f"/programmes/{made.id}/edit", data=FORM | sent | {"title": "First"})
        assert first.status_code == 303
        second = await olga.post(f"/programmes/{made.id}/edit", data=FORM | sent | {"title": "Second"})
        assert second.status_code == 412
        assert "Somebody else changed this programme." in second.text
        assert 'value="Second"' in second.text
        (etag,) = re.findall(r'name="if_match" value="([^"]+)"', second.text)
        third = await olga.post(f"/programmes/{made.id}/edit", data=FORM | sent | {"title": "Second", "if_match": etag})
        assert third.status_code == 303
    assert (await site.store.programmes.load(site.tenant, made.id)).plan.title == "Second"


async def test_a_programme_keeps_somebody_who_leads_it(site: Site) -> None:
    """Whoever unticks the last lead is told so."""
    made = await draft(site)
    async with site.as_("olga") as olga:
        answer = await olga.post(f"/programmes/{made.id}/edit", data=FORM | {"if_match": made.etag})
    assert answer.status_code == 422
    assert "Keep at least one lead." in answer.text


async def test_rules_say_whom_they_leave_before_anything_is_saved(site: Site) -> None:
    """Two people of one unit: the rule of units leaves nobody, and without it both could, on either side."""
    await site.employ("1-ana", level=2, unit="shops")
    await site.employ("e-dora", level=9, unit="shops")
    async with site.as_("olga") as olga:
        apart = await olga.post("/programmes/new/reach", data=FORM)
        together = await olga.post(
            "/programmes/new/reach", data={name: value for name, value in FORM.items() if name != "different_unit"}
        )
    assert "Without “The same unit” 2 mentees and 2 mentors could have somebody." in apart.text
    assert "2 of 2 mentees and 2 of 2 mentors could have somebody." in together.text
    assert "<html" not in apart.text


async def test_without_scripts_the_same_is_worked_out_by_a_button(site: Site) -> None:
    """It keeps the form, and saves nothing."""
    async with site.as_("olga") as olga:
        page = await olga.post("/programmes", data=FORM | {"do": "check", "idempotency_key": uuid.uuid4().hex})
    assert page.status_code == 200
    assert "people of both sides have to take part first" in page.text
    assert await site.store.all_programmes(site.tenant) == []


async def test_opened_it_is_everybodys_and_closed_it_proposes_nobody(site: Site) -> None:
    """From a draft to open, to closed, and open again; only its leads may."""
    made = await draft(site)
    async with site.as_("ana") as ana:
        assert (await ana.post(f"/programmes/{made.id}/open")).status_code == 404
        async with site.as_("olga") as olga:
            assert (await olga.post(f"/programmes/{made.id}/close")).status_code == 303
            assert (await site.store.programmes.load(site.tenant, made.id)).stage is Stage.DRAFT
            await olga.post(f"/programmes/{made.id}/open")
            assert "What juniors see and directors do not." in (await ana.get("/programmes")).text
            assert (await ana.post(f"/programmes/{made.id}/close")).status_code == 403
            await olga.post(f"/programmes/{made.id}/close")
            assert "The programme is closed" in (await olga.get(f"/programmes/{made.id}")).text
            refused = await olga.post(f"/api/matching/v1/programmes/{made.id}/runs")
            assert refused.status_code == 409
