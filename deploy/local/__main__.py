"""`python -m local run|setup|reset|fast-db`: the commands behind the Makefile."""

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from local import browser, doctor, messages, setup, story
from local.people import Someone
from local.places import STATE
from local.ports import Ports, listening
from local.processes import StackError
from local.serving import serve
from local.stack import Stack

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Turnabout on one machine."
)
console = Console(highlight=False)
_started = time.monotonic()


@app.command()
def run(
    port: Annotated[int, typer.Option(help="Port of the gateway; the others follow it.")] = 8080,
    roster: Annotated[Path | None, typer.Option(help="Your own people instead of the demo company.")] = None,
    state: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = STATE,
) -> None:
    """Start everything, and stay until Ctrl-C."""
    if roster is not None and not roster.is_file():
        _fail(StackError(f"There is no file {roster}. Give ROSTER=people.csv with the columns of docs/roster.md."))
    try:
        _say("setting up")
        setup.prepare()
        asyncio.run(_until_signal(Stack(state, Ports(port), _say), roster))
    except StackError as error:
        _fail(error)
    except OSError as error:
        _fail(StackError(f"{error.filename or state} can't be used: {error.strerror}. Is the disk full or read-only?"))


async def _until_signal(stack: Stack, roster: Path | None) -> None:
    serving = asyncio.create_task(serve(stack, roster, _announce))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        _say("stopped; the data is kept (`make reset` forgets it)")


def _announce(stack: Stack, people: list[Someone]) -> None:
    table = Table("sign in as", "who that is", box=None, padding=(0, 2, 0, 0))
    for person in people:
        table.add_row(person.email, person.role)
    console.print()
    console.print(table)
    console.print(f"\nmail: {stack.address}/mailbox   logs: {stack.state / 'logs'}   stop: Ctrl-C", soft_wrap=True)
    console.print(f"ready: {stack.address}", soft_wrap=True)


@app.command()
def history(
    port: Annotated[int, typer.Option(help="Port of the gateway; the others follow it.")] = 8080,
    pairs: Annotated[int, typer.Option(min=1, help="How many pairs live.")] = 60,
    months: Annotated[int, typer.Option(min=1, max=24, help="For how long.")] = 6,
    seed: Annotated[int, typer.Option(help="Another one makes another history.")] = 1,
    state: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = STATE,
) -> None:
    """Give an empty stack a past, in minutes; `run` then shows it."""
    try:
        setup.prepare()
        asyncio.run(story.show(Stack(state, Ports(port), _say), pairs, months, seed, console))
    except (StackError, KeyboardInterrupt, asyncio.CancelledError) as error:
        _fail(error if isinstance(error, StackError) else StackError(story.BROKEN_OFF))


@app.command("setup")
def set_up() -> None:
    """Fetch what the stack needs beyond the Python packages."""
    try:
        setup.prepare()
    except StackError as error:
        _fail(error)


@app.command()
def reset(
    state: Annotated[Path, typer.Option(help="The folder to forget.")] = STATE,
    port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8080,
) -> None:
    """Forget all data of the local stack; downloads stay."""
    if listening(Ports(port).kafka):
        _fail(StackError("The stack is still running. Stop it with Ctrl-C first."))
    shutil.rmtree(state, ignore_errors=True)
    _say("forgotten; the next start begins anew")


@app.command("fast-db")
def fast_db() -> None:
    """Build the faster database server once; it is used by itself from then on."""
    try:
        setup.build_fast_database()
    except StackError as error:
        _fail(error)


@app.command("browser")
def see_to_browser() -> None:
    """See to the browser that the journeys need."""
    try:
        browser.provide()
    except StackError as error:
        _fail(error)


@app.command("screenshots")
def take_screenshots(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = STATE / "screenshots",
    *,
    tour: Annotated[bool, typer.Option(help="Only those that the documentation shows.")] = False,
) -> None:
    """Take a picture of every page in every language."""
    from local import screenshots  # noqa: PLC0415 - playwright is there for development only

    try:
        browser.provide()
        setup.prepare()
        views = [screenshots.TOUR] if tour else screenshots.EVERYTHING
        asyncio.run(screenshots.take(folder, _say, views))
    except StackError as error:
        _fail(error)


@app.command("messages")
def update_messages() -> None:
    """Bring the catalogues of every language up to date with the source."""
    for line in messages.update():
        _say(line)


@app.command("doctor")
def examine(
    state: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = STATE,
    port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8080,
) -> None:
    """Say what is there on this machine and what is missing."""
    findings = list(doctor.look(state, Ports(port)))
    for finding in findings:
        console.print(
            f"{'ok     ' if finding.well else 'missing'}  {finding.part:<13} {finding.sentence}", soft_wrap=True
        )
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


@app.command(context_settings={"ignore_unknown_options": True})
def service(
    arguments: Annotated[list[str], typer.Argument(help="A service and its command, as after `python -m`.")],
    state: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = STATE,
    port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8080,
) -> None:
    """Run a service's own command against the running stack, for example `analytics rebuild`."""
    stack = Stack(state, Ports(port), _say)
    if not listening(stack.ports.kafka):
        _fail(StackError("The stack is not running. Start it with `make run` first."))
    try:
        stack.use_environment()
        print(asyncio.run(stack.command(*arguments)), end="")
    except StackError as error:
        _fail(error)


def _say(text: str) -> None:
    console.print(f"{time.monotonic() - _started:6.1f} s  {text}", soft_wrap=True)


def _fail(error: StackError) -> NoReturn:
    console.print(f"\n{error}", soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
