"""`python -m profiles import people.csv`: the customer's import at a terminal."""

import sys
from pathlib import Path
from typing import Final

from chassis.app import Service
from chassis.errors import TransientError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from profiles.rosters.columns import RosterError
from profiles.rosters.file import header_of
from profiles.rosters.importing import Report, import_roster
from profiles.rosters.jobs import Wish
from profiles.store import Store

_SHOWN: Final = 50


async def import_file(service: Service[Store], tenant: str, path: Path) -> int:
    """Import one roster and show what came of it; returns the exit code, 1 when nothing was imported."""
    console = Console(stderr=True)
    try:
        with _bar(console) as bar:
            task = bar.add_task("Reading and checking", total=100)

            async def show(report: Report) -> None:
                step = "Importing" if report.counts.imported else "Reading and checking"
                bar.update(task, completed=report.percent, description=step)

            async with service.opened() as (_delivery, store):
                wish = Wish(columns=await store.columns_chosen(tenant, header_of(path)))
                report = await import_roster(store, tenant, path, show, wish)
                bar.update(task, completed=100, description="Publishing")
    except RosterError as error:
        console.print(f"[red]Nothing was imported.[/] {error.detail}", highlight=False)
        return 1
    except FileNotFoundError:
        console.print(f"[red]There is no file {path}.[/]", highlight=False)
        return 1
    except TransientError:
        console.print("[red]The database does not answer.[/] Start it and import again: nothing is imported twice.")
        return 1
    _tell(console, report)
    return 0 if report.counts.imported else 1


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
    )


def _tell(console: Console, report: Report) -> None:
    counts = report.counts
    if report.errors:
        table = Table(title="Rows that were not imported", title_justify="left")
        table.add_column("Line", justify="right")
        table.add_column("Column")
        table.add_column("Reason", overflow="fold")
        for error in report.errors[:_SHOWN]:
            table.add_row(str(error.line), error.column, error.reason)
        console.print(table, markup=False)
        if len(report.errors) > _SHOWN:
            console.print(f"… and {len(report.errors) - _SHOWN} more.")
        console.print("Correct these rows and import the file again; rows that are there already stay as they are.")
    console.print(
        f"{counts.created} new, {counts.updated} changed, {counts.unchanged} unchanged, {counts.refused} refused.",
        highlight=False,
    )
