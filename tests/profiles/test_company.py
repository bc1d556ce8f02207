"""The made-up company: repeatable, importable, and with people to sign in as who fit each other."""

from pathlib import Path

import pytest
from local.company import AREAS as COMPANY_AREAS
from local.company import COLUMNS as COMPANY_COLUMNS
from local.company import write_roster
from profiles.domain import Role, RosterRow
from profiles.rosters.columns import COLUMNS
from profiles.rosters.roster import Roster, unfit_managers
from profiles.taxonomy.starter import STARTER


def company(path: Path, people: int, seed: int = 7) -> dict[str, RosterRow]:
    """The rows of a company as the import reads them."""
    write_roster(path, people, seed)
    rows = list(Roster(path, STARTER).rows())
    assert all(isinstance(row, RosterRow) for row in rows)
    return {row.contact.employee_id: row for row in rows if isinstance(row, RosterRow)}


def test_the_generator_knows_the_columns_and_areas_of_the_import() -> None:
    """Neither may import the other, so this holds them together."""
    assert sorted(COMPANY_COLUMNS) == sorted(COLUMNS)
    assert sorted(COMPANY_AREAS) == sorted(STARTER.offered)


@pytest.mark.parametrize("people", [12, 400, 3000])
def test_every_row_of_a_company_is_imported(tmp_path: Path, people: int) -> None:
    """As many people as asked for, no bad cell, no double, everyone's chain ends at the top."""
    rows = company(tmp_path / "people.csv", people)

    assert len(rows) == people
    assert len({row.contact.email for row in rows.values()}) == people
    assert unfit_managers({key: row.manager_id for key, row in rows.items()}, {}) == {}
    assert [key for key, row in rows.items() if not row.manager_id] == ["E000001"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    """A demo looks the same on every machine."""
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_roster(tmp_path / name, 200, seed)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_levels_fall_down_the_tree_and_juniors_offer_what_seniors_seek(tmp_path: Path) -> None:
    """Nobody reports to somebody at or below their own level; about seven in ten take part."""
    rows = company(tmp_path / "people.csv", 2000)
    for row in rows.values():
        if row.manager_id and row.directory.level > 1:
            assert row.directory.level < rows[row.manager_id].directory.level
    juniors = [row.profile for row in rows.values() if row.directory.level <= 4 and row.profile.enrolled]
    seniors = [row.profile for row in rows.values() if row.directory.level >= 8 and row.profile.enrolled]

    assert sum(len(each.offers) for each in juniors) > 2 * sum(len(each.seeks) for each in juniors)
    assert sum(len(each.seeks) for each in seniors) > 2 * sum(len(each.offers) for each in seniors)
    assert 0.6 < sum(row.profile.enrolled for row in rows.values()) / len(rows) < 0.8
    assert len({row.directory.country for row in rows.values()}) == 10


def test_functions_follow_units_and_sites_follow_countries(tmp_path: Path) -> None:
    """Everybody has both, at one of two sites of their city, and nobody wishes to meet their own function."""
    rows = company(tmp_path / "people.csv", 2000).values()
    units: dict[str, set[str]] = {}
    sites: dict[str, set[str]] = {}
    for row in rows:
        units.setdefault(row.directory.function, set()).add(row.directory.unit)
        sites.setdefault(row.directory.country, set()).add(row.directory.site)

    assert units.pop("data") == {"Engineering", "Research"}
    assert {len(each) for each in units.values()} == {1}
    assert sites["ZA"] == {"johannesburg-1", "johannesburg-2"}
    assert {len(each) for each in sites.values()} == {2}
    assert not [row for row in rows if row.directory.function in row.profile.wishes]
    assert 0.5 < sum(bool(row.profile.wishes) for row in rows) / len(rows) < 0.7


@pytest.mark.parametrize("people", [12, 400])
def test_the_junior_and_the_director_may_be_proposed_to_each_other(tmp_path: Path, people: int) -> None:
    """Same areas, hours and language; other unit; neither in the other's chain; not the same manager."""
    rows = company(tmp_path / "people.csv", people)
    by_email = {row.contact.email: row for row in rows.values()}
    junior, director = by_email["junior@demo.example"], by_email["director@demo.example"]

    def chain(row: RosterRow) -> list[str]:
        return [row.manager_id, *chain(rows[row.manager_id])] if row.manager_id else []

    assert (junior.directory.level, director.directory.level) == (2, 10)
    assert junior.profile.offers == director.profile.seeks
    assert junior.profile.open_to_mentor
    assert director.profile.open_to_be_mentored
    assert junior.profile.enrolled
    assert director.profile.enrolled
    assert junior.directory.time_zone == director.directory.time_zone
    assert junior.directory.languages == director.directory.languages == ("en",)
    assert junior.directory.unit != director.directory.unit
    assert junior.directory.site == director.directory.site == "london-1"
    assert junior.profile.in_person
    assert director.profile.in_person
    assert director.directory.function in junior.profile.wishes
    assert junior.directory.function in director.profile.wishes
    assert director.contact.employee_id not in chain(junior)
    assert junior.manager_id != director.manager_id
    assert not by_email["lead@demo.example"].profile.enrolled
    assert by_email["analyst@demo.example"].roles == (Role.ANALYST,)
    assert by_email["operator@demo.example"].roles == (Role.OPERATOR,)
