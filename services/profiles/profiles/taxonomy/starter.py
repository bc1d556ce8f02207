"""The areas with which every organisation begins, in the languages that Turnabout speaks."""

from typing import Final

from profiles.taxonomy.areas import Area, Areas, Family, Words

_FAMILIES: Final = (
    (
        *("technology", "Technology", "Technik"),
        (
            ("ai-tools", "AI tools in daily work", "KI-Werkzeuge im Arbeitsalltag"),
            ("data-literacy", "Data literacy", "Umgang mit Daten"),
            ("social-media", "Social media", "Soziale Medien"),
            ("cyber-hygiene", "Cyber hygiene", "Sicheres Verhalten im Netz"),
            ("cloud", "Cloud services", "Cloud-Dienste"),
            ("automation", "Automating routine work", "Routinearbeit automatisieren"),
        ),
    ),
    (
        *("inclusion", "Inclusion and lived experience", "Zugehörigkeit und eigene Erfahrung"),
        (
            ("ethnicity-experience", "Experience of ethnicity at work", "Ethnische Herkunft im Arbeitsleben"),
            ("lgbtq-experience", "LGBTQ+ experience at work", "LGBTQ+ im Arbeitsleben"),
            ("disability-experience", "Experience of disability at work", "Behinderung im Arbeitsleben"),
            ("neurodiversity", "Neurodiversity", "Neurodiversität"),
            ("parents-carers", "Parents and carers", "Eltern und pflegende Angehörige"),
            ("faith-belief", "Faith and belief", "Glaube und Weltanschauung"),
            ("social-mobility", "Social mobility", "Sozialer Aufstieg"),
            ("generations", "Generations at work", "Generationen im Arbeitsleben"),
        ),
    ),
    (
        *("ground", "What happens on the ground", "Was vor Ort geschieht"),
        (
            ("front-line-reality", "Front-line reality", "Alltag an vorderster Stelle"),
            ("new-joiner-view", "How a new joiner sees us", "Wie uns sieht, wer neu ist"),
            ("remote-work", "Working remotely", "Arbeiten von anderswo"),
            ("customer-voice", "The customer's voice", "Die Stimme der Kundschaft"),
            ("wellbeing", "Wellbeing", "Wohlbefinden"),
        ),
    ),
    (
        *("trends", "Trends outside", "Trends von außen"),
        (
            ("sustainability", "Sustainability", "Nachhaltigkeit"),
            ("gen-z-consumers", "Generation Z as consumers", "Was die Generation Z kauft"),
            ("creator-economy", "The creator economy", "Wirtschaft rund um Creator"),
            ("fintech", "Fintech", "Digitale Finanzdienste"),
            (
                "remote-collaboration",
                "Tools for collaborating remotely",
                "Werkzeuge für die Zusammenarbeit auf Distanz",
            ),
        ),
    ),
)


def _words(english: str, german: str) -> Words:
    return Words(labels={"en": english, "de": german})


STARTER: Final = Areas(
    families=tuple(Family(code=family, words=_words(english, german)) for family, english, german, _areas in _FAMILIES),
    areas=tuple(
        Area(code=code, family=family, words=_words(english, german))
        for family, _english, _german, areas in _FAMILIES
        for code, english, german in areas
    ),
)
