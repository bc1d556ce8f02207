"""The report as CSV: one long table, a figure a line, with what it is of and what it means."""

import csv
import io
from collections.abc import Iterator
from typing import Final, NamedTuple

from chassis.translation import gettext as _

from analytics import participation
from analytics.measures import STAGES, Stage
from analytics.participation import DEFINITIONS, Participation
from analytics.standing import Time

PROTECTED: Final = "fewer than 5 or protected"
NOT_REACHED: Final = "not reached yet"
_HELD, _CANCELLED, _ASKED = "sessions held", "sessions cancelled", "sessions asked for"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """One figure. `base` names what it is of, and `of` is how many those are; both are empty where it is of nothing."""

    period: str
    breakdown: str
    group: str
    figure: str
    value: str
    base: str
    of: str
    definition: str


def as_csv(seen: Participation) -> str:
    """Every figure of the page."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(Line._fields)
    for lines in (_people(seen), _sessions(seen), _times(seen)):
        writer.writerows(lines)
    return text.getvalue()


def _people(seen: Participation) -> Iterator[Line]:
    everybody = [("all", "", [step.people for step in seen.funnel])]
    levels = [("level", group.key, list(group.people)) for group in seen.levels]
    units = [("unit", group.key, list(group.people)) for group in seen.units]
    for breakdown, group, people in (*everybody, *levels, *units):
        for stage, count in zip(STAGES, people, strict=True):
            of = (Stage.ELIGIBLE, _cell(people[0]))
            yield Line(seen.period, breakdown, _plain(group), stage, _cell(count), *of, _(DEFINITIONS[stage]))


def _sessions(seen: Participation) -> Iterator[Line]:
    for month in seen.months:
        everybody, asked = (month.period, "all", ""), _cell(month.asked)
        yield Line(*everybody, _HELD, _cell(month.held), _ASKED, asked, _(participation.HELD))
        yield Line(*everybody, _CANCELLED, _cell(month.cancelled), "", "", _(participation.CANCELLED))
        yield Line(*everybody, _ASKED, asked, "", "", _(participation.ASKED))
        yield Line(*everybody, "percent held", _cell(month.kept), _ASKED, asked, _(participation.KEPT))
    so_far, asked = (seen.period, "months so far", ""), _cell(seen.so_far.asked)
    yield Line(*so_far, _HELD, _cell(seen.so_far.held), _ASKED, asked, _(participation.HELD))
    yield Line(*so_far, "percent held", _cell(seen.so_far.kept), _ASKED, asked, _(participation.KEPT))


def _times(seen: Participation) -> Iterator[Line]:
    for way in seen.ways:
        group = (seen.period, "level" if way.key else "all", _plain(way.key))
        of = (Stage.ENROLLED, _cell(way.enrolled))
        yield Line(*group, "median weeks to a start", _time(way.median), *of, _(participation.MEDIAN))
        yield Line(*group, "90th percentile of weeks to a start", _time(way.ninetieth), *of, _(participation.NINETIETH))
    of = (Stage.ENROLLED, _cell(seen.funnel[STAGES.index(Stage.ENROLLED)].people))
    yield Line(seen.period, "all", "", "waiting", _cell(seen.waiting.people), *of, _(participation.WAITING))
    for wait in seen.waits:
        yield Line(
            seen.period, "weeks of waiting", wait.key, "waiting", _cell(wait.people), *of, _(participation.WAITING)
        )


def _cell(figure: int | None) -> str:
    return PROTECTED if figure is None else str(figure)


def _time(time: Time) -> str:
    if not time.shown:
        return PROTECTED
    return NOT_REACHED if time.weeks is None else str(time.weeks)


def _plain(text: str) -> str:
    """A group's name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
