"""Rosters and rules files as they come: what is understood, and the sentence for everything that is not."""

from datetime import date
from pathlib import Path

import pytest
from matching.rehearsal.reading import COLUMNS, OWN, REQUIRED, FileError, Roster, read_roster
from matching.rehearsal.rules_file import read_rules
from profiles.rosters.columns import COLUMNS as COLUMNS_OF_THE_IMPORT
from profiles.rosters.columns import REQUIRED as REQUIRED_BY_THE_IMPORT

DAY = date(2026, 11, 27)
HEADER = "employee_id,email,name,title,manager_id,level,unit,country,time_zone,languages,joined"
VALUES = "a1,a@b.org,Ann Ash,Chief,,2,shops,GB,Europe/London,en,2020-01"
CELLS = dict(zip(HEADER.split(","), VALUES.split(","), strict=True))


def read(path: Path, text: str | bytes) -> Roster:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_roster(path, DAY, lambda _share: None)


def row(**cells: str) -> str:
    """A header and one row, right but for the cells given."""
    whole = CELLS | cells
    return f"{','.join(whole)}\n{','.join(whole.values())}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_there_is_one_format() -> None:
    """Neither service may import the other, so this holds their rosters together."""
    assert sorted(COLUMNS) == sorted([*COLUMNS_OF_THE_IMPORT, *OWN])
    assert sorted(REQUIRED) == sorted(REQUIRED_BY_THE_IMPORT)


# -- what is understood ------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_person(file: Path) -> None:
    """Kathmandu is 345 minutes east; there are 82 months from January 2020 to November 2026."""
    text = row(
        manager_id="b2",
        country="np",
        time_zone="Asia/Kathmandu",
        languages="EN;ne",
        work_from="8",
        work_to="16",
        offers="cloud;ai-tools;cloud",
        seeks="",
        mentor_capacity="3",
        enrolled="Yes",
        function="sales",
        site="north",
        likes="legal;sales",
        in_person="yes",
        waiting_days="12",
    )
    (person,) = read(file, text).people
    assert (person.id, person.manager, person.level, person.unit, person.country) == ("a1", "b2", 2, "shops", "NP")
    assert (person.utc_offset, person.work_from, person.work_to, person.languages) == (345, 8, 16, ("en", "ne"))
    assert (person.offers, person.seeks, person.mentor_capacity) == (("cloud", "ai-tools"), (), 3)
    assert (person.open_to_mentor, person.open_to_be_mentored) == (True, False)
    assert (person.function, person.site, person.likes, person.in_person) == (
        "sales",
        "north",
        ("legal", "sales"),
        True,
    )
    assert (person.waiting_days, person.tenure) == (12, 82)


def test_what_is_not_told_is_as_in_the_import(file: Path) -> None:
    """From 9 to 17, one place on each side, and nobody takes part who is not enrolled."""
    (person,) = read(file, row(offers="cloud", seeks="fintech")).people
    assert (person.work_from, person.work_to, person.mentor_capacity, person.mentee_capacity) == (9, 17, 1, 1)
    assert not person.open_to_mentor
    assert not person.open_to_be_mentored
    assert (person.manager, person.waiting_days, person.function, person.in_person) == (None, 0, "", False)


def test_whoever_joins_later_has_no_months(file: Path) -> None:
    """A month of joining after the day counts as none."""
    assert read(file, row(joined="2027-03")).people[0].tenure == 0


def test_other_columns_empty_lines_and_marks_are_passed_over(file: Path) -> None:
    """A byte order mark, columns that nobody knows, even twice, and lines without anything."""
    header, line = row(shoe_size="41").splitlines()
    text = f"\ufeff{header},shoe_size\r\n\r\n{line},42\r\n,,,,,,,,,,,,\r\n"
    assert [person.id for person in read(file, text).people] == ["a1"]


def test_names_are_not_kept(file: Path) -> None:
    """Neither a name nor an address nor a title is in what was read, not even of a row that is wrong."""
    for text in (row(), row(level="99"), row(name="=Ann", email="nobody", title="")):
        assert not {"Ann", "a@b.org", "Chief"} & set(repr(read(file, text)).replace("'", " ").split())
    assert len(read(file, row(name="=Ann", email="nobody", title="")).people) == 1


