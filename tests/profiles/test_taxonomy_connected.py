"""The taxonomy on real servers: editor, API, what members may choose, and what other systems hear."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from chassis.settings import Settings
from contracts.profiles import TaxonomyPublished
from contracts.topics import TAXONOMY
from profile_rosters import a_file, a_row
from profile_site import TENANT, Site, silent
from profiles.app import compose
from profiles.rosters.importing import Report, import_roster
from profiles.settings import ProfilesSettings
from profiles.store import Store
from profiles.taxonomy.areas import Words
from profiles.taxonomy.document import Place, Sent, Taxonomy
from topic_records import all_records

pytestmark = pytest.mark.connected
V1 = "/api/profiles/v1/taxonomy"
CARE = {"label-en": "Care work", "label-de": "Pflegearbeit", "sentence-en": "", "sentence-de": "", "place": "ground:"}


@pytest.fixture
async def ora(site: Site, tmp_path: Path) -> httpx.AsyncClient:
    """A browser of somebody who organises."""
    row = a_row("E4", name="Ora Oz", email="ora@demo.example", manager_id="E1", roles="organiser", function="legal")
    await import_roster(site.store, TENANT, a_file(tmp_path / "ora.csv", row), silent)
    return await site.signed_in("ora@demo.example")


def hidden(page: str) -> dict[str, str]:
    """What the first form of a page sends along unseen: its key and its version."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page)[:2])


async def retire(store: Store, code: str) -> None:
    """Offer an area no longer."""
    sent = Sent(by="ora", at="2026-11-27T22:00:00Z", key=f"retire-{code}")
    await store.change_taxonomy(TENANT, lambda each: each.retire_area(code, sent))


async def imported(store: Store, tmp_path: Path, *rows: dict[str, str]) -> Report:
    """What an import of these people comes to."""
    return await import_roster(store, TENANT, a_file(tmp_path / "again.csv", *rows), silent)


async def test_whoever_asks_first_makes_the_taxonomy(store: Store) -> None:
    """Ten at the same moment make one."""
    found = await asyncio.gather(*(store.taxonomy_of(TENANT) for _ in range(10)))

    assert {each.version for each in found} == {1}
    assert len({each.etag for each in found}) == 1


async def test_commands_at_the_same_moment_make_a_version_each(store: Store) -> None:
    """One compare-and-set a command: none is lost, and none gets the number or the code of another."""

    def adding(number: int) -> Sent:
        return Sent(by="ora", at="2026-11-27T22:00:00Z", key=f"add-{number}")

    def add(number: int) -> "asyncio.Task[str]":
        words = Words.of({"en": f"Care {'!' * number}"})
        return asyncio.ensure_future(
            store.change_taxonomy(TENANT, lambda each: each.add_area(words, Place("ground"), adding(number)))
        )

    codes = await asyncio.gather(*(add(number) for number in range(6)))

    stored = await store.taxonomy_of(TENANT)
    assert sorted(codes) == ["care", "care-2", "care-3", "care-4", "care-5", "care-6"]
    assert [each.number for each in stored.versions] == [2, 3, 4, 5, 6, 7]
    assert stored.at(7) == stored.now


async def test_an_organiser_adds_an_area_that_everybody_can_choose_in_their_language(
    site: Site, ora: httpx.AsyncClient
) -> None:
    """First in its family; its sentence is told below the choice; whoever reads German reads German."""
    form = (await ora.get("/taxonomy/add", params={"family": "ground"})).text
    assert re.search(r'value="ground:wellbeing" selected', form)

    saved = await ora.post(
        "/taxonomy/add", data={**hidden(form), **CARE, "sentence-de": "Wer wen pflegt."}, follow_redirects=True
    )

    assert saved.url.path == "/taxonomy/areas/care-work"
    assert "Everybody can choose it from now on." in saved.text
    ana = await site.signed_in("ana@demo.example")
    german = (await ana.get("/profile", headers={"Accept-Language": "de"})).text
    ground = german[german.index("Was vor Ort geschieht") :]
    assert re.findall(r'name="offers" value="([^"]+)"> <span>([^<]+)<', ground)[:2] == [
        ("care-work", "Pflegearbeit"),
        ("front-line-reality", "Alltag an vorderster Stelle"),
    ]
    assert "Wer wen pflegt." in german


