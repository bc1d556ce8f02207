"""Importing a roster into the real database, and what the bus gets to see of it."""

import asyncio
from pathlib import Path

import pytest
from contracts.topics import DIRECTORY, PROFILE
from profile_rosters import a_file, a_row
from profile_site import TENANT, silent
from profiles.rosters.columns import RosterError
from profiles.rosters.importing import Report, import_roster
from profiles.rosters.jobs import Wish
from profiles.store import Store

pytestmark = pytest.mark.connected


async def imported(store: Store, path: Path) -> Report:
    """Import a file without looking at its progress."""
    return await import_roster(store, TENANT, path, silent)


def figures(report: Report) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, refused."""
    counts = report.counts
    return counts.created, counts.updated, counts.unchanged, counts.refused


async def test_a_second_import_of_the_same_file_writes_nothing(store: Store, tmp_path: Path) -> None:
    """People get random ids, managers become member ids, and a repeated import leaves every document as it was."""
    # The manager stands below her people, since the order of a file means nothing.
    path = a_file(tmp_path / "r.csv", a_row("E2", manager_id="E1"), a_row("E3", manager_id="E2"), a_row("E1"))

    assert figures(await imported(store, path)) == (3, 0, 0, 0)
    first = await store.by_employee_id(TENANT, ["E1", "E2", "E3"])
    assert figures(await imported(store, path)) == (0, 0, 3, 0)
    second = await store.by_employee_id(TENANT, ["E1", "E2", "E3"])

    assert first["E2"].directory.manager == first["E1"].id
    assert first["E3"].directory.manager == first["E2"].id
    assert first["E1"].directory.manager is None
    assert {key: member.etag for key, member in first.items()} == {key: member.etag for key, member in second.items()}


async def test_trying_a_file_out_tells_everything_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    """One new, one changed, one as it was, one wrong, one missing: counted like an import, and nothing is written."""
    await imported(store, a_file(tmp_path / "a.csv", a_row("E1"), a_row("E2"), a_row("E3")))
    before = await store.by_employee_id(TENANT, ["E1", "E2", "E3"])
    rows = [a_row("E1"), a_row("E2", level="5"), a_row("E4", function="legal"), a_row("E5", level="99")]
    path = a_file(tmp_path / "b.csv", *rows)
    report = await import_roster(store, TENANT, path, silent, Wish(trial=True, most_leavers=9))
    assert figures(report) == (1, 1, 1, 1)
    assert (report.counts.missing, report.counts.left) == (1, 0)
    after = await store.by_employee_id(TENANT, ["E1", "E2", "E3", "E4"])
    assert {key: each.etag for key, each in before.items()} == {key: each.etag for key, each in after.items()}
    assert (await store.functions_of(TENANT)).named == frozenset()


async def test_whoever_is_missing_leaves_when_that_is_expected(store: Store, tmp_path: Path) -> None:
    """Two are missing and two may leave: their names are gone; a second import of the file finds nobody more."""
    await imported(store, a_file(tmp_path / "a.csv", a_row("E1"), a_row("E2"), a_row("E3")))
    path = a_file(tmp_path / "b.csv", a_row("E1"))
    tried = await import_roster(store, TENANT, path, silent, Wish(trial=True, most_leavers=2))
    assert (tried.counts.missing, tried.counts.left) == (2, 2)
    assert len(await store.by_employee_id(TENANT, ["E1", "E2", "E3"])) == 3
    done = await import_roster(store, TENANT, path, silent, Wish(most_leavers=2))
    assert (done.counts.missing, done.counts.left) == (2, 2)
    assert set(await store.by_employee_id(TENANT, ["E1", "E2", "E3"])) == {"E1"}
    again = await import_roster(store, TENANT, path, silent, Wish(most_leavers=2))
    assert (again.counts.missing, again.counts.left) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "most_leavers"),
    [
        ({"E1": "3"}, 1),
        ({"E1": "3"}, 0),
        ({"E1": "3", "E2": "99"}, 9),
    ],
    ids=["more than expected", "nobody is to leave", "a row is wrong"],
)
async def test_nobody_leaves_by_mistake(store: Store, tmp_path: Path, rows: dict[str, str], most_leavers: int) -> None:
    """Half a file, or a row that cannot be read and may be anybody's, takes nobody out."""
    await imported(store, a_file(tmp_path / "a.csv", a_row("E1"), a_row("E2"), a_row("E3")))
    path = a_file(tmp_path / "b.csv", *(a_row(each, level=level) for each, level in rows.items()))
    report = await import_roster(store, TENANT, path, silent, Wish(most_leavers=most_leavers))
    assert report.counts.left == 0
    assert report.counts.missing > 0
    assert set(await store.by_employee_id(TENANT, ["E1", "E2", "E3"])) == {"E1", "E2", "E3"}


