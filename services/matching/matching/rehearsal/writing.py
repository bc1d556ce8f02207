"""The proposals as a CSV file that a spreadsheet may open."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from chassis.translation import gettext as _

from matching.engine.proposals import Proposal
from matching.engine.rules import Term
from matching.rehearsal.cells import FORMULA
from matching.rehearsal.reading import FileError

_COLUMN_OF: Final = {term: term.value for term in Term} | {Term.AREAS: "areas-points"}
"""The shared areas stand in a column of that name already."""
COLUMNS: Final = ("mentor", "mentee", "areas", "score", *_COLUMN_OF.values())


def check_place(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse a place for the proposals before anything takes time.

    Raises:
        FileError: the folder is not there, or the file would replace what is read.
    """
    if out.is_dir() or not out.parent.is_dir():
        raise FileError(_("{path} can't be written: name a file in a folder that exists.").format(path=out))
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise FileError(_("{path} would replace a file that is read: name another one.").format(path=out))


def write_proposals(out: Path, proposals: Iterable[Proposal]) -> None:
    """Write all proposals, the best first. Whoever looks at the file meanwhile sees the old one or the whole new one.

    Raises:
        FileError: it can't be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(_cells(proposal) for proposal in proposals)
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(_("We could not write {path}: {why}.").format(path=out, why=error.strerror)) from error


def harmless(text: str) -> str:
    """A text that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cells(proposal: Proposal) -> tuple[str | int, ...]:
    return (
        harmless(proposal.mentor),
        harmless(proposal.mentee),
        harmless(";".join(proposal.areas)),
        proposal.score,
        *(proposal.terms.get(term.value, 0) for term in _COLUMN_OF),
    )