async def test_of_two_tabs_the_second_is_told_and_keeps_what_was_typed(site: Site, ora: httpx.AsyncClient) -> None:
    """Having looked it over, the second saves it knowingly."""
    first, second = [(await ora.get("/taxonomy/add")).text for _tab in range(2)]
    await ora.post("/taxonomy/add", data={**hidden(first), **CARE})

    late = await ora.post(
        "/taxonomy/add", data={**hidden(second), **CARE, "label-en": "Night shifts", "label-de": "Nachtdienst"}
    )

    assert late.status_code == 412
    assert "Somebody else changed the areas meanwhile. This is what you entered" in late.text
    assert 'value="Night shifts"' in late.text
    assert 'value="Nachtdienst"' in late.text
    assert re.search(r'value="ground:" selected', late.text)
    assert "night-shifts" not in (await site.store.taxonomy_of(TENANT)).now.known
    typed = {**CARE, "label-en": "Night shifts", "label-de": "Nachtdienst"}
    await ora.post("/taxonomy/add", data={**hidden(late.text), **typed})
    assert (await site.store.taxonomy_of(TENANT)).now.area("night-shifts").words.label("de") == "Nachtdienst"


async def test_what_cannot_be_saved_is_told_in_the_readers_language(ora: httpx.AsyncClient) -> None:
    """With everything that was typed."""
    form = (await ora.get("/taxonomy/add")).text

    refused = await ora.post(
        "/taxonomy/add",
        data={**hidden(form), **CARE, "label-de": "Cloud-Dienste"},
        headers={"Accept-Language": "de"},
    )

    assert refused.status_code == 422
    assert "„Cloud-Dienste“ gibt es schon" in refused.text
    assert 'value="Care work"' in refused.text


