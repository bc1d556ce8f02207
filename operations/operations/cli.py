"""`turnabout`: what operators ask of a running system, and what they do about dead letters.

Exit codes: 0 done, 1 something failed or is unknown, 2 not possible, with one sentence that says why.
"""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from operations import asking, granting, telling
from operations.asking import Answer, NotPossibleError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="What goes on in Turnabout."
)
dead = typer.Typer(no_args_is_help=True, help="Dead letters: records that could not be handled.")
app.add_typer(dead, name="dead")
access = typer.Typer(no_args_is_help=True, help="Access: who may do what on the broker.")
app.add_typer(access, name="access")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
State = Annotated[
    Path | None, typer.Option("--state", help="Folder of a local stack, as .turnabout; else this environment.")
]
Service = Annotated[str | None, typer.Option("--service", help="Ask this service only.")]
Group = Annotated[str | None, typer.Option("--group", help="Only this consumer group.")]
Key = Annotated[str | None, typer.Option("--key", help="Only letters of this key.")]
PlaceOf = Annotated[str | None, typer.Option("--place", help="Only the letter of <topic>/<partition>/<offset>.")]
Subscriber = Annotated[str, typer.Argument(help="Its name, as hr-dashboard; its consumer groups begin with it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; otherwise it is only said what would be done.")]


@app.command()
def lag(*, as_json: AsJson = False, service: Service = None, state: State = None) -> None:
    """How many records each consumer group has before it, and how long the oldest has waited."""
    with _sentences():
        answers = asking.ask(asking.settings(state), asking.chosen(service, None), "lag")
        _print(answers, telling.lag(answers), as_json=as_json)


