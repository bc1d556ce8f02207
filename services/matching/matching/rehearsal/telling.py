"""A rehearsal in words and columns, or as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from chassis.translation import gettext as _
from contracts.matching import Side

from matching.rehearsal.comparing import Comparison
from matching.rehearsal.figures import Days, SideFigures, Summary, percent
from matching.rehearsal.reading import RowError

MOST_TOLD: Final = 20
_SIDES: Final = (Side.MENTEE, Side.MENTOR)
_LABEL: Final = 52
_COLUMN: Final = 24
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a rehearsal took."""

    reading_seconds: float
    engine_seconds: float
    all_seconds: float
    peak_mib: int


def tell(summary: Summary, refused: Sequence[RowError], cost: Cost) -> list[str]:
    """Everything about a rehearsal, as lines."""
    lines = [
        *tell_refused(refused, _("Rows that were left out:")),
        *_tell_chains(summary),
        _("People in the file: {people}; enrolled: {enrolled}; rows left out: {left_out}.").format(
            people=f"{summary.people:,}", enrolled=f"{summary.enrolled:,}", left_out=f"{summary.left_out:,}"
        ),
        _tell_pairs(summary),
    ]
    if not summary.enrolled:
        lines.append(_("Nobody takes part: the column enrolled says yes for nobody."))
    lines += ["", *_tell_sides(summary)]
    for side in _SIDES:
        lines += _tell_obstacles(side, summary.sides[side])
    return [*lines, "", *_tell_cost(cost)]


def _tell_pairs(summary: Summary) -> str:
    if not summary.pairs:
        return _("Pairs: 0. No two people can be proposed to each other.")
    return _("Pairs: {pairs}. They are worth at least {certificate} % of the best possible.").format(
        pairs=f"{summary.pairs:,}", certificate=certified(summary.certificate)
    )


def certified(certificate: int) -> str:
    """Hundredths of a percent as percent."""
    return f"{certificate // 100}.{certificate % 100:02d}"


def tell_refused(refused: Sequence[RowError], title: str) -> list[str]:
    """The rows that are wrong, the first of them in full."""
    return [title, *_first(error.told() for error in refused), ""] if refused else []


def tell_comparison(comparison: Comparison, names: tuple[str, str]) -> list[str]:
    """Two sets of rules side by side."""
    both = (comparison.first, comparison.second)
    lines = [
        _line(_("Side by side"), names),
        _line(_("Pairs"), [f"{each.pairs:,}" for each in both]),
        _line(_("Pairs that both propose"), [f"{comparison.in_common:,}"] * 2),
        _line(_("At least so much of the best possible"), [f"{certified(each.certificate)} %" for each in both]),
        _line(_("Value in points, each by its own rules"), [f"{each.value:,}" for each in both]),
    ]
    for side in _SIDES:
        served, filled, only = _labels(side)
        difference = comparison.sides[side]
        lines += [
            _line(served, [_of(each.sides[side].served, each.sides[side].people) for each in both]),
            _line(filled, [_of(each.sides[side].filled, each.sides[side].places) for each in both]),
            _line(only, [f"{len(difference.only_first):,}", f"{len(difference.only_second):,}"]),
        ]
    return [*lines, _("The proposals of the first are written.")]


def _labels(side: Side) -> tuple[str, str, str]:
    if side is Side.MENTEE:
        return _("Mentees with a pair"), _("Mentees' places filled"), _("Mentees with a pair only under these rules")
    return _("Mentors with a pair"), _("Mentors' places filled"), _("Mentors with a pair only under these rules")


def as_json(
    summary: Summary, refused: Iterable[RowError], cost: Cost, comparison: Comparison | None, told: Sequence[str]
) -> dict[str, Any]:
    """The same as one JSON object."""
    content = {
        **_summary_json(summary),
        "circular": list(summary.circular),
        "manager_not_in_file": list(summary.broken),
        "waiting": list(summary.waiting),
        "rows_left_out": [asdict(error) for error in refused],
        "cost": asdict(cost),
    }
    if comparison is not None:
        content["against"] = {
            **_summary_json(comparison.second),
            "pairs_in_common": comparison.in_common,
            **{f"{side.value}s_served": asdict(difference) for side, difference in comparison.sides.items()},
        }
    return content | ({"told": list(told)} if told else {})


def _summary_json(summary: Summary) -> dict[str, Any]:
    return {
        "people": summary.people,
        "enrolled": summary.enrolled,
        "left_out": summary.left_out,
        "pairs": summary.pairs,
        "value": summary.value,
        "bound": summary.bound,
        "at_least_percent_of_best": summary.certificate / 100,
        **{
            f"{side.value}s": _side_json(figures, tells_waiting=summary.tells_waiting)
            for side, figures in summary.sides.items()
        },
    }


def _side_json(figures: SideFigures, *, tells_waiting: bool) -> dict[str, Any]:
    content = asdict(figures) | {"share_percent": figures.share}
    content["load"] = {str(pairs): people for pairs, people in figures.load.items()}
    # Nobody should read "zero days" where nobody has told any.
    return content if tells_waiting else content | {"served_waited": None, "others_waited": None}