# -- rows that are left out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "text", "sentence"),
    [
        ("employee_id", "", "is empty"),
        ("employee_id", "x" * 65, "is longer than 64 characters"),
        ("employee_id", "=1+1", "begins with '=', which a spreadsheet runs as a formula; write plain text"),
        ("employee_id", "a\x1b[31m", "holds a line break or another control character"),
        ("manager_id", "@b2", "begins with '@', which a spreadsheet runs as a formula; write plain text"),
        ("level", "13", "is '13', but must be a whole number from 1 to 12"),
        ("level", "0", "is '0', but must be a whole number from 1 to 12"),
        ("level", "two", "is 'two', but must be a whole number from 1 to 12"),
        ("level", "9" * 5000, f"is '{'9' * 40}…', but must be a whole number from 1 to 12"),
        ("level", "", "is empty"),
        ("unit", "u" * 81, "is longer than 80 characters"),
        ("country", "UK", "is 'UK', which is not a two-letter country code such as DE"),
        ("time_zone", "Europe/Atlantis", "is 'Europe/Atlantis', which is not a time zone such as Europe/Berlin"),
        ("time_zone", "../../etc/passwd", "is '../../etc/passwd', which is not a time zone such as Europe/Berlin"),
        ("languages", "en;xx", "names 'xx', which is not a two-letter language code such as en"),
        ("joined", "2024-13", "is '2024-13', but must be a month such as 2024-03"),
        ("work_to", "9", "is not after work_from; both are local hours of the same day"),
        ("work_from", "24", "is '24', but must be a whole number from 0 to 23"),
        ("offers", "Cloud", "names 'Cloud', which is not an area code such as ai-tools; areas are separated by ';'"),
        ("seeks", ";".join(f"a{n}" for n in range(13)), "names 13 values, but at most 12 are kept"),
        ("mentor_capacity", "11", "is '11', but must be a whole number from 0 to 10"),
        ("enrolled", "maybe", "is 'maybe', but must be yes or no"),
        ("in_person", "1", "is '1', but must be yes or no"),
        ("waiting_days", "soon", "is 'soon', but must be a whole number from 0 to 9999"),
        ("function", "f" * 81, "is longer than 80 characters"),
        ("likes", ";".join(f"f{n}" for n in range(13)), "names 13 values, but at most 12 are kept"),
        ("likes", "+sales", "begins with '+', which a spreadsheet runs as a formula; write plain text"),
    ],
)
def test_a_wrong_cell_is_told_by_line_and_column(file: Path, column: str, text: str, sentence: str) -> None:
    """Its row is left out."""
    found = read(file, row(**{column: text}))
    assert [error.told() for error in found.refused] == [f"line 2, {column} {sentence}."]
    assert found.people == []


def test_the_other_rows_are_read(file: Path) -> None:
    """A short row, a wrong one and a second one with the same id are told, each by itself; the rest stands."""
    header, line = row().splitlines()
    text = "\n".join(
        [header, line, "a2,x", line.replace("a1", "a3").replace("GB", "ZZ"), line, line.replace("a1", "a4")]
    )
    found = read(file, text)
    assert [person.id for person in found.people] == ["a1", "a4"]
    assert [error.told() for error in found.refused] == [
        "line 3 has 2 cells, but line 1 names 11 columns.",
        "line 4, country is 'ZZ', which is not a two-letter country code such as DE.",
        "line 5, employee_id stands on line 2 already, and that line counts.",
    ]


def test_all_that_is_wrong_with_a_row_is_told_at_once(file: Path) -> None:
    """Whoever corrects a row sees everything."""
    found = read(file, row(level="x", joined=""))
    assert sorted(error.column for error in found.refused) == ["joined", "level"]


