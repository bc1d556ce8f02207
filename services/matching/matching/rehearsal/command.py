"""`python -m matching rehearse --people people.csv --rules rules.json --out proposals.csv`."""

import json
import re
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from chassis.errors import InvalidError
from chassis.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from chassis import clock
from matching.engine.engine import Engine
from matching.engine.rules import Rules
from matching.rehearsal.asking import about_pair, about_person, require
from matching.rehearsal.comparing import Comparison, compare
from matching.rehearsal.figures import Found, Summary, summarize
from matching.rehearsal.reading import FileError, Roster, read_roster
from matching.rehearsal.rules_file import read_rules
from matching.rehearsal.telling import Cost, as_json, tell, tell_comparison, tell_refused
from matching.rehearsal.writing import check_place, write_proposals

_BAD_INPUT: Final = 2
_PROCESS: Final = Path("/proc/self/status")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is rehearsed, and whom a lead wants to know more about."""

    people: Path
    rules: Path
    out: Path
    against: Path | None
    explain: str | None
    pair: tuple[str, str] | None
    day: date
    strict: bool

    @property
    def files(self) -> list[Path]:
        """What is read."""
        return [path for path in (self.people, self.rules, self.against) if path is not None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of it."""

    roster: Roster
    summary: Summary
    comparison: Comparison | None
    told: list[str]
    """About one person or pair."""
    cost: Cost


@app.command()
def rehearse(
    *,
    people: Annotated[Path, typer.Option(help="The roster, a CSV file; docs/rehearsal.md names its columns.")],
    rules: Annotated[Path, typer.Option(help="The programme's rules, a JSON file.")],
    out: Annotated[Path, typer.Option(help="Where the proposals go, a CSV file.")],
    explain: Annotated[str | None, typer.Option(help="Everything about one person: an employee_id.")] = None,
    pair: Annotated[
        tuple[str, str] | None, typer.Option(help="Why these two, or why not: a mentor's and a mentee's employee_id.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Other rules, to see both side by side.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day for time zones and months since joining.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End when a row is wrong.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Tell the summary as JSON.")] = False,
) -> None:
    """Try a programme on files, without a server: who would get whom, how far it reaches, and why not further."""
    day = on.date() if on else clock.today()
    asked = Asked(people, rules, out, against, explain, pair, day, strict)
    try:
        done = _rehearse(asked)
    except InvalidError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(_BAD_INPUT) from error
    if as_data:
        content = as_json(done.summary, done.roster.refused, done.cost, done.comparison, done.told)
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    lines = tell(done.summary, done.roster.refused, done.cost)
    if done.comparison is not None and against is not None:
        lines += ["", *tell_comparison(done.comparison, (rules.name, against.name))]
    lines.append(_("Written: {path}").format(path=out))
    typer.echo("\n".join([*lines, *(["", *done.told] if done.told else [])]))


def main(arguments: Sequence[str]) -> int:
    """Rehearse as the arguments say; returns the exit code."""
    try:
        app(args=list(arguments), prog_name="python -m matching rehearse")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _rehearse(asked: Asked) -> Rehearsed:
    began = time.perf_counter()
    check_place(asked.out, asked.files)
    rules = [read_rules(path) for path in (asked.rules, asked.against) if path is not None]
    with _bar() as bar:
        task = bar.add_task(_("Reading"), total=1.0)
        roster = read_roster(asked.people, asked.day, lambda share: bar.update(task, completed=share))
        read = time.perf_counter()
        _check(asked, roster)
        found = [_run(bar, each, roster, path.name) for each, path in zip(rules, asked.files[1:], strict=True)]
    ran = time.perf_counter()
    summaries = [summarize(roster, each) for each in found]
    comparison = compare(found[0], found[1], (summaries[0], summaries[1])) if asked.against else None
    write_proposals(asked.out, found[0].run.proposals)
    told = about_person(found[0], asked.explain) if asked.explain is not None else []
    if asked.pair is not None:
        told += about_pair(found[0], *asked.pair)
    cost = Cost(read - began, ran - read, time.perf_counter() - began, peak_mib())
    return Rehearsed(roster, summaries[0], comparison, told, cost)


def _check(asked: Asked, roster: Roster) -> None:
    """Refuse what the engine need not be asked about."""
    title = _("Nothing was rehearsed. Rows that are wrong:")
    errors = "\n".join(tell_refused(roster.refused, title)).rstrip()
    if errors and (asked.strict or not roster.people):
        raise FileError(errors)
    if not roster.people:
        raise FileError(_("The people file names nobody: only its first line is there."))
    require(roster, [*([asked.explain] if asked.explain is not None else []), *(asked.pair or ())])


def _run(bar: Progress, rules: Rules, roster: Roster, name: str) -> Found:
    task = bar.add_task(_("Pairing by {rules}").format(rules=name), total=1.0)
    engine = Engine(rules, roster.people)
    return Found.of(engine, engine.run(progress=lambda share: bar.update(task, completed=share)))


@contextmanager
def _bar() -> Iterator[Progress]:
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with progress:
        yield progress


def peak_mib() -> int:
    """The most memory that this process has held.

    The kernel's own figure is asked first: what `getrusage` tells on Linux can be that of the process that started us.
    """
    if _PROCESS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", _PROCESS.read_text())):
        return int(found[1]) // 1_024
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 1_048_576
