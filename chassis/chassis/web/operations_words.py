"""What an operator reads about each promise: what its figures mean, what to do when they are bad, and where more is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from babel.dates import format_timedelta

from chassis import translation
from chassis.translation import gettext as _
from chassis.translation import mark
from chassis.web.operations_report import Figure, Judgement, Process, Promise, Report
from chassis.web.pages import number

_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Words:
    """About one promise."""

    title: str
    means: str
    nothing: str
    """What stands there when there is no figure."""
    columns: tuple[str, ...]
    command: str
    """The `turnabout` command that shows more, if one does; the service is named behind it."""
    runbook: str
    """The section of the runbook on delivery that says what to do."""


_GROUP: Final = mark("Consumer group")
_WHY: Final = mark("Why")

WORDS: Final[Mapping[Promise, Words]] = {
    Promise.LAG: Words(
        mark("Lag"),
        mark(
            "How long the oldest event has waited that a consumer group has not handled yet. If it grows, find out "
            "what the group stands at; if it shrinks, the group is catching up."
        ),
        mark("No consumer group reads here."),
        (_GROUP, mark("Events before it"), mark("Oldest waits")),
        "turnabout lag",
        "A group that stands still",
    ),
    Promise.PAUSED: Words(
        mark("Paused partitions"),
        mark(
            "Partitions from which nothing is read at the moment. A fault ends once the database or the broker is "
            "back; for any other reason, look at the last deploy and at the log."
        ),
        mark("No partition is paused."),
        (_GROUP, _WHY, mark("Partitions")),
        "turnabout lag",
        "A group that stands still",
    ),
    Promise.DEAD_LETTERS: Words(
        mark("Dead letters"),
        mark(
            "Events that could not be handled and were put away. Look at each the same day, mend what it failed at, "
            "and redrive it; after 14 days it is gone."
        ),
        mark("There are no dead letters."),
        (_GROUP, _WHY, mark("Letters"), mark("Oldest")),
        "turnabout dead list",
        "Dead letters and parked keys",
    ),
    Promise.PARKED: Words(
        mark("Parked keys"),
        mark("People and pairs whose later events wait behind a dead letter, until you redrive or discard it."),
        mark("No key is parked."),
        (_GROUP, mark("Keys"), mark("Oldest")),
        "turnabout parked",
        "Dead letters and parked keys",
    ),
    Promise.PENDING: Words(
        mark("Pending"),
        mark(
            "How long the oldest document owes events or work. If it grows, look whether the broker takes anything and "
            "whether that work fails."
        ),
        mark("Nothing has been looked at yet."),
        (mark("Documents"), mark("Oldest")),
        "turnabout pending",
        "Old pending",
    ),
    Promise.WORK: Words(
        mark("Failed work"),
        mark(
            "Work on other documents, and mails, that failed since the start; it is tried again every few seconds. If "
            "it fails now, the log line work.failed or work.waiting says why."
        ),
        mark("No work has failed since the start."),
        (mark("Work"), mark("Failed attempts"), mark("Last failed")),
        "turnabout pending",
        "Old pending",
    ),
    Promise.TIMERS: Words(
        mark("Timers"),
        mark(
            "Documents whose time has come and that did not act, so that something expires, reminds or is sent too "
            "late. The log line timer.refused or timer.waiting says why."
        ),
        mark("There are no timers here."),
        (mark("Timer"), mark("Due"), mark("Oldest is late by")),
        "",
        "Late timers",
    ),
    Promise.RELAY: Words(
        mark("Relay"),
        mark(
            "Records that the broker acknowledged since the start, and states sent once more after a process took over "
            "from another. Many of the latter mean that processes die: look at their logs."
        ),
        mark("Nothing has been published yet."),
        (mark("Records"), mark("Since the start"), mark("Last acknowledged")),
        "turnabout pending",
        "Old pending",
    ),
}

_WHYS: Final[Mapping[str, str]] = {
    "opening": mark("has just been given its partitions"),
    "fault": mark("the database or the broker is away"),
    "breaker": mark("nearly everything fails"),
    "failed": mark("a bug in the consumer itself"),
    "handler-failed": mark("the handler failed three times"),
    "bad-body": mark("the body breaks the contract"),
    "bad-envelope": mark("the headers make no event"),
    "quarantined": mark("a batch was set aside unread"),
    "parked": mark("waits behind another letter"),
    "database": mark("waits for the database"),
    "broker": mark("waits for the broker"),
    "topics": mark("is still reading topics"),
    "access": mark("the broker refuses it"),
}
_SUBJECTS: Final[Mapping[str, str]] = {
    "reader": mark("readers of whole topics"),
    "published": mark("published"),
    "healed": mark("sent once more"),
}
_JUDGEMENTS: Final[Mapping[Judgement, str]] = {
    Judgement.GOOD: mark("Good"),
    Judgement.ATTENTION: mark("Look at it"),
    Judgement.BAD: mark("Bad"),
}
KINDS: Final[Mapping[Judgement, str]] = {
    Judgement.GOOD: "success",
    Judgement.ATTENTION: "warning",
    Judgement.BAD: "problem",
}


def judged(judgement: Judgement) -> str:
    """A judgement in words."""
    return _(_JUDGEMENTS[judgement])


def why(code: str) -> str:
    """A reason in words, with its code, which logs and commands use."""
    return f"{_(_WHYS[code])} ({code})" if code in _WHYS else code


def lasted(seconds: float | None, *, ago: bool = False) -> str:
    """How long, or how long ago, as people say it: in seconds below two minutes, in its largest unit above."""
    if seconds is None:
        return ""
    threshold = 2 if seconds >= 2 * _MINUTE else 2 * _MINUTE
    whole = round(seconds)
    span = timedelta(seconds=-max(whole, 1) if ago else whole)
    return str(format_timedelta(span, threshold=threshold, add_direction=ago, locale=translation.current().locale))


def columns(promise: Promise) -> list[str]:
    """The heads of its table."""
    return [*(_(column) for column in WORDS[promise].columns), _("Judgement")]


def cells(promise: Promise, figure: Figure) -> list[str]:
    """The figure as a row of its promise's table."""
    count = "" if figure.count is None else number(figure.count)
    subject = _(_SUBJECTS[figure.subject]) if figure.subject in _SUBJECTS else figure.subject
    match promise:
        case Promise.PAUSED:
            return [subject, why(figure.why), count]
        case Promise.DEAD_LETTERS:
            return [subject, why(figure.why), count, lasted(figure.seconds)]
        case Promise.PENDING:
            return [subject, lasted(figure.seconds)]
        case Promise.WORK | Promise.RELAY:
            return [subject, count, lasted(figure.seconds, ago=True)]
        case _:
            return [subject, count, lasted(figure.seconds)]


def state(process: Process) -> str:
    """Whether a process is there and ready, in words."""
    if not process.answers:
        return _("does not answer")
    if process.waiting_for:
        return ", ".join(why(what) for what in process.waiting_for)
    return _("ready")


def worries(report: Report) -> dict[str, str]:
    """The titles of what is not good, by where on the page it stands."""
    titles = {"processes": _("Processes")} if report.of_processes else {}
    return titles | {str(each): _(WORDS[each].title) for each in report.promises if report.of(each)}


def headline(report: Report) -> str:
    """How the service stands, in one sentence."""
    match report.judgement:
        case Judgement.GOOD:
            return _("Everything is as it should be.")
        case Judgement.ATTENTION:
            return _("Something deserves a look: %(what)s.") % {"what": ", ".join(worries(report).values())}
        case _:
            return _("Not as it should be: %(what)s.") % {"what": ", ".join(worries(report).values())}
