"""Check a folder of evidence: `python -m operations.checker <folder> [--json]`. Exits with 1 on a breach."""

import json
from pathlib import Path
from typing import Annotated

import typer

from operations.checker import folder as folders
from operations.checker import report
from operations.checker.checks import check


def main(
    folder: Annotated[Path, typer.Argument(help="Where the evidence lies; operations.checker.folder says how.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a breach and line.")] = False,
) -> None:
    """Check what a run left behind, and show the least that proves each breach."""
    try:
        evidence = folders.read(folder)
    except folders.UnreadableEvidenceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    breaches = check(evidence)
    if as_json:
        for breach in breaches:
            typer.echo(json.dumps(breach.to_json(), ensure_ascii=False))
    else:
        for line in report.lines(evidence, breaches):
            typer.echo(line)
    raise typer.Exit(1 if breaches else 0)


if __name__ == "__main__":
    typer.run(main)