async def test_whoever_has_a_role_stays(store: Store, tmp_path: Path) -> None:
    """An operator who imports a file without themselves would be locked out."""
    await imported(store, a_file(tmp_path / "a.csv", a_row("E1"), a_row("E2", roles="operator")))
    report = await import_roster(store, TENANT, a_file(tmp_path / "b.csv", a_row("E1")), silent, Wish(most_leavers=9))
    assert (report.counts.missing, report.counts.left) == (0, 0)
    assert "E2" in await store.by_employee_id(TENANT, ["E2"])


async def test_good_rows_are_imported_and_a_corrected_file_repairs(store: Store, tmp_path: Path) -> None:
    """Each bad row is told by line; the corrected file brings in what was left out and leaves the rest."""
    rows = [
        a_row("E1"),
        a_row("E2", level="99"),
        a_row("E1", email="other@demo.example"),
        a_row("E4", email="E1@demo.example"),
        a_row("E5", manager_id="nobody"),
        a_row("E6", manager_id="E7"),
        a_row("E7", manager_id="E6"),
        a_row("E8", manager_id="E1"),
    ]
    report = await imported(store, a_file(tmp_path / "r.csv", *rows))

    assert figures(report) == (2, 0, 0, 6)
    assert [(error.line, error.column) for error in report.errors] == [
        (3, "level"),
        (4, "employee_id"),
        (5, "email"),
        (6, "manager_id"),
        (7, "manager_id"),
        (8, "manager_id"),
    ]

    corrected = [
        a_row("E1"),
        a_row("E2"),
        a_row("E4"),
        a_row("E5", manager_id="E1"),
        a_row("E6"),
        a_row("E7", manager_id="E6"),
        a_row("E8", manager_id="E1"),
    ]
    assert figures(await imported(store, a_file(tmp_path / "r.csv", *corrected))) == (5, 0, 2, 0)


async def test_an_address_that_belongs_to_somebody_else_is_refused(store: Store, tmp_path: Path) -> None:
    """Two people never share an address, not even over two files."""
    await imported(store, a_file(tmp_path / "r.csv", a_row("E1", email="ana@demo.example")))

    report = await imported(store, a_file(tmp_path / "r.csv", a_row("E9", email="Ana@demo.example")))

    assert [(error.line, error.column, error.reason) for error in report.errors] == [
        (2, "email", "belongs to another person in the directory")
    ]


async def test_a_circle_through_people_who_are_not_in_the_file_is_found(store: Store, tmp_path: Path) -> None:
    """The stored chart counts: its top may not be put under one of its own people."""
    chart = [a_row("E1"), a_row("E2", manager_id="E1"), a_row("E3", manager_id="E2")]
    await imported(store, a_file(tmp_path / "r.csv", *chart))

    report = await imported(store, a_file(tmp_path / "r.csv", a_row("E1", manager_id="E3")))

    assert [(error.line, error.column) for error in report.errors] == [(2, "manager_id")]
    assert (await store.by_employee_id(TENANT, ["E1"]))["E1"].directory.manager is None