def _tell_chains(summary: Summary) -> list[str]:
    circular = (
        _("{member}: following the managers leads back to the same person.").format(member=member)
        for member in summary.circular
    )
    broken = (
        _("{member}: the manager is in no row that can be used.").format(member=member) for member in summary.broken
    )
    lines: list[str] = []
    if summary.circular or summary.broken:
        lines += [_("Managers that lead nowhere:"), *_first((*circular, *broken))]
    if summary.waiting:
        text = _("Waiting, because it is not known who is above them (unknown_chains is false): {count}.")
        lines += [text.format(count=f"{len(summary.waiting):,}"), *_first(summary.waiting)]
    return [*lines, ""] if lines else []


def _first(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    told = [f"  {line}" for line in every[:MOST_TOLD]]
    if more := len(every) - len(told):
        told.append(_("  … and {count} more").format(count=f"{more:,}"))
    return told


def _tell_sides(summary: Summary) -> list[str]:
    sides = [summary.sides[side] for side in _SIDES]
    lines = [
        _line("", [_("mentees"), _("mentors")]),
        _line(_("Take part"), [f"{each.people:,}" for each in sides]),
        _line(_("Have a pair"), [f"{each.served:,}" for each in sides]),
        _line(_("Share that has a pair"), [f"{each.share:.1f} %" if each.people else _NONE for each in sides]),
        _line(_("Places filled"), [_of(each.filled, each.places) for each in sides]),
    ]
    if any(each.silent for each in sides):
        lines.append(_line(_("Name only areas that do not count"), [f"{each.silent:,}" for each in sides]))
    for pairs in range(max((count for each in sides for count in each.load), default=0) + 1):
        text = _("People with so many pairs: {pairs}").format(pairs=pairs)
        lines.append(_line(text, [f"{each.load.get(pairs, 0):,}" for each in sides]))
    if not summary.tells_waiting:
        return [*lines, _("Days of waiting: the file has no column waiting_days.")]
    return [
        *lines,
        _line(_("Days waited, with a pair: median, 95th percentile"), [_days(each.served_waited) for each in sides]),
        _line(_("Days waited, without one: median, 95th percentile"), [_days(each.others_waited) for each in sides]),
    ]


def _tell_obstacles(side: Side, figures: SideFigures) -> list[str]:
    if not figures.obstacles:
        return []
    mentee = side is Side.MENTEE
    title = _("Mentees without a pair: {count}; what most often stands in their way:")
    title = title if mentee else _("Mentors without a pair: {count}; what most often stands in their way:")
    count = figures.people - figures.served
    lines = ["", title.format(count=f"{count:,}")]
    if figures.looked_at < count:
        lines.append(_("  (looked at {some} of them, spread evenly)").format(some=f"{figures.looked_at:,}"))
    words = obstacles()
    lines += [f"  {each.people:>8,}  {words.get(each.code, each.code)}" for each in figures.obstacles]
    if figures.relief:
        told = ", ".join(
            f"{words.get(f'excluded-by-{rule}', rule)} ({people:,})" for rule, people in figures.relief.items()
        )
        lines.append(_("  Somebody would be possible for so many without only: {rules}.").format(rules=told))
    return lines


def obstacles() -> dict[str, str]:
    """What stands in the way of many, by the code of the engine's reason."""
    return {
        "nobody-on-the-other-side": _("nobody on the other side takes part"),
        "none-was-free": _("somebody passes every rule, but has places only for pairs that count more"),
        "excluded-by-level-gap": _("too few levels apart"),
        "excluded-by-experience-gap": _("joined too few years apart"),
        "excluded-by-common-area": _("no shared area"),
        "excluded-by-common-hours": _("too few common working hours"),
        "excluded-by-common-language": _("no shared language"),
        "excluded-by-different-unit": _("same unit"),
        "excluded-by-management-chain": _("in the management chain"),
        "excluded-by-same-manager": _("same manager"),
        "excluded-by-tenure": _("joined too recently"),
        "excluded-by-new-joiner": _("no new joiner any more"),
    }


def _tell_cost(cost: Cost) -> list[str]:
    text = _("Seconds: {reading} for reading, {engine} for the engine, {all} in all. Memory at most: {peak} MiB.")
    return [
        text.format(
            reading=f"{cost.reading_seconds:.1f}",
            engine=f"{cost.engine_seconds:.1f}",
            all=f"{cost.all_seconds:.1f}",
            peak=f"{cost.peak_mib:,}",
        )
    ]


def _line(label: str, columns: Sequence[str]) -> str:
    return (label.ljust(_LABEL) + "".join(column.rjust(_COLUMN) for column in columns)).rstrip()


def _of(some: int, everybody: int) -> str:
    share = f" ({percent(some, everybody):.1f} %)" if everybody else ""
    return f"{some:,}/{everybody:,}{share}"


def _days(days: Days) -> str:
    return f"{days.median}, {days.high}" if days.people else _NONE
