"""The starter taxonomy: area codes by family, and what the organisation calls its levels.

Codes travel on topics, labels never do. Both are data: a tenant's own taxonomy replaces this one later.
"""

from dataclasses import dataclass
from typing import Final


def mark(message: str) -> str:
    """Mark a label for extraction; it is translated where it is shown."""
    return message


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
        mark("Technology"),
        (
            Area("ai-tools", mark("AI tools in daily work")),
            Area("data-literacy", mark("Data literacy")),
            Area("social-media", mark("Social media")),
            Area("cyber-hygiene", mark("Cyber hygiene")),
            Area("cloud", mark("Cloud services")),
            Area("automation", mark("Automating routine work")),
        ),
    ),
    Family(
        "inclusion",
        mark("Inclusion and lived experience"),
        (
            Area("ethnicity-experience", mark("Experience of ethnicity at work")),
            Area("lgbtq-experience", mark("LGBTQ+ experience at work")),
            Area("disability-experience", mark("Experience of disability at work")),
            Area("neurodiversity", mark("Neurodiversity")),
            Area("parents-carers", mark("Parents and carers")),
            Area("faith-belief", mark("Faith and belief")),
            Area("social-mobility", mark("Social mobility")),
            Area("generations", mark("Generations at work")),
        ),
    ),
    Family(
        "ground",
        mark("What happens on the ground"),
        (
            Area("front-line-reality", mark("Front-line reality")),
            Area("new-joiner-view", mark("How a new joiner sees us")),
            Area("remote-work", mark("Working remotely")),
            Area("customer-voice", mark("The customer's voice")),
            Area("wellbeing", mark("Wellbeing")),
        ),
    ),
    Family(
        "trends",
        mark("Trends outside"),
        (
            Area("sustainability", mark("Sustainability")),
            Area("gen-z-consumers", mark("Generation Z as consumers")),
            Area("creator-economy", mark("The creator economy")),
            Area("fintech", mark("Fintech")),
            Area("remote-collaboration", mark("Tools for collaborating remotely")),
        ),
    ),
)

AREAS: Final = {area.code: area for family in FAMILIES for area in family.areas}

LEVEL_NAMES: Final = {
    1: mark("Trainee"),
    2: mark("Associate"),
    3: mark("Specialist"),
    4: mark("Senior specialist"),
    5: mark("Expert"),
    6: mark("Team lead"),
    7: mark("Manager"),
    8: mark("Senior manager"),
    9: mark("Head of department"),
    10: mark("Director"),
    11: mark("Managing director"),
    12: mark("Chief officer"),
}

_INITIALS: Final = 2


def function_label(code: str) -> str:
    """A function's code as words. Spelling with large letters stands as it is; two small letters are initials."""
    words = code.replace("-", " ").replace("_", " ")
    if not words.islower():
        return words
    return words.upper() if len(words) <= _INITIALS else words[0].upper() + words[1:]
