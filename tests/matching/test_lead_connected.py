"""A lead's page over the real database: pairs in order, what their scores are made of, and nothing of their own."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from contracts.matching import PersonBands, Side
from matching.app import make_app
from matching.domain.agreement import Intent, Notes
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.programme import Plan, Programme
from matching.domain.proposal import Partner, Reason, Term, Terms
from matching.domain.run import Result, Run, Unpaired
from matching.engine.rules import Rules
from matching.programmes.lead_rows import PAIRS
from matching.programmes.lead_words import Standing
from matching.programmes.ranking import Order, Ranking
from matching.store import Store
from matching_world import a_store, api_settings
from web_edge import PUBLIC_URL, Profiles, a_key, a_token, served

from chassis import clock

pytestmark = pytest.mark.connected
NOW = "2026-03-02T09:00:00.000Z"
_SUMMARY = re.compile(r"<summary>.*?(?P<score>[\d,]+) points?<.*?</summary>", re.DOTALL)
_PART = re.compile(r"<tr><th scope=\"row\">(?P<words>[^<]+)</th><td class=\"number\">(?P<points>[\d,]+)</td></tr>")


@dataclass
class Site:
    """The application over its store, and a programme that lena leads."""

    store: Store
    programme: Programme
    app: Any
    key: Any

    @asynccontextmanager
    async def as_(self, member: str, tenant: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A client in which this member is signed in, of the programme's tenant unless another is named."""
        token = a_token(self.key, sub=member, tid=tenant or self.programme.tenant, roles=[])
        transport = httpx.ASGITransport(self.app)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as client:
            yield client

    async def page(self, query: str = "") -> str:
        """The programme as lena sees it."""
        async with self.as_("lena") as lena:
            answer = await lena.get(f"/programmes/{self.programme.id}{query}")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def proposed(self, *scores: int, mentor: str = "ana", mentee: str = "dora") -> list[Mentorship]:
        """A proposal of each score."""
        made = [
            self.proposal(Terms(areas=("ai-tools",), score=score), mentor, mentee, nth)
            for nth, score in enumerate(scores)
        ]
        assert await self.store.mentorships.insert_many(made) == set()
        return made

    def proposal(self, terms: Terms, mentor: str = "ana", mentee: str = "dora", nth: int = 0) -> Mentorship:
        """One that is not stored yet."""
        return Mentorship.propose(
            uuid.uuid4().hex,
            self.programme.tenant,
            self.programme.id,
            mentor=Partner(member=mentor, bands=PersonBands(level=2, unit="unit-of-ana", country="GB")),
            mentee=Partner(member=mentee, bands=PersonBands(level=9, unit="unit-of-dora", country="DE")),
            direction="reverse",
            terms=terms,
            at=NOW,
            until="2099-01-01T00:00:00.000Z",
            lives_before=nth,
        )


@pytest.fixture
async def site(kafka: str, database: str) -> AsyncIterator[Site]:
    key = a_key("k1")
    plan = Plan(
        title="Fresh Eyes",
        opens_on=clock.today(),
        closes_on=clock.today(),
        leads=("lena",),
        rules=Rules(areas=("ai-tools", "data-literacy")),
    )
    programme = Programme.draft(uuid.uuid4().hex, f"tenant-{uuid.uuid4().hex[:8]}", plan)
    programme.publish(plan)
    async with served(Profiles([key], {"ana": "Ana Diaz", "dora": "Dora Klein"}).app()) as address:
        settings = api_settings(kafka, database).model_copy(update={"profiles_url": address, "public_url": PUBLIC_URL})
        async with a_store(settings) as store:
            await store.programmes.insert(programme)
            yield Site(store, programme, make_app(settings, store), key)


def scores(page: str) -> list[int]:
    """The scores of the rows, in their order."""
    return [int(found["score"].replace(",", "")) for found in _SUMMARY.finditer(page)]


async def test_before_the_first_run_the_page_says_what_to_do(site: Site) -> None:
    """No table, no filter, and where pairs come from."""
    page = await site.page()
    assert "Run the programme to propose the first ones." in page
    assert 'class="row"' not in page
    assert "Strongest first" not in page


