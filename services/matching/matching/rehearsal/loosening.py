"""What would have to be different for somebody to be possible: the rules that alone stand between two people."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from chassis.translation import gettext as _
from contracts.matching import Side

from matching.engine.directory import Rows
from matching.engine.engine import MYSELF, Engine
from matching.engine.packed.detail import RULE_BIT
from matching.engine.rules import Direction, Rule

_AREAS_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class _Near:
    """People of the other side whom one rule alone keeps from somebody: mentor rows and mentee rows side by side."""

    engine: Engine
    side: Side
    """The somebody's."""
    mentors: Rows
    mentees: Rows
    others: int

    def __len__(self) -> int:
        return max(len(self.mentors), len(self.mentees))

    def possible(self, count: int, condition: str) -> str:
        text = _("{count} of {others} would be possible {condition}.")
        return text.format(count=count, others=self.others, condition=condition)


def would_change(engine: Engine, side: Side, member: str) -> list[str]:
    """A sentence for each rule that alone keeps people away from a member, with the least that would have to change."""
    market = engine.directory
    row = np.array([market.row[member]], np.int64)
    others = market.open_rows(Side.MENTOR if side is Side.MENTEE else Side.MENTEE)
    failed = engine.failed(others, row)[0] if side is Side.MENTEE else engine.failed(row, others)[:, 0]
    others, failed = others[failed != MYSELF], failed[failed != MYSELF]
    lines = []
    for rule, tell in _TOLD.items():
        rows = others[failed == RULE_BIT[rule]]
        if len(rows):
            mentors, mentees = (rows, row) if side is Side.MENTEE else (row, rows)
            lines.append(tell(_Near(engine, side, mentors, mentees, len(others))))
    if not lines and len(others):
        lines.append(_("No single change helps: two rules or more keep everybody away."))
    return lines


def _hours(near: _Near) -> str:
    market, needed = near.engine.directory, near.engine.rules.common_minutes
    minutes = market.codes.common_minutes[market.window[near.mentees], market.window[near.mentors]]
    best = int(minutes.max())
    condition = _("with {fewer} fewer common minutes (common_minutes {best} instead of {needed})")
    return near.possible(int((minutes >= best).sum()), condition.format(fewer=needed - best, best=best, needed=needed))


def _level(near: _Near) -> str:
    market, rules = near.engine.directory, near.engine.rules
    by_level = rules.direction is Direction.LEVEL
    above = market.rank[near.mentees] - market.rank[near.mentors]
    apart = above if rules.reverse_only else np.abs(above)
    best = int(apart.max())
    if best < int(rules.reverse_only):
        turned = int((np.abs(above) >= rules.level_gap).sum())
        if not turned:
            text = (
                _("{count} of {others} are kept away by their level alone, being on the same or nearly so.")
                if by_level
                else _("{count} of {others} are kept away by their experience alone, having joined at about one time.")
            )
            return text.format(count=len(near), others=near.others)
        return near.possible(turned, _("if the mentee need not be above the mentor (reverse_only)"))
    condition = (
        _("with fewer levels between the two (level_gap {best} instead of {needed})")
        if by_level
        else _("with fewer years between the two (level_gap {best} instead of {needed})")
    )
    return near.possible(int((apart >= best).sum()), condition.format(best=best, needed=rules.level_gap))


def _tenure(near: _Near) -> str:
    market, rules = near.engine.directory, near.engine.rules
    missing = np.maximum(
        rules.mentor_tenure - market.tenure[near.mentors], rules.mentee_tenure - market.tenure[near.mentees]
    )
    least = int(missing.min())
    condition = _("in {months} months, or with as many fewer asked for (mentor_tenure, mentee_tenure)")
    return near.possible(int((missing <= least).sum()), condition.format(months=least))


def _new_joiner(near: _Near) -> str:
    tenure, most = near.engine.directory.tenure[near.mentors], near.engine.rules.new_joiner_months
    best = int(tenure.min())
    condition = _("if mentors may have joined {best} months ago (new_joiner_months {best} instead of {needed})")
    count = len(near) if len(near.mentors) == 1 else int((tenure <= best).sum())
    return near.possible(count, condition.format(best=best, needed=most))


def _areas(near: _Near) -> str:
    """Which areas would open the most doors."""
    market = near.engine.directory
    rows = near.mentors if near.side is Side.MENTEE else near.mentees
    named: Counter[str] = Counter()
    for row in rows.tolist():
        person = market.known(row)
        wishes = person.offers if near.side is Side.MENTEE else person.seeks
        named.update(area for area in dict.fromkeys(wishes) if near.engine.counts(area))
    most = sorted(named.items(), key=lambda item: (-item[1], item[0]))[:_AREAS_TOLD]
    told = ", ".join(f"{area} ({people})" for area, people in most)
    if near.side is Side.MENTEE:
        return near.possible(len(near), _("with one more area sought; offered most: {areas}").format(areas=told))
    return near.possible(len(near), _("with one more area offered; sought most: {areas}").format(areas=told))


def _language(near: _Near) -> str:
    return near.possible(len(near), _("without a common language (common_language)"))


def _unit(near: _Near) -> str:
    return near.possible(len(near), _("if the two may work in the same unit (different_unit)"))


def _chain(near: _Near) -> str:
    text = _("{count} of {others} are kept away by the management chain alone, which always holds.")
    return text.format(count=len(near), others=near.others)


def _manager(near: _Near) -> str:
    text = _("{count} of {others} are kept away by having the same manager alone, which always holds.")
    return text.format(count=len(near), others=near.others)


_TOLD: Final[dict[Rule, Callable[[_Near], str]]] = {
    Rule.AREAS: _areas,
    Rule.HOURS: _hours,
    Rule.LEVEL: _level,
    Rule.LANGUAGE: _language,
    Rule.UNIT: _unit,
    Rule.TENURE: _tenure,
    Rule.NEW_JOINER: _new_joiner,
    Rule.CHAIN: _chain,
    Rule.MANAGER: _manager,
}
