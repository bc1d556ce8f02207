"""The starter taxonomy: area codes by family, and what the organisation calls its levels.

Codes travel on topics, labels never do. Both are data: a tenant's own taxonomy replaces this one later.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Area:
    """A topic that can be offered or sought."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Family:
    """Areas that belong together on a page."""

    code: str
    label: str
    areas: tuple[Area, ...]


FAMILIES: Final = (
    Family(
        "technology",
        "Technology",
        (
            Area("ai-tools", "AI tools in daily work"),
            Area("data-literacy", "Data literacy"),
            Area("social-media", "Social media"),
            Area("cyber-hygiene", "Cyber hygiene"),
            Area("cloud", "Cloud services"),
            Area("automation", "Automating routine work"),
        ),
    ),
    Family(
        "inclusion",
        "Inclusion and lived experience",
        (
            Area("ethnicity-experience", "Experience of ethnicity at work"),
            Area("lgbtq-experience", "LGBTQ+ experience at work"),
            Area("disability-experience", "Experience of disability at work"),
            Area("neurodiversity", "Neurodiversity"),
            Area("parents-carers", "Parents and carers"),
            Area("faith-belief", "Faith and belief"),
            Area("social-mobility", "Social mobility"),
            Area("generations", "Generations at work"),
        ),
    ),
    Family(
        "ground",
        "What happens on the ground",
        (
            Area("front-line-reality", "Front-line reality"),
            Area("new-joiner-view", "How a new joiner sees us"),
            Area("remote-work", "Working remotely"),
            Area("customer-voice", "The customer's voice"),
            Area("wellbeing", "Wellbeing"),
        ),
    ),
    Family(
        "trends",
        "Trends outside",
        (
            Area("sustainability", "Sustainability"),
            Area("gen-z-consumers", "Generation Z as consumers"),
            Area("creator-economy", "The creator economy"),
            Area("fintech", "Fintech"),
            Area("remote-collaboration", "Tools for collaborating remotely"),
        ),
    ),
)

AREAS: Final = {area.code: area for family in FAMILIES for area in family.areas}

LEVEL_NAMES: Final = {
    1: "Trainee",
    2: "Associate",
    3: "Specialist",
    4: "Senior specialist",
    5: "Expert",
    6: "Team lead",
    7: "Manager",
    8: "Senior manager",
    9: "Head of department",
    10: "Director",
    11: "Managing director",
    12: "Chief officer",
}

_INITIALS: Final = 2


def function_label(code: str) -> str:
    """A function's code as words. Spelling with large letters stands as it is; two small letters are initials."""
    words = code.replace("-", " ").replace("_", " ")
    if not words.islower():
        return words
    return words.upper() if len(words) <= _INITIALS else words[0].upper() + words[1:]