async def test_a_pair_unfolds_to_areas_and_points_that_add_up(site: Site) -> None:
    """Every part in words with its points, the greatest first; a part of a newer engine counts among the others."""
    points = {"areas": 1_430, "mentee-choice": 600, "hours": 450, "other-unit": 700, "mentor-waiting": 60, "charm": 25}
    terms = Terms(
        areas=("ai-tools", "data-literacy"),
        score=3_265,
        points=tuple(Term(code=code, points=each) for code, each in points.items()),
        for_mentor=(Reason(code="you-have-waited", values={"days": 12}),),
    )
    await site.store.mentorships.insert(site.proposal(terms))
    page = await site.page()
    assert scores(page) == [3_265]
    told = {found["words"]: int(found["points"].replace(",", "")) for found in _PART.finditer(page)}
    total = told.pop("Score")
    assert list(told.values()) == [1_430, 700, 600, 450, 60, 25]
    assert sum(told.values()) == total == 3_265
    assert told["They work in different units"] == 700
    assert told["Other reasons"] == 25
    assert all(each in page for each in ("Ana Diaz", "Dora Klein", "ai tools", "data literacy"))
    assert "12" not in "".join(told)


async def test_a_lead_sees_nothing_that_is_the_pairs_own(site: Site) -> None:
    """Half accepted looks like proposed; agreement, goals and notes stay with the two; a closed pair is not there."""
    fresh, half, agreed, closed = await site.proposed(900, 900, 800, 700)
    half.accept(Side.MENTOR, NOW)
    closed.decline(Side.MENTEE, NOW)
    for side in Side:
        agreed.accept(side, NOW)
    agreed.finalise(NOW)
    agreed.edit_agreement(1, Intent(mentor="ana", areas=("secret-area",), goals="Secret goals"))
    for pair in (half, agreed, closed):
        await _replace(site.store, pair)
    await site.store.notes.insert(Notes(id=agreed.id, tenant=agreed.tenant, author="ana", text="Secret notes"))
    page = await site.page()
    assert scores(page) == [900, 900, 800]
    rows = {pair.id: page[page.index(f"pair-{pair.id}") :].partition("</li>")[0] for pair in (fresh, half, agreed)}
    assert rows[half.id].replace(half.id, "") == rows[fresh.id].replace(fresh.id, "")
    assert "Settling the agreement" in rows[agreed.id]
    assert closed.id not in page
    for secret in ("ecret", "unit-of", "declined", "half-accepted"):
        assert secret not in page


async def test_only_its_lead_sees_a_programme(site: Site) -> None:
    """A member is refused; a lead of the same name elsewhere learns not even that it exists; nobody leaves a trace."""
    (pair,) = await site.proposed(900)
    path = f"/programmes/{site.programme.id}"
    for member, tenant, status in (("ana", None, 403), ("lena", "elsewhere", 404)):
        async with site.as_(member, tenant) as client:
            for query in ("", f"?after={pair.id}", "?stands=waiting&order=weakest"):
                answer = await client.get(path + query)
                assert answer.status_code == status
                assert pair.id not in answer.text
                assert "900 points" not in answer.text


async def test_pages_hold_every_pair_once_in_either_order(site: Site) -> None:
    """A page links the next one, until there is none; equal scores come once, too, where a page ends among them."""
    drawn = [4_000, *range(3_000, 3_000 + PAIRS), *[2_500] * (PAIRS + 5), *range(0, 600, 20)]
    made = {pair.id for pair in await site.proposed(*drawn)}
    for order, expected in (("", sorted(drawn, reverse=True)), ("?order=weakest", sorted(drawn))):
        seen: list[str] = []
        told: list[int] = []
        queries = [order]
        for query in queries:
            page = await site.page(query)
            ids = re.findall(r"id=\"pair-(\w+)\"", page)
            assert len(ids) <= PAIRS
            seen, told = seen + ids, told + scores(page)
            following = re.search(r"href=\"[^\"?]*(\?[^\"#]*after=[^\"#]*)#pairs\">Next pairs", page)
            queries += [following[1].replace("&amp;", "&")] if following else []
        assert told == expected
        assert (len(seen), set(seen)) == (len(made), made)