async def test_the_editor_tells_numbers_in_fives_and_none_below(
    site: Site, ora: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Seven people share an area and four want to learn it: at least five, and fewer than five."""
    rows = [
        a_row(f"P{number}", manager_id="E1", offers="wellbeing", seeks="neurodiversity" if number < 4 else "fintech")
        for number in range(7)
    ]
    await imported(site.store, tmp_path, *rows)

    page, listed = (await ora.get("/taxonomy/areas/wellbeing")).text, (await ora.get("/taxonomy?count=yes")).text

    assert "people who share it: at least 5" in " ".join(page.split())
    assert "people who want to learn it: fewer than 5" in " ".join(page.split())
    row = " ".join(listed[listed.index("/taxonomy/areas/neurodiversity") :].split())[:400]
    assert row.count("fewer than 5") >= 2
    assert not re.search(r"\b[47]\b", re.sub(r"<[^>]+>", " ", row))


async def test_a_retired_area_stays_where_it_is_and_is_chosen_by_nobody_new(
    site: Site, ora: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Ana goes on sharing it; Ben, and a roster's new people, cannot; a roster that repeats it of Olu can."""
    ana, ben = await site.signed_in("ana@demo.example"), await site.signed_in("ben@demo.example")
    etag = (await ben.get("/api/profiles/v1/me")).headers["etag"]
    await ben.patch("/api/profiles/v1/me", json={"offers": []}, headers={"If-Match": etag})
    page = (await ora.get("/taxonomy/areas/cloud")).text
    retired = await ora.post("/taxonomy/areas/cloud/retire", data=hidden(page), follow_redirects=True)
    assert "nobody can choose it any more" in retired.text

    hers = (await ana.get("/profile")).text
    assert "No longer offered: untick what you want to let go" in hers
    assert re.search(r'name="offers" value="cloud" checked> <span>Cloud services<', hers)
    assert 'value="cloud"' not in (await ben.get("/profile")).text
    etag = (await ben.get("/api/profiles/v1/me")).headers["etag"]
    newly = await ben.patch("/api/profiles/v1/me", json={"offers": ["cloud"]}, headers={"If-Match": etag})
    assert (newly.status_code, newly.json()["detail"]) == (
        422,
        "The area 'cloud' is no longer offered. Choose another one.",
    )
    olu = a_row("E3", name="Olu Obi", email="olu@demo.example", manager_id="E1", roles="operator", function="legal")
    theirs = a_row("E1", name="Ben Berg", email="ben@demo.example", level="7", function="key-accounts")
    report = await imported(site.store, tmp_path, theirs, olu, a_row("N1", manager_id="E1", offers="fintech;cloud"))
    assert [(each.line, each.column, each.reason) for each in report.errors] == [
        (4, "offers", "names 'cloud', which is no longer offered to anybody new")
    ]
    assert (await site.member("olu@demo.example")).profile.offers == ("ai-tools", "cloud")
    assert (await site.member("ben@demo.example")).profile.offers == ()

    await ora.post("/taxonomy/areas/cloud/restore", data=hidden((await ora.get("/taxonomy/areas/cloud")).text))
    assert re.search(r'name="offers" value="cloud">', (await ben.get("/profile")).text)


async def test_an_area_of_ones_own_is_imported_by_its_code(site: Site, ora: httpx.AsyncClient, tmp_path: Path) -> None:
    """The code stands on the page for imports; an unknown one is refused with its line."""
    await ora.post("/taxonomy/add", data={**hidden((await ora.get("/taxonomy/add")).text), **CARE})
    page = (await (await site.signed_in("olu@demo.example")).get("/import")).text
    assert "<dt>Care work</dt><dd>care-work</dd>" in page

    report = await imported(
        site.store, tmp_path, a_row("N1", manager_id="E1", offers="care-work"), a_row("N2", seeks="pflegearbeit")
    )

    assert [(each.line, each.column) for each in report.errors] == [(3, "seeks")]
    assert (await site.member("n1@demo.example")).profile.offers == ("care-work",)


async def test_what_changed_can_be_read_and_how_it_was(ora: httpx.AsyncClient) -> None:
    """The newest first, by whom, each text before and after; an earlier version shows the areas of then."""
    form = (await ora.get("/taxonomy/areas/cloud")).text
    edit = {"label-en": "Cloud and edge", "label-de": "Cloud-Dienste", "sentence-en": "", "sentence-de": ""}
    await ora.post("/taxonomy/areas/cloud", data={**hidden(form), **edit, "place": "trends:fintech"})
    await ora.post("/taxonomy/areas/cloud/retire", data=hidden((await ora.get("/taxonomy/areas/cloud")).text))

    page = (await ora.get("/taxonomy/versions")).text
    assert [word for word in re.findall(r"<p>([^<]+)</p>", page) if "loud" in word] == [
        "Cloud and edge was retired.",
        "English: “Cloud services” became “Cloud and edge”.",
        "Cloud and edge was moved to the family Trends outside.",
    ]
    assert page.count("Ora Oz") == 2
    assert "Cloud services" in (await ora.get("/taxonomy/versions/1")).text
    assert "Cloud and edge" in (await ora.get("/taxonomy/versions/2")).text
    assert (await ora.get("/taxonomy/versions/9")).status_code == 404


async def test_the_editor_is_for_organisers(site: Site) -> None:
    """Neither members nor operators see or change it."""
    for email in ("ana@demo.example", "olu@demo.example"):
        browser = await site.signed_in(email)
        assert "/taxonomy" not in (await browser.get("/profile")).text
        for path in ("/taxonomy", "/taxonomy/add", "/taxonomy/areas/cloud", "/taxonomy/versions"):
            assert (await browser.get(path)).status_code == 403
        sent = await browser.post("/taxonomy/areas/cloud/retire", data={"idempotency_key": "a-key-of-mine"})
        assert sent.status_code == 403
        headers = {"Idempotency-Key": "a-key-of-mine", "If-Match": "1"}
        assert (await browser.post(f"{V1}/areas/cloud/retire", headers=headers)).status_code == 403
    assert (await site.store.taxonomy_of(TENANT)).version == 1


async def test_the_api_reads_and_writes_by_version(ora: httpx.AsyncClient) -> None:
    """The version is the ETag; a repeated key answers as before; an old version and a missing one are refused."""
    read = await ora.get(V1, headers={"Accept-Language": "de"})
    assert (read.headers["etag"], read.json()["version"]) == ('"1"', 1)
    body = {"family": "ground", "labels": {"en": "Care work"}, "sentences": {"en": "Who cares for whom."}}
    headers = {"Idempotency-Key": "add-care-work", "If-Match": read.headers["etag"]}

    added = await ora.post(f"{V1}/areas", json=body, headers=headers)
    again = await ora.post(f"{V1}/areas", json=body, headers=headers)
    late = await ora.post(f"{V1}/areas", json=body, headers={**headers, "Idempotency-Key": "another-key"})
    blind = await ora.post(f"{V1}/areas", json=body, headers={"Idempotency-Key": "another-key"})

    assert (added.status_code, added.json(), added.headers["etag"]) == (201, {"code": "care-work", "version": 2}, '"2"')
    assert (again.status_code, again.json()) == (201, {"code": "care-work", "version": 2})
    assert (late.status_code, blind.status_code) == (412, 428)
    told = (await ora.get(V1, headers={"Accept-Language": "de"})).json()
    (area,) = [each for family in told["families"] for each in family["areas"] if each["code"] == "care-work"]
    assert area == {
        "code": "care-work",
        "label": "Care work",
        "sentence": "Who cares for whom.",
        "retired": False,
        "labels": {"en": "Care work"},
        "sentences": {"en": "Who cares for whom."},
        "missing": ["de"],
    }
    assert told["areas"]["cloud"] == "Cloud-Dienste"


async def test_every_command_of_the_page_is_one_of_the_api(ora: httpx.AsyncClient) -> None:
    """Edit, retire, bring back, open and rename a family; the list of versions tells each."""

    async def command(method: str, path: str, number: int, **body: object) -> None:
        headers = {"Idempotency-Key": f"command-{number}", "If-Match": f'"{number}"'}
        answer = await ora.request(method, f"{V1}{path}", json=body or None, headers=headers)
        assert answer.json()["version"] == number + 1

    await command("PUT", "/areas/cloud", 1, family="trends", labels={"en": "Cloud"}, behind="")
    await command("POST", "/areas/cloud/retire", 2)
    await command("POST", "/areas/cloud/restore", 3)
    await command("POST", "/families", 4, labels={"en": "Skills"})
    await command("PUT", "/families/skills", 5, labels={"de": "Fertigkeiten"})

    kinds = [(each["number"], each["kind"]) for each in (await ora.get(f"{V1}/versions")).json()["versions"]]
    assert kinds == [
        *((6, "family-edited"), (5, "family-added"), (4, "area-restored"), (3, "area-retired"), (2, "area-edited")),
    ]
    trends = (await ora.get(f"{V1}/versions/2")).json()["families"][3]
    assert [trends["areas"][0][field] for field in ("code", "label")] == ["cloud", "Cloud"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"family": "ground", "labels": {"fr": "Soins"}}, "No page is written in the language 'fr'"),
        ({"family": "ground", "labels": {}}, "Write a label in at least one language."),
        ({"family": "ground", "labels": {"en": "x"}, "code": "mine"}, ""),
    ],
)
async def test_what_the_api_refuses(ora: httpx.AsyncClient, body: dict[str, object], says: str) -> None:
    """A language that nobody is asked in, no label, and a code of one's own choice."""
    answer = await ora.post(f"{V1}/areas", json=body, headers={"Idempotency-Key": "refused-key", "If-Match": "1"})

    assert answer.status_code == 422
    assert says in answer.text


