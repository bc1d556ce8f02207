"""Files with columns of their own: what we guess, what must be told, and how rows are read then."""

from pathlib import Path

import pytest
from profiles.domain import RosterRow
from profiles.rosters.columns import Columns, RosterError, Source, delimiter_of, documented, layout_of
from profiles.rosters.file import RosterFile, header_of
from profiles.rosters.roster import Roster
from profiles.taxonomy.starter import STARTER

GERMAN = (
    *("Personalnummer", "Vorname", "Nachname", "E-Mail", "Stellenbezeichnung", "Vorgesetzten-Nummer", "Stufe"),
    *("Abteilung", "Land", "Eintrittsdatum"),
)


def test_the_usual_names_are_guessed_and_the_rest_is_asked_for() -> None:
    """A German export has no time zone and no languages, and its names come in two columns."""
    guess = Columns.suggested(GERMAN)

    assert guess.sources["employee_id"].columns == ("Personalnummer",)
    assert guess.sources["name"].columns == ("Vorname", "Nachname")
    assert guess.sources["manager_id"].columns == ("Vorgesetzten-Nummer",)
    assert guess.sources["joined"].columns == ("Eintrittsdatum",)
    assert guess.sources["site"].columns == ()
    assert guess.unsettled() == ["time_zone", "languages"]


def test_english_names_are_guessed_whatever_their_spelling() -> None:
    """Capitals, spaces and signs do not matter; of two columns that fit, the better name counts."""
    guess = Columns.suggested(("EMPLOYEE ID", "Work e-mail", "Email", "Full name", "Hire date"))

    assert guess.sources["employee_id"].columns == ("EMPLOYEE ID",)
    assert guess.sources["email"].columns == ("Email",)
    assert guess.sources["name"].columns == ("Full name",)
    assert guess.sources["joined"].columns == ("Hire date",)


def test_a_column_that_the_file_does_not_have_settles_nothing() -> None:
    """A form may name what another file had."""
    chosen = Columns(header=("a",), sources={"email": Source(columns=("b",)), "unit": Source(otherwise="sales")})

    assert "email" in chosen.unsettled()
    assert "unit" not in chosen.unsettled()


def test_the_documented_names_need_no_choice() -> None:
    """In any order, in any spelling of letters, with further columns beside them."""
    names = ["Employee_ID", "joined", "email", "name", "title", "manager_id", "level", "unit", "country"]
    names += ["time_zone", "shoe_size", "languages"]
    assert documented(names)
    assert not documented(names[1:])


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b,c", ","), ("a;b;c", ";"), ("a\tb\tc", "\t"), ("one column", ","), ('"a;b;c;d",e,f', ","), ("", ",")],
)
def test_what_separates_columns_is_seen_from_the_first_line(line: str, delimiter: str) -> None:
    """Signs within quotes do not count."""
    assert delimiter_of(line) == delimiter


def test_a_file_of_its_own_is_read_as_chosen(tmp_path: Path) -> None:
    """Semicolons, names in two columns, a German date, and a value for everybody that a cell can overrule."""
    path = tmp_path / "export.csv"
    path.write_text(
        ";".join([*GERMAN, "Zeitzone"]) + "\n"
        "7;Ana;Silva;ana@firm.example;Werkstudentin;;2;it;de;01.9.2026;Europe/Lisbon\n"
        "8;Bo;;bo@firm.example;Leiter;7;9;it;de;2019-04-30;\n",
        encoding="utf-8",
    )
    guess = Columns.suggested(header_of(path))
    sources = guess.sources | {
        "time_zone": Source(columns=("Zeitzone",), otherwise="Europe/Berlin"),
        "languages": Source(otherwise="de;en"),
    }

    ana, bo = Roster(path, STARTER, guess.model_copy(update={"sources": sources})).rows()

    assert isinstance(ana, RosterRow)
    assert isinstance(bo, RosterRow)
    assert (ana.contact.name, ana.contact.employee_id, ana.manager_id) == ("Ana Silva", "7", "")
    assert (ana.directory.joined, ana.directory.time_zone) == ("2026-09", "Europe/Lisbon")
    assert (bo.contact.name, bo.manager_id) == ("Bo", "7")
    assert (bo.directory.joined, bo.directory.time_zone) == ("2019-04", "Europe/Berlin")
    assert bo.directory.languages == ("de", "en")


def test_columns_chosen_for_another_first_line_are_not_used() -> None:
    """Reading a file by somebody else's columns would put wrong people into the directory."""
    chosen = Columns.suggested(GERMAN)
    with pytest.raises(RosterError, match="Choose them again"):
        layout_of([*GERMAN[1:], GERMAN[0]], chosen)


def test_the_beginning_shows_names_and_lines_as_they_stand(tmp_path: Path) -> None:
    """Fewer lines than asked for are no error."""
    path = tmp_path / "r.csv"
    path.write_text('A, B \n1,"2,5"\n3,4\n', encoding="utf-8")

    assert RosterFile(path).beginning(1) == (("A", "B"), [["1", "2,5"]])
    assert RosterFile(path).beginning(9) == (("A", "B"), [["1", "2,5"], ["3", "4"]])


def test_a_file_that_cannot_be_read_has_no_first_line(tmp_path: Path) -> None:
    """The import itself says what is wrong with it."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert header_of(path) == ()