async def test_an_unreadable_file_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Even when its first thousand rows are fine: the encoding breaks only at the end."""
    path = a_file(tmp_path / "r.csv", *(a_row(f"E{number}") for number in range(1000)))
    path.write_bytes(path.read_bytes() + "Jürgen".encode("latin-1"))

    with pytest.raises(RosterError):
        await imported(store, path)

    assert await store.by_employee_id(TENANT, ["E0"]) == {}
    assert path.exists()


async def test_a_file_with_columns_and_no_people_is_one_error(store: Store, tmp_path: Path) -> None:
    """Nobody is told that an empty roster was imported."""
    with pytest.raises(RosterError, match="holds no people"):
        await imported(store, a_file(tmp_path / "r.csv"))


async def test_progress_only_grows_and_ends_at_a_hundred(store: Store, tmp_path: Path) -> None:
    """Whoever watches sees the reading and the writing."""
    seen: list[int] = []

    async def watch(report: Report) -> None:
        seen.append(report.percent)
        await asyncio.sleep(0)

    rows = [a_row(f"E{number}") for number in range(350)]
    await import_roster(store, TENANT, a_file(tmp_path / "r.csv", *rows), watch)

    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) > 4


async def test_removing_a_member_keeps_the_sequences_and_nothing_of_the_person(store: Store, tmp_path: Path) -> None:
    """The document stays under its id, so its tombstones and whatever follows are numbered on."""
    await imported(store, a_file(tmp_path / "r.csv", a_row("E1")))
    member = (await store.by_employee_id(TENANT, ["E1"]))["E1"]

    await store.change_member(TENANT, member.id, type(member).remove)

    assert await store.by_employee_id(TENANT, ["E1"]) == {}
    assert await store.by_email(TENANT, ["e1@demo.example"]) == {}
    assert await store.present(TENANT, [member.id]) == []
    raw = await store.members.collection.find_one(TENANT, {"_id": member.id})
    assert raw is not None
    assert raw["sequences"] == {DIRECTORY.stream: 2, PROFILE.stream: 2}
    assert [raw["slots"][stream]["v"] for stream in (DIRECTORY.stream, PROFILE.stream)] == [None, None]
    assert "e1@demo.example" not in str(raw)


async def test_functions_are_those_that_somebody_has(store: Store, tmp_path: Path) -> None:
    """What is only wished for is no choice for others, and what nobody names any more is forgotten."""
    rows = [a_row("E1", function="legal"), a_row("E2", function="sales", likes="legal;law"), a_row("E3")]
    await imported(store, a_file(tmp_path / "r.csv", *rows))
    first = await store.functions_of(TENANT)

    renamed = [a_row("E1", function="law"), a_row("E2", function="sales")]
    await imported(store, a_file(tmp_path / "r.csv", *renamed))
    second = await store.functions_of(TENANT)

    assert (first.held, first.wished) == (("legal", "sales"), ("law",))
    assert (second.held, second.wished) == (("law", "sales"), ())


async def test_a_function_more_than_can_be_told_apart_refuses_its_row(store: Store, tmp_path: Path) -> None:
    """Rows that name the first 64 are imported; wishes count, and so does what another file brought."""
    await imported(store, a_file(tmp_path / "r.csv", *(a_row(f"E{n}", function=f"f{n}") for n in range(62))))
    rows = [
        a_row("N1", function="f0", likes="f62;f1"),
        a_row("N2", function="f63"),
        a_row("N3", function="f64"),
        a_row("N4", function="f63", likes="f2;f65"),
        a_row("N5", manager_id="N3"),
    ]

    report = await imported(store, a_file(tmp_path / "more.csv", *rows))

    assert figures(report) == (2, 0, 0, 3)
    assert [(error.line, error.column) for error in report.errors] == [(4, "function"), (5, "likes"), (6, "manager_id")]
    assert "more than the 64 that can be told apart" in report.errors[0].reason
    assert len((await store.functions_of(TENANT)).named) == 64


async def test_another_imports_functions_leave_no_room_for_ours(store: Store, tmp_path: Path) -> None:
    """Two files at one time: the later one is refused as a whole, before it wrote anything."""

    async def meanwhile(_report: Report) -> None:
        assert await store.admit_functions(TENANT, [f"f{n}" for n in range(64)])

    with pytest.raises(RosterError, match="Import the file again"):
        await import_roster(store, TENANT, a_file(tmp_path / "r.csv", a_row("E1", function="legal")), meanwhile)

    assert await store.by_employee_id(TENANT, ["E1"]) == {}