@app.command()
def pending(
    *,
    limit: Annotated[int, typer.Option(help="How many of each service at most.")] = 100,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """Which documents owe events or work, oldest first."""
    with _sentences():
        answers = asking.ask(asking.settings(state), asking.chosen(service, None), "pending", "--limit", str(limit))
        _print(answers, telling.pending(answers), as_json=as_json)


@app.command()
def parked(*, as_json: AsJson = False, service: Service = None, group: Group = None, state: State = None) -> None:
    """Which keys wait behind a dead letter."""
    with _sentences():
        found = asking.settings(state)
        answers = asking.ask(found, asking.chosen(service, group), "parked", *_named(group=group))
        _print(answers, telling.parked(answers), as_json=as_json)


@app.command()
def why(
    event: Annotated[str, typer.Argument(help="An event's id, or <topic>/<partition>/<offset>.")],
    *,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """What each consumer group did with an event."""
    with _sentences():
        answers = asking.ask(asking.settings(state), asking.chosen(service, None), "why", event)
        _print(answers, telling.why(answers), as_json=as_json)
    if not any(answer["found"] or answer["owed"] for answer in answers):
        raise typer.Exit(1)


@app.command()
def verify(
    *,
    settled: Annotated[bool, typer.Option(help="Nothing is under way any more, so nothing may be unfinished.")] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Check everything that the system holds against what delivery promises."""
    from chassis.errors import TransientError  # noqa: PLC0415 - the checker is no use to the other commands

    from operations import evidence  # noqa: PLC0415
    from operations.checker import report  # noqa: PLC0415

    with _sentences():
        try:
            seen, breaches = asyncio.run(evidence.verify(asking.settings(state), settled=settled))
        except TransientError as error:
            raise NotPossibleError(f"It can't be checked, because something does not answer: {error}.") from error
        told = {"breaches": [breach.to_json() for breach in breaches]}
        _print([], report.lines(seen, breaches), as_json=as_json, document=told)
    raise typer.Exit(1 if breaches else 0)


@dead.command("list")
def list_dead(
    *,
    group: Group = None,
    key: Key = None,
    place: PlaceOf = None,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """Those that nobody has dealt with."""
    with _sentences():
        found = asking.settings(state)
        answers = asking.ask(found, asking.chosen(service, group), "dead", "list", *_named(group, key, place))
        _print(answers, telling.letters(answers), as_json=as_json)


@dead.command("show")
def show_dead(
    *,
    group: Group = None,
    key: Key = None,
    place: PlaceOf = None,
    payload: Annotated[bool, typer.Option("--payload", help="With the bodies, which may be somebody's.")] = False,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """The same with their headers."""
    with _sentences():
        arguments = [*_named(group, key, place), *(["--payload"] if payload else [])]
        answers = asking.ask(asking.settings(state), asking.chosen(service, group), "dead", "show", *arguments)
        _print(answers, telling.details(answers), as_json=as_json)


@dead.command("redrive")
def redrive_dead(
    *,
    group: Group = None,
    key: Key = None,
    place: PlaceOf = None,
    yes: Yes = False,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """Hand them, and what waits behind them, to their handlers again, in order."""
    with _sentences():
        found, named = asking.settings(state), _named(group, key, place)
        answers = asking.ask(found, asking.chosen(service, group), "dead", "redrive", *named)
        concerned = [answer["service"] for answer in answers if answer["letters"]]
        if yes and concerned:
            answers = asking.run(found, concerned, "dead", "redrive", *named, "--yes")
        _print(answers, telling.redrive(answers), as_json=as_json)
    if any(answer.get("failed") or answer.get("interrupted") for answer in answers):
        raise typer.Exit(1)


@dead.command("discard")
def discard_dead(
    *,
    group: Group = None,
    key: Key = None,
    place: PlaceOf = None,
    behind: Annotated[bool, typer.Option("--parked", help="Also those that only wait behind another.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    service: Service = None,
    state: State = None,
) -> None:
    """Give them up. What waits behind stays, for a redrive."""
    with _sentences():
        flags = [*(["--parked"] if behind else []), *(["--yes"] if yes else [])]
        arguments = ["dead", "discard", *_named(group, key, place), *flags]
        answers = asking.ask(asking.settings(state), asking.chosen(service, group), *arguments)
        _print(answers, telling.discard(answers), as_json=as_json)


@access.command("list")
def list_access(*, as_json: AsJson = False, state: State = None) -> None:
    """Everything that the broker allows, and how that differs from the contracts."""
    with _sentences():
        found = granting.listing(asking.settings(state))
        _print([], granting.tell_listing(found), as_json=as_json, document=found)


@access.command("apply")
def apply_access(*, yes: Yes = False, as_json: AsJson = False, state: State = None) -> None:
    """Allow what the contracts say and nothing else, to services, operators and granted subscribers."""
    with _sentences():
        found = granting.apply(asking.settings(state), yes=yes)
        _print([], granting.tell_change(found), as_json=as_json, document=found)


@access.command("grant")
def grant_access(
    name: Subscriber,
    *,
    new_password: Annotated[bool, typer.Option("--new-password", help="Also when it has one.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Let a system outside read outside topics, and nothing else; its password is shown this once."""
    with _sentences():
        found = granting.grant(asking.settings(state), name, new_password=new_password, yes=yes)
        _print([], granting.tell_change(found), as_json=as_json, document=found)


@access.command("revoke")
def revoke_access(name: Subscriber, *, yes: Yes = False, as_json: AsJson = False, state: State = None) -> None:
    """Take everything from a system outside; open connections end within minutes."""
    with _sentences():
        found = granting.revoke(asking.settings(state), name, yes=yes)
        _print([], granting.tell_change(found), as_json=as_json, document=found)


def _named(group: str | None = None, key: str | None = None, place: str | None = None) -> list[str]:
    given = {"--group": group, "--key": key, "--place": place}
    return [part for name, value in given.items() if value is not None for part in (name, value)]


def _print(
    answers: Sequence[Answer], told: Iterator[Any], *, as_json: bool, document: dict[str, Any] | None = None
) -> None:
    if as_json:
        whole = {"services": list(answers)} if document is None else document
        typer.echo(json.dumps(whole, ensure_ascii=False, indent=2))
    else:
        telling.tell(told)


@contextmanager
def _sentences() -> Iterator[None]:
    """What is not possible ends with its sentence and exit code 2."""
    try:
        yield
    except NotPossibleError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def main() -> None:
    """The console script."""
    sys.exit(app())


if __name__ == "__main__":
    main()