# -- files that can't be used ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "The people file is empty. Its first line names the columns: employee_id, email, "),
        (b"\n", "The people file is empty."),
        (
            "\ufeff".encode("utf-16"),
            "The people file is not UTF-8 text (line 1). Save it as 'CSV UTF-8' and try again.",
        ),
        (HEADER.encode() + b"\na1,\xff", "The people file is not UTF-8 text (line 2)."),
        (b"a\x00b", "Line 1 is not text. Save the file as 'CSV UTF-8'."),
        (
            HEADER.replace("level,", "").replace(",joined", "").encode(),
            "Line 1 of the people file: these columns are missing: level, joined. Columns are separated by commas.",
        ),
        (HEADER.replace(",", ";").encode(), "these columns are missing: employee_id, "),
        (
            f"{HEADER},Level,likes,likes".encode(),
            "Line 1 of the people file: these columns stand there twice: level, likes.",
        ),
        (f'{HEADER}\n"a1'.encode(), "The people file is not readable as CSV near line 2: unexpected end of data."),
    ],
)
def test_a_file_that_is_no_roster_is_one_sentence(file: Path, text: bytes, sentence: str) -> None:
    """It says what to do about the whole file."""
    with pytest.raises(FileError) as refused:
        read(file, text)
    assert sentence in refused.value.detail


def test_a_file_that_is_not_there_is_one_sentence(file: Path) -> None:
    """Of rosters and of rules."""
    with pytest.raises(FileError, match=r"We could not read .*file: No such file or directory\."):
        read_roster(file, DAY, lambda _share: None)
    with pytest.raises(FileError, match=r"We could not read .*file: No such file or directory\."):
        read_rules(file)


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_are_read(file: Path) -> None:
    """What a file does not name has its default."""
    file.write_text('{"level_gap": 3, "areas": ["cloud"], "weights": {"hours": 10}}')
    rules = read_rules(file)
    assert (rules.level_gap, rules.areas, rules.weights.hours, rules.common_minutes) == (3, ("cloud",), 10, 60)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"level_gap": 12}', "level_gap is 12, but must be at most 11."),
        ('{"level_gap": -1}', "level_gap is -1, but must be at least 0."),
        ('{"level_gap": "many"}', 'level_gap is "many", but must be a whole number.'),
        ('{"level_gap": 1.5}', "level_gap is 1.5, but must be a whole number."),
        ('{"level_gap": null}', "level_gap is null, but must be a whole number."),
        ('{"level_gap": [2]}', "level_gap is [2], but must be a whole number."),
        ('{"reverse_only": "perhaps"}', 'reverse_only is "perhaps", but must be true or false.'),
        ('{"areas": "cloud"}', 'areas is "cloud", but must be a list in square brackets.'),
        ('{"areas": ["Cloud"]}', 'areas.0 is "Cloud", which is not an area code such as ai-tools.'),
        ('{"areas": [""]}', "areas.0 is empty."),
        ('{"areas": ["cloud", "cloud"]}', "areas names an area twice: name each area once."),
        ('{"levelgap": 2}', "levelgap is not a field of rules; level_gap is."),
        ('{"weights": {"area": 20000}}', "weights.area is 20000, but must be at most 10000."),
        ('{"weights": {"aera": 1}}', "weights.aera is not a field of rules; area is."),
        ('{"weights": 3}', "weights is 3, but must be an object in curly brackets."),
        ('{"zzz": 1, "expiry_days": 0}', "expiry_days is 0, but must be at least 1; zzz is not a field of rules."),
        ('{"level_gap": 0}', "reverse_only asks for a mentee above the mentor, but level_gap 0 allows equals: "),
        ('{"direction": "age"}', """direction is "age", but must be 'level' or 'experience'."""),
        ('{"mentor_tenure": 9, "new_joiner_months": 3}', "months ago, but new_joiner_months for at most 3: lower the"),
        ('{"level_gap": 2, "level_gap": 3}', "the field level_gap stands there twice."),
        ('{"\\ud800": 2}', "a field's name holds a character that does not exist."),
        ('{"areas": ["\\ud800"]}', "areas.0 holds a character that does not exist."),
        ('{"\\u001b[31m": 2}', "?[31m is not a field of rules."),
        ("[]", "must hold one JSON object with the fields of rules."),
        ("{level_gap: 2}", "is not JSON: line 1, column 2: Expecting property name enclosed in double quotes."),
        ("[" * 500_000, "is nested too deeply to be rules."),
        (b"\xff", "is not UTF-8 text."),
        (" " * 1_000_001, "is larger than 1 MB and was not read: a rules file has a few kilobytes."),
    ],
)
def test_wrong_rules_are_told_by_their_field(file: Path, text: str | bytes, sentence: str) -> None:
    """In plain words, each with what would be right."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError) as refused:
        read_rules(file)
    assert sentence in refused.value.detail
    assert "pydantic" not in refused.value.detail