async def test_other_systems_hear_codes_and_never_labels(store: Store, settings: ProfilesSettings, kafka: str) -> None:
    """The newest state of the tenant's taxonomy, retired areas marked, in the order of the pages."""
    await retire(store, "cloud")

    async with compose(settings.model_copy(update={"kafka": kafka})).opened():
        async with asyncio.timeout(20):
            while not (found := await said(kafka)) or found[-1].version < 2:
                await asyncio.sleep(0.1)

    newest = found[-1]
    assert (newest.taxonomy, newest.version) == (TENANT, 2)
    assert [each.code for each in newest.areas if each.retired] == ["cloud"]
    assert [each.code for each in newest.areas][:2] == ["ai-tools", "data-literacy"]
    assert "Cloud" not in newest.model_dump_json()


async def said(kafka: str) -> list[TaxonomyPublished]:
    """What stands on the topic."""
    records = await all_records(Settings(kafka=kafka), TAXONOMY)
    return [TaxonomyPublished.model_validate_json(each.value) for each in records if each.value]


async def test_what_is_stored_is_the_fold_of_what_was_commanded(store: Store) -> None:
    """What goes into the database comes out again, texts of every language included."""
    await retire(store, "cloud")

    stored = await store.taxonomy_of(TENANT)

    assert stored.now == Taxonomy.starter(TENANT).now.after(stored.versions[0].change)