async def test_a_filter_shows_those_who_stand_there(site: Site) -> None:
    """With how many there are of each; one that nobody fits offers the way back."""
    waiting, settling = await site.proposed(900, 800)
    for side in Side:
        settling.accept(side, NOW)
    settling.finalise(NOW)
    await _replace(site.store, settling)
    assert scores(await site.page("?stands=waiting")) == [900]
    page = await site.page("?stands=settling")
    assert (scores(page), waiting.id in page) == ([800], False)
    assert re.sub(r"\s+", " ", page).count('Waiting for answers <span class="filters__count">1</span>') == 1
    assert "None of the programme's pairs is at this point now." in await site.page("?stands=running")


async def test_a_position_of_another_programme_is_none(site: Site) -> None:
    """An id that is not of this programme begins with the first pair, and tells nothing about its own."""
    await site.proposed(900, 100)
    other = site.proposal(Terms(areas=("ai-tools",), score=500), "emil", "dora")
    other.programme = "another"
    await site.store.mentorships.insert(other)
    for after in (other.id, "nobody"):
        assert scores(await site.page(f"?after={after}")) == [900, 100]


async def test_a_page_of_thousands_reads_little(site: Site) -> None:
    """Wherever in the order, some pages' worth is read and not the programme."""
    made = await site.proposed(*(round(9_000 * (nth / 3_000) ** 0.5) for nth in range(3_000)))
    read: list[int] = []
    find = site.store.mentorships.find

    async def counted(*arguments: Any, **options: Any) -> list[Mentorship]:
        found = await find(*arguments, **options)
        read.append(len(found))
        return found

    site.store.mentorships.find = counted  # type: ignore[method-assign]
    ranking = Ranking(site.store, site.programme, LIVE)
    by_score = sorted(made, key=lambda pair: (-pair.terms.score, pair.id))
    for after in (None, by_score[1_500], by_score[2_900]):
        for order in Order:
            read.clear()
            page = await ranking.page(order, after, PAIRS, 9_000)
            assert len(page.pairs) == PAIRS
            assert sum(read) < 6 * PAIRS
    assert await Ranking(site.store, site.programme, Standing.RUNNING.statuses).best() == 0


async def test_why_nobody_reads_like_a_sentence(site: Site) -> None:
    """How many take part on the other side, and what keeps how many of them away."""
    run = Run.request(site.programme.tenant, site.programme.id, 1, "lena", NOW)
    run.claim("engine", 1)
    run.finish("engine", Result(unpaired=_unpaired(), unpaired_in_all=3), NOW)
    await site.store.runs.insert(run)
    page = await site.page()
    for sentence in (
        "Of 1,240 mentees who take part:",
        "1,180 share no area; for 35 of them nothing else stands in the way",
        "1 works in the same unit, and nothing else stands in the way",
        "12 people pass every rule, but none of them was free.",
        "Nobody takes part on the other side yet.",
    ):
        assert sentence in page
    assert "a-rule-of-tomorrow" not in page
    assert "No pair now" in page


def _unpaired() -> list[Unpaired]:
    def why(code: str, people: int, alone: int) -> Reason:
        return Reason(code=code, values={"people": people, "others": 1_240, "alone": alone})

    return [
        Unpaired(
            member="ana",
            side=Side.MENTOR,
            why=(
                why("excluded-by-common-area", 1_180, 35),
                why("excluded-by-a-rule-of-tomorrow", 9, 9),
                why("excluded-by-different-unit", 1, 1),
            ),
        ),
        Unpaired(member="dora", side=Side.MENTEE, why=(Reason(code="none-was-free", values={"people": 12}),)),
        Unpaired(member="emil", side=Side.MENTEE, why=(Reason(code="nobody-on-the-other-side"),)),
    ]


async def _replace(store: Store, pair: Mentorship) -> None:
    """Store what was done to a pair here."""

    def become(stored: Mentorship) -> None:
        for name in Mentorship.model_fields:
            setattr(stored, name, getattr(pair, name))

    await store.mentorships.change(pair.tenant, pair.id, become)
