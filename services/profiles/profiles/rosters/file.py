"""A roster's file on disk: text in lines and cells, before anybody asks what they mean."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from profiles.rosters.columns import LONGEST_NAME, MOST_COLUMNS, RosterError, delimiter_of


@dataclass(slots=True)
class RosterFile:
    """A file that is read as a stream. `total` is its size in bytes; `position` how far the current reading is."""

    path: Path
    position: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        self.total = self.path.stat().st_size

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each line of the table, with the line's number in the file.

        Raises:
            RosterError: the file is not UTF-8 or not CSV.
        """
        self.position = 0
        lines = self._lines()
        first = next(lines, "")
        reader = csv.reader(chain([first], lines), strict=True, delimiter=delimiter_of(first))
        try:
            for cells in reader:
                yield reader.line_num, cells
        except csv.Error as error:
            raise RosterError(f"The file is not readable as CSV near line {reader.line_num}: {error}.") from error

    def beginning(self, rows: int) -> tuple[tuple[str, ...], list[list[str]]]:
        """The names on the first line, and so many of the lines after it, as they stand there.

        Raises:
            RosterError: the file is not UTF-8 or not CSV.
        """
        lines = [[cell.strip() for cell in cells] for _number, cells in islice(self.cells(), rows + 1)]
        return (tuple(lines[0]), lines[1:]) if lines else ((), [])

    def _lines(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                self.position += len(line)
                yield _decode(line, number)


def header_of(path: Path) -> tuple[str, ...]:
    """The first line's names; none when reading the rows will have to say what is wrong with the file."""
    try:
        header, _rows = RosterFile(path).beginning(0)
    except RosterError:
        return ()
    return header if len(header) <= MOST_COLUMNS and all(len(name) <= LONGEST_NAME for name in header) else ()


def _decode(line: bytes, number: int) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise RosterError(
            f"The file is not UTF-8 text (line {number}). Save it as 'CSV UTF-8' and import it again."
        ) from error
    if "\x00" in text:
        raise RosterError(f"Line {number} is not text. Save the file as 'CSV UTF-8' and import it again.")
    return text
