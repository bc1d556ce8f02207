"""Reading a roster: what is accepted, and what is said about each thing that is not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_rosters import a_file, a_row
from profiles.domain import Role, RosterRow
from profiles.rosters.columns import COLUMNS, REQUIRED, RosterError
from profiles.rosters.roster import Roster, RowError, unfit_managers
from profiles.taxonomy.starter import STARTER


def read(path: Path) -> list[RosterRow | list[RowError]]:
    """Every row or its errors."""
    return list(Roster(path, STARTER).rows())


def errors(path: Path) -> list[tuple[int, str, str]]:
    """Line, column and reason of each error."""
    return [(error.line, error.column, error.reason) for row in read(path) if isinstance(row, list) for error in row]


def test_a_good_row_becomes_contact_directory_and_profile(tmp_path: Path) -> None:
    """Every column lands where it belongs; e-mail and codes are normalised, optional columns have their defaults."""
    row = a_row(
        "E1", email="Ana.Silva@Demo.Example", country="de", languages="DE; en", roles="operator", manager_id="E0"
    )
    row |= {"function": "field-sales", "site": "leeds-2", "likes": "legal; finance;legal", "in_person": "Yes"}

    (found,) = read(a_file(tmp_path / "r.csv", row))

    assert isinstance(found, RosterRow)
    assert found.line == 2
    assert found.contact.email == "ana.silva@demo.example"
    assert found.manager_id == "E0"
    assert found.directory.manager is None
    assert (found.directory.country, found.directory.languages) == ("DE", ("de", "en"))
    assert (found.directory.work_from, found.directory.work_to) == (9, 17)
    assert (found.profile.offers, found.profile.seeks) == (("ai-tools", "cloud"), ("generations",))
    assert (found.profile.open_to_mentor, found.profile.open_to_be_mentored, found.profile.enrolled) == (
        True,
        True,
        True,
    )
    assert found.roles == (Role.OPERATOR,)
    assert (found.directory.function, found.directory.site) == ("field-sales", "leeds-2")
    assert (found.profile.wishes, found.profile.in_person) == (("legal", "finance"), True)
    assert found.functions == {"field-sales", "legal", "finance"}


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    """A file saved by a spreadsheet as 'CSV UTF-8' is read like any other."""
    path = a_file(tmp_path / "r.csv", a_row("E1", name="Zoë"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    (found,) = read(path)

    assert isinstance(found, RosterRow)
    assert (found.contact.employee_id, found.contact.name) == ("E1", "Zoë")


def test_optional_columns_may_be_left_out_and_others_are_ignored(tmp_path: Path) -> None:
    """Eleven columns are enough; a column that nobody asked for does no harm."""
    path = a_file(tmp_path / "r.csv", {**a_row("E1"), "shoe_size": "=40"}, columns=(*REQUIRED, "shoe_size"))

    (found,) = read(path)

    assert isinstance(found, RosterRow)
    assert (found.profile.enrolled, found.profile.mentor_capacity, found.profile.offers) == (False, 1, ())
    assert (found.directory.function, found.directory.site, found.functions) == ("", "", frozenset())
    assert (found.profile.wishes, found.profile.in_person) == ((), False)


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("employee_id", "", "is empty"),
        ("email", "nobody", "not an e-mail address"),
        ("level", "13", "whole number from 1 to 12"),
        ("level", "senior", "whole number from 1 to 12"),
        ("level", "٣", "whole number from 1 to 12"),
        ("country", "Germany", "two-letter country code"),
        ("country", "ZZ", "two-letter country code"),
        ("time_zone", "CET+1", "not a time zone"),
        ("languages", "de;klingon", "two-letter language code"),
        ("joined", "05/2021", "a month such as 2024-03"),
        ("joined", "2021-13", "a month such as 2024-03"),
        ("offers", "ai-tools;witchcraft", "'witchcraft', which is not an area"),
        ("seeks", "AI tools", "'AI tools', which is not an area"),
        ("mentor_capacity", "11", "whole number from 0 to 10"),
        ("enrolled", "maybe", "must be yes or no"),
        ("roles", "king", "roles are organiser, analyst, operator"),
        ("work_to", "8", "is not after work_from"),
        ("unit", "x" * 81, "longer than 80"),
        ("function", "x" * 81, "longer than 80"),
        ("site", "a\tb", "a line break or another control character"),
        ("likes", "legal;" + "x" * 81, "longer than 80"),
        ("likes", ";".join(f"f{number}" for number in range(13)), "names 13 values, but at most 12"),
        ("in_person", "sometimes", "must be yes or no"),
        ("name", "=HYPERLINK(1)", "begins with '='"),
        ("title", "+Director", "begins with '+'"),
        ("unit", "-sales", "begins with '-'"),
        ("manager_id", "@E0", "begins with '@'"),
    ],
)
def test_each_bad_cell_is_named_with_line_column_and_reason(tmp_path: Path, column: str, cell: str, says: str) -> None:
    """One bad cell refuses its own row only, and the reason says what would be right."""
    path = a_file(tmp_path / "r.csv", a_row("E1"), a_row("E2", **{column: cell}), a_row("E3"))

    ((line, named, reason),) = errors(path)

    assert (line, named) == (3, column)
    assert says in reason
    assert [row.contact.employee_id for row in read(path) if isinstance(row, RosterRow)] == ["E1", "E3"]


def test_all_bad_cells_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    """Nobody has to import a file once per mistake."""
    path = a_file(tmp_path / "r.csv", a_row("E1", level="0", country="?", joined=""))

    assert [column for _, column, _ in errors(path)] == ["level", "country", "joined"]


def test_a_row_with_too_few_cells_is_refused_by_its_line(tmp_path: Path) -> None:
    """A cut-off row is not guessed at; blank lines are no rows at all."""
    path = a_file(tmp_path / "r.csv", a_row("E1"))
    path.write_text(path.read_text() + "\n  \nE2,e2@demo.example\n")

    assert errors(path) == [(5, "", f"has 2 cells, but line 1 names {len(COLUMNS)} columns")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"employee_id;email;name\n", "columns are missing"),
        ("employee_id,email,name\nE1,a@b.example,Jürgen\n".encode("latin-1"), "columns are missing"),
        (",".join(REQUIRED).encode("utf-16"), "not UTF-8 text (line 1)"),
        ((",".join(REQUIRED) + "\nE1,a@b.example,Jürgen").encode("latin-1"), "not UTF-8 text (line 2)"),
        (b"PK\x03\x04\x00\x00\x08\x00", "not text"),
        ((",".join(REQUIRED) + '\nE1,"never closed\n').encode(), "not readable as CSV near line 2"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    """Empty, wrongly encoded, a spreadsheet instead of CSV, broken quotes: one sentence, no row errors."""
    path = tmp_path / "r.csv"
    path.write_bytes(content)

    with pytest.raises(RosterError) as caught:
        read(path)

    assert says in caught.value.detail


def test_missing_and_doubled_columns_are_told_in_one_error(tmp_path: Path) -> None:
    """The header is judged as a whole."""
    columns = (*(name for name in REQUIRED if name not in {"level", "unit"}), "email")

    with pytest.raises(RosterError) as caught:
        read(a_file(tmp_path / "r.csv", a_row("E1"), columns=columns))

    assert "missing: level, unit" in caught.value.detail
    assert "twice: email" in caught.value.detail


def test_a_manager_who_is_nowhere_refuses_the_row_and_whoever_hangs_on_it() -> None:
    """People whose chain is unknown cannot be checked against the chain rule, so they wait for the corrected file."""
    refused = unfit_managers({"A": "", "B": "ghost", "C": "B", "D": "A"}, {})

    assert refused.keys() == {"B", "C"}
    assert "'ghost' is not in the directory" in refused["B"]


def test_a_manager_who_is_only_in_the_directory_is_good_enough() -> None:
    """A file may hold a part of the company."""
    assert unfit_managers({"B": "boss"}, {"boss": None}) == {}


def test_a_circle_refuses_its_members_and_whoever_hangs_below_it() -> None:
    """Two people managing each other, and one managing themself, are circles."""
    refused = unfit_managers({"A": "B", "B": "A", "C": "A", "D": "D", "E": ""}, {})

    assert refused.keys() == {"A", "B", "C", "D"}
    assert "circle" in refused["A"]
    assert "circle" in refused["D"]


def test_a_circle_closed_by_the_directory_is_found() -> None:
    """The file moves B under A while the directory still has A under B."""
    assert unfit_managers({"B": "A"}, {"A": "B", "B": None}).keys() == {"B"}


def test_a_refused_move_that_would_close_another_circle_refuses_that_too() -> None:
    """X and Z form a circle, so X stays under Y as stored; Y may then not move under X."""
    refused = unfit_managers({"X": "Z", "Z": "X", "Y": "X"}, {"X": "Y", "Y": None, "Z": None})

    assert refused.keys() == {"X", "Z", "Y"}


PEOPLE = st.sampled_from("ABCDEFGH")


@given(
    rows=st.dictionaries(PEOPLE, st.one_of(PEOPLE, st.just("")), max_size=8),
    above=st.dictionaries(PEOPLE, st.integers(min_value=0, max_value=7), max_size=8),
)
def test_whatever_the_file_says_the_directory_stays_a_tree(rows: dict[str, str], above: dict[str, int]) -> None:
    """After taking over every row that stands, following managers from anyone ends at somebody without one."""
    order = sorted(above)  # a stored manager always comes earlier in the alphabet, so the stored chart is a tree
    stored: dict[str, str | None] = {
        person: (order[above[person] % place] if place else None) for place, person in enumerate(order)
    }

    refused = unfit_managers(rows, stored)

    result: dict[str, str | None] = {
        **stored,
        **{person: manager or None for person, manager in rows.items() if person not in refused},
    }
    for start in result:
        person: str | None = start
        for _ in range(len(result) + 1):
            if person is not None:
                person = result[person]
        assert person is None
