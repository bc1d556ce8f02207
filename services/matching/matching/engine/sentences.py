"""The words for the engine's reason codes, as gettext source strings with named gaps.

Callers translate, then fill: `_(SENTENCES[reason.code]).format(**values)`, with labels in place of area and language
codes, and `time` in words for hours and minutes. Numbers stand apart from their nouns so that no language needs a
plural form.
"""

from typing import Final


def _(message: str) -> str:
    """Mark a source string for extraction; it is translated where it is shown."""
    return message


SENTENCES: Final = {
    # why this pair
    "shared-area-for-mentor-first": _("You offer {area} first of all, and they want to learn it."),
    "shared-area-for-mentor": _("You offer {area}, and they want to learn it."),
    "shared-area-for-mentee-first": _("{area} is your first choice, and they offer it."),
    "shared-area-for-mentee": _("You want to learn {area}, and they offer it."),
    "common-hours": _("Working hours you share on a normal day: {time}."),
    "other-unit": _("You work in different parts of the organisation."),
    "other-country": _("You work in different countries."),
    "other-function": _("You work in different functions."),
    "you-wished": _("They work in a function that you would like to meet."),
    "both-in-person": _("You work at the same site and would both rather meet in person."),
    "levels-apart": _("Levels between you: {levels}."),
    "years-apart": _("Years between your joining: {years}."),
    "common-language": _("You can meet in {language}."),
    "you-have-waited": _("Days you have waited for a proposal: {days}."),
    # why not that pair
    "same-person": _("Nobody can mentor themselves."),
    "mentor-has-unknown-chain": _("The directory does not tell yet who is above the mentor."),
    "mentee-has-unknown-chain": _("The directory does not tell yet who is above the mentee."),
    "mentor-takes-no-part": _("The mentor is not open to mentoring at the moment."),
    "mentee-takes-no-part": _("The mentee is not open to being mentored at the moment."),
    "mentor-has-no-place": _("The mentor has no free place, or enough open proposals already."),
    "mentee-has-no-place": _("The mentee has no free place, or enough open proposals already."),
    "fails-level-gap": _("Levels the mentee is above the mentor: {levels}; the programme asks for {needed}."),
    "fails-experience-gap": _("Years the mentee joined before the mentor: {years}; the programme asks for {needed}."),
    "fails-common-area": _("Nothing that the mentor offers is something that the mentee seeks."),
    "fails-common-hours": _("Working hours they share: {time}; the programme asks for {needed} min."),
    "fails-common-language": _("They share no language."),
    "fails-different-unit": _("They work in the same unit."),
    "fails-management-chain": _("One of them is in the other's management chain."),
    "fails-same-manager": _("They have the same manager."),
    "fails-not-available": _("This pair is not available."),
    "fails-already-together": _("They already have a proposal or a mentorship together."),
    "fails-tenure": _("One of them joined less than {needed} months ago, which the programme asks for."),
    "fails-new-joiner": _("The mentor joined more than {needed} months ago, and the programme asks for new joiners."),
    # why somebody has nobody
    "nobody-on-the-other-side": _("Nobody on the other side takes part yet."),
    "none-was-free": _("People who pass every rule: {people}; none of them was free for this pair."),
    "excluded-by-level-gap": _("Too few levels apart: {people} of {others} (only this: {alone})."),
    "excluded-by-experience-gap": _("Joined too few years apart: {people} of {others} (only this: {alone})."),
    "excluded-by-common-area": _("No shared area: {people} of {others} (only this: {alone})."),
    "excluded-by-common-hours": _("Too few common working hours: {people} of {others} (only this: {alone})."),
    "excluded-by-common-language": _("No shared language: {people} of {others} (only this: {alone})."),
    "excluded-by-different-unit": _("Same unit: {people} of {others} (only this: {alone})."),
    "excluded-by-management-chain": _("In the management chain: {people} of {others} (only this: {alone})."),
    "excluded-by-same-manager": _("Same manager: {people} of {others} (only this: {alone})."),
    "excluded-by-tenure": _("Joined too recently: {people} of {others} (only this: {alone})."),
    "excluded-by-new-joiner": _("No new joiner any more: {people} of {others} (only this: {alone})."),
}
