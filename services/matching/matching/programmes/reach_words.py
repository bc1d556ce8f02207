"""What a lead reads about the reach of rules, while they are still choosing them."""

from dataclasses import dataclass

from chassis.translation import gettext as _
from chassis.translation import ngettext
from chassis.web.pages import number, percent

from matching.engine.rules import Direction, Rule
from matching.programmes.reach import Reach


@dataclass(frozen=True, slots=True)
class RuleReach:
    """One rule in words: what it keeps apart, and for whom it is the only obstacle."""

    words: str
    share: str
    alone: str


@dataclass(frozen=True, slots=True)
class ReachTold:
    """The whole of it."""

    summary: str
    warning: str
    rules: list[RuleReach]
    note: str


def tell(reach: Reach) -> ReachTold:
    """The reach of rules in words, what keeps most people apart first."""
    apart = sorted((rule for rule in Rule if reach.apart[rule]), key=lambda rule: -reach.apart[rule])
    return ReachTold(
        summary=_summary(reach),
        warning=_warning(reach),
        rules=[_rule(reach, rule) for rule in apart],
        note=_("Counted among some of your people.") if reach.sampled else "",
    )


def _summary(reach: Reach) -> str:
    if not reach.pairs:
        return _("Nobody could be paired yet: people of both sides have to take part first.")
    text = _("{mentees} of {all_mentees} mentees and {mentors} of {all_mentors} mentors could have somebody.")
    return text.format(
        mentees=number(reach.mentees.possible),
        all_mentees=number(reach.mentees.people),
        mentors=number(reach.mentors.possible),
        all_mentors=number(reach.mentors.people),
    )


def _warning(reach: Reach) -> str:
    if not reach.nobody:
        return ""
    rule = reach.in_the_way
    if rule is None:
        return _("These rules leave nobody for anybody: no single rule does it, several do together.")
    text = _("These rules leave nobody for anybody. Without “{rule}” {people} could have somebody.")
    return text.format(rule=_name(reach, rule), people=_but_for(reach, rule))


def _rule(reach: Reach, rule: Rule) -> RuleReach:
    alone = reach.mentors.but_for[rule] + reach.mentees.but_for[rule]
    return RuleReach(
        words=_name(reach, rule),
        share=percent(reach.apart[rule] / reach.pairs),
        alone=_("leaves nobody for {people}").format(people=_but_for(reach, rule)) if alone else "",
    )


def _but_for(reach: Reach, rule: Rule) -> str:
    mentees, mentors = reach.mentees.but_for[rule], reach.mentors.but_for[rule]
    first = ngettext("{count} mentee", "{count} mentees", mentees).format(count=number(mentees))
    second = ngettext("{count} mentor", "{count} mentors", mentors).format(count=number(mentors))
    if not mentees or not mentors:
        return second if mentors else first
    return _("{mentees} and {mentors}").format(mentees=first, mentors=second)


def _name(reach: Reach, rule: Rule) -> str:
    if rule is Rule.LEVEL and reach.direction is Direction.EXPERIENCE:
        return _("Joined too few years apart, or the wrong way round")
    return _names()[rule]


def _names() -> dict[Rule, str]:
    return {
        Rule.LEVEL: _("Levels too close, or the wrong way round"),
        Rule.AREAS: _("No area in common"),
        Rule.HOURS: _("Too few working hours in common"),
        Rule.LANGUAGE: _("No language in common"),
        Rule.UNIT: _("The same unit"),
        Rule.CHAIN: _("The same management chain"),
        Rule.MANAGER: _("The same manager"),
        Rule.TENURE: _("Joined too recently"),
        Rule.NEW_JOINER: _("The mentor is no new joiner any more"),
        Rule.PAST: _("Not available"),
        Rule.TOGETHER: _("Together already"),
    }
